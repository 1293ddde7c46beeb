import struct

import pytest

from metadata.errors import ModelContractError
from metadata.packing.metadata_codec import decode_metadata, encode_metadata
from metadata.tflite_file.flat_table import FlatTable

# One value for every kind of field that the schema has.
EVERYTHING = {
    "name": "n",
    "description": "Vögel, 雨",
    "author": "a",
    "license": "l",
    "subgraph_metadata": [
        {
            "name": "main",
            "input_tensor_metadata": [
                {
                    "name": "image",
                    "dimension_names": ["batch", "row"],
                    "content": {
                        "content_properties_type": "ImageProperties",
                        "content_properties": {
                            "color_space": "RGB",
                            "default_size": {"width": 3, "height": 4_000_000_000},
                        },
                        "range": {"min": -1, "max": 2},
                    },
                    "process_units": [
                        {
                            "options_type": "NormalizationOptions",
                            "options": {"mean": [127.5], "std": [127.5, 0.25]},
                        },
                        {
                            "options_type": "ScoreCalibrationOptions",
                            "options": {"score_transformation": "INVERSE_LOGISTIC", "default_score": 0.5},
                        },
                    ],
                    "stats": {"max": [1.0], "min": [-1.0]},
                    "associated_files": [
                        {"name": "l.txt", "type": "TENSOR_AXIS_LABELS", "locale": "de", "version": "2"}
                    ],
                },
                {
                    "content": {
                        "content_properties_type": "BoundingBoxProperties",
                        "content_properties": {"index": [1, 0, 3, 2], "type": "BOUNDARIES", "coordinate_type": "PIXEL"},
                    }
                },
            ],
            "output_tensor_groups": [{"name": "g", "tensor_names": ["a", "b"]}],
            "custom_metadata": [{"name": "c", "data": [0, 255, 7]}],
        },
        {},
    ],
    "min_parser_version": "1.5.0",
}


def test_every_kind_of_field_comes_back():
    assert decode_metadata(encode_metadata(EVERYTHING)) == EVERYTHING


def test_a_metadata_buffer_carries_the_identifier_of_the_schema():
    assert encode_metadata({"name": "n"})[4:8] == b"M001"


def test_metadata_written_by_hand_is_read():
    # Root at 16; its vtable at 8 says: 6 bytes long, table of 8 bytes, field 0 at +4. The name follows at 24.
    content = struct.pack("<I4s3HxxiI", 16, b"M001", 6, 8, 4, 16 - 8, 4) + struct.pack("<I2sxx", 2, b"hi")
    assert decode_metadata(content) == {"name": "hi"}


def test_a_field_that_was_not_written_has_no_key():
    assert decode_metadata(encode_metadata({})) == {}


def test_a_key_that_the_schema_does_not_know_is_refused():
    with pytest.raises(
        ValueError, match="AssociatedFile has no field nmae; expected some of description, locale, name"
    ):
        encode_metadata({"associated_files": [{"nmae": "labels.txt"}]})


def test_another_identifier_is_refused():
    content = bytearray(encode_metadata({"name": "n"}))
    content[4:8] = b"M002"
    with pytest.raises(ModelContractError, match="expected the identifier M001"):
        decode_metadata(bytes(content))


@pytest.mark.parametrize("length", range(0, 40))
def test_a_cut_off_buffer_is_refused(length):
    content = encode_metadata({"name": "a name of some length that lies at the end of the buffer"})
    with pytest.raises(ModelContractError, match=r"damaged|expected the identifier"):
        decode_metadata(content[:length])


def test_a_distance_that_leads_before_the_buffer_is_refused():
    content = struct.pack("<I4si", 8, b"M001", 1000)  # the vtable would lie at 8 - 1000
    with pytest.raises(ModelContractError, match="damaged: a value at byte -992 of 12"):
        FlatTable.root(content, b"M001", "the buffer")


def test_a_vector_longer_than_the_buffer_is_refused_without_being_read():
    content = struct.pack("<I4s3HxxiI", 16, b"M001", 6, 8, 4, 16 - 8, 4) + struct.pack("<I", 0xFFFFFFFF)
    with pytest.raises(ModelContractError, match="4294967295 items of 1 bytes at byte 24"):
        decode_metadata(content)


def test_an_offset_beyond_the_buffer_is_refused():
    content = struct.pack("<I4s3HxxiI", 16, b"M001", 6, 8, 4, 16 - 8, 0xFFFFFFF0)
    with pytest.raises(ModelContractError, match="an offset to byte 4294967300"):
        FlatTable.root(content, b"M001", "the buffer").target(0)

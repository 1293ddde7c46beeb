import io
import zipfile

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_tflite import TINY_LABELS, tiny_classifier, tiny_spec

from metadata import (
    MelFrontEnd,
    ModelContractError,
    ModelSpec,
    StftFrontEnd,
    find_metadata,
    pack_model,
    read_associated_files,
    read_metadata,
    read_model_labels,
    read_spec,
    read_tensors,
    replace_spec,
    strip_metadata,
)
from metadata.tflite_file.associated_files import append_files, find_archive

PLAIN = tiny_classifier()
PACKED = pack_model(PLAIN, tiny_spec())
READERS = [read_metadata, read_associated_files, read_spec, read_tensors, read_model_labels, strip_metadata]


def _scores(model, window):
    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def _with_files(files):
    """The packed model with other files in its ZIP."""
    return append_files(PACKED[: find_archive(PACKED)], files)


def test_a_packed_model_scores_bit_for_bit_as_before():
    window = np.random.default_rng(0).standard_normal((1, 32_000)).astype(np.float32) * 0.1
    assert np.array_equal(_scores(PACKED, window), _scores(PLAIN, window))


def test_a_packed_model_keeps_its_signature():
    interpreter = Interpreter(model_content=PACKED)
    assert interpreter.get_signature_list() == {"serving_default": {"inputs": ["audio"], "outputs": ["scores"]}}


def test_a_waveform_model_says_that_it_takes_audio():
    graph = read_metadata(PACKED)["subgraph_metadata"][0]
    assert graph["input_tensor_metadata"][0]["content"] == {
        "content_properties_type": "AudioProperties",
        "content_properties": {"sample_rate": 16_000, "channels": 1},
    }


def test_the_output_names_its_labels_and_range():
    output = read_metadata(PACKED)["subgraph_metadata"][0]["output_tensor_metadata"][0]
    assert output["name"] == "scores"
    assert output["stats"] == {"max": [1.0], "min": [0.0]}
    assert [(file["name"], file["type"]) for file in output["associated_files"]] == [
        ("labels.txt", "TENSOR_AXIS_LABELS")
    ]


def test_the_model_says_its_name_version_and_the_parser_it_needs():
    values = read_metadata(PACKED)
    assert (values["name"], values["version"], values["min_parser_version"]) == ("tiny classifier", "1.0.0", "1.3.0")


@pytest.mark.parametrize(
    ("front_end", "shape"),
    [
        (MelFrontEnd(inside_model=False), (1, 128, 63, 1)),
        (StftFrontEnd(inside_model=False, n_fft=256, hop_length=64, win_length=256, power=1.0), (1, 129, 501)),
    ],
)
def test_a_spectrogram_model_never_claims_to_take_audio_but_spells_out_its_front_end(front_end, shape):
    packed = pack_model(tiny_classifier(input_shape=shape), tiny_spec(front_end=front_end))
    entry = read_metadata(packed)["subgraph_metadata"][0]["input_tensor_metadata"][0]
    assert entry["content"]["content_properties_type"] == "FeatureProperties"
    assert f"{shape[1]} " in entry["description"]
    assert f"{shape[2]} frames" in entry["description"]
    for name in ("n_fft", "hop_length", "win_length", "power", "pad_mode"):
        assert f"{name}={getattr(front_end, name)}" in entry["description"]
    assert "row by row" in entry["description"]


def test_spec_and_labels_come_back():
    assert read_spec(PACKED) == tiny_spec()
    assert read_model_labels(PACKED) == TINY_LABELS
    assert read_associated_files(PACKED)["labels.txt"] == b"silence\nsong\nspeech\n"


def test_the_files_inside_open_as_a_zip_whose_offsets_count_from_the_beginning_of_the_file():
    with zipfile.ZipFile(io.BytesIO(PACKED)) as archive:
        assert archive.namelist() == ["labels.txt", "model_spec.json"]
        for entry in archive.infolist():
            assert entry.compress_type == zipfile.ZIP_STORED
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert PACKED[entry.header_offset : entry.header_offset + 4] == b"PK\x03\x04"


def test_packing_is_deterministic_and_packing_again_changes_nothing():
    assert pack_model(PLAIN, tiny_spec()) == PACKED
    assert pack_model(PACKED, tiny_spec()) == PACKED


def test_packing_replaces_what_was_there():
    other = replace_spec(tiny_spec(), labels=("a", "b", "c"), description="x" * 5_000)
    replaced = pack_model(PACKED, other)
    assert read_spec(replaced) == other
    assert pack_model(replaced, tiny_spec()) == PACKED


def test_stripping_gives_back_the_very_bytes_that_were_packed():
    assert strip_metadata(PACKED) == PLAIN
    assert strip_metadata(PLAIN) == PLAIN


def test_a_plain_model_has_tensors_but_no_metadata_files_or_spec():
    assert [str(tensor) for tensor in read_tensors(PLAIN).inputs] == ["audio float32 [1, 32000]"]
    assert [str(tensor) for tensor in read_tensors(PLAIN).outputs] == ["scores float32 [1, 3]"]
    assert find_metadata(PLAIN) is None
    assert read_associated_files(PLAIN) == {}
    assert read_spec(PLAIN) is None
    with pytest.raises(ModelContractError, match="no TFLite metadata; write some with: earproof metadata write"):
        read_metadata(PLAIN)


def test_a_spec_with_another_number_of_labels_than_scores_is_refused():
    with pytest.raises(ModelContractError, match=r"model_spec\.json has 3 labels but the model puts out 4 scores"):
        pack_model(tiny_classifier(num_labels=4), tiny_spec())


@pytest.mark.parametrize("window_length", [31_999, 32_001])
def test_an_input_one_sample_off_is_refused(window_length):
    with pytest.raises(ModelContractError, match="windows of 32000 samples"):
        pack_model(tiny_classifier(window_length=window_length), tiny_spec())


def test_a_spectrogram_input_one_frame_off_is_refused():
    with pytest.raises(ModelContractError, match="a mel spectrogram of 128 x 63"):
        pack_model(tiny_classifier(input_shape=(1, 128, 62, 1)), tiny_spec(front_end=MelFrontEnd(inside_model=False)))


def test_a_label_file_with_another_count_than_the_output_is_refused_by_name():
    files = read_associated_files(PACKED) | {"labels.txt": b"a\nb\n"}
    text = r"labels\.txt has 2 names but the model puts out 3 scores; was it exported with another label file\?"
    for reader in (read_spec, read_model_labels):
        with pytest.raises(ModelContractError, match=text):
            reader(_with_files(files))


def test_a_label_file_in_another_order_than_the_spec_is_refused():
    files = read_associated_files(PACKED) | {"labels.txt": b"song\nsilence\nspeech\n"}
    with pytest.raises(ModelContractError, match="names song, silence, speech but"):
        read_spec(_with_files(files))


def test_a_label_file_with_windows_line_ends_is_refused():
    files = read_associated_files(PACKED) | {"labels.txt": b"silence\r\nsong\r\nspeech\r\n"}
    with pytest.raises(ModelContractError, match="CR line ends"):
        read_spec(_with_files(files))


def test_a_broken_spec_inside_is_refused():
    files = read_associated_files(PACKED) | {"model_spec.json": b"{}"}
    with pytest.raises(ModelContractError, match="lacks fields"):
        read_spec(_with_files(files))


def test_files_that_the_metadata_names_must_be_there():
    without_zip = PACKED[: find_archive(PACKED)]
    for reader in (read_metadata, read_associated_files, read_spec):
        with pytest.raises(
            ModelContractError, match=r"names labels\.txt, model_spec\.json but the file holds no files"
        ):
            reader(without_zip)


@pytest.mark.parametrize("content", [b"", b"TFL3", b"junk" * 100, b"\x00" * 64, b"PK\x05\x06" + bytes(18)])
def test_what_is_no_model_is_refused_by_every_reader(content):
    for reader in READERS:
        with pytest.raises(ModelContractError, match="expected the identifier TFL3"):
            reader(content)


@pytest.mark.parametrize("length", [*range(0, 2_000, 7), *range(len(PACKED) - 900, len(PACKED), 11)])
def test_a_packed_file_cut_off_anywhere_is_refused(length):
    for reader in (read_metadata, read_associated_files, read_spec):
        with pytest.raises(ModelContractError):
            reader(PACKED[:length])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(PACKED) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_changed_bytes_are_either_harmless_or_a_clear_error(changes):
    damaged = bytearray(PACKED)
    for place, value in changes:
        damaged[place] = value
    assert all(len(refusal) > 20 for refusal in _refusals(bytes(damaged)))


# The new root, the metadata buffer and the ZIP: where a changed byte can mislead the readers.
HEAD, TAIL = len(PACKED) - len(PLAIN), len(PACKED) - find_archive(PACKED)


@settings(max_examples=400, deadline=None)
@given(st.booleans(), st.lists(st.tuples(st.integers(0, min(HEAD, TAIL)), st.integers(0, 255)), min_size=1, max_size=3))
def test_changed_bytes_in_head_or_tail_are_either_harmless_or_a_clear_error(tail, changes):
    damaged = bytearray(PACKED)
    for place, value in changes:
        damaged[len(PACKED) - 1 - place if tail else place] = value
    assert all(len(refusal) > 20 for refusal in _refusals(bytes(damaged)))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(PLAIN)), st.lists(st.tuples(st.integers(0, 9_000), st.integers(0, 255)), max_size=4))
def test_a_plain_model_cut_off_or_changed_is_either_read_or_a_clear_error(length, changes):
    damaged = bytearray(PLAIN[:length])
    for place, value in changes:
        damaged[place % max(len(damaged), 1) : place % max(len(damaged), 1) + 1] = bytes([value])
    assert all(len(refusal) > 20 for refusal in _refusals(bytes(damaged)))


def _refusals(model):
    """What the readers say against it; any other exception than the one for users fails the test."""
    refusals = []
    for reader in [*READERS, lambda model: pack_model(model, tiny_spec())]:
        try:
            reader(model)
        except ModelContractError as error:
            refusals.append(str(error))
    return refusals


def test_a_large_model_is_packed_without_a_change_to_its_weights():
    large = tiny_classifier(extra_weights=3_000_000)
    packed = pack_model(large, tiny_spec())
    assert strip_metadata(packed) == large
    assert isinstance(read_spec(packed), ModelSpec)

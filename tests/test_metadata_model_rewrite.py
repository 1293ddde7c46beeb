import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from tiny_tflite import pack_aligned, tiny_classifier

from metadata.errors import ModelContractError
from metadata.packing.outside_weights import take_weights_in
from metadata.packing.rewrite import add_metadata_buffer, remove_metadata_buffer
from metadata.tflite_file.flat_model import BUFFER_DATA, ModelFlatBuffer

PLAIN = tiny_classifier()


def _object(model):
    return schema.ModelT.InitFromPackedBuf(model, 0)


def _with_foreign_metadata(last):
    """A model with metadata of another tool, in the last buffer or in the one before it."""
    model = _object(PLAIN)
    entry, foreign = schema.MetadataT(), schema.BufferT()
    foreign.data = np.frombuffer(b"SECRET" * 9, np.uint8)
    entry.name, entry.buffer = b"TFLITE_METADATA", len(model.buffers) - (not last)
    model.metadata.insert(0, entry)
    model.buffers.insert(entry.buffer, foreign)
    if not last:
        next(other for other in model.metadata if other.name == b"min_runtime_version").buffer += 1
    return pack_aligned(model)


def _weights_behind(model):
    """The model with every buffer moved behind the FlatBuffer, as the ai-edge-quantizer writes large ones."""
    model = _object(model)
    contents = [buffer.data for buffer in model.buffers]
    for buffer, content in zip(model.buffers, contents, strict=True):
        if content is not None and len(content) > 16:
            buffer.data, buffer.offset, buffer.size = None, 2**40, len(content)
    for _ in range(2):  # the offsets are of fixed length, so the second round has the final size
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        flat = bytes(builder.Output())
        tail, start = b"", len(flat) + -len(flat) % 16
        for buffer, content in zip(model.buffers, contents, strict=True):
            if buffer.size:
                buffer.offset = start + len(tail)
                tail += bytes(content) + bytes(-len(content) % 16)
    return flat + bytes(start - len(flat)) + tail


def _scores(model):
    interpreter = Interpreter(model_content=model)
    interpreter.allocate_tensors()
    window = np.random.default_rng(1).standard_normal((1, 32_000)).astype(np.float32) * 0.1
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def test_everything_but_the_new_entry_and_buffer_stays_as_it_was():
    before, after = _object(PLAIN), _object(add_metadata_buffer(PLAIN, b"content"))
    assert [entry.name for entry in after.metadata] == [b"min_runtime_version", b"TFLITE_METADATA"]
    assert bytes(after.buffers[-1].data) == b"content"
    assert after.metadata[1].buffer == len(after.buffers) - 1 == len(before.buffers)
    for old, new in zip(before.buffers, after.buffers, strict=False):
        assert (old.data is None and new.data is None) or bytes(old.data) == bytes(new.data)
    assert after.version == 3
    assert after.description == b"tiny classifier"
    assert [code.builtinCode for code in after.operatorCodes] == [code.builtinCode for code in before.operatorCodes]
    assert [tensor.name for tensor in after.subgraphs[0].tensors] == [
        tensor.name for tensor in before.subgraphs[0].tensors
    ]
    assert after.signatureDefs[0].signatureKey == b"serving_default"


@pytest.mark.parametrize("length", [1, 15, 16, 17, 1_000])
def test_every_buffer_begins_at_a_multiple_of_sixteen(length):
    model = add_metadata_buffer(PLAIN, b"m" * length)
    starts = [start for start, size in (buffer.span(BUFFER_DATA) for buffer in ModelFlatBuffer(model).buffers) if size]
    assert len(starts) == 8  # four weights, two shapes or axes, the runtime version, the metadata
    assert all(start % 16 == 0 for start in starts)


def test_the_model_itself_is_not_touched():
    model = add_metadata_buffer(PLAIN, b"content")
    assert model.endswith(PLAIN)
    assert (len(model) - len(PLAIN)) % 64 == 0
    assert remove_metadata_buffer(model) == PLAIN


@pytest.mark.parametrize("last", [True, False])
def test_metadata_of_another_tool_is_taken_out_with_its_content(last):
    foreign = _with_foreign_metadata(last)
    assert b"SECRET" in foreign
    stripped = remove_metadata_buffer(foreign)
    assert b"SECRET" not in stripped
    assert [entry.name for entry in _object(stripped).metadata] == [b"min_runtime_version"]
    assert np.array_equal(_scores(stripped), _scores(PLAIN))
    minimum = _object(stripped).buffers[_object(stripped).metadata[0].buffer]
    assert bytes(minimum.data).startswith(b"1.13.0")


@pytest.mark.parametrize("last", [True, False])
def test_metadata_of_another_tool_is_replaced_and_replacing_again_changes_nothing(last):
    foreign = _with_foreign_metadata(last)
    once = add_metadata_buffer(foreign, b"content")
    assert add_metadata_buffer(once, b"content") == once
    assert remove_metadata_buffer(once) == remove_metadata_buffer(foreign)
    assert [entry.name for entry in _object(once).metadata] == [b"min_runtime_version", b"TFLITE_METADATA"]


def test_a_packed_model_that_another_tool_packed_anew_is_still_understood():
    anew = pack_aligned(_object(add_metadata_buffer(PLAIN, b"content")))
    assert [entry.name for entry in _object(add_metadata_buffer(anew, b"other")).metadata] == [
        b"min_runtime_version",
        b"TFLITE_METADATA",
    ]
    assert np.array_equal(_scores(add_metadata_buffer(anew, b"other")), _scores(PLAIN))


def test_weights_behind_the_flatbuffer_are_taken_in():
    outside = _weights_behind(PLAIN)
    assert np.array_equal(_scores(outside), _scores(PLAIN))
    inside = take_weights_in(outside)
    assert all(buffer.offset <= 1 for buffer in _object(inside).buffers)
    assert np.array_equal(_scores(inside), _scores(PLAIN))
    packed = add_metadata_buffer(outside, b"content")
    assert np.array_equal(_scores(packed), _scores(PLAIN))
    assert add_metadata_buffer(packed, b"content") == packed
    assert len(packed) < len(outside) + 2_000  # moved, not copied


def test_a_model_with_all_weights_inside_is_left_alone():
    assert take_weights_in(PLAIN) is PLAIN


@pytest.mark.parametrize("cut", [1_000, 5_000])
def test_weights_behind_a_flatbuffer_that_was_cut_off_are_refused(cut):
    with pytest.raises(ModelContractError, match="with gaps or beyond the end; was the file truncated"):
        take_weights_in(_weights_behind(PLAIN)[:-cut])


def test_a_packed_model_that_was_cut_off_says_how_many_bytes_it_needs():
    model = add_metadata_buffer(PLAIN, b"content")
    with pytest.raises(ModelContractError, match=f"has {len(model) - 1} bytes but says that {len(model)} are needed"):
        remove_metadata_buffer(model[:-1])

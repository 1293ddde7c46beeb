"""What an interpreter runs passes the gate, by whatever names; what is not checked is not called damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from tiny_operators import Value, accepted_operators, lstm, one_operator, svdf, unsupported_operators
from tiny_tflite import pack_aligned, tiny_classifier

from edge_runtime.model.classifier import Classifier
from edge_runtime.model.interpreter import open_interpreter
from metadata import ModelContractError, read_tensors
from metadata.errors import UnsupportedModelError
from metadata.gate.model_check import check_model
from metadata.tflite_file.model_content import read_content
from metadata.tflite_file.score_operator import score_operator

CASES = Path(__file__).resolve().parents[2] / "shared" / "cases"
SOUND = sorted((Path(__file__).parent / "damaged_files" / "sound").glob("*.tflite"))
ACCEPTED, UNSUPPORTED = accepted_operators(), unsupported_operators()
DAMAGE_WORDS = ("damaged?", "contradicts", "truncated", "changed on its way")


def numbers(interpreter) -> list[np.ndarray]:
    """The outputs of an interpreter for noise, or for small whole numbers."""
    rng = np.random.default_rng(0)
    for detail in interpreter.get_input_details():
        values = rng.normal(0, 1, detail["shape"]) if detail["dtype"] == np.float32 else rng.integers(0, 3)
        interpreter.set_tensor(detail["index"], np.full(detail["shape"], values).astype(detail["dtype"]))
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


def plain(model: bytes, use_xnnpack: bool) -> list[np.ndarray]:
    """The outputs of an interpreter without any check."""
    kernels = OpResolverType.AUTO if use_xnnpack else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(model_content=model, experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    return numbers(interpreter)


def renamed(model: bytes, name: bytes | None) -> bytes:
    """A model whose tensors are all called the same, or nothing at all."""
    content = schema.ModelT.InitFromPackedBuf(model, 0)
    for graph in content.subgraphs:
        for tensor in graph.tensors:
            tensor.name = name
    content.signatureDefs = None
    return pack_aligned(content)


@pytest.mark.parametrize("use_xnnpack", [True, False], ids=["XNNPACK", "built-in kernels"])
@pytest.mark.parametrize("name", ACCEPTED)
def test_an_operator_that_an_interpreter_runs_passes_and_gives_the_same_numbers(name, use_xnnpack):
    ours = numbers(open_interpreter(ACCEPTED[name], use_xnnpack=use_xnnpack))
    theirs = plain(ACCEPTED[name], use_xnnpack)
    assert len(ours) == len(theirs) > 0
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_an_operator_that_is_not_checked_here_is_not_called_damaged(name):
    with pytest.raises(UnsupportedModelError, match=f"^not supported here: .*{name}") as refusal:
        check_model(UNSUPPORTED[name])
    assert not any(word in str(refusal.value) for word in DAMAGE_WORDS)


@pytest.mark.parametrize("name", [name for name in UNSUPPORTED if name != "string"])
def test_a_file_that_is_not_supported_is_still_described(name):
    assert check_model(UNSUPPORTED[name], unknown_operators=True).graphs[0].operators


@pytest.mark.parametrize("file", ["stft_dyn", "stft_batch"])
def test_a_batch_left_open_in_front_of_an_stft_opens(file):
    path = CASES / f"{file}.tflite"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    interpreter = open_interpreter(path.read_bytes())
    assert [detail["shape"].size for detail in interpreter.get_input_details()] == [1 if file == "stft_dyn" else 2]


def test_parts_of_no_values_are_made_by_an_operator_and_read_by_another():
    sound = Path(__file__).parent / "damaged_files" / "sound" / "stft-open.tflite"
    graph = check_model(sound.read_bytes()).graphs[0]
    empty = [tensor.place for tensor in graph.tensors if tensor.size == 0]
    made = {index for operator in graph.operators for index in operator.outputs}
    assert made & set(empty)  # else this file is no example of it


def test_an_empty_part_that_is_read_before_it_is_made_is_refused():
    content = schema.ModelT.InitFromPackedBuf(tiny_classifier(64), 0)
    graph = content.subgraphs[0]
    first = graph.tensors[graph.operators[0].outputs[0]]
    first.shape = np.array([0, *first.shape[1:]], np.int32)
    graph.operators = graph.operators[1:] + graph.operators[:1]
    with pytest.raises(ModelContractError, match="which nothing computes before it"):
        check_model(pack_aligned(content))


@pytest.mark.parametrize("name", [None, b"", b"x"], ids=["no names", "empty names", "one name for all"])
def test_names_of_tensors_are_nothing_to_the_gate(name):
    model = tiny_classifier(64)
    other = renamed(model, name)
    expected = "" if name is None else name.decode()
    assert [tensor.name for tensor in check_model(other).graphs[0].tensors] == [expected] * len(
        check_model(model).graphs[0].tensors
    )
    assert read_tensors(other).inputs[0].name == expected
    assert read_tensors(other).outputs[0].shape == read_tensors(model).outputs[0].shape
    assert read_content(other).graphs[0].operators == read_content(model).graphs[0].operators
    assert score_operator(other) == score_operator(model) == "SOFTMAX"
    for mine, right in zip(numbers(open_interpreter(other)), plain(model, True), strict=True):
        np.testing.assert_array_equal(mine, right)


def test_an_inner_name_in_another_encoding_is_no_damage():
    """The interpreter finds tensors by number; only names of inputs and outputs are read by its Python part."""
    model = tiny_classifier(64)
    other = model.replace(b"pooled/axis", b"pooled\xffaxis")
    assert other != model
    assert any(tensor.name == "pooled\\xffaxis" for tensor in check_model(other).graphs[0].tensors)
    for mine, right in zip(numbers(open_interpreter(other)), plain(model, True), strict=True):
        np.testing.assert_array_equal(mine, right)


def test_a_shape_that_is_not_stored_beside_an_open_one_is_no_damage():
    content = schema.ModelT.InitFromPackedBuf(tiny_classifier(64), 0)
    hidden = content.subgraphs[0].tensors[content.subgraphs[0].operators[-1].inputs[0]]
    hidden.shapeSignature, hidden.shape = np.array([-1, 3], np.int32), None
    other = pack_aligned(content)
    for mine, right in zip(numbers(open_interpreter(other)), plain(other, True), strict=True):
        np.testing.assert_array_equal(mine, right)


@pytest.mark.parametrize(
    ("place", "change", "message"),
    [
        (1, {"dtype": "float32"}, "expected int8"),
        (8, {"dtype": "int16"}, "expected int8"),
        (13, {"dtype": "float32"}, "expected int32"),
        (19, {"scale": 0.3}, "no power of two"),
        (19, {"scale": 0.0}, "with 0 scales"),
        (18, {"scale": 1e25}, "with the scale"),
        (18, {"shape": (1, 6)}, "a state 18"),
        (5, {"shape": (5, 6)}, "weights 5"),
    ],
)
def test_an_lstm_in_integers_whose_tensors_do_not_fit_is_refused(place, change, message):
    model = schema.ModelT.InitFromPackedBuf(lstm(weights="int8", whole=True), 0)
    graph = model.subgraphs[0]
    tensor = graph.tensors[graph.operators[0].inputs[place]]
    shape = change.get("shape", tuple(tensor.shape))
    tensor.shape = np.array(shape, np.int32)
    if "dtype" in change:
        tensor.type = getattr(schema.TensorType, change["dtype"].upper())
    if "scale" in change:
        tensor.quantization.scale = np.array([change["scale"]] if change["scale"] else [], np.float32)
    if tensor.buffer and ("dtype" in change or "shape" in change):
        bytes_each = {"float32": 4, "int16": 2}.get(change.get("dtype", ""), 1)
        model.buffers[tensor.buffer].data = np.zeros(int(np.prod(shape)) * bytes_each, np.uint8)
    with pytest.raises(ModelContractError, match=message):
        check_model(pack_aligned(model))


def test_an_lstm_in_integers_without_its_hidden_scale_is_refused():
    model = schema.ModelT.InitFromPackedBuf(lstm(weights="int8", whole=True), 0)
    graph = model.subgraphs[0]
    graph.tensors[graph.operators[0].intermediates[4]].quantization = None
    with pytest.raises(ModelContractError, match="with 0 scales"):
        check_model(pack_aligned(model))


def test_an_svdf_without_a_memory_is_refused():
    model = schema.ModelT.InitFromPackedBuf(svdf(), 0)
    graph = model.subgraphs[0]
    for place in (2, 4):
        tensor = graph.tensors[graph.operators[0].inputs[place]]
        tensor.shape = np.array([tensor.shape[0], 0], np.int32)
        if tensor.buffer:
            model.buffers[tensor.buffer].data = np.zeros(0, np.uint8)
    with pytest.raises(ModelContractError, match="weights that do not fit"):
        check_model(pack_aligned(model))


def test_a_weight_of_a_plain_network_that_is_cut_short_is_still_called_damage():
    model = schema.ModelT.InitFromPackedBuf(tiny_classifier(64), 0)
    longest = max(model.buffers, key=lambda buffer: 0 if buffer.data is None else len(buffer.data))
    longest.data = longest.data[:-4]
    with pytest.raises(ModelContractError, match="was the file truncated") as refusal:
        check_model(pack_aligned(model))
    assert not isinstance(refusal.value, UnsupportedModelError)


def test_places_beyond_the_segments_are_refused():
    rows, numbers_ = Value("float32", (3, 2), "input"), Value("int32", (3,), values=[0, 1, 5])
    count, made = Value("int32", (), values=[3]), Value("float32", (3, 2), "computed")
    options = schema.UnsortedSegmentSumOptionsT()
    with pytest.raises(ModelContractError, match="beyond 3 segments"):
        check_model(one_operator("UNSORTED_SEGMENT_SUM", [rows, numbers_, count], [made], options))


def test_a_length_that_is_open_is_said_where_it_does_not_suffice():
    options = schema.Pool2DOptionsT()
    options.filterWidth, options.filterHeight, options.strideW, options.strideH, options.padding = 2, 2, 1, 1, 1
    pool = one_operator(
        "MAX_POOL_2D", [Value("float32", (1, 1, 1, 1), "input")], [Value("float32", (1, 1, 1, 1), "computed")], options
    )
    model = schema.ModelT.InitFromPackedBuf(pool, 0)
    model.subgraphs[0].tensors[0].shapeSignature = np.array([1, -1, -1, 1], np.int32)
    with pytest.raises(ModelContractError, match="a length is open, and taken as 1 until one is given"):
        check_model(pack_aligned(model))


def test_eight_bytes_that_lie_on_a_multiple_of_eight_in_the_file_pass_wherever_their_table_begins():
    model = one_operator(
        "RANDOM_UNIFORM",
        [Value("int32", (2,), values=[2, 3])],
        [Value("float32", (2, 3), "computed")],
        _seeds(),
    )
    assert check_model(model).graphs[0].operators[0].options == {"seed": 2**40, "seed2": 7}


class _OldSignature:
    """A signature as TensorFlow 2.5 wrote it, with its method in a field that is deprecated now."""

    def Pack(self, builder):
        method, key = builder.CreateString("serving_default"), builder.CreateString("serving_default")
        schema.SignatureDefStart(builder)
        builder.PrependUOffsetTRelativeSlot(2, key, 0)
        builder.PrependUOffsetTRelativeSlot(3, method, 0)
        return schema.SignatureDefEnd(builder)


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.stem)
def test_every_file_that_is_damaged_on_purpose_runs_before(path):
    classifier = Classifier(path.read_bytes())
    window = np.random.default_rng(0).normal(0, 0.1, classifier.spec.window_length).astype(np.float32)
    classifier.load_window(window)
    classifier.invoke()
    put_out = classifier.read_output()  # some of these networks end without an activation
    assert put_out.shape == (len(classifier.spec.labels),)
    assert np.isfinite(put_out).all()


def test_a_field_that_only_old_converters_write_passes():
    content = schema.ModelT.InitFromPackedBuf(tiny_classifier(64), 0)
    content.signatureDefs = [_OldSignature()]
    model = pack_aligned(content)
    assert model.count(b"serving_default") == 2
    assert check_model(model).graphs
    assert numbers(open_interpreter(model))[0].shape == (1, 3)


def _seeds() -> schema.RandomOptionsT:
    options = schema.RandomOptionsT()
    options.seed, options.seed2 = 2**40, 7
    return options

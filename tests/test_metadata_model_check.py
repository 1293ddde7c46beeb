"""What the gate before every interpreter lets through, and what it refuses in words."""

from __future__ import annotations

import re
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from damage import DAMAGES, as_third_party, dissect, without_digest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_tflite import pack_aligned

from metadata import ModelContractError, pack_model, read_spec
from metadata.gate.model_check import check_model
from metadata.gate.operator_table import OPERATORS
from metadata.packing.digest import DIGEST_FIELD, check_digest
from metadata.tflite_file.associated_files import append_files, find_archive, read_files
from metadata.tflite_file.tflite_schema import BUILTIN_OPERATORS, TABLES, UNIONS

SOUND = sorted((Path(__file__).parent / "damaged_files" / "sound").glob("*.tflite"))
BASES = [file for path in SOUND for file in (path.read_bytes(), without_digest(path.read_bytes()))]
ANATOMIES = [dissect(file) for file in BASES]


def sound(name: str) -> bytes:
    return (Path(__file__).parent / "damaged_files" / "sound" / f"{name}.tflite").read_bytes()


def changed(name: str, change) -> bytes:
    """A sound model as the schema's own writer puts it together after a change to its objects."""
    model = sound(name)
    content = schema.ModelT.InitFromPackedBuf(model[: find_archive(model)], 0)
    content.metadata, content.signatureDefs = None, None
    change(content)
    return pack_aligned(content)


def operator(content, name: str):
    """The first operator of that name in any subgraph."""
    number = BUILTIN_OPERATORS.index(name)
    for graph in content.subgraphs:
        for one in graph.operators:
            if content.operatorCodes[one.opcodeIndex].builtinCode == number:
                return graph, one
    raise AssertionError(f"no {name}")


def constant(content, graph, index: int, values) -> None:
    """Give a constant tensor other values of its own type."""
    buffer = content.buffers[graph.tensors[index].buffer]
    kind = {schema.TensorType.INT32: np.int32, schema.TensorType.FLOAT32: np.float32}[graph.tensors[index].type]
    buffer.data = np.frombuffer(np.asarray(values, kind).tobytes(), np.uint8)


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.stem)
def test_a_sound_file_of_every_converter_passes_in_all_its_forms(path):
    model = path.read_bytes()
    assert DIGEST_FIELD.encode() in read_files(model)["model_spec.json"]
    for file in (model, without_digest(model), as_third_party(model)):
        if file is not None:
            assert check_model(file).graphs[0].operators


def test_every_file_of_a_build_passes(built):
    for path in built.files:
        assert check_model(path.read_bytes()).graphs[0].operators, path.name


def test_a_sound_model_passes_after_a_trip_through_the_schemas_own_writer():
    for path in SOUND:
        assert check_model(changed(path.stem, lambda content: None)).graphs[0].operators, path.name


def test_the_schema_written_down_here_is_that_of_the_interpreter():
    source = Path(schema.__file__).read_text(encoding="utf-8")
    found: dict[str, dict[int, str]] = {}
    pattern = r"def (\w+?)Add(\w+)\(builder, \w+\):\s+builder\.Prepend(\w+)Slot\((\d+), (?:.|\n)*?, (\S+)\)\n"
    for table, field, kind, slot, default in re.findall(pattern, source):
        if re.search(rf"^class {table}\(", source, re.M):
            snake = re.sub(r"(?<!^)(?=[A-Z])", "_", field).lower()
            found.setdefault(table, {})[int(slot)] = f"{snake.replace('options2', 'options_2')} {kind} {default}"
    assert len(found) > 80
    for table, fields in TABLES.items():
        described = dict(enumerate(fields.split()))
        theirs = found.get(table, {})
        assert set(theirs) == {slot for slot, text in described.items() if text != "-:-"}, table
        for slot, entry in theirs.items():
            _compare(table, described[slot], *entry.split())
    numbers = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    assert tuple(numbers[place] for place in range(len(numbers))) == BUILTIN_OPERATORS
    for union, names in UNIONS.items():
        theirs = {value: name for name, value in vars(getattr(schema, union)).items() if isinstance(value, int)}
        assert names in ((), tuple(theirs[place] for place in range(1, len(theirs))))


def _compare(table: str, ours: str, name: str, kind: str, default: str) -> None:
    """One field of our description against the schema's writer."""
    our_name, _, our_kind = ours.partition(":")
    assert our_name == name or our_name.replace("_", "") == name.replace("_", ""), (table, ours, name)
    letter = {"Bool": "?", "Int8": "b", "Uint8": "B", "Int32": "i", "Uint32": "I", "Int64": "q", "Uint64": "Q"}
    letter |= {"Float32": "f", "Float64": "d"}
    if our_kind == "!":
        return
    code, _, value = our_kind.partition("=")
    assert (code == letter[kind]) if kind in letter else len(code) > 1, (table, ours, kind)
    assert float(value or 0) == float({"True": 1, "False": 0}.get(default, default)), (table, ours, default)


def test_every_operator_has_options_that_the_schema_knows():
    assert set(OPERATORS) <= set(BUILTIN_OPERATORS)
    for name, signature in OPERATORS.items():
        assert signature.options in ("", *UNIONS["BuiltinOptions"]), name
        assert signature.options in ("", *TABLES), name


@settings(max_examples=500, deadline=None)
@given(st.integers(0, len(ANATOMIES) - 1), st.sampled_from(sorted(DAMAGES)), st.integers(0, 2**32 - 1))
def test_damage_passes_or_is_refused_in_words_and_in_no_other_way(base, kind, seed):
    damaged = DAMAGES[kind](ANATOMIES[base], np.random.default_rng(seed))
    for read in (check_model, read_spec):
        refusal = _refusal(read, damaged)
        assert refusal is None or len(str(refusal)) > 20
        assert "contradicts itself (" not in str(refusal)  # what no rule has foreseen


def _refusal(read, model):
    """The error of a refused model, None where it is read; any other exception fails the test."""
    try:
        read(model)
    except ModelContractError as error:
        return error
    return None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=600), st.booleans())
def test_any_bytes_are_no_model_or_refused(content, with_head):
    with pytest.raises(ModelContractError):
        check_model((b"\x1c\0\0\0TFL3" if with_head else b"") + content)


@pytest.mark.parametrize("path", SOUND, ids=lambda path: path.stem)
def test_a_file_cut_off_anywhere_is_refused(path):
    model = path.read_bytes()
    for length in range(0, len(model), 211):
        with pytest.raises(ModelContractError):
            read_spec(model[:length]) or check_model(model[:length])


def test_a_file_that_claims_more_than_it_holds_is_refused_before_it_is_unpacked():
    # Ten thousand tensors that share one table, each with a shape of 50,000 numbers: 500 million numbers to unpack.
    builder = flatbuffers.Builder(1024)
    builder.StartVector(4, 50_000, 4)
    for _ in range(50_000):
        builder.PrependInt32(1)
    shape = builder.EndVector()
    schema.TensorStart(builder)
    schema.TensorAddShape(builder, shape)
    tensor = schema.TensorEnd(builder)
    builder.StartVector(4, 10_000, 4)
    for _ in range(10_000):
        builder.PrependUOffsetTRelative(tensor)
    tensors = builder.EndVector()
    schema.SubGraphStart(builder)
    schema.SubGraphAddTensors(builder, tensors)
    graph = schema.SubGraphEnd(builder)
    builder.StartVector(4, 1, 4)
    builder.PrependUOffsetTRelative(graph)
    graphs = builder.EndVector()
    schema.ModelStart(builder)
    schema.ModelAddVersion(builder, 3)
    schema.ModelAddSubgraphs(builder, graphs)
    builder.Finish(schema.ModelEnd(builder), file_identifier=b"TFL3")
    with pytest.raises(ModelContractError, match="longer in sum than the file"):  # else many minutes, and 4 GB
        check_model(bytes(builder.Output()))


def _set(name, **options):
    """A change of options of the first operator of that name."""

    def change(content):
        for option, value in options.items():
            setattr(operator(content, name)[1].builtinOptions, option, value)

    return change


def _argument(name, place, values):
    """A change of a constant that an operator takes."""

    def change(content):
        graph, one = operator(content, name)
        constant(content, graph, one.inputs[place], values)

    return change


def _reread(content):
    graph, one = operator(content, "FULLY_CONNECTED")
    graph.tensors[one.inputs[1]].buffer = 0


def _write_weights(content):
    one = operator(content, "CONV_2D")[1]
    one.outputs = np.array([one.inputs[2]], np.int32)


def _swap_order(content):
    content.subgraphs[0].operators.reverse()


def _call_itself(content):
    operator(content, "WHILE")[1].builtinOptions.bodySubgraphIndex = 0


def _stand_still(content):
    graph = content.subgraphs[operator(content, "WHILE")[1].builtinOptions.bodySubgraphIndex]
    counter = next(one for one in graph.operators if content.operatorCodes[one.opcodeIndex].builtinCode == 0)
    counter.inputs = np.array([counter.inputs[0]] * 2, np.int32)  # twice 0 is 0


def _run_for_days(content):
    graph, one = operator(content, "LESS")
    constant(content, graph, one.inputs[1], 2**31 - 1)


def _terabytes(content):
    graph, one = operator(content, "CONV_2D")
    graph.tensors[one.outputs[0]].shape = np.array([1, 2**20, 2**20, 4], np.int32)


def _short_buffer(content):
    graph, one = operator(content, "CONV_2D")
    buffer = content.buffers[graph.tensors[one.inputs[1]].buffer]
    buffer.data = buffer.data[:-4]


def _custom(content):
    content.operatorCodes[0].builtinCode = content.operatorCodes[0].deprecatedBuiltinCode = 32
    content.operatorCodes[0].customCode = b"FlexErf"


def _no_such_operator(content):
    content.operatorCodes[0].builtinCode = 100_000


def _string_tensor(content):
    content.subgraphs[0].tensors[0].type = schema.TensorType.STRING


def _scale(content):
    graph, one = operator(content, "CONV_2D")
    graph.tensors[one.inputs[0]].quantization.scale = np.array([0.0], np.float32)


def _output_scale(name, values):
    """A change of the scale of what the first operator of that name puts out."""

    def change(content):
        graph, one = operator(content, name)
        graph.tensors[one.outputs[0]].quantization.scale = np.array(values, np.float32)

    return change


def _hours(content):
    graph = content.subgraphs[0]
    graph.tensors[graph.inputs[0]].shape = np.array([1, 2**26], np.int32)


def _fewer_inputs(name):
    """The last input of the first operator of that name taken away."""

    def change(content):
        one = operator(content, name)[1]
        one.inputs = one.inputs[:-1]

    return change


def _scales_of_another_axis(content):
    graph, one = operator(content, "CONV_2D")
    graph.tensors[one.inputs[1]].quantization.quantizedDimension = 1


def _sparse(content):
    content.subgraphs[0].tensors[0].sparsity = schema.SparsityParametersT()


def _left_out(content):
    operator(content, "SOFTMAX")[1].inputs = np.array([-1], np.int32)


def _signature(content):
    content.signatureDefs = [schema.SignatureDefT()]
    content.signatureDefs[0].subgraphIndex = 7


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("float32", _set("CONV_2D", strideW=0), "stride 0"),
        ("float32", _set("CONV_2D", dilationWFactor=0), "dilation 0"),
        ("float32", _set("CONV_2D", padding=7), "padding 7"),
        ("float32", _set("CONV_2D", fusedActivationFunction=9), "fused_activation_function 9"),
        ("image", _set("MAX_POOL_2D", strideW=1, strideH=1), r"but makes \["),
        ("float32", _set("MAX_POOL_2D", filterWidth=0), "filter of 0"),
        ("float32", _set("SOFTMAX", beta=float("nan")), "beta nan"),
        ("image", _set("DEPTHWISE_CONV_2D", depthMultiplier=0), "depth multiplier 0"),
        ("image", _argument("TRANSPOSE_CONV", 0, [1, 2**15, 2**15, 4]), "output shape"),
        ("image", _argument("TRANSPOSE", 1, [0, 1, 1, 1]), "the order"),
        ("image", _set("CONCATENATION", axis=4), "axis 4 of 4"),
        ("tiny", _argument("RESHAPE", 1, [-1, -1]), "new shape"),
        ("tiny", _argument("MEAN", 1, [5]), "axis 5 of 2"),
        ("tiny", _reread, "which nothing computes before it"),
        ("float32", _write_weights, "which is there already"),
        ("tiny", _swap_order, "which nothing computes before it"),
        ("tiny", _left_out, "has no input 0"),
        ("gru-loop", _call_itself, "from subgraphs"),
        ("gru-loop", _stand_still, "not supported here: .* may never end"),
        ("gru-loop", _run_for_days, "not supported here: .* steps; expected at most"),
        ("float32", _terabytes, "expected at most 536870912"),
        ("float32", _short_buffer, "its buffer has"),
        ("float32", _custom, "not supported here: operator FlexErf, which LiteRT has not built in"),
        ("float32", _no_such_operator, "not supported here: operator 100000"),
        ("float32", _string_tensor, "not supported here: tensor 0 of the model has type string"),
        ("image-tensorflow_int8", _scale, r"the scale 0\.0"),
        ("image-tensorflow_int8", _scales_of_another_axis, "scales along"),
        ("image-tensorflow_int8", _output_scale("ADD", []), "with 0 scales"),
        ("image-tensorflow_int8", _output_scale("AVERAGE_POOL_2D", []), "with 0 scales"),
        ("image-tensorflow_int8", _output_scale("ADD", [1e-9]), "of its sum"),
        ("image-tensorflow_int8", _output_scale("SQUARED_DIFFERENCE", [1e-9]), "for squares of"),
        ("variable", _hours, "not supported here: the input"),
        ("image", _fewer_inputs("DEPTHWISE_CONV_2D"), "has 2 inputs"),
        ("lstm-fused", _fewer_inputs("UNIDIRECTIONAL_SEQUENCE_LSTM"), "has 23 inputs"),
        ("gru-loop", _fewer_inputs("LESS"), "has 1 inputs"),
        ("stft", _argument("RFFT2D", 1, [1, 2**20]), "powers of two that the input covers"),
        ("float32", _sparse, "not supported here: sparsity of a Tensor"),
        ("float32", _signature, "a signature of the model names a subgraph"),
    ],
)
def test_a_model_that_would_take_the_interpreter_down_is_refused(name, change, message):
    with pytest.raises(ModelContractError, match=message):
        check_model(changed(name, change))


def test_a_file_with_a_custom_operator_is_still_described():
    assert check_model(changed("float32", _custom), unknown_operators=True).graphs


def test_a_changed_weight_of_a_packed_file_is_seen_by_its_digest():
    packed = bytearray(sound("tiny"))
    packed[dissect(sound("tiny")).weights[0][0]] ^= 1
    with pytest.raises(ModelContractError, match="changed or damaged after it was packed"):
        read_spec(bytes(packed))


def test_a_file_from_before_there_were_digests_still_opens():
    older = without_digest(sound("tiny"))
    assert DIGEST_FIELD.encode() not in read_files(older)["model_spec.json"]
    assert read_spec(older) == read_spec(sound("tiny"))


def test_packing_a_changed_file_again_gives_it_a_digest_of_its_own():
    damaged = bytearray(sound("tiny"))
    place = dissect(sound("tiny")).weights[-1][0]
    damaged[place] ^= 1
    spec = read_spec(sound("tiny"))
    again = pack_model(bytes(damaged), spec)
    assert read_spec(again) == spec
    assert again != sound("tiny")


@pytest.mark.parametrize("spec", [b"{", b"\xff", b"[" * 100_000])
def test_a_spec_that_is_no_json_has_no_digest_to_compare(spec):
    with pytest.raises(ModelContractError, match="is not valid JSON"):
        check_digest(sound("tiny"), spec)


def test_a_digest_that_is_no_text_is_refused():
    files = read_files(sound("tiny"))
    spec = files["model_spec.json"]
    start = spec.index(DIGEST_FIELD.encode()) + len(DIGEST_FIELD) + 3
    files["model_spec.json"] = spec[:start] + b"7" + spec[start + 66 :]
    model = sound("tiny")
    with pytest.raises(ModelContractError, match="was written for 7"):
        read_spec(append_files(model[: find_archive(model)], files))

"""Model files of one operator each, made by code: what converters of today seldom write, or not from a few lines.

Random weights by seed. Each file has one input, and what an interpreter runs it to is the right answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from tiny_tflite import pack_aligned

BATCH, STEPS, FEATURES, UNITS, MEMORY, RANK = 1, 4, 6, 5, 3, 2
CODES = vars(schema.BuiltinOperator)
_TYPES = {
    "float32": schema.TensorType.FLOAT32,
    "float16": schema.TensorType.FLOAT16,
    "int8": schema.TensorType.INT8,
    "uint8": schema.TensorType.UINT8,
    "int16": schema.TensorType.INT16,
    "int32": schema.TensorType.INT32,
    "int64": schema.TensorType.INT64,
    "bool": schema.TensorType.BOOL,
    "string": schema.TensorType.STRING,
}


class Value(NamedTuple):
    """A tensor: its type and shape, how it is scaled, and whether it is a constant, a state or computed."""

    dtype: str
    shape: tuple[int, ...]
    kind: str = "constant"  # constant, state, input, computed
    scale: float = 0.0
    zero_point: int = 0
    values: Sequence[float] | None = None


def one_operator(
    code: str,
    inputs: Sequence[Value | None],
    outputs: Sequence[Value],
    options: object = None,
    between: Sequence[Value] = (),
    custom_code: str | None = None,
    seed: int = 0,
) -> bytes:
    """Return a model of one operator; its name is the schema's, its options an object of the schema."""
    rng = np.random.default_rng(seed)
    model, graph, operator = schema.ModelT(), schema.SubGraphT(), schema.OperatorT()
    model.version, model.buffers, model.subgraphs = 3, [schema.BufferT()], [graph]
    graph.tensors, graph.operators = [], [operator]
    places = [-1 if value is None else _tensor(model, graph, value, rng) for value in inputs]
    operator.inputs = np.array(places, np.int32)
    operator.outputs = np.array([_tensor(model, graph, value, rng) for value in outputs], np.int32)
    if between:
        operator.intermediates = np.array([_tensor(model, graph, value, rng) for value in between], np.int32)
    if options is not None:
        kind = type(options).__name__.removesuffix("T")
        second = hasattr(schema.BuiltinOptions2, kind)
        union = schema.BuiltinOptions2 if second else schema.BuiltinOptions
        number = getattr(union, kind)
        if second:
            operator.builtinOptions2Type, operator.builtinOptions2 = number, options
        else:
            operator.builtinOptionsType, operator.builtinOptions = number, options
    entry = schema.OperatorCodeT()
    entry.builtinCode, entry.version = CODES[code], 1
    entry.deprecatedBuiltinCode = min(entry.builtinCode, 127)
    entry.customCode = custom_code
    model.operatorCodes = [entry]
    graph.inputs = np.array(
        [place for place, value in zip(places, inputs, strict=True) if value and value.kind == "input"], np.int32
    )
    graph.outputs = operator.outputs
    return pack_aligned(model)


def _tensor(model: schema.ModelT, graph: schema.SubGraphT, value: Value, rng: np.random.Generator) -> int:
    """Add a tensor and return its index."""
    tensor = schema.TensorT()
    tensor.name, tensor.shape = f"tensor {len(graph.tensors)}".encode(), np.array(value.shape, np.int32)
    tensor.type, tensor.isVariable = _TYPES[value.dtype], value.kind == "state"
    if value.scale:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale = np.array([value.scale], np.float32)
        tensor.quantization.zeroPoint = np.array([value.zero_point], np.int64)
    if value.kind == "constant":
        numbers = value.values
        if numbers is None:
            spread = 0.5 if value.dtype.startswith("float") else 60
            numbers = rng.normal(0, spread, value.shape)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.asarray(numbers).astype(value.dtype).tobytes(), np.uint8)
        model.buffers.append(buffer)
        tensor.buffer = len(model.buffers) - 1
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def with_flat_input(model: bytes) -> bytes:
    """Return a model that takes its values in one row, as a classifier takes samples, and reshapes them."""
    content = schema.ModelT.InitFromPackedBuf(model, 0)
    (graph,) = content.subgraphs
    (first,) = graph.inputs
    shape = tuple(int(length) for length in graph.tensors[first].shape)
    source = Value("float32", (1, int(np.prod(shape))), "input")
    place = _tensor(content, graph, source, np.random.default_rng(0))
    row, inner = graph.tensors[place], graph.tensors[first]
    row.type, row.quantization = inner.type, inner.quantization
    wanted = _tensor(content, graph, Value("int32", (len(shape),), values=shape), np.random.default_rng(0))
    entry, operator = schema.OperatorCodeT(), schema.OperatorT()
    entry.builtinCode = entry.deprecatedBuiltinCode = CODES["RESHAPE"]
    content.operatorCodes.append(entry)
    operator.opcodeIndex = len(content.operatorCodes) - 1
    operator.inputs, operator.outputs = np.array([place, wanted], np.int32), np.array([first], np.int32)
    graph.operators.insert(0, operator)
    graph.inputs = np.array([place], np.int32)
    return pack_aligned(content)


def svdf(weights: str = "float32", *, whole: bool = False, features: int = FEATURES, units: int = UNITS) -> bytes:
    """SVDF in floats, with weights of 8 bits, or in integers."""
    filters = units * RANK
    options = schema.SVDFOptionsT()
    options.rank, options.fusedActivationFunction = RANK, schema.ActivationFunctionType.RELU
    scale = 0.0 if weights == "float32" else 0.02
    source, state, times = ("int8", "int16", "int16") if whole else ("float32", "float32", weights)
    inputs = [
        Value(source, (BATCH, features), "input", 0.05 * whole),
        Value(weights, (filters, features), scale=scale),
        Value(times, (filters, MEMORY), scale=scale),
        Value("int32" if whole else "float32", (units,)),
        Value(state, (BATCH, MEMORY * filters), "state", 0.001 * whole),
    ]
    return one_operator("SVDF", inputs, [Value(source, (BATCH, units), "computed", 0.05 * whole)], options)


def lstm(
    code: str = "UNIDIRECTIONAL_SEQUENCE_LSTM",
    weights: str = "float32",
    *,
    whole: bool = False,
    gated: bool = True,
    peepholes: bool = False,
    projection: int = 0,
    norms: bool = False,
    features: int = FEATURES,
    units: int = UNITS,
) -> bytes:
    """An LSTM in floats, with weights of 8 bits, or in integers, with or without what an LSTM may leave out."""
    outputs, scale = projection or units, 0.0 if weights == "float32" else 0.02
    small = "int16" if whole else "float32"
    matrix = [Value(weights, (units, features), scale=scale)] * 4 + [Value(weights, (units, outputs), scale=scale)] * 4
    hole = Value("int16" if whole else weights, (units,), scale=0.001 if whole else scale) if peepholes else None
    norm = Value(small, (units,), scale=0.001 * whole) if norms else None
    bias = Value("int32" if whole else "float32", (units,))
    source = "int8" if whole else "float32"
    is_step = code == "LSTM"
    steps = (BATCH,) if is_step else (BATCH, STEPS)
    inputs = [
        Value(source, (*steps, features), "input", 0.05 * whole),
        *matrix,
        *[hole] * 3,
        *[bias] * 4,
        Value(weights, (outputs, units), scale=scale) if projection else None,
        None,
        Value(source, (BATCH, outputs), "state", 0.01 * whole),
        Value(small, (BATCH, units), "state", 2.0**-11 * whole),
        *[norm] * 4,
    ]
    if not gated:
        inputs[1] = inputs[5] = inputs[9] = inputs[12] = inputs[20] = None
    options = schema.LSTMOptionsT() if is_step else schema.UnidirectionalSequenceLSTMOptionsT()
    options.fusedActivationFunction = schema.ActivationFunctionType.TANH
    gates = [Value("int16", (0,), "computed", 0.001)] * 4 if norms else [Value("float32", (0,), "computed")] * 4
    between = [*gates, Value("int8", (0,), "computed", 0.01)] if whole else []
    made = [Value(source, (*steps, outputs), "computed", 0.01 * whole)]
    return one_operator(code, inputs, made, options, between)


def lstm_both_ways(
    weights: str = "float32", *, merged: bool = True, features: int = FEATURES, units: int = UNITS
) -> bytes:
    """An LSTM that goes through its input from both ends."""
    scale = 0.0 if weights == "float32" else 0.02
    matrix = [Value(weights, (units, features), scale=scale)] * 4 + [Value(weights, (units, units), scale=scale)] * 4
    way = [*matrix, *[None] * 3, *[Value("float32", (units,))] * 4, None, None]
    state = Value("float32", (BATCH, units), "state")
    source = Value("float32", (BATCH, STEPS, features), "input")
    options = schema.BidirectionalSequenceLSTMOptionsT()
    options.fusedActivationFunction = schema.ActivationFunctionType.TANH
    options.mergeOutputs, options.timeMajor = merged, False
    made = [Value("float32", (BATCH, STEPS, units * (2 if merged else 1)), "computed")] * (1 if merged else 2)
    inputs = [source, *way, *way, *[state] * 4, *[None] * 9]
    return one_operator("BIDIRECTIONAL_SEQUENCE_LSTM", inputs, made, options)


def rnn(code: str = "RNN", weights: str = "float32") -> bytes:
    """A plain recurrent layer, one step or a sequence, one way or both."""
    scale = 0.0 if weights == "float32" else 0.02
    steps = (BATCH,) if code == "RNN" else (BATCH, STEPS)
    way = [
        Value(weights, (UNITS, FEATURES), scale=scale),
        Value(weights, (UNITS, UNITS), scale=scale),
        Value("float32", (UNITS,)),
        Value("float32", (BATCH, UNITS), "state"),
    ]
    source, made = Value("float32", (*steps, FEATURES), "input"), Value("float32", (*steps, UNITS), "computed")
    if code == "BIDIRECTIONAL_SEQUENCE_RNN":
        options = schema.BidirectionalSequenceRNNOptionsT()
        options.fusedActivationFunction, options.mergeOutputs = schema.ActivationFunctionType.TANH, False
        return one_operator(code, [source, *way, *way, *[None] * 3], [made, made], options)
    options = schema.RNNOptionsT() if code == "RNN" else schema.SequenceRNNOptionsT()
    options.fusedActivationFunction = schema.ActivationFunctionType.TANH
    return one_operator(code, [source, *way], [made], options)


def elementwise(code: str, dtype: str = "float32", options: object = None) -> bytes:
    """An operator that changes each value."""
    shape, scale = (1, 6), 0.0 if dtype.startswith("float") else 0.05
    return one_operator(code, [Value(dtype, shape, "input", scale)], [Value(dtype, shape, "computed", scale)], options)


def basic_lstm() -> bytes:
    """An LSTM as TensorFlow 1.x wrote it: one matrix, four outputs."""
    options = schema.LSTMOptionsT()
    options.fusedActivationFunction, options.kernelType = schema.ActivationFunctionType.TANH, 1
    computed = [Value("float32", (BATCH, UNITS), "computed")] * 2
    inputs = [
        Value("float32", (BATCH, FEATURES), "input"),
        Value("float32", (BATCH, UNITS)),
        Value("float32", (4 * UNITS, FEATURES + UNITS)),
        Value("float32", (4 * UNITS,)),
        Value("float32", (BATCH, UNITS)),
    ]
    rest = [Value("float32", (BATCH, FEATURES + UNITS), "computed"), Value("float32", (BATCH, 4 * UNITS), "computed")]
    return one_operator("LSTM", inputs, [*computed, *rest], options)


def _options(name: str, **fields: object) -> object:
    """Options of the schema with some fields set."""
    options = getattr(schema, f"{name}OptionsT")()
    for field, value in fields.items():
        setattr(options, field, value)
    return options


def _pool() -> bytes:
    pool = _options("Pool2D", strideW=2, strideH=2, filterWidth=2, filterHeight=2)
    image, smaller = Value("float32", (1, 4, 4, 2), "input"), Value("float32", (1, 2, 2, 2), "computed")
    return one_operator("L2_POOL_2D", [image], [smaller], pool)


def _embedding(dtype: str) -> bytes:
    scale = 0.0 if dtype == "float32" else 0.02
    places, table = Value("int32", (3,), "input"), Value(dtype, (7, 4), scale=scale)
    return one_operator("EMBEDDING_LOOKUP", [places, table], [Value("float32", (3, 4), "computed")])


def _set_diagonal() -> bytes:
    inputs = [Value("float32", (1, 3, 4), "input"), Value("float32", (1, 3))]
    return one_operator("MATRIX_SET_DIAG", inputs, [Value("float32", (1, 3, 4), "computed")], _options("MatrixSetDiag"))


def _random(code: str) -> bytes:
    inputs = [Value("float32", (1, 4), "input"), Value("int32", (), values=[3])]
    made = Value("int64", (1, 3), "computed")
    if code != "MULTINOMIAL":
        inputs, made = [Value("int32", (2,), values=[2, 3])], Value("float32", (2, 3), "computed")
    return one_operator(code, inputs, [made], _options("Random", seed=3, seed2=5))


def _bitcast() -> bytes:
    source = Value("float32", (1, 6), "input")
    return one_operator("BITCAST", [source], [Value("int16", (1, 6, 2), "computed")], _options("Bitcast"))


def accepted_operators() -> dict[str, bytes]:
    """Return files that an interpreter runs, and that are checked here, by what they are."""
    whole = {"weights": "int8", "whole": True}
    return {
        "SVDF": svdf(),
        "SVDF with int8 weights": svdf("int8"),
        "SVDF in integers": svdf(**whole),
        "LSTM": lstm(),
        "LSTM with int8 weights": lstm(weights="int8"),
        "LSTM in integers": lstm(**whole),
        "LSTM in integers without an input gate": lstm(**whole, gated=False),
        "LSTM in integers with peepholes": lstm(**whole, peepholes=True),
        "LSTM in integers with a projection": lstm(**whole, projection=3),
        "LSTM in integers with norms": lstm(**whole, norms=True),
        "LSTM with int8 weights and everything": lstm(weights="int8", peepholes=True, projection=3, norms=True),
        "LSTM with everything": lstm(peepholes=True, projection=3, norms=True),
        "LSTM with norms, without an input gate": lstm(norms=True, gated=False),
        "LSTM of one step": lstm("LSTM"),
        "LSTM of one step with int8 weights": lstm("LSTM", "int8"),
        "LSTM of one step in integers": lstm("LSTM", **whole),
        "LSTM both ways, merged": lstm_both_ways(),
        "LSTM both ways, apart": lstm_both_ways(merged=False),
        "LSTM both ways with int8 weights": lstm_both_ways("int8"),
        "RNN": rnn(),
        "RNN with int8 weights": rnn(weights="int8"),
        "RNN of a sequence": rnn("UNIDIRECTIONAL_SEQUENCE_RNN"),
        "RNN of a sequence with int8 weights": rnn("UNIDIRECTIONAL_SEQUENCE_RNN", "int8"),
        "RNN both ways": rnn("BIDIRECTIONAL_SEQUENCE_RNN"),
        "RELU_0_TO_1": elementwise("RELU_0_TO_1"),
        "RELU_N1_TO_1": elementwise("RELU_N1_TO_1"),
        "SIGN": elementwise("SIGN", options=_options("Sign")),
        "MATRIX_SET_DIAG": _set_diagonal(),
        "L2_POOL_2D": _pool(),
        "EMBEDDING_LOOKUP": _embedding("float32"),
        "EMBEDDING_LOOKUP with int8 weights": _embedding("int8"),
        "RANDOM_UNIFORM": _random("RANDOM_UNIFORM"),
        "RANDOM_STANDARD_NORMAL": _random("RANDOM_STANDARD_NORMAL"),
        "MULTINOMIAL": _random("MULTINOMIAL"),
        "BITCAST": _bitcast(),
    }


def unsupported_operators() -> dict[str, bytes]:
    """Return files that hold what is not checked here, though some interpreter may run it, by the operator's name."""
    shape = (1, 6)
    source, made = Value("float32", shape, "input"), Value("float32", shape, "computed")
    return {
        "STABLEHLO_ADD": one_operator("STABLEHLO_ADD", [source, Value("float32", shape)], [made]),
        "STABLEHLO_PAD": one_operator(
            "STABLEHLO_PAD",
            [source, Value("float32", ())],
            [made],
            _options("StablehloPad", edgePaddingLow=[0, 0], edgePaddingHigh=[0, 0], interiorPadding=[0, 0]),
        ),
        "HASHTABLE_LOOKUP": one_operator(
            "HASHTABLE_LOOKUP",
            [Value("int32", (2,), "input"), Value("int32", (3,), values=[1, 2, 3]), Value("float32", (3, 4))],
            [Value("float32", (2, 4), "computed"), Value("uint8", (2,), "computed")],
        ),
        "FlexErf": one_operator("CUSTOM", [source], [made], custom_code="FlexErf"),
        "LSTM": basic_lstm(),
        "string": one_operator("CAST", [Value("string", (1,), "input")], [made], _options("Cast")),
    }

"""Which operators TensorFlow Lite Micro has, and what it refuses although it has the operator.

Notes
-----
The names are those of `MicroMutableOpResolver` in TensorFlow Lite Micro of August 2026; the refusals are those of its
reference kernels. The package tflite-micro 0.dev20261023 gave the same answers on real files.
"""

from __future__ import annotations

from collections.abc import Iterator

from metadata.tflite_file.model_content import Graph, ModelContent, Operator, TensorInfo

_NAMES = """
    Abs Add AddN ArgMax ArgMin AssignVariable AveragePool2D BatchMatMul BatchToSpaceNd BroadcastArgs BroadcastTo
    CallOnce Cast Ceil Concatenation Conv2D Cos CumSum DepthToSpace DepthwiseConv2D Dequantize Div DynamicUpdateSlice
    EmbeddingLookup Elu Equal Exp ExpandDims Fill Floor FloorDiv FloorMod FullyConnected Gather GatherNd Greater
    GreaterEqual HardSwish If L2Normalization L2Pool2D LeakyRelu Less LessEqual Log LogicalAnd LogicalNot LogicalOr
    Logistic LogSoftmax Maximum MaxPool2D MirrorPad Mean Minimum Mul Neg NotEqual Pack Pad PadV2 Prelu Quantize
    ReadVariable ReduceAll ReduceMax ReduceMin Relu Relu6 Reshape ResizeBilinear ResizeNearestNeighbor ReverseV2 Round
    Rsqrt SelectV2 Shape Sin Slice Softmax SpaceToBatchNd SpaceToDepth Split SplitV Squeeze Sqrt Square
    SquaredDifference StridedSlice Sub Sum Svdf Tanh TransposeConv Transpose Unpack UnidirectionalSequenceLSTM VarHandle
    While ZerosLike
"""
_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL", "SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM")
_LSTM_GATES = (*range(9), *range(12, 16))  # inputs that its LSTM needs; peepholes, projection and norms it refuses
_LSTM_VARIANTS = (*range(9, 12), 16, 17, *range(20, 24))
_MOST_JOINED = 10  # inputs of CONCATENATION
_SPECTRUM = ("RFFT2D", "COMPLEX_ABS", "REAL", "IMAG")


def _key(name: str) -> str:
    """A name in which the resolver's and the schema's spelling are one: PadV2 and PADV2, CumSum and CUMSUM."""
    return name.replace("_", "").upper()


_METHODS = {_key(name): f"Add{name}" for name in _NAMES.split()}


def resolver_methods(model: ModelContent) -> list[str]:
    """Return the methods of `MicroMutableOpResolver` that register a model's operators, each once, by name.

    An operator that TensorFlow Lite Micro does not have gets none; see `micro_refusals`.
    """
    names = {operator.name for graph in model.graphs for operator in graph.operators}
    return sorted(_METHODS[_key(name)] for name in names if _key(name) in _METHODS)


def micro_refusals(model: ModelContent) -> list[str]:
    """Return why TensorFlow Lite Micro refuses a model, each time with what to take instead; empty: it takes it."""
    missing: dict[str, int] = {}
    reasons: list[str] = []
    for graph in model.graphs:
        for operator in graph.operators:
            if _key(operator.name) not in _METHODS:
                name = operator.custom_code or operator.name
                missing[name] = missing.get(name, 0) + 1
            elif (reason := _kernel_refusal(operator, graph)) and reason not in reasons:
                reasons.append(reason)
    return [*_missing_texts(missing), *reasons]


def _missing_texts(missing: dict[str, int]) -> Iterator[str]:
    """What is said of operators that are not there."""
    if missing:
        advice = "export the model without it"
        if any(name in _SPECTRUM for name in missing):
            advice = "take the spectrogram form of the model, whose front end is in C"
        yield f"TensorFlow Lite Micro has no operator {', '.join(missing)}; {advice}"


def _kernel_refusal(operator: Operator, graph: Graph) -> str:
    """Why the kernel of an operator refuses it; empty where it does not."""
    inputs: list[TensorInfo] = [graph.tensors[place] for place in operator.inputs if place >= 0]
    types = [tensor.dtype for tensor in inputs]
    if operator.name == "UNIDIRECTIONAL_SEQUENCE_LSTM" and not _is_plain_lstm(operator):
        return "its UNIDIRECTIONAL_SEQUENCE_LSTM takes no peepholes, projection, norms or coupled gates; leave them out"
    if operator.name in _WEIGHTED and types[0] == "float32" and types[1] != "float32":
        return (
            f"layers with float activations and {types[1]} weights, which TensorFlow Lite Micro refuses as hybrids; "
            "take the recipe int8, int8_io or float32"
        )
    if operator.name == "DEQUANTIZE" and types[0] == "float16":
        return "DEQUANTIZE takes no float16 in TensorFlow Lite Micro; take the recipe int8, int8_io or float32"
    if operator.name == "CONCATENATION" and len(inputs) > _MOST_JOINED:
        return (
            f"CONCATENATION joins {len(inputs)} tensors, and TensorFlow Lite Micro at most {_MOST_JOINED}; "
            "take a model without a recurrent layer"
        )
    return ""


def _is_plain_lstm(operator: Operator) -> bool:
    """Whether an LSTM has all gates and no variant."""
    given = {number for number, place in enumerate(operator.inputs) if place >= 0}
    return given.issuperset(_LSTM_GATES) and given.isdisjoint(_LSTM_VARIANTS)

"""Operators of `.tflite` graphs as Keras layers: each says what the interpreter says, for several windows at once."""

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from tiny_operators import Value, one_operator

from edge_runtime.model.weight_check import check_weights
from metadata.gate.model_check import check_model
from metadata.tflite_file.model_content import parse_model
from train.backbones.graph_reading import GraphReading
from train.backbones.translated_graph import prove, translated

MAP = (1, 9, 8, 4)
SAME, VALID = 0, 1


def reading_of(content: bytes) -> GraphReading:
    return GraphReading(check_weights(check_model(parse_model(content))))


def options(kind, **fields):
    made = getattr(schema, f"{kind}T")()
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def floats(*shape):
    return Value("float32", shape)


def whole(*numbers):
    return Value("int32", np.shape(numbers), values=list(np.ravel(numbers)))


def case(code, shape, out, *constants, given=None, **words):
    """One operator on a map of this shape; `given` stands in for the inputs, None for the map."""
    entry = Value("float32", shape, "input")
    inputs = [entry, *constants] if given is None else [entry if one is None else one for one in given]
    return pytest.param(one_operator(code, inputs, [Value("float32", out, "computed")], words.get("options")), id=code)


def conv(padding, stride, act=0, **more):
    return options(
        "Conv2DOptions", padding=padding, strideH=stride[0], strideW=stride[1], fusedActivationFunction=act, **more
    )


def depthwise(padding, stride, multiplier=1, act=0):
    return options(
        "DepthwiseConv2DOptions",
        padding=padding,
        strideH=stride[0],
        strideW=stride[1],
        depthMultiplier=multiplier,
        fusedActivationFunction=act,
    )


def pool(padding):
    return options("Pool2DOptions", padding=padding, strideH=2, strideW=2, filterHeight=3, filterWidth=2)


def cut(**masks):
    return options("StridedSliceOptions", **masks)


CASES = [
    case("CONV_2D", MAP, (1, 5, 4, 6), floats(6, 3, 3, 4), floats(6), options=conv(SAME, (2, 2), act=1)),
    case("CONV_2D", MAP, (1, 7, 3, 6), floats(6, 3, 3, 4), floats(6), options=conv(VALID, (1, 2), act=3)),
    case(
        "CONV_2D",
        MAP,
        (1, 5, 4, 6),
        floats(6, 3, 3, 4),
        floats(6),
        options=conv(VALID, (1, 1), dilationHFactor=2, dilationWFactor=2),
    ),
    case("CONV_2D", MAP, (1, 9, 8, 6), floats(6, 1, 1, 2), floats(6), options=conv(SAME, (1, 1))),
    case(
        "DEPTHWISE_CONV_2D", MAP, (1, 5, 4, 8), floats(1, 3, 3, 8), floats(8), options=depthwise(SAME, (2, 2), 2, act=1)
    ),
    case("DEPTHWISE_CONV_2D", MAP, (1, 3, 8, 4), floats(1, 3, 1, 4), floats(4), options=depthwise(SAME, (3, 1))),
    case("DEPTHWISE_CONV_2D", MAP, (1, 3, 8, 4), floats(1, 3, 1, 4), floats(4), options=depthwise(VALID, (3, 1))),
    case(
        "FULLY_CONNECTED",
        (1, 12),
        (1, 5),
        floats(5, 12),
        floats(5),
        options=options("FullyConnectedOptions", fusedActivationFunction=1),
    ),
    case("FULLY_CONNECTED", (1, 3, 2, 2), (1, 5), floats(5, 12), floats(5), options=options("FullyConnectedOptions")),
    case(
        "FULLY_CONNECTED",
        (1, 3, 4),
        (1, 3, 5),
        floats(5, 4),
        floats(5),
        options=options("FullyConnectedOptions", keepNumDims=True),
    ),
    case("MAX_POOL_2D", MAP, (1, 5, 4, 4), options=pool(SAME)),
    case("AVERAGE_POOL_2D", MAP, (1, 5, 4, 4), options=pool(SAME)),
    case("AVERAGE_POOL_2D", MAP, (1, 4, 4, 4), options=pool(VALID)),
    case("MEAN", MAP, (1, 4), whole(1, 2), options=options("ReducerOptions")),
    case("SUM", MAP, (1, 1, 1, 4), whole(1, 2), options=options("ReducerOptions", keepDims=True)),
    case("REDUCE_MAX", MAP, (1, 9, 4), whole(-2), options=options("ReducerOptions")),
    case("REDUCE_MIN", MAP, (1, 9, 8, 1), whole(3), options=options("ReducerOptions", keepDims=True)),
    case("RESHAPE", MAP, (1, 72, 4), whole(1, 72, 4), options=options("ReshapeOptions", newShape=[1, 72, 4])),
    case("SQUEEZE", (1, 1, 8, 4), (1, 8, 4), options=options("SqueezeOptions", squeezeDims=[1])),
    case("EXPAND_DIMS", (1, 8, 4), (1, 1, 8, 4), whole(1)),
    case("TRANSPOSE", MAP, (1, 4, 9, 8), whole(0, 3, 1, 2), options=options("TransposeOptions")),
    case("REVERSE_V2", (1, 8, 4), (1, 8, 4), whole(1), options=options("ReverseV2Options")),
    case("PAD", MAP, (1, 12, 9, 4), whole([0, 0], [1, 2], [1, 0], [0, 0]), options=options("PadOptions")),
    case(
        "PADV2", MAP, (1, 10, 8, 4), whole([0, 0], [1, 0], [0, 0], [0, 0]), floats(1), options=options("PadV2Options")
    ),
    case(
        "MIRROR_PAD",
        MAP,
        (1, 12, 8, 4),
        whole([0, 0], [2, 1], [0, 0], [0, 0]),
        options=options("MirrorPadOptions", mode=0),
    ),
    case(
        "MIRROR_PAD",
        MAP,
        (1, 12, 8, 4),
        whole([0, 0], [2, 1], [0, 0], [0, 0]),
        options=options("MirrorPadOptions", mode=1),
    ),
    case("ADD", MAP, MAP, floats(4), options=options("AddOptions", fusedActivationFunction=1)),
    case("SUB", MAP, MAP, given=[floats(4), None], options=options("SubOptions")),
    case("MUL", MAP, MAP, floats(1, 9, 1, 4), options=options("MulOptions")),
    case("DIV", MAP, MAP, floats(4), options=options("DivOptions")),
    case("MAXIMUM", MAP, MAP, floats(4), options=options("MaximumMinimumOptions")),
    case("MINIMUM", MAP, MAP, floats(4), options=options("MaximumMinimumOptions")),
    case("SQUARED_DIFFERENCE", MAP, MAP, floats(4), options=options("SquaredDifferenceOptions")),
    case("PRELU", MAP, MAP, floats(1, 1, 4)),
    case("BATCH_MATMUL", (1, 6, 4), (1, 5, 4), given=[floats(5, 6), None], options=options("BatchMatMulOptions")),
    case("BATCH_MATMUL", (1, 6, 4), (1, 6, 5), floats(1, 5, 4), options=options("BatchMatMulOptions", adjY=True)),
    case(
        "STRIDED_SLICE",
        MAP,
        (1, 3, 8, 4),
        whole(0, 1, 0, 0),
        whole(1, 7, 8, 4),
        whole(1, 2, 1, 1),
        options=cut(endMask=12),
    ),
    case(
        "STRIDED_SLICE",
        MAP,
        (1, 8, 4),
        whole(0, -2, 0, 0),
        whole(0, 0, 0, 0),
        whole(1, 1, 1, 1),
        options=cut(beginMask=13, endMask=13, shrinkAxisMask=2),
    ),
    case("SLICE", MAP, (1, 4, 8, 2), whole(0, 3, 0, 1), whole(1, 4, -1, 2), options=options("SliceOptions")),
    case("SOFTMAX", (1, 12), (1, 12), options=options("SoftmaxOptions", beta=1.0)),
    case("SOFTMAX", (1, 12), (1, 12), options=options("SoftmaxOptions", beta=0.5)),
    case("LEAKY_RELU", MAP, MAP, options=options("LeakyReluOptions", alpha=0.2)),
    *(
        case(code, MAP, MAP)
        for code in ("RELU", "RELU6", "TANH", "LOGISTIC", "SQUARE", "EXP", "ABS", "NEG", "ELU", "HARD_SWISH")
    ),
]


def rows_for(reading, count=4, positive=False):
    shape = reading.tensor(reading.graph.inputs[0]).shape
    rows = np.random.default_rng(5).normal(0, 2, (count, *shape[1:])).astype(np.float32)
    return np.abs(rows) + 0.1 if positive else rows


@pytest.mark.parametrize("content", CASES)
def test_an_operator_becomes_layers_that_say_the_same(content):
    reading = reading_of(content)
    target = reading.graph.outputs[0]
    model = translated(reading, target)
    rows = rows_for(reading)
    assert np.ptp(np.asarray(model.predict_on_batch(rows))) > 0
    assert prove(reading, target, model, rows) < 1e-5


@pytest.mark.parametrize("code", ["SQRT", "RSQRT", "LOG"])
def test_an_operator_on_positive_numbers_becomes_layers_that_say_the_same(code):
    (content,) = case(code, MAP, MAP).values
    reading = reading_of(content)
    model = translated(reading, reading.graph.outputs[0])
    assert prove(reading, reading.graph.outputs[0], model, rows_for(reading, positive=True)) < 1e-5


def turned(shape, *axes):
    return case("TRANSPOSE", MAP, shape, whole(*axes), options=options("TransposeOptions"))


BEFORE = whole([0, 1], [0, 0], [0, 0], [0, 0])
CUT_OFF = options("AddOptions", fusedActivationFunction=2)


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        (turned((9, 1, 8, 4), 1, 0, 2, 3), "moves the axis of the batch"),
        (case("MEAN", MAP, (8, 4), whole(0, 1), options=options("ReducerOptions")), "works along the batch"),
        (case("PAD", MAP, (2, 9, 8, 4), BEFORE, options=options("PadOptions")), "pads the batch"),
        (case("COS", MAP, MAP), r"operator 0 \(COS\) is not taken; name a tensor before it.*Taken are CONV_2D"),
        (case("ADD", MAP, MAP, floats(4), options=CUT_OFF), "fused activation 2"),
    ],
)
def test_what_is_not_taken_is_told_by_its_operator(refused, told):
    (content,) = refused.values
    reading = reading_of(content)
    with pytest.raises(ValueError, match=told):
        translated(reading, reading.graph.outputs[0])


def test_layers_that_say_something_else_are_refused():
    import keras

    (content,) = case("SQUARE", MAP, MAP).values
    reading = reading_of(content)
    start = keras.Input(MAP[1:])
    wrong = keras.Model(start, keras.ops.abs(start))
    with pytest.raises(ValueError, match=r"differ from the file by .* of the largest value; expected at most 0\.0001"):
        prove(reading, reading.graph.outputs[0], wrong, rows_for(reading))

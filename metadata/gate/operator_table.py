"""The built-in operators that a model may use: their options, how many tensors they take and give, and of which types.

An operator that is not here is refused: what its kernel does with unchecked tensors is not known. These are the ones
that converters of Keras, TensorFlow and PyTorch make of sound classifiers, recurrent ones too.

Notes
-----
Each line is: name, table of its options, number of inputs, number of outputs, types of the inputs > of the outputs,
inputs that may be left out (counted from 0). A type letter stands for one of several types:

    *       any                         f, k    float32, complex64
    a, c    any, the same everywhere    i, j    int32 or int64, int32
    b       bool                        r       a variable's handle

The last letter repeats for the tensors that follow.
"""

from __future__ import annotations

from typing import NamedTuple

_ELEMENTWISE = "LOGISTIC RELU RELU_N1_TO_1 RELU6 RELU_0_TO_1 TANH SIN LOG SQRT RSQRT FLOOR CEIL ROUND ELU"
_WITH_OPTIONS = {"COS": "Cos", "EXP": "Exp", "NEG": "Neg", "ABS": "Abs", "SQUARE": "Square", "SIGN": "Sign"} | {
    "HARD_SWISH": "HardSwish",
    "GELU": "Gelu",
    "LEAKY_RELU": "LeakyRelu",
    "ZEROS_LIKE": "ZerosLike",
    "SOFTMAX": "Softmax",
    "LOG_SOFTMAX": "LogSoftmax",
    "L2_NORMALIZATION": "L2Norm",
    "LOCAL_RESPONSE_NORMALIZATION": "LocalResponseNormalization",
    "FAKE_QUANT": "FakeQuant",
    "SPACE_TO_DEPTH": "SpaceToDepth",
    "DEPTH_TO_SPACE": "DepthToSpace",
    "AVERAGE_POOL_2D": "Pool2D",
    "MAX_POOL_2D": "Pool2D",
    "L2_POOL_2D": "Pool2D",
    "SQUEEZE": "Squeeze",
}
_PAIRS = {
    "ADD": "Add",
    "SUB": "Sub",
    "MUL": "Mul",
    "DIV": "Div",
    "POW": "Pow",
    "MAXIMUM": "MaximumMinimum",
    "MINIMUM": "MaximumMinimum",
    "FLOOR_DIV": "FloorDiv",
    "FLOOR_MOD": "FloorMod",
    "SQUARED_DIFFERENCE": "SquaredDifference",
    "ATAN2": "ATan2",
}
_COMPARISONS = {
    "LESS": "Less",
    "LESS_EQUAL": "LessEqual",
    "GREATER": "Greater",
    "GREATER_EQUAL": "GreaterEqual",
    "EQUAL": "Equal",
    "NOT_EQUAL": "NotEqual",
}
_REDUCTIONS = "MEAN SUM REDUCE_PROD REDUCE_MAX REDUCE_MIN"

_OTHERS = """
    CONV_2D                       Conv2D                      3      1    *>*
    DEPTHWISE_CONV_2D             DepthwiseConv2D             3      1    *>*
    TRANSPOSE_CONV                TransposeConv               3-4    1    j*>*       3
    FULLY_CONNECTED               FullyConnected              2-3    1    *>*        2
    BATCH_MATMUL                  BatchMatMul                 2      1    *>*
    PRELU                         -                           2      1    a>a
    CONCATENATION                 Concatenation               1-512  1    a>a
    ADD_N                         AddN                        1-512  1    a>a
    PACK                          Pack                        1-512  1    a>a
    UNPACK                        Unpack                      1      1-512  a>a
    SPLIT                         Split                       2      1-512  ja>a
    SPLIT_V                       SplitV                      3      1-512  aij>a
    RESHAPE                       Reshape                     1-2    1    aj>a
    TRANSPOSE                     Transpose                   2      1    aj>a
    EXPAND_DIMS                   ExpandDims                  2      1    ai>a
    PAD                           Pad                         2      1    ai>a
    PADV2                         PadV2                       3      1    aia>a
    MIRROR_PAD                    MirrorPad                   2      1    ai>a
    SLICE                         Slice                       3      1    ai>a
    STRIDED_SLICE                 StridedSlice                4      1    aj>a
    GATHER                        Gather                      2      1    ai>a
    GATHER_ND                     GatherNd                    2      1    ai>a
    EMBEDDING_LOOKUP              -                           2      1    j*>*
    REVERSE_V2                    ReverseV2                   2      1    aj>a
    REVERSE_SEQUENCE              ReverseSequence             2      1    ai>a
    TILE                          Tile                        2      1    ai>a
    BROADCAST_TO                  BroadcastTo                 2      1    ai>a
    BROADCAST_ARGS                -                           2      1    a>a
    FILL                          Fill                        2      1    ia>a
    RANGE                         Range                       3      1    a>a
    SHAPE                         Shape                       1      1    *>i
    RANK                          Rank                        1      1    *>j
    CAST                          Cast                        1      1    *>*
    QUANTIZE                      Quantize                    1      1    *>*
    DEQUANTIZE                    Dequantize                  1      1    *>f
    ARG_MAX                       ArgMax                      2      1    *i>i
    ARG_MIN                       ArgMin                      2      1    *i>i
    TOPK_V2                       TopKV2                      2      2    aj>aj
    CUMSUM                        Cumsum                      2      1    aj>a
    ONE_HOT                       OneHot                      4      1    ijaa>a
    SELECT                        Select                      3      1    baa>a
    SELECT_V2                     SelectV2                    3      1    baa>a
    LOGICAL_AND                   LogicalAnd                  2      1    b>b
    LOGICAL_OR                    LogicalOr                   2      1    b>b
    LOGICAL_NOT                   LogicalNot                  1      1    b>b
    REDUCE_ANY                    Reducer                     2      1    bj>b
    REDUCE_ALL                    Reducer                     2      1    bj>b
    SCATTER_ND                    ScatterNd                   3      1    jaj>a
    DYNAMIC_UPDATE_SLICE          DynamicUpdateSlice          3      1    aai>a
    RESIZE_BILINEAR               ResizeBilinear              2      1    aj>a
    RESIZE_NEAREST_NEIGHBOR       ResizeNearestNeighbor       2      1    aj>a
    SPACE_TO_BATCH_ND             SpaceToBatchND              3      1    aj>a
    BATCH_TO_SPACE_ND             BatchToSpaceND              3      1    aj>a
    RFFT2D                        Rfft2d                      2      1    fj>k
    COMPLEX_ABS                   -                           1      1    k>f
    REAL                          -                           1      1    k>f
    IMAG                          -                           1      1    k>f
    CONV_3D                       Conv3D                      2-3    1    f>f        2
    CONV_3D_TRANSPOSE             Conv3D                      3-4    1    jf>f       3
    WHERE                         Where                       1      1    *>*
    UNIQUE                        Unique                      1      2    a>a*
    BITCAST                       Bitcast                     1      1    *>*
    BITWISE_XOR                   BitwiseXor                  2      1    a>a
    RIGHT_SHIFT                   RightShift                  2      1    a>a
    MATRIX_DIAG                   MatrixDiag                  1      1    a>a
    MATRIX_SET_DIAG               MatrixSetDiag               2      1    a>a
    SEGMENT_SUM                   SegmentSum                  2      1    aj>a
    UNSORTED_SEGMENT_SUM          UnsortedSegmentSum          3      1    aj>a
    UNSORTED_SEGMENT_PROD         UnsortedSegmentProd         3      1    aj>a
    UNSORTED_SEGMENT_MAX          UnsortedSegmentMax          3      1    aj>a
    UNSORTED_SEGMENT_MIN          UnsortedSegmentMin          3      1    aj>a
    RANDOM_UNIFORM                Random                      1      1    j>*
    RANDOM_STANDARD_NORMAL        Random                      1      1    j>*
    MULTINOMIAL                   Random                      2      1    fj>i
    BUCKETIZE                     Bucketize                   1      1    *>j
    SPARSE_TO_DENSE               SparseToDense               4      1    iiaa>a
    SVDF                          SVDF                        5      1    *>*        3
    RNN                           RNN                         5      1    *>*
    UNIDIRECTIONAL_SEQUENCE_RNN   SequenceRNN                 5      1    *>*
    BIDIRECTIONAL_SEQUENCE_RNN    BidirectionalSequenceRNN    12     1-2  *>*        9,10,11
    LSTM                          LSTM                        20/24  1    *>*        1,5,9,10,11,12,16,17,20,21,22,23
    UNIDIRECTIONAL_SEQUENCE_LSTM  UnidirectionalSequenceLSTM  20/24  1    *>*        1,5,9,10,11,12,16,17,20,21,22,23
    BIDIRECTIONAL_SEQUENCE_LSTM   BidirectionalSequenceLSTM   48     1-2  *>*        \
1,5,9,10,11,12,16,17,18,22,26,27,28,29,33,34,39,40,41,42,43,44,45,46,47
    IF                            If                          1-512  0-512  b*>*
    WHILE                         While                       1-512  1-512  *>*
    CALL_ONCE                     CallOnce                    0      0    *>*
    VAR_HANDLE                    VarHandle                   0      1    *>r
    READ_VARIABLE                 ReadVariable                1      1    r>*
    ASSIGN_VARIABLE               AssignVariable              2      0    r*>*
"""
_NO_OPTIONS = "-"


class Signature(NamedTuple):
    """What an operator takes and gives."""

    options: str  # the table of its options, empty where it has none
    inputs: range  # numbers of inputs
    outputs: range
    input_types: str
    output_types: str
    optional: frozenset[int]  # inputs that may be left out


def _counts(text: str) -> range:
    """The numbers from one to another, or one of two."""
    if "/" in text:
        low, high = map(int, text.split("/"))
        return range(low, high + 1, high - low)
    lowest, _, highest = text.partition("-")
    return range(int(lowest), int(highest or lowest) + 1)


def _signature(options: str, inputs: str, outputs: str, types: str, optional: str = "") -> Signature:
    """One line of the table."""
    before, _, behind = types.partition(">")
    left_out = frozenset(int(place) for place in optional.split(",") if place)
    name = "" if options == _NO_OPTIONS else f"{options}Options"
    return Signature(name, _counts(inputs), _counts(outputs), before, behind, left_out)


OPERATORS: dict[str, Signature] = {
    **{name: _signature(_NO_OPTIONS, "1", "1", "a>a") for name in _ELEMENTWISE.split()},
    **{name: _signature(options, "1", "1", "a>a") for name, options in _WITH_OPTIONS.items()},
    **{name: _signature(options, "2", "1", "a>a") for name, options in _PAIRS.items()},
    **{name: _signature(options, "2", "1", "a>b") for name, options in _COMPARISONS.items()},
    **{name: _signature("Reducer", "2", "1", "aj>a") for name in _REDUCTIONS.split()},
    **{line.split()[0]: _signature(*line.split()[1:]) for line in _OTHERS.strip().splitlines()},
}

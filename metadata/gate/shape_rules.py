"""The shapes that each operator puts out, as its kernel computes them, and what its arguments must be for that.

A file says which shapes its tensors have, and an interpreter computes them anew from the input on; where the two
differ, something was changed.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from metadata.gate import index_shapes as index
from metadata.gate import kernel_shapes as kernels
from metadata.gate import layout_shapes as layout
from metadata.gate import recurrent_shapes as recurrent
from metadata.gate import value_shapes as values
from metadata.gate.kernel_shapes import MAX_SIZE, Shapes, broadcast
from metadata.gate.operator_call import OperatorCall


def output_shapes(call: OperatorCall) -> Shapes:
    """Return the shapes of an operator's outputs, None where they are known only when the model runs.

    Raises
    ------
    ModelContractError
        Shapes, options or constants that the kernel cannot compute with.
    """
    rule = _RULES.get(call.operator.name)
    if rule is None:
        return None
    shapes = rule(call)
    if shapes is not None:
        call.require(len(shapes) == len(call.outputs), f"{len(call.outputs)} outputs; expected {len(shapes)}")
        largest = max((math.prod(shape) for shape in shapes if shape is not None), default=0)
        call.require(largest <= MAX_SIZE, "an output of gigabytes")
    return shapes


def _same(call: OperatorCall) -> Shapes:
    """An output like the first input."""
    return [call.shapes[0]]


def _pair(call: OperatorCall) -> Shapes:
    """Two inputs, repeated where they are shorter."""
    return [broadcast(call, call.shapes[0], call.shapes[1])]


def _all_same(call: OperatorCall) -> Shapes:
    """Inputs of one shape."""
    call.require(len(set(call.shapes)) == 1, "inputs of different shapes")
    return [call.shapes[0]]


def _select(call: OperatorCall) -> Shapes:
    """A condition and two inputs; SELECT takes a condition over the first axis too."""
    condition, left, right = call.shapes
    if call.operator.name == "SELECT":
        call.require(left == right and condition in ((), (1,), left, left[:1]), "shapes that do not go together")
        return [left]
    return [broadcast(call, condition, broadcast(call, left, right))]


def _reduce(call: OperatorCall) -> Shapes:
    """The axes of the second input fall away, or stay as 1."""
    shape, axes = call.shapes[0], call.integers(1)
    if axes is None:
        return None
    gone = {call.axis(axis, len(shape)) for axis in axes} if shape else set()
    if call.flag("keep_dims"):
        return [tuple(1 if axis in gone else length for axis, length in enumerate(shape))]
    return [tuple(length for axis, length in enumerate(shape) if axis not in gone)]


def _shape(call: OperatorCall) -> Shapes:
    """One length an axis."""
    return [(len(call.shapes[0]),)]


def _rank(call: OperatorCall) -> Shapes:
    """A single number."""
    return [()]


def _broadcast_args(call: OperatorCall) -> Shapes:
    """The shape that two shapes take together, as numbers."""
    call.require(all(len(shape) == 1 for shape in call.shapes), "shapes that are no vectors")
    return [(max(shape[0] for shape in call.shapes),)]


_ELEMENTWISE = (
    "LOGISTIC RELU RELU_N1_TO_1 RELU6 RELU_0_TO_1 TANH SIN COS LOG EXP SQRT RSQRT SQUARE ABS NEG SIGN FLOOR CEIL "
    "ROUND ELU HARD_SWISH GELU LEAKY_RELU ZEROS_LIKE SOFTMAX LOG_SOFTMAX L2_NORMALIZATION "
    "LOCAL_RESPONSE_NORMALIZATION FAKE_QUANT CAST QUANTIZE DEQUANTIZE COMPLEX_ABS REAL IMAG LOGICAL_NOT"
)
_PAIRS = (
    "ADD SUB MUL DIV POW MAXIMUM MINIMUM FLOOR_DIV FLOOR_MOD SQUARED_DIFFERENCE ATAN2 PRELU LESS LESS_EQUAL GREATER "
    "GREATER_EQUAL EQUAL NOT_EQUAL LOGICAL_AND LOGICAL_OR BITWISE_XOR RIGHT_SHIFT"
)
_REDUCTIONS = "MEAN SUM REDUCE_PROD REDUCE_MAX REDUCE_MIN REDUCE_ANY REDUCE_ALL"
_RULES: dict[str, Callable[[OperatorCall], Shapes]] = {
    **dict.fromkeys(_ELEMENTWISE.split(), _same),
    **dict.fromkeys(_PAIRS.split(), _pair),
    **dict.fromkeys(_REDUCTIONS.split(), _reduce),
    **dict.fromkeys(("SELECT", "SELECT_V2"), _select),
    **dict.fromkeys(("PAD", "PADV2", "MIRROR_PAD"), layout.pad),
    **dict.fromkeys(("ARG_MAX", "ARG_MIN"), index.arg_max),
    **dict.fromkeys(("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"), index.resize),
    **dict.fromkeys(("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"), layout.space_to_batch),
    **dict.fromkeys(("SPACE_TO_DEPTH", "DEPTH_TO_SPACE"), layout.space_to_depth),
    **dict.fromkeys(("AVERAGE_POOL_2D", "MAX_POOL_2D", "L2_POOL_2D"), kernels.pool),
    **dict.fromkeys(("LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM"), recurrent.lstm),
    **dict.fromkeys(("RNN", "UNIDIRECTIONAL_SEQUENCE_RNN"), recurrent.rnn),
    "BIDIRECTIONAL_SEQUENCE_LSTM": recurrent.lstm_both_ways,
    "BIDIRECTIONAL_SEQUENCE_RNN": recurrent.rnn_both_ways,
    "ADD_N": _all_same,
    "RESHAPE": layout.reshape,
    "TRANSPOSE": layout.transpose,
    "EXPAND_DIMS": layout.expand_dims,
    "SQUEEZE": layout.squeeze,
    "SLICE": layout.slice_of,
    "STRIDED_SLICE": layout.strided_slice,
    "CONCATENATION": layout.concatenate,
    "PACK": layout.pack,
    "UNPACK": layout.unpack,
    "SPLIT": layout.split,
    "SPLIT_V": layout.split_by_sizes,
    "GATHER": index.gather,
    "GATHER_ND": index.gather_nd,
    "EMBEDDING_LOOKUP": index.embedding,
    "REVERSE_V2": index.reverse,
    "REVERSE_SEQUENCE": index.reverse_sequence,
    "TILE": layout.tile,
    "BROADCAST_TO": layout.broadcast_to,
    "BROADCAST_ARGS": _broadcast_args,
    "FILL": index.fill,
    "RANGE": index.number_range,
    "SHAPE": _shape,
    "RANK": _rank,
    "TOPK_V2": index.largest,
    "CUMSUM": index.cumsum,
    "ONE_HOT": index.one_hot,
    "SCATTER_ND": index.scatter,
    "DYNAMIC_UPDATE_SLICE": index.update_slice,
    "RFFT2D": index.fourier,
    "CONV_2D": kernels.convolution,
    "DEPTHWISE_CONV_2D": kernels.depthwise_convolution,
    "TRANSPOSE_CONV": kernels.transposed_convolution,
    "FULLY_CONNECTED": kernels.fully_connected,
    "BATCH_MATMUL": kernels.batch_matmul,
    "SVDF": recurrent.svdf,
    "CONV_3D": kernels.volume_convolution,
    "CONV_3D_TRANSPOSE": kernels.transposed_volume_convolution,
    "WHERE": values.positions,
    "UNIQUE": values.unique,
    "BITCAST": values.bitcast,
    "MATRIX_DIAG": values.diagonal,
    "MATRIX_SET_DIAG": values.with_diagonal,
    "SEGMENT_SUM": values.segments,
    **dict.fromkeys(
        ("UNSORTED_SEGMENT_SUM", "UNSORTED_SEGMENT_PROD", "UNSORTED_SEGMENT_MAX", "UNSORTED_SEGMENT_MIN"),
        values.unsorted_segments,
    ),
    **dict.fromkeys(("RANDOM_UNIFORM", "RANDOM_STANDARD_NORMAL"), values.random_numbers),
    "MULTINOMIAL": values.draws,
    "BUCKETIZE": values.buckets,
    "SPARSE_TO_DENSE": values.dense,
}

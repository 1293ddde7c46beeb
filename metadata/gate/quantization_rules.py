"""Whether quantized tensors have the scales that integer kernels compute with.

A kernel turns scales into fixed-point multipliers when the model is opened, and some abort the process where a
multiplier lies outside what they can hold, or where there is no scale at all.

Notes
-----
The limits are those of the functions `QuantizeMultiplierSmallerThanOneExp`, `QuantizeMultiplierGreaterThanOne` and
`PreprocessSoftmaxScaling` of TensorFlow Lite's quantization_util.cc, which check them in a release build too.
"""

from __future__ import annotations

from metadata.gate.operator_call import OperatorCall
from metadata.gate.recurrent_rules import RECURRENT, check_recurrent
from metadata.tflite_file.model_content import TensorInfo

_QUANTIZED = ("int8", "uint8", "int16", "int4")
# These move numbers or look at their order; a scale is nothing to them.
_MOVES = (
    "RESHAPE TRANSPOSE SQUEEZE EXPAND_DIMS PAD PADV2 MIRROR_PAD SLICE STRIDED_SLICE GATHER GATHER_ND "
    "EMBEDDING_LOOKUP REVERSE_V2 REVERSE_SEQUENCE TILE BROADCAST_TO FILL SPLIT SPLIT_V PACK UNPACK SPACE_TO_DEPTH "
    "DEPTH_TO_SPACE SPACE_TO_BATCH_ND BATCH_TO_SPACE_ND CAST SHAPE RANK SELECT SELECT_V2 ARG_MAX ARG_MIN TOPK_V2 "
    "ONE_HOT SCATTER_ND ZEROS_LIKE DYNAMIC_UPDATE_SLICE IF WHILE READ_VARIABLE ASSIGN_VARIABLE WHERE UNIQUE BITCAST "
    "MATRIX_DIAG MATRIX_SET_DIAG SPARSE_TO_DENSE BITWISE_XOR RIGHT_SHIFT BUCKETIZE"
)
_MOVING = frozenset(_MOVES.split())
_SUMS = ("ADD", "SUB")
_COMPARISONS = ("LESS", "LESS_EQUAL", "GREATER", "GREATER_EQUAL", "EQUAL", "NOT_EQUAL")
_EXPONENTIALS = ("SOFTMAX", "LOG_SOFTMAX")
_MAX_SUM_RATIO = 2.0**13  # of the larger scale to that of the sum: 16-bit sums shift by 15, doubled, below 1
_MAX_SQUARE_RATIO = 2.0**14  # of the square of twice the larger scale to that of the output
_MIN_EXPONENT_SCALE = 2.0**-26  # of what goes into an exponential: 26 bits stay of it


def check_scales(call: OperatorCall) -> None:
    """Check the scales of an operator's tensors.

    Raises
    ------
    ModelContractError
        A quantized tensor without a scale.
    UnsupportedModelError
        Scales whose ratio a built-in kernel cannot hold, though XNNPACK's may.
    """
    name = call.operator.name
    if name in RECURRENT:
        check_recurrent(call)
    if name in _MOVING:
        return
    tensors = [tensor for tensor in (*call.inputs, *call.outputs) if tensor and tensor.dtype in _QUANTIZED]
    for tensor in tensors:
        # Weights may have a scale for each of their outputs; what is computed has one.
        enough = len(tensor.scales) == 1 or (tensor.scales and tensor.data is not None)
        call.require(enough, f"{tensor} with {len(tensor.scales)} scales")
    if name in _SUMS and _is_quantized(call.outputs[0]):
        largest, total = max(tensor.scales[0] for tensor in tensors[:2]), call.outputs[0].scales[0]
        call.support(largest < total * _MAX_SUM_RATIO, f"the scales {largest} and {total} of its sum")
    if name == "SQUARED_DIFFERENCE" and _is_quantized(call.outputs[0]):
        square, scale = (2.0 * max(tensor.scales[0] for tensor in tensors[:2])) ** 2, call.outputs[0].scales[0]
        call.support(square < scale * _MAX_SQUARE_RATIO, f"the scale {scale} for squares of {square}")
    if name in _COMPARISONS:
        call.support(all(tensor.scales[0] < 1.0 for tensor in tensors), "a scale from 1 on, which it cannot compare")
    if name in _EXPONENTIALS and tensors:
        scale = tensors[0].scales[0] * call.operator.options.get("beta", 1.0)
        call.support(scale > _MIN_EXPONENT_SCALE, f"the scale {scale} of an exponent")


def _is_quantized(tensor: TensorInfo) -> bool:
    """Whether a tensor holds scaled integers."""
    return tensor.dtype in _QUANTIZED

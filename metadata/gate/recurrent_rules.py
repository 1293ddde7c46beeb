"""Whether the tensors of a recurrent layer have types and scales that go together.

A recurrent layer computes in floats, in floats with weights of 8 bits, or in integers throughout. Its kernels look at
the type of one tensor and take those of the others for granted.

Notes
-----
The integers are those of TensorFlow Lite's kernels for LSTM (8-bit activations, 16-bit cells) and SVDF: a kernel
prepares its multipliers from the scales of inputs, states and intermediates without asking whether that went well.
"""

from __future__ import annotations

import math

from metadata.gate.operator_call import OperatorCall
from metadata.tflite_file.model_content import TensorInfo

_FLOAT_WEIGHTS = ("float32", "int8", "uint8")
# Inputs by what they are; the places of one direction repeat in the other.
_WEIGHTS = {
    "SVDF": (1, 2),
    "RNN": (1, 2),
    "UNIDIRECTIONAL_SEQUENCE_RNN": (1, 2),
    "BIDIRECTIONAL_SEQUENCE_RNN": (1, 2, 5, 6),
    "LSTM": (*range(1, 9), 16),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (*range(1, 9), 16),
    "BIDIRECTIONAL_SEQUENCE_LSTM": (*range(1, 9), 16, *range(18, 26), 33),
}
_PEEPHOLES = dict.fromkeys(("LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM"), (9, 10, 11)) | {
    "BIDIRECTIONAL_SEQUENCE_LSTM": (9, 10, 11, 26, 27, 28)
}
_INTEGER_SVDF = {0: "int8", 1: "int8", 2: "int16", 3: "int32", 4: "int16"}
_INTEGER_LSTM = {
    **dict.fromkeys((0, *range(1, 9), 16, 18), "int8"),
    **dict.fromkeys((9, 10, 11, 19, 20, 21, 22, 23), "int16"),
    **dict.fromkeys((12, 13, 14, 15, 17), "int32"),
}
_INTEGER_LAYERS = {"SVDF": _INTEGER_SVDF, "LSTM": _INTEGER_LSTM, "UNIDIRECTIONAL_SEQUENCE_LSTM": _INTEGER_LSTM}
_CELL_STATE, _FIRST_NORM = 19, 21
_NUM_INTERMEDIATES = 5  # four gates, which are used with layer normalization, and the hidden state
_HIDDEN = 4
_MIN_SCALE, _MAX_SCALE = 2.0**-40, 2.0**20  # products and quotients of three stay within a float
RECURRENT = frozenset(_WEIGHTS)


def check_recurrent(call: OperatorCall) -> None:
    """Check the types and scales of a recurrent layer's tensors.

    Raises
    ------
    UnsupportedModelError
        Integers of a kind that is not checked here.
    ModelContractError
        Types that do not go together, or scales that its kernel cannot compute with.
    """
    name = call.operator.name
    source = call.inputs[0]
    if source is not None and source.dtype == "float32":
        _check_floats(call)
        return
    kind = source.dtype if source else "no"
    call.support(kind == "int8" and name in _INTEGER_LAYERS, f"{kind} input")
    for place, dtype in _INTEGER_LAYERS[name].items():
        tensor = call.inputs[place] if place < len(call.inputs) else None
        call.require(tensor is None or tensor.dtype == dtype, f"{tensor}; expected {dtype}")
        if tensor is not None and dtype != "int32":
            _check_scale(call, tensor)
    call.require(call.outputs[0].dtype == "int8", f"{call.outputs[0]}; expected int8")
    _check_scale(call, call.outputs[0])
    if name != "SVDF":
        _check_integer_lstm(call)


def _check_floats(call: OperatorCall) -> None:
    """Check a layer that computes in floats: weights of one type, which may have 8 bits, and floats otherwise."""
    name = call.operator.name
    weights = [call.inputs[place] for place in _WEIGHTS[name] if place < len(call.inputs)]
    kinds = {tensor.dtype for tensor in weights if tensor}
    call.require(len(kinds) == 1 and kinds <= set(_FLOAT_WEIGHTS), f"weights of type {', '.join(sorted(kinds))}")
    for place, tensor in enumerate(call.inputs):
        if tensor is not None and place not in _WEIGHTS[name]:
            allowed = kinds if place in _PEEPHOLES.get(name, ()) else {"float32"}
            call.require(tensor.dtype in allowed, f"{tensor}; expected {', '.join(allowed)}")
    for tensor in call.outputs:
        call.require(tensor.dtype == "float32", f"{tensor}; expected float32")


def _check_integer_lstm(call: OperatorCall) -> None:
    """Check what an LSTM in integers has besides: a cell state whose scale is a power of two, and intermediates."""
    cell = call.inputs[_CELL_STATE]
    call.require(cell and math.frexp(cell.scales[0])[0] == 0.5, "a cell state whose scale is no power of two")
    count = len(call.intermediates)
    call.support(count == _NUM_INTERMEDIATES, f"{count} intermediate tensors")
    for place, tensor in enumerate(call.intermediates):
        if place == _HIDDEN or call.has(_FIRST_NORM):
            call.require(tensor is not None, f"no intermediate tensor {place}")
            if tensor is not None:
                _check_scale(call, tensor)


def _check_scale(call: OperatorCall, tensor: TensorInfo) -> None:
    """Check that a tensor has one scale that a multiplier can be made of, and a zero point."""
    call.require(len(tensor.scales) == 1 and tensor.zero_points, f"{tensor} with {len(tensor.scales)} scales")
    call.require(_MIN_SCALE < tensor.scales[0] < _MAX_SCALE, f"{tensor} with the scale {tensor.scales[0]}")

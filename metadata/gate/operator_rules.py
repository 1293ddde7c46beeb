"""Whether an operator has the options, the tensors and the types of tensors that its kernel takes for granted."""

from __future__ import annotations

import math

from metadata.errors import ModelContractError, UnsupportedModelError
from metadata.gate.operator_call import OperatorCall
from metadata.gate.operator_table import OPERATORS, Signature
from metadata.gate.quantization_rules import check_scales
from metadata.tflite_file.model_content import Operator, TensorInfo

_TYPES = {
    "f": ("float32",),
    "k": ("complex64",),
    "i": ("int32", "int64"),
    "j": ("int32",),
    "b": ("bool",),
    "r": ("resource",),
}
_MAX_ACTIVATION = 4  # TANH; the sign bit that follows has no kernel
_ENUMS = {"fused_activation_function": _MAX_ACTIVATION, "kernel_type": 1}
_WEIGHTED = {"CONV_2D": (0, 1, 2), "DEPTHWISE_CONV_2D": (0, 1, 2), "FULLY_CONNECTED": (0, 1, 2)} | {
    "TRANSPOSE_CONV": (2, 1, 3)
}
# (input, weights, output) -> types of the bias
_WEIGHT_TYPES = {
    ("float32", "float32", "float32"): ("float32",),
    ("float32", "int8", "float32"): ("float32",),
    ("float32", "uint8", "float32"): ("float32",),
    ("float32", "int4", "float32"): ("float32",),
    ("int8", "int8", "int8"): ("int32",),
    ("int8", "int4", "int8"): ("int32",),
    ("uint8", "uint8", "uint8"): ("int32",),
    ("int16", "int8", "int16"): ("int64", "int32"),
    ("int16", "int4", "int16"): ("int64", "int32"),
}
_INTEGER_DIVISIONS = ("DIV", "FLOOR_DIV", "FLOOR_MOD")
_SAFE_DIVISIONS = {"DIV": ("float32", "int8", "uint8")}  # of quantized numbers: its kernels look for a divisor of zero
_BASIC_LSTM_INPUTS = 5
# Their kernels give every output the type of the input; a quantizer may leave those that nothing reads as floats.
_TYPE_SETTERS = ("SPLIT", "SPLIT_V")
_MAX_RADIUS = 2**15


def find_signature(operator: Operator) -> Signature:
    """Return what the operator's kernel takes, after comparing options and number of tensors with it.

    Raises
    ------
    UnsupportedModelError
        A custom operator, or one that is not known here.
    ModelContractError
        Other options or tensors than its kernel takes.
    """
    signature = OPERATORS.get(operator.name)
    if signature is None:
        custom = ", which LiteRT has not built in" if operator.name == "CUSTOM" else ""
        raise UnsupportedModelError(
            f"operator {operator.custom_code or operator.name}{custom}. The model's operator {operator.place} is not "
            f"among the {len(OPERATORS)} that are checked before a model runs; export the model without it"
        )
    if operator.options_kind not in ("", signature.options):
        raise _contradiction(operator, f"the options of another kind: {operator.options_kind}")
    if operator.name == "LSTM" and len(operator.inputs) == _BASIC_LSTM_INPUTS:
        raise UnsupportedModelError(
            f"operator LSTM of the basic kind. The model's operator {operator.place} is as TensorFlow 1 wrote it; "
            "convert the model again"
        )
    if len(operator.inputs) not in signature.inputs or len(operator.outputs) not in signature.outputs:
        raise _contradiction(operator, f"{len(operator.inputs)} inputs and {len(operator.outputs)} outputs")
    left_out = {place for place, index in enumerate(operator.inputs) if index < 0}
    if not left_out <= signature.optional:
        raise _contradiction(operator, f"no input {min(left_out - signature.optional)}")
    if len(set(operator.outputs)) != len(operator.outputs):
        raise _contradiction(operator, "one tensor as two outputs")
    return signature


def check_operator(call: OperatorCall, signature: Signature) -> None:
    """Check the types of an operator's tensors and the numbers in its options.

    Raises
    ------
    ModelContractError
        What its kernel could not run with.
    """
    _check_types(call, signature)
    _check_numbers(call)
    check_scales(call)
    name = call.operator.name
    if name in _WEIGHTED:
        _check_weights(call, *_WEIGHTED[name])
    if name in _INTEGER_DIVISIONS and call.outputs[0].dtype not in _SAFE_DIVISIONS.get(name, ("float32",)):
        divisors = call.integers(1)
        call.support(divisors is not None and not {0, -1} & set(divisors), "an integer divisor that may be 0")


def _check_types(call: OperatorCall, signature: Signature) -> None:
    """Compare the types of inputs and outputs with the letters of the table."""
    meant: dict[str, str] = {}
    for letters, tensors in ((signature.input_types, call.inputs), (signature.output_types, call.outputs)):
        for place, tensor in enumerate(tensors):
            letter = letters[min(place, len(letters) - 1)]
            if tensor is None or letter == "*":
                continue
            if tensors is call.outputs and place in call.unread and call.operator.name in _TYPE_SETTERS:
                continue
            allowed = _TYPES.get(letter) or (meant.setdefault(letter, tensor.dtype),)
            # Some kernels give an output a type of their own, whatever the file says; what follows is not known then.
            check = call.support if tensors is call.outputs else call.require
            check(tensor.dtype in allowed, f"{tensor}; expected {' or '.join(allowed)}")


def _check_numbers(call: OperatorCall) -> None:
    """Check options that are an enum, a float or a count."""
    for name, value in call.operator.options.items():
        if isinstance(value, float):
            call.require(math.isfinite(value), f"the option {name} {value}")
        elif name in _ENUMS:
            call.require(0 <= value <= _ENUMS[name], f"the option {name} {value}")
    if call.operator.name == "LOCAL_RESPONSE_NORMALIZATION":
        call.require(0 <= call.number("radius") <= _MAX_RADIUS, f"the radius {call.number('radius')}")
    for clip in ("cell_clip", "proj_clip"):
        call.require(call.operator.options.get(clip, 0.0) >= 0.0, f"a negative {clip}")


def _check_weights(call: OperatorCall, source: int, weights: int, bias: int) -> None:
    """Check that input, weights, bias and output have types that go together, and scales where they are integers."""
    tensors = [call.inputs[place] if place < len(call.inputs) else None for place in (source, weights, bias)]
    audio, kernel, offset = tensors
    if audio is None or kernel is None:
        raise call.refusal("no input or no weights")
    output = call.outputs[0]
    biases = _WEIGHT_TYPES.get((audio.dtype, kernel.dtype, output.dtype))
    types = f"the types {', '.join(str(tensor) for tensor in (*tensors, output) if tensor)}"
    call.support(biases is not None, types)
    call.require(offset is None or offset.dtype in (biases or ()), types)
    for tensor in (audio, output):
        _check_scaled(call, tensor, 1)
    if kernel.dtype != "float32":
        axis = 3 if call.operator.name == "DEPTHWISE_CONV_2D" else 0
        _check_scaled(call, kernel, kernel.shape[axis])
        call.require(len(kernel.scales) == 1 or kernel.quantized_dimension == axis, "scales along another axis")


def _check_scaled(call: OperatorCall, tensor: TensorInfo, count: int) -> None:
    """Check that a quantized tensor has one scale, or one for each of its outputs."""
    if tensor.dtype == "float32":
        return
    call.require(len(tensor.scales) in (1, count), f"{tensor} with {len(tensor.scales)} scales")


def _contradiction(operator: Operator, what: str) -> ModelContractError:
    """The error for an operator that is not put together as its kernel expects."""
    return ModelContractError(f"the model's {operator} has {what}; was the file damaged?")

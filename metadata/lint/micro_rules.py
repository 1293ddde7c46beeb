"""What TensorFlow Lite Micro refuses: an operator without a kernel, or types that its kernel does not compute with.

Memory is not looked at: the arena that a file needs is for the board to have.
"""

from __future__ import annotations

from metadata.lint import shared_rules as shared
from metadata.lint.file_facts import FileFacts
from metadata.lint.kernel_rules import operators, too_many_joined
from metadata.lint.mending import MICRO
from metadata.lint.verdict import Finding
from metadata.microcontroller.operator_support import micro_refusals

_OTHER_FLOATS = ("float16", "float64")
_TAKE_UINT8 = ("QUANTIZE", "DEQUANTIZE", "RESHAPE", "CAST", "GATHER", "GATHER_ND", "EXPAND_DIMS", "SQUEEZE", "SPLIT")


def other_floats(facts: FileFacts) -> Finding | None:
    """No kernel computes with other floats than float32."""
    for operator, inputs in operators(facts):
        odd = next((tensor.dtype for tensor in inputs if tensor is not None and tensor.dtype in _OTHER_FLOATS), None)
        if odd is not None:
            return Finding(f"Input type {odd.upper()} not supported. Node {operator.name} failed", MICRO)
    return None


def old_integers(facts: FileFacts) -> Finding | None:
    """Its kernels compute with int8, not with uint8."""
    for operator, inputs in operators(facts):
        if operator.name not in _TAKE_UINT8 and any(
            tensor is not None and tensor.dtype == "uint8" for tensor in inputs
        ):
            return Finding(f"Input type UINT8 not supported. Node {operator.name} failed to prepare", MICRO)
    return None


def refused_kernels(facts: FileFacts) -> Finding | None:
    """What `metadata c-array` refuses, in its words, where no rule above has the loader's."""
    reasons = micro_refusals(facts.content) if facts.content else []
    if not reasons:
        return None
    said, _, mend = reasons[0].partition("; ")
    return Finding(said, mend or MICRO)


RULES: tuple[shared.Rule, ...] = (
    lambda facts: shared.not_a_model(facts) if not facts.has_other_identifier else None,
    shared.contradiction,
    other_floats,
    old_integers,
    too_many_joined,
    shared.no_output,
    refused_kernels,
)

"""What TensorFlow Lite Micro refuses: an operator without a kernel, or types that its kernel does not compute with.

Memory is not looked at: the arena that a file needs is for the board to have.
"""

from __future__ import annotations

from collections.abc import Iterator

from metadata.lint import shared_rules as shared
from metadata.lint.file_facts import FileFacts
from metadata.lint.mending import MICRO
from metadata.lint.verdict import Finding
from metadata.tflite_file.model_content import Operator, TensorInfo

_WEIGHTED = ("FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV", "SVDF", "BATCH_MATMUL")
_OTHER_FLOATS = ("float16", "float64")
_TAKE_UINT8 = ("QUANTIZE", "DEQUANTIZE", "RESHAPE", "CAST", "GATHER", "GATHER_ND", "EXPAND_DIMS", "SQUEEZE", "SPLIT")


def mixed_types(facts: FileFacts) -> Finding | None:
    """A float layer with integer weights."""
    for operator, inputs in _operators(facts):
        types = [tensor.dtype for tensor in inputs[:2]]
        if operator.name in _WEIGHTED and "float32" in types and len(set(types)) > 1:
            said = f"Input type: {types[0].upper()} with filter type: {types[1].upper()} not supported."
            return Finding(f"{said} Node {operator.name} failed to prepare", MICRO)
    return None


def other_floats(facts: FileFacts) -> Finding | None:
    """No kernel computes with other floats than float32."""
    for operator, inputs in _operators(facts):
        odd = next((tensor.dtype for tensor in inputs if tensor.dtype in _OTHER_FLOATS), None)
        if odd is not None:
            return Finding(f"Input type {odd.upper()} not supported. Node {operator.name} failed", MICRO)
    return None


def old_integers(facts: FileFacts) -> Finding | None:
    """Its kernels compute with int8, not with uint8."""
    for operator, inputs in _operators(facts):
        if operator.name not in _TAKE_UINT8 and any(tensor.dtype == "uint8" for tensor in inputs):
            return Finding(f"Input type UINT8 not supported. Node {operator.name} failed to prepare", MICRO)
    return None


def _operators(facts: FileFacts) -> Iterator[tuple[Operator, list[TensorInfo]]]:
    """The operators with the tensors that go in."""
    for graph in facts.content.graphs if facts.content else ():
        for operator in graph.operators:
            yield operator, [graph.tensors[place] for place in operator.inputs if place >= 0]


RULES: tuple[shared.Rule, ...] = (
    lambda facts: shared.not_a_model(facts) if not facts.has_other_identifier else None,
    shared.contradiction,
    mixed_types,
    other_floats,
    old_integers,
    shared.no_output,
)

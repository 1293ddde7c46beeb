"""Kernels that are there, but compute with other types than a file has: those that were met in a thousand files.

Each line is an operator, and the types of a tensor that goes in with which its kernel fails: in the runtimes of 2023
(the Task library and tflite-runtime 2.14), in those of today (LiteRT and MediaPipe), and in TensorFlow Lite Micro.
"""

from __future__ import annotations

from collections.abc import Iterator

from metadata.lint.file_facts import FileFacts
from metadata.lint.mending import MICRO, OTHER_RECIPE
from metadata.lint.verdict import Finding
from metadata.tflite_file.model_content import Operator, TensorInfo

_TABLE = """
    DEQUANTIZE          int4         -      int4
    RSQRT               int16,uint8  uint8  uint8
    SQRT                int8         -      int8,int16
    ABS                 uint8        uint8  uint8
    BATCH_MATMUL        uint8        uint8  uint8
    DIV                 int8         -      -
    SQUARED_DIFFERENCE  int16        int16  -
    REDUCE_MAX          -            -      int16
    REDUCE_MIN          -            -      int16
    SCATTER_ND          int16        int16  int16
    FLOOR               int16        int16  int16
    TILE                int16        -      -
    GELU                int16        -      -
    EXP                 -            -      int8,int16
    FLOOR_MOD           -            -      int32
    GATHER              -            -      int16
    RESIZE_BILINEAR     -            -      int16
"""
_COLUMNS = {"task_library": 0, "tflite_runtime": 0, "tflite_micro": 2}  # the others are of today
_OF_TODAY = 1
_REFUSED = {
    name: tuple(types.split(",") for types in columns) for name, *columns in map(str.split, _TABLE.splitlines()[1:])
}
_MOST_JOINED = 10  # inputs of a CONCATENATION in TensorFlow Lite Micro
# Operator -> places of what goes in and of its weights.
_WEIGHTED = {"FULLY_CONNECTED": (0, 1), "CONV_2D": (0, 1), "DEPTHWISE_CONV_2D": (0, 1), "TRANSPOSE_CONV": (2, 1)}


def wrong_type(facts: FileFacts, loader: str) -> Finding | None:
    """Return what a loader says of the first operator whose types it does not compute with."""
    column, mend = _COLUMNS.get(loader, _OF_TODAY), MICRO if loader == "tflite_micro" else OTHER_RECIPE
    for operator, inputs in operators(facts):
        refused = _REFUSED.get(operator.name, ((), (), ()))[column]
        odd = next((tensor.dtype for tensor in inputs if tensor is not None and tensor.dtype in refused), None)
        if odd is not None:
            return Finding(f"Type {odd.upper()} is not supported by {operator.name}", mend)
        if column != _OF_TODAY and _is_mixed(operator, inputs) and (column == 2 or operator.name == "TRANSPOSE_CONV"):
            return Finding(f"Hybrid models are not supported: {operator.name} is float32 with integer weights", mend)
    return None


def too_many_joined(facts: FileFacts) -> Finding | None:
    """TensorFlow Lite Micro joins ten tensors at most."""
    for operator, inputs in operators(facts):
        if operator.name == "CONCATENATION" and len(inputs) > _MOST_JOINED:
            said = f"num_inputs <= kMaxInputNum was not true: node {operator.place} (CONCATENATION) joins {len(inputs)}"
            return Finding(f"{said}, at most {_MOST_JOINED}", "take a model without that layer")
    return None


def operators(facts: FileFacts) -> Iterator[tuple[Operator, list[TensorInfo | None]]]:
    """Yield the operators with the tensors that go in, None for one that is left out."""
    for graph in facts.content.graphs if facts.content else ():
        for operator in graph.operators:
            yield operator, [graph.tensors[place] if place >= 0 else None for place in operator.inputs]


def _is_mixed(operator: Operator, inputs: list[TensorInfo | None]) -> bool:
    """Whether a float layer has integer weights."""
    places = _WEIGHTED.get(operator.name)
    if places is None or max(places) >= len(inputs):
        return False
    source, weights = (inputs[place] for place in places)
    return source is not None and weights is not None and source.dtype == "float32" != weights.dtype

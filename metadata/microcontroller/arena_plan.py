"""How much RAM TensorFlow Lite Micro needs for a model: its arena, planned as its GreedyMemoryPlanner does.

The head of the arena holds the tensors that are computed; those that are not alive at one time share memory. The tail
holds what stays: a record for every tensor and operator, and what the kernels keep.

Notes
-----
The head is the plan itself, to the byte, for reference kernels. Kernels of a vendor, such as CMSIS-NN, ask for more.
The tail is an estimate from above, with the sizes of a 64-bit machine: a 32-bit one needs about half.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from metadata.tflite_file.model_content import Graph, ModelContent, Operator, TensorInfo, tensor_bytes

_ALIGNMENT = 16
_TENSOR_RECORD = 24  # bytes of a TfLiteEvalTensor
_OPERATOR_RECORD = 64  # bytes of a NodeAndRegistration
_KERNEL_DATA = 192  # bytes that an operator keeps, its options among them
_FIXED = 1_536  # bytes of the interpreter's own, whatever the model
_CHANNEL_DATA = 8  # bytes a kernel keeps for each output channel: multiplier and shift
_LSTM_CELL = 19  # input
_CONVOLUTIONS = {"CONV_2D": 0, "DEPTHWISE_CONV_2D": -1, "TRANSPOSE_CONV": 0}  # where weights have their channels


class ArenaPlan(NamedTuple):
    """Bytes of the arena: `head` as planned, `tail` as estimated from above."""

    head: int
    tail: int

    @property
    def total(self) -> int:
        """Bytes to give the interpreter."""
        return self.head + self.tail


class _Lifetime(NamedTuple):
    """A tensor that is computed: its bytes, and the first and last operator that it is alive at."""

    size: int
    first: int
    last: int


def plan_arena(model: ModelContent) -> ArenaPlan:
    """Return the arena of a model with one graph, each tensor of which has a known shape.

    Raises
    ------
    ValueError
        Several graphs: loops and branches are not planned here.
    """
    if len(model.graphs) > 1:
        raise ValueError(f"the model has {len(model.graphs)} graphs; the arena is planned for models with one")
    graph = model.graphs[0]
    head = _highest_end(_lifetimes(graph))
    records = _TENSOR_RECORD * len(graph.tensors) + (_OPERATOR_RECORD + _KERNEL_DATA) * len(graph.operators)
    kept = sum(_kept_by(operator, graph) for operator in graph.operators)
    variables = sum(_aligned(tensor_bytes(tensor)) for tensor in graph.tensors if tensor.is_variable)
    return ArenaPlan(head, _aligned(_FIXED + records + kept + variables))


def _lifetimes(graph: Graph) -> list[_Lifetime]:
    """What needs memory, in the order of the tensors; a graph's inputs live from 0, its outputs to the end."""
    first = dict.fromkeys(graph.inputs, 0)
    last = dict(first)
    for time, operator in enumerate(graph.operators, 1):
        for place in operator.outputs:
            first.setdefault(place, time)
        last |= dict.fromkeys((place for place in (*operator.inputs, *operator.outputs) if place >= 0), time)
    last |= dict.fromkeys(graph.outputs, len(graph.operators))
    scratch = [_Lifetime(size, time, time) for time, size in _scratch(graph)]
    planned = [tensor for tensor in graph.tensors if _is_planned(tensor) and tensor.place in last]
    return [
        *(
            _Lifetime(_aligned(tensor_bytes(tensor)), first.get(tensor.place, 0), last[tensor.place])
            for tensor in planned
        ),
        *scratch,
    ]


def _scratch(graph: Graph) -> Iterator[tuple[int, int]]:
    """When an LSTM runs, and the size of each of the four gates that it computes then."""
    for time, operator in enumerate(graph.operators, 1):
        if operator.name == "UNIDIRECTIONAL_SEQUENCE_LSTM":
            cell = graph.tensors[operator.inputs[_LSTM_CELL]]
            value_bytes = 4 if cell.dtype == "float32" else 2
            yield from [(time, _aligned(cell.size * value_bytes))] * 4


def _is_planned(tensor: TensorInfo) -> bool:
    """Whether a tensor is computed, and so needs memory in the head."""
    return tensor.data is None and not tensor.is_variable and tensor.size > 0


def _highest_end(lifetimes: list[_Lifetime]) -> int:
    """The size of the head: the largest first, each in the lowest gap among those that are alive with it."""
    placed: list[tuple[int, _Lifetime]] = []  # by offset
    # Of equals the last comes first, as there: the order matters to the plan.
    for wanted in sorted(lifetimes, key=lambda lifetime: lifetime.size)[::-1]:
        offset = 0
        for start, other in placed:
            if other.first > wanted.last or wanted.first > other.last:
                continue
            if start - offset >= wanted.size:
                break
            offset = max(offset, start + other.size)
        placed.append((offset, wanted))
        placed.sort(key=lambda entry: entry[0])
    return max((start + lifetime.size for start, lifetime in placed), default=0)


def _kept_by(operator: Operator, graph: Graph) -> int:
    """Bytes that an operator's kernel keeps beside its own record."""
    inputs = [graph.tensors[place] for place in operator.inputs if place >= 0]
    if operator.name == "BATCH_MATMUL":  # it keeps a transposed copy of what is not stored as it wants it
        sides = (operator.options.get("adj_x", False), not operator.options.get("adj_y", False))
        return sum(_aligned(tensor_bytes(tensor)) for tensor, turned in zip(inputs, sides, strict=True) if turned)
    if operator.name in _CONVOLUTIONS:
        return _CHANNEL_DATA * inputs[1].shape[_CONVOLUTIONS[operator.name]]
    if operator.name == "FULLY_CONNECTED":
        return _CHANNEL_DATA * len(inputs[1].scales)
    if operator.name == "SOFTMAX" and inputs[0].dtype == "int16":
        return 2 * 2 * 513  # two tables
    return 0


def _aligned(size: int) -> int:
    """A size as the arena counts it."""
    return math.ceil(size / _ALIGNMENT) * _ALIGNMENT

"""Fast convolutions found in a graph by what its operators compute, whatever its tensors are called.

`convert.winograd.fast_operators` writes a convolution as a run of operators, one behind the other and each fed by
those before it, with constants that nobody else would choose. All of that is compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convert.graph.graph_writer import GraphWriter
from convert.graph.normalised_file import builtin_number
from convert.winograd.fast_operators import COLUMNS, OUTPUTS, ROWS, TAPS
from convert.winograd.minimal_filtering import minimal_filtering

FLOAT16_STEP = 2.0**-10  # of a value; the constants are as exact in float32 as they are chosen


@dataclass(frozen=True, eq=False, kw_only=True)
class FastRun:
    """The operators of one fast convolution, from its first point to its interleaved outputs.

    Attributes
    ----------
    start, end : int
        Among the operators of the graph, the end not included.
    axis : int
        1 for rows, 2 for columns.
    source, bias, target : int
        Numbers of tensors.
    products : tuple of int
        Numbers of the kernels of its convolutions.
    activation : int
        The schema's number.
    """

    start: int
    end: int
    axis: int
    source: int
    bias: int
    target: int
    products: tuple[int, ...]
    activation: int


def fast_runs(writer: GraphWriter, operators: Sequence[Any]) -> list[FastRun]:
    """Return the fast convolutions among the operators of a graph, in the order of execution."""
    found: list[FastRun] = []
    place = 0
    while place < len(operators):
        run = _run_at(writer, operators, place)
        if run is not None:
            found.append(run)
        place = place + 1 if run is None else run.end
    return found


def widen_constants(content: Any) -> None:
    """Put float32 values where an object tree has 16-bit ones and a DEQUANTIZE that widens them, in place."""
    from ai_edge_litert import schema_py_generated as schema

    graph = content.subgraphs[0]
    kept = []
    for operator in graph.operators:
        source = graph.tensors[operator.inputs[0]] if len(operator.inputs) == 1 else None
        data = None if source is None else content.buffers[source.buffer].data
        code = builtin_number(content.operatorCodes[operator.opcodeIndex])
        if (
            code != schema.BuiltinOperator.DEQUANTIZE
            or source is None
            or source.type != schema.TensorType.FLOAT16
            or data is None
        ):
            kept.append(operator)
            continue
        wide = schema.BufferT()
        wide.data = np.frombuffer(bytes(data), np.float16).astype(np.float32).view(np.uint8)
        content.buffers.append(wide)
        graph.tensors[operator.outputs[0]].buffer = len(content.buffers) - 1
    graph.operators = kept


def _run_at(writer: GraphWriter, operators: Sequence[Any], start: int) -> FastRun | None:
    """Return the fast convolution that begins with an operator; None where none does."""
    points, products = _points(writer, operators, start)
    taps = len(points) - OUTPUTS + 1
    if taps not in TAPS:
        return None
    filtering = minimal_filtering(OUTPUTS, taps)
    axis = ROWS if writer.shape(points[0].inputs[1])[ROWS] > 1 else COLUMNS
    joined, place = _joined(writer, operators, start + 2 * len(points), [item.outputs[0] for item in products])
    outputs = list(operators[place : place + OUTPUTS])
    flat, mixed, shaped = (
        list(operators[place + begin : place + end])
        for begin, end in ((OUTPUTS, 2 * OUTPUTS), (2 * OUTPUTS, 2 * OUTPUTS + 1), (2 * OUTPUTS + 1, 2 * OUTPUTS + 2))
    )
    fits = (
        _weigh(writer, points, filtering.input_side, axis)
        and _is_run(writer, outputs, "DEPTHWISE_CONV_2D", [[joined]] * OUTPUTS)
        and _weigh(writer, outputs, filtering.output_side, axis)
        and len({item.inputs[2] for item in outputs}) == 1
        and _is_run(writer, flat, "RESHAPE", [[item.outputs[0]] for item in outputs])
        and _is_run(writer, mixed, "CONCATENATION", [[item.outputs[0] for item in flat]])
        and _is_run(writer, shaped, "RESHAPE", [[item.outputs[0]] for item in mixed])
    )
    if not fits:
        return None
    return FastRun(
        start=start,
        end=place + 2 * OUTPUTS + 2,
        axis=axis,
        source=int(points[0].inputs[0]),
        bias=int(outputs[0].inputs[2]),
        target=int(shaped[0].outputs[0]),
        products=tuple(int(item.inputs[1]) for item in products),
        activation=outputs[0].builtinOptions.fusedActivationFunction,
    )


def _points(writer: GraphWriter, operators: Sequence[Any], start: int) -> tuple[list[Any], list[Any]]:
    """Return the weighed inputs that begin with an operator, and the convolutions of each."""
    points: list[Any] = []
    products: list[Any] = []
    for point, product in zip(operators[start::2], operators[start + 1 :: 2], strict=False):
        source = (points or [point])[0].inputs[:1]
        weighed = _is_run(writer, [point], "DEPTHWISE_CONV_2D", [source])
        if not weighed or not _is_run(writer, [product], "CONV_2D", [point.outputs]):
            break
        if not all(len(item.inputs) == 3 and _is_known(writer, item.inputs[1]) for item in (point, product)):
            break
        points.append(point)
        products.append(product)
    return points, products


def _joined(writer: GraphWriter, operators: Sequence[Any], place: int, parts: list[int]) -> tuple[int, int]:
    """Return the tensor that holds all parts in their order, and the place behind what joins them; -1 for none."""
    while len(parts) > 1 and place < len(operators):
        taken = list(operators[place].inputs)
        if not _is_run(writer, [operators[place]], "CONCATENATION", [parts[: len(taken)]]):
            return -1, place
        parts = [operators[place].outputs[0], *parts[len(taken) :]]
        place += 1
    return (parts[0], place) if len(parts) == 1 else (-1, place)


def _is_run(writer: GraphWriter, operators: Sequence[Any], kind: str, sources: Sequence[Sequence[int]]) -> bool:
    """Whether there is an operator of a kind for each group of sources, which come first among its inputs."""
    from ai_edge_litert import schema_py_generated as schema

    if len(operators) != len(sources):
        return False
    number = getattr(schema.BuiltinOperator, kind)
    return all(
        writer.kind(item) == number and len(taken) > 0 and list(item.inputs[: len(taken)]) == list(taken)
        for item, taken in zip(operators, sources, strict=True)
    )


def _weigh(writer: GraphWriter, operators: Sequence[Any], rows: np.ndarray, axis: int) -> bool:
    """Whether operators weigh with the rows of a matrix, one each, along an axis and alike in every channel."""
    if len(operators) != len(rows) or not all(_is_known(writer, item.inputs[1]) for item in operators):
        return False
    side = (len(rows[0]), 1) if axis == ROWS else (1, len(rows[0]))
    return all(
        writer.shape(item.inputs[1])[:3] == [1, *side]
        and np.allclose(writer.values(item.inputs[1]), row.reshape(1, *side, 1), rtol=FLOAT16_STEP, atol=0.0)
        for item, row in zip(operators, rows, strict=True)
    )


def _is_known(writer: GraphWriter, tensor: int) -> bool:
    """Whether a tensor is a float32 constant with the axes of a kernel."""
    return writer.is_float(tensor) and writer.is_constant(tensor) and len(writer.shape(tensor)) == 4

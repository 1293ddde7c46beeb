"""Which operations of a graph are the written-out steps of a recurrent layer, found from the graph itself.

Steps share their weights: products with one and the same constant, one after the other. A layer is what lies between
the first and the last of them; what is taken from these, up to the next layer with weights; and what leads to them,
with the matrix products of the inputs that are made for all steps at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from convert.graph.model_graph import ModelGraph, Operation

PRODUCT = "FULLY_CONNECTED"
Names = frozenset[str]  # of operations, by their first output


def recurrences(graph: ModelGraph, weighted: tuple[str, ...]) -> tuple[Names, ...]:
    """Return the operations of each written-out recurrent layer, in the order of the layers; empty where there is none.

    Parameters
    ----------
    graph : ModelGraph
    weighted : tuple of str
        Kinds of operations that begin a layer of their own.
    """
    reader: dict[str, list[Operation]] = defaultdict(list)
    for operation in graph.operations:
        for name in operation.inputs:
            reader[name].append(operation)
    maker = {name: operation for operation in graph.operations for name in operation.outputs}
    found: list[Names] = []
    for first, last in _spans(graph):
        inside = list(graph.operations[first : last + 1])
        names = {operation.outputs[0] for operation in inside}
        _grow(inside, names, lambda item: [one for name in item.outputs for one in reader[name]], weighted, ())
        _grow(inside, names, lambda item: [maker[name] for name in item.inputs if name in maker], weighted, (PRODUCT,))
        beside = [other for other in found if other & names]  # layers that steps of Keras' own unrolling interleave
        found = [other for other in found if not other & names] + [frozenset(names).union(*beside)]
    return tuple(found)


def inner_steps(graph: ModelGraph, weighted: tuple[str, ...]) -> Names:
    """Return the operations of recurrent layers whose output nothing outside the layer reads."""
    found: set[str] = set()
    for layer in recurrences(graph, weighted):
        read = {name for item in graph.operations if item.outputs[0] not in layer for name in item.inputs}
        read |= {output.name for output in graph.outputs}
        found |= {
            item.outputs[0] for item in graph.operations if item.outputs[0] in layer and not read & {*item.outputs}
        }
    return frozenset(found)


def _grow(
    inside: list[Operation],
    names: set[str],
    beside: Callable[[Operation], Iterable[Operation]],
    weighted: tuple[str, ...],
    ends: tuple[str, ...],
) -> None:
    """Add what is beside the operations, up to layers with weights, of which those in `ends` still belong."""
    open_ends = list(inside)
    while open_ends:
        for operation in beside(open_ends.pop()):
            if operation.outputs[0] in names or (operation.name in weighted and operation.name not in ends):
                continue
            names.add(operation.outputs[0])
            inside.append(operation)
            if operation.name not in weighted:
                open_ends.append(operation)


def _spans(graph: ModelGraph) -> list[tuple[int, int]]:
    """Return first and last position of the products that share weights; layers that run side by side are one."""
    constants = {tensor.name for tensor in graph.tensors if tensor.is_constant}
    places: dict[str, list[int]] = defaultdict(list)
    for place, operation in enumerate(graph.operations):
        if operation.name == PRODUCT and operation.inputs[1] in constants:
            places[operation.inputs[1]].append(place)
    spans: list[tuple[int, int]] = []
    for first, last in sorted((found[0], found[-1]) for found in places.values() if len(found) > 1):
        if spans and first <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(last, spans[-1][1]))
        else:
            spans.append((first, last))
    return spans

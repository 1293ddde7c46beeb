"""Whether a WHILE operator comes to an end: it must count up to a limit that is in the file.

A loop whose limit or step was damaged runs for hours, and no interpreter can be interrupted. Converters write recurrent
layers as loops over the steps of a window: the condition compares a counter with a constant, the body adds a constant.
"""

from __future__ import annotations

from metadata.gate.operator_call import OperatorCall
from metadata.tflite_file.model_content import Graph, Operator

_MAX_STEPS = 100_000  # 16 kHz x 1 s with a step of 160 samples has 100
_COMPARISONS = {"LESS": 0, "LESS_EQUAL": 1}  # by how many steps one more is made


def check_loop(call: OperatorCall, condition: Graph, body: Graph) -> None:
    """Check that a loop ends.

    Parameters
    ----------
    call : OperatorCall
        The WHILE operator.
    condition, body : Graph
        What it runs.

    Raises
    ------
    UnsupportedModelError
        No counter with a limit and a step, or more than 100,000 steps.
    """
    bounds = [_steps(call, condition, body, operator) for operator in _conditions(condition, condition.outputs[0])]
    found = [steps for steps in bounds if steps is not None]
    call.support(found, "no counter that reaches a limit, so that it may never end")
    call.support(min(found) <= _MAX_STEPS, f"{min(found)} steps; expected at most {_MAX_STEPS}")


def _conditions(graph: Graph, index: int) -> list[Operator]:
    """The comparisons that must all hold for the loop to go on."""
    makers = [operator for operator in graph.operators if index in operator.outputs]
    if len(makers) != 1:
        return []
    if makers[0].name == "LOGICAL_AND":
        return [found for source in makers[0].inputs for found in _conditions(graph, source)]
    return makers if makers[0].name in _COMPARISONS else []


def _steps(call: OperatorCall, condition: Graph, body: Graph, comparison: Operator) -> int | None:
    """How often a comparison can hold, None where that cannot be told."""
    counter, limit = comparison.inputs
    if counter not in condition.inputs:
        return None
    place = condition.inputs.index(counter)
    first, step, last = call.integers(place), _step(call, body, place), _limit(call, condition, body, limit)
    if not first or not last or step is None or step < 1:
        return None
    return max(0, -(-(last[0] + _COMPARISONS[comparison.name] - first[0]) // step))


def _step(call: OperatorCall, body: Graph, place: int) -> int | None:
    """What the body adds to the counter."""
    makers = [operator for operator in body.operators if body.outputs[place] in operator.outputs]
    if len(makers) != 1 or makers[0].name != "ADD" or body.inputs[place] not in makers[0].inputs:
        return None
    others = [index for index in makers[0].inputs if index != body.inputs[place]]
    values = call.content.integers(body.tensors[others[0]]) if len(others) == 1 else None
    return values[0] if values else None


def _limit(call: OperatorCall, condition: Graph, body: Graph, index: int) -> tuple[int, ...] | None:
    """The limit's value: a constant of the condition, or one that is handed in and never changed."""
    if index not in condition.inputs:
        return call.content.integers(condition.tensors[index])
    place = condition.inputs.index(index)
    return call.integers(place) if body.outputs[place] == body.inputs[place] else None

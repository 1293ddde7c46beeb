"""The operator at the end of a model, read from a few bytes: a first label shall not wait for the whole graph."""

from __future__ import annotations

from metadata.errors import ModelContractError
from metadata.spec import ModelSpec
from metadata.tflite_file.flat_model import MODEL_IDENTIFIER, OPERATOR_CODES, SUBGRAPHS
from metadata.tflite_file.flat_table import FlatTable
from metadata.tflite_file.score_operator import ACTIVATION_OF, HANDED_ON
from metadata.tflite_file.tflite_schema import BUILTIN_OPERATORS

_GRAPH_OUTPUTS, _GRAPH_OPERATORS = 2, 3  # slots of SubGraph
_CODE_INDEX, _INPUTS, _OUTPUTS = range(3)  # slots of Operator
_DEPRECATED_CODE, _CODE = 0, 3  # slots of OperatorCode


def check_activation(model: bytes, spec: ModelSpec) -> None:
    """Refuse a spec whose activation is not the one that the model ends with.

    Parameters
    ----------
    model : bytes
        The whole file.
    spec : ModelSpec
        Inside it.

    Raises
    ------
    ModelContractError
        Sigmoid over a SOFTMAX or the other way, or logarithms that are said to be scores.
    """
    last = last_operator(model)
    expected = ACTIVATION_OF.get(last)
    is_logarithm = last == "LOG_SOFTMAX" and spec.score_transform == "none"
    if expected in (None, spec.activation) and not is_logarithm:
        return
    raise ModelContractError(
        f"the spec says {spec.activation} but the model ends with {last}; was it written for another model? "
        f"Describe it anew with: earproof metadata write FILE --activation {expected or 'softmax'} --out NEW.tflite"
    )


def last_operator(model: bytes) -> str:
    """Return the name of the operator that makes a model's first output, seen through what hands values on.

    Empty where none is found.

    Raises
    ------
    ModelContractError
        A damaged model.
    """
    root = FlatTable.root(model, MODEL_IDENTIFIER, "the model")
    graph = next(iter(root.tables(SUBGRAPHS)), None)
    outputs = [] if graph is None else graph.numbers(_GRAPH_OUTPUTS, "i")
    if graph is None or not outputs:
        return ""
    codes, tensor = root.targets(OPERATOR_CODES), outputs[0]
    for place in reversed(graph.targets(_GRAPH_OPERATORS)):
        operator = FlatTable(model, place, "the model")
        if tensor not in operator.numbers(_OUTPUTS, "i"):
            continue
        name = _name(model, codes, operator.integer(_CODE_INDEX, "I"))
        inputs = operator.numbers(_INPUTS, "i")
        if name not in HANDED_ON or not inputs:
            return name
        tensor = inputs[0]
    return ""


def _name(model: bytes, codes: list[int], index: int) -> str:
    """The name of an operator code, empty where it is not known here."""
    if index >= len(codes):
        return ""
    code = FlatTable(model, codes[index], "the model")
    number = max(code.integer(_DEPRECATED_CODE, "b"), code.integer(_CODE, "i"))
    return BUILTIN_OPERATORS[number] if 0 <= number < len(BUILTIN_OPERATORS) else ""

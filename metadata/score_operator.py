"""What makes the scores of a model: the last operator that computes, seen through those that only hand values on."""

from __future__ import annotations

from metadata.model_content import read_content

ACTIVATION_OF = {"SOFTMAX": "softmax", "LOGISTIC": "sigmoid"}
"""The activation of a spec that an operator stands for, where it puts out scores in 0 to 1."""
_HANDED_ON = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "QUANTIZE", "DEQUANTIZE", "CAST")


def score_operator(model: bytes) -> str:
    """Return the name of the operator that makes what a model puts out, such as SOFTMAX; empty where none does.

    Raises
    ------
    ModelContractError
        Not a model, or a damaged one.
    """
    graph = read_content(model).graphs[0]
    makers = {output: operator for operator in graph.operators for output in operator.outputs}
    maker = makers.get(graph.outputs[0]) if graph.outputs else None
    for _ in graph.operators:  # a damaged file may hand a tensor on in a circle
        if maker is None or maker.name not in _HANDED_ON or not maker.inputs:
            break
        maker = makers.get(maker.inputs[0])
    return maker.name if maker else ""

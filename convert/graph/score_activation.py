"""A model that puts out logarithms or logits, with the operator at its end that makes scores in [0, 1] of them.

What is made of it then shows scores wherever it is loaded, in apps that know no spec too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from convert.graph.model_graph import read_model_object, write_model_object

_OPERATORS = {"exp": "EXP", "softmax": "SOFTMAX", "sigmoid": "LOGISTIC"}


def with_scores(model: bytes, transform: str) -> bytes:
    """Return the model with its transform inside.

    Parameters
    ----------
    model : bytes
        One float32 output, without metadata.
    transform : {"none", "exp", "softmax", "sigmoid"}
        As in a spec. A LOG_SOFTMAX whose exp is asked for becomes a SOFTMAX; otherwise an operator is added.
    """
    if transform == "none":
        return model
    content = read_model_object(model)
    graph = content.subgraphs[0]
    output = int(graph.outputs[0])
    maker = next((operator for operator in graph.operators if output in operator.outputs), None)
    if transform == "exp" and maker is not None and _name(content, maker) == "LOG_SOFTMAX":
        _set_operator(content, maker, "softmax")
    else:
        _append(content, output, transform)
    return write_model_object(content)


def _append(content: Any, output: int, transform: str) -> None:
    """Add an operator behind the output, which takes over its name and its place in the signatures."""
    from ai_edge_litert import schema_py_generated as schema

    graph = content.subgraphs[0]
    source, scores = graph.tensors[output], schema.TensorT()
    scores.name, source.name = source.name, (source.name or b"scores") + b"/before_activation"
    scores.shape, scores.shapeSignature, scores.type = source.shape, source.shapeSignature, source.type
    graph.tensors.append(scores)
    place = len(graph.tensors) - 1
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = np.asarray([output], np.int32), np.asarray([place], np.int32)
    _set_operator(content, operator, transform)
    graph.operators.append(operator)
    graph.outputs = np.asarray([place], np.int32)
    for signature in content.signatureDefs or []:
        for entry in signature.outputs or []:
            if entry.tensorIndex == output:
                entry.tensorIndex = place


def _set_operator(content: Any, operator: Any, transform: str) -> None:
    """Make an operator the one of a transform."""
    from ai_edge_litert import schema_py_generated as schema

    operator.opcodeIndex = _code(content, getattr(schema.BuiltinOperator, _OPERATORS[transform]))
    options: Any = None
    kind = schema.BuiltinOptions.NONE
    if transform == "softmax":
        options, kind = schema.SoftmaxOptionsT(), schema.BuiltinOptions.SoftmaxOptions
        options.beta = 1.0
    elif transform == "exp":
        options, kind = schema.ExpOptionsT(), schema.BuiltinOptions.ExpOptions
    operator.builtinOptions, operator.builtinOptionsType = options, kind


def _code(content: Any, builtin: int) -> int:
    """The position of an operator among the operator codes, added where it is not there."""
    from ai_edge_litert import schema_py_generated as schema

    for position, code in enumerate(content.operatorCodes):
        if max(code.builtinCode, code.deprecatedBuiltinCode) == builtin and code.version == 1:
            return position
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = builtin
    code.version = 1
    content.operatorCodes.append(code)
    return len(content.operatorCodes) - 1


def _name(content: Any, operator: Any) -> str:
    """The name of an operator."""
    from ai_edge_litert import schema_py_generated as schema

    code = content.operatorCodes[operator.opcodeIndex]
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    return "LOG_SOFTMAX" if number == schema.BuiltinOperator.LOG_SOFTMAX else str(number)

"""A model with an open batch, pinned to one window: static shapes, and no arithmetic on shapes left in the graph.

Keras and TensorFlow export an open batch by default. The graph then computes its shapes while it runs (SHAPE,
STRIDED_SLICE, PACK), which splits it for XNNPACK and which the quantizer cannot follow.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from convert.graph.model_graph import read_graph, read_model_object, write_model_object
from convert.graph.normalised_file import builtin_number
from metadata.errors import ModelContractError

_SHAPE_ONLY = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE")


def pin_batch(model: bytes) -> bytes:
    """Return the model with a batch of 1 and every shape known and stored; a static model comes back as it is.

    Parameters
    ----------
    model : bytes
        One input and one output, without metadata.

    Raises
    ------
    ModelContractError
        Not a model, or the input is open in another dimension than the first.

    Notes
    -----
    One run on zeros gives the shapes; what depends on shapes alone becomes a constant. Axes that are added and taken
    away again (EXPAND_DIMS behind RESHAPE, around every Conv1D) become one RESHAPE, or none: the quantizer knows no
    EXPAND_DIMS and would leave the 8 bits at each.
    """
    graph = read_graph(model)
    is_open = any(tensor.is_dynamic for tensor in graph.tensors)
    shapeless = [place for place, tensor in enumerate(graph.tensors) if not tensor.shape and not tensor.is_constant]
    if not is_open and not shapeless:
        return model
    content = read_model_object(model)
    subgraph = content.subgraphs[0]
    interpreter = _run_once(model, _pinned_shape(subgraph.tensors[subgraph.inputs[0]]))
    if not is_open and not any(interpreter.get_tensor(place).shape for place in shapeless):
        return model  # they are single numbers
    folded = _shape_only(subgraph, [operation.name for operation in graph.operations], content.buffers)
    shapes = {detail["index"]: detail["shape"] for detail in interpreter.get_tensor_details()}
    for index, tensor in enumerate(subgraph.tensors):
        if index in folded:
            values = np.asarray(interpreter.get_tensor(index))
            tensor.buffer, tensor.shape = _new_buffer(content, values), np.asarray(values.shape, np.int32)
        elif index in shapes:
            tensor.shape = np.asarray(shapes[index], np.int32)
        tensor.shapeSignature = None
    subgraph.operators = [item for item in subgraph.operators if not set(item.outputs) <= folded]
    _join_reshapes(content)
    return write_model_object(content)


def _pinned_shape(tensor: Any) -> list[int]:
    """Return the input's shape with a batch of 1."""
    stored = tensor.shape if tensor.shapeSignature is None else tensor.shapeSignature
    shape = [] if stored is None else [int(size) for size in stored]
    if any(size < 0 for size in shape[1:]):
        raise ModelContractError(
            f"the model's input has the shape {shape}; expected only the first dimension, the batch, to be open. "
            "Export it for windows of one length"
        )
    return [1, *shape[1:]]


def _run_once(model: bytes, shape: list[int]) -> Any:
    """Return an interpreter that has run on zeros and kept every tensor."""
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=model,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    source = interpreter.get_input_details()[0]
    interpreter.resize_tensor_input(source["index"], shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(source["index"], np.zeros(shape, source["dtype"]))
    interpreter.invoke()
    return interpreter


def _shape_only(subgraph: Any, names: list[str], buffers: list[Any]) -> set[int]:
    """Return the tensors that shapes and constants alone decide."""
    known = {
        index
        for index, tensor in enumerate(subgraph.tensors)
        if buffers[tensor.buffer].data is not None and len(buffers[tensor.buffer].data)
    }
    found: set[int] = set()
    for operator, name in zip(subgraph.operators, names, strict=True):
        if name == "SHAPE" or {index for index in operator.inputs if index >= 0} <= known | found:
            found |= {int(index) for index in operator.outputs}
    return found - {int(index) for index in subgraph.outputs}


def _join_reshapes(content: Any) -> None:
    """Make every chain of operations that only change the shape one RESHAPE, and drop it where the shape is the same.

    A chain's start is read where its end was read; what is then read no more goes.
    """
    subgraph = content.subgraphs[0]
    names = [operation.name for operation in read_graph(write_model_object(content)).operations]
    start: dict[int, int] = {}
    for operator, name in zip(subgraph.operators, names, strict=True):
        if name in _SHAPE_ONLY:
            source, result = int(operator.inputs[0]), int(operator.outputs[0])
            start[result] = start.get(source, source)
            operator.inputs = np.asarray([start[result], _new_shape(content, result)], np.int32)
            operator.opcodeIndex, operator.builtinOptions, operator.builtinOptionsType = _reshape_code(content), None, 0
    shape = {index: tuple(tensor.shape) for index, tensor in enumerate(subgraph.tensors)}
    ends = {int(index) for index in subgraph.outputs}
    same = {result: source for result, source in start.items() if shape[result] == shape[source] and result not in ends}
    for operator in subgraph.operators:
        operator.inputs = np.asarray([same.get(int(index), int(index)) for index in operator.inputs], np.int32)
    read = ends | {int(index) for operator in subgraph.operators for index in operator.inputs}
    subgraph.operators = [operator for operator in subgraph.operators if set(map(int, operator.outputs)) & read]


def _new_shape(content: Any, index: int) -> int:
    """Add the constant that RESHAPE takes a tensor's shape from; return its position among the tensors."""
    from ai_edge_litert import schema_py_generated as schema

    tensors = content.subgraphs[0].tensors
    values = np.asarray(tensors[index].shape, np.int32)
    tensor = schema.TensorT()
    tensor.name = tensors[index].name + b"/static_shape"  # the quantizer wants every name once
    tensor.shape, tensor.type = np.asarray([values.size], np.int32), schema.TensorType.INT32
    tensor.buffer = _new_buffer(content, values)
    tensors.append(tensor)
    return len(tensors) - 1


def _reshape_code(content: Any) -> int:
    """Return the position of RESHAPE among the operator codes, added where it is not there."""
    from ai_edge_litert import schema_py_generated as schema

    reshape = schema.BuiltinOperator.RESHAPE
    for position, code in enumerate(content.operatorCodes):
        if builtin_number(code) == reshape:
            return position
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = reshape
    code.version = 1
    content.operatorCodes.append(code)
    return len(content.operatorCodes) - 1


def _new_buffer(content: Any, values: np.ndarray) -> int:
    """Add a constant; return the position of its buffer."""
    from ai_edge_litert import schema_py_generated as schema

    buffer = schema.BufferT()
    buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    content.buffers.append(buffer)
    return len(content.buffers) - 1

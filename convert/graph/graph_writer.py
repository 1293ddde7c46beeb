"""New operators and constants for the main graph of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from convert.graph.normalised_file import builtin_number

_TENSOR_LISTS = ("inputs", "outputs", "intermediates")


class GraphWriter:
    """Collects the operators that take the place of a graph's own.

    Parameters
    ----------
    content : schema.ModelT
        From `read_model_object`; tensors, buffers and operator codes are added to it.

    Attributes
    ----------
    operators : list of schema.OperatorT
        In the order of execution.
    """

    def __init__(self, content: Any):
        self._content = content
        self._tensors = content.subgraphs[0].tensors
        self._names = {tensor.name.decode() for tensor in self._tensors}
        self.operators: list[Any] = []

    def shape(self, tensor: int) -> list[int]:
        """Return the shape of a tensor."""
        shape = self._tensors[tensor].shape
        return [] if shape is None else [int(size) for size in shape]

    def name(self, tensor: int) -> str:
        """Return the name of a tensor."""
        return str(self._tensors[tensor].name.decode())

    def kind(self, operator: Any) -> int:
        """Return what an operator is, the schema's number."""
        return builtin_number(self._content.operatorCodes[operator.opcodeIndex])

    def is_float(self, tensor: int) -> bool:
        """Whether a tensor is float32."""
        from ai_edge_litert import schema_py_generated as schema

        return bool(self._tensors[tensor].type == schema.TensorType.FLOAT32)

    def is_constant(self, tensor: int) -> bool:
        """Whether a tensor is a constant of the file."""
        data = self._content.buffers[self._tensors[tensor].buffer].data
        return data is not None and len(data) > 0

    def values(self, tensor: int) -> np.ndarray:
        """Return a float32 constant."""
        data = self._content.buffers[self._tensors[tensor].buffer].data
        return np.frombuffer(bytes(data), np.float32).reshape(self.shape(tensor))

    def constant(self, name: str, values: np.ndarray) -> int:
        """Add a constant; return its number. Kept as int32 or float32."""
        from ai_edge_litert import schema_py_generated as schema

        is_integer = values.dtype.kind == "i"
        stored = np.ascontiguousarray(values, np.int32 if is_integer else np.float32)
        buffer = schema.BufferT()
        buffer.data = stored.view(np.uint8).ravel()
        self._content.buffers.append(buffer)
        number = self.tensor(name, stored.shape)
        self._tensors[number].buffer = len(self._content.buffers) - 1
        self._tensors[number].type = schema.TensorType.INT32 if is_integer else schema.TensorType.FLOAT32
        return number

    def run(
        self,
        kind: str,
        inputs: Sequence[int],
        output: int | tuple[str, Sequence[int]],
        options: Any = None,
        version: int = 1,
    ) -> int:
        """Add an operator; return the number of its output.

        Parameters
        ----------
        kind : str
            The schema's name, as CONV_2D.
        inputs : sequence of int
            Numbers of tensors.
        output : int or (str, sequence of int)
            A tensor that is there, or name and shape of a new float32 one.
        options : schema object, optional
            Such as Conv2DOptionsT.
        version : int
            Of the operator.
        """
        from ai_edge_litert import schema_py_generated as schema

        operator = schema.OperatorT()
        operator.opcodeIndex = self._code(getattr(schema.BuiltinOperator, kind), version)
        number = output if isinstance(output, int) else self.tensor(*output)
        operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array([number], np.int32)
        if options is not None:
            operator.builtinOptions = options
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        self.operators.append(operator)
        return number

    def finish(self) -> None:
        """Make the operators those of the graph, and take out the tensors that none of them needs any more."""
        graph = self._content.subgraphs[0]
        graph.operators = self.operators
        # Each holds numbers of tensors; -1 stands for an input that is left out.
        lists = [(item, field) for item in (graph, *self.operators) for field in _TENSOR_LISTS if _held(item, field)]
        used = sorted({int(index) for item, field in lists for index in getattr(item, field)} - {-1})
        place = {-1: -1, **{index: number for number, index in enumerate(used)}}
        for buffer in {tensor.buffer for tensor in self._tensors} - {self._tensors[index].buffer for index in used}:
            self._content.buffers[buffer].data = None
        graph.tensors = self._tensors = [self._tensors[index] for index in used]
        for item, field in lists:
            setattr(item, field, np.array([place[int(index)] for index in getattr(item, field)], np.int32))
        for signature in self._content.signatureDefs or []:
            for end in (*signature.inputs, *signature.outputs):
                end.tensorIndex = place[end.tensorIndex]

    def tensor(self, name: str, shape: Sequence[int]) -> int:
        """Add a float32 tensor, under another name where somebody has this one; return its number."""
        from ai_edge_litert import schema_py_generated as schema

        while name in self._names:  # as where two convolutions share a kernel
            name += "_"
        self._names.add(name)
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type = name.encode(), np.array(shape, np.int32), schema.TensorType.FLOAT32
        tensor.buffer, tensor.hasRank = 0, True
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def _code(self, builtin: int, version: int) -> int:
        """Return the place of an operator code, added where it is not there."""
        from ai_edge_litert import schema_py_generated as schema

        codes = self._content.operatorCodes
        for index, code in enumerate(codes):
            if code.version == version and builtin_number(code) == builtin:
                return index
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = builtin  # all that are written here are below 128
        code.version = version
        codes.append(code)
        return len(codes) - 1


def _held(item: Any, field: str) -> bool:
    """Whether a graph or an operator has a list of tensors there."""
    return getattr(item, field, None) is not None

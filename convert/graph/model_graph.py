"""A model file as a list of operations, and its flatbuffer object as bytes again.

Only reading and writing: which operations mean what is for the modules that ask.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from convert.graph.normalised_file import builtin_number, normalise
from metadata import ModelContractError
from metadata.plural import counted

BUFFER_ALIGNMENT = 16  # bytes; the schema's force_align of Buffer.data
FILE_IDENTIFIER = b"TFL3"


@dataclass(frozen=True, kw_only=True)
class GraphTensor:
    """One tensor of the graph; what the device reads of a file is `metadata.TensorInfo`."""

    name: str  # its own, see `convert.graph.normalised_file`
    shape: tuple[int, ...]
    dtype: str  # the schema's name, as FLOAT32
    is_constant: bool
    is_dynamic: bool
    is_named: bool = True  # by the file itself


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operator of the graph, in execution order."""

    name: str  # the schema's name, as CONV_2D; a custom operator's own name
    version: int  # of the operator: old runtimes refuse versions they do not know
    is_custom: bool
    inputs: tuple[str, ...]  # tensor names, constants included; an absent input is left out
    outputs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ModelGraph:
    """The main subgraph of a model with one input, scores and maybe frame scores; every tensor has its own name."""

    operations: tuple[Operation, ...]
    tensors: tuple[GraphTensor, ...]
    input: GraphTensor
    outputs: tuple[GraphTensor, ...]

    @property
    def output(self) -> GraphTensor:
        """The scores."""
        return self.outputs[0]

    @functools.cached_property
    def constants(self) -> frozenset[str]:
        """Names of the tensors that the file holds values of."""
        return frozenset(tensor.name for tensor in self.tensors if tensor.is_constant)


@functools.lru_cache(maxsize=4)  # each step of a conversion asks for the same few files; a recurrent one takes seconds
def read_graph(model: bytes) -> ModelGraph:
    """Read the operations and tensors of a model file.

    Raises
    ------
    ModelContractError
        Not a model, several subgraphs, not exactly one input, no output or more than two (scores and frame scores),
        or an operator without a result.
    """
    content = _read_as_stored(model)
    stored = [tensor.name for tensor in content.subgraphs[0].tensors or ()]
    normalise(content)
    if len(content.subgraphs) != 1:
        raise ModelContractError(
            f"the model has {counted(len(content.subgraphs), 'subgraph')}; expected one. Loops and conditions "
            "(WHILE, IF) have "
            "subgraphs of their own: export it with its recurrent layers unrolled"
        )
    subgraph = content.subgraphs[0]
    for kind, indices, most in (("inputs", subgraph.inputs, 1), ("outputs", subgraph.outputs, 2)):
        if not 1 <= len(indices) <= most:
            raise ModelContractError(f"the model has {len(indices)} {kind}; expected one")
    tensors = tuple(
        _tensor(tensor, content.buffers, name) for tensor, name in zip(subgraph.tensors, stored, strict=True)
    )
    operations = tuple(_operation(operator, content.operatorCodes, tensors) for operator in subgraph.operators)
    silent = [operation.name for operation in operations if not operation.outputs]
    if silent:
        raise ModelContractError(
            f"the model's {silent[0]} puts nothing out: it keeps a state from one window to the next. Expected a model "
            "whose scores depend on one window alone"
        )
    return ModelGraph(
        operations=operations,
        tensors=tensors,
        input=tensors[subgraph.inputs[0]],
        outputs=tuple(tensors[index] for index in subgraph.outputs),
    )


def read_model_object(model: bytes) -> Any:
    """Return the schema's object tree of a model file, uniform as `convert.graph.normalised_file` makes it.

    Buffers stored past the flatbuffer are taken in.
    """
    content = _read_as_stored(model)
    normalise(content)
    return content


def normalised(model: bytes) -> bytes:
    """Return a model file as `convert.graph.normalised_file` makes it; itself where there is nothing to change."""
    content = _read_as_stored(model)
    return write_model_object(content) if normalise(content) else model


def tell_normalised(name: str, model: bytes, tell: Callable[[str], None]) -> None:
    """Tell what `normalised` changes in a model file, a line each."""
    for change in normalise(_read_as_stored(model)):
        tell(f"{name}: {change}")


def _read_as_stored(model: bytes) -> Any:
    """Return the schema's object tree of a model file."""
    from ai_edge_litert.tools import flatbuffer_utils

    if len(model) < 8 or model[4:8] != FILE_IDENTIFIER:
        raise ModelContractError(
            f"these {len(model)} bytes are not a .tflite model: expected the identifier TFL3 at byte 4"
        )
    return flatbuffer_utils.read_model_from_bytearray(bytearray(model))


def write_model_object(content: Any) -> bytes:
    """Return an object tree as a model file: every buffer inside the flatbuffer, aligned to 16 bytes.

    Notes
    -----
    The quantizer appends large buffers after the flatbuffer and stores offsets from the start of the file.
    tflite-runtime 2.14 does not know that field: it opens such a file and computes NaN; and the offsets go wrong when
    metadata is added. The schema's own Python writer aligns buffers to one byte, where kernels load float vectors.
    """
    import flatbuffers

    for buffer in content.buffers:
        buffer.Pack = _AlignedPack(buffer)
    builder = flatbuffers.Builder(1024)
    builder.Finish(content.Pack(builder), file_identifier=FILE_IDENTIFIER)
    return bytes(builder.Output())


class _AlignedPack:
    """Writes one Buffer table with its data aligned."""

    def __init__(self, buffer: Any):
        self._buffer = buffer

    def __call__(self, builder: Any) -> int:
        from ai_edge_litert import schema_py_generated as schema

        data = None
        if self._buffer.data is not None and len(self._buffer.data):
            content = bytes(self._buffer.data)
            builder.StartVector(1, len(content), BUFFER_ALIGNMENT)
            builder.head -= len(content)
            builder.Bytes[builder.head : builder.head + len(content)] = content
            data = builder.EndVector()
        schema.BufferStart(builder)
        if data is not None:
            schema.BufferAddData(builder, data)
        return int(schema.BufferEnd(builder))


def _tensor(tensor: Any, buffers: list[Any], stored_name: bytes | None) -> GraphTensor:
    """Describe one tensor, whose name may be given to it here."""
    from ai_edge_litert import schema_py_generated as schema

    signature = () if tensor.shapeSignature is None else tuple(tensor.shapeSignature)
    data = buffers[tensor.buffer].data
    return GraphTensor(
        name=tensor.name.decode(),
        shape=() if tensor.shape is None else tuple(int(size) for size in tensor.shape),
        dtype=_schema_names(schema.TensorType)[tensor.type],
        is_constant=data is not None and len(data) > 0,
        is_dynamic=any(size < 0 for size in signature),
        is_named=tensor.name == stored_name,
    )


def _operation(operator: Any, codes: list[Any], tensors: tuple[GraphTensor, ...]) -> Operation:
    """Describe one operator."""
    from ai_edge_litert import schema_py_generated as schema

    code = codes[operator.opcodeIndex]
    builtin = builtin_number(code)
    is_custom = builtin == schema.BuiltinOperator.CUSTOM
    return Operation(
        name=code.customCode.decode() if is_custom else _schema_names(schema.BuiltinOperator)[builtin],
        version=code.version,
        is_custom=is_custom,
        inputs=tuple(tensors[index].name for index in operator.inputs if index >= 0),
        outputs=tuple(tensors[index].name for index in operator.outputs),
    )


@functools.cache
def _schema_names(enumeration: type) -> dict[int, str]:
    """Return the schema's names by number."""
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}

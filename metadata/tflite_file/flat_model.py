"""A `.tflite` model read without an interpreter: its tensors, its buffers and its metadata entries.

Notes
-----
Slots and type numbers are those of TensorFlow Lite's schema.fbs, version 3 (identifier TFL3).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from metadata.errors import ModelContractError
from metadata.tflite_file.flat_table import FlatTable

MODEL_IDENTIFIER = b"TFL3"  # at byte 4 of the file
_SOURCE = "the model"

# Model
VERSION, OPERATOR_CODES, SUBGRAPHS, DESCRIPTION, BUFFERS, METADATA_BUFFER, METADATA, SIGNATURE_DEFS = range(8)
EXTERNAL_BUFFER_GROUPS, EXTERNAL_BUFFERS = 8, 9
NUM_MODEL_SLOTS = 10
# SubGraph
_TENSORS, _INPUTS, _OUTPUTS, _OPERATORS = range(4)
# Tensor
_SHAPE, _TYPE, _BUFFER, _NAME = range(4)
# Buffer
BUFFER_DATA, BUFFER_OFFSET, BUFFER_SIZE = range(3)
# Operator
OPERATOR_OPTIONS_OFFSET = 9
# Metadata
ENTRY_NAME, ENTRY_BUFFER = range(2)

# By number, in NumPy's names where it has one.
DTYPES = (
    *("float32", "float16", "int32", "uint8", "int64", "string", "bool", "int16", "complex64", "int8", "float64"),
    *("complex128", "uint64", "resource", "variant", "uint32", "uint16", "int4", "bfloat16", "int2", "uint4"),
    *("float8_e4m3fn", "float8_e5m2"),
)


@dataclass(frozen=True, kw_only=True)
class TensorInfo:
    """An input or output of a model."""

    name: str
    shape: tuple[int, ...]
    dtype: str  # NumPy's name, such as "float32"

    @property
    def size(self) -> int:
        """Number of values in the tensor."""
        product = 1
        for length in self.shape:
            product *= length
        return product

    def __str__(self) -> str:
        return f"{self.name} {self.dtype} [{', '.join(map(str, self.shape))}]"


@dataclass(frozen=True, kw_only=True)
class ModelTensors:
    """Inputs and outputs of a model's first subgraph, in order."""

    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]


class MetadataEntry(NamedTuple):
    """An entry of the model's metadata vector."""

    name: str
    buffer_index: int
    position: int  # byte of its table in the file


class ModelFlatBuffer:
    """The root of a model file.

    Parameters
    ----------
    model : bytes
        The file; what follows the FlatBuffer, such as a ZIP, is not looked at.

    Raises
    ------
    ModelContractError
        Not a TFLite model, or damaged: a vector, a buffer or a tensor lies beyond the end.
    """

    def __init__(self, model: bytes) -> None:
        self.root = FlatTable.root(model, MODEL_IDENTIFIER, _SOURCE)
        self.buffers = self.root.tables(BUFFERS)
        for buffer in self.buffers:
            buffer.span(BUFFER_DATA)  # refuses data beyond the end of the file
        self.entries = [
            MetadataEntry(entry.text(ENTRY_NAME), entry.integer(ENTRY_BUFFER, "I"), entry.position)
            for entry in self.root.tables(METADATA)
        ]
        self.tensors = self._read_tensors()

    def entry(self, name: str) -> MetadataEntry | None:
        """Return the metadata entry of that name, None where there is none."""
        return next((entry for entry in self.entries if entry.name == name), None)

    def entry_buffer(self, entry: MetadataEntry) -> FlatTable:
        """Return the buffer that an entry names."""
        if entry.buffer_index >= len(self.buffers):
            raise ModelContractError(
                f"the model's metadata entry {entry.name} names buffer {entry.buffer_index} "
                f"of {len(self.buffers)}; the file is damaged"
            )
        return self.buffers[entry.buffer_index]

    def operators(self) -> Iterator[FlatTable]:
        """Yield the operators of all subgraphs."""
        for graph in self.root.tables(SUBGRAPHS):
            yield from graph.tables(_OPERATORS)

    def _read_tensors(self) -> ModelTensors:
        """Read the inputs and outputs of the first subgraph."""
        subgraphs = self.root.tables(SUBGRAPHS)
        if not subgraphs:
            raise ModelContractError("the model holds no subgraph; expected at least one. Is the file complete?")
        graph = subgraphs[0]
        tensors = graph.tables(_TENSORS)
        return ModelTensors(
            inputs=_pick(tensors, [int(index) for index in graph.numbers(_INPUTS, "i")]),
            outputs=_pick(tensors, [int(index) for index in graph.numbers(_OUTPUTS, "i")]),
        )


def read_tensors(model: bytes) -> ModelTensors:
    """Return what goes in and out of a model, read from its FlatBuffer.

    Raises
    ------
    ModelContractError
        Not a model, or a damaged one.
    """
    return ModelFlatBuffer(model).tensors


def _pick(tensors: list[FlatTable], indices: list[int]) -> tuple[TensorInfo, ...]:
    """Describe the tensors with these indices."""
    for index in indices:
        if not 0 <= index < len(tensors):
            raise ModelContractError(
                f"the model names tensor {index} of {len(tensors)} as input or output; the file is damaged"
            )
    return tuple(_describe(tensors[index]) for index in indices)


def _describe(tensor: FlatTable) -> TensorInfo:
    """Read name, shape and type of a tensor."""
    number = tensor.integer(_TYPE, "b")
    if not 0 <= number < len(DTYPES):
        raise ModelContractError(f"the model has a tensor of type {number}; expected 0 to {len(DTYPES) - 1}")
    shape = tuple(int(length) for length in tensor.numbers(_SHAPE, "i"))
    return TensorInfo(name=tensor.name(_NAME), shape=shape, dtype=DTYPES[number])

"""The root of a `.tflite` as those need it who write a model anew: where its buffers and metadata entries lie.

Notes
-----
Slots and type numbers are those of TensorFlow Lite's schema.fbs, version 3 (identifier TFL3).
"""

from __future__ import annotations

from collections.abc import Iterator
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
_OPERATORS = 3
# Buffer
BUFFER_DATA, BUFFER_OFFSET, BUFFER_SIZE = range(3)
# Operator
OPERATOR_OPTIONS_OFFSET = 9
# Metadata
ENTRY_NAME, ENTRY_BUFFER = range(2)


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
        Not a TFLite model, or damaged: a vector or a buffer lies beyond the end.
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

"""A new root table placed before a model, that points into the model.

FlatBuffers point forwards and by distance, so a table before the model can refer to everything in it,
and every byte of the model stays where and as it is:

    new root | longer vectors of buffers and entries | new buffers | padding | the model
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from metadata.errors import ModelContractError
from metadata.packing.metadata_schema import METADATA_ENTRY_NAME
from metadata.tflite_file.flat_model import (
    BUFFER_DATA,
    BUFFERS,
    ENTRY_BUFFER,
    ENTRY_NAME,
    METADATA,
    MODEL_IDENTIFIER,
    NUM_MODEL_SLOTS,
    VERSION,
    ModelFlatBuffer,
)
from metadata.tflite_file.flat_table import FlatTable

MARK = b"earshot1"  # part of the file format: it stays, whatever the project is called
MARK_PLACE = slice(8, 24)  # behind the identifier: the mark, then first byte and length of the model
MARK_LAYOUT = "<8sII"
_HEADER_LENGTH = 8  # bytes: offset of the root table, file identifier
_ALIGNMENT = 64  # bytes; the schema asks 16 for weights, 64 also keeps cache lines
_BUFFER_ALIGNMENT = 16  # bytes; force_align of Buffer.data in the schema


def place_root(
    model: bytes, buffers: Sequence[int | bytes], entries: Sequence[int], metadata: bytes | None = None
) -> bytes:
    """Return a model with other buffers and metadata entries.

    Parameters
    ----------
    model : bytes
        A FlatBuffer without a ZIP.
    buffers : sequence of int or bytes
        Each buffer in order: the byte of its table in `model`, or the content of a new one.
    entries : sequence of int
        The bytes of the metadata entries in `model` that stay.
    metadata : bytes, optional
        One more buffer, with an entry named TFLITE_METADATA. The file is marked then, so that
        `find_model` finds `model` in it.

    Raises
    ------
    ModelContractError
        The model's root holds fields that are not known here.
    """
    import flatbuffers  # only writing needs the package

    old_root = ModelFlatBuffer(model).root
    _check_root(old_root)
    builder = flatbuffers.Builder(4096 + 4 * len(buffers))
    builder.Prep(_ALIGNMENT, 0)
    # The builder counts offsets back from its end, where `model` begins: what lies inside `model` is negative.
    buffer_offsets = [_buffer(builder, item) if isinstance(item, bytes) else -item for item in buffers]
    entry_offsets = [-position for position in entries]
    if metadata is not None:
        entry_offsets.append(_entry(builder, METADATA_ENTRY_NAME, len(buffer_offsets)))
        buffer_offsets.append(_buffer(builder, metadata))
    root = _root(
        builder, old_root, {BUFFERS: _vector(builder, buffer_offsets), METADATA: _vector(builder, entry_offsets)}
    )
    builder.Prep(_ALIGNMENT, struct.calcsize(MARK_LAYOUT) + _HEADER_LENGTH)
    _mark(builder, len(model), metadata is not None)
    builder.Finish(root, file_identifier=MODEL_IDENTIFIER)
    return bytes(builder.Output()) + model


def find_model(file: bytes) -> slice | None:
    """Return where the model lies in a marked file of `place_root`, None in other files.

    Raises
    ------
    ModelContractError
        The file ends before the model does.
    """
    if file[4:8] != MODEL_IDENTIFIER or len(file) < MARK_PLACE.stop:
        return None
    mark, start, length = struct.unpack(MARK_LAYOUT, file[MARK_PLACE])
    if mark != MARK:
        return None
    if start + length > len(file) or file[start + 4 : start + 8] != MODEL_IDENTIFIER:
        raise ModelContractError(
            f"the model is damaged: it has {len(file)} bytes but says that {start + length} are needed; "
            "was the file truncated or changed on its way here?"
        )
    return slice(start, start + length)


def _check_root(root: FlatTable) -> None:
    """Refuse a root with fields whose kind, and so how they move, is not known."""
    if any(root.has(slot) for slot in range(NUM_MODEL_SLOTS, root.num_slots)):
        raise ModelContractError(
            f"the model's root has more than the {NUM_MODEL_SLOTS} fields known here; "
            "it comes from a newer converter, so a newer earproof is needed"
        )


def _root(builder: Any, old_root: FlatTable, vectors: dict[int, int]) -> int:
    """Write the new root table: the old one's fields, but for the vectors given."""
    builder.StartObject(NUM_MODEL_SLOTS)
    for slot in reversed(range(NUM_MODEL_SLOTS)):
        if slot == VERSION:
            builder.PrependUint32Slot(slot, old_root.integer(slot, "I"), 0)
            continue
        target = old_root.target(slot)
        if slot in vectors:
            builder.PrependUOffsetTRelativeSlot(slot, vectors[slot], 0)
        elif target is not None:
            builder.PrependUOffsetTRelativeSlot(slot, -target, 0)
    return int(builder.EndObject())


def _mark(builder: Any, plain_length: int, removable: bool) -> None:
    """Write the sixteen bytes that lie behind the file identifier."""
    start = builder.Offset() + struct.calcsize(MARK_LAYOUT) + _HEADER_LENGTH
    words = struct.unpack("<4I", struct.pack(MARK_LAYOUT, MARK, start, plain_length) if removable else bytes(16))
    for word in reversed(words):
        builder.PrependUint32(word)


def _vector(builder: Any, offsets: list[int]) -> int:
    """Write a vector of offsets to tables."""
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


def _buffer(builder: Any, content: bytes) -> int:
    """Write a Buffer table; an empty one has no data vector."""
    data = 0
    if content:
        builder.Prep(_BUFFER_ALIGNMENT, len(content))
        data = builder.CreateByteVector(content)
    builder.StartObject(1)
    builder.PrependUOffsetTRelativeSlot(BUFFER_DATA, data, 0)
    return int(builder.EndObject())


def _entry(builder: Any, name: str, buffer_index: int) -> int:
    """Write a Metadata table."""
    text = builder.CreateString(name)
    builder.StartObject(2)
    builder.PrependUint32Slot(ENTRY_BUFFER, buffer_index, 0)
    builder.PrependUOffsetTRelativeSlot(ENTRY_NAME, text, 0)
    return int(builder.EndObject())

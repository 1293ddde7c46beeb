"""Put a metadata buffer into a model, and take it out again, without touching the model itself.

FlatBuffers point forwards and by distance. So a new root table, with longer vectors of buffers and
metadata entries, is placed *before* the model and points into it; every byte of the model stays as
the converter wrote it, whatever schema version that was, and the weights keep their alignment:

    new root | vectors | metadata buffer | padding | the model as it was | ZIP

Sixteen bytes behind the file identifier say where the model as it was lies, so that taking the
metadata out is a slice. No table refers to them; a tool that packs the file anew drops them.
"""

from __future__ import annotations

import struct
from typing import Any

from metadata.associated_files import find_archive
from metadata.errors import ModelContractError
from metadata.metadata_schema import METADATA_ENTRY_NAME
from metadata.model_flatbuffer import (
    BUFFER_DATA,
    BUFFER_OFFSET,
    BUFFERS,
    ENTRY_BUFFER,
    ENTRY_NAME,
    METADATA,
    MODEL_IDENTIFIER,
    NUM_MODEL_SLOTS,
    VERSION,
    ModelFlatBuffer,
)

_MARK = b"earshot1"
_MARK_PLACE = slice(8, 24)  # the mark, then first byte and length of the model as it was
_MARK_LAYOUT = "<8sII"
_HEADER_LENGTH = 8  # bytes: offset of the root table, file identifier
_ALIGNMENT = 64  # bytes; the schema asks 16 for weights, 64 also keeps cache lines
_BUFFER_ALIGNMENT = 16  # bytes; force_align of Buffer.data in the schema
_NEWEST_OFFSET = 1  # Buffer.offset above it: the data lies behind the FlatBuffer


def add_metadata_buffer(model: bytes, content: bytes) -> bytes:
    """Return the model with a metadata buffer named TFLITE_METADATA in place of what it had; no ZIP.

    Raises
    ------
    ModelContractError
        Not a model, a damaged one, or one that keeps weights outside its FlatBuffer.
    """
    plain = remove_metadata_buffer(model)
    flat = ModelFlatBuffer(plain)
    buffers = [buffer.position for buffer in flat.buffers]
    entries = [entry.position for entry in flat.entries]
    return _with_new_root(plain, flat, buffers, entries, content)


def remove_metadata_buffer(model: bytes) -> bytes:
    """Return the model without the buffer and entry named TFLITE_METADATA, and without a ZIP.

    What `add_metadata_buffer` was given comes back byte for byte. In a file packed by another tool
    the metadata is overwritten with zeros and no longer referred to.

    Raises
    ------
    ModelContractError
        Not a model, or a damaged one.
    """
    place = find_plain_model(model)
    if place is not None:
        return model[place]
    flat_buffer = model[: find_archive(model)]
    flat = ModelFlatBuffer(flat_buffer)
    entry = flat.entry(METADATA_ENTRY_NAME)
    if entry is None:
        return flat_buffer
    start, length = flat.entry_buffer(entry).span(BUFFER_DATA)
    erased = flat_buffer[:start] + bytes(length) + flat_buffer[start + length :]
    buffers: list[int | None] = [buffer.position for buffer in flat.buffers]
    buffers[entry.buffer_index] = None
    if entry.buffer_index == len(buffers) - 1:
        buffers.pop()
    entries = [other.position for other in flat.entries if other.position != entry.position]
    return _with_new_root(erased, flat, buffers, entries, None)


def find_plain_model(model: bytes) -> slice | None:
    """Return where the model as it was lies in a file of `add_metadata_buffer`, None in other files.

    Raises
    ------
    ModelContractError
        The file ends before the model does.
    """
    if model[4:8] != MODEL_IDENTIFIER or len(model) < _MARK_PLACE.stop:
        return None
    mark, start, length = struct.unpack(_MARK_LAYOUT, model[_MARK_PLACE])
    if mark != _MARK:
        return None
    if start + length > len(model) or model[start + 4 : start + 8] != MODEL_IDENTIFIER:
        raise ModelContractError(
            f"the model is damaged: it has {len(model)} bytes but says that {start + length} are needed; "
            "was the file truncated or changed on its way here?"
        )
    return slice(start, start + length)


def _with_new_root(
    plain: bytes,
    flat: ModelFlatBuffer,
    buffers: list[int] | list[int | None],
    entries: list[int],
    content: bytes | None,
) -> bytes:
    """Place a new root before a model.

    `buffers` and `entries` are the bytes of their tables in `plain`, None for a new empty buffer;
    `content` is one more buffer, with its entry.
    """
    import flatbuffers  # only writing needs the package

    _check_can_move(flat)
    builder = flatbuffers.Builder(1024 + 4 * len(buffers) + len(content or b""))
    builder.Prep(_ALIGNMENT, 0)
    # The builder counts offsets back from its end, where `plain` begins: what lies inside `plain` is negative.
    buffer_offsets = [_buffer(builder, b"") if position is None else -position for position in buffers]
    entry_offsets = [-position for position in entries]
    if content is not None:
        entry_offsets.append(_entry(builder, METADATA_ENTRY_NAME, len(buffer_offsets)))
        buffer_offsets.append(_buffer(builder, content))
    vectors = {BUFFERS: _vector(builder, buffer_offsets), METADATA: _vector(builder, entry_offsets)}
    root = _root(builder, flat, vectors)
    builder.Prep(_ALIGNMENT, struct.calcsize(_MARK_LAYOUT) + _HEADER_LENGTH)
    _mark(builder, len(plain), content is not None)
    builder.Finish(root, file_identifier=MODEL_IDENTIFIER)
    return bytes(builder.Output()) + plain


def _check_can_move(flat: ModelFlatBuffer) -> None:
    """Refuse a model that would not survive a shift, or whose root holds fields of an unknown kind."""
    if any(buffer.integer(BUFFER_OFFSET, "Q") > _NEWEST_OFFSET for buffer in flat.buffers):
        raise ModelContractError(
            "the model keeps weights behind its FlatBuffer, as models over 2 GB do; metadata cannot be added to it"
        )
    if any(flat.root.has(slot) for slot in range(NUM_MODEL_SLOTS, flat.root.num_slots)):
        raise ModelContractError(
            f"the model's root has more than the {NUM_MODEL_SLOTS} fields known here; "
            "it comes from a newer converter, so a newer earshot is needed"
        )


def _root(builder: Any, flat: ModelFlatBuffer, vectors: dict[int, int]) -> int:
    """Write the new root table: the old one's fields, but for the vectors given."""
    builder.StartObject(NUM_MODEL_SLOTS)
    for slot in reversed(range(NUM_MODEL_SLOTS)):
        if slot == VERSION:
            builder.PrependUint32Slot(slot, flat.root.integer(slot, "I"), 0)
            continue
        target = flat.root.target(slot)
        if slot in vectors:
            builder.PrependUOffsetTRelativeSlot(slot, vectors[slot], 0)
        elif target is not None:
            builder.PrependUOffsetTRelativeSlot(slot, -target, 0)
    return int(builder.EndObject())


def _mark(builder: Any, plain_length: int, removable: bool) -> None:
    """Write the sixteen bytes that lie behind the file identifier."""
    start = builder.Offset() + struct.calcsize(_MARK_LAYOUT) + _HEADER_LENGTH
    words = struct.unpack("<4I", struct.pack(_MARK_LAYOUT, _MARK, start, plain_length) if removable else bytes(16))
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

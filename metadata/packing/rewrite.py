"""Put a metadata buffer into a model, and take it out again, without repacking the model.

Every byte stays as the converter wrote it, whatever schema version that was, and the weights keep
their alignment; see `new_root`.
"""

from __future__ import annotations

from metadata.packing.metadata_schema import METADATA_ENTRY_NAME
from metadata.packing.new_root import find_model, place_root
from metadata.packing.outside_weights import take_weights_in
from metadata.tflite_file.associated_files import find_archive
from metadata.tflite_file.flat_model import BUFFER_DATA, ModelFlatBuffer


def add_metadata_buffer(model: bytes, content: bytes) -> bytes:
    """Return the model with a metadata buffer named TFLITE_METADATA in place of what it had; no ZIP.

    Raises
    ------
    ModelContractError
        Not a model, a damaged one, or one whose parts cannot be moved.
    """
    plain = take_weights_in(remove_metadata_buffer(model))
    flat = ModelFlatBuffer(plain)
    buffers = [buffer.position for buffer in flat.buffers]
    return place_root(plain, buffers, [entry.position for entry in flat.entries], content)


def remove_metadata_buffer(model: bytes) -> bytes:
    """Return the model without the buffer and entry named TFLITE_METADATA, and without a ZIP.

    What `add_metadata_buffer` was given comes back byte for byte, unless its weights had to be taken
    in. In a file packed by another tool the metadata is overwritten with zeros and no longer referred to.

    Raises
    ------
    ModelContractError
        Not a model, or a damaged one.
    """
    place = find_model(model)
    if place is not None:
        return model[place]
    flat_buffer = model[: find_archive(model)]
    flat = ModelFlatBuffer(flat_buffer)
    entry = flat.entry(METADATA_ENTRY_NAME)
    if entry is None:
        return flat_buffer
    start, length = flat.entry_buffer(entry).span(BUFFER_DATA)
    erased = take_weights_in(flat_buffer[:start] + bytes(length) + flat_buffer[start + length :])
    flat = ModelFlatBuffer(erased)
    buffers: list[int | bytes] = [buffer.position for buffer in flat.buffers]
    buffers[entry.buffer_index] = b""
    if entry.buffer_index == len(buffers) - 1:
        buffers.pop()
    kept = [other.position for other in flat.entries if other.name != METADATA_ENTRY_NAME]
    return place_root(erased, buffers, kept)

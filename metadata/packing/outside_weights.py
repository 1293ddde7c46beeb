"""Weights that lie behind a model's FlatBuffer, taken in.

Some tools (the ai-edge-quantizer, and every converter for models over 2 GB) write weights behind the
FlatBuffer and note their place in the file. These places would be wrong once something is put before
the model, and the fields that hold them are younger than many a runtime on a phone.
"""

from __future__ import annotations

from metadata.errors import ModelContractError
from metadata.packing.new_root import place_root
from metadata.tflite_file.flat_model import BUFFER_OFFSET, BUFFER_SIZE, OPERATOR_OPTIONS_OFFSET, ModelFlatBuffer
from metadata.tflite_file.flat_table import FlatTable

_UNUSED = 1  # an offset up to this is none
_MAX_GAP = 64  # bytes of padding between two weights
_MAX_LENGTH = 2**31 - 1  # bytes that a FlatBuffer can hold


def take_weights_in(model: bytes) -> bytes:
    """Return the model with all weights inside its FlatBuffer; the same bytes where they are already.

    Raises
    ------
    ModelContractError
        Weights beyond the end of the file, more than 2 GB, or other data behind the FlatBuffer too.
    """
    flat = ModelFlatBuffer(model)
    _check_operators(flat)
    places = [_outside_place(buffer) for buffer in flat.buffers]
    outside = sorted({place for place in places if place is not None})
    if not outside:
        return model
    _check_tail(outside, len(model))
    contents = {place: model[slice(*place)] for place in outside}
    buffers = [
        buffer.position if place is None else contents[place]
        for buffer, place in zip(flat.buffers, places, strict=True)
    ]
    return place_root(model[: outside[0][0]], buffers, [entry.position for entry in flat.entries])


def _outside_place(buffer: FlatTable) -> tuple[int, int] | None:
    """First byte and end of a buffer's content behind the FlatBuffer, None where it is inside."""
    start = buffer.integer(BUFFER_OFFSET, "Q")
    return (start, start + buffer.integer(BUFFER_SIZE, "Q")) if start > _UNUSED else None


def _check_tail(outside: list[tuple[int, int]], length: int) -> None:
    """Check that the file behind the FlatBuffer is these weights and nothing else."""
    if length > _MAX_LENGTH:
        raise ModelContractError(f"the model has {length} bytes; metadata can be added up to {_MAX_LENGTH}")
    ends = [outside[0][0], *(end for _, end in outside)]
    starts = [*(start for start, _ in outside), length]
    if any(not 0 <= start - end < _MAX_GAP for start, end in zip(starts, ends, strict=True)):
        raise ModelContractError(
            f"the model keeps weights behind its FlatBuffer at {outside[0][0]} to {outside[-1][1]} of {length} bytes, "
            "with gaps or beyond the end; was the file truncated?"
        )


def _check_operators(flat: ModelFlatBuffer) -> None:
    """Refuse custom operators that keep their options behind the FlatBuffer."""
    if any(operator.integer(OPERATOR_OPTIONS_OFFSET, "Q") > _UNUSED for operator in flat.operators()):
        raise ModelContractError(
            "the model keeps options of custom operators behind its FlatBuffer; metadata cannot be added to it"
        )

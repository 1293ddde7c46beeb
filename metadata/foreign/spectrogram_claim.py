"""Whether a model's input can be the spectrogram that is said to go in: as many rows and frames, in that order."""

from __future__ import annotations

from metadata.packing.contract_check import spectrogram_shape
from metadata.plural import counted
from metadata.spec import FrontEnd
from metadata.tflite_file.model_content import TensorInfo


def spectrogram_faults(audio: TensorInfo, front_end: FrontEnd, window_length: int) -> tuple[list[str], list[str]]:
    """Return what contradicts the settings in the shape of the input, and what the shape leaves open.

    Parameters
    ----------
    audio : TensorInfo
        What the model takes.
    front_end : MelFrontEnd or StftFrontEnd
        Computed outside the model: rows (mel bands or bins) first, frames second.
    window_length : int
        Samples that the spectrogram is made of.
    """
    rows, frames = spectrogram_shape(front_end, window_length)
    sides = tuple(length for length in audio.shape if length != 1)
    made = f"{counted(rows, 'row')} x {counted(frames, 'frame')}"
    if sides == (rows, frames):
        note = "rows and frames are as many: their order cannot be seen; mel bands (or bins) come first"
        return [], [note] if rows == frames else []
    if sides == (rows * frames,):
        return [], [f"the model takes {audio}, one axis: it gets {made}, all frames of the lowest band first"]
    if sides == (frames, rows):
        return [
            f"the model takes {audio}, frames first, where earproof feeds {made}; "
            f"{_turned(audio, sides)}, then export it and write its metadata again"
        ], []
    settings = f"--window-length {window_length} and --hop-length {getattr(front_end, 'hop_length', '')} make {made}"
    return [f"the model takes {audio}, but {settings}{_hint(sides, front_end)}"], []


def _turned(audio: TensorInfo, sides: tuple[int, ...]) -> str:
    """What brings rows before frames, in front of a model that takes frames first."""
    frames, rows = sides
    axes = [place for place, length in enumerate(audio.shape) if length != 1]
    taken = list(audio.shape)
    taken[axes[0]], taken[axes[1]] = rows, frames
    order = list(range(len(taken)))
    order[axes[0]], order[axes[1]] = axes[1], axes[0]
    torch = f"in PyTorch begin forward with x = x.transpose({axes[0]}, {axes[1]})"
    if axes[0] == 0:  # no batch axis, which Keras always has
        return f"{torch}, so that it takes {taken}"
    shape, places = ", ".join(map(str, taken[1:])), ", ".join(map(str, order[1:]))
    keras = f"keras.Sequential([keras.Input(({shape})), keras.layers.Permute(({places})), model])"
    return f"in Keras take {keras}, {torch}, so that it takes {taken}"


def _hint(sides: tuple[int, ...], front_end: FrontEnd) -> str:
    """What would fit."""
    hop_length = getattr(front_end, "hop_length", 0)
    if len(sides) != 2 or not hop_length:
        return ""
    first = (sides[1] - 1) * hop_length
    return f"; {sides[1]} frames are {first} to {first + hop_length - 1} samples at this hop"

"""Overlapping frames of a waveform inside a model, as a front end of the metadata lays them.

Frames are cut by reshaping into blocks of `hop_length` and concatenating shifted views, because a gather costs more
than the transform itself.
"""

from __future__ import annotations

from typing import Any

from keras import ops

from metadata.spec import MelFrontEnd, StftFrontEnd, frame_padding


def overlapping_frames(waveform: Any, front_end: StftFrontEnd | MelFrontEnd) -> Any:
    """Return the frames of a front end, (batch, n_frames, n_fft), before its Hann window.

    Parameters
    ----------
    waveform : tensor
        float32 (batch, n_samples).
    front_end : StftFrontEnd or MelFrontEnd
    """
    padded = _padded(waveform, frame_padding(front_end), front_end.pad_mode)
    return _frames(padded, front_end.n_fft, front_end.hop_length)


def _padded(waveform: Any, padding: tuple[int, int], pad_mode: str) -> Any:
    """Put so many samples before and after: the waveform mirrored, or zeros."""
    if pad_mode != "reflect":
        return ops.pad(waveform, ((0, 0), padding))
    before = ops.flip(waveform[:, 1 : padding[0] + 1], axis=1)
    after = ops.flip(waveform[:, -padding[1] - 1 : -1], axis=1)
    return ops.concatenate([before, waveform, after], axis=1)


def _frames(padded: Any, n_fft: int, hop_length: int) -> Any:
    """Cut overlapping frames, (batch, n_frames, n_fft)."""
    num_frames = 1 + (padded.shape[1] - n_fft) // hop_length
    blocks_per_frame = -(-n_fft // hop_length)
    num_blocks = num_frames + blocks_per_frame - 1
    missing = num_blocks * hop_length - padded.shape[1]
    if missing > 0:  # the last block reaches past the end; its surplus is cut off again below
        padded = ops.pad(padded, ((0, 0), (0, missing)))
    blocks = ops.reshape(padded[:, : num_blocks * hop_length], (-1, num_blocks, hop_length))
    shifted = [blocks[:, shift : shift + num_frames] for shift in range(blocks_per_frame)]
    frames = ops.concatenate(shifted, axis=2)
    return frames if n_fft % hop_length == 0 else frames[:, :, :n_fft]

"""Overlapping frames of a waveform inside a model, centred as librosa centres them.

Frames are cut by reshaping into blocks of `hop_length` and concatenating shifted views, because a gather costs more
than the transform itself.
"""

from __future__ import annotations

from typing import Any

from keras import ops


def centred_frames(waveform: Any, n_fft: int, hop_length: int, pad_mode: str) -> Any:
    """Return overlapping frames, (batch, n_frames, n_fft), frame t centred on sample t * hop_length.

    Parameters
    ----------
    waveform : tensor
        float32 (batch, n_samples).
    n_fft, hop_length : int
        Samples; n_fft even.
    pad_mode : str
        "constant" or "reflect": what the n_fft // 2 samples before and after the waveform hold.
    """
    return _frames(_padded(waveform, n_fft // 2, pad_mode), n_fft, hop_length)


def _padded(waveform: Any, reach: int, pad_mode: str) -> Any:
    """Put so many samples before and after."""
    if pad_mode == "constant":
        return ops.pad(waveform, ((0, 0), (reach, reach)))
    before = ops.flip(waveform[:, 1 : reach + 1], axis=1)
    after = ops.flip(waveform[:, -reach - 1 : -1], axis=1)
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

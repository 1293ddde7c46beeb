"""Recordings for the command: WAV by ourselves, anything else by a decoder that is handed in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_runtime.resample import resample
from edge_runtime.wav_file import is_wav, read_wav

FloatArray = npt.NDArray[np.float32]
Decode = Callable[[Path, int], npt.ArrayLike]
"""Path and sample rate in Hz to a mono waveform; for FLAC, OGG and MP3, which a device install does not read."""


def load_waveform(path: str | Path, sample_rate: int, decode: Decode | None = None) -> FloatArray:
    """Return a recording as mono float32 samples at this rate, shape (n_samples,).

    Raises
    ------
    FileNotFoundError
        No such file.
    ValueError
        Not a WAV file and no decoder, a file without samples, or one that the reader refuses.
    """
    path = Path(path)
    if decode is None or is_wav(path):
        waveform, file_rate = read_wav(path)
        return resample(waveform, file_rate, sample_rate)
    samples = np.asarray(decode(path, sample_rate), np.float32)
    if samples.ndim != 1 or samples.size == 0:
        raise ValueError(f"{path} decodes to shape {samples.shape}; expected mono samples (n_samples,)")
    return samples

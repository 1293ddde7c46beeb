"""Samples as floats and as the 16-bit integers of a microphone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
ShortArray = npt.NDArray[np.int16]
_FULL_SCALE = 32768.0  # a power of two: dividing by it rounds nothing


def to_shorts(waveform: npt.ArrayLike) -> ShortArray:
    """Return a float waveform as the 16-bit integers a microphone would deliver: rounded, clipped.

    Samples that came from a 16-bit file come back unchanged.

    Raises
    ------
    ValueError
        NaN or infinity.
    """
    samples = np.asarray(waveform, np.float64)
    if not np.isfinite(samples).all():
        raise ValueError("the waveform holds NaN or infinity; expected numbers")
    return np.clip(np.rint(samples * _FULL_SCALE), -32768, 32767).astype(np.int16)


def to_floats(shorts: ShortArray) -> FloatArray:
    """Return 16-bit samples as float32 in [-1, 1)."""
    return shorts.astype(np.float32) * np.float32(1.0 / _FULL_SCALE)

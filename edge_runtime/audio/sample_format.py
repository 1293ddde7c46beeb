"""Samples as floats and as the 16-bit integers of a microphone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

ShortArray = npt.NDArray[np.int16]
_SHORT_MAX = np.float32(32767)


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
    return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)

"""How loud a recording is, and which are silent."""

from __future__ import annotations

import numpy as np

from train.recordings.store.packed_waveform import Waveform

PEAK_LIMIT = 0.999
SILENT_PEAK = 2.0**-14  # two steps of 16 bits: less is rounding, dither, or the ringing of a resampler


class SilentClipError(ValueError):
    """A clip without any sound, whose volume cannot be made equal to another's."""


def peak(waveform: Waveform) -> float:
    """Return the largest absolute sample; a packed recording has it from its decoding."""
    if isinstance(waveform, np.ndarray):
        return float(np.abs(waveform).max(initial=0.0))
    return waveform.peak


def is_silent(waveform: Waveform) -> bool:
    """Whether a waveform has no sound whose volume could be made equal to another's: a peak below -84 dBFS."""
    return peak(waveform) < SILENT_PEAK

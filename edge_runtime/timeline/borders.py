"""Where exactly a label begins or ends, between two seconds of which one has it.

Two things are asked. Windows that overlap around the border: those whose middle lies before it should have the one
label, those behind it the other. And the level in bands: its steps of 10 ms should be alike on either side, and differ
across. The second one places the border to a few steps; the first says which of several changes it is.
Times are seconds of the recording.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.front_end.mel import mel_spectrogram
from edge_runtime.timeline.sample_stream import SampleStream
from metadata.spec import MelFrontEnd

WINDOW_HOP_SECONDS = 0.05
STEP_SECONDS = 0.01
REACH_SECONDS = 0.5  # before and behind the border of two seconds: further away the second itself would differ
LEVEL_WEIGHT = 1.0  # of the level's answer, 0 to 1, against the windows' one, -1 to 1
NUM_BANDS = 24
LEVEL_RANGE = 1e-5  # 50 dB below the highest band power; what is quieter does not differ
Track = npt.NDArray[Any]  # of floats


def window_middles(second: int) -> Track:
    """Return the middles of the windows around the beginning of a second, float64 (n,)."""
    count = round(2 * REACH_SECONDS / WINDOW_HOP_SECONDS)
    return second - REACH_SECONDS + WINDOW_HOP_SECONDS * np.arange(count + 1)


def place_border(second: int, leaning: Track, stream: SampleStream) -> float:
    """Return where a label changes near the beginning of a second.

    Parameters
    ----------
    second : int
    leaning : ndarray of float64, shape of `window_middles`
        By how much each window is for what comes behind the border, from -1 to 1.
    stream : SampleStream
        Which still has the second before.
    """
    middles = window_middles(second)
    places = second - REACH_SECONDS + STEP_SECONDS * np.arange(round(2 * REACH_SECONDS / STEP_SECONDS) + 1)
    sides = np.sign(middles[None, :] - places[:, None])
    by_windows = (sides * np.clip(leaning, -1.0, 1.0)).mean(axis=1)
    by_level = _difference(places - (second - 1), _band_levels(second, stream))
    return float(places[int(np.argmax(by_windows + LEVEL_WEIGHT * by_level))])


def silence_border(second: int, ends: bool, limit: float, stream: SampleStream) -> float:
    """Return where silence ends in a second, or where it begins in the one before.

    Parameters
    ----------
    second : int
    ends : bool
        Whether the silence ends; else it begins.
    limit : float
        Mean square up to which there is silence.
    stream : SampleStream
    """
    rate = stream.sample_rate
    step = round(STEP_SECONDS * rate)
    start = second if ends else second - 1
    samples = stream.samples(start * rate, (start + 1) * rate).astype(np.float64)
    powers = np.square(samples[: samples.size // step * step]).reshape(-1, step).mean(axis=1)
    loud = np.flatnonzero(powers > limit)
    if not loud.size:
        return float(second)
    return float(start + (loud[0] if ends else loud[-1] + 1) * step / rate)


def _band_levels(second: int, stream: SampleStream) -> Track:
    """Return the logarithm of band powers every 10 ms from a second before to a second behind, (n_steps, n_bands)."""
    rate = stream.sample_rate
    n_fft = 2 * round(0.016 * rate)
    settings = MelFrontEnd(
        n_fft=n_fft, hop_length=round(STEP_SECONDS * rate), win_length=n_fft, n_mels=NUM_BANDS, fmax=rate / 2
    )
    mel = mel_spectrogram(stream.samples((second - 1) * rate, (second + 1) * rate), settings, rate).astype(np.float64)
    return np.log10(np.maximum(mel, max(mel.max() * LEVEL_RANGE, 1e-12))).T


def _difference(places: Track, levels: Track) -> Track:
    """Return how much of the variance of steps lies between the two sides of each place, from 0 to 1."""
    before = np.clip(np.round(places / STEP_SECONDS).astype(int), 1, len(levels) - 1)
    sums = np.cumsum(levels, axis=0)
    total, count = sums[-1], len(levels)
    left, right = sums[before - 1], total - sums[before - 1]
    between = (left**2).sum(axis=1) / before + (right**2).sum(axis=1) / (count - before) - (total**2).sum() / count
    within = (levels**2).sum() - (total**2).sum() / count
    return np.asarray(between / max(within, 1e-12))

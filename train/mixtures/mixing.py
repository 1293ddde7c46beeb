"""Adding recordings: volumes made equal, the sum kept below full scale.

Waveforms are float32 (n_samples,) in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from train.recordings.loudness import PEAK_LIMIT, SILENT_PEAK, SilentClipError, peak

NORMALIZATIONS = ("pair", "set", "none")
PART_GAIN_RANGE_DB = (-4.0, 4.0)  # of a part against its normalized volume, where training windows are varied


@dataclass(frozen=True, eq=False)
class Mixed:
    """A sum of recordings.

    Attributes
    ----------
    waveform : np.ndarray
        float32 (n_samples,), peak at most 0.999.
    gains : tuple of float
        What each part was multiplied by, all in all.
    """

    waveform: np.ndarray
    gains: tuple[float, ...]


def mix(
    waveforms: Sequence[np.ndarray],
    normalization: str = "pair",
    set_peak: float = 0.0,
    gains_db: Sequence[float] | np.ndarray | None = None,
) -> np.ndarray:
    """Return the sum of recordings alone, float32 (n_samples,); see `mix_parts`."""
    return mix_parts(waveforms, normalization, set_peak, gains_db).waveform


def mix_parts(
    waveforms: Sequence[np.ndarray],
    normalization: str = "pair",
    set_peak: float = 0.0,
    gains_db: Sequence[float] | np.ndarray | None = None,
) -> Mixed:
    """Return the sum of recordings that begin together, as long as the longest, and the gain of each.

    Parameters
    ----------
    waveforms : sequence of np.ndarray
        At one sample rate; the shorter ones end in zeros.
    normalization : str
        "pair": every part is brought to the lowest peak among the parts, so that none drowns another.
        "set": every part is brought to `set_peak`, the highest peak in the data set. "none": as they are.
    set_peak : float
        Above 0, for "set"; resampled recordings pass 1 by a little.
    gains_db : sequence of float, optional
        How much louder than normalized each part is; 0 dB each by default.

    Returns
    -------
    Mixed
        A sum whose peak would pass 0.999 is turned down as a whole, so that nothing wraps or clips.

    Raises
    ------
    ValueError
        No waveform, an unknown normalization, or no `set_peak` where it is needed.
    SilentClipError
        A part is silent and shall be normalized.

    Notes
    -----
    Both normalizations are published, for 16-bit samples added without headroom: of the pair with ISOCC 2021's
    classifier, of the set with the audio source counter. Peaks are absolute here; the former took the largest positive
    sample.
    """
    if not waveforms:
        raise ValueError("there is nothing to mix; expected at least one waveform")
    if normalization not in NORMALIZATIONS:
        raise ValueError(f"normalization is {normalization!r}; expected {', '.join(NORMALIZATIONS)}")
    factors = _factors(waveforms, normalization, set_peak)
    if gains_db is not None:
        factors = [factor * 10.0 ** (gain_db / 20.0) for factor, gain_db in zip(factors, gains_db, strict=True)]
    mixed = np.zeros(max(waveform.size for waveform in waveforms), np.float32)
    for waveform, factor in zip(waveforms, factors, strict=True):
        mixed[: waveform.size] += np.asarray(waveform, np.float32) * np.float32(factor)
    highest = peak(mixed)
    if highest > PEAK_LIMIT:
        mixed *= np.float32(PEAK_LIMIT / highest)
        factors = [factor * PEAK_LIMIT / highest for factor in factors]
    return Mixed(mixed, tuple(factors))


def _factors(waveforms: Sequence[np.ndarray], normalization: str, set_peak: float) -> list[float]:
    """The factor of each part."""
    if normalization == "none":
        return [1.0] * len(waveforms)
    peaks = [peak(waveform) for waveform in waveforms]
    silent = [str(place + 1) for place, highest in enumerate(peaks) if highest < SILENT_PEAK]
    if silent:
        raise SilentClipError(
            f"part {' and '.join(silent)} of {len(peaks)} is silent and has no volume to make equal; leave it out"
        )
    if normalization == "set" and not 0.0 < set_peak < float("inf"):
        raise ValueError(f"set_peak is {set_peak}; expected the highest peak of the data set, above 0")
    target = min(peaks) if normalization == "pair" else set_peak
    return [target / highest for highest in peaks]

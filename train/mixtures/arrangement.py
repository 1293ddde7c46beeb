"""Two recordings one after the other, as the published test sets of longer audio have them, or both at once.

The published ones are of two clips of 5 s: 8 s with 2 s in common, 10 s end to end, 12 s with 2 s of silence between.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from train.mixtures.mixing import mix_parts
from train.recordings.store.packed_waveform import Waveform

PART_SECONDS = 5.0


@dataclass(frozen=True)
class Arrangement:
    """When the second of two recordings begins.

    Attributes
    ----------
    onset_s : float
        Seconds after the first one; below 5 they overlap, above there is silence between.
    gain : float
        Of both, before the sum is kept below full scale.
    """

    onset_s: float
    gain: float = 1.0

    @property
    def length_s(self) -> float:
        """Seconds of the whole."""
        return self.onset_s + PART_SECONDS


ARRANGEMENTS = {"overlap": Arrangement(3.0), "adjacent": Arrangement(5.0), "gap": Arrangement(7.0, 0.75)}
TOGETHER = "together"  # both begin at once, each as long as it is


@dataclass(frozen=True, eq=False)
class Arranged:
    """Two recordings as one.

    Attributes
    ----------
    waveform : np.ndarray
        float32 (n_samples,), peak at most 0.999.
    gains : tuple of float
        What each recording was multiplied by, all in all.
    spans : tuple of (float, float)
        Onset and offset of each in seconds; zeros that fill up a short one are not counted.
    """

    waveform: np.ndarray
    gains: tuple[float, ...]
    spans: tuple[tuple[float, float], ...]


def arrange(
    first: np.ndarray,
    second: np.ndarray,
    arrangement: str,
    sample_rate: int,
    normalization: str = "none",
    set_peak: float = 0.0,
) -> Arranged:
    """Return two recordings as one.

    Parameters
    ----------
    first, second : np.ndarray
        float32 (n_samples,). Unless both begin together, the first 5 s of each are taken, and fewer end in zeros.
    arrangement : str
        One of `ARRANGEMENTS`, or `TOGETHER`.
    sample_rate : int
        Hz.
    normalization : str
        As for `train.mixtures.mixing.mix_parts`; the published test sets have none.
    set_peak : float

    Raises
    ------
    ValueError
        An unknown arrangement, or as for `mix_parts`.
    """
    if arrangement != TOGETHER and arrangement not in ARRANGEMENTS:
        raise ValueError(f"arrangement is {arrangement!r}; expected {', '.join((TOGETHER, *ARRANGEMENTS))}")
    chosen = ARRANGEMENTS.get(arrangement, Arrangement(0.0))
    parts = [first, second]
    onsets = (0, round(chosen.onset_s * sample_rate))
    length = max(first.size, second.size)
    if arrangement != TOGETHER:
        parts = [arranged_part(part, arrangement, sample_rate) for part in parts]
        length = round(chosen.length_s * sample_rate)
    placed = [np.zeros(length, np.float32) for _ in parts]
    for canvas, part, onset in zip(placed, parts, onsets, strict=True):
        canvas[onset : onset + part.size] = part
    gain_db = 20.0 * float(np.log10(chosen.gain))
    mixed = mix_parts(placed, normalization, set_peak, (gain_db, gain_db))
    spans = tuple(
        (onset / sample_rate, (onset + part.size) / sample_rate) for onset, part in zip(onsets, parts, strict=True)
    )
    return Arranged(mixed.waveform, mixed.gains, spans)


def arranged_part(waveform: Waveform, arrangement: str, sample_rate: int) -> np.ndarray:
    """Return what of a recording an arrangement takes, float32: its first 5 s, or all of it; no more is read."""
    return np.asarray(waveform if arrangement == TOGETHER else waveform[: round(PART_SECONDS * sample_rate)])

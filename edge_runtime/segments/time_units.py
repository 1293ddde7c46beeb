"""Whether times are in seconds, judged by the lengths of their recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from edge_runtime.segments.segment import Segment

UNITS = ("seconds", "milliseconds", "samples")
_LEAST_FACTOR = 20.0  # how far beyond the end the last event of the usual recording is where times are no seconds
_MILLISECONDS = 1000.0


def units_of_second(unit: str, sample_rate: int) -> float:
    """Return how many of a unit are a second; raises ValueError where there is no such unit."""
    if unit not in UNITS:
        raise ValueError(f"the unit of the annotations is {unit!r}; expected {', '.join(UNITS)}")
    return {"seconds": 1.0, "milliseconds": _MILLISECONDS, "samples": float(sample_rate)}[unit]


def guess_unit(
    recordings: Mapping[str, Sequence[Segment]], seconds: Mapping[str, float], sample_rates: Mapping[str, int]
) -> str:
    """Return the unit that brings the events into their recordings.

    Parameters
    ----------
    recordings : mapping of str to sequence of Segment
        Times as they stand in the file.
    seconds, sample_rates : mapping of str to float, to int
        Lengths of the recordings, and Hz of their files.

    Notes
    -----
    Times in samples are at most the sample rate beyond the end, those in milliseconds at most 1000 times. Where both
    would fit, times in samples of a recording with events in its first second only, milliseconds are guessed.
    """
    last = {name: max(one.offset for one in events) for name, events in recordings.items() if events}
    factors = {name: last[name] / seconds[name] for name in last if seconds[name] > 0.0}
    if not factors or median(factors.values()) < _LEAST_FACTOR:
        return "seconds"
    if max(factors.values()) <= 1.01 * _MILLISECONDS:
        return "milliseconds"
    is_samples = all(factor <= 1.01 * sample_rates[name] for name, factor in factors.items())
    return "samples" if is_samples else "seconds"

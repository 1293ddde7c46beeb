"""How far found borders are from the annotated ones: a border is where the labels change."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_runtime.segments.segment import Segment
from train.event_scores.recordings import FloatArray, Segments, paired

_DIGITS = 3  # of seconds: what is nearer than a millisecond is one time
_Change = tuple[frozenset[str], frozenset[str]]


@dataclass(frozen=True, kw_only=True, eq=False)
class BorderErrors:
    """Every annotated border.

    Attributes
    ----------
    distances : np.ndarray
        float64 (n_borders,): seconds to the nearest found border of the same change; infinite where its recording has
        none.
    changes : tuple of str
        From what to what, "music to speech".
    owners : np.ndarray
        int64 (n_borders,): which recording a border is of.
    """

    distances: FloatArray
    changes: tuple[str, ...]
    owners: npt.NDArray[np.int64]

    @property
    def num_missed(self) -> int:
        """How many borders have no found one of the same change in their recording."""
        return int(np.isinf(self.distances).sum())

    def quantile(self, share: float, weights: FloatArray | None = None) -> float:
        """Return a quantile of the distances in seconds, NaN without borders.

        Parameters
        ----------
        share : float
            0.5 for the median.
        weights : np.ndarray, optional
            float64 (n_recordings,), whole numbers: how often each recording counts.
        """
        distances = self.distances
        if weights is not None:
            distances = np.repeat(distances, weights[self.owners].astype(np.int64))
        if not distances.size:
            return math.nan
        ordered = np.sort(distances)
        place = share * (ordered.size - 1)
        low, high = float(ordered[math.floor(place)]), float(ordered[math.ceil(place)])
        return low if low == high else low + (place - math.floor(place)) * (high - low)


def border_errors(reference: Segments, estimated: Segments, seconds: Mapping[str, float] | None = None) -> BorderErrors:
    """Return how far each annotated border is from the nearest found one.

    Parameters
    ----------
    reference, estimated : mapping of str to sequence of Segment
        By recording; one that `estimated` lacks has no segments there.
    seconds : mapping of str to float, optional
        The length of each recording; up to the last annotated offset if None. Its beginning and its end are no borders.

    Raises
    ------
    ValueError
        As for `paired`.

    Notes
    -----
    The reference-to-estimated deviation of mir_eval 0.8.2, `segment.deviation` with `trim`, but between borders of the
    same change only: what plays before and behind a found border must be what is annotated there.
    """
    distances: list[float] = []
    changes: list[str] = []
    owners: list[int] = []
    for owner, (name, (events, found)) in enumerate(zip(reference, paired(reference, estimated), strict=True)):
        end = seconds[name] if seconds is not None else max((one.offset for one in events), default=0.0)
        heard = _borders(found, end)
        for change, times in _borders(events, end).items():
            others = np.array(heard.get(change, [math.inf]))
            distances += [float(np.abs(others - time).min()) for time in times]
            changes += [f"{_named(change[0])} to {_named(change[1])}"] * len(times)
            owners += [owner] * len(times)
    return BorderErrors(
        distances=np.array(distances, np.float64), changes=tuple(changes), owners=np.array(owners, np.int64)
    )


def _borders(segments: Sequence[Segment], end: float) -> dict[_Change, list[float]]:
    """The times of each change between the beginning and the end of a recording."""
    times = sorted({round(time, _DIGITS) for one in segments for time in (one.onset, one.offset)})
    found: dict[_Change, list[float]] = {}
    before: frozenset[str] = frozenset()
    for time in times:
        after = frozenset(
            one.label for one in segments if round(one.onset, _DIGITS) <= time < round(one.offset, _DIGITS)
        )
        if after != before and 0.0 < time < round(end, _DIGITS):
            found.setdefault((before, after), []).append(time)
        before = after
    return found


def _named(labels: frozenset[str]) -> str:
    """What plays, in words."""
    return " and ".join(sorted(labels)) or "no label"

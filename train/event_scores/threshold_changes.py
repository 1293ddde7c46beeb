"""How the detections of one label change as the threshold falls: right ones, false ones, and false ones on others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from train.event_scores.recordings import FloatArray

_DECIMALS = 6  # of seconds, at which times are compared
_CELLS_AT_ONCE = 4_000_000  # thresholds by frames in memory


@dataclass(frozen=True, kw_only=True)
class Tolerances:
    """From which share of overlap on something counts; each in (0, 1].

    Attributes
    ----------
    detection : float
        DTC: a detection is right where so much of it lies on annotated events of its label.
    ground_truth : float
        GTC: an event is found where right detections cover so much of it.
    cross_trigger : float or None
        CTTC: a false detection is one on another label where so much of it lies on that label's events.
    """

    detection: float
    ground_truth: float
    cross_trigger: float | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelChanges:
    """The changes of one label in all recordings, in order of falling thresholds.

    Attributes
    ----------
    thresholds : np.ndarray
        float64 (n,), falling.
    owners : np.ndarray
        int64 (n,): the recording of each change.
    changes : np.ndarray
        float64 (n, 2 + other labels): events found, false detections, and those on each other label.
    """

    thresholds: FloatArray
    owners: npt.NDArray[np.int64]
    changes: FloatArray

    def totals(self, weights: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return found events (n,), false detections (n,) and those on other labels (n, others) at each threshold.

        Parameters
        ----------
        weights : np.ndarray
            float64 (n_recordings,): how often each counts.
        """
        sums = np.cumsum(self.changes * weights[self.owners, np.newaxis], axis=0)
        is_last = np.append(self.thresholds[1:] != self.thresholds[:-1], np.ones(min(1, self.thresholds.size), bool))
        rows = np.concatenate([np.zeros((1, self.changes.shape[1])), sums[is_last]])  # at first nothing is detected
        return rows[:, 0], rows[:, 1], rows[:, 2:]


def label_changes(
    scores: Sequence[npt.ArrayLike],
    hops: Sequence[float],
    events: Sequence[FloatArray],
    others: Sequence[Sequence[FloatArray]],
    tolerances: Tolerances,
) -> LabelChanges:
    """Return the changes of one label over all recordings.

    Parameters
    ----------
    scores : sequence of array_like, shape (n_frames,)
        Of the label, one a recording.
    hops : sequence of float
        Seconds from frame to frame.
    events : sequence of np.ndarray
        Onsets and offsets of the label, float64 (n_events, 2), none overlapping.
    others : sequence of sequence of np.ndarray
        The same for each other label.
    tolerances : Tolerances
    """
    parts = [
        _of_recording(np.asarray(column, np.float64), hop, own, other, tolerances)
        for column, hop, own, other in zip(scores, hops, events, others, strict=True)
    ]
    thresholds = np.concatenate([levels for levels, _ in parts])
    order = np.argsort(-thresholds, kind="stable")
    owners = np.repeat(np.arange(len(parts)), [len(levels) for levels, _ in parts])
    changes = np.concatenate([rows for _, rows in parts])
    return LabelChanges(thresholds=thresholds[order], owners=owners[order], changes=changes[order])


def _of_recording(
    scores: FloatArray, hop: float, events: FloatArray, others: Sequence[FloatArray], tolerances: Tolerances
) -> tuple[FloatArray, FloatArray]:
    """The thresholds at which something changes in one recording, rising, and what."""
    levels = np.unique(scores)
    counts = np.concatenate(
        [_counts(found, events, others, tolerances) for found in _detections(scores, levels, hop)]
        or [np.zeros((0, 2 + len(others)))]
    )
    changes = counts - np.concatenate([counts[1:], np.zeros((min(1, len(counts)), counts.shape[1]))])
    is_change = changes.any(axis=1)
    return levels[is_change], changes[is_change]


@dataclass(frozen=True)
class _Detections:
    """The detections at some thresholds: of each the threshold's number, its onset and its offset."""

    num_levels: int
    level: npt.NDArray[np.int64]
    onset: FloatArray
    offset: FloatArray

    def count(self, chosen: npt.NDArray[np.bool_]) -> FloatArray:
        """How many of these there are at each threshold."""
        return np.bincount(self.level[chosen], minlength=self.num_levels).astype(np.float64)


def _detections(scores: FloatArray, levels: FloatArray, hop: float) -> Iterator[_Detections]:
    """Yield what is detected at each threshold, some thresholds at a time."""
    at_once = max(1, _CELLS_AT_ONCE // max(scores.size, 1))
    for first in range(0, levels.size, at_once):
        block = levels[first : first + at_once]
        above = np.zeros((block.size, scores.size + 2), np.int8)
        above[:, 1:-1] = scores >= block[:, np.newaxis]
        steps = np.diff(above, axis=1)
        level, onset = np.nonzero(steps == 1)
        offset = np.nonzero(steps == -1)[1]
        yield _Detections(
            block.size, level, np.multiply(onset, hop, dtype=np.float64), np.multiply(offset, hop, dtype=np.float64)
        )


def _counts(found: _Detections, events: FloatArray, others: Sequence[FloatArray], tolerances: Tolerances) -> FloatArray:
    """At each threshold: events found, false detections, and those on each other label."""
    lengths = found.offset - found.onset
    is_right = np.round(_overlap(found, events), _DECIMALS) >= np.round(tolerances.detection * lengths, _DECIMALS)
    num_found = np.zeros(found.num_levels)
    for onset, offset in events:
        shared = np.clip(np.minimum(found.offset, offset) - np.maximum(found.onset, onset), 0.0, None) * is_right
        covered = np.bincount(found.level, weights=shared, minlength=found.num_levels)
        needed = np.round(tolerances.ground_truth * (offset - onset), _DECIMALS)
        num_found += np.round(covered, _DECIMALS) >= needed
    columns = [num_found, found.count(~is_right)]
    for other in others:
        crossed = np.zeros(is_right.size, bool)
        if tolerances.cross_trigger is not None and len(other):
            needed = np.round(tolerances.cross_trigger * lengths, _DECIMALS)
            crossed = ~is_right & (np.round(_overlap(found, other), _DECIMALS) >= needed)
        columns.append(found.count(crossed))
    return np.stack(columns, axis=1)


def _overlap(found: _Detections, events: FloatArray) -> FloatArray:
    """How many seconds of each detection lie on events, which do not overlap."""
    if not len(events):
        return np.zeros(found.onset.size)
    before = np.concatenate([[0.0], np.cumsum(events[:, 1] - events[:, 0])])

    def covered(times: FloatArray) -> FloatArray:
        place = np.searchsorted(events[:, 0], times, side="right")
        last = np.maximum(place - 1, 0)
        return np.where(place > 0, before[last] + np.minimum(times, events[last, 1]) - events[last, 0], 0.0)

    return covered(found.offset) - covered(found.onset)

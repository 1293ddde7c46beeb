"""Event-based counts: which annotated events are found, with onset and offset near enough."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge_runtime.segments.segment import Segment
from train.event_scores.event_counts import EventCounts
from train.event_scores.matching import largest_matching
from train.event_scores.recordings import FloatArray, Segments, labels_of, paired
from train.event_scores.segment_based import column_of

COLLAR_SECONDS = 0.2
OFFSET_SHARE = 0.2  # of the annotated length, within which the offset may be where that is more than the collar


def event_counts(
    reference: Segments,
    estimated: Segments,
    labels: Sequence[str] | None = None,
    collar_seconds: float = COLLAR_SECONDS,
    offset_share: float = OFFSET_SHARE,
) -> EventCounts:
    """Return which events are found, missed and too much.

    Parameters
    ----------
    reference, estimated : mapping of str to sequence of Segment
        By recording; one that `estimated` lacks has no segments there.
    labels : sequence of str, optional
        Those that occur if None.
    collar_seconds : float
        How far the onset may be off, and the offset at least.
    offset_share : float
        How far the offset may be off, as a share of the annotated length; the larger of both counts.

    Raises
    ------
    ValueError
        As for `paired`, a collar that is not positive, a share outside 0 to 1, or a label that is not among `labels`.

    Notes
    -----
    As sed_eval 0.2.1, `EventBasedMetrics` (Mesaros 2016) with its default matching "optimal": as many pairs of one
    label as can be, each event in one pair. A substitution is a pair of events that are left over, of any two labels,
    taken in the order of the annotated events.
    """
    if not 0.0 < collar_seconds < float("inf") or not 0.0 <= offset_share <= 1.0:
        raise ValueError(
            f"the collar is {collar_seconds} s and the offset's share {offset_share}; expected a positive time and 0 "
            "to 1"
        )
    names = tuple(labels) if labels is not None else labels_of(reference, estimated)
    rows = [_count(*events, names, collar_seconds, offset_share) for events in paired(reference, estimated)]
    return EventCounts(labels=names, **{name: np.stack([row[name] for row in rows]) for name in rows[0]})


def _count(
    events: list[Segment], found: list[Segment], labels: tuple[str, ...], collar: float, share: float
) -> dict[str, FloatArray]:
    """The counts of one recording."""
    of_event = np.array([column_of(one, labels) for one in events], np.int64)
    of_found = np.array([column_of(one, labels) for one in found], np.int64)
    near = _near(events, found, collar, share)
    pairs = largest_matching(near & (of_event[:, np.newaxis] == of_found))
    left = _left_over(len(events), pairs[:, 0]), _left_over(len(found), pairs[:, 1])
    num_substituted = _substitutions(near[np.ix_(*left)])
    return {
        "true_positives": _by_label(of_event[pairs[:, 0]], labels),
        "estimated": _by_label(of_found, labels),
        "reference": _by_label(of_event, labels),
        "substituted": np.asarray(float(num_substituted)),
        "deleted": np.asarray(float(left[0].size - num_substituted)),
        "inserted": np.asarray(float(left[1].size - num_substituted)),
    }


def _near(events: list[Segment], found: list[Segment], collar: float, share: float) -> npt.NDArray[np.bool_]:
    """Whether onset and offset agree, (n_events, n_found)."""
    there = np.array([(one.onset, one.offset) for one in events]).reshape(-1, 1, 2)
    heard = np.array([(one.onset, one.offset) for one in found]).reshape(1, -1, 2)
    far = np.abs(there - heard)
    allowed = np.maximum(collar, share * (there[..., 1] - there[..., 0]))
    return np.asarray((far[..., 0] <= collar) & (far[..., 1] <= allowed))


def _left_over(number: int, taken: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The positions that are in no pair."""
    return np.setdiff1d(np.arange(number), taken)


def _substitutions(near: npt.NDArray[np.bool_]) -> int:
    """How many of the events left over have a partner: each takes the first that is free."""
    free, number = np.ones(near.shape[1], bool), 0
    for row in near:
        partners = np.flatnonzero(row & free)
        if partners.size:
            free[partners[0]] = False
            number += 1
    return number


def _by_label(columns: npt.NDArray[np.int64], labels: tuple[str, ...]) -> FloatArray:
    """How many there are of each label."""
    return np.bincount(columns, minlength=len(labels)).astype(np.float64)

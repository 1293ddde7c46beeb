"""Segment-based counts: in every second, which labels are annotated and which are found."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from edge_runtime.segments.segment import Segment
from train.event_scores.event_counts import EventCounts
from train.event_scores.recordings import FloatArray, Segments, labels_of, paired

SEGMENT_SECONDS = 1.0


def segment_counts(
    reference: Segments,
    estimated: Segments,
    labels: Sequence[str] | None = None,
    segment_seconds: float = SEGMENT_SECONDS,
) -> EventCounts:
    """Return what is right, missed and too much in segments of equal length.

    Parameters
    ----------
    reference, estimated : mapping of str to sequence of Segment
        By recording; one that `estimated` lacks has no segments there.
    labels : sequence of str, optional
        Those that occur if None.
    segment_seconds : float

    Raises
    ------
    ValueError
        As for `paired`, a segment length that is not positive, or a label that is not among `labels`.

    Notes
    -----
    As sed_eval 0.2.1, `SegmentBasedMetrics` (Mesaros 2016): a label is active in every segment that one of its events
    touches, from the floor of the onset to the ceiling of the offset. In each segment substitutions are
    min(reference, estimated) - right ones, deletions and insertions what one of them has more.
    """
    if not 0.0 < segment_seconds < math.inf:
        raise ValueError(f"a segment is {segment_seconds} s; expected a positive time")
    names = tuple(labels) if labels is not None else labels_of(reference, estimated)
    rows = []
    for events, found in paired(reference, estimated):
        last = max((one.offset for one in (*events, *found)), default=0.0)
        length = math.ceil(last / segment_seconds)
        rows.append(_count(_roll(events, names, length, segment_seconds), _roll(found, names, length, segment_seconds)))
    return EventCounts(labels=names, **{name: np.stack([row[name] for row in rows]) for name in rows[0]})


def _roll(segments: Sequence[Segment], labels: tuple[str, ...], length: int, segment_seconds: float) -> FloatArray:
    """Where each label is active, 0 or 1, (length, n_labels)."""
    roll = np.zeros((length, len(labels)))
    for one in segments:
        first, last = math.floor(one.onset / segment_seconds), math.ceil(one.offset / segment_seconds)
        roll[first:last, column_of(one, labels)] = 1.0
    return roll


def column_of(segment: Segment, labels: Sequence[str]) -> int:
    """Return the position of a segment's label; raises ValueError where it has none."""
    if segment.label not in labels:
        raise ValueError(f"a segment is of {segment.label!r}; expected one of {', '.join(labels)}")
    return labels.index(segment.label)


def _count(there: FloatArray, found: FloatArray) -> dict[str, FloatArray]:
    """The counts of one recording."""
    hits, num_there, num_found = (there * found).sum(1), there.sum(1), found.sum(1)
    return {
        "true_positives": (there * found).sum(0),
        "estimated": found.sum(0),
        "reference": there.sum(0),
        "substituted": np.asarray((np.minimum(num_there, num_found) - hits).sum()),
        "deleted": np.asarray(np.maximum(num_there - num_found, 0.0).sum()),
        "inserted": np.asarray(np.maximum(num_found - num_there, 0.0).sum()),
    }

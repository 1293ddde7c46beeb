"""The segment error rate of time stamps: which share of the annotated time is missed, too much or of another label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from edge_runtime.segments.segment import Segment
from train.event_scores.recordings import FloatArray, Segments, labels_of, paired

COLUMNS = ("missed", "too_much", "confused", "annotated")


def time_errors(reference: Segments, estimated: Segments) -> FloatArray:
    """Return seconds of each kind of error, float64 (n_recordings, 4), by `COLUMNS`.

    Parameters
    ----------
    reference, estimated : mapping of str to sequence of Segment
        By recording; one that `estimated` lacks has no segments there.

    Notes
    -----
    Counted on continuous time as the identification error rate of pyannote.metrics 4.2: at each moment the labels that
    are annotated and not found are missed, those found and not annotated too much, and what is both in pairs confused.
    """
    labels = labels_of(reference, estimated)
    return np.stack([_of_recording(events, found, labels) for events, found in paired(reference, estimated)])


def segment_error_rate(errors: FloatArray, weights: FloatArray | None = None) -> npt.NDArray[np.float64]:
    """Return all errors over the annotated time: shape () or (n_resamples,); NaN where nothing is annotated.

    Parameters
    ----------
    errors : np.ndarray
        Of `time_errors`.
    weights : np.ndarray, optional
        float64 (n_recordings,) or (n_resamples, n_recordings): how often each recording counts.
    """
    sums = (np.ones(len(errors)) if weights is None else weights) @ errors
    wrong, annotated = sums[..., :3].sum(axis=-1), sums[..., 3]
    rate: FloatArray = np.divide(wrong, annotated, out=np.full(np.shape(wrong), np.nan), where=annotated > 0)
    return rate


def _of_recording(events: Sequence[Segment], found: Sequence[Segment], labels: tuple[str, ...]) -> FloatArray:
    """The seconds of each kind in one recording."""
    edges = np.unique([time for one in (*events, *found) for time in (one.onset, one.offset)])
    if edges.size < 2:
        return np.zeros(len(COLUMNS))
    there, heard = _active(events, labels, edges), _active(found, labels, edges)
    num_there, num_heard, right = there.sum(1), heard.sum(1), np.minimum(there, heard).sum(1)
    kinds = [
        np.maximum(num_there - num_heard, 0),
        np.maximum(num_heard - num_there, 0),
        np.minimum(num_there, num_heard) - right,
        num_there,
    ]
    return np.asarray(np.diff(edges) @ np.stack(kinds, axis=1))


def _active(segments: Sequence[Segment], labels: tuple[str, ...], edges: FloatArray) -> FloatArray:
    """How many segments of each label lie over each stretch between two edges, (n_edges - 1, n_labels)."""
    active = np.zeros((edges.size - 1, len(labels)))
    for one in segments:
        first, last = np.searchsorted(edges, (one.onset, one.offset))
        active[first:last, labels.index(one.label)] += 1
    return active

"""What a detector should say for each frame of a window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from edge_runtime.segments.segment import Segment

LEAST_COVERED = 0.5  # of a frame, for its label to count
LEAST_HEARD_SECONDS = 0.2  # of an event in a window, for its label to count there; of a short event half of it
_ROUNDING = 1e-9  # of a frame: times such as 0.1 s are no sums of powers of two


def frame_targets(
    events: Iterable[Segment],
    labels: Sequence[str],
    start_seconds: float,
    num_frames: int,
    hop_seconds: float,
    frame_seconds: float | None = None,
) -> np.ndarray:
    """Return 1 for each frame and label where events of the label cover at least half of the frame, else 0.

    Parameters
    ----------
    events : iterable of Segment
        Of the whole recording, seconds; those of one label may overlap, and what they share counts once.
    labels : sequence of str
        In output order.
    start_seconds : float
        Where the window begins in the recording; negative where it begins before it.
    num_frames : int
    hop_seconds : float
        From frame to frame.
    frame_seconds : float, optional
        Length of a frame; the hop if None.

    Returns
    -------
    np.ndarray
        float32 (num_frames, n_labels), 0.0 or 1.0.

    Raises
    ------
    ValueError
        An event whose label is not among `labels`, or frames without length.
    """
    if not hop_seconds > 0.0 or num_frames < 1:
        raise ValueError(f"{num_frames} frames of {hop_seconds} s; expected at least one frame, longer than 0 s")
    shares = covered_shares(events, labels, start_seconds, num_frames, hop_seconds, frame_seconds)
    return (shares >= LEAST_COVERED - _ROUNDING).astype(np.float32)


def covered_shares(
    events: Iterable[Segment],
    labels: Sequence[str],
    start_seconds: float,
    num_frames: int,
    hop_seconds: float,
    frame_seconds: float | None = None,
) -> np.ndarray:
    """Return the share of each frame that events of each label cover, float64 (num_frames, n_labels), 0 to 1."""
    places = {label: place for place, label in enumerate(labels)}
    first, length = start_seconds + hop_seconds * np.arange(num_frames), frame_seconds or hop_seconds
    shares = np.zeros((num_frames, len(labels)))
    for event in merged(events):
        if event.label not in places:
            raise ValueError(f"an event is labelled {event.label!r}, but the labels are {', '.join(labels)}")
        overlap = np.minimum(first + length, event.offset) - np.maximum(first, event.onset)
        shares[:, places[event.label]] += np.maximum(overlap, 0.0) / length
    return shares


def window_labels(
    events: Iterable[Segment], labels: Sequence[str], start_seconds: float, window_seconds: float
) -> np.ndarray:
    """Return which labels sound in a window, bool (n_labels,): 0.2 s of an event, or half of one shorter than 0.4 s."""
    sounds = {
        one.label
        for one in events
        if min(one.offset, start_seconds + window_seconds) - max(one.onset, start_seconds)
        >= min(LEAST_HEARD_SECONDS, (one.offset - one.onset) / 2.0) - _ROUNDING
    }
    return np.array([label in sounds for label in labels])


def merged(events: Iterable[Segment]) -> tuple[Segment, ...]:
    """Return the events sorted, those of one label that overlap or touch as one, without scores."""
    joined: dict[str, list[tuple[float, float]]] = {}
    for event in sorted(events, key=lambda one: (one.onset, one.offset)):
        of_label = joined.setdefault(event.label, [])
        if of_label and event.onset <= of_label[-1][1]:
            of_label[-1] = of_label[-1][0], max(of_label[-1][1], event.offset)
        else:
            of_label.append((event.onset, event.offset))
    return tuple(
        sorted(
            Segment(onset=onset, offset=offset, label=label)
            for label, times in joined.items()
            for onset, offset in times
        )
    )

"""Time stamps second by second: which label each second has, and how often the found one is the annotated one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_runtime.scoring.intervals import Interval, share_interval
from edge_runtime.segments.segment import Segment
from train.event_scores.recordings import Segments, labels_of, paired

NO_LABEL = "no label"


@dataclass(frozen=True, kw_only=True, eq=False)
class SecondsJudged:
    """The label of every second.

    Attributes
    ----------
    labels : tuple of str
        The last is `NO_LABEL`.
    truth, found : np.ndarray
        int64 (n_seconds,): positions in `labels`.
    owners : np.ndarray
        int64 (n_seconds,): which recording a second is of.
    """

    labels: tuple[str, ...]
    truth: npt.NDArray[np.int64]
    found: npt.NDArray[np.int64]
    owners: npt.NDArray[np.int64]

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Whether each second has the label that it should, bool (n_seconds,)."""
        return np.asarray(self.truth == self.found)

    @property
    def confusion(self) -> npt.NDArray[np.int64]:
        """Number of seconds by annotated label (rows) and found label (columns)."""
        matrix = np.zeros((len(self.labels),) * 2, np.int64)
        np.add.at(matrix, (self.truth, self.found), 1)
        return matrix

    def accuracy(self, groups: npt.ArrayLike) -> tuple[float, Interval]:
        """Return the share of right seconds and its 95 % interval.

        Parameters
        ----------
        groups : array_like, shape (n_recordings,) or (n_recordings, k)
            What each recording belongs to; see `edge_runtime.scoring.intervals`.
        """
        return float(self.right.mean()), share_interval(self.right, np.asarray(groups)[self.owners])


def judge_seconds(
    reference: Segments, estimated: Segments, seconds: Mapping[str, float] | None = None
) -> SecondsJudged:
    """Return the annotated and the found label of every second.

    Parameters
    ----------
    reference, estimated : mapping of str to sequence of Segment
        By recording; one that `estimated` lacks has no segments there.
    seconds : mapping of str to float, optional
        The length of each recording; up to the last annotated offset if None.

    Raises
    ------
    ValueError
        As for `paired`, or no recording of half a second.

    Notes
    -----
    A second has the label that covers most of it, or none where nothing covers more; of equals the first by name.
    A last second counts from half a second on.
    """
    labels = labels_of(reference, estimated)
    truth, found, owners = [], [], []
    for owner, (name, (events, heard)) in enumerate(zip(reference, paired(reference, estimated), strict=True)):
        length = seconds[name] if seconds is not None else max((one.offset for one in events), default=0.0)
        count = math.floor(length + 0.5)
        truth.append(_by_second(events, labels, count))
        found.append(_by_second(heard, labels, count))
        owners.append(np.full(count, owner, np.int64))
    if not sum(map(len, owners)):
        raise ValueError("no recording has half a second; expected longer ones")
    return SecondsJudged(
        labels=(*labels, NO_LABEL),
        truth=np.concatenate(truth),
        found=np.concatenate(found),
        owners=np.concatenate(owners),
    )


def _by_second(segments: Sequence[Segment], labels: tuple[str, ...], count: int) -> npt.NDArray[np.int64]:
    """The position of the label of each second; one past the last stands for none."""
    begins = np.arange(count, dtype=np.float64)[:, np.newaxis]
    covered = np.zeros((count, len(labels) + 1))
    for one in segments:
        shared = np.minimum(begins + 1.0, one.offset) - np.maximum(begins, one.onset)
        covered[:, labels.index(one.label)] += np.clip(shared[:, 0], 0.0, None)
    # What overlaps of several labels leaves less than nothing, which is never the most.
    covered[:, -1] = 1.0 - covered[:, :-1].sum(axis=1)
    return np.asarray(np.round(covered, 6).argmax(axis=1), np.int64)

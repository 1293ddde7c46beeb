"""Frame scores of a whole recording on one grid in time, and the segments that they amount to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_runtime.segments.segment import Segment
from metadata.plural import counted

FloatArray = npt.NDArray[np.float32]
Run = tuple[int, int, float]
"""First row, the row behind the last, and the highest score of a stretch of rows."""
_ROUNDING = 1e-9  # by which seconds or rows may lie beside the number that was meant


@dataclass(frozen=True, kw_only=True)
class ScoreGrid:
    """Scores at equal distances in time.

    Attributes
    ----------
    hop_seconds : float
        Row i stands for the time from i * hop_seconds up to (i + 1) * hop_seconds.
    labels : tuple of str
    scores : ndarray of float32, shape (n, n_labels)
        In [0, 1].

    Raises
    ------
    ValueError
        A hop that is not above 0, scores that are not finite, or not one column a label.
    """

    hop_seconds: float
    labels: tuple[str, ...]
    scores: FloatArray

    def __post_init__(self) -> None:
        if not self.hop_seconds > 0.0:
            raise ValueError(f"hop_seconds is {self.hop_seconds}; expected seconds above 0")
        if self.scores.ndim != 2 or self.scores.shape[1] != len(self.labels):
            raise ValueError(f"scores have shape {self.scores.shape}; expected (n, {len(self.labels)}), one a label")
        if not np.isfinite(self.scores).all():
            raise ValueError("the scores hold NaN or infinity; expected finite numbers")


def segments_of(
    grid: ScoreGrid,
    thresholds: Sequence[float],
    min_seconds: float = 0.0,
    gap_seconds: float = 0.0,
    median_frames: int = 1,
) -> tuple[Segment, ...]:
    """Return the segments in which each label's scores reach its threshold, sorted by onset.

    Parameters
    ----------
    grid : ScoreGrid
    thresholds : sequence of float
        One a label.
    min_seconds : float
        Shorter segments are left out, after gaps are closed.
    gap_seconds : float
        Segments of one label with at most so much between them are one.
    median_frames : int
        Odd: each score is first replaced by the median of so many around it; at the ends the outermost is repeated.

    Returns
    -------
    tuple of Segment
        The score of each is the highest that was compared with the threshold.

    Raises
    ------
    ValueError
        Not one threshold a label, an even median, or a time below 0.
    """
    if len(thresholds) != len(grid.labels):
        raise ValueError(
            f"there are {counted(len(thresholds), 'threshold')} for {counted(len(grid.labels), 'label')}; "
            "expected one a label"
        )
    if median_frames < 1 or median_frames % 2 == 0:
        raise ValueError(f"median_frames is {median_frames}; expected an odd number")
    if min_seconds < 0.0 or gap_seconds < 0.0:
        raise ValueError(f"min_seconds is {min_seconds} and gap_seconds {gap_seconds}; expected 0 or more")
    scores = median_scores(grid.scores, median_frames)
    runs = {
        label: runs_of(scores[:, place], threshold)
        for place, (label, threshold) in enumerate(zip(grid.labels, thresholds, strict=True))
    }
    return segments_of_runs(runs, grid.hop_seconds, min_seconds, gap_seconds)


def runs_of(scores: FloatArray, threshold: float) -> list[Run]:
    """Return the stretches of rows in which the scores of a label, float32 (n,), reach its threshold."""
    # In float32, as the scores are: a score of 0.3 shall reach a threshold of 0.3.
    reached = scores >= np.float32(threshold)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], reached, [False]]).astype(np.int8)))
    pairs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(first, stop, float(scores[first:stop].max())) for first, stop in pairs]


def segments_of_runs(
    runs: Mapping[str, Sequence[Run]], hop_seconds: float, min_seconds: float = 0.0, gap_seconds: float = 0.0
) -> tuple[Segment, ...]:
    """Return the segments that the runs of each label amount to, sorted by onset; parameters as for `segments_of`."""
    found = [
        Segment(onset=first * hop_seconds, offset=stop * hop_seconds, label=label, score=min(1.0, max(0.0, score)))
        for label, of_label in runs.items()
        for first, stop, score in closed_runs(of_label, gap_seconds / hop_seconds)
        if (stop - first) * hop_seconds + _ROUNDING >= min_seconds
    ]
    return tuple(sorted(found, key=lambda one: (one.onset, one.offset, one.label)))


def closed_runs(runs: Sequence[Run], gap_rows: float = 0.0) -> list[Run]:
    """Return the runs of a label, ascending, with those joined that are at most so many rows apart."""
    joined: list[Run] = []
    for first, stop, score in runs:
        if joined and first - joined[-1][1] <= gap_rows + _ROUNDING:
            joined[-1] = (joined[-1][0], stop, max(joined[-1][2], score))
        else:
            joined.append((first, stop, score))
    return joined


def median_scores(scores: FloatArray, width: int) -> FloatArray:
    """Return the median of `width` rows around each, an odd number; at the ends the outermost row is repeated."""
    if width == 1 or not len(scores):
        return scores
    padded = np.pad(scores, ((width // 2, width // 2), (0, 0)), mode="edge")
    views = np.lib.stride_tricks.sliding_window_view(padded, width, axis=0)
    return np.asarray(np.median(views, axis=-1), np.float32)

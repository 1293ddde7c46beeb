"""From the scores of a clip's windows to the labels of the clip.

mean
    The clip's scores are the means over the windows. A sound that is in few of them counts little.
maximum
    Each label's score is its highest in any window. One window is enough.
union
    A label counts when its score reaches its threshold in any window; the clip's score is the share of the windows
    where it does. So with thresholds it finds the labels that `maximum` finds, and reports other scores.

What then counts: of softmax scores under mean and maximum the label with the highest, the first of equal ones;
otherwise every label that reaches its threshold, maybe none. A silent window, one whose level is below a limit, counts
as if it were not there, under every rule. A clip of silent windows alone has no label and scores of 0.

A window that reaches beyond the end of the clip is padded with zeros and counts as any other; its level is that
of the samples that are there, so that the last words of a clip are not silent for being few.

Axis order: windows first, labels second.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
MERGES = ("mean", "union", "maximum")


class ClipMerge:
    """Merges windows as they come, in constant memory.

    Parameters
    ----------
    rule : {"mean", "union", "maximum"}
    thresholds : sequence of float
        One a label, in [0, 1].

    Attributes
    ----------
    num_windows, num_silent : int
        So far.

    Raises
    ------
    ValueError
        Another rule.
    """

    def __init__(self, rule: str, thresholds: Sequence[float]) -> None:
        if rule not in MERGES:
            raise ValueError(f"merge is {rule!r}; expected one of {', '.join(MERGES)}")
        self.rule = rule
        self.num_windows = self.num_silent = 0
        # In float32, as the scores are: a score of 0.3 shall reach a threshold of 0.3.
        self._thresholds = np.asarray(thresholds, np.float32)
        start = -np.inf if rule == "maximum" else 0.0
        self._kept = np.full(self._thresholds.size, start)  # sums, or maxima

    def add(self, scores: npt.ArrayLike, silent: npt.ArrayLike) -> None:
        """Take windows.

        Parameters
        ----------
        scores : array_like of float, shape (n_windows, n_labels)
            Those of silent windows are not looked at.
        silent : array_like of bool, shape (n_windows,)

        Raises
        ------
        ValueError
            Another number of labels than thresholds, or of windows than of `silent`, or NaN.
        """
        rows, is_left_out = np.asarray(scores, np.float32), np.asarray(silent, bool)
        if rows.shape != (is_left_out.size, self._kept.size):
            raise ValueError(
                f"scores have shape {rows.shape}; expected ({is_left_out.size}, {self._kept.size}), windows and labels"
            )
        merged = rows[~is_left_out]
        if np.isnan(merged).any():
            raise ValueError("the scores of a window that is not silent hold NaN; expected numbers")
        self.num_windows += is_left_out.size
        self.num_silent += int(is_left_out.sum())
        if self.rule == "maximum":
            self._kept = np.maximum(self._kept, merged.max(axis=0, initial=-np.inf))
        else:
            votes = merged if self.rule == "mean" else merged >= self._thresholds
            self._kept = self._kept + votes.sum(axis=0, dtype=np.float64)

    @property
    def num_merged(self) -> int:
        """How many windows were not silent."""
        return self.num_windows - self.num_silent

    @property
    def scores(self) -> FloatArray:
        """The clip's scores, shape (n_labels,); 0 where every window was silent."""
        if not self.num_merged:
            return np.zeros(self._kept.size, np.float32)
        divisor = 1 if self.rule == "maximum" else self.num_merged
        return (self._kept / divisor).astype(np.float32)

    @property
    def reached(self) -> npt.NDArray[np.bool_]:
        """Which labels count where each has a threshold, shape (n_labels,)."""
        reached = self._kept > 0.0 if self.rule == "union" else self.scores >= self._thresholds
        return reached & (self.num_merged > 0)


def merge_windows(
    scores: npt.ArrayLike,
    levels_dbfs: npt.ArrayLike,
    thresholds: Sequence[float],
    rule: str = "mean",
    silence_below_dbfs: float | None = None,
) -> ClipMerge:
    """Merge all windows of a clip at once.

    Parameters
    ----------
    scores : array_like of float, shape (n_windows, n_labels)
    levels_dbfs : array_like of float, shape (n_windows,)
        Of the samples that are there, see `edge_runtime.audio.level.level_dbfs`.
    thresholds, rule
        As for `ClipMerge`.
    silence_below_dbfs : float, optional
        Windows below this level are left out; by default none is.

    Returns
    -------
    ClipMerge
        With `scores` and `reached` of the clip.

    Raises
    ------
    ValueError
        As for `ClipMerge`.
    """
    levels = np.asarray(levels_dbfs, np.float64)
    merged = ClipMerge(rule, thresholds)
    merged.add(scores, np.zeros(levels.shape, bool) if silence_below_dbfs is None else levels < silence_below_dbfs)
    return merged

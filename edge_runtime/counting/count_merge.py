"""From the counts and labels of a clip's windows to those of the clip.

union
    Every label that any window names; its score is the share of the windows that name it, and the counts' scores are
    the shares of the windows with that count. The clip has as many sources as labels: those that follow each other
    add up.
mean, maximum
    The count k is the one whose mean (highest) counter score is the largest, of those that some window has; the
    labels are the k with the highest mean (highest) scores of that count's classifier, over the windows where it
    was asked.

A silent window counts as if it were not there. A clip of silent windows alone has a count of 0 and no label.
A padded window counts as any other, as in `edge_runtime.model.clip_merge`.

Axis order: windows first, then counts or labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_runtime.model.clip_merge import MERGES, ClipMerge

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class CountedScores:
    """What the pipeline says about one window, or a clip.

    Attributes
    ----------
    count : int
        Sources at once; 0 where it is silent. In a clip as many as labels.
    count_scores : ndarray of float32, shape (n_counts,)
        The counter's; 0 where it is silent.
    labels : tuple of str, length count
        The highest score first.
    scores : ndarray of float32, shape (n_labels,)
        Of the classifier for this count, 0 where it is silent.
    """

    count: int
    count_scores: FloatArray
    labels: tuple[str, ...]
    scores: FloatArray


class CountedMerge:
    """Merges the windows of a clip as they come, in constant memory.

    Parameters
    ----------
    rule : {"mean", "union", "maximum"}
    num_counts : int
        How many sources there can be at once.
    labels : tuple of str

    Attributes
    ----------
    num_windows, num_silent : int
        So far.

    Raises
    ------
    ValueError
        Another rule.
    """

    def __init__(self, rule: str, num_counts: int, labels: tuple[str, ...]) -> None:
        if rule not in MERGES:
            raise ValueError(f"merge is {rule!r}; expected one of {', '.join(MERGES)}")
        self.rule, self.num_counts, self.labels = rule, num_counts, labels
        self.num_windows = self.num_silent = 0
        # The windows of a union are merged as votes of 0 and 1, whose mean is a share. Thresholds are not asked.
        kind, no_thresholds = "mean" if rule == "union" else rule, (1.0,) * len(labels)
        self._counts = ClipMerge(kind, (1.0,) * num_counts)
        self._by_count = [ClipMerge(kind, no_thresholds) for _ in range(num_counts)]
        self._named = ClipMerge(kind, no_thresholds)

    def add(self, window: CountedScores) -> None:
        """Take the next window; one with a count of 0 is silent."""
        self.num_windows += 1
        if window.count == 0:
            self.num_silent += 1
        elif self.rule == "union":
            self._counts.add([np.arange(self.num_counts) == window.count - 1], [False])
            self._named.add([[label in window.labels for label in self.labels]], [False])
        else:
            self._counts.add([window.count_scores], [False])
            self._by_count[window.count - 1].add([window.scores], [False])

    def clip(self) -> CountedScores:
        """Return what the windows so far make of the clip."""
        if self.num_windows == self.num_silent:
            return no_sources(self.num_counts, len(self.labels))
        count_scores = self._counts.scores
        if self.rule == "union":
            scores = self._named.scores
            count = int((scores > 0.0).sum())
        else:
            was_asked = [merged.num_windows > 0 for merged in self._by_count]
            count = 1 + int(np.where(was_asked, count_scores, -np.inf).argmax())
            scores = self._by_count[count - 1].scores
        return CountedScores(count, count_scores, top_labels(scores, self.labels, count), scores)


def no_sources(num_counts: int, num_labels: int) -> CountedScores:
    """Return the result for silence."""
    return CountedScores(0, np.zeros(num_counts, np.float32), (), np.zeros(num_labels, np.float32))


def top_labels(scores: npt.ArrayLike, labels: tuple[str, ...], count: int) -> tuple[str, ...]:
    """Return the labels of the highest scores, the highest first, equal ones in the order of the labels."""
    best = np.argsort(-np.asarray(scores, np.float32), kind="stable")[:count]
    return tuple(labels[index] for index in best)

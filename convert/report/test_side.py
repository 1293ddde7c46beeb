"""What the files of one model were judged on, and what that can tell at all: groups a label, and the best one answer.

Truth and decisions are int (n_windows,), of a model that tells sets of labels bool (n_windows, n_labels).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from convert.convertible import Convertible
from train.evaluation.evaluate import TestWindows
from train.recordings.split import DEFAULT_SHARES, MIN_TEST_GROUPS


@dataclass(frozen=True, kw_only=True, eq=False)
class TestSide:
    """The test side of a split.

    Attributes
    ----------
    labels : tuple of str
    truth : np.ndarray
    groups : np.ndarray
        str (n,), or (n, k) for mixtures, empty where one has fewer parts.
    clips : np.ndarray
        int (n,), which clip a window is of.
    window_seconds : float
    groups_in_all : mapping of str to int
        On all sides, by label; empty where the labels are not those of the recordings.
    is_unseen : bool
        Whether the training is known not to have heard it: not of a file that somebody else trained.
    """

    __test__ = False  # its name begins as a test's does

    labels: tuple[str, ...]
    truth: np.ndarray
    groups: np.ndarray
    clips: np.ndarray
    window_seconds: float
    groups_in_all: Mapping[str, int] = field(default_factory=dict)
    is_unseen: bool = True

    def has(self, place: int) -> np.ndarray:
        """Return which windows truly have a label, bool (n,)."""
        return self.truth[:, place] if self.truth.ndim == 2 else self.truth == place

    def right(self, decided: np.ndarray) -> np.ndarray:
        """Return which decisions are right, bool (n,)."""
        return np.asarray((decided == self.truth).reshape(len(self.truth), -1).all(axis=1))

    def best_constant(self) -> tuple[np.ndarray, str]:
        """Return the one answer that is right most often, one row, and its name."""
        answers, counts = np.unique(self.truth, axis=0, return_counts=True)
        best = answers[int(counts.argmax())]
        places = np.flatnonzero(best) if self.truth.ndim == 2 else [int(best)]
        return best, " and ".join(f"'{self.labels[place]}'" for place in places) or "no label"

    def num_groups(self, place: int) -> int:
        """Return how many groups of the test side a label has: of single sounds, where there are any with it."""
        rows = self.has(place)
        if self.groups.ndim == 2:
            single = rows & ((self.groups != "").sum(axis=1) == 1)
            rows = single if single.any() else rows
        names = np.unique(self.groups[rows])
        return int((names != "").sum())

    def tested_share(self) -> float:
        """Return which share of the labels' groups is tested; 1 where it is not known how many there are."""
        known = sum(self.groups_in_all.values())
        return sum(map(self.num_groups, range(len(self.labels)))) / known if known else 1.0

    def shortages(self) -> list[Shortage]:
        """Return what each label lacks that has too few groups."""
        counts = [self.num_groups(place) for place in range(len(self.labels))]
        return [self._shortage(place, count) for place, count in enumerate(counts) if count < MIN_TEST_GROUPS]

    def _shortage(self, place: int, count: int) -> Shortage:
        in_all = self.groups_in_all.get(self.labels[place], 0)
        seconds = float(self.has(place).sum()) * self.window_seconds / max(count, 1)
        # The share of all labels together: of one with few groups the draw takes at least one, which is no share. Of
        # so few in all it is none either, and new groups fall to the test side as a draw has it.
        tested = sum(self.num_groups(other) for other in range(len(self.labels)))
        known = sum(self.groups_in_all.values())
        share = tested / known if known else 0.0
        if tested < MIN_TEST_GROUPS:
            share = min(share, DEFAULT_SHARES["test"])
        needed = math.ceil(MIN_TEST_GROUPS / share) - in_all if share else 0
        more = max(needed, MIN_TEST_GROUPS - count) if in_all and count else 0
        return Shortage(
            label=self.labels[place],
            num_groups=count,
            more_on_test_side=MIN_TEST_GROUPS - count,
            more_in_all=more,
            seconds_each=max(seconds, self.window_seconds),
            num_in_all=in_all,
        )


@dataclass(frozen=True, kw_only=True)
class Shortage:
    """What the recordings of a label lack.

    Attributes
    ----------
    label : str
    num_groups, more_on_test_side : int
        Groups that are tested, and how many are missing.
    num_in_all : int
        Groups on all sides; 0 where not known.
    more_in_all : int
        New groups until so many fall to the test side at the share that all labels have there; 0 where not known.
    seconds_each : float
        Of sound, as the groups that are there have, at least a window.
    """

    label: str
    num_groups: int
    more_on_test_side: int
    more_in_all: int
    seconds_each: float
    num_in_all: int = 0


def describe_test_side(run: Convertible, cut: TestWindows) -> TestSide:
    """Return the test side of a run, whose test windows are given."""
    found: dict[str, set[str]] = {label: set() for label in run.spec.labels}
    index = run.clips.index
    for clip in (one for one in index.clips if one.path not in index.train_only):  # none of these is ever tested
        for label in set(clip.labels) & set(found):
            found[label].update(clip.groups)
    in_all = {label: len(groups) for label, groups in found.items() if groups}
    return TestSide(
        labels=run.spec.labels,
        truth=cut.truth,
        groups=cut.groups,
        clips=cut.clips,
        window_seconds=run.spec.window_seconds,
        groups_in_all=in_all,
        is_unseen=run.is_unseen,
    )


def per_clip(side: TestSide, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the share of right decisions of each clip and its group, in the order of the clips' numbers."""
    _, first, of_clip = np.unique(side.clips, return_index=True, return_inverse=True)
    shares = np.bincount(of_clip, weights=right.astype(np.float64)) / np.bincount(of_clip)
    return shares, side.groups[first]


def alike(one: TestSide, other: TestSide) -> bool:
    """Whether two models were run on the same windows."""
    pairs: Sequence[tuple[Any, Any]] = [(one.truth, other.truth), (one.clips, other.clips), (one.groups, other.groups)]
    return one.window_seconds == other.window_seconds and all(np.array_equal(*pair) for pair in pairs)


def same_clips(one: TestSide, other: TestSide) -> bool:
    """Whether two models were run on the same clips, each whole and of one group, cut as their windows are."""
    single = one.groups.ndim == other.groups.ndim == 1 and one.truth.ndim == other.truth.ndim == 1
    return single and one.labels == other.labels and np.array_equal(np.unique(one.clips), np.unique(other.clips))

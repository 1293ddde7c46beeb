"""Which recordings make a mixture: all pairs whose labels differ, each on the side that both its parts are on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from metadata.plural import counted
from train.recordings.clip import SPLITS
from train.recordings.clip_index import ClipIndex

MOST_PAIRED = 3_000  # clips of a side that are paired with each other: four and a half million pairs


@dataclass(frozen=True, eq=False)
class MixtureIndex:
    """Pairs of clips.

    Attributes
    ----------
    clips : ClipIndex
        What the pairs are made of.
    parts : np.ndarray
        int32 (n, 2), positions in `clips.clips`, the first smaller than the second.
    splits : np.ndarray
        str (n,), the side of both parts; empty where the clips have none.
    left_out : int
        Pairs whose parts stand on different sides; they are not among `parts`.
    """

    clips: ClipIndex
    parts: np.ndarray
    splits: np.ndarray
    left_out: int

    def __len__(self) -> int:
        return len(self.parts)

    def of_split(self, split: str) -> MixtureIndex:
        """Return the mixtures of one side."""
        return self.chosen(np.flatnonzero(self.splits == split))

    def chosen(self, places: np.ndarray) -> MixtureIndex:
        """Return the mixtures at these places."""
        return replace(self, parts=self.parts[places], splits=self.splits[places])

    def labels_of(self, place: int) -> tuple[str, ...]:
        """Return what is heard in one mixture, in the order of the labels."""
        heard = {label for part in self.parts[place] for label in self.clips.clips[part].labels}
        return tuple(label for label in self.clips.labels if label in heard)

    def counts_by_side(self) -> dict[str, int]:
        """Return how many mixtures there are on each side that has any; `left_out` are on none of them."""
        kept = {split: int((self.splits == split).sum()) for split in (*SPLITS, "")}
        return {split or "no side": count for split, count in kept.items() if count}


def pair_clips(clips: ClipIndex) -> MixtureIndex:
    """Return the pairs of clips that share no label and stand on the same side of the split.

    Of a side with more than `MOST_PAIRED` clips some are paired, as `pairs_of_side` takes them.

    Raises
    ------
    ValueError
        There is no such pair, or only some of the clips are on a side.
    """
    sides = np.array([clip.split for clip in clips.clips])
    if (sides == "").any() and (sides != "").any():
        raise ValueError(
            f"{int((sides != '').sum())} of {counted(len(sides), 'clip')} have a split; give one to all of them, or "
            "to none"
        )
    found = [pairs_of_side(clips, np.flatnonzero(sides == side).tolist()).parts for side in np.unique(sides)]
    parts = np.concatenate([np.zeros((0, 2), np.int32), *found])
    if not len(parts):
        raise ValueError(
            f"{counted(len(sides), 'clip makes', 'clips make')} no pair of different labels on one side of the split; "
            "a mixture needs clips of two labels on its side"
        )
    parts = parts[np.lexsort((parts[:, 1], parts[:, 0]))]
    return MixtureIndex(clips, parts, sides[parts[:, 0]], _num_across(label_sets(clips), sides))


def crowded_sides(clips: ClipIndex) -> dict[str, int]:
    """Return how many clips stand on each side of which not all are paired; see `MOST_PAIRED`."""
    return {side: count for side, count in Counter(clip.split for clip in clips.clips).items() if count > MOST_PAIRED}


def _num_across(heard: np.ndarray, sides: np.ndarray) -> int:
    """How many pairs share no label and stand on two sides, counted by kinds of clips: there are few of those."""
    kinds, kind = np.unique(heard, axis=0, return_inverse=True)
    names, side = np.unique(sides, return_inverse=True)
    counts = np.zeros((len(kinds), len(names)), np.int64)
    np.add.at(counts, (kind.reshape(-1), side.reshape(-1)), 1)
    apart = kinds.astype(np.float32) @ kinds.T.astype(np.float32) == 0
    every, own = counts.sum(axis=1), (counts * (apart @ counts)).sum()
    return int((every @ (apart @ every) - own) // 2)


def pairs_of_side(clips: ClipIndex, places: Sequence[int]) -> MixtureIndex:
    """Return the pairs that share no label among clips of one side, in the order of `pair_clips`; there may be none.

    Parameters
    ----------
    clips : ClipIndex
    places : sequence of int
        Ascending positions of clips that stand on the same side. Of more than `MOST_PAIRED` some are taken, evenly over
        the labels and over the clips of each: there are as many pairs as the square of the clips.
    """
    chosen = np.asarray(places, np.int64)
    if chosen.size > MOST_PAIRED:
        chosen = _spread_over_labels(clips, chosen)
    heard = label_sets(clips, chosen.tolist()).astype(np.float32)
    first, second = np.nonzero(np.triu(heard @ heard.T == 0, 1))
    parts = np.stack([chosen[first], chosen[second]], axis=1).astype(np.int32)
    side = clips.clips[chosen[0]].split if chosen.size else ""
    return MixtureIndex(clips, parts, np.full(len(parts), side), 0)


def label_sets(clips: ClipIndex, places: Sequence[int] | None = None) -> np.ndarray:
    """Return which labels each clip has, bool (n_clips, n_labels), for those at `places` or for all."""
    position = {label: place for place, label in enumerate(clips.labels)}
    chosen = clips.clips if places is None else [clips.clips[place] for place in places]
    heard = np.zeros((len(chosen), len(position)), bool)
    for row, clip in zip(heard, chosen, strict=True):
        row[[position[label] for label in clip.labels]] = True
    return heard


def _spread_over_labels(clips: ClipIndex, places: np.ndarray) -> np.ndarray:
    """At most `MOST_PAIRED` of the places, as many of each label as far as it has them, spread over those it has."""
    heard = label_sets(clips, places.tolist())
    most = max(1, MOST_PAIRED // heard.shape[1])
    kept = [places[own] for own in (np.flatnonzero(column) for column in heard.T)]
    kept = [own[np.linspace(0, own.size - 1, min(most, own.size)).astype(int)] for own in kept]
    return np.unique(np.concatenate(kept))


def label_kinds(mixtures: MixtureIndex) -> tuple[np.ndarray, np.ndarray]:
    """Return the sets of labels that occur, bool (n_kinds, n_labels), and which of them each mixture has, int (n,)."""
    heard = label_sets(mixtures.clips)
    kinds, kind = np.unique(heard[mixtures.parts[:, 0]] | heard[mixtures.parts[:, 1]], axis=0, return_inverse=True)
    return kinds, kind.reshape(-1)


def spread(mixtures: MixtureIndex, count: int) -> MixtureIndex:
    """Return at most `count` mixtures, every pair of labels and every clip about equally often, always the same ones.

    Pairs of labels take turns; within a pair of labels the mixtures are in a fixed random order.
    """
    if len(mixtures) <= count:
        return mixtures
    _, kind = label_kinds(mixtures)
    shuffled = np.random.default_rng(0).permutation(len(mixtures))
    turn = np.empty(len(mixtures), np.int64)
    for number in range(int(kind.max()) + 1):
        own = shuffled[kind[shuffled] == number]
        turn[own] = np.arange(own.size)
    order = np.lexsort((kind, turn))
    return mixtures.chosen(np.sort(order[:count]))

"""Which recordings make a mixture: all pairs whose labels differ, each on the side that both its parts are on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from metadata.plural import counted
from train.recordings.clip_index import ClipIndex
from train.recordings.pair_index import MixtureIndex

MOST_PAIRED = 3_000  # clips of a side that are paired with each other: four and a half million pairs


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

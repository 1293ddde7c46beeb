"""Other sides for the clips of a training: inner folds to choose by, and all of both sides to train on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from train.evaluation.group_folds import group_folds
from train.mixtures.mixture_index import label_sets
from train.recordings.pair_index import MixtureIndex
from train.recordings.store.clip_store import LoadedClips

SIDES = "train", "val"  # what may be trained on
MOST_FOLDS = 5


def all_to_train(clips: LoadedClips) -> LoadedClips:
    """Return the clips with those of the validation side on the training side."""
    return _sided(clips, set())


def inner_folds(clips: LoadedClips, most: int, seed: int = 0) -> list[LoadedClips]:
    """Deal the groups of training and validation side into folds; each is the validation side once.

    Parameters
    ----------
    clips : LoadedClips
    most : int
        Folds, at least 2.
    seed : int

    Returns
    -------
    list of LoadedClips
        As many as the label with the fewest groups has groups, `most` of them at most; none where that is one.
    """
    places = np.array([place for side in SIDES for place in clips.places(side)])
    groups = np.array([clips.index.clips[place].group for place in places])
    truth = label_sets(clips.index, places.tolist())
    num_folds = min(most, *(np.unique(groups[of_label]).size for of_label in truth.T))
    if num_folds < 2:
        return []
    dealt = group_folds(groups, truth, num_folds, 1, seed)
    return [_sided(clips, set(places[held_out].tolist())) for _, held_out in dealt]


def groups_on(clips: LoadedClips, side: str) -> set[str]:
    """Return the groups of the clips on a side."""
    return {clip.group for clip in clips.index.of_split(side)}


def _sided(clips: LoadedClips, held_out: Collection[int]) -> LoadedClips:
    """The clips at some places on the validation side, the others but for the test side on the training side."""
    sides = [
        clip.split if clip.split not in SIDES else SIDES[place in held_out]
        for place, clip in enumerate(clips.index.clips)
    ]
    sided = (replace(clip, split=side) for clip, side in zip(clips.index.clips, sides, strict=True))
    index = clips.index.with_clips(sided)
    pairs = clips.pairs
    if pairs is not None:
        of_parts = np.array(sides)[pairs.parts]
        alike = of_parts[:, 0] == of_parts[:, 1]
        pairs = MixtureIndex(index, pairs.parts[alike], of_parts[alike, 0], int((~alike).sum()))
    return replace(clips, index=index, pairs=pairs)

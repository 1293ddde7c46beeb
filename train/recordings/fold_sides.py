"""The folds of a cross-validation: the data's own, or groups dealt into folds; and the sides of each."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from metadata.plural import counted
from train.recordings.clip_index import Clip, ClipIndex
from train.recordings.joined_groups import join_groups
from train.recordings.split import check_split, fold_names, split_by_fold

USUAL_FOLDS = 5
LEAST_FOLDS = 2
TWO_SIDES = "train", "test"  # where nothing is chosen on a validation side


def with_folds(index: ClipIndex, num_folds: int | None, seed: int, own: bool = True) -> tuple[ClipIndex, str]:
    """Return the index with a fold for every clip, and how they came there, for people.

    Parameters
    ----------
    index : ClipIndex
        Of one label or several a clip.
    num_folds : int, optional
        Groups are dealt into so many folds. None: the data's own folds where every clip has one and there are three
        or more; else five, or as many as the label with the fewest groups has.
    seed : int
        Of the deal.
    own : bool
        Whether the data's own folds may be taken.

    Raises
    ------
    ValueError
        A label with fewer groups than there are folds, or with one alone.
    """
    if num_folds is None and own and all(clip.fold for clip in index.clips):
        names = fold_names(index)
        if len(names) > LEAST_FOLDS:
            return index, f"the data's own {len(names)} folds"
    groups_of = _groups_by_label(index)
    scarce = min(index.labels, key=lambda label: len(groups_of[label]))
    fewest = len(groups_of[scarce])
    if num_folds is None:
        num_folds = min(USUAL_FOLDS, max(fewest, LEAST_FOLDS))
    if num_folds < LEAST_FOLDS:
        raise ValueError(f"there are {num_folds} folds; expected {LEAST_FOLDS} or more")
    if fewest < num_folds:
        raise ValueError(
            f"{scarce} has {counted(fewest, 'group')}, too few for {num_folds} folds, each of which tests every label; "
            f"{_advice(fewest)}"
        )
    return _dealt(index, num_folds, seed), f"groups dealt into {num_folds} folds with seed {seed}"


def fewest_groups(index: ClipIndex) -> tuple[str, int]:
    """Return the label with the fewest groups, and their number."""
    groups_of = _groups_by_label(index)
    label = min(index.labels, key=lambda name: len(groups_of[name]))
    return label, len(groups_of[label])


def sides_of_fold(index: ClipIndex, fold: str) -> ClipIndex:
    """Return the index with one fold as the test side and the next one for validation; of two folds with no validation.

    Raises
    ------
    ValueError
        As for `split_by_fold`: a label without clips on a side, a group in several folds.
    """
    if len(fold_names(index)) > LEAST_FOLDS:
        return split_by_fold(index, fold)
    sided = (replace(clip, split="test" if clip.fold == fold else "train") for clip in index.clips)
    index = replace(index.with_clips(sided), full_sides=TWO_SIDES)
    check_split(index)
    return index


def halves(index: ClipIndex, seed: int) -> ClipIndex:
    """Return the index with half of the groups of each label on the training side and half on the test side."""
    dealt = sides_of_fold(_dealt(index, LEAST_FOLDS, seed), "1")
    folds = {clip.path: clip.fold for clip in index.clips}
    return dealt.with_clips(replace(clip, fold=folds[clip.path]) for clip in dealt.clips)


def _groups_by_label(index: ClipIndex) -> dict[str, set[str]]:
    """The groups of each label, those that one clip binds together as one."""
    bound = join_groups(clip.groups for clip in index.clips)
    found: dict[str, set[str]] = {label: set() for label in index.labels}
    for clip in index.clips:
        for label in clip.labels:
            found[label].add(bound[clip.groups[0]])
    return found


def _advice(fewest: int) -> str:
    """What to do about too few groups."""
    if fewest < LEAST_FOLDS:
        return "add recordings of another speaker or source"
    return f"expected --folds {fewest} or fewer"


def _dealt(index: ClipIndex, num_folds: int, seed: int) -> ClipIndex:
    """The index with whole groups dealt into folds, label by label, the scarcest first."""
    generator = np.random.default_rng(seed)
    bound = join_groups(clip.groups for clip in index.clips)
    fold: dict[str, int] = {}
    groups_of = _groups_by_label(index)
    sizes = np.zeros(num_folds)
    for label in sorted(index.labels, key=lambda name: (len(groups_of[name]), name)):
        have = np.zeros(num_folds)
        for group in groups_of[label] & fold.keys():
            have[fold[group]] += 1
        left = sorted(groups_of[label] - fold.keys())
        for place in generator.permutation(len(left)):
            chosen = int(np.lexsort((sizes, have))[0])  # the fold with the fewest of the label, then of all
            fold[left[place]] = chosen
            have[chosen] += 1
            sizes[chosen] += 1
    return index.with_clips(replace(clip, fold=_fold_of(clip, bound, fold)) for clip in index.clips)


def _fold_of(clip: Clip, bound: dict[str, str], fold: dict[str, int]) -> str:
    """The name of the fold of a clip; recordings without a label go with the first fold."""
    return str(fold.get(bound[clip.groups[0]], 0) + 1)

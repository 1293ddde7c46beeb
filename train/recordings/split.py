"""Train, validation and test: by group, so that no speaker and no recording is on two sides; drawn, or by folds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from metadata.plural import counted
from train.recordings.clip_index import LABEL_SEPARATOR, SPLITS, Clip, ClipIndex
from train.recordings.decoding.decode import AudioError, duration
from train.recordings.folder_parts import fold_number
from train.recordings.joined_groups import join_groups
from train.recordings.left_out import name_some

DEFAULT_SHARES = {"train": 0.7, "val": 0.15, "test": 0.15}  # of build, train, data split and data mix alike
MIN_TEST_GROUPS = 5
"""A label that fewer unseen speakers or sources have is not judged: of four that are all right one in two may be wrong
(Wilson's 95 % interval begins at 51 %)."""


class LeakError(ValueError):
    """The same group or the same audio stands on two sides of a split."""


def read_shares(text: str) -> dict[str, float]:
    """Return the shares of the sides from text such as 70:15:15, in the order train, val, test; they add up to 1."""
    try:
        parts = [float(part) for part in text.split(":")]
    except ValueError:
        parts = []
    if len(parts) != len(SPLITS) or not all(0.0 < part < float("inf") for part in parts):
        raise ValueError(
            f"shares are {text!r}; expected three numbers above 0 for {':'.join(SPLITS)}, as {shares_text()}"
        )
    return {split: part / sum(parts) for split, part in zip(SPLITS, parts, strict=True)}


def shares_text(shares: Mapping[str, float] = DEFAULT_SHARES) -> str:
    """Return shares in percent as `read_shares` takes them, such as 70:15:15."""
    return ":".join(f"{100 * shares[split]:g}" for split in SPLITS)


def split_clips(index: ClipIndex, seed: int, shares: Mapping[str, float] | None = None) -> ClipIndex:
    """Return the index with every clip on a side; a split that the index already gives is kept as it is.

    Raises
    ------
    ValueError
        Some clips have a split and some have none, a label has fewer groups than there are sides, or a side lacks
        a label.
    LeakError
        A given split divides a group.
    """
    given = sum(bool(clip.split) for clip in index.clips)
    if 0 < given < len(index.clips):
        raise ValueError(
            f"{given} of {counted(len(index.clips), 'clip')} have a split; give one to all of them, or leave the "
            "column empty"
        )
    if not given:
        try:
            index = index.with_clips(_draw(index.clips, index.labels, seed, shares or DEFAULT_SHARES))
        except ValueError as error:
            raise ValueError(f"{error}{tell_unreadable(index)}") from error
    check_split(index)
    return index


def split_by_fold(index: ClipIndex, test_fold: str, val_fold: str | None = None) -> ClipIndex:
    """Return the index with one of its folds as the test side, one for validation, and the others to train on.

    Parameters
    ----------
    index : ClipIndex
        Every clip has a fold.
    test_fold : str
        As the data names it, or as its number or its folder does: 1, fold1, Fold_01.
    val_fold : str, optional
        By default the fold after `test_fold`, the first one after the last.

    Raises
    ------
    ValueError
        Clips without a fold, a fold that is not there, fewer than three folds, or a side that lacks a label.
    LeakError
        A group is in several folds.
    """
    folds = _folds(index)
    test_fold, val_fold = fold_called(test_fold, folds), val_fold and fold_called(val_fold, folds)
    if val_fold is None and test_fold in folds:
        val_fold = folds[(folds.index(test_fold) + 1) % len(folds)]
    for fold in (test_fold, val_fold):
        if fold not in folds:
            raise ValueError(f"there is no fold {fold!r}; the folds of {index.root} are {', '.join(folds)}")
    if test_fold == val_fold:
        raise ValueError(f"fold {test_fold} cannot be the test and the validation side at once; choose two")
    sides = {test_fold: "test", val_fold: "val"}
    index = index.with_clips(replace(clip, split=sides.get(clip.fold, "train")) for clip in index.clips)
    check_split(index)
    return index


def describe_unused_folds(index: ClipIndex) -> str:
    """Return that the data has folds which its split does not follow, and how to follow them; '' where it has none."""
    folds = sorted({clip.fold for clip in index.clips if clip.fold}, key=_fold_order)
    if not folds:
        return ""
    told = f"the data has the folds {', '.join(folds)}, which this split does not follow"
    suffices = len(folds) >= len(SPLITS) and all(clip.fold for clip in index.clips)
    return f"{told}; build, train and data split do with --test-fold {folds[0]}" if suffices else told


def _fold_order(fold: str) -> tuple[int, str]:
    """What folds are sorted by, so that 10 comes after 9."""
    return len(fold), fold


def fold_names(index: ClipIndex) -> list[str]:
    """Return the folds of an index in order; '' is that of clips without one."""
    return sorted({clip.fold for clip in index.clips}, key=_fold_order)


def fold_called(name: str, folds: Sequence[str]) -> str:
    """Return the fold that a name or a number means; the name itself where none is meant, or several are."""
    if name in folds:
        return name
    meant = [fold for fold in folds if fold_number(fold) == fold_number(name)]
    return meant[0] if len(meant) == 1 else name


def check_split(index: ClipIndex) -> None:
    """Raise LeakError if a group is divided, ValueError if one of the `full_sides` lacks a label."""
    sides = defaultdict(set)
    for clip in index.clips:
        for group in clip.groups:
            sides[group].add(clip.split)
    divided = sorted(group for group, splits in sides.items() if len(splits) > 1)
    if divided:
        named = ", ".join(f"{group} ({' and '.join(sorted(sides[group]))})" for group in divided[:5])
        raise LeakError(
            f"{counted(len(divided), 'group is', 'groups are')} on more than one side of the split: {named}; "
            "a score on recordings of a trained group says nothing about new ones"
        )
    for split in index.full_sides:
        present = {label for clip in index.of_split(split) for label in clip.labels}
        absent = [label for label in index.labels if label not in present]
        if absent:
            raise ValueError(
                f"the {split} side has no clip of {', '.join(absent)}; every label needs clips in "
                f"{', '.join(index.full_sides)}: add recordings, or put others on that side"
            )


def check_same_audio(clips: Sequence[Clip], digests: Sequence[str]) -> None:
    """Raise LeakError if the same audio is on two sides under two names.

    Parameters
    ----------
    clips : sequence of Clip
    digests : sequence of str
        A hash of the decoded samples, one a clip.
    """
    first: dict[str, Clip] = {}
    for clip, digest in zip(clips, digests, strict=True):
        other = first.setdefault(digest, clip)
        if other.split != clip.split:
            advice = "remove one, or put both on one side: give them one group where the sides are drawn"
            if set(other.labels) != set(clip.labels):
                labels = f"{LABEL_SEPARATOR.join(other.labels)} and {LABEL_SEPARATOR.join(clip.labels)}"
                advice = f"one is labelled wrongly ({labels}): correct it, or remove one"
            raise LeakError(
                f"{other.path} ({other.split}) and {clip.path} ({clip.split}) hold the same audio; {advice}"
            )


def describe_contradictions(clips: Sequence[Clip], digests: Sequence[str]) -> str:
    """Return how many clips hold the audio of another one with a different label, '' where none does."""
    first: dict[str, Clip] = {}
    pairs = [
        (other, clip)
        for clip, digest in zip(clips, digests, strict=True)
        if set((other := first.setdefault(digest, clip)).labels) != set(clip.labels)
    ]
    if not pairs:
        return ""
    count = counted(len(pairs), "clip holds", "clips hold")
    one, same = (f"{clip.path} ({LABEL_SEPARATOR.join(clip.labels)})" for clip in pairs[0])
    return (
        f"{count} the same audio as another under another label, the first {one} and {same}: no model can tell them "
        "apart; correct a label, or remove one"
    )


def _folds(index: ClipIndex) -> list[str]:
    """The folds of an index in order, after checking that every clip has one and that they suffice."""
    without = [clip.path for clip in index.clips if not clip.fold]
    if without:
        raise ValueError(
            f"{len(without)} of {counted(len(index.clips), 'clip')} have no fold, the first {without[0]}; "
            "a split by folds needs one for each: fill the column fold, or leave --test-fold out"
        )
    folds = fold_names(index)
    if len(folds) < len(SPLITS):
        raise ValueError(
            f"there are {counted(len(folds), 'fold')} ({', '.join(folds)}); {', '.join(SPLITS)} need one each"
        )
    return folds


def _draw(clips: Sequence[Clip], labels: Sequence[str], seed: int, shares: Mapping[str, float]) -> list[Clip]:
    """Put whole groups on sides so that each side comes near its share of every label."""
    content: dict[str, Counter[str]] = defaultdict(Counter)
    bound = join_groups(clip.groups for clip in clips)
    for clip in clips:
        content[bound[clip.groups[0]]].update(clip.labels)
    _check_enough_groups(content, labels)
    total = sum(content.values(), Counter())
    have: dict[str, Counter[str]] = {split: Counter() for split in SPLITS}
    chosen: dict[str, str] = {}
    rng = np.random.default_rng(seed)
    # The label with the fewest groups first: it has the least room to choose.
    for label in sorted(labels, key=lambda name: (sum(name in held for held in content.values()), name)):
        open_groups = sorted(group for group, held in content.items() if label in held and group not in chosen)
        order = [open_groups[place] for place in rng.permutation(len(open_groups))]
        # Large groups first, so that the small ones can even out the shares.
        for done, group in enumerate(sorted(order, key=lambda name: -content[name][label])):
            need = {split: shares[split] - have[split][label] / total[label] for split in SPLITS}
            empty = [split for split in SPLITS if not have[split][label]]
            left = len(open_groups) - done
            # Every side must get a group of the label while there are enough left to do so.
            sides = empty if empty and left <= len(empty) else list(SPLITS)
            side = max(sides, key=lambda split: (need[split], split))
            chosen[group] = side
            have[side].update(content[group])
    # Groups of annotated recordings in which nothing sounds have no label.
    rest = sorted(set(content) - set(chosen))
    if rest:
        drawn = rng.choice(SPLITS, size=len(rest), p=[shares[split] for split in SPLITS])
        chosen |= dict(zip(rest, map(str, drawn), strict=True))
    return [replace(clip, split=chosen[bound[clip.groups[0]]]) for clip in clips]


def tell_unreadable(index: ClipIndex) -> str:
    """Which recordings of the labels with fewer groups than sides cannot be read, and so will not count either."""
    unreadable = []
    for label in index.labels:
        clips = [clip for clip in index.clips if label in clip.labels]
        if len({clip.group for clip in clips}) < len(SPLITS):
            unreadable += [clip.path for clip in clips if _is_broken(index.root / clip.path)]
    return f"; cannot be read, so mend or replace: {name_some(unreadable)}" if unreadable else ""


def _is_broken(path: Path) -> bool:
    """Whether a recording is there and its header cannot be read."""
    try:
        return path.exists() and duration(path) == 0.0
    except AudioError:
        return True


def _check_enough_groups(content: Mapping[str, Counter[str]], labels: Sequence[str]) -> None:
    """Refuse a label whose groups cannot reach every side."""
    for label in labels:
        groups = sorted(group for group, held in content.items() if label in held)
        if len(groups) < len(SPLITS):
            raise ValueError(
                f"{label} has {counted(len(groups), 'group')} ({', '.join(groups)}); {', '.join(SPLITS)} need at least "
                f"{len(SPLITS)}, because a group (speaker, source recording) stays on one side: add recordings"
            )

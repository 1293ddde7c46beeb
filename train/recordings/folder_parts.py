"""Folders that are sides of a split, or folds, by their names: which those are, and whether they are alike."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from train.recordings.left_out import name_some, printable
from train.recordings.tables.spelling import composed

_SIDE_NAMES = {
    "train": ("train", "training", "trn"),
    "val": ("val", "valid", "validation", "dev", "development"),
    "test": ("test", "testing", "tst"),
}
_HELD_OUT_NAMES = ("eval", "evaluation")  # the test side; where there is one, the validation side
_FOLD_NAME = re.compile(r"fold[ _-]?(\d+)$", re.IGNORECASE)
PARTS = {"split": "sides of a split", "fold": "folds"}
PLAIN = "if each of them is a label, read them so with --dataset none"


def inner_parts(folders: Mapping[str, Sequence[str]]) -> tuple[str, dict[str, str]]:
    """Return split or fold and the parts that the folders within all labels' folders name alike; none else."""
    inner = _inner_names(folders)
    names = sorted(inner[0])
    for column, parts in (("split", name_sides(names)), ("fold", name_folds(names))):
        if parts and all(held == set(parts) for held in inner):
            return column, parts
    return "", {}


def inner_labels(folders: Mapping[str, Sequence[str]], known: Collection[str] = ()) -> set[str]:
    """Return the labels where all folders hold the same folders, as those of speakers do; none where they do not.

    Parameters
    ----------
    folders : mapping of str to sequence of str
        The recordings of each folder in the root.
    known : collection of str
        The labels, where they are given: folders that all have their names are no speakers.

    Notes
    -----
    Inner folders such as take1 and take2 are no labels, unless the outer ones are numbered in that way too.
    """
    inner = _inner_names(folders)
    first = {composed(name) for name in inner[0]}
    alike = all({composed(name) for name in held} == first for held in inner)
    if len(inner) < 2 or len(first) < 2 or "" in first or not alike:
        return set()
    if {composed(name) for name in folders} <= set(known) or (_are_numbered(first) and not _are_numbered(folders)):
        return set()
    return first


def _inner_names(folders: Mapping[str, Sequence[str]]) -> list[set[str]]:
    """The folders within each folder, '' where recordings lie beside them."""
    return [{path.split("/")[1] if path.count("/") > 1 else "" for path in paths} for paths in folders.values()]


def _are_numbered(names: Collection[str]) -> bool:
    """Whether names are one word with different numbers; numbers alone may well be labels."""
    words = {re.sub(r"\d+", "#", name.casefold()) for name in names}
    return len(words) == 1 and words != {"#"}


def name_sides(folders: Sequence[str]) -> dict[str, str]:
    """Return the side that each folder names; none where fewer than two do."""
    named = {name.casefold(): name for name in folders}
    sides = {named[word]: side for side, words in _SIDE_NAMES.items() for word in words if word in named}
    for word in _HELD_OUT_NAMES:
        if word in named:
            sides[named[word]] = "val" if "test" in sides.values() and "val" not in sides.values() else "test"
    return sides if len(set(sides.values())) > 1 else {}


def name_folds(folders: Sequence[str]) -> dict[str, str]:
    """Return the number of each fold; none where fewer than two folders name one."""
    folds = {name: fold_number(name) for name in folders if _FOLD_NAME.match(name)}
    return folds if len(folds) > 1 else {}


def fold_number(name: str) -> str:
    """Return the number of a fold called as fold1, Fold_01 or 01; the name itself where it is no such number."""
    match = _FOLD_NAME.match(name) or re.match(r"(\d+)$", name)
    return match[1].lstrip("0") or "0" if match else name


def refuse_other_folders(
    root: Path,
    folders: Mapping[str, Sequence[str]],
    parts: Mapping[str, str],
    labels: Mapping[str, set[str]],
    what: str,
) -> None:
    """Refuse sides or folds that are not alike, or that have company: what is meant there nobody can tell."""
    named = f"{root}: {name_some(list(parts))} look like {what}"
    others = [name for name in folders if name not in parts]
    if others:
        raise ValueError(
            f"{named}, and {name_some(others)} beside them do not; move these out or into them, or {PLAIN}"
        )
    every = set.union(*labels.values())
    if not every:
        raise ValueError(
            f"{named}, but they hold recordings and no label folders; expected {next(iter(parts))}/LABEL/*.wav, or the "
            f"folder above with the table of the data set; {PLAIN}"
        )
    lacking = [
        f"{printable(top)} has no {name_some(sorted(every - held))}" for top, held in labels.items() if every != held
    ]
    if lacking:
        raise ValueError(f"{named}, but do not hold the same label folders: {'; '.join(lacking)}; add them, or {PLAIN}")

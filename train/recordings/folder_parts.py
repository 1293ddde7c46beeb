"""Folders that are sides of a split, or folds, by their names: which those are, and whether they are alike."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from train.recordings.left_out import name_some, printable

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
    inner = [{path.split("/")[1] if path.count("/") > 1 else "" for path in paths} for paths in folders.values()]
    names = sorted(inner[0])
    for column, parts in (("split", name_sides(names)), ("fold", name_folds(names))):
        if parts and all(held == set(parts) for held in inner):
            return column, parts
    return "", {}


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
    folds = {name: match[1].lstrip("0") or "0" for name in folders if (match := _FOLD_NAME.match(name))}
    return folds if len(folds) > 1 else {}


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

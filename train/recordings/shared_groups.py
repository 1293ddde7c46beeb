"""Groups of one name in several DATA: one group if somebody named them so, not if only file names are equal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from train.recordings.clip import Clip, group_of
from train.recordings.left_out import name_some
from train.recordings.tables.spelling import composed


def group_by_name(path: str) -> str:
    """Return the group of a recording that has none of its own: its path without the ending."""
    return group_of(composed(path[: len(path) - len(PurePosixPath(path).suffix)]))


def tell_same_stems(clips: Iterable[Clip]) -> list[str]:
    """Return a note on files of one folder that are called alike but for the ending, which makes them one group."""
    held = defaultdict(list)
    for clip in clips:
        held[clip.group].append(clip.path)
    several = [paths for paths in held.values() if len(paths) > 1]
    if not several:
        return []
    return [
        "files of one name but for the ending are one group, and stay on one side "
        f"({name_some([' with '.join(paths) for paths in several])}); where they are other sounds, say so in the group "
        "column of a clips.csv"
    ]


def tell_groups_apart(
    datas: Sequence[Sequence[Clip]], places: Sequence[str]
) -> tuple[list[tuple[Clip, ...]], list[str]]:
    """Return the clips of several DATA with different groups where only their file names are equal, and notes.

    A group of one name in several DATA stays one where one of them has it from a column or a data set's layout.

    Parameters
    ----------
    datas : sequence of sequence of Clip
        Of each DATA, their paths relative to it.
    places : sequence of str
        Where each DATA lies, which goes before the names of its groups.
    """
    named = [{group for clip in clips for group in clip.groups} for clips in datas]
    own = [{group for clip in clips for group in clip.groups if names_the_file(clip, group)} for clips in datas]
    count = Counter(group for groups in named for group in groups)
    shared = {group for group, held in count.items() if held > 1}
    declared = {group for groups, files in zip(named, own, strict=True) for group in groups - files}
    apart = shared - declared
    changed = [
        tuple(
            replace(clip, group=group_of(*(f"{place}/{group}" if group in apart else group for group in clip.groups)))
            for clip in clips
        )
        for clips, place in zip(datas, places, strict=True)
    ]
    notes = []
    if apart:
        notes.append(
            f"files called alike in several DATA are groups of their own ({name_some(sorted(apart))}); where they are "
            "the same recordings, say so in the group column of a clips.csv"
        )
    if shared & declared:
        notes.append(f"groups named alike in several DATA are taken as one: {name_some(sorted(shared & declared))}")
    return changed, notes


def names_the_file(clip: Clip, group: str) -> bool:
    """Return whether a group is no more than the name of the recording; that of one cut from another says more."""
    names = (group_by_name(clip.path), group_of(composed(clip.path)))
    return not clip.original and any(name == group or name.endswith(f"/{group}") for name in names)

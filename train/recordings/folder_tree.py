"""A folder tree as clips: one folder a label, or such a tree for each side of a split, for each fold or speaker.

train, val and test, and other words for them in any case, are sides where each holds the same label folders; fold1,
fold2, ... are folds. Other folders that all hold the same folders are groups. Which of these was read is told;
`--dataset none` takes every folder in the root for a label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from metadata.plural import counted
from train.recordings import left_out
from train.recordings.clip import Clip, group_of
from train.recordings.decoding.audio_files import FoundFiles
from train.recordings.decoding.decode import AUDIO_SUFFIXES
from train.recordings.folder_parts import (
    PARTS,
    PLAIN,
    inner_labels,
    inner_parts,
    name_folds,
    name_sides,
    refuse_other_folders,
)
from train.recordings.left_out import LeftOut, name_some, printable, reason_text
from train.recordings.shared_groups import group_by_name, tell_same_stems
from train.recordings.tables.spelling import composed, look_alikes


@dataclass(frozen=True)
class Tree:
    """What a folder tree holds.

    Attributes
    ----------
    clips : tuple of Clip
    left_out : tuple of LeftOut
    notes : tuple of str
        What was assumed, for people.
    """

    clips: tuple[Clip, ...]
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]


def read_tree(found: FoundFiles, plain: bool = False, known: Sequence[str] = ()) -> Tree:
    """Return the clips of a folder tree.

    Parameters
    ----------
    found : FoundFiles
        What lies in the folder.
    plain : bool
        Every folder in the root is a label, whatever it is called.
    known : sequence of str
        The labels, where they are given.

    Raises
    ------
    ValueError
        No recordings; folders of sides or folds that do not hold the same labels; or a label that would get lost
        because nothing in its folder can be read.
    """
    folders = found.by_top_folder()
    loose = folders.pop("", [])
    if not folders:
        raise ValueError(_no_recordings(found, loose))
    sides = {} if plain else name_sides(list(folders))
    folds = {} if plain else name_folds(list(folders))
    if sides:
        return _parts(found, folders, loose, sides, "split")
    if folds:
        return _parts(found, folders, loose, folds, "fold")
    if not plain and not inner_parts(folders)[0] and (labels := inner_labels(folders, known)):
        return _groups(found, folders, loose, labels)
    return _labels(found, folders, loose, plain)


def _labels(found: FoundFiles, folders: Mapping[str, Sequence[str]], loose: Sequence[str], plain: bool) -> Tree:
    """A tree of one folder a label."""
    beside = [LeftOut(path, left_out.NO_LABEL) for path in loose]
    column, parts = ("", {}) if plain else inner_parts(folders)
    clips = []
    for path in found.recordings:
        if "/" in path:
            clips.append(_clip(path, 0, **({column: parts[path.split("/")[1]]} if parts else {})))
    told = ", ".join(f"{printable(name)} as {part}" for name, part in parts.items())
    notes = [f"the folders within the label folders were read as {PARTS[column]} ({told})"] if parts else []
    notes += [*_inner_folders(found.root, clips, 1 if parts else 0), *_underscored(clips), *tell_same_stems(clips)]
    return Tree(tuple(clips), _all_left_out(found, beside, folders, 0), tuple(notes))


def _parts(
    found: FoundFiles,
    folders: Mapping[str, Sequence[str]],
    loose: Sequence[str],
    parts: Mapping[str, str],
    column: str,
) -> Tree:
    """A tree of a label tree for each side or fold."""
    what = PARTS[column]
    labels = {
        top: {composed(path.split("/")[1]) for path in paths if path.count("/") > 1} for top, paths in folders.items()
    }
    refuse_other_folders(found.root, folders, parts, labels, what)
    clips, beside = [], [LeftOut(path, left_out.NO_LABEL) for path in loose]
    for path in found.recordings:
        if path.count("/") > 1:
            clips.append(_clip(path, 1, **{column: parts[path.split("/")[0]]}))
        elif "/" in path:
            beside.append(LeftOut(path, left_out.NO_LABEL))
    held = name_some(sorted(set.union(*labels.values())))
    told = ", ".join(f"{printable(top)} as {part}" for top, part in parts.items())
    note = f"the folders were read as {what} ({told}), because each holds the label folders {held}; {PLAIN}"
    notes = (note, *_inner_folders(found.root, clips, 1), *_underscored(clips), *tell_same_stems(clips))
    return Tree(tuple(clips), _all_left_out(found, beside, folders, 1), notes)


def _groups(found: FoundFiles, folders: Mapping[str, Sequence[str]], loose: Sequence[str], labels: set[str]) -> Tree:
    """A tree of a label tree for each speaker or source."""
    paths = [path for path in found.recordings if "/" in path]
    clips = [replace(_clip(path, 1), group=group_of(composed(path.split("/")[0]))) for path in paths]
    note = (
        f"the folders {name_some(list(folders))} were read as groups (speakers, sources) and those in them as labels "
        f"({name_some(sorted(labels))}), because each holds the same ones; {PLAIN}"
    )
    notes = (note, *_inner_folders(found.root, clips, 1), *_underscored(clips))
    beside = [LeftOut(path, left_out.NO_LABEL) for path in loose]
    return Tree(tuple(clips), _all_left_out(found, beside, folders, 1), notes)


def _clip(path: str, depth: int, **columns: str) -> Clip:
    """A recording under the label that its folder names; its path without the ending is its group."""
    return Clip(path, (composed(path.split("/")[depth]),), group_by_name(path), **columns)


def _all_left_out(
    found: FoundFiles, beside: Sequence[LeftOut], folders: Mapping[str, Sequence[str]], depth: int
) -> tuple[LeftOut, ...]:
    """What is not used, an empty folder in the place of a label under that reason alone."""
    unlabelled = _unlabelled(found, folders, depth)
    told = {one.path for one in unlabelled}
    others = [one for one in found.left_out if one.reason != left_out.EMPTY or one.path not in told]
    return (*others, *beside, *unlabelled)


def _unlabelled(found: FoundFiles, folders: Mapping[str, Sequence[str]], depth: int) -> list[LeftOut]:
    """The folders in the place of a label that hold no recording; refused where one may be a label all the same."""
    used = {tuple(path.split("/")[: depth + 1]) for paths in folders.values() for path in paths}
    without: dict[tuple[str, ...], list[LeftOut]] = {}
    for one in found.left_out:
        parts = tuple(one.path.rstrip("/").split("/"))
        if parts[: depth + 1] not in used and _may_be_a_label(one, parts, depth):
            without.setdefault(parts[: depth + 1], []).append(one)
    _refuse_lost(found.root, without)
    return [LeftOut("/".join(parts) + "/", left_out.NO_RECORDINGS) for parts in without]


def _may_be_a_label(one: LeftOut, parts: tuple[str, ...], depth: int) -> bool:
    """Whether something that is left out is a folder in the place of a label, a link that was one, or within one."""
    if len(parts) > depth + 1:
        return True
    if len(parts) < depth + 1 or one.reason in (left_out.SYSTEM, left_out.HIDDEN):
        return False
    return one.path.endswith("/") or (one.reason == left_out.DANGLING and not Path(one.path).suffix)


def _refuse_lost(root: Path, without: Mapping[tuple[str, ...], Sequence[LeftOut]]) -> None:
    """Refuse folders without a recording that hold what somebody takes for recordings."""
    lost = []
    for parts, held in without.items():
        serious = [one for one in held if one.reason in left_out.LOSES_A_LABEL]
        if serious:
            paths = [one.path for one in serious]
            named = name_some(paths)
            lost.append(
                f"{printable('/'.join(parts))}: {len(serious)}: {named} ({reason_text(serious[0].reason, paths)})"
            )
    if lost:
        more = f"\n  and {len(lost) - left_out.MOST_NAMED} more" if len(lost) > left_out.MOST_NAMED else ""
        raise ValueError(
            f"{root}: {counted(len(lost), 'label')} would get lost, because nothing in their folders can be read:\n  "
            + "\n  ".join(lost[: left_out.MOST_NAMED])
            + f"{more}\nmend them, or move the folders out of {root} to train without these labels"
        )


def _inner_folders(root: Path, clips: Sequence[Clip], depth: int) -> list[str]:
    """What is assumed of folders within the labels' folders, which lie so deep."""
    inner = sorted({clip.path.rsplit("/", 1)[0] for clip in clips if clip.path.count("/") > depth + 1})
    if not inner:
        return []
    labels = {clip.path.split("/")[depth] for clip in clips}
    if len(labels) == 1:
        outer = root / "/".join(inner[0].split("/")[: depth + 1])
        return [f"the labels seem to be one folder deeper ({name_some(inner)}); give {outer} as DATA"]
    return [
        f"folders within the label folders are no labels of their own ({name_some(inner)}); where one is a speaker or "
        "a source, say so in the group column of a clips.csv"
    ]


def _underscored(clips: Sequence[Clip]) -> list[str]:
    """That names beginning with _ are labels too."""
    names = sorted({clip.labels[0] for clip in clips if clip.labels[0].startswith("_")})
    if not names:
        return []
    return [f"read as labels too: {name_some(names)}; to leave a folder out, begin its name with a dot"]


def _no_recordings(found: FoundFiles, loose: Sequence[str]) -> str:
    """Why a folder gives no clips."""
    expected = f"expected one sub-folder a label with {', '.join(AUDIO_SUFFIXES)} files"
    if loose:
        return (
            f"{found.root} holds {counted(len(loose), 'recording')} ({name_some(loose)}) and no folder of "
            f"recordings; {expected}, "
            "or a clips.csv with the labels of each"
        )
    seen = left_out.describe_left_out(found.left_out)
    return f"{found.root} holds no recordings; {expected}" + "".join(f"\n  {line}" for line in seen)


def tell_look_alikes(labels: Sequence[str]) -> list[str]:
    """Return a note for each set of labels that a reader takes for one."""
    return [
        f"the labels {' and '.join(map(ascii, alike))} look the same but count as different; rename one if they are one"
        for alike in look_alikes(labels)
    ]

"""The clip index: the recordings, their labels, and the groups that must stay together."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path

from edge_runtime.segments.segment import Segment
from metadata.labels import LABELS_FILE_NAME, check_labels, listed, read_labels, tell_numbers
from metadata.mended_labels import without_numbers
from metadata.plural import counted
from train.recordings.clip import LABEL_SEPARATOR, SPLITS, TEACHER, Clip
from train.recordings.decoding.audio_files import FoundFiles, find_files
from train.recordings.folder_tree import read_tree, tell_look_alikes
from train.recordings.left_out import UNLISTED, LeftOut, Reason
from train.recordings.shared_groups import tell_groups_apart
from train.recordings.tables.clip_table import one_spelling, read_table, write_clips
from train.recordings.tables.spelling import respelled

__all__ = [
    "LABEL_SEPARATOR",
    "SPLITS",
    "Clip",
    "ClipIndex",
    "combine",
    "find_clips",
    "index_tree",
    "read_index",
    "write_index",
]

INDEX_FILE_NAME = "clips.csv"
TABLE_FILE_NAME = "meta.csv"  # the name under which many data sets ship their table
NO_DATASET = "none"  # asked for in place of a data set: plain folders


@dataclass(frozen=True)
class ClipIndex:
    """Recordings under one root folder, and the labels in output order.

    Attributes
    ----------
    root : Path
    labels : tuple of str
    clips : tuple of Clip
    source : str
        What the index was read from and why so, for people.
    left_out : tuple of LeftOut
        What was seen below the root and is not used.
    notes : tuple of str
        What was assumed, for people.
    folder_sides : tuple of str
        The sides for which there are folders.
    full_sides : tuple of str
        The sides that need every label: all to train, the judged one to evaluate.
    events : mapping of str to tuple of Segment, optional
        By the clip's path which label sounds from when to when, where the recordings have annotations.
    taught : tuple of Clip
        Recordings to train on whose labels are a teacher's. They are in no count, and no clip of these is truth.
    is_partly_sided : bool
        Whether it is of several DATA, some with a side for each of their clips and some with none.
    train_only : frozenset of str
        Paths of the clips of DATA that is on the side train alone, beside other DATA: takes that were reviewed.
    """

    root: Path
    labels: tuple[str, ...]
    clips: tuple[Clip, ...]
    source: str = ""
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()
    folder_sides: tuple[str, ...] = ()
    full_sides: tuple[str, ...] = SPLITS
    events: Mapping[str, tuple[Segment, ...]] | None = None
    taught: tuple[Clip, ...] = ()
    is_partly_sided: bool = False
    train_only: frozenset[str] = frozenset()

    def of_split(self, split: str) -> tuple[Clip, ...]:
        """Return the clips on one side."""
        return tuple(clip for clip in self.clips if clip.split == split)

    def with_clips(self, clips: Iterable[Clip]) -> ClipIndex:
        """Return the index with other clips."""
        return replace(self, clips=tuple(clips))

    def without_split(self) -> ClipIndex:
        """Return the index with no clip on a side."""
        return self.with_clips(replace(clip, split="") for clip in self.clips)

    def only(self, labels: Sequence[str]) -> ClipIndex:
        """Return the index with these of its labels, in their order; clips without one of them stay."""
        events = self.events and {
            path: tuple(one for one in found if one.label in labels) for path, found in self.events.items()
        }
        clips = tuple(replace(clip, labels=tuple(filter(labels.__contains__, clip.labels))) for clip in self.clips)
        return replace(self, clips=clips, labels=tuple(filter(self.labels.__contains__, labels)), events=events)

    def relabelled(self, label: str) -> ClipIndex:
        """Return the index with every clip called the same."""
        events = self.events and {
            path: tuple(replace(one, label=label) for one in found) for path, found in self.events.items()
        }
        clips = tuple(replace(clip, labels=(label,)) for clip in self.clips)
        return replace(self, clips=clips, labels=(label,), events=events)

    def check_labels(self) -> None:
        """Raise ValueError where there are fewer than two labels: nothing to tell apart."""
        found = sorted({label for clip in self.clips for label in clip.labels})
        if len(self.labels) < 2 or len(found) < 2:
            expected = "a classifier needs at least two, one folder a label"
            if self.events is not None:
                expected = "a detector needs events of at least two labels; name what else sounds, such as background"
            raise ValueError(f"the only label is {found[0]}; {expected}")


def find_clips(data: str | Path, labels: Sequence[str] | None = None, dataset: str | None = None) -> ClipIndex:
    """Return the index of a data folder or of a CSV file.

    A folder's own `clips.csv` is taken, else the layout of a data set we know (`train.recordings.importers`), else its
    `meta.csv`, else its tree: one folder a label.

    Parameters
    ----------
    data : str or Path
        The folder, or a CSV with the columns of `train.recordings.tables.clip_table.COLUMN_NAMES`.
    labels : sequence of str, optional
        Output order; else the folder's `labels.txt`, else the labels found, sorted.
    dataset : str, optional
        Read the folder as this data set, `train.recordings.importers.IMPORTERS`, whatever it looks like; "none" for
        one folder a label, without any table.

    Raises
    ------
    FileNotFoundError
        No such folder or file.
    ValueError
        No recordings, an unknown data set, or a table with faults (the first ten are named).
    """
    from train.recordings.importers import recognize, tell_unrecognized

    data = Path(data)
    if not data.exists():
        raise FileNotFoundError(f"{data} does not exist; expected a folder with one sub-folder a label, or a CSV")
    if data.is_file():
        if dataset not in (None, NO_DATASET):
            raise ValueError(f"{data} is a file; --dataset {dataset} reads a folder, and a CSV needs none")
        return read_index(data, labels)
    found = find_files(data)
    if dataset == NO_DATASET:
        return _of_tree(found, labels, plain=True)
    if dataset:
        return _of_dataset(found, dataset, "", labels)
    if (data / INDEX_FILE_NAME).is_file():
        return _of_table(found, INDEX_FILE_NAME, labels)
    known, reason = recognize(found)
    if known:
        return _of_dataset(found, known, reason, labels)
    if (data / TABLE_FILE_NAME).is_file():
        return _of_table(found, TABLE_FILE_NAME, labels)
    index = _of_tree(found, labels)
    return replace(index, notes=(*tell_unrecognized(data), *index.notes))


def index_tree(root: str | Path, labels: Sequence[str] | None = None) -> ClipIndex:
    """Return the index of a folder tree, see `train.recordings.folder_tree`; every recording is a group of its own."""
    return _of_tree(find_files(root), labels)


def read_index(path: str | Path, labels: Sequence[str] | None = None, *, is_annotated: bool = False) -> ClipIndex:
    """Return the index that a CSV holds; paths are relative to its folder. Annotated clips may have no label."""
    path = Path(path)
    if labels is None and (path.parent / LABELS_FILE_NAME).is_file():
        labels = read_labels(path.parent / LABELS_FILE_NAME, keep_numbers=True)
    clips, notes = read_table(path, labels and tuple(dict.fromkeys((*labels, *without_numbers(labels)))), is_annotated)
    taught = tuple(clip for clip in clips if clip.label_source == TEACHER)
    clips = [clip for clip in clips if clip.label_source != TEACHER]
    if not clips:
        raise ValueError(f"{path} has labels of a teacher alone; expected recordings whose label a person said")
    index = _labelled(path.parent, clips, labels, str(path))
    return replace(index, notes=(*notes, *index.notes), taught=taught)


def write_index(path: str | Path, index: ClipIndex) -> None:
    """Write an index as CSV, its paths relative to the file, replacing the file in one step."""
    write_clips(Path(path), (*index.clips, *index.taught), index.root, index.events is not None)


def combine(indices: Sequence[ClipIndex], labels: Sequence[str] | None = None) -> ClipIndex:
    """Return several indices as one, its root the folder that holds them all.

    Parameters
    ----------
    indices : sequence of ClipIndex
        At least one. Groups of the same name are one group, but where it is that of a file (`tell_groups_apart`).
    labels : sequence of str, optional
        Output order; else those of the first index, then those that the next ones add.

    Raises
    ------
    ValueError
        A recording is in two of them, or a label is not among `labels`.
    """
    if len(indices) == 1:
        return indices[0]
    root = Path(os.path.commonpath([index.root.resolve() for index in indices]))
    places = [Path(os.path.relpath(index.root.resolve(), root)).as_posix() for index in indices]
    grouped, told = tell_groups_apart([index.clips for index in indices], places)
    clips = [clip for index, own in zip(indices, grouped, strict=True) for clip in rooted(own, index.root, root)]
    taught = tuple(clip for index in indices for clip in rooted(index.taught, index.root, root))
    spelled = one_spelling(label for index in indices for label in index.labels)
    clips = [replace(clip, labels=tuple(spelled[label] for label in clip.labels)) for clip in clips]
    twice = [path for path, count in Counter(clip.path for clip in clips).items() if count > 1]
    if twice:
        raise ValueError(
            f"{counted(len(twice), 'recording is', 'recordings are')} given twice, the first {root / twice[0]}; give "
            "each once"
        )
    found = tuple(dict.fromkeys(spelled.values()))
    labels, _ = _fitting(labels, found)  # told of each index
    unknown = sorted(set(found) - set(labels or found))
    if unknown:
        raise ValueError(f"clips are labelled {', '.join(unknown)}, but the labels are {', '.join(labels or ())}")
    left_out = tuple(
        replace(one, path=one.path if place == "." else f"{place}/{one.path}")
        for index, place in zip(indices, places, strict=True)
        for one in index.left_out
    )
    chosen = tuple(labels or found)
    notes = dict.fromkeys([*(note for index in indices for note in index.notes), *told, *tell_look_alikes(chosen)])
    source = " and ".join(index.source for index in indices)
    events = _combined_events(indices, root, spelled)
    return ClipIndex(
        root,
        chosen,
        tuple(clips),
        source,
        left_out,
        tuple(notes),
        events=events,
        taught=taught,
        folder_sides=_combined_folder_sides(indices),
        is_partly_sided=_are_partly_sided(indices),
        train_only=_train_only(clips, [len(index.clips) for index in indices]),
    )


def rooted(clips: Iterable[Clip], root: Path, other: Path) -> list[Clip]:
    """Return clips whose paths are relative to `root` with paths relative to another folder."""
    return [replace(clip, path=Path(os.path.relpath((root / clip.path).resolve(), other)).as_posix()) for clip in clips]


def _are_partly_sided(indices: Sequence[ClipIndex]) -> bool:
    """Whether some indices have a side for every clip and the others for none; a half-filled table is neither."""
    sided = [{bool(clip.split) for clip in index.clips} for index in indices]
    return {True} in sided and {False} in sided and {True, False} not in sided


def _train_only(clips: Sequence[Clip], lengths: Sequence[int]) -> frozenset[str]:
    """The paths of clips, one index after the other, of those indices that are on train alone; none where all are."""
    ends = list(accumulate(lengths))
    parts = [clips[end - length : end] for end, length in zip(ends, lengths, strict=True)]
    alone = [part for part in parts if {clip.split for clip in part} == {"train"}]
    return frozenset(clip.path for part in alone for clip in part) if len(alone) < len(parts) else frozenset()


def _combined_folder_sides(indices: Sequence[ClipIndex]) -> tuple[str, ...]:
    """The sides there are, where folders gave some and all clips have one: the missing one is drawn then."""
    sides = {clip.split for index in indices for clip in index.clips}
    if "" in sides or not any(index.folder_sides for index in indices):
        return ()
    return tuple(side for side in SPLITS if side in sides)


def _combined_events(
    indices: Sequence[ClipIndex], root: Path, spelled: Mapping[str, str]
) -> dict[str, tuple[Segment, ...]] | None:
    """The events of several indices by the clips' paths below `root`; None where none has any."""
    annotated = [index for index in indices if index.events is not None]
    if not annotated:
        return None
    if len(annotated) < len(indices):
        plain = next(index for index in indices if index.events is None)
        raise ValueError(
            f"{annotated[0].root} has annotations and {plain.root} has none; give recordings of one kind "
            "(earproof data compose makes annotated scenes of clips)"
        )
    return {
        Path(os.path.relpath((index.root / path).resolve(), root)).as_posix(): tuple(
            replace(one, label=spelled[one.label]) for one in events
        )
        for index in annotated
        for path, events in (index.events or {}).items()
    }


def _of_tree(found: FoundFiles, labels: Sequence[str] | None, plain: bool = False) -> ClipIndex:
    """The index of a folder tree."""
    if labels is None and (found.root / LABELS_FILE_NAME).is_file():
        labels = read_labels(found.root / LABELS_FILE_NAME)
    tree = read_tree(found, plain, labels or ())
    index = _labelled(found.root, tree.clips, labels, f"the folders of {found.root}")
    sides = {clip.split for clip in tree.clips}
    tables = [name for name in (INDEX_FILE_NAME, TABLE_FILE_NAME) if (found.root / name).is_file()]
    unread = [f"{' and '.join(tables)} not read, for --dataset {NO_DATASET}"] if tables else []
    return replace(
        index,
        left_out=tuple(one for one in tree.left_out if one.path != LABELS_FILE_NAME),
        notes=(*unread, *tree.notes, *index.notes),
        folder_sides=tuple(side for side in SPLITS if side in sides),
    )


def _of_table(found: FoundFiles, name: str, labels: Sequence[str] | None) -> ClipIndex:
    """The index of a folder's own table."""
    return _with_unlisted(read_index(found.root / name, labels), found, UNLISTED, read=(name,))


def _of_dataset(found: FoundFiles, dataset: str, reason: str, labels: Sequence[str] | None) -> ClipIndex:
    """The index of a folder that has a data set's layout."""
    from train.recordings.importers import choose_importer

    importer, root = choose_importer(dataset), found.root
    index = _labelled(root, importer.read_folder(found), labels, f"{root}, read as {importer.title}")
    no_part = Reason(f"not_{importer.name}", f"recordings that are no part of {importer.title}")
    index = _with_unlisted(index, found, no_part, importer.not_read, importer.signs)
    if not reason:
        return index
    note = f"{root} was read as {importer.title}, because {reason}; --dataset {NO_DATASET} reads one folder a label"
    return replace(index, notes=(note, *index.notes))


def _with_unlisted(
    index: ClipIndex,
    found: FoundFiles,
    reason: Reason,
    reasons: Mapping[str, Reason] | None = None,
    read: Sequence[str] = (),
) -> ClipIndex:
    """The index with all that lies in its root and is not among its clips nor was `read` as their table.

    Recordings are left out for `reason`, those of some folders for one of their own.
    """
    used = {*(os.path.normpath(clip.path) for clip in (*index.clips, *index.taught)), *read, LABELS_FILE_NAME}
    unlisted = [
        LeftOut(path, (reasons or {}).get(path.split("/")[0], reason)) for path in found.recordings if path not in used
    ]
    others = [one for one in found.left_out if one.path not in used]
    return replace(index, left_out=(*others, *unlisted, *index.left_out))


def _labelled(root: Path, clips: Sequence[Clip], labels: Sequence[str] | None, source: str) -> ClipIndex:
    """The index of clips with its labels in output order, which use these and no others."""
    if labels is None and (root / LABELS_FILE_NAME).is_file():
        labels = read_labels(root / LABELS_FILE_NAME, keep_numbers=True)
    labels, notes = _fitting(labels, {label for clip in clips for label in clip.labels})
    if labels is not None:
        clips = [replace(clip, labels=tuple(respelled(name, labels) for name in clip.labels)) for clip in clips]
    chosen = _choose_labels(clips, labels)
    return ClipIndex(root, chosen, tuple(clips), source, notes=(*notes, *tell_look_alikes(chosen)))


def _fitting(labels: Sequence[str] | None, found: Collection[str]) -> tuple[Sequence[str] | None, list[str]]:
    """Labels that were given, without the numbers in front of them where the labels found have none; and a note."""
    plain = without_numbers(labels or ())
    if labels is None or tuple(labels) == plain or not set(found).isdisjoint(labels):
        return labels, []
    return plain, [tell_numbers(labels, plain, "the label file has")]


def _choose_labels(clips: Sequence[Clip], labels: Sequence[str] | None) -> tuple[str, ...]:
    """The labels in output order, after checking that the clips use these and no others."""
    found = sorted({label for clip in clips for label in clip.labels})
    try:
        chosen = check_labels(labels or found, "the labels of the recordings")
    except ValueError as error:
        raise ValueError(f"{error}; rename the folder, or correct the table") from error
    unknown = sorted(set(found) - set(chosen))
    if unknown:
        raise ValueError(
            f"clips are labelled {', '.join(listed(unknown))}, but the labels are {', '.join(listed(chosen))}"
        )
    return chosen

"""The clip index: which recordings there are, what is heard in them, and what must stay together."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from metadata.labels import LABELS_FILE_NAME, check_labels, read_labels
from train.recordings.audio_files import audio_files
from train.recordings.clip import LABEL_SEPARATOR, SPLITS, Clip
from train.recordings.clip_table import read_clips, write_clips
from train.recordings.decode import AUDIO_SUFFIXES

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


@dataclass(frozen=True)
class ClipIndex:
    """Recordings under one root folder, and the labels in output order."""

    root: Path
    labels: tuple[str, ...]
    clips: tuple[Clip, ...]
    source: str = ""  # what the index was read from, for people

    def of_split(self, split: str) -> tuple[Clip, ...]:
        """Return the clips on one side."""
        return tuple(clip for clip in self.clips if clip.split == split)

    def with_clips(self, clips: Iterable[Clip]) -> ClipIndex:
        """Return the index with other clips."""
        return replace(self, clips=tuple(clips))

    def without_split(self) -> ClipIndex:
        """Return the index with no clip on a side."""
        return self.with_clips(replace(clip, split="") for clip in self.clips)

    def relabelled(self, label: str) -> ClipIndex:
        """Return the index with every clip called the same."""
        return replace(self.with_clips(replace(clip, labels=(label,)) for clip in self.clips), labels=(label,))

    def check_labels(self) -> None:
        """Raise ValueError where there are fewer than two labels: nothing to tell apart."""
        found = sorted({label for clip in self.clips for label in clip.labels})
        if len(self.labels) < 2 or len(found) < 2:
            raise ValueError(f"the only label is {found[0]}; a classifier needs at least two, one folder a label")


def find_clips(data: str | Path, labels: Sequence[str] | None = None, dataset: str | None = None) -> ClipIndex:
    """Return the index of a data folder or of a CSV file.

    A folder's own `clips.csv` is taken, else the layout of a data set we know (`train.recordings.importers`), else its
    `meta.csv`, else its tree: one folder a label.

    Parameters
    ----------
    data : str or Path
        The folder, or a CSV with the columns of `train.recordings.clip_table.COLUMN_NAMES`.
    labels : sequence of str, optional
        Output order; else the folder's `labels.txt`, else the labels found, sorted.
    dataset : str, optional
        Read the folder as this data set, `train.recordings.importers.IMPORTERS`, whatever it looks like.

    Raises
    ------
    FileNotFoundError
        No such folder or file.
    ValueError
        No recordings, an unknown data set, or a table with faults (the first ten are named).
    """
    from train.recordings.importers import recognize

    data = Path(data)
    if not data.exists():
        raise FileNotFoundError(f"{data} does not exist; expected a folder with one sub-folder a label, or a CSV")
    if dataset:
        return _of_dataset(data, dataset, labels)
    if data.is_file():
        return read_index(data, labels)
    if (data / INDEX_FILE_NAME).is_file():
        return read_index(data / INDEX_FILE_NAME, labels)
    known = recognize(data)
    if known:
        return _of_dataset(data, known, labels)
    if (data / TABLE_FILE_NAME).is_file():
        return read_index(data / TABLE_FILE_NAME, labels)
    return index_tree(data, labels)


def index_tree(root: str | Path, labels: Sequence[str] | None = None) -> ClipIndex:
    """Return the index of a folder tree, one folder a label; every recording is a group of its own."""
    root = Path(root)
    clips = [
        Clip(path.relative_to(root).as_posix(), (folder.name,), path.relative_to(root).with_suffix("").as_posix())
        for folder in sorted(root.iterdir())
        if folder.is_dir() and not folder.name.startswith((".", "_"))
        for path in audio_files(folder)
    ]
    if not clips:
        raise ValueError(
            f"{root} holds no recordings; expected one sub-folder a label with {', '.join(AUDIO_SUFFIXES)} files"
        )
    return ClipIndex(root, _choose_labels(clips, root, labels), tuple(clips), f"the folders of {root}")


def read_index(path: str | Path, labels: Sequence[str] | None = None) -> ClipIndex:
    """Return the index that a CSV holds; paths are relative to its folder."""
    path = Path(path)
    if labels is None and (path.parent / LABELS_FILE_NAME).is_file():
        labels = read_labels(path.parent / LABELS_FILE_NAME)
    clips = read_clips(path, labels)
    return ClipIndex(path.parent, _choose_labels(clips, path.parent, labels), tuple(clips), str(path))


def write_index(path: str | Path, index: ClipIndex) -> None:
    """Write an index as CSV, its paths relative to the file, replacing the file in one step."""
    write_clips(Path(path), index.clips, index.root)


def combine(indices: Sequence[ClipIndex], labels: Sequence[str] | None = None) -> ClipIndex:
    """Return several indices as one, its root the folder that holds them all.

    Parameters
    ----------
    indices : sequence of ClipIndex
        At least one. Groups of the same name are one group.
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
    clips = [
        replace(clip, path=Path(os.path.relpath((index.root / clip.path).resolve(), root)).as_posix())
        for index in indices
        for clip in index.clips
    ]
    twice = [path for path, count in Counter(clip.path for clip in clips).items() if count > 1]
    if twice:
        raise ValueError(f"{len(twice)} recordings are given twice, the first {root / twice[0]}; give each once")
    found = tuple(dict.fromkeys(label for index in indices for label in index.labels))
    unknown = sorted(set(found) - set(labels or found))
    if unknown:
        raise ValueError(f"clips are labelled {', '.join(unknown)}, but the labels are {', '.join(labels or ())}")
    return ClipIndex(root, tuple(labels or found), tuple(clips), " and ".join(index.source for index in indices))


def _of_dataset(root: Path, dataset: str, labels: Sequence[str] | None) -> ClipIndex:
    """The index of a folder that has a data set's layout."""
    from train.recordings.importers import choose_importer

    importer = choose_importer(dataset)
    clips = importer.read_folder(root)
    return ClipIndex(root, _choose_labels(clips, root, labels), tuple(clips), f"{root}, read as {importer.title}")


def _choose_labels(clips: Sequence[Clip], root: Path, labels: Sequence[str] | None) -> tuple[str, ...]:
    """The labels in output order, after checking that the clips use these and no others."""
    found = sorted({label for clip in clips for label in clip.labels})
    if labels is None:
        labels = read_labels(root / LABELS_FILE_NAME) if (root / LABELS_FILE_NAME).is_file() else found
    chosen = check_labels(labels)
    unknown = sorted(set(found) - set(chosen))
    if unknown:
        raise ValueError(f"clips are labelled {', '.join(unknown)}, but the labels are {', '.join(chosen)}")
    return chosen

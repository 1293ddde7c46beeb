"""The clip index: which recordings there are, what is heard in them, and what must stay together.

`clips.csv` has the columns path (relative to the file), labels (several joined by ;), group and split. `group` names
what must stay on one side of a split: a speaker, a source recording. An empty split is drawn (`train.split`).
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from metadata.atomic_file import write_atomically
from metadata.labels import LABELS_FILE_NAME, check_labels, read_labels
from train.decode import AUDIO_SUFFIXES

INDEX_FILE_NAME = "clips.csv"
TABLE_FILE_NAME = "meta.csv"  # the name under which many data sets ship their table
COLUMNS = ("path", "labels", "group", "split")
SPLITS = ("train", "val", "test")
LABEL_SEPARATOR = ";"
# Names under which the tables of other data sets hold our columns, the first found wins.
COLUMN_NAMES = {
    "path": ("path", "filename", "file"),
    "labels": ("labels", "label", "category"),
    "group": ("group", "speaker_id", "speaker"),
    "split": ("split", "split_hint"),
}
_MOST_NAMED = 10  # of the faults of a table, so that an error fits a screen


@dataclass(frozen=True)
class Clip:
    """One recording of the index."""

    path: str  # relative to the index' root, with forward slashes
    labels: tuple[str, ...]
    group: str
    split: str = ""  # train, val, test, or empty while it is not drawn yet


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


def find_clips(data: str | Path, labels: Sequence[str] | None = None) -> ClipIndex:
    """Return the index of a data folder or of a CSV file.

    A folder's own `clips.csv` is taken, else its `meta.csv`, else its tree: one folder a label.

    Parameters
    ----------
    data : str or Path
        The folder, or a CSV with the columns of `COLUMN_NAMES`.
    labels : sequence of str, optional
        Output order; else the folder's `labels.txt`, else the labels found, sorted.

    Raises
    ------
    FileNotFoundError
        No such folder or file.
    ValueError
        No recordings, fewer than two labels, or a table with faults (the first ten are named).
    """
    data = Path(data)
    if not data.exists():
        raise FileNotFoundError(f"{data} does not exist; expected a folder with one sub-folder a label, or a CSV")
    if data.is_file():
        return read_index(data, labels)
    for name in (INDEX_FILE_NAME, TABLE_FILE_NAME):
        if (data / name).is_file():
            return read_index(data / name, labels)
    return index_tree(data, labels)


def index_tree(root: str | Path, labels: Sequence[str] | None = None) -> ClipIndex:
    """Return the index of a folder tree, one folder a label; every recording is a group of its own."""
    root = Path(root)
    clips = [
        Clip(path.relative_to(root).as_posix(), (folder.name,), path.relative_to(root).with_suffix("").as_posix())
        for folder in sorted(root.iterdir())
        if folder.is_dir() and not folder.name.startswith((".", "_"))
        for path in _audio_files(folder)
    ]
    if not clips:
        raise ValueError(
            f"{root} holds no recordings; expected one sub-folder a label with {', '.join(AUDIO_SUFFIXES)} files"
        )
    return ClipIndex(root, _choose_labels(clips, root, labels), tuple(clips), f"the folders of {root}")


def read_index(path: str | Path, labels: Sequence[str] | None = None) -> ClipIndex:
    """Return the index that a CSV holds; paths are relative to its folder."""
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = _columns(reader.fieldnames or (), path)
            rows = [{name: (row.get(column) or "").strip() for name, column in columns.items()} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{path} is not a CSV table ({error}); expected a folder of recordings, or a table with the columns "
            f"{', '.join(COLUMNS)}"
        ) from error
    clips, faults = [], []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, start=2):
        clip = _clip_of(row)
        faults += [f"line {number}: {fault}" for fault in _faults(clip, path.parent, seen)]
        seen.setdefault(clip.path, number)
        clips.append(clip)
    if faults:
        more = f"\n  and {len(faults) - _MOST_NAMED} more" if len(faults) > _MOST_NAMED else ""
        raise ValueError(f"{path} has {len(faults)} faults:\n  " + "\n  ".join(faults[:_MOST_NAMED]) + more)
    if not clips:
        raise ValueError(f"{path} lists no clips; expected rows under the columns {', '.join(COLUMNS)}")
    return ClipIndex(path.parent, _choose_labels(clips, path.parent, labels), tuple(clips), str(path))


def write_index(path: str | Path, index: ClipIndex) -> None:
    """Write an index as CSV, its paths relative to the file, replacing the file in one step."""
    path = Path(path)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for clip in index.clips:
        located = Path(os.path.relpath(index.root / clip.path, path.parent)).as_posix()
        writer.writerow((located, LABEL_SEPARATOR.join(clip.labels), clip.group, clip.split))
    write_atomically(path, text.getvalue().encode())


def _audio_files(folder: Path) -> list[Path]:
    """Recordings below a folder, sorted, hidden files left out."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in AUDIO_SUFFIXES and path.is_file() and not path.name.startswith(".")
    )


def _columns(names: Sequence[str], path: Path) -> dict[str, str]:
    """Which column of a table holds which of ours; path and labels are required."""
    columns = {
        ours: next(theirs for theirs in candidates if theirs in names)
        for ours, candidates in COLUMN_NAMES.items()
        if any(theirs in names for theirs in candidates)
    }
    for required in ("path", "labels"):
        if required not in columns:
            raise ValueError(
                f"{path} has the columns {', '.join(names) or '(none)'}; expected one named "
                f"{' or '.join(COLUMN_NAMES[required])}"
            )
    return columns


def _clip_of(row: dict[str, str]) -> Clip:
    """One row as a clip; without a group the recording is its own."""
    labels = tuple(label.strip() for label in row["labels"].split(LABEL_SEPARATOR) if label.strip())
    return Clip(row["path"], labels, row.get("group") or row["path"], row.get("split", ""))


def _faults(clip: Clip, root: Path, seen: dict[str, int]) -> list[str]:
    """What is wrong with one row."""
    faults = []
    if not clip.path or not (root / clip.path).is_file():
        faults.append(f"no file {clip.path!r}")
    if clip.path in seen:
        faults.append(f"{clip.path!r} is already on line {seen[clip.path]}")
    if not clip.labels:
        faults.append("no label")
    if clip.split not in ("", *SPLITS):
        faults.append(f"split {clip.split!r}; expected {', '.join(SPLITS)} or nothing")
    return faults


def _choose_labels(clips: Sequence[Clip], root: Path, labels: Sequence[str] | None) -> tuple[str, ...]:
    """The labels in output order, after checking that the clips use these and no others."""
    found = sorted({label for clip in clips for label in clip.labels})
    if labels is None:
        labels = read_labels(root / LABELS_FILE_NAME) if (root / LABELS_FILE_NAME).is_file() else found
    chosen = check_labels(labels)
    unknown = sorted(set(found) - set(chosen))
    if unknown:
        raise ValueError(f"clips are labelled {', '.join(unknown)}, but the labels are {', '.join(chosen)}")
    if len(chosen) < 2 or len(found) < 2:
        raise ValueError(f"the only label is {found[0]}; a classifier needs at least two, one folder a label")
    return chosen

"""Clips as a CSV table, ours or another data set's: read with every fault listed at once, and written.

Ours has the columns path (relative to the file), labels (several joined by ;), group and split, and where the
recordings have them fold, licence and source, and original, start_s and end_s for clips that were cut. `group` names
what must stay on one side of a split: a speaker, a source recording. An empty split is drawn
(`train.recordings.split`).
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from metadata.atomic_file import write_atomically
from train.recordings.clip import LABEL_SEPARATOR, SPLITS, Clip

COLUMNS = ("path", "labels", "group", "split")
MORE_COLUMNS = ("fold", "licence", "source", "original", "start_s", "end_s")  # written where a clip has one
# Names under which the tables of other data sets hold our columns, the first found wins.
COLUMN_NAMES = {
    "path": ("path", "filename", "file"),
    "labels": ("labels", "label", "category"),
    "group": ("group", "speaker_id", "speaker"),
    "split": ("split", "split_hint"),
    "fold": ("fold",),
    "licence": ("licence", "license", "clip_licence"),
    "source": ("source", "src_repo", "src"),
    "original": ("original",),
    "start_s": ("start_s",),
    "end_s": ("end_s",),
}
AUDIO_FOLDER_NAME = "audio"  # many data sets keep their recordings in it, beside the table or beside its folder
_MOST_NAMED = 10  # of the faults of a table, so that an error fits a screen


@dataclass(frozen=True)
class Row:
    """One line of a table, under its own column names."""

    line: int
    values: Mapping[str, str]


def read_rows(path: Path) -> tuple[tuple[str, ...], list[Row]]:
    """Return the column names and the rows of a CSV; every value is a stripped text.

    Raises
    ------
    ValueError
        The file is not a CSV table.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            names = tuple(reader.fieldnames or ())
            rows = [Row(reader.line_num, {name: (row.get(name) or "").strip() for name in names}) for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"{path} is not a CSV table ({error}); expected a folder of recordings, or a table with the columns "
            f"{', '.join(COLUMNS)}"
        ) from error
    return names, rows


def read_clips(path: Path, labels: Sequence[str] | None = None) -> list[Clip]:
    """Return the clips that a table lists, their paths relative to its folder.

    Parameters
    ----------
    path : Path
        A CSV with the columns of `COLUMN_NAMES`; path and labels must be there.
    labels : sequence of str, optional
        The only labels that may occur.

    Raises
    ------
    ValueError
        The table has faults: missing files, unknown labels, rows given twice, ... The first ten are named.
    """
    names, rows = read_rows(path)
    columns = _columns(names, path)
    located = [
        (row.line, _clip_of({ours: row.values[theirs] for ours, theirs in columns.items()}, path.parent))
        for row in rows
    ]
    refuse_faults(path, located, path.parent, labels)
    return [clip for _, clip in located]


def refuse_faults(
    path: Path, clips: Iterable[tuple[int, Clip]], root: Path, labels: Sequence[str] | None = None
) -> None:
    """Raise ValueError naming what is wrong with the rows of a table, all at once.

    Parameters
    ----------
    path : Path
        The table, for the text.
    clips : iterable of (int, Clip)
        Line number and clip of each row.
    root : Path
        What the clips' paths are relative to.
    labels : sequence of str, optional
        The only labels that may occur.
    """
    faults: list[str] = []
    seen: dict[str, int] = {}
    for line, clip in clips:
        faults += [f"line {line}: {fault}" for fault in _faults(clip, root, seen, labels)]
        seen.setdefault(clip.path, line)
    raise_faults(path, faults)
    if not seen:
        raise ValueError(f"{path} lists no clips; expected rows under the columns {', '.join(COLUMNS)}")


def raise_faults(path: Path, faults: Sequence[str]) -> None:
    """Raise ValueError that names the first ten faults of a table and counts the others; nothing without faults."""
    if faults:
        more = f"\n  and {len(faults) - _MOST_NAMED} more" if len(faults) > _MOST_NAMED else ""
        raise ValueError(f"{path} has {len(faults)} faults:\n  " + "\n  ".join(faults[:_MOST_NAMED]) + more)


def write_clips(path: Path, clips: Sequence[Clip], root: Path) -> None:
    """Write clips as our CSV, their paths relative to the file, replacing the file in one step."""
    columns = [*COLUMNS, *(name for name in MORE_COLUMNS if any(getattr(clip, name) for clip in clips))]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for clip in clips:
        located = Path(os.path.relpath(root / clip.path, path.parent)).as_posix()
        values = {"path": located, "labels": LABEL_SEPARATOR.join(clip.labels)}
        writer.writerow([values.get(name, getattr(clip, name, "")) for name in columns])
    write_atomically(path, text.getvalue().encode())


def find_named(root: Path, name: str) -> str:
    """Return where a table's file lies relative to the table's folder: as named, or in an audio folder near it."""
    if not name or (root / name).is_file():
        return name
    for folder in (AUDIO_FOLDER_NAME, f"../{AUDIO_FOLDER_NAME}"):
        if (root / folder / name).is_file():
            return f"{folder}/{name}"
    return name


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


def _clip_of(row: Mapping[str, str], root: Path) -> Clip:
    """One row as a clip; without a group the recording is its own."""
    labels = tuple(label.strip() for label in row["labels"].split(LABEL_SEPARATOR) if label.strip())
    named = find_named(root, row["path"])
    more = {name: row.get(name, "") for name in ("split", *MORE_COLUMNS)}
    return Clip(named, labels, row.get("group") or row["path"], **more)


def _faults(clip: Clip, root: Path, seen: Mapping[str, int], labels: Sequence[str] | None) -> list[str]:
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
    faults += [
        f"unknown label {label!r}; the labels are {', '.join(labels)}"
        for label in clip.labels
        if labels is not None and label not in labels
    ]
    return faults

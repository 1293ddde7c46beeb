"""Clips as a CSV table, ours or another data set's: read with every fault listed at once, and written.

Ours has the columns path (relative to the file), labels (several joined by ;), group (several joined by |) and split,
and where the recordings have them fold, licence and source, and original, start_s and end_s for clips that were cut.
`label_source` is `teacher` where a model said the label and no person did.
`group` names what must stay on one side of a split: a speaker, a source recording. An empty split is drawn
(`train.recordings.split`). A ; or | within a name has a backslash in front (`train.recordings.clip.join_names`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from metadata.atomic_file import write_atomically
from metadata.csv_line import csv_line
from metadata.csv_rows import raise_faults, read_rows
from metadata.joined_names import join_names, split_names
from train.recordings.clip import LABEL_SEPARATOR, SPLITS, TEACHER, Clip, group_of
from train.recordings.tables.spelling import SpelledFiles, composed, look_alikes, respelled

COLUMNS = ("path", "labels", "group", "split")
MORE_COLUMNS = (  # written where a clip has one
    *("fold", "licence", "source"),
    *("original", "start_s", "end_s"),
    "label_source",
)
# Names under which the tables of other data sets hold our columns, in any case; the first found wins.
COLUMN_NAMES = {
    "path": ("path", "filename", "file"),
    "labels": ("labels", "label", "category"),
    "group": ("group", "speaker_id", "speaker"),
    "split": ("split", "split_hint", "side", "set", "subset", "partition"),
    "fold": ("fold",),
    "licence": ("licence", "license", "clip_licence"),
    "source": ("source", "src_repo", "src"),
    "original": ("original",),
    "start_s": ("start_s",),
    "end_s": ("end_s",),
    "label_source": ("label_source",),
}
NO_LABEL = "no label"  # a fault but of annotated clips, in some of which nothing sounds
AUDIO_FOLDER_NAME = "audio"  # many data sets keep their recordings in it, beside the table or beside its folder
_EXACT = ("path", "original")  # names of files keep their outer blanks, all else is without them


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
    return read_table(path, labels)[0]


def read_table(
    path: Path, labels: Sequence[str] | None = None, is_annotated: bool = False
) -> tuple[list[Clip], list[str]]:
    """Return the clips as `read_clips` does, and what was assumed, for people: columns of other names, groups alike.

    Annotated clips may have no label: no event sounds in them.
    """
    names, rows = read_rows(path)
    columns = _columns(names, path)
    files, located = SpelledFiles(), []
    for row in rows:
        ours = {name: (row.exact if name in _EXACT else row.values)[theirs] for name, theirs in columns.items()}
        located.append((row.line, _clip_of(ours, path.parent, files, labels)))
    groups = one_spelling(clip.group for _, clip in located)
    located = [(line, replace(clip, group=groups[clip.group])) for line, clip in located]
    refuse_faults(path, located, path.parent, labels, is_annotated)
    taken = ", ".join(f"{theirs} as {ours}" for ours, theirs in columns.items() if ours != theirs)
    notes = [f"{path}: took the columns {taken}"] if taken else []
    unused = [name for name in names if name and name not in columns.values()]
    if unused:
        notes.append(f"{path}: the columns {', '.join(unused)} are not used")
    if "group" in columns:
        alike = look_alikes((group for _, clip in located for group in clip.groups), gaps=False)
        notes += [
            f"the groups {' and '.join(map(ascii, names))} look the same but count as different" for names in alike
        ]
    return [clip for _, clip in located], notes


def one_spelling(names: Iterable[str]) -> dict[str, str]:
    """Return for each name the first one that has the same letters, composed or decomposed."""
    first: dict[str, str] = {}
    return {name: first.setdefault(composed(name), name) for name in dict.fromkeys(names)}


def refuse_faults(
    path: Path,
    clips: Iterable[tuple[int, Clip]],
    root: Path,
    labels: Sequence[str] | None = None,
    is_annotated: bool = False,
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
    is_annotated : bool
        Whether clips may have no label.
    """
    faults: list[str] = []
    seen: dict[str, int] = {}
    for line, clip in clips:
        faults += [
            f"line {line}: {fault}"
            for fault in _faults(clip, root, seen, labels)
            if not (is_annotated and fault == NO_LABEL)
        ]
        seen.setdefault(os.path.normpath(clip.path), line)
    raise_faults(path, faults)
    if not seen:
        raise ValueError(f"{path} lists no clips; expected rows under the columns {', '.join(COLUMNS)}")


def write_clips(path: Path, clips: Sequence[Clip], root: Path, is_annotated: bool = False) -> None:
    """Write clips as our CSV, their paths relative to the file, replacing the file in one step.

    Raises
    ------
    ValueError
        As for `clips_content`.
    """
    write_atomically(path, clips_content(path, clips, root, is_annotated))


def clips_content(path: Path, clips: Sequence[Clip], root: Path, is_annotated: bool = False) -> bytes:
    """Return clips as our CSV, their paths relative to the file that it is for.

    Raises
    ------
    ValueError
        A clip has something that would not read back: an empty label or one with outer blanks, no group, ...
    """
    faults = [
        (clip, fault) for clip in clips for fault in _unwritable(clip) if not (is_annotated and fault == NO_LABEL)
    ]
    raise_faults(path, [f"{clip.path!r}: {fault}" for clip, fault in faults])
    columns = [*COLUMNS, *(name for name in MORE_COLUMNS if any(getattr(clip, name) for clip in clips))]
    lines = [csv_line(columns)]
    for clip in clips:
        located = Path(os.path.relpath(root / clip.path, path.parent)).as_posix()
        values = {"path": located, "labels": join_names(clip.labels, LABEL_SEPARATOR)}
        lines.append(csv_line(values.get(name, getattr(clip, name, "")) for name in columns))
    return "".join(lines).encode()


def find_named(root: Path, name: str, files: SpelledFiles | None = None) -> str:
    """Return where a table's file lies relative to the table's folder: as named, or in an audio folder near it."""
    files = files or SpelledFiles()
    for folder in ("", f"{AUDIO_FOLDER_NAME}/", f"../{AUDIO_FOLDER_NAME}/"):
        found = files.find(root / folder, name)
        if found is not None:
            return f"{folder}{found}"
    return name


def _unwritable(clip: Clip) -> Iterator[str]:
    """What of a clip would not read back as it is."""
    if not clip.labels and clip.label_source != TEACHER:
        yield NO_LABEL
    for label in clip.labels:
        if not label or label != label.strip():
            yield f"the label {label!r} is empty or has outer blanks"
    if not clip.group:
        yield "no group"
    for name in ("group", "split", "fold", "licence", "source", "start_s", "end_s"):
        if getattr(clip, name) != getattr(clip, name).strip():
            yield f"the {name} {getattr(clip, name)!r} has outer blanks"
    if "\0" in clip.group + clip.fold + clip.licence + clip.source:
        yield "a zero byte in its group, fold, licence or source"
    try:
        f"{clip.path}{clip.group}{clip.original}".encode()
    except UnicodeEncodeError:
        yield "its name is not UTF-8 text; rename the file"


def _columns(names: Sequence[str], path: Path) -> dict[str, str]:
    """Which column of a table holds which of ours; path and labels are required."""
    # As it is written goes before another case: a table may have both `split` and `Split`.
    written = {name.strip().casefold(): name for name in reversed(names)} | {name: name for name in names}
    columns = {
        ours: next(written[theirs] for theirs in candidates if theirs in written)
        for ours, candidates in COLUMN_NAMES.items()
        if any(theirs in written for theirs in candidates)
    }
    for required in ("path", "labels"):
        if required not in columns:
            raise ValueError(
                f"{path} has the columns {', '.join(names) or '(none)'}; expected one named "
                f"{' or '.join(COLUMN_NAMES[required])}"
            )
    return columns


def _clip_of(row: Mapping[str, str], root: Path, files: SpelledFiles, known: Sequence[str] | None) -> Clip:
    """One row as a clip; without a group the recording is its own."""
    labels = tuple(spelled_label(label, known) for label in labels_of(row["labels"]))
    named = find_named(root, row["path"], files)
    more = {name: row.get(name, "") for name in ("split", *MORE_COLUMNS)}
    return Clip(named, labels, row.get("group") or group_of(row["path"]), **more)


def labels_of(cell: str) -> tuple[str, ...]:
    """Return the labels that a cell of a table joins."""
    return tuple(label.strip() for label in split_names(cell, LABEL_SEPARATOR) if label.strip())


def spelled_label(label: str, known: Sequence[str] | None) -> str:
    """Return a label as the known ones spell it; where none are given with composed letters."""
    return composed(label) if known is None else respelled(label, known)


def _faults(clip: Clip, root: Path, seen: Mapping[str, int], labels: Sequence[str] | None) -> list[str]:
    """What is wrong with one row."""
    faults = []
    if not clip.path or not os.path.isfile(os.path.join(root, clip.path)):
        faults.append(f"no file {clip.path!r}")
    place = os.path.normpath(clip.path)
    if place in seen:
        faults.append(f"{clip.path!r} is already on line {seen[place]}")
    if not clip.labels and clip.label_source != TEACHER:
        faults.append(NO_LABEL)
    if clip.split not in ("", *SPLITS):
        faults.append(f"split {clip.split!r}; expected {', '.join(SPLITS)} or nothing")
    if clip.label_source not in ("", TEACHER):
        faults.append(f"label_source {clip.label_source!r}; expected {TEACHER} or nothing")
    if clip.label_source == TEACHER and clip.split != "train":
        faults.append(f"a label of a {TEACHER} on the side {clip.split!r}; expected train: no truth is judged by it")
    faults += [
        f"unknown label {label!r}; the labels are {', '.join(labels)}"
        for label in clip.labels
        if labels is not None and label not in labels
    ]
    return faults

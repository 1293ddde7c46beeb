"""A folder of recordings with annotations: every fault of the annotations is listed at once.

The annotations are a table of the folder (annotations.csv, .tsv, .rttm, .json), or one file a recording beside it: a
label track or a selection table with its name. A meta.csv may hold the group, fold and split of each recording.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from edge_runtime.segments.segment import Segment
from metadata.csv_rows import raise_faults, read_rows
from metadata.labels import check_labels
from metadata.plural import counted
from train.annotations.frame_targets import merged
from train.annotations.read_annotations import NamedRecordings, ReadAnnotations, read_annotations
from train.recordings.clip import SPLITS, Clip, group_of
from train.recordings.clip_index import TABLE_FILE_NAME, ClipIndex
from train.recordings.folder_tree import tell_look_alikes
from train.recordings.left_out import LeftOut, Reason, name_some
from train.recordings.tables.clip_table import COLUMN_NAMES

NOT_ANNOTATED = Reason("not_annotated", "recordings that neither the annotations nor meta.csv name")
ROUNDING_SECONDS = 0.001  # by which annotations of a whole recording go beyond its end
Events = Mapping[str, tuple[Segment, ...]]
_COLUMN_NAMES = {ours: COLUMN_NAMES[ours] for ours in ("path", "group", "split", "fold", "licence")} | {
    "source": (*COLUMN_NAMES["source"], "background")  # of a composed scene
}


def annotated_index(
    data: str | Path,
    annotations: str | Path | None = None,
    *,
    form: str | None = None,
    labels: Sequence[str] | None = None,
    unit: str = "seconds",
) -> ClipIndex:
    """Return the recordings of a folder with their annotations, as an index with events.

    The labels of a recording are those of its events, none where it has no event. The events of a recording are sorted,
    those of one label apart from one another, all within it.

    Parameters
    ----------
    data : str or Path
        The folder, or a file of annotations in it.
    annotations : str or Path, optional
        The file; else the folder's own.
    form : str, optional
        A key of `edge_runtime.segments.forms.FORMS`.
    labels : sequence of str, optional
        The only labels that may occur, in output order; else those found, sorted.
    unit : str
        Of the times: seconds, milliseconds or samples of each recording's file.

    Raises
    ------
    FileNotFoundError
        No such folder, or no annotations in it.
    ValueError
        The annotations have faults: times that are not in `unit`, events behind the end, unknown labels, onset after
        offset, missing files. The first ten are named.
    """
    read = read_annotations(data, annotations, form=form, labels=labels, unit=unit)
    raise_faults(read.source, [fault.text for fault in read.faults])
    return index_of(read, labels)


def index_of(read: ReadAnnotations, labels: Sequence[str] | None = None) -> ClipIndex:
    """Return the index of the recordings with the annotations that can be used."""
    within = {
        name: merged(replace(one, offset=min(one.offset, read.seconds[name]), score=None) for _, one in found)
        for name, found in read.events.items()
    }
    about = _about(read)
    annotated = [name for name in read.recordings if within.get(name) or (name in read.annotated and name in about)]
    events = {name: within.get(name, ()) for name in annotated}
    found = sorted({one.label for of_clip in events.values() for one in of_clip})
    chosen = check_labels(labels or found, "the labels of the annotations")
    clips = [
        Clip(
            name,
            tuple(label for label in chosen if label in {one.label for one in of_clip}),
            **{"group": group_of(name), **about.get(name, {})},
        )
        for name, of_clip in events.items()
    ]
    left_out = (*read.unread, *(LeftOut(name, NOT_ANNOTATED) for name in read.recordings if name not in events))
    source = (
        f"{read.source}"
        if len(read.files) == 1
        else f"{counted(len(read.files), 'file')} of annotations in {read.folder}"
    )
    notes = (*_tell_changes(read, events), *tell_look_alikes(chosen))
    return ClipIndex(read.folder, chosen, tuple(clips), source, left_out, notes, events=events)


def _tell_changes(read: ReadAnnotations, events: Events) -> list[str]:
    """Notes on what was cut, joined, and taken for a recording without events."""
    cut = sum(
        one.offset > read.seconds[name] + ROUNDING_SECONDS for name in read.events for _, one in read.events[name]
    )
    joined = sum(len(found) - len(events[name]) for name, found in read.events.items())
    empty = [name for name, found in events.items() if not found]
    notes = []
    if cut:
        notes.append(f"{counted(cut, 'event ends', 'events end')} behind the end of the recording; cut there")
    if joined:
        were = counted(joined, "event was", "events were")
        notes.append(f"{were} joined with another one of the same label that it overlaps or touches")
    if empty:
        have = counted(len(empty), "recording has", "recordings have")
        notes.append(f"{have} no event: no label sounds there; {name_some(empty)}")
    return notes


def _about(read: ReadAnnotations) -> dict[str, dict[str, str]]:
    """What a meta.csv of the folder tells about the recordings that it lists; without one nothing about each."""
    table = read.folder / TABLE_FILE_NAME
    if not table.is_file():
        return {name: {} for name in read.recordings}
    names, rows = read_rows(table)
    folded = {name.casefold(): name for name in names}
    columns = {
        ours: next((folded[theirs] for theirs in meant if theirs in folded), "")
        for ours, meant in _COLUMN_NAMES.items()
    }
    if not columns["path"]:
        raise ValueError(f"{table} has no column for the recording; expected {' or '.join(COLUMN_NAMES['path'])}")
    about: dict[str, dict[str, str]] = {}
    faults, recordings = [], NamedRecordings(read.folder, read.recordings)
    for row in rows:
        place = recordings.find(row.exact[columns["path"]])
        told = {name: row.values[column] for name, column in columns.items() if column and name != "path"}
        if place is None:
            faults.append(f"line {row.line}: no file {row.exact[columns['path']]!r}")
        elif told.get("split", "") not in ("", *SPLITS):
            faults.append(f"line {row.line}: split {told['split']!r}; expected {', '.join(SPLITS)} or nothing")
        else:
            about[place] = {name: value for name, value in told.items() if value}
    raise_faults(table, faults)
    return about

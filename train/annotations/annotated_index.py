"""A folder of recordings with annotations: every fault of the annotations is listed at once.

The annotations are a table of the folder (annotations.csv, .tsv, .rttm, .json), or one file a recording beside it: a
label track or a selection table with its name. A meta.csv may hold the group, fold and split of each recording.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge_runtime.segments.read_segments import read_with_faults
from edge_runtime.segments.segment import Segment
from edge_runtime.segments.time_units import guess_unit, units_of_second
from metadata.csv_rows import raise_faults, read_rows
from metadata.labels import check_labels
from metadata.plural import counted
from train.annotations.annotated_folder import annotation_files
from train.annotations.frame_targets import merged
from train.recordings.clip import SPLITS, Clip, group_of
from train.recordings.clip_index import TABLE_FILE_NAME, ClipIndex
from train.recordings.decoding.audio_files import find_files
from train.recordings.decoding.decode import AudioError, duration, stored_rate
from train.recordings.left_out import LeftOut, Reason
from train.recordings.tables.clip_table import COLUMN_NAMES
from train.recordings.tables.spelling import SpelledFiles

NO_EVENTS = Reason("no_events", "recordings without annotation; a detector is not trained on them")
_STEP_SECONDS = 2e-6  # of the times that are written, twice
_ROUNDING_SECONDS = 0.001  # by which annotations of a whole recording go beyond its end
Events = Mapping[str, tuple[Segment, ...]]


@dataclass(frozen=True)
class AnnotatedIndex:
    """Recordings and their events.

    Attributes
    ----------
    index : ClipIndex
        The recordings that have events; the labels of each are those of its events.
    events : mapping of str to tuple of Segment
        By the clip's path, sorted, those of one label apart from one another, all within the recording.
    """

    index: ClipIndex
    events: Events


def annotated_index(
    data: str | Path,
    annotations: str | Path | None = None,
    *,
    form: str | None = None,
    labels: Sequence[str] | None = None,
    unit: str = "s",
) -> AnnotatedIndex:
    """Return the recordings of a folder with their annotations.

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
        Of the times: s, ms or samples of each recording's file.

    Raises
    ------
    FileNotFoundError
        No such folder, or no annotations in it.
    ValueError
        The annotations have faults: times that are not in `unit`, events behind the end, unknown labels, onset after
        offset, missing files. The first ten are named.
    """
    data = Path(data)
    folder, annotations = (data.parent, annotations or data) if data.is_file() else (data, annotations)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder} of recordings with annotations")
    recordings = find_files(folder).recordings
    files = [Path(annotations)] if annotations else annotation_files(folder)
    read: dict[str, tuple[Segment, ...]] = defaultdict(tuple)
    faults: list[str] = []
    for file in files:
        named, wrong = read_with_faults(file, form, labels)
        faults += [f"{file.name}: {fault}" for fault in wrong] if len(files) > 1 else wrong
        for name, events in named.items():
            place = _find(folder, name, recordings)
            read[place or name] += events
            faults += [] if place else [f"no file {name!r}"]
    read = {name: events for name, events in read.items() if name in recordings}
    within, more, notes = _within(folder, read, unit)
    raise_faults(files[0] if len(files) == 1 else folder, [*faults, *more])
    return _index(folder, files, recordings, within, labels, notes)


def _find(folder: Path, name: str, recordings: Sequence[str]) -> str | None:
    """The recording that a name means: its path, else the only one that is called so, maybe without its suffix."""
    found = SpelledFiles().find(folder, name)
    if found in recordings:
        return found
    called = [path for path in recordings if name in (Path(path).name, Path(path).stem)]
    return called[0] if len(called) == 1 else None


def _within(
    folder: Path, read: Mapping[str, Sequence[Segment]], unit: str
) -> tuple[dict[str, tuple[Segment, ...]], list[str], list[str]]:
    """The events in seconds, within their recordings; faults; and notes on what was joined and cut."""
    seconds, rates, faults = {}, {}, []
    for name in read:
        try:
            seconds[name], rates[name] = duration(folder / name), stored_rate(folder / name)
        except AudioError as error:
            faults.append(str(error))
    events = {name: _in_seconds(read[name], units_of_second(unit, rates[name])) for name in seconds}
    guessed = guess_unit(events, seconds, rates) if unit == "s" else "s"
    if guessed != "s":
        return {}, [*faults, _tell_unit(events, seconds, guessed)], []
    kept = {
        name: [one for one in found if one.onset <= seconds[name] - _STEP_SECONDS] for name, found in events.items()
    }
    faults += [
        f"{name}, {one.onset:g} to {one.offset:g} s, {one.label}: begins behind the end at {seconds[name]:g} s"
        for name, found in events.items()
        for one in found
        if one not in kept[name]
    ]
    within = {
        name: merged(replace(one, offset=min(one.offset, seconds[name]), score=None) for one in found)
        for name, found in kept.items()
    }
    cut = sum(one.offset > seconds[name] + _ROUNDING_SECONDS for name, found in kept.items() for one in found)
    return within, faults, _tell_changes(cut, sum(len(kept[name]) - len(within[name]) for name in kept))


def _tell_unit(events: Mapping[str, Sequence[Segment]], seconds: Mapping[str, float], unit: str) -> str:
    """The fault of annotations that are not in seconds, with the recording that shows it best."""
    last = {name: max(one.offset for one in found) for name, found in events.items() if found}
    name = max(last, key=lambda place: last[place] / seconds[place])
    what, divisor = {"ms": ("milliseconds", "1000"), "samples": ("samples", "the sample rate")}[unit]
    return (
        f"{name} is {seconds[name]:g} s long, but an event ends at {last[name]:g}: are the times in {what}? "
        f"Expected seconds; divide them by {divisor}, or read them from Python with unit={unit!r}"
    )


def _tell_changes(cut: int, joined: int) -> list[str]:
    """Notes on how many events were cut and joined."""
    notes = []
    if cut:
        notes.append(f"{counted(cut, 'event ends', 'events end')} behind the end of the recording; cut there")
    if joined:
        were = counted(joined, "event was", "events were")
        notes.append(f"{were} joined with another one of the same label that it overlaps or touches")
    return notes


def _in_seconds(events: Sequence[Segment], units: float) -> tuple[Segment, ...]:
    """Events whose times are in other units, `units` a second."""
    return tuple(replace(one, onset=one.onset / units, offset=one.offset / units) for one in events)


def _index(
    folder: Path,
    files: Sequence[Path],
    recordings: Sequence[str],
    events: dict[str, tuple[Segment, ...]],
    labels: Sequence[str] | None,
    notes: Sequence[str],
) -> AnnotatedIndex:
    """The index of the recordings that have events."""
    events = {name: events[name] for name in recordings if events.get(name)}
    found = sorted({one.label for of_clip in events.values() for one in of_clip})
    chosen = check_labels(labels or found, "the labels of the annotations")
    about = _about(folder, recordings)
    clips = [
        Clip(name, tuple(label for label in chosen if label in {one.label for one in of_clip}), **about[name])
        for name, of_clip in events.items()
    ]
    left_out = tuple(LeftOut(name, NO_EVENTS) for name in recordings if name not in events)
    source = f"{files[0]}" if len(files) == 1 else f"{counted(len(files), 'annotation file')} of {folder}"
    return AnnotatedIndex(ClipIndex(folder, chosen, tuple(clips), source, left_out, tuple(notes)), events)


def _about(folder: Path, recordings: Sequence[str]) -> dict[str, dict[str, str]]:
    """The group, split and fold of each recording, as a meta.csv of the folder has them; else each is its own group."""
    about = {name: {"group": group_of(name), "split": "", "fold": ""} for name in recordings}
    table = folder / TABLE_FILE_NAME
    if not table.is_file():
        return about
    names, rows = read_rows(table)
    folded = {name.casefold(): name for name in names}
    columns = {
        ours: next((folded[theirs] for theirs in COLUMN_NAMES[ours] if theirs in folded), "")
        for ours in ("path", "group", "split", "fold")
    }
    if not columns["path"]:
        raise ValueError(f"{table} has no column for the recording; expected {' or '.join(COLUMN_NAMES['path'])}")
    faults = []
    for row in rows:
        place = _find(folder, row.exact[columns["path"]], recordings)
        told = {name: row.values[column] for name, column in columns.items() if column and name != "path"}
        if place is None:
            faults.append(f"line {row.line}: no file {row.exact[columns['path']]!r}")
        elif told.get("split", "") not in ("", *SPLITS):
            faults.append(f"line {row.line}: split {told['split']!r}; expected {', '.join(SPLITS)} or nothing")
        else:
            about[place].update({name: value for name, value in told.items() if value})
    raise_faults(table, faults)
    return about

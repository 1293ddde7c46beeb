"""The annotations of a folder of recordings as they stand, each event with its place in a file, and every fault."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from edge_runtime.segments.read_segments import Placed, named_by_file, read_with_faults
from edge_runtime.segments.segment import Segment
from edge_runtime.segments.time_units import UNITS, guess_unit, units_of_second
from train.annotations.annotated_folder import TABLES, annotation_files, unread_annotations
from train.annotations.tier_files import is_tier_file, read_tiers
from train.recordings.decoding.audio_files import find_files
from train.recordings.decoding.decode import AudioError, duration, stored_rate
from train.recordings.left_out import LeftOut
from train.recordings.tables.spelling import SpelledFiles

STEP_SECONDS = 2e-6  # of the times that are written, twice


class Fault(NamedTuple):
    """Why an annotation cannot be used."""

    kind: str  # a short name that stays the same from version to version
    text: str


class Located(NamedTuple):
    """An event and where it is written: file and line."""

    place: str
    event: Segment


@dataclass(frozen=True)
class ReadAnnotations:
    """The annotations of a folder.

    Attributes
    ----------
    folder : Path
    files : list of Path
        One table, or a file for each recording.
    recordings : tuple of str
        All below the folder.
    annotated : frozenset of str
        Those of them whose events are all known, many or none: the table of a folder is of all in it, another file
        only of those that it names.
    seconds : mapping of str to float
        Lengths of those that have events and can be read.
    events : mapping of str to tuple of Located
        Of these recordings, in seconds, in the order of the files; each begins within its recording.
    faults : list of Fault
        All other annotations.
    unread : tuple of LeftOut
        Files of annotations that lie in the folder too.
    """

    folder: Path
    files: list[Path]
    recordings: tuple[str, ...]
    annotated: frozenset[str]
    seconds: Mapping[str, float]
    events: Mapping[str, tuple[Located, ...]]
    faults: list[Fault]
    unread: tuple[LeftOut, ...] = ()

    @property
    def source(self) -> Path:
        """The table, or the folder of many files."""
        return self.files[0] if len(self.files) == 1 else self.folder


class NamedRecordings:
    """Finds the recordings of a folder by the names that tables have for them."""

    def __init__(self, folder: Path, recordings: Sequence[str]) -> None:
        self._folder, self._files, self._known = folder, SpelledFiles(), frozenset(recordings)
        self._called: dict[str, list[str]] = defaultdict(list)
        for path in recordings:
            place = Path(path)
            for name in {place.name, place.stem, place.with_suffix("").as_posix()}:
                self._called[name].append(path)

    def find(self, name: str) -> str | None:
        """Return the recording that is meant: by its path or its name, with or without suffix."""
        found = self._files.find(self._folder, name)
        if found in self._known:
            return found
        called = self._called.get(name, [])
        return called[0] if len(called) == 1 else None


def read_annotations(
    data: str | Path,
    annotations: str | Path | None = None,
    *,
    form: str | None = None,
    labels: Sequence[str] | None = None,
    unit: str = "seconds",
) -> ReadAnnotations:
    """Return the annotations of a folder, with all that is wrong with them; see `annotated_index`.

    Raises
    ------
    FileNotFoundError
        No such folder, or no annotations in it.
    ValueError
        The folder's only file of annotations cannot be read at all.
    """
    data = Path(data)
    folder, given = (data.parent, annotations or data) if data.is_file() else (data, annotations)
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder} of recordings with annotations")
    recordings = find_files(folder).recordings
    files = [Path(given)] if given else annotation_files(folder)
    unread = () if given else unread_annotations(folder, files)
    if unit != UNITS[0] and any(map(is_tier_file, files)):
        raise ValueError(f"{files[0]} counts in seconds whatever its recording; leave the unit {unit} out")
    placed, faults = _read_files(folder, files, form, labels)
    named = NamedRecordings(folder, recordings)
    places = {name: named.find(name) for name in dict.fromkeys(one.recording for one in placed)}
    faults += [
        Fault("annotation_without_recording", f"{one.place}: no file {one.recording!r}")
        for one in placed
        if places[one.recording] is None
    ]
    read: dict[str, list[Located]] = defaultdict(list)
    for one in placed:
        place = places[one.recording]
        if place is not None and one.segment is not None:
            read[place].append(Located(one.place, one.segment))
    about = {*places.values(), *(named.find(_beside(folder, file)) for file in files)}
    is_of_all = files[0].parent == folder and files[0].name in TABLES
    annotated = frozenset(name for name in recordings if is_of_all or name in about)
    seconds, events, more = _within(folder, read, unit)
    return ReadAnnotations(folder, files, recordings, annotated, seconds, events, [*faults, *more], unread)


def _read_files(
    folder: Path, files: Sequence[Path], form: str | None, labels: Sequence[str] | None
) -> tuple[list[Placed], list[Fault]]:
    """What all files hold, in their order; each place and fault begins with the file's name."""
    placed: list[Placed] = []
    faults: list[str] = []
    for file in files:
        of_file = f"{Path(os.path.relpath(file, folder)).as_posix()}, "
        try:
            found, wrong = read_tiers(file, labels) if is_tier_file(file) else read_with_faults(file, form, labels)
        except ValueError as error:
            if len(files) == 1:
                raise
            found, wrong, of_file = [], [str(error)], ""
        faults += [f"{of_file}{fault}" for fault in wrong]
        placed += [
            one._replace(
                place=f"{of_file}{one.place}",
                recording=_beside(folder, file) if one.recording == named_by_file(file) else one.recording,
            )
            for one in found
        ]
    return placed, [Fault("annotation_fault", fault) for fault in faults]


def _beside(folder: Path, file: Path) -> str:
    """The recording beside a file, as that names it: without suffix."""
    return Path(os.path.relpath(file.with_name(named_by_file(file)), folder)).as_posix()


def _within(
    folder: Path, read: Mapping[str, Sequence[Located]], unit: str
) -> tuple[dict[str, float], dict[str, tuple[Located, ...]], list[Fault]]:
    """Lengths of recordings, their events in seconds that begin within them, and faults."""
    seconds, rates, faults = {}, {}, []
    for name in read:
        try:
            seconds[name], rates[name] = duration(folder / name), stored_rate(folder / name)
        except AudioError as error:
            faults.append(Fault("annotation_of_unreadable", str(error)))
    events = {name: _in_seconds(read[name], units_of_second(unit, rates[name])) for name in seconds}
    plain = {name: [one.event for one in found] for name, found in events.items()}
    guessed = guess_unit(plain, seconds, rates) if unit == UNITS[0] else UNITS[0]
    if guessed != UNITS[0]:
        return seconds, {}, [*faults, Fault("annotation_unit", _tell_unit(plain, seconds, guessed))]
    kept = {
        name: tuple(one for one in found if one.event.onset <= seconds[name] - STEP_SECONDS)
        for name, found in events.items()
    }
    faults += [
        Fault(
            "annotation_behind_end",
            f"{one.place}: {name}, {told(one.event)}: begins behind the end at {seconds[name]:g} s",
        )
        for name, found in events.items()
        for one in found
        if one not in kept[name]
    ]
    return seconds, kept, faults


def told(event: Segment) -> str:
    """Return an event as text."""
    return f"{event.onset:g} to {event.offset:g} s, {event.label}"


def _in_seconds(events: Sequence[Located], units: float) -> tuple[Located, ...]:
    """Events whose times are in other units, `units` a second."""
    return tuple(
        Located(place, replace(one, onset=one.onset / units, offset=one.offset / units)) for place, one in events
    )


def _tell_unit(events: Mapping[str, Sequence[Segment]], seconds: Mapping[str, float], unit: str) -> str:
    """The fault of annotations that are not in seconds, with the recording that shows it best."""
    last = {name: max(one.offset for one in found) for name, found in events.items() if found}
    name = max(last, key=lambda place: last[place] / seconds[place])
    divisor = {"milliseconds": "1000", "samples": "the sample rate"}[unit]
    return (
        f"{name} is {seconds[name]:g} s long, but an event ends at {last[name]:g}: are the times in {unit}? "
        f"Expected seconds; divide them by {divisor}. data list, data check, data compose and evaluate read them as "
        f"they are with --unit {unit} (Python: unit={unit!r})"
    )

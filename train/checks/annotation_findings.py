"""What is wrong with annotations, each with its place in the file: rows, times, overlaps, events without sound."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from metadata.plural import counted
from metadata.signed import signed
from train.annotations.annotated_index import ROUNDING_SECONDS
from train.annotations.read_annotations import Located, ReadAnnotations, told
from train.checks.event_levels import NOTHING_DBFS, event_levels
from train.checks.findings import Finding
from train.checks.signal_findings import QUIET_DBFS
from train.recordings.decoding.decode import AudioError

FRAME_SECONDS = 0.04  # of a detector (`train.models.event_crnn`): what is shorter may leave no frame half covered
MOST_SHOWN = 20  # of the faults of a kind: they are to be mended one by one
_FAULTS = {
    "annotation_fault": (
        "annotation cannot be read; correct it: training refuses it",
        "annotations cannot be read; correct them: training refuses them",
    ),
    "annotation_without_recording": (
        "annotation is of a recording that is not there; correct the name, or add the file: training refuses it",
        "annotations are of recordings that are not there; correct the names, or add the files: training refuses them",
    ),
    "annotation_behind_end": (
        "annotation begins behind the end of its recording; correct the times: training refuses it",
        "annotations begin behind the end of their recording; correct the times: training refuses them",
    ),
}  # what one is told, and several
_UNIT_FAULT, _NOT_IN_SECONDS = "annotation_unit", "the times of the annotations are not in seconds"

Reads = Sequence[ReadAnnotations]


def find_annotation_faults(reads: Reads, tell: Callable[[int], None] | None = None) -> list[Finding]:
    """Return what is wrong with the annotations of folders; each recording with events is decoded once.

    Parameters
    ----------
    reads : sequence of ReadAnnotations
    tell : callable, optional
        Called with the number of recordings done.
    """
    return [*_faults(reads), *_sound(reads, tell), *_short(reads), *_overlapping(reads), *_cut(reads)]


def _faults(reads: Reads) -> Iterable[Finding]:
    """Annotations that training refuses."""
    for kind in (*_FAULTS, _UNIT_FAULT):
        faults = tuple(fault.text for read in reads for fault in read.faults if fault.kind == kind)
        if faults:
            text = counted(len(faults), *_FAULTS[kind]) if kind in _FAULTS else _NOT_IN_SECONDS
            yield Finding("error", kind, text, faults, MOST_SHOWN)


def _sound(reads: Reads, tell: Callable[[int], None] | None) -> Iterable[Finding]:
    """Events under which there is no sound, or next to none."""
    silent, quiet = [], []
    for level, name, one in _levels(reads, tell):
        if level == NOTHING_DBFS:
            silent.append(f"{_place(name, one)}: every sample is alike")
        elif level < QUIET_DBFS:
            quiet.append(f"{_place(name, one)}: {signed(level, 0, plus=False)} dBFS")
    if silent:
        yield Finding(
            "error",
            "event_without_sound",
            f"{counted(len(silent), 'event is', 'events are')} where the recording holds nothing at all; is the "
            "annotation of another recording, or are its times wrong?",
            tuple(silent),
            MOST_SHOWN,
        )
    if quiet:
        yield Finding(
            "warning",
            "quiet_event",
            f"{counted(len(quiet), 'event is', 'events are')} below {QUIET_DBFS:.0f} dBFS",
            tuple(quiet),
            MOST_SHOWN,
        )


def _levels(reads: Reads, tell: Callable[[int], None] | None) -> Iterator[tuple[float, str, Located]]:
    """The level under each event; recordings that cannot be read are a finding of their own."""
    done = 0
    for read in reads:
        for name, found in read.events.items():
            try:
                levels = event_levels(read.folder / name, [one.event for one in found])
            except AudioError:
                levels = []
            yield from ((level, name, one) for level, one in zip(levels, found, strict=False))
            done += 1
            if tell:
                tell(done)


def _short(reads: Reads) -> Iterable[Finding]:
    """Events that fall between the frames of a detector."""
    short = tuple(_place(name, one) for name, one in _all(reads) if one.event.duration < FRAME_SECONDS)
    if short:
        yield Finding(
            "warning",
            "short_event",
            f"{counted(len(short), 'event is', 'events are')} shorter than a frame of {1000 * FRAME_SECONDS:.0f} ms; "
            "what covers less than half of a frame is not learned",
            short,
            MOST_SHOWN,
        )


def _overlapping(reads: Reads) -> Iterable[Finding]:
    """Events of one label that overlap."""
    pairs = []
    for read in reads:
        for name, found in read.events.items():
            latest: dict[str, Located] = {}  # of each label the event that ends last
            for one in sorted(found, key=lambda located: located.event):
                earlier = latest.get(one.event.label)
                if earlier and one.event.onset < earlier.event.offset:
                    pairs.append(f"{_place(name, one)}: overlaps {earlier.place}, {told(earlier.event)}")
                if not earlier or one.event.offset > earlier.event.offset:
                    latest[one.event.label] = one
    if pairs:
        yield Finding(
            "warning",
            "overlapping_events",
            f"{counted(len(pairs), 'event overlaps', 'events overlap')} another one of the same label; the two count "
            "as one",
            tuple(pairs),
            MOST_SHOWN,
        )


def _cut(reads: Reads) -> Iterable[Finding]:
    """Events that end behind the end of their recording."""
    cut = tuple(
        f"{_place(name, one)}: the recording ends at {read.seconds[name]:g} s"
        for read in reads
        for name, found in read.events.items()
        for one in found
        if one.event.offset > read.seconds[name] + ROUNDING_SECONDS
    )
    if cut:
        yield Finding(
            "warning",
            "event_beyond_end",
            f"{counted(len(cut), 'event ends', 'events end')} behind the end of the recording; training cuts "
            "them there",
            cut,
            MOST_SHOWN,
        )


def _all(reads: Reads) -> Iterator[tuple[str, Located]]:
    """Every event with its recording."""
    return ((name, one) for read in reads for name, found in read.events.items() for one in found)


def _place(name: str, one: Located) -> str:
    """An event and where it is written, as text."""
    return f"{one.place}: {name}, {told(one.event)}"

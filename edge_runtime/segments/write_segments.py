"""Segments of recordings as text, in the forms that annotation tools and measures read.

What is written reads back equal: times to the microsecond, scores to six digits. Two things have no place in some
forms: the score in a label track, and a recording without segments in a label track, a selection table and RTTM.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from edge_runtime.segments.forms import check_form, form_to_write
from edge_runtime.segments.segment import Segment
from metadata.atomic_file import write_atomically
from metadata.csv_line import csv_line
from metadata.labels import check_labels
from metadata.plural import counted

COLUMNS = ("filename", "onset", "offset", "event_label")
RAVEN_COLUMNS = (
    *("Selection", "View", "Channel", "Begin Time (s)", "End Time (s)", "Begin File", "File Offset (s)", "Annotation"),
    "Score",
)
_DIGITS = 6  # of seconds and scores
_NOTHING = "<NA>"
_OTHER_FORM = "rename it, or write another form, such as csv"
Recordings = Mapping[str, Sequence[Segment]]


def write_segments(path: str | Path, recordings: Recordings, form: str | None = None) -> None:
    """Write the segments of recordings in one step, in a form of `forms.FORMS` or in that of the suffix.

    Raises
    ------
    ValueError
        As for `segments_text`, or the suffix stands for no form.
    FileNotFoundError
        The folder does not exist.
    """
    path = Path(path)
    write_atomically(path, segments_text(recordings, form_to_write(path, form)).encode("utf-8"))


def segments_text(recordings: Recordings, form: str) -> str:
    """Return the segments of recordings as text, each recording's sorted.

    Parameters
    ----------
    recordings : mapping of str to sequence of Segment
        By recording, as the table shall name it.
    form : str
        A key of `forms.FORMS`.

    Raises
    ------
    ValueError
        An unknown form, a label or a name that the form cannot hold, a segment shorter than a microsecond, or several
        recordings in a label track.
    """
    write = _WRITERS[check_form(form)]
    for name, segments in recordings.items():
        _check_name(name, form)
        for segment in segments:
            _check(segment, name, form)
    return write({name: sorted(segments, key=place_of) for name, segments in recordings.items()})


def seconds_text(seconds: float) -> str:
    """Return a time in seconds to the microsecond, without the zeros at its end."""
    whole, _, part = f"{seconds:.{_DIGITS}f}".partition(".")
    return f"{whole}.{part.rstrip('0') or '0'}"


def audacity_line(onset: float, offset: float, label: str) -> str:
    """Return a segment as a label track holds it."""
    return f"{onset:.{_DIGITS}f}\t{offset:.{_DIGITS}f}\t{label}\n"


def place_of(segment: Segment) -> tuple[float, float, str]:
    """Return what segments are sorted by: scores may be missing."""
    return segment.onset, segment.offset, segment.label


def _check_name(name: str, form: str) -> None:
    """Refuse a recording's name that the form would not give back."""
    if not name.strip() or name.splitlines() != [name] or "\t" in name or "\0" in name:
        raise ValueError(f"the recording {name!r} has no name that a table of segments can hold; rename the file")
    if form == "rttm" and name.split() != [name]:
        raise ValueError(f"RTTM puts blanks between its fields and cannot hold the name {name!r}; {_OTHER_FORM}")


def _check(segment: Segment, name: str, form: str) -> None:
    """Refuse a segment that the form would not give back."""
    where = f"{name}, {segment.onset:g} to {segment.offset:g} s"
    check_labels([segment.label], where)
    if form == "rttm" and (len(segment.label.split()) != 1 or segment.label == _NOTHING):
        raise ValueError(f"{where}: RTTM cannot hold the label {segment.label!r}; {_OTHER_FORM}")
    if seconds_text(segment.onset) == seconds_text(segment.offset):
        raise ValueError(f"{where}: the segment is shorter than a microsecond, the step of the times that are written")


def _score(segment: Segment) -> float | None:
    """The score as it is written."""
    return None if segment.score is None else round(segment.score, _DIGITS)


def _table(recordings: Recordings, delimiter: str) -> str:
    """A table of segments; a recording without any has a row of its own, and scores, where there are any, a column."""
    scored = any(segment.score is not None for segments in recordings.values() for segment in segments)
    lines = [csv_line([*COLUMNS, *["score"] * scored], delimiter)]
    for name, segments in recordings.items():
        if not segments:
            lines.append(csv_line([name, "", "", "", *[""] * scored], delimiter))
        for one in segments:
            cells = [name, seconds_text(one.onset), seconds_text(one.offset), one.label]
            lines.append(csv_line([*cells, *[_score(one)] * scored], delimiter))
    return "".join(lines)


def _audacity(recordings: Recordings) -> str:
    """The label track of the only recording."""
    if len(recordings) > 1:
        raise ValueError(
            f"a label track is of one recording, not of {counted(len(recordings), 'recording')}; write one a "
            "recording, or another form, such as csv"
        )
    return "".join(
        audacity_line(one.onset, one.offset, one.label) for segments in recordings.values() for one in segments
    )


def _raven(recordings: Recordings) -> str:
    """A selection table; times count from the beginning of each recording's own file."""
    rows = [(name, one) for name, segments in recordings.items() for one in segments]
    lines = ["\t".join(RAVEN_COLUMNS)]
    for number, (name, one) in enumerate(rows, start=1):
        onset = seconds_text(one.onset)
        score = "" if one.score is None else str(_score(one))
        lines.append(
            "\t".join([str(number), "Waveform 1", "1", onset, seconds_text(one.offset), name, onset, one.label, score])
        )
    return "\n".join(lines) + "\n"


def _rttm(recordings: Recordings) -> str:
    """RTTM, the duration exactly the difference of the times as they would be written."""
    lines = []
    for name, segments in recordings.items():
        for one in segments:
            onset = seconds_text(one.onset)
            duration = f"{Decimal(seconds_text(one.offset)) - Decimal(onset):f}"
            score = _NOTHING if one.score is None else _score(one)
            lines.append(f"SPEAKER {name} 1 {onset} {duration} {_NOTHING} {_NOTHING} {one.label} {score} {_NOTHING}\n")
    return "".join(lines)


def _json(recordings: Recordings) -> str:
    """A JSON document."""
    document = {"recordings": {name: [_entry(one) for one in segments] for name, segments in recordings.items()}}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _entry(segment: Segment) -> dict[str, Any]:
    """A segment for JSON."""
    entry = {
        "onset": round(segment.onset, _DIGITS),
        "offset": round(segment.offset, _DIGITS),
        "label": segment.label,
    }
    return entry if segment.score is None else {**entry, "score": _score(segment)}


_WRITERS: dict[str, Callable[[Recordings], str]] = {
    "csv": lambda recordings: _table(recordings, ","),
    "dcase": lambda recordings: _table(recordings, "\t"),
    "audacity": _audacity,
    "raven": _raven,
    "rttm": _rttm,
    "json": _json,
}

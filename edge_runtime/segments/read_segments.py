"""Segments of recordings from the files that annotation tools write; every fault of a file is listed at once.

Times are taken as they stand: `time_units` tells seconds from milliseconds and samples, for which lengths are needed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

from edge_runtime.segments.forms import form_to_read
from edge_runtime.segments.segment import Segment
from edge_runtime.segments.timed_rows import TimedRow
from edge_runtime.segments.write_segments import COLUMNS, place_of
from metadata.csv_rows import Row, raise_faults, read_rows, read_text

COLUMN_NAMES = {
    "recording": ("filename", "file", "path", "recording", "audio_file"),
    "onset": ("onset", "start", "start_s", "start_seconds", "start_time", "begin"),
    "offset": ("offset", "end", "end_s", "end_seconds", "end_time"),
    "label": ("event_label", "label", "class", "event"),
    "score": ("score", "confidence", "mean_score"),
}
"""Names under which tables hold our columns, in any case; the first found wins."""

_RAVEN_NAMES = {
    "recording": ("begin file",),
    "file_onset": ("file offset (s)",),
    "onset": ("begin time (s)",),
    "offset": ("end time (s)",),
    "label": ("annotation", "label", "species", "class", "call type"),
    "score": ("score", "confidence"),
}
_RAVEN_SUFFIX = re.compile(r"\.Table\.\d+\.selections$", re.IGNORECASE)


def read_segments(
    path: str | Path, form: str | None = None, labels: Sequence[str] | None = None
) -> dict[str, tuple[Segment, ...]]:
    """Return the segments of each recording that a file names, sorted.

    Parameters
    ----------
    path : str or Path
    form : str, optional
        A key of `forms.FORMS`; else seen by suffix and content.
    labels : sequence of str, optional
        The only labels that may occur.

    Returns
    -------
    dict of str to tuple of Segment
        A file without names of recordings is of the recording that is called as the file is, without its suffix.

    Raises
    ------
    FileNotFoundError
        No such file.
    ValueError
        The file has faults: each is named with its line, the first ten of them quoted.
    """
    placed, faults = read_with_faults(Path(path), form, labels)
    raise_faults(Path(path), faults)
    found: dict[str, list[Segment]] = {}
    for one in placed:
        found.setdefault(one.recording, []).extend([one.segment] if one.segment else [])
    return {name: tuple(sorted(segments, key=place_of)) for name, segments in found.items()}


class Placed(NamedTuple):
    """A segment and where its file has it; None where a file says that a recording has none."""

    recording: str
    place: str
    segment: Segment | None


def read_with_faults(
    path: Path, form: str | None = None, labels: Sequence[str] | None = None
) -> tuple[list[Placed], list[str]]:
    """Return the segments of a file in its order, and the faults of the rows that are not among them.

    Raises
    ------
    FileNotFoundError, ValueError
        No such file, or nothing of it can be read.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path} of segments")
    text = read_text(path, "file of segments")
    return checked_rows(_READERS[form_to_read(path, text, form)](path, text), labels)


def checked_rows(rows: Iterable[TimedRow | str], labels: Sequence[str] | None) -> tuple[list[Placed], list[str]]:
    """Return the segments of rows, and the faults of the others; a row that is text is a fault."""
    placed, faults = [], []
    for row in rows:
        try:
            if isinstance(row, str):
                raise ValueError(row)
            placed.append(Placed(row.recording, row.place, row.segment(labels)))
        except ValueError as error:
            faults.append(str(error))
    return placed, faults


def named_by_file(path: Path) -> str:
    """Return the recording that a file stands for which names none."""
    return _RAVEN_SUFFIX.sub("", path.stem)


Rows = Iterable["TimedRow | str"]  # a str is a fault


def _table(path: Path, text: str) -> Rows:
    """A table under column names, or the four columns of DCASE without them."""
    first = next((line for line in text.splitlines() if line.strip()), "").split("\t")
    names, rows = read_rows(path, COLUMNS if len(first) == 4 and _is_number(first[1]) else ())
    columns = _columns(path, names, COLUMN_NAMES, text)
    return (_row_of(row, columns, named_by_file(path)) for row in rows)


def _row_of(row: Row, columns: dict[str, str], named: str) -> TimedRow:
    """A row of a table."""
    cells = {ours: row.exact[theirs] for ours, theirs in columns.items()}
    return TimedRow(f"line {row.line}", ",".join(row.exact.values()), **{"recording": named, **cells})


def _columns(path: Path, names: Sequence[str], meant: dict[str, tuple[str, ...]], text: str) -> dict[str, str]:
    """The column of each of ours; those that must be there are the times and the label."""
    folded = {name.casefold(): name for name in names}
    columns = {
        ours: folded[next(theirs for theirs in meant[ours] if theirs in folded)]
        for ours in meant
        if any(theirs in folded for theirs in meant[ours])
    }
    missing = [ours for ours in ("onset", "offset", "label") if ours not in columns]
    if missing:
        expected = ", ".join(f"{ours} ({' or '.join(meant[ours])})" for ours in missing)
        first = next((line for line in text.splitlines() if line.strip()), "")
        raise ValueError(f"{path}: line 1, {first[:160]!r}, names no column for {expected}")
    return columns


def _audacity(path: Path, text: str) -> Rows:
    """A label track; a line that begins with a backslash holds the frequencies of the label above."""
    for line, content in _lines(text):
        if not content.startswith("\\"):
            onset, offset, label = [*content.split("\t", 2), "", ""][:3]
            yield TimedRow(f"line {line}", content, named_by_file(path), onset, offset, label)


def _raven(path: Path, text: str) -> Rows:
    """A selection table, which quotes nothing; a selection stands there once for each view."""
    lines = list(_lines(text))
    names = [name.strip() for name in lines[0][1].split("\t")] if lines else []
    columns = _columns(path, names, _RAVEN_NAMES, text)
    seen = set()
    for line, content in lines[1:]:
        cells = dict(zip(names, content.split("\t"), strict=False))
        ours = {name: cells.get(column, "") for name, column in columns.items()}
        number = (cells.get("Selection", ""), ours["onset"], ours["offset"], ours["label"])
        if number[0] and number in seen:
            continue
        seen.add(number)
        yield _selection(line, content, {"recording": named_by_file(path), **ours})


def _selection(line: int, content: str, cells: dict[str, str]) -> TimedRow:
    """A selection, its times in its own file where the table tells where that begins."""
    in_file = cells.pop("file_onset", "").strip()
    if in_file and in_file != cells["onset"].strip():
        cells["offset"] = _plus(in_file, cells["offset"], "-" + cells["onset"].strip())
        cells["onset"] = in_file
    return TimedRow(f"line {line}", content, **cells)


def _rttm(path: Path, text: str) -> Rows:
    """RTTM; lines of other types than SPEAKER hold no segments."""
    for line, content in _lines(text):
        fields = content.split()
        if content.startswith(";;") or fields[0] in _OTHER_TYPES:
            continue
        if fields[0] != "SPEAKER" or len(fields) < 8:
            yield f"line {line}, {content[:160]!r}: expected SPEAKER and at least seven fields more"
            continue
        score = fields[8] if len(fields) > 8 and fields[8] != "<NA>" else ""
        yield TimedRow(f"line {line}", content, fields[1], fields[3], _plus(fields[3], fields[4]), fields[7], score)


_OTHER_TYPES = ("SPKR-INFO", "NOSCORE", "NO_RT_METADATA", "NON-LEX", "NON-SPEECH", "LEXEME", "SEGMENT")


def _json(path: Path, text: str) -> Rows:
    """Our JSON document."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        quoted = text.splitlines()[error.lineno - 1 : error.lineno]
        raise ValueError(f"{path} is no JSON: line {error.lineno}, {''.join(quoted)[:160]!r}: {error.msg}") from error
    recordings = document.get("recordings") if isinstance(document, dict) else None
    if not isinstance(recordings, dict) or not all(isinstance(entries, list) for entries in recordings.values()):
        raise ValueError(f'{path} is no JSON of segments; expected {{"recordings": {{NAME: [...]}}}}')
    for name, entries in recordings.items():
        if not entries:
            yield TimedRow("", "", name, "", "", "")
        for number, entry in enumerate(entries, start=1):
            yield _of_entry(name, number, entry)


def _of_entry(name: str, number: int, entry: Any) -> TimedRow | str:
    """A segment of JSON."""
    place, quoted = f"segment {number} of {name!r}", json.dumps(entry, ensure_ascii=False)
    if not isinstance(entry, dict) or not {"onset", "offset", "label"} <= set(entry):
        return f"{place}, {quoted[:160]}: expected onset, offset, label and maybe score"
    cells = {key: "" if entry.get(key) is None else str(entry[key]) for key in ("onset", "offset", "label", "score")}
    return TimedRow(place, quoted, name, **cells)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, with their numbers."""
    return ((number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip())


def _is_number(text: str) -> bool:
    """Whether a cell is a number, of a decimal comma too."""
    return re.fullmatch(r"\s*-?\d+([.,]\d+)?\s*", text) is not None


def _plus(*texts: str) -> str:
    """The exact sum of times as text; the last one as it stands where one is no number."""
    try:
        return f"{sum(Decimal(text.strip()) for text in texts):f}"
    except InvalidOperation:
        return texts[-1]


_READERS: dict[str, Callable[[Path, str], Rows]] = {
    "csv": _table,
    "dcase": _table,
    "audacity": _audacity,
    "raven": _raven,
    "rttm": _rttm,
    "json": _json,
}

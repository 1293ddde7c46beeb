"""Events as JSON lines, as a CSV table and as an Audacity label track, written one by one as they end.

A file is whole after every event: whoever is cut off by a power failure keeps what was heard.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from edge_runtime.options import check_out_file
from edge_runtime.segments.write_segments import audacity_line
from metadata.csv_line import csv_line

_SECONDS_DIGITS, _SCORE_DIGITS = 3, 4


@dataclass(frozen=True, kw_only=True)
class Event:
    """A label that was detected from one time to another.

    Attributes
    ----------
    label : str
    start_seconds, end_seconds : float
        From the beginning of the stream.
    peak_score, mean_score : float
        Of the smoothed scores at the ticks of the event.
    """

    label: str
    start_seconds: float
    end_seconds: float
    peak_score: float
    mean_score: float

    def as_dict(self) -> dict[str, Any]:
        """Return the event for JSON, times in milliseconds' precision."""
        return {
            "label": self.label,
            "start_seconds": round(self.start_seconds, _SECONDS_DIGITS),
            "end_seconds": round(self.end_seconds, _SECONDS_DIGITS),
            "duration_seconds": round(self.end_seconds - self.start_seconds, _SECONDS_DIGITS),
            "peak_score": round(self.peak_score, _SCORE_DIGITS),
            "mean_score": round(self.mean_score, _SCORE_DIGITS),
        }


class EventFile:
    """An open file of events; closing it is all that is left to do.

    Parameters
    ----------
    file : text file
    suffix : str
        A key of `FORMATS`.
    """

    def __init__(self, file: TextIO, suffix: str) -> None:
        self._file = file
        header, self._line = FORMATS[suffix]
        self._write(header)

    def write(self, event: Event) -> None:
        """Append an event; it is in the system's hands when this returns."""
        self._write(self._line(event))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, text: str) -> None:
        """Write and flush, in one piece."""
        self._file.write(text)
        self._file.flush()


def open_event_file(path: Path, force: bool = False) -> EventFile:
    """Open a new file of events in the format that its suffix stands for.

    Raises
    ------
    ValueError
        The suffix stands for none.
    FileExistsError, FileNotFoundError
        As for `check_out_file`.
    """
    if path.suffix not in FORMATS:
        raise ValueError(f"--out is {path}; expected a name that ends in .jsonl, .csv or .txt (Audacity labels)")
    check_out_file(path, force)
    return EventFile(path.open("w", encoding="utf-8", newline=""), path.suffix)


def json_line(event: Event) -> str:
    """Return an event as a line of JSON."""
    return json.dumps(event.as_dict(), ensure_ascii=False) + "\n"


def _csv_line(event: Event) -> str:
    """Return an event as a row of the table."""
    return csv_line(event.as_dict().values())


def _audacity_line(event: Event) -> str:
    """Return an event as Audacity reads it: start, end and label, with tabs between."""
    return audacity_line(event.start_seconds, event.end_seconds, event.label.replace("\t", " "))


_COLUMNS = Event(label="", start_seconds=0, end_seconds=0, peak_score=0, mean_score=0).as_dict()
FORMATS: dict[str, tuple[str, Callable[[Event], str]]] = {
    ".jsonl": ("", json_line),
    ".csv": (csv_line(_COLUMNS), _csv_line),
    ".txt": ("", _audacity_line),
}
"""By suffix: what the file begins with, and the line of an event."""

"""The formats of segments, and which one a file has."""

from __future__ import annotations

import re
from pathlib import Path

FORMS = {
    "csv": "a table with the columns filename, onset, offset, event_label in any order, and others",
    "dcase": "the same columns with tabs between them",
    "audacity": "an Audacity label track, one recording a file: onset, offset, label with tabs between them",
    "raven": "a Raven selection table, with the recording under Begin File",
    "rttm": "SPEAKER recording channel onset duration <NA> <NA> label confidence <NA>",
    "json": '{"recordings": {"a.wav": [{"onset": 0.5, "offset": 1.25, "label": "dog"}]}}',
}
"""By name: what a file looks like, for people."""

_WRITTEN = f"expected {', '.join(FORMS)}; TextGrid and ELAN are read by train and data, and not written"
_OF_SUFFIX = {".csv": "csv", ".tsv": "dcase", ".rttm": "rttm", ".json": "json"}
_TIMES = re.compile(r"\s*-?[\d.,]+\t-?[\d.,]+(\t|\s*$)")


def form_to_write(path: Path, form: str | None = None) -> str:
    """Return the form that is asked for, else that of a file's suffix; .txt is an Audacity label track.

    Raises
    ------
    ValueError
        No such form, or a suffix that stands for none.
    """
    if form is None:
        found = {**_OF_SUFFIX, ".txt": "audacity"}.get(path.suffix.lower())
        if found is None:
            raise ValueError(f"{path}: the suffix {path.suffix!r} stands for no form that can be written; {_WRITTEN}")
        return found
    if form not in FORMS:
        raise ValueError(f"{path}: {form!r} is no form that can be written; {_WRITTEN}")
    return form


def form_to_read(path: Path, text: str, form: str | None = None) -> str:
    """Return the form that is asked for, else that of a file's suffix, of a .txt file that of its first line.

    Raises
    ------
    ValueError
        No such form, or none can be seen; the first line is quoted.
    """
    if form is not None:
        return check_form(form)
    # Audacity writes a track without labels as an empty file.
    found = _OF_SUFFIX.get(path.suffix.lower()) or (form_seen_in(text) if text.strip() else "audacity")
    if found is None:
        first = next((line for line in text.splitlines() if line.strip()), "")
        raise ValueError(f"{path} has no form of segments that is known; line 1 is {first[:120]!r}; {_expected()}")
    return found


def check_form(form: str) -> str:
    """Return a form's name; raises ValueError where there is none of that name."""
    if form not in FORMS:
        raise ValueError(f"there is no form of segments {form!r}; {_expected()}")
    return form


def form_seen_in(text: str) -> str | None:
    """Return the form that the first line of a text shows, None where it shows none."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    if "begin time (s)" in first.casefold():
        return "raven"
    if _TIMES.match(first):
        return "audacity"
    if first.startswith(("SPEAKER ", ";;")):
        return "rttm"
    if first.lstrip().startswith("{"):
        return "json"
    if "onset" in first.casefold():
        return "dcase" if "\t" in first else "csv"
    return "dcase" if first.count("\t") == 3 else None


def _expected() -> str:
    """The forms, for the end of an error."""
    return f"expected {', '.join(FORMS)}"

"""A line of CSV that every reader gives back as it was: quoted where a cell would be cut, or lose its outer blanks."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ASKS_FOR_QUOTES = re.compile(r'[",\t\r\n]|^\s|\s$')


def csv_line(cells: Iterable[object], delimiter: str = ",") -> str:
    """Return cells as one line of CSV, or with tabs between them, and its line feed; nothing stands for None.

    Notes
    -----
    `csv.writer` with "\\n" as its line end leaves a carriage return unquoted before Python 3.13, which cuts the row.
    """
    return delimiter.join(_cell(cell) for cell in cells) + "\n"


def _cell(cell: object) -> str:
    """One cell as text, quoted where it must be."""
    text = "" if cell is None else str(cell)
    return '"' + text.replace('"', '""') + '"' if _ASKS_FOR_QUOTES.search(text) else text

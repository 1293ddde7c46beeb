"""Tables as people and their spreadsheets write them: rows of texts under column names, and nothing cut or swallowed.

The columns are separated by commas, semicolons or tabs, whichever the first line has most of; the text is UTF-8, or
UTF-16 with a byte order mark; lines end in LF, CR LF or CR.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from metadata.plural import counted

MOST_NAMED = 10  # of the faults of a table, so that an error fits a screen
_DELIMITERS = (",", ";", "\t")  # the first of those that a header has most of
_CUT_NUMBERS = re.compile(r"(?<![\w.])\d+,\d+,\d+(?![\w.])")  # three whole numbers in a row, one of them behind a comma
_SEPARATOR_LINE = re.compile(r'"?sep=(?P<delimiter>.)"?[\r\n]+', re.IGNORECASE)  # as Excel writes and reads it


@dataclass(frozen=True)
class Row:
    """One line of a table, under its own column names."""

    line: int
    values: Mapping[str, str]  # without outer blanks
    exact: Mapping[str, str]  # as they stand


def read_rows(path: Path, header: Sequence[str] = ()) -> tuple[tuple[str, ...], list[Row]]:
    """Return the column names and the rows of a table; rows without any text are left out.

    Parameters
    ----------
    path : Path
    header : sequence of str
        The column names of a table that begins with its first row.

    Raises
    ------
    ValueError
        The file is not a table, a column name stands twice, or rows have more cells than there are columns: an unquoted
        comma in a name would cut it there.
    """
    text = read_text(path, "CSV table")
    told = _SEPARATOR_LINE.match(text)
    text = text[told.end() :] if told else text
    delimiter = told["delimiter"] if told else _delimiter(text)
    lines = [(line, row) for line, row in _lines(path, text, delimiter, 1 if told else 0) if any(map(str.strip, row))]
    if header:
        lines.insert(0, (0, list(header)))
    header = [name.strip() for name in lines[0][1]] if lines else []
    names = tuple(header[: max((place for place, name in enumerate(header, start=1) if name), default=0)])
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise ValueError(f"{path} has the column {', '.join(twice)} twice; which one is meant? Rename or remove one")
    raise_faults(
        path,
        [_too_long(line, row, names, delimiter) for line, row in lines[1:] if any(map(str.strip, row[len(names) :]))],
    )
    return tuple(filter(None, names)), [_row(line, row, names) for line, row in lines[1:]]


def raise_faults(path: Path, faults: Sequence[str]) -> None:
    """Raise ValueError that names the first ten faults of a table and counts the others; nothing without faults."""
    if faults:
        more = f"\n  and {len(faults) - MOST_NAMED} more" if len(faults) > MOST_NAMED else ""
        raise ValueError(f"{path} has {counted(len(faults), 'fault')}:\n  " + "\n  ".join(faults[:MOST_NAMED]) + more)


def read_text(path: Path, what: str) -> str:
    """Return the text of a file in UTF-8, or in UTF-16 with a byte order mark; ValueError where it is neither."""
    content = path.read_bytes()
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not a {what} ({error}); expected a folder of recordings, or a {what} in UTF-8 (in Excel: "
            "save as CSV UTF-8)"
        ) from error
    if "\0" in text:
        raise ValueError(f"{path} is not a {what}: it holds zero bytes; save it as UTF-8 (in Excel: CSV UTF-8)")
    return text


def _delimiter(text: str) -> str:
    """What separates the columns."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(_DELIMITERS, key=lambda delimiter: len(next(csv.reader([header], delimiter=delimiter), [])))


def _lines(path: Path, text: str, delimiter: str, above: int) -> Iterator[tuple[int, list[str]]]:
    """Yield each row with the number of its last line."""
    # strict: a quote that nobody closes would swallow the rows after it.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        for row in reader:
            yield reader.line_num + above, row
    except csv.Error as error:
        raise ValueError(
            f"{path} is not a CSV table: line {reader.line_num + above}: {error}; is a quote not closed, or not "
            "doubled within quotes?"
        ) from error


def _too_long(line: int, row: Sequence[str], names: Sequence[str], delimiter: str) -> str:
    """The fault of a row with more cells than there are columns."""
    named = {"\t": "tab", ";": "semicolon"}.get(delimiter, "comma")
    is_cut = delimiter == "," and _CUT_NUMBERS.search(",".join(map(str.strip, row)))
    comma = "write 1.5 for a decimal comma as in 1,5, which makes two columns; " if is_cut else ""
    return (
        f"line {line}: {counted(len(row), 'cell')} for {counted(len(names), 'column')} ({', '.join(row)}); {comma}put "
        f'a name that holds a {named} into quotes: "like, this"'
    )


def _row(line: int, row: Sequence[str], names: Sequence[str]) -> Row:
    """A row under its column names; cells that are not there are empty, and a column without a name is not read."""
    filled = [*row, *[""] * (len(names) - len(row))]
    cells = {name: cell for name, cell in zip(names, filled, strict=False) if name}
    return Row(line, {name: cell.strip() for name, cell in cells.items()}, cells)

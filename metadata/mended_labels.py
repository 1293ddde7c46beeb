"""The labels that somebody else's label file was meant to hold, and a note on each thing that was mended.

A file inside a model is read whatever is in it: the app reads it too. Of a file that a user gives, what can be read in
two ways is refused: the user can still say which.

Notes
-----
The Task library and MediaPipe split at LF alone and keep everything else: of a file with CR LF an app shows and
compares "speech\\r".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from metadata.plural import counted

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_BRACKETS = ("[", "{", "(", '"')  # what begins a list in another notation
_NUL_SHARE = 0.4  # of the bytes at even or odd places: UTF-16 without a mark
_NUMBERED = re.compile(r"(\d+)(?:\s*[:;,.)]\s*|\s+)(\S.*)")  # as Teachable Machine writes labels: 0 dog
TO_MEND = "an app reads the label file as it is; to mend it: earproof metadata write FILE --out NEW.tflite"


def mend_labels(content: bytes, count: int, source: str) -> tuple[tuple[str, ...], list[str]]:
    """Return the labels that were meant, in the order of the file, and what was mended to get them.

    Parameters
    ----------
    content : bytes
        The whole file.
    count : int
        Scores that the model puts out; tells lines that were left blank by mistake from outputs without a name.
    source : str
        Name of the file, for the notes.

    Returns
    -------
    labels : tuple of str
        None is empty; maybe another number than `count`, and some more than once.
    notes : list of str
        Empty where the file is as it should be.
    """
    text, notes = _decode(content)
    text, mended = _one_line_end(text)
    lines, said = _clean_lines(text)
    labels, filled = _without_blanks(lines, count)
    notes += mended + said + filled
    return tuple(labels), [f"{source} {note}" for note in notes]


def mend_given_labels(content: bytes, count: int | None, source: str) -> tuple[tuple[str, ...], list[str]]:
    """Return the labels of a file that a user gives, and what was mended to get them, as `mend_labels` does.

    Raises
    ------
    ValueError
        An encoding that cannot be told, or a blank line that may be a slip or an output without a name.
    """
    if not content.strip():
        raise ValueError(f"{source} holds no labels; expected one label a line")
    text, notes = _decode(content)
    if "\0" in text or "\ufffd" in text or any(note.startswith(("is not UTF-8", "holds NUL")) for note in notes):
        raise ValueError(f"{source} is not UTF-8 text; expected one label a line: save it as UTF-8")
    text, mended = _one_line_end(text)
    lines, said = _clean_lines(text)
    blank = next((number for number, line in enumerate(lines, start=1) if not line), None)
    if blank and sum(map(bool, lines)) != count:
        raise ValueError(
            f"{source}: line {blank} is blank, label {blank} is empty; expected one label a line: take the line out "
            "where it is a slip, or write a name where the output has none"
        )
    labels, filled = _without_blanks(lines, 0 if count is None else count)
    return tuple(labels), [f"{source} {note}" for note in (*notes, *mended, *said, *filled)]


def without_numbers(labels: Sequence[str]) -> tuple[str, ...]:
    """Return labels without the place in front of each, counted from 0 or 1; as they are where not all have theirs."""
    found = [_NUMBERED.fullmatch(label) for label in labels]
    places = [int(match[1]) for match in found if match]
    if len(labels) > 1 and places in (list(range(len(labels))), list(range(1, len(labels) + 1))):
        return tuple(match[2] for match in found if match)
    return tuple(labels)


def _decode(content: bytes) -> tuple[str, list[str]]:
    """The text, whatever encoding it is in."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            name = "UTF-16" if encoding == "utf-16" else "UTF-8"
            text = content.decode(encoding, errors="replace")
            return text, [f"begins with a byte order mark; read as {name}"]
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(content) > 1 and content[start::2].count(0) >= _NUL_SHARE * len(content) / 2:
            return content.decode(encoding, errors="replace"), ["is UTF-16 text; read as that"]
    try:
        text, notes = content.decode("utf-8"), []
    except UnicodeDecodeError:
        text, notes = content.decode("cp1252", errors="replace"), ["is not UTF-8; read as Latin-1"]
    if "\0" in text:
        notes.append("holds NUL bytes; left out")
    return text.replace("\0", ""), notes


def _one_line_end(text: str) -> tuple[str, list[str]]:
    """The text with LF at the end of its lines."""
    if "\r" not in text:
        return text, []
    kind = "CR LF" if "\r\n" in text else "CR"
    note = f"has {kind} line ends, read as the lines that were meant"
    return text.replace("\r\n", "\n").replace("\r", "\n"), [note]


def _clean_lines(text: str) -> tuple[list[str], list[str]]:
    """The lines without outer spaces and control characters, and without blank ones at the end."""
    raw = text.removesuffix("\n").split("\n")
    lines = [_printable(line).strip() for line in raw]
    notes = []
    odd = sum(line != _printable(line) for line in raw)
    if odd:
        notes.append(f"has control characters in {counted(odd, 'line')}; read as spaces")
    outer = sum(_printable(line) != clean and clean != "" for line, clean in zip(raw, lines, strict=True))
    if outer:
        notes.append(f"has spaces before or after {counted(outer, 'label')}; left out")
    kept = lines
    while kept and not kept[-1]:
        kept = kept[:-1]
    if kept and len(kept) < len(lines):
        notes.append(f"ends with {counted(len(lines) - len(kept), 'blank line')}; left out")
    return kept, notes


def _printable(line: str) -> str:
    """A line with a space for each control character."""
    return "".join(" " if ord(character) < 32 else character for character in line)


def _without_blanks(lines: list[str], count: int) -> tuple[list[str], list[str]]:
    """The labels: blank lines are dropped, or named where only so each score has one."""
    named = [line for line in lines if line]
    parts = [part.strip() for part in lines[0].split(",")] if len(lines) == 1 else []
    if len(parts) == count > 1 and not lines[0].startswith(_BRACKETS):
        return parts, [f"has {counted(count, 'label')} in one line; split at the commas"]
    if len(named) == len(lines):
        return lines, []
    blank = len(lines) - len(named)
    if len(named) != count and len(lines) == count:
        filled = [line or f"unnamed {number}" for number, line in enumerate(lines, start=1)]
        return filled, [f"leaves {blank} of {counted(count, 'line')} blank; called unnamed and the number of the line"]
    return named, [f"has {counted(blank, 'blank line')} inside; left out"]

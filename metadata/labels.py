"""Label files: one label a line, UTF-8, LF line ends, in the order of the model's outputs.

Files that are written here or are inside our own models are exactly so; one that a user gives is read as it was meant.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING
from unicodedata import category

from metadata.errors import ModelWarning
from metadata.mended_labels import mend_given_labels, without_numbers
from metadata.plural import counted

if TYPE_CHECKING:
    from pathlib import Path

LABELS_FILE_NAME = "labels.txt"
_BREAK_LINES = ("Cc", "Zl", "Zp", "Cs")  # categories: controls, separators of lines, halves that UTF-8 cannot write
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def check_labels(labels: Sequence[str], source: str = "labels") -> tuple[str, ...]:
    """Return the labels as a tuple after checking that a label file can hold them.

    Raises
    ------
    ValueError
        No labels, an empty or duplicate label, or a label with a control character or outer spaces.
    """
    if isinstance(labels, str):
        raise ValueError(f"{source} is the single string {labels!r}; expected a sequence of labels")
    checked = tuple(labels)
    if not checked:
        raise ValueError(f"{source} holds no labels; expected one label a line")
    for number, label in enumerate(checked, start=1):
        if not isinstance(label, str) or not label.strip():
            raise ValueError(f"{source}: label {number} is empty ({label!r}); expected text")
        if label != label.strip() or any(category(character) in _BREAK_LINES for character in label):
            raise ValueError(
                f"{source}: label {number} is {label!r}; expected no leading or trailing space and no control character"
                " or line end"
            )
    duplicates = sorted(label for label, times in Counter(checked).items() if times > 1)
    if duplicates:
        raise ValueError(f"{source} names {', '.join(duplicates)} more than once; every label may appear only once")
    return checked


def parse_labels(content: bytes, source: str = LABELS_FILE_NAME) -> tuple[str, ...]:
    """Read labels from the bytes of a label file.

    Parameters
    ----------
    content : bytes
        The whole file: UTF-8 without byte order mark, LF line ends; the last line end may be missing.
    source : str
        Name used in error texts.

    Raises
    ------
    ValueError
        A byte order mark, a carriage return, bytes that are not UTF-8, or what `check_labels` refuses.

    Notes
    -----
    A carriage return is refused, not stripped: the TFLite Task library keeps it, so that an app
    would compare against "silence\\r".
    """
    if content.startswith(_BYTE_ORDER_MARK):
        raise ValueError(f"{source} starts with a byte order mark; save it as UTF-8 without BOM")
    if b"\r" in content:
        raise ValueError(
            f"{source} has CR line ends, which the Task library keeps as part of the label; save it with LF line ends"
        )
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{source} is not UTF-8 text ({error}); expected one label a line") from error
    return check_labels(text.removesuffix("\n").split("\n") if text else (), source)


def format_labels(labels: Sequence[str]) -> bytes:
    """Return the bytes of the label file for these labels, LF after each."""
    return "".join(f"{label}\n" for label in check_labels(labels)).encode("utf-8")


def read_labels(path: str | Path, count: int | None = None, keep_numbers: bool = False) -> tuple[str, ...]:
    """Read a label file that a user gives, as the lines that were meant; what was mended is a `ModelWarning`.

    Parameters
    ----------
    path : str or Path
    count : int, optional
        How many labels there must be.
    keep_numbers : bool
        Labels that all begin with their place, such as "0 dog" and "1 cat", stay so; else they lose it.

    Raises
    ------
    FileNotFoundError
        No such file.
    ValueError
        What `mend_given_labels` or `check_labels` refuses, or the number of labels is not `count`.
    """
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path} does not exist; expected a text file with one label a line") from error
    labels, notes = mend_given_labels(content, count, str(path))
    checked = check_labels(labels, str(path))
    labels = checked if keep_numbers else check_labels(without_numbers(checked), str(path))
    if labels != checked:
        notes.append(tell_numbers(checked, labels, f"{path} has") + "; --keep-numbers keeps it")
    for note in notes:
        warnings.warn(note, ModelWarning, stacklevel=2)
    if count is not None and len(labels) != count:
        raise ValueError(
            f"{path} has {counted(len(labels), 'label')} but the model puts out {counted(count, 'score')}; "
            "was it exported with another label file?"
        )
    return labels


def tell_numbers(numbered: Sequence[str], labels: Sequence[str], source: str) -> str:
    """Return the note that labels lost the number in front of them."""
    return f"{source} the number of the line in front of each label; {numbered[0]!r} is read as {labels[0]!r}"


def listed(labels: Sequence[str]) -> list[str]:
    """Return labels as they can stand in a line with commas between them: in JSON's quotes where one holds a comma."""
    plain = not any("," in label or '"' in label for label in labels)
    return list(labels) if plain else [json.dumps(label, ensure_ascii=False) for label in labels]


def write_labels(path: str | Path, labels: Sequence[str]) -> None:
    """Write a label file."""
    content = format_labels(labels)
    with open(path, "wb") as file:
        file.write(content)

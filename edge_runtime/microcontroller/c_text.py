"""Values as C source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

_TAKEN = ("ep", "earproof")  # ep_front_end is a type, earproof_front_end.h a file
_LINE = 110  # characters of a line of numbers
_PLAIN = re.compile(r"[ !#-\[\]-~]")  # printable ASCII but for the quotation mark and the backslash


def identifier(name: str) -> str:
    """Return a name as the beginning of names in C: lower case, digits and underscores, none that the front end has."""
    text = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "model"
    return f"m_{text}" if text[0].isdigit() or text in _TAKEN else text


def string(text: str) -> str:
    """Return text as a C string of its UTF-8 bytes, those beyond ASCII in octal, whose length has an end."""
    parts = [chr(byte) if _PLAIN.match(chr(byte)) else f"\\{byte:03o}" for byte in text.encode()]
    return '"' + "".join(parts).replace("??", "?\\?") + '"'  # two question marks begin a trigraph


def real(value: float) -> str:
    """Return a float32 as a C constant that reads back as the same float32."""
    text = f"{np.float32(value):.9g}"
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


def array(kind: str, name: str, values: Sequence[float] | npt.NDArray[Any], is_static: bool = True) -> str:
    """Return the definition of a constant array; `kind` is its C type."""
    texts = [real(value) if kind == "float" else str(int(value)) for value in values]
    head = f"{'static ' if is_static else ''}const {kind} {name}[{len(texts)}] = {{"
    return "\n".join([head, *wrapped(texts), "};"])


def wrapped(texts: Iterable[str]) -> list[str]:
    """Return comma-separated values in lines."""
    lines, line = [], ""
    for text in texts:
        if len(line) + len(text) + 2 > _LINE:
            lines.append(f"    {line.rstrip()}")
            line = ""
        line += f"{text}, "
    return [*lines, f"    {line.rstrip()}"] if line else lines


def guarded(guard: str, lines: Iterable[str]) -> str:
    """Return the text of a header."""
    return "\n".join([f"#ifndef {guard}", f"#define {guard}", "", *lines, "", "#endif", ""])

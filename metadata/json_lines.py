"""Lines of JSON that other programs, or people, may have written: what is wrong with one is told in words."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import MISSING, fields
from typing import Any


def read_fields(line: bytes, kind: type[Any], needed: Collection[str] = ()) -> dict[str, Any]:
    """Return the fields of a dataclass as a line of JSON has them; their types are not checked.

    Parameters
    ----------
    line : bytes
    kind : type
        A dataclass.
    needed : collection of str
        Fields that a line must have although they have a default.

    Raises
    ------
    ValueError
        No JSON, no object, a field that is missing, or one that is unknown.
    """
    try:
        found = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError("it is no UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise ValueError(f"it is no JSON from character {error.pos + 1} on") from error
    except RecursionError as error:
        raise ValueError("its brackets are nested too deep") from error
    if not isinstance(found, dict):
        raise ValueError(f"it is {_in_words(found)}; expected an object in {{}}")
    known = {field.name: field.default is MISSING and field.default_factory is MISSING for field in fields(kind)}
    if missing := [name for name, is_needed in known.items() if (is_needed or name in needed) and name not in found]:
        raise ValueError(f"it lacks {', '.join(missing)}")
    if unknown := [name for name in found if name not in known]:
        raise ValueError(f"it has {', '.join(map(repr, unknown))}; expected {', '.join(known)}")
    return found


def _in_words(value: object) -> str:
    """What a value of JSON is."""
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return "a text"
    return "a number" if isinstance(value, (int, float)) and not isinstance(value, bool) else f"{json.dumps(value)}"

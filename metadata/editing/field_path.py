"""A field of the standard metadata by its path, as `metadata edit --set` names it.

`name`, `subgraph_metadata[0].output_tensor_metadata[0].stats.max[0]`; `input[0]`, `output[0]` and `graph` are short for
the tables of the first subgraph. A path without a place in a list means the first.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

from metadata.errors import ModelContractError
from metadata.packing.metadata_check import ITEMS, check_value, known_fields, unknown_field
from metadata.packing.metadata_schema import ROOT_TABLE, UNIONS

_STEP = re.compile(r"([A-Za-z_]\w*)(?:\[(\d+)\])?")
_SHORT = {
    "graph": "subgraph_metadata",
    "input": "subgraph_metadata.input_tensor_metadata",
    "output": "subgraph_metadata.output_tensor_metadata",
}


class _Place(NamedTuple):
    """Where a value lies: in a table by name, or in a list by number; and what the schema says of it."""

    container: Any
    key: Any
    kind: str
    holds: str


def set_field(values: dict[str, Any], path: str, text: str) -> None:
    """Put a value into metadata; tables on the way are made where they are missing.

    Parameters
    ----------
    values : dict
        As `metadata_codec.decode_metadata` gives it; changed.
    path : str
    text : str
        Text as it is; numbers, lists and tables as JSON; an enum by its name.

    Raises
    ------
    ModelContractError
        No such field, a place beyond the end of a list, or a value of another type or range.
    """
    place = _find(values, path, make=True)
    if place.kind == "union_type":
        value: Any = text
        if text not in UNIONS[place.holds]:
            raise ModelContractError(f"{path} is {text!r}; expected one of {', '.join(UNIONS[place.holds])}")
        if place.container.get(place.key) != text:
            place.container[place.key.removesuffix("_type")] = {}
    else:
        value = _parsed(text, place.kind, path)
        check_value(value, place.kind, place.holds, path)
    if isinstance(place.container, list) and place.key == len(place.container):
        place.container.append(value)
    else:
        place.container[place.key] = value


def drop_field(values: dict[str, Any], path: str) -> None:
    """Take a field, or an item of a list, out of metadata.

    Raises
    ------
    ModelContractError
        No such field, or one that the metadata does not have.
    """
    place = _find(values, path, make=False)
    if not _has(place):
        raise _absent(path)
    del place.container[place.key]
    if place.kind == "union_type":
        place.container.pop(place.key.removesuffix("_type"), None)
    elif place.kind == "union":
        place.container.pop(f"{place.key}_type", None)


def _find(values: dict[str, Any], path: str, make: bool) -> _Place:
    """Return the place of a path, whether there is a value or not."""
    steps = _steps(path)
    table, container = ROOT_TABLE, values
    for number, (name, index) in enumerate(steps):
        known = known_fields(table)
        if name not in known:
            raise unknown_field(name, table)
        place = _Place(container, name, known[name].kind, known[name].holds)
        is_last = number == len(steps) - 1
        if place.kind in ITEMS and (index is not None or not is_last):
            place = _item(place, int(index or 0), make, path)
        elif index is not None:
            raise ModelContractError(f"{name} in {path} is no list; leave [{index}] out")
        if is_last:
            return place
        container, table = _entered(place, make, path)
    raise ModelContractError(f"{path!r} names no field; expected one such as author or output[0].description")


def _steps(path: str) -> list[tuple[str, str | None]]:
    """Names and places of a path."""
    steps: list[tuple[str, str | None]] = []
    for part in path.split("."):
        match = _STEP.fullmatch(part)
        if match is None:
            raise ModelContractError(f"{path!r} is no path to a field; expected one such as output[0].description")
        name, index = match[1], match[2]
        *outer, last = _SHORT.get(name, name).split(".") if not steps else [name]
        steps += [(step, None) for step in outer]
        steps.append((last, index))
    return steps


def _item(place: _Place, index: int, make: bool, path: str) -> _Place:
    """The place of an item of a list."""
    if make:
        place.container.setdefault(place.key, [])
    items = place.container.get(place.key, [])
    if index > len(items) or (index == len(items) and not make):
        raise ModelContractError(f"{place.key} has {len(items)} items; {path} asks for number {index}, counted from 0")
    return _Place(items, index, ITEMS[place.kind], place.holds)


def _entered(place: _Place, make: bool, path: str) -> tuple[dict[str, Any], str]:
    """The table at a place, and its name in the schema."""
    if place.kind == "union":
        chosen = place.container.get(f"{place.key}_type")
        if chosen not in UNIONS[place.holds]:
            kinds = ", ".join(UNIONS[place.holds])
            raise ModelContractError(
                f"{path}: there is no {place.key} yet; set {place.key}_type first, to one of {kinds}"
            )
        return place.container.setdefault(place.key, {}), str(chosen)
    if place.kind != "table":
        raise ModelContractError(f"{place.key} in {path} holds no fields; leave out what stands behind it")
    if not _has(place):
        if not make:
            raise _absent(path)
        if isinstance(place.container, list):
            place.container.append({})
        else:
            place.container[place.key] = {}
    return place.container[place.key], place.holds


def _has(place: _Place) -> bool:
    """Whether there is a value."""
    return place.key < len(place.container) if isinstance(place.container, list) else place.key in place.container


def _parsed(text: str, kind: str, path: str) -> Any:
    """The value that a text on the command line stands for."""
    if kind in ("text", "enum"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise ModelContractError(f"{path} is {text!r}; expected JSON, as 0.5, [0.0, 1.0] or {{}}") from None


def _absent(path: str) -> ModelContractError:
    """The error for a field that is not there."""
    return ModelContractError(f"the metadata has no {path}; earproof metadata show FILE --json prints what it has")

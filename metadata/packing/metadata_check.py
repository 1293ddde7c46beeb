"""Whether a dictionary is metadata that can be written: every name, type and range, before a byte is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from metadata.errors import ModelContractError
from metadata.nearest_name import did_you_mean
from metadata.packing.metadata_schema import ENUMS, ROOT_TABLE, TABLES, UNIONS, Field

_RANGES = {"int32": (-(2**31), 2**31 - 1), "uint32": (0, 2**32 - 1), "byte": (0, 255)}
_HIGHEST_FLOAT = 3.4028235e38  # of 32 bits
ITEMS = {"texts": "text", "floats": "float", "uint32s": "uint32", "bytes": "byte", "tables": "table"}  # of a vector


def check_metadata(values: Any) -> None:
    """Raise ModelContractError unless `metadata_codec.encode_metadata` can write a dictionary."""
    check_value(values, "table", ROOT_TABLE, "")


def check_value(value: Any, kind: str, holds: str, path: str) -> None:
    """Check one value of the schema.

    Parameters
    ----------
    value : object
    kind, holds : str
        As in a `Field`; an item of a vector has a kind of `ITEMS`.
    path : str
        Where it lies, for error texts; empty for the whole.

    Raises
    ------
    ModelContractError
        Another type, out of range, or a name that the schema does not know.
    """
    if kind in ITEMS:
        if not isinstance(value, list):
            raise _refusal(path, value, "a list")
        for number, item in enumerate(value):
            check_value(item, ITEMS[kind], holds, f"{path}[{number}]")
    elif kind == "table":
        _check_table(value, holds, path)
    elif kind == "text":
        if not isinstance(value, str) or "\0" in value:
            raise _refusal(path, value, "text")
    elif kind == "enum":
        _check_enum(value, holds, path)
    elif kind == "float":
        if not _is_number(value) or not math.isfinite(value) or abs(value) > _HIGHEST_FLOAT:
            raise _refusal(path, value, "a number of 32 bits")
    else:
        low, high = _RANGES[kind]
        if not _is_number(value) or isinstance(value, float) or not low <= value <= high:
            raise _refusal(path, value, f"a whole number from {low} to {high}")


def known_fields(table: str) -> dict[str, Field]:
    """Return the fields of a table by name; that of a union's type too, of the kind `union_type`."""
    fields = {field.name: field for field in TABLES[table]}
    types = [field for field in TABLES[table] if field.kind == "union"]
    return fields | {f"{field.name}_type": Field(f"{field.name}_type", "union_type", field.holds) for field in types}


def unknown_field(name: str, table: str) -> ModelContractError:
    """Return the error for a name that is no field of a table."""
    known = known_fields(table)
    return ModelContractError(
        f"{table} of the TFLite metadata has no field {name}{did_you_mean(name, known)}; it has "
        f"{', '.join(known) or 'none'}"
    )


def _check_table(value: Any, table: str, path: str) -> None:
    """Check every field of a table."""
    if not isinstance(value, Mapping):
        raise _refusal(path, value, f"a {table} object")
    known = known_fields(table)
    for name, inner in value.items():
        if name not in known:
            raise unknown_field(name, table)
        field, place = known[name], f"{path}.{name}".lstrip(".")
        if field.kind == "union_type":
            _check_union(value, name.removesuffix("_type"), field, place)
        elif field.kind != "union":
            check_value(inner, field.kind, field.holds, place)
        elif f"{name}_type" not in value:
            raise ModelContractError(f"{place} has no {name}_type beside it; expected one of {_listed(field.holds)}")


def _check_union(value: Mapping[str, Any], name: str, field: Field, place: str) -> None:
    """Check a union: the table of its name, by its type."""
    chosen = value[field.name]
    if chosen not in UNIONS[field.holds]:
        raise _refusal(place, chosen, f"one of {_listed(field.holds)}")
    if name not in value:
        raise ModelContractError(
            f"{place} is {chosen} but there is no {name} beside it; expected an object, maybe {{}}"
        )
    check_value(value[name], "table", chosen, place.removesuffix("_type"))


def _check_enum(value: Any, enum: str, path: str) -> None:
    """Check the name of an enum; a number of a later schema stays one."""
    names = ENUMS[enum]
    is_later = _is_number(value) and isinstance(value, int) and len(names) <= value <= 127
    if not is_later and value not in names:
        raise _refusal(path, value, f"one of {', '.join(names)}")


def _is_number(value: Any) -> bool:
    """Whether a value is a number, which true and false are not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _listed(union: str) -> str:
    """The tables of a union."""
    return ", ".join(UNIONS[union])


def _refusal(path: str, value: Any, expected: str) -> ModelContractError:
    """The error for a value that the schema has no place for."""
    shown = f"{value!r:.60}"
    return ModelContractError(f"{path or 'the metadata'} is {shown}; expected {expected}")

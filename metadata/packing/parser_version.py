"""The least version of the metadata schema whose parser understands every field of some metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from metadata.packing.metadata_schema import ADDED, ROOT_TABLE, TABLES, Field

_FIRST = (1, 0, 0)
_Version = tuple[int, int, int]


def min_parser_version(values: Mapping[str, Any]) -> str:
    """Return the version that `min_parser_version` of the metadata must state, such as "1.3.0".

    Parameters
    ----------
    values : mapping
        As `metadata_codec.decode_metadata` gives it.

    Notes
    -----
    The largest version among those that brought a field which is there, as tflite-support 0.4.4 computes it. That tool
    does not look into the vocabulary files of tokenizers; here a version of such a file counts too.
    """
    return ".".join(map(str, max(_versions(values, ROOT_TABLE))))


def _versions(values: Mapping[str, Any], table: str) -> Iterator[_Version]:
    """Yield the version that brought each thing in a table, and the first version."""
    yield _FIRST
    for field in TABLES[table]:
        if field.name in values:
            yield ADDED.get((table, field.name), _FIRST)
            yield from _held(values, field)


def _held(values: Mapping[str, Any], field: Field) -> Iterator[_Version]:
    """Yield the versions of what a written field holds."""
    value = values[field.name]
    if field.kind == "enum":
        yield ADDED.get((field.holds, value), _FIRST)
    elif field.kind == "union":
        chosen = values[f"{field.name}_type"]
        yield ADDED.get((field.holds, chosen), _FIRST)
        yield from _versions(value, chosen)
    elif field.kind in ("table", "tables"):
        for inner in value if field.kind == "tables" else [value]:
            yield from _versions(inner, field.holds)

"""A model file walked from its root to every table, vector, string and union, before anything else reads it.

An interpreter follows the offsets it finds. Here each one is followed first, against `tflite_schema`: it must stay
inside the file, be aligned as FlatBuffers are, and lead to what the schema says lies there.

Notes
-----
The rules are those of the verifier that comes with FlatBuffers, and stricter in three points: a field must lie inside
its own table, a field that the schema does not describe is refused, and what a file may make a reader unpack is bounded
by the length of the file.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import Any, NamedTuple

from metadata.errors import ModelContractError, UnsupportedModelError
from metadata.tflite_file.tflite_schema import TABLES, UNIONS

Row = dict[str, Any]  # a table by the names of its fields; those that were not written are not there

_SOURCE = "the model"
_HEADER_LENGTH = 8  # bytes: offset of the root table, file identifier
_IDENTIFIER = b"TFL3"
_MAX_TABLES = 100_000  # a network of 10,000 operators has half of that
_MAX_UNPACKED = 4  # bytes of vectors and strings, over the length of the file; tools may share some


class Span(NamedTuple):
    """Where bytes lie in the file."""

    start: int
    length: int


class _Field(NamedTuple):
    """One slot of a table's description."""

    name: str
    form: str  # scalar, numbers, bytes, text, table, tables, union, refused, deprecated
    code: str  # the letter of a number in the `struct` module, or the name of a table or union
    size: int  # bytes in the table
    default: int


def walk_model(model: bytes, end: int | None = None) -> Row:
    """Return the tables of a model file, after checking every byte that an interpreter would follow.

    Parameters
    ----------
    model : bytes
        The file.
    end : int, optional
        Where the FlatBuffer and the weights behind it end, such as the first byte of a ZIP.

    Returns
    -------
    dict
        The Model table: a table is a dictionary with the fields that were written, a vector of numbers a tuple, a
        vector of bytes its `Span`.

    Raises
    ------
    ModelContractError
        Not a model, or an offset, a length or a type that cannot be.
    """
    end = len(model) if end is None else end
    if end < _HEADER_LENGTH or model[4:8] != _IDENTIFIER:
        raise ModelContractError(
            f"{_SOURCE} has {end} bytes and begins with {bytes(model[:8])!r}; "
            f"expected the identifier {_IDENTIFIER.decode()} at byte 4. Is it another kind of file?"
        )
    return _Walk(model, end).root()


@cache
def _fields(table: str) -> tuple[_Field, ...]:
    """The slots of a table, in order."""
    return tuple(_field(*text.split(":")) for text in TABLES[table].split())


def _field(name: str, kind: str) -> _Field:
    """One slot from its description."""
    kind, _, default = kind.partition("=")
    if kind in ("!", "-"):
        return _Field(name, "refused" if kind == "!" else "deprecated", "", 0, 0)
    if kind in ("bytes", "text"):
        return _Field(name, kind, "", 4, 0)
    if kind.startswith("<"):
        return _Field(name, "union", kind[1:], 4, 0)
    inner = kind.strip("[]")
    if inner in TABLES:
        return _Field(name, "tables" if kind != inner else "table", inner, 4, 0)
    if kind != inner:
        return _Field(name, "numbers", inner, 4, 0)
    return _Field(name, "scalar", kind, struct.calcsize(f"<{kind}"), int(default or 0))


class _Walk:
    """One pass over a file."""

    def __init__(self, model: bytes, end: int) -> None:
        self._model = model
        self._end = end
        self._tables_left = min(_MAX_TABLES, end // 4)
        self._bytes_left = _MAX_UNPACKED * end
        # Tables of one kind mostly share a description; where it was read before, it need not be again.
        self._layouts: dict[tuple[int, str], tuple[int, list[tuple[_Field, int]]]] = {}

    def root(self) -> Row:
        """Walk from the root table."""
        (position,) = struct.unpack_from("<I", self._model)
        return self._table(position, "Model")

    def _table(self, position: int, name: str) -> Row:
        """Read a table and everything it points to."""
        self._tables_left -= 1
        if self._tables_left < 0:
            raise self._too_many_tables(position)
        if position % 4 or not 0 < position <= self._end - 4:
            raise self._damage(position, f"a {name} table outside the model or between its words")
        vtable = position - int(struct.unpack_from("<i", self._model, position)[0])
        layout = self._layouts.get((vtable, name))
        if layout is None:
            layout = self._layouts[vtable, name] = self._layout(vtable, name)
        length, fields = layout
        if position + length > self._end:
            raise self._damage(position, f"a {name} table of {length} bytes")
        row: Row = {}
        for field, offset in fields:
            row[field.name] = self._value(position + offset, field, row)
        return row

    def _layout(self, vtable: int, name: str) -> tuple[int, list[tuple[_Field, int]]]:
        """Read a table's description: its length, and each written field with its distance from the table."""
        if vtable % 2 or not 0 <= vtable <= self._end - 4:
            raise self._damage(vtable, f"the description of a {name} table outside the model")
        vtable_length, length = struct.unpack_from("<HH", self._model, vtable)
        if vtable_length < 4 or vtable_length % 2 or vtable + vtable_length > self._end or length < 4:
            raise self._damage(vtable, f"the description of a {name} table with {vtable_length} and {length} bytes")
        offsets = struct.unpack_from(f"<{vtable_length // 2 - 2}H", self._model, vtable + 4)
        known = _fields(name)
        if any(offsets[len(known) :]):
            raise UnsupportedModelError(
                f"a {name} table with more than the {len(known)} fields known here, at byte {vtable}. "
                "Does the model come from a newer converter, or was it damaged?"
            )
        written = [(field, offset) for field, offset in zip(known, offsets, strict=False) if offset]
        # Old converters wrote what is deprecated now, and no reader looks at it.
        fields = [(field, offset) for field, offset in written if field.form != "deprecated"]
        for field, offset in fields:
            if field.form == "refused":
                raise UnsupportedModelError(
                    f"{field.name.replace('_', ' ')} of a {name}; expected dense tensors with their weights in the "
                    "file. Export the model without it"
                )
            # Of eight bytes the place in the file is a multiple of 8, and that of the table need not be one.
            if offset < 4 or offset % min(field.size, 4) or offset + field.size > length:
                raise self._damage(vtable, f"the field {field.name} of a {name} table at {offset} of {length}")
        return length, fields

    def _value(self, place: int, field: _Field, row: Row) -> Any:
        """Read one field; a union's type is in the row already."""
        if field.form == "scalar":
            if place % field.size:
                raise self._damage(place, f"{field.name} between two words")
            return struct.unpack_from(f"<{field.code}", self._model, place)[0]
        if field.form == "union":
            return self._union(place, field, row)
        target = self._follow(place, field.name)
        if field.form == "table":
            return self._table(target, field.code)
        if field.form == "text":
            return self._text(target)
        if field.form == "numbers":
            return self._numbers(target, field)
        if field.form == "bytes":
            return self._span(target, 1, field.name)
        start, count = self._span(target, 4, field.name)
        places = range(start, start + 4 * count, 4)
        return [self._table(self._follow(place, field.name), field.code) for place in places]

    def _union(self, place: int, field: _Field, row: Row) -> Row:
        """Read the table of a union."""
        number = row.get(f"{field.name}_type", 0)
        options = UNIONS[field.code]
        what = field.name.replace("_", " ")
        if not number:
            raise self._damage(place, f"{what} of no kind")
        if number > len(options) or (options[number - 1] not in TABLES and field.code == "QuantizationDetails"):
            raise UnsupportedModelError(
                f"{what} of kind {number}, which are not known here. "
                "Does the model come from a newer converter, or was it damaged?"
            )
        target = self._follow(place, field.name)
        # Options that are not described are not followed; an operator that has some is refused before it runs.
        return self._table(target, options[number - 1]) if options[number - 1] in TABLES else {}

    def _follow(self, place: int, name: str) -> int:
        """Return where an offset leads, a multiple of 4 with a word behind it."""
        target = place + int(struct.unpack_from("<I", self._model, place)[0])
        if place % 4 or target == place or target % 4 or target > self._end - 4:
            raise self._damage(place, f"an offset of {name} to byte {target}")
        return target

    def _span(self, target: int, item_size: int, name: str) -> Span:
        """Read the length of a vector and check that its items are there."""
        (count,) = struct.unpack_from("<I", self._model, target)
        start = target + 4
        if start + count * item_size > self._end or start % min(item_size, 4):
            raise self._damage(target, f"{name} of {count} items")
        return Span(start, count)

    def _numbers(self, target: int, field: _Field) -> tuple[int | float, ...]:
        """Read a vector of numbers."""
        size = struct.calcsize(f"<{field.code}")
        start, count = self._span(target, size, field.name)
        if count and start % size:
            raise self._damage(start, f"{field.name} between two words")
        self._unpacked(count * size, start)
        return struct.unpack_from(f"<{count}{field.code}", self._model, start)

    def _text(self, target: int) -> str:
        """Read a string: UTF-8, with a zero behind it, for those who read it in C.

        Names in another encoding are no damage: kernels find tensors by number. Such a byte is written as `\\xNN`.
        """
        start, length = self._span(target, 1, "text")
        self._unpacked(length, start)
        end = start + length
        if end >= self._end or self._model[end]:
            raise self._damage(start, "text without an end")
        return self._model[start:end].decode("utf-8", "backslashreplace")

    def _unpacked(self, length: int, place: int) -> None:
        """Count what was unpacked: a damaged file may point to one vector again and again."""
        self._bytes_left -= length
        if self._bytes_left < 0:
            raise self._damage(place, "vectors that are longer in sum than the file")

    def _too_many_tables(self, position: int) -> ModelContractError:
        """The error for a file with more tables than fit into it, or than are followed here."""
        if self._end // 4 > _MAX_TABLES:
            return UnsupportedModelError(f"a model of more than {_MAX_TABLES} tables, such as operators and tensors")
        return self._damage(position, "more tables than a model of this size can hold")

    def _damage(self, place: int, what: str) -> ModelContractError:
        """The error for what cannot be where the file says."""
        return ModelContractError(
            f"{_SOURCE} is damaged: {what} at byte {place} of {self._end}; "
            "was the file truncated or changed on its way here?"
        )

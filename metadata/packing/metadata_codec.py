"""Between the standard TFLite metadata FlatBuffer and plain dictionaries, driven by `metadata_schema`.

The dictionaries have the shape of FlatBuffers' own JSON: field names as keys, enums by name, a union
as `<name>_type` and `<name>`, and no key for a field that was not written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from metadata.errors import ModelContractError
from metadata.packing.metadata_schema import ENUMS, METADATA_IDENTIFIER, ROOT_TABLE, TABLES, UNIONS, Field
from metadata.tflite_file.flat_table import FlatTable

_SOURCE = "the TFLite metadata"
_MAX_TABLES = 100_000  # a damaged file may point to one table again and again
_SCALAR_CODES = {"int32": "i", "uint32": "I", "float": "f", "enum": "b"}
_VECTOR_CODES = {"floats": "f", "uint32s": "I", "bytes": "B"}


def decode_metadata(content: bytes, faults: list[str] | None = None) -> dict[str, Any]:
    """Return the metadata FlatBuffer as a dictionary that JSON can hold.

    Parameters
    ----------
    content : bytes
    faults : list of str, optional
        Takes a line for each field that cannot be read, which is then left out; without it such a field is an error.

    Raises
    ------
    ModelContractError
        Another file identifier than M001, or bytes that are not such a FlatBuffer.
    """
    return _Decoder(faults).table(FlatTable.root(content, METADATA_IDENTIFIER, _SOURCE), ROOT_TABLE)


def later_fields(content: bytes) -> list[str]:
    """Return what a metadata FlatBuffer holds of a later schema: fields and tables that `decode_metadata` leaves out.

    Raises
    ------
    ModelContractError
        As for `decode_metadata`.
    """
    decoder = _Decoder(None)
    decoder.table(FlatTable.root(content, METADATA_IDENTIFIER, _SOURCE), ROOT_TABLE)
    return decoder.later


def encode_metadata(values: Mapping[str, Any]) -> bytes:
    """Return the metadata FlatBuffer of a dictionary as `decode_metadata` gives it.

    Raises
    ------
    ValueError
        A key that the schema does not know.
    """
    import flatbuffers  # only writing needs the package

    builder = flatbuffers.Builder(1024)
    builder.Finish(_Encoder(builder).table(values, ROOT_TABLE), file_identifier=METADATA_IDENTIFIER)
    return bytes(builder.Output())


def metadata_tables(values: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every table in what `decode_metadata` gave, the outer ones first."""
    if isinstance(values, Mapping):
        yield values
    if isinstance(values, (list, Mapping)):
        for item in values.values() if isinstance(values, Mapping) else values:
            yield from metadata_tables(item)


def _slots(name: str) -> Iterator[tuple[int, Field]]:
    """Yield each field of a table with its slot; a union takes two, its type first."""
    slot = 0
    for field in TABLES[name]:
        yield slot, field
        slot += 2 if field.kind == "union" else 1


def _num_slots(name: str) -> int:
    """How many slots the fields of a table take."""
    return sum(2 if field.kind == "union" else 1 for field in TABLES[name])


class _Decoder:
    """Reads tables, and counts them."""

    def __init__(self, faults: list[str] | None) -> None:
        self._num_tables = 0
        self._faults = faults
        self.later: list[str] = []  # what a later schema brought

    def table(self, table: FlatTable, name: str) -> dict[str, Any]:
        """Read every written field of a table."""
        self._num_tables += 1
        if self._num_tables > _MAX_TABLES:
            raise ModelContractError(f"{_SOURCE} holds more than {_MAX_TABLES} tables; the file is damaged")
        values: dict[str, Any] = {}
        known = _num_slots(name)
        self.later += [f"field {slot} of {name}" for slot in range(known, table.num_slots) if table.has(slot)]
        for slot, field in _slots(name):
            try:
                values |= self._field(table, slot, field)
            except ModelContractError as error:
                if self._faults is None or self._num_tables > _MAX_TABLES:
                    raise
                self._faults.append(f"{name}.{field.name} cannot be read and is not used: {error}")
        return values

    def _field(self, table: FlatTable, slot: int, field: Field) -> dict[str, Any]:
        """Read one field, written or not."""
        if field.kind == "union":
            return self._union(table, slot, field)
        return {field.name: self._value(table, slot, field)} if table.has(slot) else {}

    def _value(self, table: FlatTable, slot: int, field: Field) -> Any:
        """Read one written field."""
        if field.kind == "text":
            return self._text(table, slot, field)
        if field.kind == "texts":
            return table.texts(slot)
        if field.kind == "table":
            inner = table.table(slot)
            return {} if inner is None else self.table(inner, field.holds)
        if field.kind == "tables":
            return [self.table(inner, field.holds) for inner in table.tables(slot)]
        if field.kind in _VECTOR_CODES:
            return table.numbers(slot, _VECTOR_CODES[field.kind])
        number = table.scalar(slot, _SCALAR_CODES[field.kind])
        return _enum_name(field.holds, int(number)) if field.kind == "enum" else number

    def _text(self, table: FlatTable, slot: int, field: Field) -> str:
        """Read text; where faults are taken, what is not UTF-8 is read as Latin-1."""
        try:
            return table.text(slot)
        except ModelContractError:
            if self._faults is None:
                raise
        text = table.content(slot).decode("latin-1")
        self._faults.append(f"{field.name} is not UTF-8; read as Latin-1: {text!r}")
        return text

    def _union(self, table: FlatTable, slot: int, field: Field) -> dict[str, Any]:
        """Read the two slots of a union; a table of a later schema is named by its number."""
        number, options = table.integer(slot, "B"), UNIONS[field.holds]
        inner = table.table(slot + 1)
        if number == 0 or inner is None:
            return {}
        if number > len(options):
            self.later.append(f"table {number} of {field.holds}")
            return {f"{field.name}_type": number}
        name = options[number - 1]
        return {f"{field.name}_type": name, field.name: self.table(inner, name)}


class _Encoder:
    """Writes tables, the inner ones first, as FlatBuffers are built."""

    def __init__(self, builder: Any) -> None:
        self._builder = builder

    def table(self, values: Mapping[str, Any], name: str) -> int:
        """Write a table and return its builder offset."""
        _check_keys(values, name)
        parts = [part for slot, field in _slots(name) for part in self._parts(values, slot, field)]
        self._builder.StartObject(_num_slots(name))
        for slot, code, value in parts:
            self._place(slot, code, value)
        return int(self._builder.EndObject())

    def _parts(self, values: Mapping[str, Any], slot: int, field: Field) -> list[tuple[int, str, Any]]:
        """Write what a field points to; return (slot, letter, number or builder offset) for the table itself."""
        if field.name not in values:
            return []
        value = values[field.name]
        if field.kind == "union":
            chosen = values[f"{field.name}_type"]
            number = UNIONS[field.holds].index(chosen) + 1
            return [(slot, "B", number), (slot + 1, "offset", self.table(value, chosen))]
        if field.kind == "enum":
            number = value if isinstance(value, int) else ENUMS[field.holds].index(value)
            return [(slot, "b", number)]
        if field.kind in _SCALAR_CODES:
            return [(slot, _SCALAR_CODES[field.kind], value)]
        return [(slot, "offset", self._outside(value, field))]

    def _outside(self, value: Any, field: Field) -> int:
        """Write a string, vector or table and return its builder offset."""
        if field.kind == "text":
            return int(self._builder.CreateString(value))
        if field.kind == "table":
            return self.table(value, field.holds)
        if field.kind in _VECTOR_CODES:
            return self._numbers(value, _VECTOR_CODES[field.kind])
        if field.kind == "texts":
            return self._offsets([int(self._builder.CreateString(item)) for item in value])
        return self._offsets([self.table(item, field.holds) for item in value])

    def _offsets(self, offsets: list[int]) -> int:
        """Write a vector of offsets."""
        self._builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            self._builder.PrependUOffsetTRelative(offset)
        return int(self._builder.EndVector())

    def _numbers(self, numbers: list[Any], code: str) -> int:
        """Write a vector of numbers; bytes begin at a multiple of 16, as the schema asks of custom metadata."""
        length, alignment = (1, 16) if code == "B" else (4, 4)
        self._builder.StartVector(length, len(numbers), alignment)
        place = {"B": "PrependUint8", "I": "PrependUint32", "f": "PrependFloat32"}[code]
        for number in reversed(numbers):
            getattr(self._builder, place)(number)
        return int(self._builder.EndVector())

    def _place(self, slot: int, code: str, value: Any) -> None:
        """Put a number or an offset into the open table."""
        method = {
            "offset": "PrependUOffsetTRelativeSlot",
            "B": "PrependUint8Slot",
            "b": "PrependInt8Slot",
            "i": "PrependInt32Slot",
            "I": "PrependUint32Slot",
            "f": "PrependFloat32Slot",
        }[code]
        getattr(self._builder, method)(slot, value, 0)


def _enum_name(enum: str, number: int) -> str | int:
    """The name of an enum's number; a number of a later schema stays one."""
    names = ENUMS[enum]
    return names[number] if 0 <= number < len(names) else number


def _check_keys(values: Mapping[str, Any], name: str) -> None:
    """Refuse keys that are no fields of the table."""
    fields = TABLES[name]
    known = {field.name for field in fields} | {f"{field.name}_type" for field in fields if field.kind == "union"}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(f"{name} has no field {', '.join(unknown)}; expected some of {', '.join(sorted(known))}")

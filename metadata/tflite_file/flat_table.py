"""A FlatBuffers reader that trusts no byte: every access is checked against the end of the buffer.

The reader of the `flatbuffers` package follows whatever offsets it finds; a truncated or damaged
file then shows as an IndexError deep inside, or as numbers read from elsewhere. Model files come
from anywhere, so here each damage is a `ModelContractError`.

Notes
-----
The layout is that of the FlatBuffers "Internals" document: little-endian; a table begins with the
signed distance back to its vtable; offsets to strings, vectors and tables are unsigned and point
forwards.
"""

from __future__ import annotations

import struct

from metadata.errors import ModelContractError

_HEADER_LENGTH = 8  # bytes: offset of the root table, file identifier
_OFFSET_LENGTH = 4  # bytes of one offset, and of the length before a vector


class FlatTable:
    """One table of a FlatBuffer; its fields are read by slot, the place in the schema counted from 0.

    Parameters
    ----------
    buffer : bytes
        The whole FlatBuffer.
    position : int
        Byte at which the table begins.
    source : str
        What the buffer is, for error texts.

    Notes
    -----
    Every reading method raises ModelContractError where the buffer ends too early.
    """

    __slots__ = ("_buffer", "_field_offsets", "position", "source")

    def __init__(self, buffer: bytes, position: int, source: str) -> None:
        self._buffer = buffer
        self.position = position
        self.source = source
        vtable = position - self._number("<i", position)
        vtable_length = self._number("<H", vtable)
        if vtable_length < 4 or vtable_length % 2:
            raise self._damage(vtable, f"a table description of {vtable_length} bytes")
        count = vtable_length // 2 - 2
        self._field_offsets: tuple[int, ...] = self._numbers(f"<{count}H", vtable + 4)

    @classmethod
    def root(cls, buffer: bytes, identifier: bytes, source: str) -> FlatTable:
        """Return the root table of a FlatBuffer after checking its file identifier."""
        if len(buffer) < _HEADER_LENGTH or buffer[4:8] != identifier:
            begins = bytes(buffer[:_HEADER_LENGTH])
            raise ModelContractError(
                f"{source} has {len(buffer)} bytes and begins with {begins!r}; "
                f"expected the identifier {identifier.decode()} at byte 4. Is it another kind of file?"
            )
        (position,) = struct.unpack_from("<I", buffer)
        return cls(buffer, position, source)

    def has(self, slot: int) -> bool:
        """Whether the field was written (scalars that equal their default are not)."""
        return self.locate(slot) is not None

    def locate(self, slot: int) -> int | None:
        """Return the byte at which a field's inline value lies, None where it was not written."""
        offset = self._field_offsets[slot] if slot < len(self._field_offsets) else 0
        return self.position + offset if offset else None

    @property
    def num_slots(self) -> int:
        """Number of slots this table's description knows."""
        return len(self._field_offsets)

    def scalar(self, slot: int, code: str, default: int = 0) -> int | float:
        """Return a number; `code` is its letter in the `struct` module."""
        place = self.locate(slot)
        if place is None:
            return default
        number: int | float = self._numbers(f"<{code}", place)[0]
        return number

    def integer(self, slot: int, code: str, default: int = 0) -> int:
        """Return an integer; `code` is its letter in the `struct` module."""
        return int(self.scalar(slot, code, default))

    def target(self, slot: int) -> int | None:
        """Return the byte at which the string, vector or table of a field begins."""
        place = self.locate(slot)
        return None if place is None else self._follow(place)

    def table(self, slot: int) -> FlatTable | None:
        """Return the table of a field."""
        target = self.target(slot)
        return None if target is None else FlatTable(self._buffer, target, self.source)

    def span(self, slot: int, item_length: int = 1) -> tuple[int, int]:
        """Return first byte and number of items of a vector, (0, 0) where there is none."""
        target = self.target(slot)
        return (0, 0) if target is None else self._span_at(target, item_length)

    def content(self, slot: int) -> bytes:
        """Return a vector of bytes."""
        start, length = self.span(slot)
        return bytes(self._buffer[start : start + length])

    def text(self, slot: int) -> str:
        """Return a string, empty where there is none."""
        return self._decode(*self.span(slot))

    def name(self, slot: int) -> str:
        """Return a string that nothing depends on, empty if absent; bytes that are no UTF-8 become escapes."""
        start, length = self.span(slot)
        return bytes(self._buffer[start : start + length]).decode("utf-8", "backslashreplace")

    def texts(self, slot: int) -> list[str]:
        """Return a vector of strings."""
        return [self._decode(*self._span_at(place, 1)) for place in self.targets(slot)]

    def numbers(self, slot: int, code: str) -> list[int | float]:
        """Return a vector of numbers; `code` is the items' letter in the `struct` module."""
        start, length = self.span(slot, struct.calcsize(f"<{code}"))
        return list(self._numbers(f"<{length}{code}", start))

    def targets(self, slot: int) -> list[int]:
        """Return the bytes at which the tables or strings of a vector begin."""
        start, length = self.span(slot, _OFFSET_LENGTH)
        return [self._follow(start + _OFFSET_LENGTH * index) for index in range(length)]

    def tables(self, slot: int) -> list[FlatTable]:
        """Return a vector of tables."""
        return [FlatTable(self._buffer, place, self.source) for place in self.targets(slot)]

    def _decode(self, start: int, length: int) -> str:
        """Read UTF-8 text."""
        try:
            return bytes(self._buffer[start : start + length]).decode("utf-8")
        except UnicodeDecodeError:
            raise self._damage(start, "text that is not UTF-8") from None

    def _span_at(self, target: int, item_length: int) -> tuple[int, int]:
        """Read the length of a vector and check that its items are there."""
        length = self._number("<I", target)
        start = target + _OFFSET_LENGTH
        if start + length * item_length > len(self._buffer):
            raise self._damage(target, f"{length} items of {item_length} bytes")
        return start, length

    def _follow(self, place: int) -> int:
        """Read an offset and return where it points; a length or a table's beginning must fit there."""
        target = place + self._number("<I", place)
        if target + _OFFSET_LENGTH > len(self._buffer):
            raise self._damage(place, f"an offset to byte {target}")
        return target

    def _number(self, code: str, place: int) -> int:
        """Read one integer."""
        return int(self._numbers(code, place)[0])

    def _numbers(self, code: str, place: int) -> tuple[int, ...]:
        """Read numbers, and refuse a place outside the buffer (struct takes a negative one from the end)."""
        if place < 0 or place + struct.calcsize(code) > len(self._buffer):
            raise self._damage(place, "a value")
        return struct.unpack_from(code, self._buffer, place)

    def _damage(self, place: int, what: str) -> ModelContractError:
        """The error for a value that cannot be where the file says."""
        return ModelContractError(
            f"{self.source} is damaged: {what} at byte {place} of {len(self._buffer)}; "
            "was the file truncated or changed on its way here?"
        )

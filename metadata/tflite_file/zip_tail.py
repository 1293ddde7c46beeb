"""The ZIP at the end of a model file: its directory is checked before anything is unpacked.

A ZIP can name files outside the folder it is unpacked in, name one file twice, or unpack a few kB to gigabytes, each of
its entries over the same bytes. None of that is in a file that a metadata tool wrote, so all of it is refused.

Notes
-----
Names and layout are those of PKWARE's APPNOTE.TXT 6.3, without encryption, several disks and ZIP64. The standard
library's `zipfile` is left to those who write: importing it takes as long as opening the model.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from metadata.errors import ModelContractError
from metadata.plural import counted

MAX_UNPACKED = 64 * 1024 * 1024  # bytes of all files together; a label file has some kB
_MAX_FILES = 256
_MAX_RATIO = 1032  # of a deflated file: what its coding can reach at most
_SMALL = 4096  # bytes that any file may unpack to
_END = struct.Struct("<4s4H2IH")  # end of central directory
_ENTRY = struct.Struct("<4s6H3I5H2I")  # central directory header
_LOCAL = struct.Struct("<4s5H3I2H")  # local file header
_MAX_COMMENT = 2**16 - 1
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _UTF8 = 0x1, 0x800  # flags


class _Entry(NamedTuple):
    """One file of the directory; its header begins at start, its packed bytes lie from content to end."""

    name: str
    start: int
    content: int
    end: int
    unpacked: int
    method: int
    crc: int


class ZipTail(NamedTuple):
    """Where the ZIP of a file begins, and the directory of what is in it."""

    start: int
    entries: tuple[_Entry, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the files."""
        return tuple(entry.name for entry in self.entries)

    def unpack(self, model: bytes) -> dict[str, bytes]:
        """Return the files by name, without folders, each compared with its checksum."""
        return {entry.name: _unpack(model, entry) for entry in self.entries if not entry.name.endswith("/")}


def find_zip(model: bytes) -> ZipTail | None:
    """Return where the ZIP at the end of a file begins, None where the file does not end with one.

    Raises
    ------
    ModelContractError
        A directory that does not fit the file; a name that leads elsewhere or comes twice; encrypted files or such
        that overlap; more than 256 files or 64 MB.
    """
    found = _find_entries(model)
    if found is None:
        return None
    entries, place = found
    return ZipTail(min([entry.start for entry in entries], default=place), tuple(entries))


def unpack_zip(model: bytes) -> dict[str, bytes]:
    """Return the files in the ZIP at the end of a file by name, without folders; none where there is no ZIP.

    Raises
    ------
    ModelContractError
        What `find_zip` refuses, or a file whose bytes are not those that were packed.
    """
    tail = find_zip(model)
    return {} if tail is None else tail.unpack(model)


def _find_entries(model: bytes) -> tuple[list[_Entry], int] | None:
    """The files of the directory, checked, and the last record of the ZIP; None where there is no ZIP."""
    place = _find_end(model)
    if place is None:
        return None
    _, disk, directory_disk, on_disk, count, length, offset, _ = _END.unpack_from(model, place)
    shift = place - length - offset  # what a tool has put before a finished ZIP
    if disk or directory_disk or on_disk != count or count > _MAX_FILES or shift < 0 or length < count * _ENTRY.size:
        raise _refusal(f"its directory has {counted(count, 'file')} in {length} bytes at {offset} of {len(model)}")
    entries = _entries(model, place - length, place, count, shift)
    _check_entries(entries, place - length)
    return entries, place


def _unpack(model: bytes, entry: _Entry) -> bytes:
    """The bytes of one file."""
    content = model[entry.content : entry.end]
    if entry.method == _DEFLATED:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            # One byte more than there may be, so that no bomb goes off and none goes unnoticed.
            content = inflater.decompress(content, entry.unpacked + 1)
        except zlib.error as error:
            raise _refusal(f"{entry.name!r} does not unpack ({error})") from error
        if not inflater.eof or inflater.unused_data:
            raise _refusal(f"{entry.name!r} does not end where its directory says")
    if len(content) != entry.unpacked or zlib.crc32(content) != entry.crc:
        raise _refusal(f"{entry.name!r} is damaged")
    return content


def _find_end(model: bytes) -> int | None:
    """The last record of a ZIP: its comment must end with the file."""
    place = len(model)
    lowest = max(0, len(model) - _END.size - _MAX_COMMENT)
    while (place := model.rfind(b"PK\x05\x06", lowest, place)) >= 0:
        if place + _END.size <= len(model):
            comment = int(_END.unpack_from(model, place)[7])
            if place + _END.size + comment == len(model):
                return place
    return None


def _entries(model: bytes, place: int, end: int, count: int, shift: int) -> list[_Entry]:
    """Read the directory."""
    entries = []
    for _ in range(count):
        if place + _ENTRY.size > end:
            raise _refusal("its directory ends too early")
        fields = _ENTRY.unpack_from(model, place)
        lengths = fields[10:13]  # of name, extra field and comment
        raw = model[place + _ENTRY.size : place + _ENTRY.size + lengths[0]]
        place += _ENTRY.size + sum(lengths)
        if fields[0] != b"PK\x01\x02" or place > end:
            raise _refusal("its directory is damaged")
        entries.append(_entry(model, fields, raw, shift, end))
    if place != end:
        raise _refusal("its directory has more bytes than files")
    return entries


def _entry(model: bytes, fields: tuple[int, ...], raw: bytes, shift: int, end: int) -> _Entry:
    """One file, after comparing the header before its bytes with the directory."""
    flags, method, crc, packed, unpacked = fields[3], fields[4], *fields[7:10]
    start = fields[16] + shift
    try:
        name = raw.decode("utf-8" if flags & _UTF8 else "cp437")
    except UnicodeDecodeError:
        raise _refusal(f"the name {raw!r} is no text") from None
    if flags & _ENCRYPTED or method not in (_STORED, _DEFLATED):
        raise _refusal(f"{name!r} is encrypted or packed by method {method}; expected it stored or deflated")
    if start + _LOCAL.size > end:
        raise _refusal(f"{name!r} begins at byte {start} of {len(model)}")
    local = _LOCAL.unpack_from(model, start)
    content = start + _LOCAL.size + local[9] + local[10]
    if local[0] != b"PK\x03\x04" or local[2:4] != fields[3:5] or model[start + _LOCAL.size :][: local[9]] != raw:
        raise _refusal(f"{name!r} has another name at its place in the archive")
    if (method == _STORED and packed != unpacked) or unpacked > packed * _MAX_RATIO + _SMALL:
        raise _refusal(f"{name!r} unpacks from {packed} to {unpacked} bytes")
    return _Entry(name, start, content, content + packed, unpacked, method, crc)


def _check_entries(entries: list[_Entry], directory: int) -> None:
    """Check names, sizes and places."""
    total = sum(entry.unpacked for entry in entries)
    if total > MAX_UNPACKED:
        raise ModelContractError(f"the files inside the model unpack to {total} bytes; expected at most {MAX_UNPACKED}")
    for entry in entries:
        parts = entry.name.rstrip("/").split("/")
        odd = any(character in "\\:" or not character.isprintable() for character in entry.name)
        if odd or any(part in ("", ".", "..") for part in parts):
            raise _refusal(f"the name {entry.name!r} leads out of a folder or is no file name")
    if len({entry.name.casefold() for entry in entries}) != len(entries):
        raise _refusal("a name comes twice")
    places = sorted((entry.start, entry.end) for entry in entries)
    ends = [0, *(end for _, end in places)]
    starts = [*(start for start, _ in places), directory]
    if any(start < end for start, end in zip(starts, ends, strict=True)):
        raise _refusal("files overlap each other or the directory")


def _refusal(what: str) -> ModelContractError:
    """The error for a ZIP that is not read."""
    return ModelContractError(
        f"the files inside the model cannot be read: {what}; was the model changed or truncated on its way here?"
    )

"""Files that end before their header says: libsndfile reads them quietly, as if nothing were missing."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from edge_runtime.audio.sound_kinds import WAV_KINDS
from edge_runtime.audio.wav_file import sample_bytes
from edge_runtime.audio.wav_format import read_header

_OGG_TAIL = 65_536  # bytes; an Ogg page is smaller
_UNKNOWN_32, _UNKNOWN_64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF
_W64_HEAD = 24  # bytes of a chunk's name and length, which counts them


def refuse_cut_off(path: Path) -> None:
    """Refuse a WAV, AIFF, CAF, AU or W64 file shorter than its header says, and an Ogg file without its last page.

    Raises
    ------
    ValueError
        The file is cut off; the text goes on after its name.
    """
    with path.open("rb") as file:
        head, size = file.read(12), path.stat().st_size
        if head[:4] == b"OggS":
            _refuse_open_ogg(file, size)
            return
        if head[:4] in WAV_KINDS and head[8:] == b"WAVE":
            _refuse_short_wav(file)
            return
        end = _samples_end(file, head)
    if end > size:
        raise ValueError(
            f"is truncated: its samples should reach to byte {end} and it has {size}; "
            "was the recording or the copy interrupted? Copy it again"
        )


def _refuse_short_wav(file: BinaryIO) -> None:
    """Measure a WAV file of any codec by the rule of `edge_runtime`."""
    file.seek(0)
    header = read_header(file.read, lambda length: file.seek(length, 1))
    sample_bytes(file, header)


def _samples_end(file: BinaryIO, head: bytes) -> int:
    """Offset at which the samples end according to the header; 0 where it does not say."""
    if head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
        return _find_chunk(file, 12, b"SSND", 4, "big", 2)
    if head[:4] == b"caff":
        return _find_chunk(file, 8, b"data", 8, "big", 1)
    if head[:4] in (b".snd", b"dns."):
        order = "big" if head[:4] == b".snd" else "little"
        start, length = int.from_bytes(head[4:8], order), int.from_bytes(head[8:12], order)  # type: ignore[arg-type]
        return 0 if length == _UNKNOWN_32 else start + length
    if head[:4] == b"riff":
        return _w64_end(file)
    return 0


def _find_chunk(file: BinaryIO, start: int, wanted: bytes, width: int, order: str, padding: int) -> int:
    """Offset at which the chunk of this name ends, its length of `width` bytes; 0 where it has none."""
    file.seek(start)
    while len(head := file.read(4 + width)) == 4 + width:
        length = int.from_bytes(head[4:], order)  # type: ignore[arg-type]
        if head[:4] == wanted:
            return 0 if length in (0, _UNKNOWN_32, _UNKNOWN_64) else file.tell() + length
        if length == _UNKNOWN_64:
            return 0
        file.seek(length + length % padding, 1)
    return 0


def _w64_end(file: BinaryIO) -> int:
    """Offset at which the data chunk of a W64 file ends; names have 16 bytes, lengths 8 and count themselves."""
    file.seek(40)
    while len(head := file.read(_W64_HEAD)) == _W64_HEAD:
        length = int.from_bytes(head[16:], "little")
        if head[:4] == b"data":
            return 0 if length in (0, _W64_HEAD, _UNKNOWN_64) else file.tell() - _W64_HEAD + length
        if length < _W64_HEAD:
            return 0
        file.seek(-length % 8 + length - _W64_HEAD, 1)
    return 0


def _refuse_open_ogg(file: BinaryIO, size: int) -> None:
    """Refuse an Ogg file whose last page is not complete and marked as the last one of its stream."""
    file.seek(max(0, size - _OGG_TAIL))
    tail = file.read()
    last = tail.rfind(b"OggS")
    if last < 0 or not _is_whole_last_page(tail[last:]):
        raise ValueError(
            "is truncated: its last page is missing; was the recording or the copy interrupted? Copy it again"
        )


def _is_whole_last_page(page: bytes) -> bool:
    """Whether an Ogg page is complete and marked as the last one of its stream."""
    header = 27  # bytes, then one length a segment
    if len(page) < header or len(page) < header + page[26]:
        return False
    return bool(page[5] & 4) and len(page) >= header + page[26] + sum(page[header : header + page[26]])

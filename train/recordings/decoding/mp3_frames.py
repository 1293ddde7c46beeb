"""MP3 files that do not say how long they are.

libsndfile takes the length from the number of frames in a Xing or VBRI header. Without one it takes the bit rate of the
beginning for that of the whole. Of a file with a variable bit rate it then reads a part, and says nothing.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO

from edge_runtime.audio.mpeg_frame import HEADER_BYTES, KBITS, MpegFrame, read_mpeg_frame

_ID3 = 10  # bytes of the head of an ID3v2 tag
_LAYER = 3
_TAG_KBITS = 64  # of the frame that holds the count: large enough for it at every rate
_NEARLY = 2  # frames: at a constant bit rate libsndfile is right but for the ends
_SEARCHED = 1 << 16  # bytes in which the first frame is looked for
_BLOCK = 1 << 20  # bytes that are looked through at a time


def with_frame_count(path: Path, num_samples: int) -> io.RawIOBase | None:
    """Return an MP3 file that says how many frames it has; None where its length is known without.

    Parameters
    ----------
    path : Path
    num_samples : int
        What libsndfile takes for its length.

    Returns
    -------
    RawIOBase or None
        The same frames behind one that holds their number, as an encoder would have written it. None where the file
        says its length, or `num_samples` is that of its frames.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        start = _first_frame(file, size)
        file.seek(start)
        head = file.read(HEADER_BYTES + 64)
        first = _frame(head)
        if first is None or _says_count(head, first):
            return None
        count = _count_frames(file, start, size)
    if abs(count * first.num_samples - num_samples) <= _NEARLY * first.num_samples:
        return None
    return _Behind(_counting_frame(head, first, count), path, start)


def _first_frame(file: BinaryIO, size: int) -> int:
    """Where the first frame begins, behind a tag and what fills the room behind it."""
    place, head = 0, file.read(_ID3)
    if head[:3] == b"ID3" and len(head) == _ID3:
        length = sum((byte & 0x7F) << (7 * digit) for digit, byte in enumerate(reversed(head[6:])))
        place = _ID3 + length + (_ID3 if head[5] & 0x10 else 0)
    return _next_frame(file, place, min(size, place + _SEARCHED))


def _frame(head: bytes) -> MpegFrame | None:
    """The frame of an MP3 that begins with these bytes; None where none does."""
    frame = read_mpeg_frame(head)
    return frame if frame and frame.layer == _LAYER else None


def _says_count(head: bytes, first: MpegFrame) -> bool:
    """Whether the first frame holds no sound, but the number of frames."""
    tag = head[HEADER_BYTES + first.side_bytes :][:8]
    return (tag[:4] in (b"Xing", b"Info") and bool(tag[7:] and tag[7] & 1)) or head[36:40] == b"VBRI"


def _count_frames(file: BinaryIO, start: int, size: int) -> int:
    """How many whole frames a file has from there on; what lies between two of them is passed over."""
    count, place, first = 0, start, None
    while place + HEADER_BYTES <= size:
        file.seek(place)
        frame = _frame(file.read(HEADER_BYTES))
        if frame is None or (first is not None and frame.sample_rate != first.sample_rate):
            place = _next_frame(file, place + 1, size)
            continue
        first = first or frame
        place += frame.length
        count += place <= size
    return count


def _next_frame(file: BinaryIO, place: int, size: int) -> int:
    """Where the next two frames stand one behind the other; the end of the file where none do."""
    while place < size:
        file.seek(place)
        block = file.read(_BLOCK)
        found = block.find(b"\xff")
        while found >= 0:
            frame = _frame(block[found : found + HEADER_BYTES])
            if frame is not None:
                file.seek(place + found + frame.length)
                if _frame(file.read(HEADER_BYTES)) is not None:
                    return place + found
            found = block.find(b"\xff", found + 1)
        place += max(1, len(block) - HEADER_BYTES + 1)
    return size


def _counting_frame(head: bytes, first: MpegFrame, count: int) -> bytes:
    """A frame without sound that holds the number of those behind it (Xing's header)."""
    bits = KBITS[first.is_first, _LAYER].index(_TAG_KBITS) + 1
    header = bytes((0xFF, head[1] | 1, bits << 4 | head[2] & 0x0C, head[3]))  # no checksum, no padding
    frame = _frame(header)
    assert frame is not None
    content = header + bytes(frame.side_bytes) + b"Xing" + (1).to_bytes(4, "big") + count.to_bytes(4, "big")
    return content.ljust(frame.length, b"\0")


class _Behind(io.RawIOBase):
    """A file from some place on, behind a head."""

    def __init__(self, head: bytes, path: Path, start: int) -> None:
        super().__init__()
        self._head, self._start, self._place = head, start, 0
        self._file = path.open("rb")
        self._size = len(head) + os.fstat(self._file.fileno()).st_size - start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._place = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._place < len(self._head):
            content = self._head[self._place : self._place + len(buffer)]
        else:
            self._file.seek(self._start + self._place - len(self._head))
            content = self._file.read(len(buffer))
        buffer[: len(content)] = content
        self._place += len(content)
        return len(content)

    def close(self) -> None:
        self._file.close()
        super().close()

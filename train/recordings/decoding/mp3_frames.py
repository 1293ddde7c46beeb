"""MP3 files that do not say how long they are.

libsndfile takes the length from the number of frames in a Xing or VBRI header. Without one it takes the bit rate of the
beginning for that of the whole. Of a file with a variable bit rate it then reads a part, and says nothing.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO, NamedTuple

_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # Hz, by version
_BIT_RATES = {  # kbit/s of layer III, by whether the version is 1
    True: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_HEADER = 4  # bytes
_ID3 = 10  # bytes of the head of an ID3v2 tag
_TAG_KBITS = 64  # of the frame that holds the count: large enough for it at every rate
_NEARLY = 2  # frames: at a constant bit rate libsndfile is right but for the ends
_BLOCK = 1 << 20  # bytes that are looked through at a time


class _Frame(NamedTuple):
    """The header of a frame of layer III."""

    version: int  # 3: MPEG 1, 2: MPEG 2, 0: MPEG 2.5
    sample_rate: int  # Hz
    is_mono: bool
    length: int  # bytes

    @property
    def num_samples(self) -> int:
        """Of each channel."""
        return 1152 if self.version == 3 else 576

    @property
    def side_info(self) -> int:
        """Bytes behind the header."""
        return (17 if self.is_mono else 32) if self.version == 3 else (9 if self.is_mono else 17)


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
        start = _first_frame(file)
        file.seek(start)
        head = file.read(_HEADER + 64)
        first = _frame(head)
        if first is None or _says_count(head, first):
            return None
        count = _count_frames(file, start, os.fstat(file.fileno()).st_size)
    if abs(count * first.num_samples - num_samples) <= _NEARLY * first.num_samples:
        return None
    return _Behind(_counting_frame(head, first, count), path, start)


def _first_frame(file: BinaryIO) -> int:
    """Where the first frame begins, behind a tag."""
    head = file.read(_ID3)
    if head[:3] != b"ID3" or len(head) < _ID3:
        return 0
    size = sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(reversed(head[6:])))
    return _ID3 + size + (_ID3 if head[5] & 0x10 else 0)


def _frame(head: bytes) -> _Frame | None:
    """The frame that begins with these bytes; None where none does."""
    if len(head) < _HEADER or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:  # the sync, and layer III
        return None
    version, bits, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or bits in (0, 15) or rate == 3:
        return None
    sample_rate, bit_rate = _RATES[version][rate], 1000 * _BIT_RATES[version == 3][bits - 1]
    length = (144 if version == 3 else 72) * bit_rate // sample_rate + (head[2] >> 1 & 1)
    return _Frame(version, sample_rate, head[3] >> 6 == 3, length)


def _says_count(head: bytes, first: _Frame) -> bool:
    """Whether the first frame holds no sound, but the number of frames."""
    tag = head[_HEADER + first.side_info :][:8]
    return (tag[:4] in (b"Xing", b"Info") and bool(tag[7:] and tag[7] & 1)) or head[36:40] == b"VBRI"


def _count_frames(file: BinaryIO, start: int, size: int) -> int:
    """How many whole frames a file has from there on; what lies between two of them is passed over."""
    count, place, first = 0, start, None
    while place + _HEADER <= size:
        file.seek(place)
        frame = _frame(file.read(_HEADER))
        if frame is None or (first is not None and frame[:2] != first[:2]):
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
            frame = _frame(block[found : found + _HEADER])
            if frame is not None:
                file.seek(place + found + frame.length)
                if _frame(file.read(_HEADER)) is not None:
                    return place + found
            found = block.find(b"\xff", found + 1)
        place += max(1, len(block) - _HEADER + 1)
    return size


def _counting_frame(head: bytes, first: _Frame, count: int) -> bytes:
    """A frame without sound that holds the number of those behind it (Xing's header)."""
    bits = _BIT_RATES[first.version == 3].index(_TAG_KBITS) + 1
    header = bytes((0xFF, head[1] | 1, bits << 4 | head[2] & 0x0C, head[3]))  # no checksum, no padding
    frame = _frame(header)
    assert frame is not None
    content = header + bytes(frame.side_info) + b"Xing" + (1).to_bytes(4, "big") + count.to_bytes(4, "big")
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

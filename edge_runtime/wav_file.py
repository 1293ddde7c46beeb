"""WAV files with the standard library and NumPy: any length in constant memory, faults named, nothing repaired.

Axis order inside a block: frames first, channels second; what comes out is mono.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
BLOCK_LENGTH = 65_536  # frames read at once
_PCM, _FLOAT, _EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
_ENCODINGS = {(_PCM, 8), (_PCM, 16), (_PCM, 24), (_PCM, 32), (_FLOAT, 32), (_FLOAT, 64)}  # (tag, bits)
_CODEC_NAMES = {
    0x0002: "Microsoft ADPCM",
    0x0006: "A-law",
    0x0007: "mu-law",
    0x0011: "IMA ADPCM",
    0x0031: "GSM 6.10",
    0x0050: "MPEG",
    0x0055: "MP3",
    0x0161: "Windows Media Audio",
}
_OTHER_CONTAINERS = {b"fLaC": "a FLAC file", b"OggS": "an OGG file", b"ID3": "an MP3 file", b"RF64": "an RF64 file"}
# The last 14 bytes of KSDATAFORMAT_SUBTYPE_PCM and _IEEE_FLOAT; the first two are the format tag.
_SUBTYPE_TAIL = bytes.fromhex("000000001000800000aa00389b71")


@dataclass(frozen=True)
class WavFormat:
    """What the fmt chunk says."""

    tag: int  # 1 integer PCM, 3 IEEE float
    num_channels: int
    sample_rate: int  # Hz
    bits: int  # of one sample in the file

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of every channel."""
        return self.num_channels * self.bits // 8


class WavFile:
    """An open WAV file, read block by block; a context manager.

    Attributes
    ----------
    sample_rate : int
        Hz.
    num_channels : int
        In the file; what `blocks` yields is mono.
    num_samples : int
        Per channel.

    Raises
    ------
    FileNotFoundError
        No such file.
    ValueError
        Not a WAV file, an unsupported codec, a broken or truncated chunk, or no samples.

    Notes
    -----
    Microsoft's "Multiple Channel Audio Data and WAVE Files" (WAVE_FORMAT_EXTENSIBLE) and the RIFF
    rule that an odd chunk is followed by one padding byte. PCM 8, 16, 24, 32 bit and float 32, 64.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._file = _open(self.path)
        try:
            self._size = os.fstat(self._file.fileno()).st_size
            self._format, self._data_start, data_bytes = self._find_chunks()
            self.num_samples = self._count_samples(data_bytes)
        except BaseException:
            self._file.close()
            raise
        self.sample_rate = self._format.sample_rate
        self.num_channels = self._format.num_channels

    def __enter__(self) -> WavFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def blocks(self, block_length: int = BLOCK_LENGTH) -> Iterator[FloatArray]:
        """Yield the file from its beginning as mono float32 blocks.

        Parameters
        ----------
        block_length : int
            Samples in a block; the last one may be shorter.

        Yields
        ------
        ndarray of float32, shape (up to block_length,)
            Channels averaged; integers divided by 2 ** (bits - 1), as libsndfile does, so in [-1, 1).

        Raises
        ------
        ValueError
            A NaN or an infinity in a float file, or the file shrank while it was read.
        """
        if block_length < 1:
            raise ValueError(f"block_length is {block_length}; expected samples, at least 1")
        for first in range(0, self.num_samples, block_length):
            count = min(block_length, self.num_samples - first)
            self._file.seek(self._data_start + first * self._format.frame_bytes)
            content = self._file.read(count * self._format.frame_bytes)
            if len(content) < count * self._format.frame_bytes:
                raise self._fault("ended while it was read; is another program writing it?")
            yield self._mono(content, first)

    def _mono(self, content: bytes, first: int) -> FloatArray:
        """Return the average of the channels of a block that begins with sample `first`."""
        samples = _decode(content, self._format).reshape(-1, self._format.num_channels)
        finite = np.isfinite(samples).all(axis=1)
        if not finite.all():
            raise self._fault(f"holds NaN or infinity at sample {first + int(np.argmin(finite))}; expected numbers")
        mono: FloatArray = samples.mean(axis=1).astype(np.float32)
        return mono

    def _find_chunks(self) -> tuple[WavFormat, int, int]:
        """Walk the chunks; return the format, and where the samples start and how many bytes they are."""
        head = self._file.read(12)
        if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
            raise self._not_a_wav(head)
        wav_format, position = None, 12
        while position + 8 <= self._size:
            self._file.seek(position)
            name, length = struct.unpack("<4sI", self._file.read(8))
            if name == b"data":
                if wav_format is None:
                    raise self._fault("has a data chunk before any fmt chunk; the file is damaged")
                self._check_inside(position + 8, length)
                return wav_format, position + 8, length
            if name == b"fmt ":
                wav_format = self._parse_format(self._file.read(min(length, 40)))
            position += 8 + length + length % 2  # an odd chunk has one padding byte that its length leaves out
        missing = "data" if wav_format else "fmt"
        raise self._fault(f"has no {missing} chunk in its {self._size} bytes; it is truncated or damaged")

    def _check_inside(self, start: int, length: int) -> None:
        """Refuse a data chunk that is longer than the file."""
        held = self._size - start
        if length > held:
            raise self._fault(
                f"is truncated: its data chunk should have {length} bytes and {held} are there; "
                "was the recording or the copy interrupted?"
            )

    def _parse_format(self, chunk: bytes) -> WavFormat:
        """Read the fmt chunk, through WAVE_FORMAT_EXTENSIBLE to the format under it."""
        if len(chunk) < 16:
            raise self._fault(f"has a fmt chunk of {len(chunk)} bytes; expected at least 16")
        tag, num_channels, sample_rate, _, frame_bytes, bits = struct.unpack("<HHIIHH", chunk[:16])
        if tag == _EXTENSIBLE:
            if len(chunk) < 40 or chunk[26:40] != _SUBTYPE_TAIL:
                raise self._fault("is WAVE_FORMAT_EXTENSIBLE without a PCM or float subtype; convert it to 16-bit PCM")
            (tag,) = struct.unpack("<H", chunk[24:26])
        if (tag, bits) not in _ENCODINGS:
            codec = _CODEC_NAMES.get(tag, {_PCM: "PCM", _FLOAT: "float"}.get(tag, "unknown codec"))
            raise self._fault(
                f"has format tag 0x{tag:04X} ({codec}) with {bits} bits; "
                "expected PCM of 8, 16, 24 or 32 bits or float of 32 or 64; convert it to 16-bit PCM"
            )
        wav_format = WavFormat(tag, num_channels, sample_rate, bits)
        if num_channels < 1 or sample_rate < 1 or frame_bytes != wav_format.frame_bytes:
            raise self._fault(
                f"has {num_channels} channels at {sample_rate} Hz in frames of {frame_bytes} bytes; "
                f"expected at least one channel, a rate above 0 and {wav_format.frame_bytes} bytes a frame"
            )
        return wav_format

    def _count_samples(self, data_bytes: int) -> int:
        """Return the samples per channel; none at all, or half a one, is a fault."""
        frame_bytes = self._format.frame_bytes
        if data_bytes == 0:
            raise self._fault("holds no samples (its data chunk is empty)")
        if data_bytes % frame_bytes:
            raise self._fault(f"has a data chunk of {data_bytes} bytes; expected a multiple of {frame_bytes}")
        return data_bytes // frame_bytes

    def _not_a_wav(self, head: bytes) -> ValueError:
        """Say what the file is instead of a WAV file, and what to do about it."""
        if not head:
            return self._fault("is empty (0 bytes); expected a WAV file")
        kind = next((text for magic, text in _OTHER_CONTAINERS.items() if head.startswith(magic)), None)
        if kind is None and head[0] == 0xFF and len(head) > 1 and head[1] & 0xE0 == 0xE0:
            kind = "an MP3 file"  # an MPEG frame without ID3 tag begins with eleven set bits
        return self._fault(
            f"is {kind or 'not a WAV file'} (it begins with {head[:4]!r}); a device reads WAV only: "
            'convert it to 16-bit PCM WAV, or install what decodes FLAC, OGG and MP3: pip install "earshot[train]"'
        )

    def _fault(self, text: str) -> ValueError:
        """Return an error that names the file."""
        return ValueError(f"{self.path} {text}")


def is_wav(path: str | Path) -> bool:
    """Return whether the file begins as a RIFF WAVE file does."""
    with _open(Path(path)) as file:
        head = file.read(12)
    return head[:4] == b"RIFF" and head[8:] == b"WAVE"


def read_wav(path: str | Path) -> tuple[FloatArray, int]:
    """Return a whole WAV file as a mono waveform, float32, shape (n_samples,), and its rate in Hz.

    Raises
    ------
    FileNotFoundError, ValueError
        As for `WavFile` and its `blocks`.
    """
    with WavFile(path) as wav:
        return np.concatenate(list(wav.blocks())), wav.sample_rate


def _open(path: Path) -> BinaryIO:
    """Open a file for reading."""
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise FileNotFoundError(f"{path} {what}; expected a sound file")
    return path.open("rb")


def _decode(content: bytes, wav_format: WavFormat) -> npt.NDArray[np.float64]:
    """Return the samples of all channels, interleaved, float64."""
    if wav_format.tag == _FLOAT:
        return np.frombuffer(content, f"<f{wav_format.bits // 8}").astype(np.float64)
    if wav_format.bits == 8:  # the only unsigned width
        return (np.frombuffer(content, np.uint8).astype(np.float64) - 128.0) / 128.0
    if wav_format.bits == 24:
        wide = np.zeros((len(content) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(content, np.uint8).reshape(-1, 3)
        return wide.view("<i4").reshape(-1) / 2.0**31
    return np.frombuffer(content, f"<i{wav_format.bits // 8}") / 2.0 ** (wav_format.bits - 1)

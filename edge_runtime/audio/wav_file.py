"""WAV files with the standard library and NumPy: any length in constant memory, faults named, nothing repaired."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.downmix import AUTO
from edge_runtime.audio.sound_frames import BLOCK_LENGTH, SoundFrames
from edge_runtime.audio.sound_kinds import SNIFFED_BYTES, WAV_KINDS
from edge_runtime.audio.wav_format import (
    UnknownCodecError,
    WavHeader,
    check_codec,
    count_sample_bytes,
    decode,
    not_a_wav,
    read_header,
)

FloatArray = npt.NDArray[np.float32]
_LONGEST_RIFF = 0xFFFFFFFF + 8  # bytes that a RIFF header can describe
_TAIL_BYTES = 1 << 20  # of a file without a length, in which a chunk behind the samples is looked for


class WavFile(SoundFrames):
    """An open WAV file, read block by block; a context manager.

    Parameters
    ----------
    path : str or Path
    channel : str
        Which one is used, see `edge_runtime.audio.downmix`.

    Attributes
    ----------
    sample_rate, num_channels, num_samples, peak
        As for `SoundFrames`.

    Raises
    ------
    FileNotFoundError
        No such file.
    UnknownCodecError
        A codec that needs a decoder.
    ValueError
        Not a WAV file, a broken or truncated chunk, or no samples.

    Notes
    -----
    The formats are those of `edge_runtime.audio.wav_format`: RIFF, and RF64 or BW64 beyond 4 GiB. A header
    without a length, as programs leave that write to a pipe, means all that follows.
    """

    def __init__(self, path: str | Path, channel: str = AUTO) -> None:
        self.path, self.channel = Path(path), channel
        self._file = _open(self.path)
        try:
            self._size = os.fstat(self._file.fileno()).st_size
            self._header = self._read_header()
            check_codec(self._header.format)
            self.num_samples = self._count_samples(self._header)
        except BaseException as error:
            self._file.close()
            if isinstance(error, ValueError):
                kind = UnknownCodecError if isinstance(error, UnknownCodecError) else ValueError
                raise kind(f"{self.path} {error}") from error
            raise
        self.sample_rate = self._header.format.sample_rate
        self.num_channels = self._header.format.num_channels

    def __enter__(self) -> WavFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def frames(self, block_length: int = BLOCK_LENGTH) -> Iterator[FloatArray]:
        """Yield the file from its beginning; see `SoundFrames.frames`.

        Raises
        ------
        ValueError
            A NaN or an infinity in a float file, or the file shrank while it was read.
        """
        frame_bytes = self._header.format.frame_bytes
        for first in range(0, self.num_samples, block_length):
            count = min(block_length, self.num_samples - first)
            self._file.seek(self._header.data_start + first * frame_bytes)
            content = self._file.read(count * frame_bytes)
            if len(content) < count * frame_bytes:
                raise self.fault("ended while it was read; is another program writing it?")
            try:
                frames = decode(content, self._header.format, first)
            except ValueError as error:
                raise self.fault(str(error)) from error
            yield frames

    def _read_header(self) -> WavHeader:
        """Read up to the samples; more than the first bytes decide whether it is a WAV file."""
        if not _has_wav_head(self._file.read(12)):
            self._file.seek(0)
            raise ValueError(not_a_wav(self._file.read(SNIFFED_BYTES)))
        self._file.seek(0)
        return read_header(self._file.read, self._skip)

    def _count_samples(self, header: WavHeader) -> int:
        """Return the samples per channel; none at all, or fewer than promised is a fault."""
        if header.kind == b"RIFF" and self._size > _LONGEST_RIFF and header.data_bytes is not None:
            raise ValueError(
                f"has {self._size} bytes, which its RIFF header cannot describe (4 GiB at most; its data chunk "
                f"says {header.data_bytes}); write RF64 instead, or convert it: "
                "ffmpeg -ignore_length 1 -i FILE -rf64 always NEW"
            )
        samples = sample_bytes(self._file, header) // header.format.frame_bytes
        if samples == 0:
            raise ValueError("holds no samples (its data chunk is empty)")
        return samples

    def _skip(self, length: int) -> None:
        """Go on by so many bytes."""
        self._file.seek(length, os.SEEK_CUR)


def sample_bytes(file: BinaryIO, header: WavHeader) -> int:
    """Return how many bytes of an open file are samples; its position is lost.

    Raises
    ------
    ValueError
        As for `count_sample_bytes`.
    """
    size = os.fstat(file.fileno()).st_size
    held = max(0, size - header.data_start)
    file.seek(header.data_start)
    head = file.read(8)
    file.seek(max(header.data_start, size - _TAIL_BYTES))
    tail = b""
    if header.data_bytes is None or header.data_bytes == 0 or header.data_bytes > held:
        tail = file.read()
    return count_sample_bytes(header, held, head, tail)


def is_wav(path: str | Path) -> bool:
    """Return whether the file begins as a WAV file does, RF64 and BW64 among them."""
    with _open(Path(path)) as file:
        return _has_wav_head(file.read(12))


def read_wav(path: str | Path) -> tuple[FloatArray, int]:
    """Return a whole WAV file as a mono waveform, float32, shape (n_samples,), and its rate in Hz.

    Raises
    ------
    FileNotFoundError, ValueError
        As for `WavFile` and its `blocks`.
    """
    with WavFile(path) as wav:
        return np.concatenate(list(wav.blocks())), wav.sample_rate


def _has_wav_head(head: bytes) -> bool:
    """Whether these 12 bytes begin a WAV file."""
    return head[:4] in WAV_KINDS and head[8:] == b"WAVE"


def _open(path: Path) -> BinaryIO:
    """Open a file for reading."""
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise FileNotFoundError(f"{path} {what}; expected a sound file")
    return path.open("rb")

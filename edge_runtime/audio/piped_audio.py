"""Sound that comes through a pipe: a WAV file as it is written, or raw 16-bit samples where their rate was said."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.downmix import AUTO
from edge_runtime.audio.sound_kinds import SNIFFED_BYTES, WAV_KINDS, piped_refusal, recognise
from edge_runtime.audio.stream_channels import StreamChannels
from edge_runtime.audio.wav_format import (
    HIGHEST_RATE,
    LOWEST_RATE,
    WavFormat,
    begins_chunk,
    check_codec,
    decode,
    find_list_chunk,
    is_placeholder,
    read_header,
)
from metadata.plural import counted

FloatArray = npt.NDArray[np.float32]
_POLL_SECONDS = 0.2  # after which an empty block comes, so that whoever reads can look up
_READ_BYTES = 65_536
_PCM = 1
_LIST_HEAD = 12  # bytes by which a LIST chunk is known


class PipedAudio:
    """A stream that ends when the other side closes it.

    Parameters
    ----------
    descriptor : int
        Of an open file, such as 0 for standard input.
    raw_rate : int, optional
        Hz, of raw samples, 16-bit little-endian integers; without it only WAV is taken.
    raw_channels : int
        Interleaved channels of raw samples.
    channel : str
        Which one is used, see `edge_runtime.audio.stream_channels`.

    Attributes
    ----------
    sample_rate : int
        Hz.
    num_channels : int
        In the stream.
    name : str
        What it is, for people.

    Raises
    ------
    ValueError
        Nothing came at all, a WAV header that `read_header` refuses, another kind of file, or raw samples without a
        rate.
    """

    def __init__(self, descriptor: int, raw_rate: int | None, raw_channels: int = 1, channel: str = AUTO) -> None:
        self._descriptor, self._ended, self._waiting = descriptor, False, b""
        self._left: int | None = None  # bytes of samples still to come, where that is known
        self._peak = 0.0
        self._format = self._open(raw_rate, raw_channels)
        self.sample_rate, self.num_channels = self._format.sample_rate, self._format.num_channels
        self._channels = StreamChannels(self.num_channels, self.sample_rate, channel)

    def blocks(self) -> Iterator[FloatArray]:
        """Yield what has come as mono float32 blocks; an empty one where nothing came for a while.

        Raises
        ------
        ValueError
            NaN or infinity.
        """
        frame_bytes, first = self._format.frame_bytes, 0
        while True:
            usable = self._usable()
            usable -= usable % frame_bytes
            content, self._waiting = self._waiting[:usable], self._waiting[usable:]
            if self._left is not None:
                self._left -= usable
            try:
                frames = decode(content, self._format, first)
            except ValueError as error:
                raise ValueError(f"standard input {error}") from error
            first += len(frames)
            self._peak = max(self._peak, float(np.abs(frames).max(initial=0.0)))
            if len(frames) or not self._ended:
                yield self._channels.take(frames)
            if self._left == 0 or (self._ended and not usable):
                return
            self._read()

    def remarks(self, ended: bool = True) -> list[str]:
        """Return the notes on the stream, each a sentence that goes on after the stream's name; see `SoundFrames`."""
        notes = [self._channels.remark(ended)]
        if ended and self._ended and self._left:
            notes.append(f"ended {self._left} bytes before the end that its header says; what came was used")
        if ended and self._peak > 1.0:
            notes.append(f"went up to {self._peak:.2f} of full scale; what is above was clipped, as a microphone does")
        return [text for text in notes if text]

    def _open(self, raw_rate: int | None, raw_channels: int) -> WavFormat:
        """Find out what comes, and read up to the samples."""
        if raw_channels < 1 or (raw_rate is not None and not LOWEST_RATE <= raw_rate <= HIGHEST_RATE):
            raise ValueError(
                f"raw samples have {counted(raw_channels, 'channel')} at {raw_rate} Hz; expected at least 1, and "
                f"{LOWEST_RATE} to "
                f"{HIGHEST_RATE} Hz"
            )
        head = self._peek(12)
        if not head:
            raise ValueError("standard input ended without a sample; expected a WAV file or raw 16-bit samples")
        if head[:4] not in WAV_KINDS:
            head = self._look(SNIFFED_BYTES)
        kind = recognise(head)
        if kind is not None and kind.what == "wav":
            self.name = "WAV on standard input"
            return self._read_wav_header()
        if kind is not None:
            raise ValueError(f"standard input {piped_refusal(kind)}")
        if raw_rate is None:
            raise ValueError(
                f"standard input begins with {head[:4]!r}, which is no WAV file; if it is raw 16-bit samples, say "
                "their rate: --raw-rate HZ. Otherwise convert it on the way: ffmpeg -i - -f wav - | earproof listen "
                "MODEL -"
            )
        self.name = "raw 16-bit samples on standard input"
        return WavFormat(_PCM, raw_channels, raw_rate, 16, 2 * raw_channels)

    def _usable(self) -> int:
        """Return how many of the bytes that wait are samples."""
        if self._left is not None:
            return min(len(self._waiting), self._left)
        if not self._is_endless_wav:
            return len(self._waiting)
        place = find_list_chunk(self._waiting)
        if place is not None:  # behind samples of unknown length
            self._left = place
            return place
        # The beginning of such a chunk may be here already.
        return len(self._waiting) if self._ended else max(0, len(self._waiting) - _LIST_HEAD)

    def _read(self) -> None:
        """Wait a little for bytes, and take those that came."""
        if self._ended or not select.select([self._descriptor], [], [], _POLL_SECONDS)[0]:
            return
        content = os.read(self._descriptor, _READ_BYTES)
        self._waiting += content
        self._ended = not content

    def _peek(self, length: int) -> bytes:
        """Return the next bytes without taking them, fewer only at the end."""
        while len(self._waiting) < length and not self._ended:
            self._read()
        return self._waiting[:length]

    def _look(self, length: int) -> bytes:
        """Return what has come already, up to so many bytes; a slow stream is not waited for."""
        before = -1
        while before < len(self._waiting) < length and not self._ended:
            before = len(self._waiting)
            self._read()
        return self._waiting[:length]

    def _take(self, length: int) -> bytes:
        """Return the next bytes, fewer only at the end."""
        content = self._peek(length)
        self._waiting = self._waiting[length:]
        return content

    def _skip(self, length: int) -> None:
        """Take bytes and forget them."""
        while length > 0 and (taken := self._take(min(length, _READ_BYTES))):
            length -= len(taken)

    @property
    def _is_endless_wav(self) -> bool:
        """Whether a WAV header came that does not know the length."""
        return self._left is None and self.name.startswith("WAV")

    def _read_wav_header(self) -> WavFormat:
        """Read up to the samples; keep how many bytes they are, where the header really knows."""
        try:
            header = read_header(self._take, self._skip)
            check_codec(header.format)
        except ValueError as error:
            raise ValueError(f"standard input {error}") from error
        length = header.data_bytes
        if length == 0 and not begins_chunk(self._peek(4)):
            length = None
        if length is not None and not (header.kind == b"RIFF" and is_placeholder(length)):
            self._left = length
        return header.format

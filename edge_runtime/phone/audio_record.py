"""The phone's microphone: AudioRecord, which delivers what has arrived, and TensorAudio, which keeps the newest.

Notes
-----
What is imitated is the TensorFlow Lite Task library's audio API on Android and its example app:
`createAudioRecord` makes an AudioRecord of PCM float, mono, at the model's rate, with a buffer of
twice the model's input; `TensorAudio.load(AudioRecord)` reads without blocking whatever has arrived
into a ring buffer as long as the model's input, zeros at first, keeping the newest samples; the app
classifies the buffer, then waits for the tick length, and so on, the first time at once.

The microphone delivers 16-bit integers. Asked for PCM float, Android divides them by 32768
(`float_from_i16` of its audio_utils). An app that reads PCM 16 bit instead hands short[] to
TensorAudio, which divides by 32767, `Short.MAX_VALUE`, so that -32768 becomes -1.00003. Both paths are here.

When nobody reads for longer than the AudioRecord buffer lasts, what arrives meanwhile is lost: the
full buffer keeps what it has. Android documents the loss, not which samples it takes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.resampling import Resampler, resampled_length
from edge_runtime.audio.sample_format import FloatArray, ShortArray, to_floats, to_shorts

PCM_ENCODINGS = ("float", "int16")
_SHORT_MAX = np.float32(32767)  # Short.MAX_VALUE


class BlockRecording:
    """A recording that comes in blocks and is read from beginning to end, so that its length costs no memory.

    Parameters
    ----------
    blocks : iterable of ndarray of int16
        The recording in pieces of any length.
    size : int
        Samples of the whole recording, at least 1.
    sample_rate : int
        Hz.
    """

    def __init__(self, blocks: Iterable[ShortArray], size: int, sample_rate: int) -> None:
        if size < 1 or sample_rate < 1:
            raise ValueError(
                f"the recording has {size} samples at {sample_rate} Hz; expected at least one, and a rate above 0"
            )
        self.size, self.sample_rate = size, sample_rate
        self._blocks = iter(blocks)
        self._waiting = np.zeros(0, np.int16)

    def at_rate(self, sample_rate: int) -> BlockRecording:
        """Return the recording at another rate, in Hz, as a microphone of that rate would deliver it."""
        if sample_rate == self.sample_rate:
            return self
        resampler = Resampler(self.sample_rate, sample_rate)

        def resampled() -> Iterator[ShortArray]:
            for block in self._blocks:
                yield to_shorts(resampler.push(to_floats(block)))
            yield to_shorts(resampler.finish())

        return BlockRecording(resampled(), resampled_length(self.size, self.sample_rate, sample_rate), sample_rate)

    def take(self, count: int) -> ShortArray:
        """Return the next samples, int16, shape (count,).

        Raises
        ------
        ValueError
            The blocks end before that.
        """
        pieces = []
        while count > self._waiting.size:
            pieces.append(self._waiting)
            count -= self._waiting.size
            block = next(self._blocks, None)
            if block is None:
                raise ValueError(f"the recording ended {count} samples early; expected {self.size} in all")
            self._waiting = block
        pieces.append(self._waiting[:count])
        self._waiting = self._waiting[count:]
        return np.concatenate(pieces)


class AudioRecord:
    """The app's end of the microphone, fed from a recording as time goes by.

    Parameters
    ----------
    recording : ndarray of int16, shape (n_samples,), or BlockRecording
        What the microphone will hear from time 0 on.
    sample_rate : int
        Hz, of the recording and so of the microphone.
    buffer_length : int
        Samples that wait for `read` at most.
    pcm : {"float", "int16"}
        The encoding the app asked for.

    Attributes
    ----------
    lost_samples : int
        How many arrived while the buffer was full.
    """

    def __init__(
        self, recording: npt.ArrayLike | BlockRecording, sample_rate: int, buffer_length: int, pcm: str = "float"
    ) -> None:
        self._recording = as_blocks(recording, sample_rate)
        if sample_rate < 1 or buffer_length < 1:
            raise ValueError(f"sample_rate is {sample_rate}, buffer_length {buffer_length}; expected at least 1")
        encode(np.zeros(0, np.int16), pcm)
        self.sample_rate, self.buffer_length, self.pcm = sample_rate, buffer_length, pcm
        self.lost_samples = 0
        self._arrived = 0  # samples of the recording that have reached the buffer, or were lost

    def read(self, seconds: float) -> FloatArray | ShortArray:
        """Return everything that waits at this time, without blocking; maybe nothing.

        Raises
        ------
        ValueError
            A time before that of the last read.
        """
        arrived = arrived_samples(seconds, self.sample_rate, self._recording.size)
        if arrived < self._arrived:
            raise ValueError(f"time went back to {seconds} s; expected a read at or after the last one")
        stored = min(arrived, self._arrived + self.buffer_length)
        samples = self._recording.take(stored - self._arrived)
        self.lost_samples += self._recording.take(arrived - stored).size
        self._arrived = arrived
        return encode(samples, self.pcm)


class TensorAudio:
    """A ring buffer as long as the model's input: zeros at first, then always the newest samples.

    Attributes
    ----------
    num_loaded : int
        Samples that were ever loaded.
    """

    def __init__(self, window_length: int) -> None:
        if window_length < 1:
            raise ValueError(f"window_length is {window_length}; expected at least 1")
        self._ring = np.zeros(window_length, np.float32)
        self.num_loaded = 0
        self._next = 0  # where the next sample goes, and so where the oldest one lies

    @property
    def start(self) -> int:
        """Position in the stream at which `window()` begins; negative while zeros lie before the first sample."""
        return self.num_loaded - self._ring.size

    def load_float(self, samples: FloatArray) -> None:
        """Append float samples, shape (n,); of more than fit only the newest are kept."""
        self.num_loaded += samples.size
        newest = samples[-self._ring.size :]
        before_end = min(newest.size, self._ring.size - self._next)
        self._ring[self._next : self._next + before_end] = newest[:before_end]
        self._ring[: newest.size - before_end] = newest[before_end:]
        self._next = (self._next + newest.size) % self._ring.size

    def load_short(self, samples: ShortArray) -> None:
        """Append 16-bit samples, divided by 32767."""
        self.load_float(samples.astype(np.float32) / _SHORT_MAX)

    def load(self, samples: FloatArray | ShortArray) -> None:
        """Append what an AudioRecord returned, of either encoding."""
        if samples.dtype == np.int16:
            self.load_short(samples.astype(np.int16, copy=False))
        else:
            self.load_float(samples.astype(np.float32, copy=False))

    def window(self) -> FloatArray:
        """Return the samples, oldest first, float32, shape (window_length,)."""
        return np.concatenate([self._ring[self._next :], self._ring[: self._next]])


def encode(samples: ShortArray, pcm: str) -> FloatArray | ShortArray:
    """Return the microphone's samples in the encoding that the app asked for.

    Raises
    ------
    ValueError
        `pcm` is neither "float" nor "int16".
    """
    if pcm not in PCM_ENCODINGS:
        raise ValueError(f"pcm is {pcm!r}; expected one of {', '.join(PCM_ENCODINGS)}")
    return to_floats(samples) if pcm == "float" else samples


def arrived_samples(seconds: float, sample_rate: int, num_samples: int) -> int:
    """Return how many whole samples of a recording have arrived by a time."""
    # Rounded first: 0.3 s at 16 kHz is 4799.999999999999 in floating point.
    return min(num_samples, math.floor(round(seconds * sample_rate, 6)))


def check_recording(recording: npt.ArrayLike) -> ShortArray:
    """Return the recording after checking that it is what a microphone delivers.

    Raises
    ------
    ValueError
        Not int16, not one-dimensional, or empty.
    """
    shorts = np.asarray(recording)
    if shorts.dtype != np.int16 or shorts.ndim != 1 or shorts.size == 0:
        raise ValueError(
            f"the recording is {shorts.dtype} of shape {shorts.shape}; "
            "expected int16 samples, shape (n_samples,), at least one"
        )
    return shorts


def as_blocks(recording: npt.ArrayLike | BlockRecording, sample_rate: int | None) -> BlockRecording:
    """Return a recording to be read forward; an array is checked as `check_recording` does.

    Raises
    ------
    ValueError
        An array without its rate, or a rate that is not that of the `BlockRecording`.
    """
    if isinstance(recording, BlockRecording):
        if sample_rate not in (None, recording.sample_rate):
            raise ValueError(f"sample_rate is {sample_rate} Hz and the recording has {recording.sample_rate} Hz")
        return recording
    shorts = check_recording(recording)
    if sample_rate is None:
        raise ValueError("the sample rate of the recording is missing; expected Hz, such as sample_rate=44100")
    return BlockRecording([shorts], shorts.size, sample_rate)

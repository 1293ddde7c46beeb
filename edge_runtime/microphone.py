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

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
ShortArray = npt.NDArray[np.int16]
PCM_ENCODINGS = ("float", "int16")
_MICROPHONE_SCALE = np.float32(1 / 32768)
_SHORT_MAX = np.float32(32767)


def to_shorts(waveform: npt.ArrayLike) -> ShortArray:
    """Return a float waveform as the 16-bit integers a microphone would deliver: rounded, clipped.

    Samples that came from a 16-bit file come back unchanged.

    Raises
    ------
    ValueError
        NaN or infinity.
    """
    samples = np.asarray(waveform, np.float64)
    if not np.isfinite(samples).all():
        raise ValueError("the waveform holds NaN or infinity; expected numbers")
    return np.clip(np.rint(samples * 32768.0), -32768, 32767).astype(np.int16)


class AudioRecord:
    """The app's end of the microphone, fed from a recording as time goes by.

    Parameters
    ----------
    recording : ndarray of int16, shape (n_samples,)
        What the microphone will hear from time 0 on.
    sample_rate : int
        Hz.
    buffer_length : int
        Samples that wait for `read` at most.
    pcm : {"float", "int16"}
        The encoding the app asked for.

    Attributes
    ----------
    lost_samples : int
        How many arrived while the buffer was full.
    """

    def __init__(self, recording: npt.ArrayLike, sample_rate: int, buffer_length: int, pcm: str = "float") -> None:
        self._recording = check_recording(recording)
        if sample_rate < 1 or buffer_length < 1:
            raise ValueError(f"sample_rate is {sample_rate}, buffer_length {buffer_length}; expected at least 1")
        if pcm not in PCM_ENCODINGS:
            raise ValueError(f"pcm is {pcm!r}; expected one of {', '.join(PCM_ENCODINGS)}")
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
        samples = self._recording[self._arrived : stored]
        self.lost_samples += arrived - stored
        self._arrived = arrived
        return samples.astype(np.float32) * _MICROPHONE_SCALE if self.pcm == "float" else samples


class TensorAudio:
    """A ring buffer as long as the model's input: zeros at first, then always the newest samples."""

    def __init__(self, window_length: int) -> None:
        if window_length < 1:
            raise ValueError(f"window_length is {window_length}; expected at least 1")
        self._ring = np.zeros(window_length, np.float32)
        self._next = 0  # where the next sample goes, and so where the oldest one lies

    def load_float(self, samples: FloatArray) -> None:
        """Append float samples, shape (n,); of more than fit only the newest are kept."""
        newest = samples[-self._ring.size :]
        before_end = min(newest.size, self._ring.size - self._next)
        self._ring[self._next : self._next + before_end] = newest[:before_end]
        self._ring[: newest.size - before_end] = newest[before_end:]
        self._next = (self._next + newest.size) % self._ring.size

    def load_short(self, samples: ShortArray) -> None:
        """Append 16-bit samples, divided by 32767."""
        self.load_float(samples.astype(np.float32) / _SHORT_MAX)

    def window(self) -> FloatArray:
        """Return the samples, oldest first, float32, shape (window_length,)."""
        return np.concatenate([self._ring[self._next :], self._ring[: self._next]])


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

"""The phone, replayed from a recording: the app that classifies what TensorAudio holds, tick after tick.

How samples get there is in `edge_runtime.phone.audio_record`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.level import check_silence_limit
from edge_runtime.audio.sample_format import to_shorts
from edge_runtime.front_end.frame_cache import FrameCache
from edge_runtime.phone.audio_record import (
    AudioRecord,
    BlockRecording,
    TensorAudio,
    arrived_samples,
    as_blocks,
    check_recording,
)

if TYPE_CHECKING:
    from edge_runtime.model.classification import Decision
    from edge_runtime.model.classifier import Classifier

__all__ = [
    "AudioRecord",
    "PhoneHarness",
    "PhoneRun",
    "TensorAudio",
    "displayed",
    "offline_windows",
    "to_shorts",
]

FloatArray = npt.NDArray[np.float32]
TICK_SECONDS = 0.5
BUFFER_MULTIPLIER = 2  # model inputs that fit into the AudioRecord buffer
MINIMUM_DISPLAY_THRESHOLD = 1e-8  # the app shows categories above this score


class PhoneWindow(NamedTuple):
    """What the app's ring buffer held at one tick.

    Attributes
    ----------
    seconds : float
    samples : ndarray of float32, shape (window_length,)
    start : int
        Of all samples that were loaded the first that is here; negative where the buffer's own zeros come before.
    lost_samples : int
        Samples that the AudioRecord buffer could not hold, so far.
    """

    seconds: float
    samples: FloatArray
    start: int
    lost_samples: int


@dataclass(frozen=True)
class PhoneTick:
    """What the app showed at one tick.

    Attributes
    ----------
    seconds : float
    scores : ndarray of float32, shape (n_labels,)
        0 where the tick is silent: the model was not run.
    decision : str, tuple of str or None
        As for `edge_runtime.model.classifier.WindowResult`.
    window : ndarray of float32, shape (window_length,)
        The window that the model was given.
    lost_samples : int
        Samples that the AudioRecord buffer could not hold, so far.
    level_dbfs : float
        RMS of the samples that have arrived; the zeros before the first do not count.
    is_silent : bool
        Whether that is below the app's limit.
    """

    seconds: float
    scores: FloatArray
    decision: Decision | None
    window: FloatArray
    lost_samples: int
    level_dbfs: float
    is_silent: bool


@dataclass(frozen=True)
class PhoneRun:
    """What the app showed.

    Attributes
    ----------
    times_seconds : ndarray of float64, shape (n_ticks,)
    scores : ndarray of float32, shape (n_ticks, n_labels)
    decisions : tuple
        The classifier's decision at each tick.
    lost_samples : int
        Samples that the AudioRecord buffer could not hold.
    windows : ndarray of float32, shape (n_ticks, window_length), or None
        The windows that the model was given, where `keep_windows` is set.
    """

    times_seconds: npt.NDArray[np.float64]
    scores: FloatArray
    decisions: tuple[Decision | None, ...]
    lost_samples: int
    windows: FloatArray | None = None


@dataclass(frozen=True, kw_only=True)
class PhoneHarness:
    """The app: reads, classifies and shows, tick after tick.

    Attributes
    ----------
    classifier : Classifier
    tick_seconds : float
        From one classification to the next.
    pcm : {"float", "int16"}
        The path the samples take, see `AudioRecord`.
    max_late_seconds : float
        A tick comes late by up to this much, evenly drawn; later ticks are put off by it too, as
        `postDelayed` counts from the end of the work.
    silence_below_dbfs : float, optional
        Ticks below this level are not classified. The app that is imitated has no such limit.
    """

    classifier: Classifier
    tick_seconds: float = TICK_SECONDS
    pcm: str = "float"
    max_late_seconds: float = 0.0
    silence_below_dbfs: float | None = None

    def __post_init__(self) -> None:
        check_silence_limit(self.silence_below_dbfs)
        if not (self.tick_seconds > 0.0 and self.max_late_seconds >= 0.0):
            raise ValueError(
                f"tick_seconds is {self.tick_seconds}, max_late_seconds {self.max_late_seconds}; "
                "expected a positive tick and no negative delay"
            )

    def run(
        self,
        recording: npt.ArrayLike,
        sample_rate: int,
        generator: np.random.Generator | None = None,
        keep_windows: bool = False,
    ) -> PhoneRun:
        """Replay a recording until a tick has taken its last sample.

        Parameters
        ----------
        recording : array_like of int16, shape (n_samples,)
        sample_rate : int
            Hz of the recording; the microphone has the model's rate, so that another one is resampled to it.
        generator : numpy.random.Generator, optional
            Draws how late ticks are; needed with `max_late_seconds`.
        keep_windows : bool
            Whether to return the windows that the model was given.

        Raises
        ------
        ValueError
            A recording that is empty or not int16, or without a rate; delays without a generator.
        """
        ticks, windows = [], []
        for tick in self.ticks(recording, sample_rate, generator):
            windows.append(tick.window if keep_windows else None)
            ticks.append(replace(tick, window=np.zeros(0, np.float32)))
        return PhoneRun(
            times_seconds=np.array([tick.seconds for tick in ticks]),
            scores=np.stack([tick.scores for tick in ticks]),
            decisions=tuple(tick.decision for tick in ticks),
            lost_samples=ticks[-1].lost_samples,
            windows=np.stack([window for window in windows if window is not None]) if keep_windows else None,
        )

    def ticks(
        self,
        recording: npt.ArrayLike | BlockRecording,
        sample_rate: int | None = None,
        generator: np.random.Generator | None = None,
        first: int = 0,
    ) -> Iterator[PhoneTick]:
        """Replay a recording tick by tick; one that comes in blocks may have any length. See `run`.

        A `BlockRecording` knows its rate; with an array `sample_rate` is needed.
        Ticks before number `first` read what has arrived, but it is not classified.
        """
        frames, limit = FrameCache(self.classifier.spec), self.silence_below_dbfs
        for window in self.windows(recording, sample_rate, generator, first):
            heard = self.classifier.hear(window.samples, window.start, frames=frames, silence_below_dbfs=limit)
            yield PhoneTick(window.seconds, *heard[:2], window.samples, window.lost_samples, *heard[2:])

    def windows(
        self,
        recording: npt.ArrayLike | BlockRecording,
        sample_rate: int | None = None,
        generator: np.random.Generator | None = None,
        first: int = 0,
    ) -> Iterator[PhoneWindow]:
        """Replay a recording as `ticks` does, up to where the model would be asked."""
        spec = self.classifier.spec
        blocks = as_blocks(recording, sample_rate).at_rate(spec.sample_rate)
        record = AudioRecord(blocks, spec.sample_rate, BUFFER_MULTIPLIER * spec.window_length, self.pcm)
        audio = TensorAudio(spec.window_length)
        for number, seconds in enumerate(self._tick_times(blocks.size / spec.sample_rate, generator)):
            audio.load(record.read(seconds))
            if number < first:
                continue
            yield PhoneWindow(seconds, audio.window(), audio.start, record.lost_samples)

    def _tick_times(self, duration: float, generator: np.random.Generator | None) -> Iterator[float]:
        """Yield the times of the ticks: 0, and on until the recording is over."""
        if self.max_late_seconds == 0.0:
            num_ticks = math.ceil(round(duration / self.tick_seconds, 9)) + 1
            yield from (tick * self.tick_seconds for tick in range(num_ticks))
            return
        if generator is None:
            raise ValueError("max_late_seconds is set without a generator; expected numpy.random.default_rng(seed)")
        seconds = generator.uniform(0.0, self.max_late_seconds)
        yield seconds
        while seconds < duration:
            seconds += self.tick_seconds + generator.uniform(0.0, self.max_late_seconds)
            yield seconds


def offline_windows(
    recording: npt.ArrayLike,
    times_seconds: npt.ArrayLike,
    sample_rate: int,
    window_length: int,
    pcm: str = "float",
) -> FloatArray:
    """Return the windows that end at these times, cut from the whole recording: no stream, no ring buffer.

    Before the recording lie zeros. Written apart from the harness, so that each checks the other.

    Returns
    -------
    ndarray of float32, shape (n_times, window_length)
    """
    shorts = check_recording(recording)
    # A quotient of two float32 numbers taken in float64 and rounded once more is the float32 quotient.
    waveform = (shorts / (32768.0 if pcm == "float" else 32767.0)).astype(np.float32)
    padded = np.concatenate([np.zeros(window_length, np.float32), waveform])
    ends = [arrived_samples(time, sample_rate, shorts.size) for time in np.asarray(times_seconds, np.float64).tolist()]
    return np.stack([padded[end : end + window_length] for end in ends])


def displayed(scores: npt.ArrayLike, labels: tuple[str, ...]) -> list[tuple[str, float]]:
    """Return what the app shows: labels with a score above 1e-8, the highest first, equal ones in their order."""
    pairs = zip(labels, np.asarray(scores, np.float32).tolist(), strict=True)
    return sorted((pair for pair in pairs if pair[1] > MINIMUM_DISPLAY_THRESHOLD), key=lambda pair: -pair[1])

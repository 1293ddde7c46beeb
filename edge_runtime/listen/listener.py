"""The app that listens for days: the phone's ring buffer, a decision every tick, and events with beginning and end.

Notes
-----
The samples go the phone's way (`edge_runtime.phone.audio_record`): 16-bit integers, into float as AudioRecord or as
TensorAudio does it, into a ring buffer as long as the model's input, zeros at first, classified every tick.
So the scores are those of `PhoneHarness`, whose ticks at 0 s, 0.5 s and so on are number 0, 1 and so on here;
number 0, which hears nothing yet, is left out.

The ring buffer's own zeros are no silence: ticks at which they fill half of the window or more are scored, but count
for no event, unless the stream ends before there are others.

An event's times are those of the sound, not of the tick that told of it. A sound that begins at time s fills
half of the window whose middle is s. So a change between two ticks is set midway between the middles of their
windows, and earlier by the delay of the smoothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.level import check_silence_limit
from edge_runtime.audio.sample_format import ShortArray
from edge_runtime.front_end.frame_cache import FrameCache
from edge_runtime.listen.event_detector import EventDetector, EventRules, TickEvent
from edge_runtime.listen.event_files import Event
from edge_runtime.listen.smoothing import make_smoother
from edge_runtime.model.classifier import Classifier
from edge_runtime.phone.audio_record import TensorAudio, encode
from edge_runtime.phone.harness import TICK_SECONDS
from metadata.spec import ModelSpec

FloatArray = npt.NDArray[np.float32]
OFF_SHARE = 0.8  # of the on threshold, where no off threshold is given


@dataclass(frozen=True, kw_only=True)
class ListenSettings:
    """How to listen.

    Attributes
    ----------
    tick_seconds : float
        From one decision to the next; rounded to whole samples.
    pcm : {"float", "int16"}
        The samples' way, see `edge_runtime.phone.audio_record`.
    smoothing : {"mean", "exponential"}
    smooth_seconds : float
        Length of the mean, or time constant of the exponential one; 0 for none.
    min_duration_seconds : float
        Shorter events do not count.
    min_gap_seconds : float
        Events of one label nearer to each other than this are one.
    silence_below_dbfs : float, optional
        Ticks whose window is below this level are not classified: every label has a score of 0 there, one that is
        called silence too.

    Raises
    ------
    ValueError
        A tick that is not positive, a negative time, or a level above 0.
    """

    tick_seconds: float = TICK_SECONDS
    pcm: str = "float"
    smoothing: str = "mean"
    smooth_seconds: float = 1.5
    min_duration_seconds: float = 1.0
    min_gap_seconds: float = 1.0
    silence_below_dbfs: float | None = None

    def __post_init__(self) -> None:
        check_silence_limit(self.silence_below_dbfs)
        if not 0.0 < self.tick_seconds < math.inf:
            raise ValueError(f"the tick is {self.tick_seconds} s; expected a positive time")
        for name in ("min_duration_seconds", "min_gap_seconds"):
            if not 0.0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} is {getattr(self, name)}; expected 0 or more")
        encode(np.zeros(0, np.int16), self.pcm)
        make_smoother(self.smoothing, self.smooth_seconds, self.tick_seconds)

    def rules(self, on: tuple[float, ...], off: tuple[float, ...], spec: ModelSpec) -> EventRules:
        """Return the rules for events of a model, in ticks."""
        return EventRules(
            on=on,
            off=off,
            is_exclusive=spec.activation == "softmax",
            min_ticks=_ticks(self.min_duration_seconds, self.tick_seconds),
            gap_ticks=_ticks(self.min_gap_seconds, self.tick_seconds),
        )


@dataclass(frozen=True)
class Tick:
    """One decision.

    Attributes
    ----------
    number : int
        From 1 on.
    seconds : float
        Of the stream that were heard.
    scores : ndarray of float32, shape (n_labels,)
        Of the window alone; 0 where it is silent.
    smoothed : ndarray of float64, shape (n_labels,)
        At the beginning, where ticks do not count yet, the scores.
    active : tuple of str
        Labels whose event is open.
    events : tuple of Event
        That are over.
    """

    number: int
    seconds: float
    scores: FloatArray
    smoothed: npt.NDArray[np.float64]
    active: tuple[str, ...]
    events: tuple[Event, ...]


class Listener:
    """Hears a stream of any length in constant memory.

    Parameters
    ----------
    classifier : Classifier
    settings : ListenSettings
    on, off : tuple of float, optional
        Thresholds, one a label; by default those of the spec, and four fifths of `on`.
    keep : callable, optional
        Is given window, scores and seconds of each tick that counts and is not silent.

    Attributes
    ----------
    num_ticks, num_silent, num_samples : int
        So far; silent ticks are among the ticks.
    on : tuple of float
        From which score an event begins, one a label.
    highest : ndarray of float64, shape (n_labels,)
        Smoothed scores so far, of the ticks that count.
    frames : FrameCache
        Counts how many front-end frames were computed and how many reused.

    Raises
    ------
    ValueError
        A tick below one sample, and what `ListenSettings` and `EventRules` refuse.
    """

    def __init__(
        self,
        classifier: Classifier,
        settings: ListenSettings | None = None,
        on: tuple[float, ...] | None = None,
        off: tuple[float, ...] | None = None,
        keep: Callable[[FloatArray, FloatArray, float], None] | None = None,
    ) -> None:
        self._keep = keep
        self.classifier, self.settings = classifier, settings or ListenSettings()
        spec = classifier.spec
        self.tick_samples = round(self.settings.tick_seconds * spec.sample_rate)
        if self.tick_samples < 1:
            raise ValueError(f"the tick is {self.settings.tick_seconds} s; expected at least one sample")
        self.on = on = spec.thresholds if on is None else on
        off = tuple(OFF_SHARE * threshold for threshold in on) if off is None else off
        self.highest = np.zeros(len(spec.labels))
        self.frames = FrameCache(spec)
        self.num_ticks = self.num_silent = self.num_samples = 0
        self._early: list[FloatArray] = []  # scores of the ticks that do not count
        self._audio = TensorAudio(spec.window_length)
        self._smoother = make_smoother(self.settings.smoothing, self.settings.smooth_seconds, self._tick_seconds)
        self._detector = EventDetector(self.settings.rules(on, off, spec))

    @property
    def _tick_seconds(self) -> float:
        """The tick in whole samples."""
        return self.tick_samples / self.classifier.spec.sample_rate

    def push(self, shorts: ShortArray, sample_rate: int) -> list[Tick]:
        """Take the next samples, int16; return the ticks that fell due.

        Raises
        ------
        ValueError
            `sample_rate`, in Hz, is not the model's: a stream is resampled by a `Resampler` of the caller's own.
        """
        if sample_rate != self.classifier.spec.sample_rate:
            raise ValueError(
                f"the samples have {sample_rate} Hz; {self.classifier.spec.name} takes "
                f"{self.classifier.spec.sample_rate} Hz: bring them there with edge_runtime.Resampler"
            )
        ticks = []
        while shorts.size:
            due = self.tick_samples - self.num_samples % self.tick_samples
            self._load(shorts[:due])
            shorts = shorts[due:]
            if self.num_samples % self.tick_samples == 0:
                ticks.append(self._tick())
        return ticks

    def finish(self) -> tuple[list[Tick], list[Event]]:
        """End the stream; return the tick for what is left, if anything is, and the events still open."""
        ticks = [self._tick()] if self.num_samples % self.tick_samples else []
        events = []
        if self.num_ticks == len(self._early):  # a stream this short has nothing better
            early, self._early = self._early, []
            events = [event for scores in early for event in self._count(scores)[1]]
        still_open = set(self._detector.active)
        ended = [self._event(event, event.label in still_open) for event in self._detector.finish()]
        return ticks, [*events, *filter(self._is_long, ended)]

    def _load(self, shorts: ShortArray) -> None:
        """Put samples into the ring buffer."""
        self._audio.load(encode(shorts, self.settings.pcm))
        self.num_samples += shorts.size

    def _tick(self) -> Tick:
        """Classify what the ring buffer holds."""
        spec = self.classifier.spec
        silent_before = self.num_silent
        scores = self._scores()
        self.num_ticks += 1
        seconds = self.num_samples / spec.sample_rate
        if 2 * self.num_samples <= spec.window_length:
            self._early.append(scores)
            return Tick(self.num_ticks, seconds, scores, np.asarray(scores, np.float64), (), ())
        if self._keep is not None and self.num_silent == silent_before:
            self._keep(self._audio.window(), scores, seconds)
        smoothed, events = self._count(scores)
        active = tuple(spec.labels[label] for label in self._detector.active)
        return Tick(self.num_ticks, seconds, scores, smoothed, active, events)

    def _count(self, scores: FloatArray) -> tuple[npt.NDArray[np.float64], tuple[Event, ...]]:
        """Smooth the scores of a tick and let it count; return both the smoothed ones and the events that are over."""
        smoothed = self._smoother.push(scores)
        self.highest = np.maximum(self.highest, smoothed)
        events = map(self._event, self._detector.push(smoothed))
        return smoothed, tuple(filter(self._is_long, events))

    def _scores(self) -> FloatArray:
        """Return the scores of what the ring buffer holds, 0 where it is silent."""
        limit = self.settings.silence_below_dbfs
        window, start = self._audio.window(), self._audio.start
        heard = self.classifier.hear(window, start, frames=self.frames, silence_below_dbfs=limit)
        self.num_silent += heard.is_silent
        return heard.scores

    def _event(self, event: TickEvent, is_open: bool = False) -> Event:
        """Return an event in seconds; one that is open when the stream ends goes on until then."""
        heard = self.num_samples / self.classifier.spec.sample_rate
        return Event(
            label=self.classifier.spec.labels[event.label],
            start_seconds=self._boundary_seconds(event.first - 1) if event.first > 1 else 0.0,
            end_seconds=heard if is_open else min(heard, self._boundary_seconds(event.last)),
            peak_score=event.peak,
            mean_score=event.mean,
        )

    def _boundary_seconds(self, counted: int) -> float:
        """Return the time in the sound of a change that fell between a tick that counts and the next one."""
        # At the beginning fewer ticks are smoothed over, and less of the window has been heard.
        delay = min(self._smoother.delay_ticks, (counted - 0.5) / 2)
        ended = (len(self._early) + counted + 0.5 - delay) * self._tick_seconds
        return max(ended - self.classifier.spec.window_seconds / 2, ended / 2)

    def _is_long(self, event: Event) -> bool:
        """Whether an event counts: at the beginning ticks stand for less time than between two of them."""
        least = self.settings.min_duration_seconds - 0.5 / self.classifier.spec.sample_rate
        return event.end_seconds - event.start_seconds >= least


def _ticks(seconds: float, tick_seconds: float) -> int:
    """Return the fewest ticks that last so long."""
    return math.ceil(round(seconds / tick_seconds, 9))

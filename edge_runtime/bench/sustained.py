"""Minutes of classifying at the phone's pace: does the machine keep up once it is warm?"""

from __future__ import annotations

import itertools
import math
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy.typing as npt

from edge_runtime.audio.sample_format import ShortArray
from edge_runtime.bench.latency import LatencySummary, summarize
from edge_runtime.machine.state import read_machine_state
from edge_runtime.model.classifier import Classifier
from edge_runtime.phone.audio_record import AudioRecord, BlockRecording, TensorAudio, as_blocks, check_recording
from edge_runtime.phone.harness import BUFFER_MULTIPLIER, TICK_SECONDS

_STATE_SECONDS = 10.0  # between two looks at temperature and clock
_STATE_SLACK_SECONDS = 0.1  # that must be left before the next tick, as asking a Raspberry Pi's firmware takes a while


class Clock(Protocol):
    """What tells the time and waits; tests bring their own."""

    def now(self) -> float:
        """Return seconds since some fixed moment."""

    def sleep_until(self, seconds: float) -> None:
        """Return when `now()` has reached this time."""


class SystemClock:
    """The machine's own clock, which nobody sets back."""

    def now(self) -> float:
        """Return seconds since some fixed moment."""
        return time.perf_counter()

    def sleep_until(self, seconds: float) -> None:
        """Return when `now()` has reached this time."""
        while (left := seconds - self.now()) > 0.0:
            time.sleep(left)


def endless_microphone(recording: ShortArray, sample_rate: int, buffer_length: int) -> AudioRecord:
    """Return a microphone that repeats a recording, int16 of shape (n_samples,) at `sample_rate` Hz, without end."""
    endless = BlockRecording(itertools.repeat(check_recording(recording)), sys.maxsize, sample_rate)
    return AudioRecord(endless, sample_rate, buffer_length)


@dataclass(frozen=True, kw_only=True)
class SustainedRun:
    """What minutes at the phone's pace gave.

    Attributes
    ----------
    tick_seconds, seconds : float
        From tick to tick, and of the whole run.
    num_ticks : int
        That were due.
    missed_ticks : int
        Without a label before the next one was due: those that came late and those that were skipped for it.
    skipped_ticks : int
        That never ran, because the machine was still busy when the next one was due.
    lost_samples : int
        That the microphone's buffer could not hold.
    end_to_end : LatencySummary
        From the tick's beginning, with reading the microphone, to the label.
    start_delay : LatencySummary
        How long after it was due a tick began.
    tick_times_seconds : tuple of float
        When each tick that ran was due.
    states : tuple of dict
        `seconds`, and the machine's state then, every ten seconds.
    """

    tick_seconds: float
    seconds: float
    num_ticks: int
    missed_ticks: int
    skipped_ticks: int
    lost_samples: int
    end_to_end: LatencySummary
    start_delay: LatencySummary
    tick_times_seconds: tuple[float, ...]
    states: tuple[dict[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures for JSON."""
        return asdict(self)


def run_sustained(
    classifier: Classifier,
    recording: npt.ArrayLike,
    sample_rate: int,
    seconds: float,
    *,
    tick_seconds: float = TICK_SECONDS,
    clock: Clock | None = None,
    read_state: Callable[[], dict[str, Any]] = read_machine_state,
) -> SustainedRun:
    """Classify what a microphone's ring buffer holds, tick after tick, in real time.

    Parameters
    ----------
    classifier : Classifier
    recording : array_like of int16, shape (n_samples,)
        It is played over and over.
    sample_rate : int
        Hz of the recording; another than the model's is resampled to it.
    seconds : float
        How long, at least one tick.
    tick_seconds : float
        From tick to tick; the app's are 0.5 s. Ticks are due at its multiples: a late one does not put off the others.
    clock : Clock, optional
        By default the machine's.
    read_state : callable
        Returns the machine's state, as `read_machine_state`.

    Raises
    ------
    ValueError
        A time or tick that is not positive, or a recording that a microphone would not deliver.
    """
    if not (0.0 < tick_seconds <= seconds < math.inf):
        raise ValueError(f"the run lasts {seconds} s with ticks of {tick_seconds} s; expected at least one tick")
    blocks = as_blocks(recording, sample_rate).at_rate(classifier.spec.sample_rate)
    runner = _Runner(classifier, blocks.take(blocks.size), tick_seconds, clock or SystemClock(), read_state)
    num_ticks = math.floor(round(seconds / tick_seconds, 9))
    tick = 1
    while tick <= num_ticks:
        tick = runner.run_tick(tick)
    runner.skipped -= tick - num_ticks - 1  # of those that were passed over, some lie behind the end
    return SustainedRun(
        tick_seconds=tick_seconds,
        seconds=seconds,
        num_ticks=num_ticks,
        missed_ticks=runner.late + runner.skipped,
        skipped_ticks=runner.skipped,
        lost_samples=runner.microphone.lost_samples,
        end_to_end=summarize(runner.latencies_ms),
        start_delay=summarize(runner.delays_ms),
        tick_times_seconds=tuple(runner.due_seconds),
        states=tuple(runner.states),
    )


class _Runner:
    """The app: one tick after the other, and what they took."""

    def __init__(
        self,
        classifier: Classifier,
        recording: ShortArray,
        tick_seconds: float,
        clock: Clock,
        read_state: Callable[[], dict[str, Any]],
    ) -> None:
        spec = classifier.spec
        self.classifier, self.tick_seconds, self.clock, self.read_state = classifier, tick_seconds, clock, read_state
        self.microphone = endless_microphone(recording, spec.sample_rate, BUFFER_MULTIPLIER * spec.window_length)
        self.audio = TensorAudio(spec.window_length)
        self.latencies_ms: list[float] = []
        self.delays_ms: list[float] = []
        self.due_seconds: list[float] = []
        self.states: list[dict[str, Any]] = []
        self.late = self.skipped = 0
        self.start = clock.now()

    def run_tick(self, tick: int) -> int:
        """Wait for a tick and classify; return the number of the next one that can begin in time."""
        due = tick * self.tick_seconds
        self.clock.sleep_until(self.start + due)
        begin = self._seconds()
        self.audio.load(self.microphone.read(begin))
        self.classifier.decide(self.classifier.scores(self.audio.window()))
        end = self._seconds()
        self.due_seconds.append(due)
        self.delays_ms.append(max(0.0, begin - due) * 1000)
        self.latencies_ms.append((end - begin) * 1000)
        newest_due = math.floor(end / self.tick_seconds)
        self.late += newest_due > tick
        self._note_state(due + self.tick_seconds - end)
        following = max(tick + 1, newest_due)
        self.skipped += following - tick - 1
        return following

    def _note_state(self, seconds_left: float) -> None:
        """Look at the machine from time to time, when there is time for it."""
        now = self._seconds()
        is_due = not self.states or round(now - self.states[-1]["seconds"], 6) >= _STATE_SECONDS
        if is_due and seconds_left >= _STATE_SLACK_SECONDS:
            self.states.append({"seconds": now, **self.read_state()})

    def _seconds(self) -> float:
        """Return the seconds since the run began."""
        return self.clock.now() - self.start

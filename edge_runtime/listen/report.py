"""What `earproof listen` puts out: events to stdout and files, a live line and notes to people."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from edge_runtime.audio.sound_frames import SoundFrames
from edge_runtime.listen.event_files import Event, EventFile, json_line
from edge_runtime.listen.listener import Listener, Tick
from metadata.plural import counted

_LIVE_SECONDS = 0.2  # between two changes of the live line
_TOP_SCORES = 3
_MOST_TOLD = 8  # labels, where there was no event


@dataclass
class ListenReport:
    """Where the ticks of a listener go.

    Attributes
    ----------
    listener : Listener
    files : list of EventFile
    labels : frozenset of str
        Whose events are reported.
    num_events : int
        So far.
    """

    listener: Listener
    files: list[EventFile]
    labels: frozenset[str]
    num_events: int = 0
    shown_at: float = field(default_factory=time.monotonic)

    def tick(self, tick: Tick) -> None:
        """Report one tick."""
        for event in tick.events:
            self._write(event)
        if sys.stderr.isatty() and time.monotonic() - self.shown_at >= _LIVE_SECONDS:
            self.shown_at = time.monotonic()
            print(f"\r\x1b[K{self._line(tick)}", end="", file=sys.stderr, flush=True)

    def end(self, source: Any) -> None:
        """Close what is open, and say what there was."""
        listener = self.listener
        ticks, events = listener.finish()
        for tick in ticks:
            self.tick(tick)
        for event in events:
            self._write(event)
        self._clear()
        self.note_remarks(source, ended=True)
        seconds = listener.num_samples / listener.classifier.spec.sample_rate
        print(
            f"{seconds:.2f} s heard, {counted(listener.num_ticks, 'tick')}, {counted(self.num_events, 'event')}",
            file=sys.stderr,
        )
        if listener.num_ticks and not self.num_events:
            print(self._why_no_event(), file=sys.stderr)
        if listener.num_silent:
            print(
                f"{counted(listener.num_silent, 'tick was', 'ticks were')} silent and not classified", file=sys.stderr
            )
        frames = listener.frames
        if frames.reused_frames:
            share = frames.reused_frames / (frames.reused_frames + frames.computed_frames)
            print(f"{share:.0%} of the front end's frames were reused from the tick before", file=sys.stderr)
        for name, what in (
            ("overflows", ("time the sound card lost samples", "times the sound card lost samples")),
            ("lost_samples", ("sample came too fast", "samples came too fast")),
        ):
            if count := getattr(source, name, 0):
                print(f"{counted(count, *what)}: this machine was too busy", file=sys.stderr)

    def note_remarks(self, source: Any, ended: bool) -> None:
        """Print the notes on the channels and the level of a source as soon as they are known."""
        if isinstance(source, SoundFrames):
            name, remarks = str(source.path), source.remarks(as_shorts=True) if ended else []
        else:
            name, remarks = source.name, source.remarks(ended)
        for remark in remarks:
            self._clear()
            print(f"{name}: {remark}", file=sys.stderr)

    def _why_no_event(self) -> str:
        """Say how near each label came to its threshold."""
        listener = self.listener
        rows = zip(listener.classifier.spec.labels, listener.highest.tolist(), listener.on, strict=True)
        found = sorted((row for row in rows if row[0] in self.labels), key=lambda row: row[2] - row[1])
        told = ", ".join(f"{label} {highest:.3f} of {on:.3g}" for label, highest, on in found[:_MOST_TOLD])
        more = f" and {counted(len(found) - _MOST_TOLD, 'label')} further below" if len(found) > _MOST_TOLD else ""
        # In float32, as the detector compares.
        reached = [label for label, highest, on in found if np.float32(highest) >= np.float32(on)]
        if not reached:
            return f"no score reached its threshold (--on); the highest: {told}{more}"
        needed = f"{listener.settings.min_duration_seconds:g} s (--min-duration)"
        if listener.classifier.spec.activation == "softmax":
            needed += " as the highest score"
        return f"{', '.join(reached)} reached the threshold (--on); an event needs {needed} too. Highest: {told}{more}"

    def _write(self, event: Event) -> None:
        """Put an event out everywhere."""
        if event.label not in self.labels:
            return
        self.num_events += 1
        self._clear()
        sys.stdout.write(json_line(event))
        sys.stdout.flush()
        for file in self.files:
            file.write(event)

    def _line(self, tick: Tick) -> str:
        """Return the live line: the time, the highest scores, and the labels that are on."""
        labels = self.listener.classifier.spec.labels
        best = np.argsort(-tick.smoothed, kind="stable")[:_TOP_SCORES]
        scores = "  ".join(f"{labels[index]} {tick.smoothed[index]:.2f}" for index in best)
        return f"{tick.seconds:8.1f} s  {scores}  [{' '.join(tick.active)}]"

    def _clear(self) -> None:
        """Remove the live line, so that what follows stands alone."""
        if sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

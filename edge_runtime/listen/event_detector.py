"""Events in a stream of scores: hysteresis, minimum duration and minimum gap, tick by tick.

Ticks are counted from 1. Nothing here knows seconds; `edge_runtime.listen.listener` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from metadata.plural import counted


@dataclass(frozen=True, kw_only=True)
class EventRules:
    """When a label's event begins, ends, and counts.

    Attributes
    ----------
    on, off : tuple of float
        One a label, in [0, 1]: the score from which an event begins, and the one below which it ends.
    is_exclusive : bool
        Only the label with the highest score can begin an event, which ends that of another: softmax.
        Otherwise each label is on its own, and events overlap: sigmoid.
    min_ticks : int
        Events of fewer ticks do not count.
    gap_ticks : int
        Events of one label with fewer ticks between them are one event.

    Raises
    ------
    ValueError
        Another number of `off` than `on`, a threshold outside [0, 1], `off` above `on`, or negative ticks.
    """

    on: tuple[float, ...]
    off: tuple[float, ...]
    is_exclusive: bool
    min_ticks: int = 1
    gap_ticks: int = 1

    def __post_init__(self) -> None:
        if len(self.on) != len(self.off) or not self.on:
            raise ValueError(
                f"there are {len(self.on)} on and {counted(len(self.off), 'off threshold')}; expected one a label"
            )
        for on, off in zip(self.on, self.off, strict=True):
            if not 0.0 <= off <= on <= 1.0:
                raise ValueError(f"thresholds are on {on}, off {off}; expected 0 <= off <= on <= 1")
        if self.min_ticks < 0 or self.gap_ticks < 0:
            raise ValueError(f"min_ticks is {self.min_ticks}, gap_ticks {self.gap_ticks}; expected 0 or more")


@dataclass
class TickEvent:
    """One event in ticks: of which label, from which tick to which, and what its scores were.

    Attributes
    ----------
    label : int
    first, last : int
        Ticks at which the label was on.
    num_ticks : int
        At how many of them; fewer than from first to last where a gap was closed.
    peak, total : float
        Highest score at those ticks, and their sum.
    """

    label: int
    first: int
    last: int
    num_ticks: int
    peak: float
    total: float

    @property
    def mean(self) -> float:
        """Mean score over the ticks at which the label was on."""
        return self.total / self.num_ticks


class EventDetector:
    """Turns the scores of ticks into events, in constant memory.

    An event is given out once no later tick can change it: after its gap, or when the stream ends.
    """

    def __init__(self, rules: EventRules) -> None:
        self.rules = rules
        self.num_ticks = 0
        # In float32, as a model's scores are: one of 0.7 shall reach a threshold of 0.7.
        self._on, self._off = np.asarray(rules.on, np.float32), np.asarray(rules.off, np.float32)
        self._open: dict[int, TickEvent] = {}  # on at the last tick
        self._waiting: dict[int, TickEvent] = {}  # ended, but maybe only a gap

    @property
    def active(self) -> tuple[int, ...]:
        """The labels that are on, in their order."""
        return tuple(sorted(self._open))

    def push(self, scores: npt.ArrayLike) -> list[TickEvent]:
        """Take the scores of the next tick, shape (n_labels,); return the events that are over.

        Raises
        ------
        ValueError
            Another number of scores than thresholds, or NaN.
        """
        values = np.asarray(scores, np.float32)
        if values.shape != self._on.shape or np.isnan(values).any():
            raise ValueError(f"scores are {values.tolist()}; expected {counted(self._on.size, 'number')}, one a label")
        self.num_ticks += 1
        active = self._labels_on(values)
        for label in self.active:
            if label not in active:
                self._waiting[label] = self._open.pop(label)
        for label in active:
            self._extend(label, float(values[label]))
        return self._count(self._over())

    def finish(self) -> list[TickEvent]:
        """End the stream; return the events that were still open or waiting."""
        ended = [*self._waiting.values(), *self._open.values()]
        self._waiting, self._open = {}, {}
        return self._count(ended)

    def _labels_on(self, values: npt.NDArray[np.float32]) -> Sequence[int]:
        """Return the labels that are on at this tick."""
        stays = [label for label in self.active if values[label] >= self._off[label]]
        if self.rules.is_exclusive:
            best = int(values.argmax())
            return [best] if values[best] >= self._on[best] else stays
        return sorted({*stays, *np.flatnonzero(values >= self._on).tolist()})

    def _extend(self, label: int, score: float) -> None:
        """Go on with a label's event, or with the one that waits, or begin one."""
        event = self._open.get(label) or self._waiting.pop(label, None)
        if event is None:
            self._open[label] = TickEvent(label, self.num_ticks, self.num_ticks, 1, score, score)
            return
        if self.rules.is_exclusive and event.last < self.num_ticks - 1:
            # What lay in the gap was too short to end this event; it shall not overlap with it either.
            self._waiting = {key: other for key, other in self._waiting.items() if other.first < event.first}
        event.last, event.num_ticks = self.num_ticks, event.num_ticks + 1
        event.peak, event.total = max(event.peak, score), event.total + score
        self._open[label] = event

    def _over(self) -> list[TickEvent]:
        """Take those waiting events that can no longer go on."""
        displaced = self.rules.is_exclusive and any(self._is_long(event) for event in self._open.values())
        over = [
            event
            for event in self._waiting.values()
            if displaced or self.num_ticks - event.last >= self.rules.gap_ticks
        ]
        for event in over:
            del self._waiting[event.label]
        return over

    def _count(self, ended: list[TickEvent]) -> list[TickEvent]:
        """Return the events that are long enough, in the order of their beginning."""
        return sorted((event for event in ended if self._is_long(event)), key=lambda event: (event.first, event.label))

    def _is_long(self, event: TickEvent) -> bool:
        """Whether an event counts."""
        return event.last - event.first + 1 >= self.rules.min_ticks

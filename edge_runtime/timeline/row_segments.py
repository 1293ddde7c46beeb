"""The segments that rows of seconds make together, and how long each label sounds."""

from __future__ import annotations

from typing import Any

from edge_runtime.segments.segment import Segment

Row = dict[str, Any]


class RowSegments:
    """Joins seconds of one label to segments; its memory grows with the number of borders alone.

    Parameters
    ----------
    labels : tuple of str
        That may come, in the order in which their totals are told.
    """

    def __init__(self, labels: tuple[str, ...]) -> None:
        self._labels = labels
        self.reset()

    def reset(self) -> None:
        """Begin with another recording."""
        self.num_seconds = self.num_silent = 0
        self._open: dict[str, tuple[float, list[float]]] = {}
        self._done: list[Segment] = []
        self._end = 0.0

    def take(self, row: Row) -> None:
        """Count a row in."""
        self.num_seconds += 1
        self.num_silent += row["silent"]
        start, borders = row["start_seconds"], row["borders"]
        earliest = 0.0
        for label in [label for label in self._open if label not in row["decision"]]:
            offset = borders.get(label, start)
            if offset <= self._open[label][0]:  # two borders met: the second one is where the first one is
                earliest = max(earliest, self._open[label][0])
            self._close(label, offset)
        for label in row["decision"]:
            onset = max(borders.get(label, start), earliest)
            _, scores = self._open.setdefault(label, (onset, [0.0, 0.0]))
            if not row["silent"]:
                scores[0] += row["scores"][label]
                scores[1] += 1
        self._end = row["end_seconds"]

    def segments(self) -> list[Segment]:
        """Return the segments so far by their onsets, those that are open ended with the last second."""
        still = [one for label in self._open if (one := self._segment(label, self._end))]
        return sorted([*self._done, *still], key=lambda one: (one.onset, one.offset, one.label))

    def totals(self) -> dict[str, float]:
        """Return the seconds of each label."""
        totals = dict.fromkeys(self._labels, 0.0)
        for segment in self.segments():
            totals[segment.label] += segment.duration
        return totals

    def _close(self, label: str, offset: float) -> None:
        """End a segment."""
        if segment := self._segment(label, offset):
            self._done.append(segment)
        del self._open[label]

    def _segment(self, label: str, offset: float) -> Segment | None:
        """Return an open segment up to here; None where refined borders left nothing of it."""
        onset, (total, count) = self._open[label]
        if offset <= onset:
            return None
        # A mean of scores that rounding put past 1 is 1.
        return Segment(onset=onset, offset=offset, label=label, score=min(total / count, 1.0) if count else None)

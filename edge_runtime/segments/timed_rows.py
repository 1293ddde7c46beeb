"""What the forms of segments have in common once their columns are found: a recording, two times and a label a row."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from edge_runtime.segments.segment import Segment
from metadata.labels import check_labels
from metadata.nearest_name import did_you_mean

_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")


@dataclass(frozen=True)
class TimedRow:
    """One row as it stands in a file, its cells still text."""

    place: str  # where the file has it: its line
    text: str  # the line, to be quoted
    recording: str
    onset: str
    offset: str
    label: str
    score: str = ""

    def segment(self, labels: Sequence[str] | None = None) -> Segment | None:
        """Return the segment of the row; None where the row says that its recording has none.

        Raises
        ------
        ValueError
            What is wrong with the row, the line quoted.
        """
        if self.recording and not any(map(str.strip, (self.onset, self.offset, self.label))):
            return None
        try:
            return self._segment(labels)
        except ValueError as error:
            raise ValueError(f"{self.place}, {self.text.strip()[:160]!r}: {error}") from None

    def _segment(self, labels: Sequence[str] | None) -> Segment:
        """The segment of a row that should have one."""
        if not self.recording.strip():
            raise ValueError("no name of a recording")
        onset, offset = _number(self.onset, "the onset"), _number(self.offset, "the offset")
        if not 0.0 <= onset < offset:
            raise ValueError(f"from {onset:g} to {offset:g}; expected 0 <= onset < offset")
        label = self.label.strip()
        if not label:
            raise ValueError("no label")
        check_labels([label])
        if labels is not None and label not in labels:
            known = did_you_mean(label, labels) or f"; the labels are {', '.join(labels)}"
            raise ValueError(f"unknown label {label!r}{known}")
        score = self.score.strip()
        return Segment(onset=onset, offset=offset, label=label, score=_number(score, "the score") if score else None)


def _number(text: str, what: str) -> float:
    """A cell as a finite number."""
    text = text.strip()
    if _DECIMAL_COMMA.fullmatch(text):
        raise ValueError(f"{what} {text!r} has a decimal comma; write {text.replace(',', '.')}")
    try:
        number = float(text)
    except ValueError:
        raise ValueError(
            f"{what} is {text!r}; expected a number of seconds" if text else f"{what} is missing"
        ) from None
    if not math.isfinite(number):
        raise ValueError(f"{what} is {text!r}; expected a finite number")
    return number

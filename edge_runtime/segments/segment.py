"""A labelled stretch of a recording."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, order=True)
class Segment:
    """A label from one time of a recording to another; sorted by onset, then offset, then label.

    Attributes
    ----------
    onset, offset : float
        Seconds from the beginning of the recording, the offset excluded.
    label : str
    score : float or None
        How sure a detector is, in [0, 1]; None for an annotation.

    Raises
    ------
    ValueError
        A time that is negative, not finite or not before the offset, an empty label, or a score outside 0 to 1.
    """

    onset: float
    offset: float
    label: str
    score: float | None = None

    def __post_init__(self) -> None:
        if not (0.0 <= self.onset < self.offset and math.isfinite(self.offset)):
            raise ValueError(f"a segment is from {self.onset} to {self.offset} s; expected 0 <= onset < offset")
        if not self.label:
            raise ValueError(f"the segment from {self.onset} to {self.offset} s has no label")
        if self.score is not None and not 0.0 <= self.score <= 1.0:
            raise ValueError(f"the score of a segment is {self.score}; expected 0 to 1")

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return self.offset - self.onset

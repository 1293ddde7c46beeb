"""How the scores of a recording become segments: thresholds of the model, and rules that the user chooses."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge_runtime.segments.score_grid import ScoreGrid, segments_of
from edge_runtime.segments.segment import Segment
from metadata.spec import ModelSpec


@dataclass(frozen=True, kw_only=True)
class Detecting:
    """Rules of a detector beside its thresholds.

    Attributes
    ----------
    hop_seconds : float, optional
        As for `score_rows`.
    median_frames, gap_seconds, min_seconds
        As for `segments_of`.

    Raises
    ------
    ValueError
        An even median, or a time below 0.
    """

    hop_seconds: float | None = None
    median_frames: int = 1
    gap_seconds: float = 0.0
    min_seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.median_frames < 1 or self.median_frames % 2 == 0:
            raise ValueError(f"--median-frames is {self.median_frames}; expected an odd number, 1 for none")
        for option, seconds in (("--gap", self.gap_seconds), ("--shortest", self.min_seconds)):
            if not 0.0 <= seconds < float("inf"):
                raise ValueError(f"{option} is {seconds}; expected seconds, 0 or more")

    def median_of(self, spec: ModelSpec) -> int:
        """Return the rows of which the median is taken: 1 for a model without frame scores, whose rows are windows."""
        return self.median_frames if spec.frames else 1

    def segments(self, spec: ModelSpec, grid: ScoreGrid, end_seconds: float) -> tuple[Segment, ...]:
        """Return what a model finds in a recording that ends after so many seconds.

        Where one label is told by window (softmax without frame scores), each row is for the label with the highest
        score; else each label counts from its threshold on.
        """
        thresholds: Sequence[float] = spec.frame_thresholds
        if spec.frames is None and spec.activation == "softmax":
            highest = grid.scores.argmax(axis=1)[:, None] == np.arange(len(spec.labels))
            grid = replace(grid, scores=np.where(highest, grid.scores, np.float32(-1.0)))
            thresholds = (0.0,) * len(spec.labels)
        found = segments_of(grid, thresholds, self.min_seconds, self.gap_seconds, self.median_of(spec))
        return tuple(within(found, end_seconds))


def within(segments: Iterable[Segment], end_seconds: float) -> list[Segment]:
    """Return segments as far as a recording goes: the last row of scores may end behind it."""
    return [replace(one, offset=min(one.offset, end_seconds)) for one in segments if one.onset < end_seconds]


def detecting_of(args: argparse.Namespace) -> Detecting:
    """Return the rules that the arguments of `edge_runtime.options.add_detecting_arguments` give.

    Raises
    ------
    ValueError
        As for `Detecting`.
    """
    given = {
        "hop_seconds": args.hop,
        "median_frames": args.median_frames,
        "gap_seconds": args.gap,
        "min_seconds": args.shortest,
    }
    return Detecting(**{name: value for name, value in given.items() if value is not None})


def no_frame_thresholds(spec: ModelSpec) -> str:
    """Return that a model has no thresholds of frames, and which are taken."""
    taken = ", ".join(f"{label} {value:g}" for label, value in zip(spec.labels, spec.frame_thresholds, strict=True))
    return f"{spec.name} has no thresholds of frames; those of its windows are taken: {taken}"

"""What teachers say of a student's windows: scores that stand beside the truth, or in its place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from train.batches.training_windows import Stretch, TrainingWindows


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoreTrack:
    """What a teacher says of one recording, window after window.

    Attributes
    ----------
    middles : np.ndarray
        float64 (n_windows,), seconds, ascending: the middle of each window in the recording.
    scores : np.ndarray
        float32 (n_windows, n_labels), in [0, 1].
    window_seconds : float
    """

    middles: np.ndarray
    scores: np.ndarray
    window_seconds: float

    def over(self, first: float, last: float) -> np.ndarray:
        """Return the scores of a stretch from second to second, float32 (n_labels,).

        They are interpolated between the windows whose middles lie around that of the stretch. Where a window is at
        most half as long as the stretch they are the mean over the windows with their middle in it.
        """
        inside = (self.middles >= first) & (self.middles <= last)
        if 2 * self.window_seconds <= last - first and inside.any():
            return np.asarray(self.scores[inside].mean(axis=0), np.float32)
        at = float(np.interp((first + last) / 2, self.middles, np.arange(self.middles.size)))
        before, share = int(at), at - int(at)
        after = min(before + 1, self.middles.size - 1)
        return np.asarray((1 - share) * self.scores[before] + share * self.scores[after], np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Lesson(ABC):
    """What a student learns from teachers.

    Attributes
    ----------
    weight : float
        Of the teachers' scores in the target of a labelled window, 0 to 1; the truth has the rest.
    sample_rate : int
        Hz of the student's recordings.
    unlabelled : sequence
        Waveforms without labels, whose targets are the teachers' scores alone.
    recorded : mapping
        What the provenance of the student says of its teachers, flat.
    report : mapping
        What its metrics say of them.
    """

    weight: float
    sample_rate: int
    unlabelled: Sequence[Any] = ()
    recorded: Mapping[str, Any] = field(default_factory=dict)
    report: Mapping[str, Any] = field(default_factory=dict)

    @abstractmethod
    def batch(self, windows: Any, number: int) -> tuple[np.ndarray, Any, np.ndarray]:
        """Return windows and targets of a batch, and the teachers' scores, float32 (batch, n_labels)."""

    @abstractmethod
    def scores_of(self, windows: np.ndarray, stretches: Sequence[Stretch]) -> np.ndarray:
        """Return the teachers' scores of windows that were cut from `unlabelled`, float32 (n, n_labels)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RecordingLesson(Lesson):
    """Scores of recordings as they are, known before the training begins.

    Attributes
    ----------
    tracks : mapping of int to sequence of ScoreTrack
        By place among all clips, one a teacher.
    unlabelled_tracks : sequence of sequence of ScoreTrack
        As `unlabelled`.
    """

    tracks: Mapping[int, Sequence[ScoreTrack]]
    unlabelled_tracks: Sequence[Sequence[ScoreTrack]] = ()

    def batch(self, windows: TrainingWindows, number: int) -> tuple[np.ndarray, Any, np.ndarray]:
        """Return windows and targets, and the scores of the stretches that they were cut from."""
        samples, targets, stretches = windows.cut(number)
        return samples, targets, np.stack([self._over(self.tracks[one.place], one) for one in stretches])

    def scores_of(self, windows: np.ndarray, stretches: Sequence[Stretch]) -> np.ndarray:
        """Return the scores of the stretches."""
        return np.stack([self._over(self.unlabelled_tracks[one.place], one) for one in stretches])

    def _over(self, tracks: Sequence[ScoreTrack], stretch: Stretch) -> np.ndarray:
        """The mean of all teachers over a stretch."""
        first, last = stretch.start / self.sample_rate, (stretch.start + stretch.length) / self.sample_rate
        return np.asarray(np.mean([track.over(first, last) for track in tracks], axis=0), np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class WindowLesson(Lesson):
    """Scores of the very windows that the student hears, computed when they are drawn.

    Attributes
    ----------
    score : callable
        float32 (n, window_length) to float32 (n, n_labels), the mean of all teachers.
    """

    score: Callable[[np.ndarray], np.ndarray]

    def batch(self, windows: Any, number: int) -> tuple[np.ndarray, Any, np.ndarray]:
        """Return windows and targets, and their scores."""
        samples, targets = windows[number]
        return samples, targets, self.score(samples)

    def scores_of(self, windows: np.ndarray, stretches: Sequence[Stretch]) -> np.ndarray:
        """Return the scores of the windows."""
        return self.score(windows)

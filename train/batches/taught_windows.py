"""Batches for a student: targets between truth and teachers, and behind them windows that have no label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from train.batches.augment import change_speed, vary_window
from train.batches.clip_draw import draw_stretch
from train.batches.lesson import Lesson
from train.batches.training_windows import Stretch
from train.batches.window_rows import cut_window
from train.settings import TrainingSettings


class TaughtWindows(keras.utils.PyDataset):
    """The batches of a task, with targets that teachers had a say in.

    A labelled window has the target (1 - weight) * truth + weight * scores. Each batch ends with windows of recordings
    without labels, varied alike, whose targets are the scores: as many an epoch as these recordings hold, and at most
    as many as there are labelled ones. A recording comes by the square root of its length. What is drawn depends on
    the seed, the epoch and the batch alone.

    Parameters
    ----------
    windows : keras.utils.PyDataset
        Of the task.
    lesson : Lesson
    window_length : int
        Samples.
    settings : TrainingSettings
    first_epoch : int
        Number of the epoch to begin with, counted from 0.
    """

    def __init__(
        self, windows: Any, lesson: Lesson, window_length: int, settings: TrainingSettings, first_epoch: int = 0
    ):
        super().__init__(workers=1, use_multiprocessing=False)
        self._windows, self._lesson, self._window_length = windows, lesson, window_length
        self._settings, self._epoch = settings, first_epoch
        lengths = np.array([max(waveform.size, window_length) for waveform in lesson.unlabelled], np.float64)
        self._shares = np.sqrt(lengths) / np.sqrt(lengths).sum()
        held = lengths.sum() / window_length / windows.num_windows
        self.num_unlabelled = max(1, round(settings.batch_size * min(1.0, held))) if lengths.size else 0

    def __len__(self) -> int:
        return len(self._windows)

    def __getitem__(self, batch: int) -> tuple[Any, ...]:
        samples, targets, scores = self._lesson.batch(self._windows, batch)
        truth, *beside = targets if isinstance(targets, tuple) else (targets,)
        taught = ((1.0 - self._lesson.weight) * truth + self._lesson.weight * scores).astype(np.float32)
        if self.num_unlabelled:
            more, their_scores = self._unlabelled(batch)
            samples, taught = np.concatenate([samples, more]), np.concatenate([taught, their_scores])
        if not beside:
            return samples, taught
        if not self.num_unlabelled:
            return samples, (taught, *beside)
        return samples, (taught, *map(self._padded, beside)), self._weights(len(truth), beside)

    def on_epoch_end(self) -> None:
        """Go on to the windows of the next epoch."""
        self._windows.on_epoch_end()
        self._epoch += 1

    def _unlabelled(self, batch: int) -> tuple[np.ndarray, np.ndarray]:
        """Windows without labels, and what the teachers say of them."""
        rng = np.random.default_rng([self._settings.seed, self._epoch, 5, batch])
        places = rng.choice(len(self._shares), self.num_unlabelled, p=self._shares).tolist()
        windows, stretches = zip(*(self._window(place, rng) for place in places), strict=True)
        samples = np.stack(windows)
        return samples, self._lesson.scores_of(samples, stretches)

    def _window(self, place: int, rng: np.random.Generator) -> tuple[np.ndarray, Stretch]:
        """One window and where it was cut."""
        waveform, vary = self._lesson.unlabelled[place], self._settings.augment
        start, length = draw_stretch(waveform.size, self._window_length, rng, vary)
        window = change_speed(cut_window(waveform, start, length), self._window_length)
        window = vary_window(window, self._lesson.sample_rate, rng) if vary else window
        return window, Stretch(place, start, length)

    def _padded(self, targets: np.ndarray) -> np.ndarray:
        """Targets of a further output, with rows for windows of which they are not known."""
        return np.concatenate([targets, np.zeros((self.num_unlabelled, *targets.shape[1:]), targets.dtype)])

    def _weights(self, num_labelled: int, beside: Sequence[np.ndarray]) -> tuple[np.ndarray, ...]:
        """Weights of the windows: those without labels count for the scores alone, the others as they did without."""
        total = num_labelled + self.num_unlabelled
        known = np.zeros(total, np.float32)
        known[:num_labelled] = total / num_labelled  # Keras divides by all windows
        steps = [known.reshape(total, *[1] * (targets.ndim - 2)) for targets in beside]
        return (np.ones(total, np.float32), *steps)

"""Batches of training windows: drawn label by label, cut at random places, varied, the same for the same seed."""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np

from train.batches.augment import vary_window
from train.batches.backgrounds import Backgrounds
from train.batches.clip_draw import ClipDraw, draw_stretch
from train.recordings.store.clip_store import LoadedClips
from train.settings import TrainingSettings

LEAST_EPOCH_WINDOWS = 320  # a few minutes of audio still give an epoch enough steps, each window cut and varied anew


class Stretch(NamedTuple):
    """What of a recording became a window."""

    place: int  # of the recording among all clips
    start: int  # sample
    length: int  # samples


class TrainingWindows(keras.utils.PyDataset):
    """Windows of the training clips, float32 (batch_size, window_length), with one-hot targets.

    Every label is drawn equally often, its clips as `train.batches.clip_draw` says. What is drawn depends on the seed,
    the epoch and the batch alone, so a resumed training goes on as if it had not stopped.

    Parameters
    ----------
    clips : LoadedClips
        All clips; those of the train side are used.
    sample_rate, window_length : int
        Hz and samples.
    settings : TrainingSettings
    first_epoch : int
        Number of the epoch to begin with, counted from 0.
    """

    def __init__(
        self,
        clips: LoadedClips,
        sample_rate: int,
        window_length: int,
        settings: TrainingSettings,
        first_epoch: int = 0,
    ):
        super().__init__(workers=1, use_multiprocessing=False)
        self._clips = ClipDraw(clips, window_length)
        self._sample_rate, self._window_length = sample_rate, window_length
        self._settings, self._epoch = settings, first_epoch
        labels = clips.index.labels
        known = settings.background in labels
        self._backgrounds = Backgrounds(self._clips, labels.index(settings.background)) if known else None
        self.num_windows = windows_in_epoch(self._clips, settings)
        self._drawn = self._draw()

    def __len__(self) -> int:
        return self.num_windows // self._settings.batch_size

    def __getitem__(self, batch: int) -> tuple[np.ndarray, np.ndarray]:
        windows, targets, _ = self.cut(batch)
        return windows, targets

    def cut(self, batch: int) -> tuple[np.ndarray, np.ndarray, list[Stretch]]:
        """Return windows and targets of a batch, and the stretch of a recording that each window was cut from."""
        size = self._settings.batch_size
        rng = self._rng(2, batch)
        chosen = self._drawn[batch * size : (batch + 1) * size]
        windows, stretches = zip(*(self._window(place, rng) for place in chosen), strict=True)
        targets = np.eye(self._clips.num_labels, dtype=np.float32)[self._clips.label_of[chosen]]
        return np.stack(windows), targets, list(stretches)

    def on_epoch_end(self) -> None:
        """Draw the clips of the next epoch."""
        self._epoch += 1
        self._drawn = self._draw()

    def _rng(self, *purpose: int) -> np.random.Generator:
        return np.random.default_rng([self._settings.seed, self._epoch, *purpose])

    def _draw(self) -> np.ndarray:
        """Places of the clips of one epoch, labels in equal shares, in random order."""
        rng, num_labels = self._rng(1), self._clips.num_labels
        counts = np.full(num_labels, self.num_windows // num_labels)
        counts[: self.num_windows % num_labels] += 1
        return rng.permutation(
            np.concatenate([self._clips.draw(label, count, rng) for label, count in enumerate(counts)])
        )

    def _window(self, place: int, rng: np.random.Generator) -> tuple[np.ndarray, Stretch]:
        """Cut one window, mix a background under it and vary it."""
        vary, size = self._settings.augment, self._clips.waveforms[place].size
        start, length = draw_stretch(size, self._window_length, rng, vary)
        window = self._clips.cut_stretch(place, start, length)
        if self._backgrounds is not None:
            window = self._backgrounds.under(window, place, rng, vary)
        window = vary_window(window, self._sample_rate, rng) if vary else window
        return window, Stretch(int(self._clips.places[place]), start, length)


def windows_in_epoch(clips: ClipDraw, settings: TrainingSettings) -> int:
    """Return how many windows an epoch has: as set, else as many as the clips hold, at least a batch."""
    return max(settings.epoch_windows or max(clips.num_windows, LEAST_EPOCH_WINDOWS), settings.batch_size)

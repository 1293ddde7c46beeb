"""Batches of training windows: drawn label by label, cut at random places, varied, the same for the same seed."""

from __future__ import annotations

from collections import Counter

import keras
import numpy as np

from train.augment import change_speed, draw_speed, vary_window
from train.clip_store import LoadedClips
from train.settings import TrainingSettings

LEAST_EPOCH_WINDOWS = 320  # a few minutes of audio still give an epoch enough steps, each window cut and varied anew


class TrainingWindows(keras.utils.PyDataset):
    """Windows of the training clips, float32 (batch_size, window_length), with one-hot targets.

    Every label is drawn equally often. Within a label a group counts by the square root of its length, so that one
    large source does not drown the many small ones, and its clips by their length. What is drawn depends on the seed,
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
        places = clips.places("train")
        labels = clips.index.labels
        self._waveforms = [clips.waveforms[place] for place in places]
        self._labels = np.array([labels.index(clips.index.clips[place].labels[0]) for place in places])
        lengths = np.array([max(window_length, waveform.size) for waveform in self._waveforms], np.float64)
        self._weights = lengths / np.sqrt(
            self._group_lengths([clips.index.clips[place].group for place in places], lengths)
        )
        self._num_labels, self._sample_rate, self._window_length = len(labels), sample_rate, window_length
        self._settings, self._epoch = settings, first_epoch
        natural = int(lengths.sum() // window_length)
        self.num_windows = max(settings.epoch_windows or max(natural, LEAST_EPOCH_WINDOWS), settings.batch_size)
        self._drawn = self._draw()

    def __len__(self) -> int:
        return self.num_windows // self._settings.batch_size

    def __getitem__(self, batch: int) -> tuple[np.ndarray, np.ndarray]:
        size = self._settings.batch_size
        rng = self._rng(2, batch)
        chosen = self._drawn[batch * size : (batch + 1) * size]
        windows = np.stack([self._window(self._waveforms[place], rng) for place in chosen])
        return windows, np.eye(self._num_labels, dtype=np.float32)[self._labels[chosen]]

    def on_epoch_end(self) -> None:
        """Draw the clips of the next epoch."""
        self._epoch += 1
        self._drawn = self._draw()

    def _group_lengths(self, groups: list[str], lengths: np.ndarray) -> np.ndarray:
        """Samples that the group of each clip has under the clip's label."""
        total: Counter = Counter()
        for group, label, length in zip(groups, self._labels, lengths, strict=True):
            total[group, label] += length
        return np.array([total[group, label] for group, label in zip(groups, self._labels, strict=True)])

    def _rng(self, *purpose: int) -> np.random.Generator:
        return np.random.default_rng([self._settings.seed, self._epoch, *purpose])

    def _draw(self) -> np.ndarray:
        """Places of the clips of one epoch, labels in equal shares, in random order."""
        rng = self._rng(1)
        counts = np.full(self._num_labels, self.num_windows // self._num_labels)
        counts[: self.num_windows % self._num_labels] += 1
        drawn = []
        for label, count in enumerate(counts):
            places = np.flatnonzero(self._labels == label)
            weights = self._weights[places]
            drawn.append(rng.choice(places, count, p=weights / weights.sum()))
        return rng.permutation(np.concatenate(drawn))

    def _window(self, waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Cut one window at a random place, zero-padded where the clip is shorter."""
        speed = draw_speed(rng) if self._settings.augment else 1.0
        length = round(self._window_length * speed)
        start = int(rng.integers(max(1, waveform.size - length + 1)))
        piece = np.zeros(length, np.float32)
        heard = waveform[start : start + length]
        piece[: heard.size] = heard
        window = change_speed(piece, self._window_length)
        return vary_window(window, self._sample_rate, rng) if self._settings.augment else window

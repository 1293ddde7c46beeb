"""Batches of training windows with one or several sources in each, mixed as they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from train.batches.activity import AuxiliaryTargets, window_activity
from train.batches.augment import vary_window
from train.batches.clip_draw import ClipDraw
from train.batches.training_windows import windows_in_epoch
from train.mixtures.mixing import PART_GAIN_RANGE_DB, mix
from train.mixtures.mixture_index import label_kinds
from train.recordings.loudness import is_silent, peak
from train.recordings.store.clip_store import LoadedClips
from train.settings import TrainingSettings

WINDOW_GAIN_RANGE_DB = (-12.0, 6.0)  # of the whole; the models that hear mixtures even out the level themselves
VARIED_SHARE = 0.5  # of the windows get another room, colour and noise: mixing varies them by itself
NUM_TRIES = 20  # cuts of a clip until one has sound; then its loudest stretch is taken
TARGETS = ("labels", "count")


class MixtureWindows(keras.utils.PyDataset):
    """Windows float32 (batch_size, window_length) of one source or several, with their targets.

    Each window takes its number of sources from `sources` in turn, so that all are equally frequent, and its labels at
    random, no label twice; where pairs of clips were chosen (`LoadedClips.pairs`), two sources are one of these, each
    pair of labels equally often. What is drawn depends on the seed, the epoch and the batch alone.

    Parameters
    ----------
    clips : LoadedClips
        All clips; those of the train side with a single label are mixed.
    sample_rate, window_length : int
        Hz and samples.
    settings : TrainingSettings
    sources : sequence of int
        How many sources a window may have, for example (1, 2).
    target : str
        "labels": float32 (batch_size, n_labels), 1 where the label is heard. "count": one-hot over `sources`.
    first_epoch : int
        Number of the epoch to begin with, counted from 0.
    beside : AuxiliaryTargets
        Give these with the targets, as a tuple with the targets first.
    part_gain_range_db : tuple of float
        Of a part against its normalized volume, where windows are varied.

    Raises
    ------
    ValueError
        More sources than labels, or an unknown target.
    SilentClipError
        Labels whose training clips are all silent.
    """

    def __init__(
        self,
        clips: LoadedClips,
        sample_rate: int,
        window_length: int,
        settings: TrainingSettings,
        sources: Sequence[int],
        target: str,
        first_epoch: int = 0,
        beside: AuxiliaryTargets = AuxiliaryTargets(),  # noqa: B008  (it is frozen)
        part_gain_range_db: tuple[float, float] = PART_GAIN_RANGE_DB,
    ):
        super().__init__(workers=1, use_multiprocessing=False)
        self._clips = ClipDraw(clips, window_length, audible=True)
        if target not in TARGETS:
            raise ValueError(f"target is {target!r}; expected {' or '.join(TARGETS)}")
        if max(sources) > self._clips.num_labels:
            raise ValueError(
                f"{max(sources)} sources of different labels need as many labels; there are {self._clips.num_labels}"
            )
        self._sample_rate, self._settings, self._epoch = sample_rate, settings, first_epoch
        self._sources, self._target, self._beside = tuple(sources), target, beside
        self._part_gain_range_db = part_gain_range_db
        self._pairs = _pairs_by_labels(clips, self._clips.places) if clips.pairs is not None else []
        self._set_peak = max(peak(waveform) for waveform in self._clips.waveforms)
        self.num_windows = windows_in_epoch(self._clips, settings)

    def __len__(self) -> int:
        return self.num_windows // self._settings.batch_size

    def __getitem__(self, batch: int) -> tuple[np.ndarray, Any]:
        rng, kinds, drawn = self._drawn(batch)
        windows, activity = zip(*(self._window(places, rng) for places in drawn), strict=True)
        targets = self._targets(kinds, drawn)
        if not self._beside:
            return np.stack(windows), targets
        further = [self._labels(drawn)] if self._beside.labels else []
        if self._beside.steps is not None:
            further.append(np.stack(activity))
        return np.stack(windows), (targets, *further)

    def on_epoch_end(self) -> None:
        """Go on to the windows of the next epoch."""
        self._epoch += 1

    def parts(self, batch: int) -> list[tuple[int, ...]]:
        """Return which clips sound in each window of a batch, as positions among all clips."""
        return [tuple(self._clips.places[places].tolist()) for places in self._drawn(batch)[2]]

    def targets(self, batch: int) -> np.ndarray:
        """Return the targets of a batch without mixing its windows."""
        return self._targets(*self._drawn(batch)[1:])

    def _targets(self, kinds: np.ndarray, drawn: Sequence[Sequence[int]]) -> np.ndarray:
        """Labels or one-hot numbers of what was drawn."""
        if self._target == "labels":
            return self._labels(drawn)
        return np.eye(len(self._sources), dtype=np.float32)[kinds]

    def _drawn(self, batch: int) -> tuple[np.random.Generator, np.ndarray, list[list[int]]]:
        """What is drawn for a batch: how many sources each window has, as positions, and which clips."""
        rng = np.random.default_rng([self._settings.seed, self._epoch, 3, batch])
        size = self._settings.batch_size
        kinds = rng.permutation(np.resize(rng.permutation(len(self._sources)), size))
        return rng, kinds, [self._draw(self._sources[kind], rng) for kind in kinds]

    def _labels(self, drawn: Sequence[Sequence[int]]) -> np.ndarray:
        """Which labels each window holds, float32 (len(drawn), n_labels)."""
        labels = np.zeros((len(drawn), self._clips.num_labels), np.float32)
        for row, places in zip(labels, drawn, strict=True):
            row[self._clips.label_of[places]] = 1.0
        return labels

    def _draw(self, num_sources: int, rng: np.random.Generator) -> list[int]:
        """Places of clips of different labels."""
        if num_sources == 2 and self._pairs:
            alike = self._pairs[int(rng.integers(len(self._pairs)))]
            return [int(place) for place in alike[int(rng.integers(len(alike)))]]
        labels = rng.choice(self._clips.num_labels, num_sources, replace=False)
        return [int(self._clips.draw(label, 1, rng)[0]) for label in labels]

    def _window(self, places: Sequence[int], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray | None]:
        """Cut the parts, add them and vary the sum; a window of one source is treated alike. And when they sound."""
        vary, normalization = self._settings.augment, self._settings.normalization
        if normalization == "both":
            normalization = ("pair", "set")[int(rng.integers(2))]
        parts = [self._part(place, rng, vary) for place in places]
        gains_db = rng.uniform(*self._part_gain_range_db, len(parts)) if vary else None
        window = mix(parts, normalization, self._set_peak, gains_db)
        if vary and rng.random() < VARIED_SHARE:
            window = vary_window(window, self._sample_rate, rng, WINDOW_GAIN_RANGE_DB)
        if self._beside.steps is None:
            return window, None
        return window, window_activity(parts, self._clips.label_of[places], self._clips.num_labels, self._beside.steps)

    def _part(self, place: int, rng: np.random.Generator, vary: bool) -> np.ndarray:
        """One source, at another speed and begun elsewhere where windows are varied."""
        for _ in range(NUM_TRIES):
            part = self._clips.cut(place, rng, vary)
            if not is_silent(part):
                break
        else:
            part = self._clips.cut_loudest(place)
        return np.roll(part, int(rng.integers(part.size))) if vary else part


def _pairs_by_labels(clips: LoadedClips, places: np.ndarray) -> list[np.ndarray]:
    """Chosen pairs of the training side as positions among `places`, int (n, 2), one array a pair of labels."""
    assert clips.pairs is not None
    chosen = clips.pairs.of_split("train")
    position = np.full(len(clips.index.clips), -1)
    position[places] = np.arange(places.size)
    kinds, kind = label_kinds(chosen)
    pairs = [position[chosen.parts[kind == number]] for number in range(len(kinds))]
    audible = [alike[(alike >= 0).all(axis=1)] for alike in pairs]  # a silent clip has no position
    return [alike for alike in audible if alike.size]

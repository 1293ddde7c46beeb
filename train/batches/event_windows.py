"""Batches of training windows cut from recordings with annotations, with which labels sound in them and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from edge_runtime.segments.segment import Segment
from train.annotations.frame_targets import frame_targets, window_labels
from train.batches.activity import ActivitySteps, AuxiliaryTargets
from train.batches.augment import PEAK_LIMIT, change_speed, draw_speed, vary_window
from train.batches.mixture_windows import VARIED_SHARE, WINDOW_GAIN_RANGE_DB
from train.batches.training_windows import LEAST_EPOCH_WINDOWS
from train.batches.window_rows import cut_window
from train.recordings.store.clip_store import LoadedClips
from train.settings import TrainingSettings

ANYWHERE_SHARE = 0.25  # of the windows are cut without looking for an event: a detector has to know what is none
LAID_OVER_SHARE = 0.5  # of the varied windows get another one laid over them
LAID_OVER_RANGE_DB = (-8.0, 8.0)


class _Cut(NamedTuple):
    """A window, which labels sound in it, and in which steps."""

    samples: np.ndarray
    labels: np.ndarray
    activity: np.ndarray | None


class EventWindows(keras.utils.PyDataset):
    """Windows float32 (batch_size, window_length), with float32 (batch_size, n_labels): 1 where a label sounds.

    Three quarters of the windows hold a drawn event in part or whole, the labels in equal shares; the others lie
    anywhere. Where windows are varied they change in speed, and one is laid over another: the times of the events go
    with them. What is drawn depends on the seed, the epoch and the batch alone.

    Parameters
    ----------
    clips : LoadedClips
        All recordings, with events; those of the train side are cut.
    sample_rate, window_length : int
        Hz and samples.
    settings : TrainingSettings
    first_epoch : int
        Number of the epoch to begin with, counted from 0.
    beside : AuxiliaryTargets
        Give these with the targets, as a tuple with the targets first.

    Raises
    ------
    ValueError
        The recordings have no annotations, or the train side has no event.
    """

    def __init__(
        self,
        clips: LoadedClips,
        sample_rate: int,
        window_length: int,
        settings: TrainingSettings,
        first_epoch: int = 0,
        beside: AuxiliaryTargets = AuxiliaryTargets(),  # noqa: B008  (it is frozen)
    ):
        super().__init__(workers=1, use_multiprocessing=False)
        places = clips.places("train")
        events = clips.events_at(places)
        self._waveforms, self._events = [clips.waveforms[place] for place in places], events
        self._labels = clips.index.labels
        self._of_label = [
            [(place, one) for place, found in enumerate(events) for one in found if one.label == label]
            for label in self._labels
        ]
        self._known = [number for number, found in enumerate(self._of_label) if found]
        if not self._known:
            raise ValueError("no recording of the train side has an event; there is nothing to learn from")
        self._sample_rate, self._window_length = sample_rate, window_length
        self._settings, self._epoch, self._beside = settings, first_epoch, beside
        lengths = np.array([max(waveform.size, window_length) for waveform in self._waveforms], np.float64)
        self._shares = lengths / lengths.sum()
        held = max(int(lengths.sum() // window_length), LEAST_EPOCH_WINDOWS)
        self.num_windows = max(settings.epoch_windows or held, settings.batch_size)

    def __len__(self) -> int:
        return self.num_windows // self._settings.batch_size

    def __getitem__(self, batch: int) -> tuple[np.ndarray, Any]:
        size = self._settings.batch_size
        rng = np.random.default_rng([self._settings.seed, self._epoch, 4, batch])
        anywhere = round(ANYWHERE_SHARE * size)
        drawn = [*np.resize(rng.permutation(self._known), size - anywhere).tolist(), *[None] * anywhere]
        cuts = [self._window(drawn[number], rng) for number in rng.permutation(size)]
        windows, labels = (np.stack([getattr(cut, name) for cut in cuts]) for name in ("samples", "labels"))
        if not self._beside:
            return windows, labels
        further = [labels] if self._beside.labels else []
        if self._beside.steps is not None:
            further.append(np.stack([cut.activity for cut in cuts if cut.activity is not None]))
        return windows, (labels, *further)

    def on_epoch_end(self) -> None:
        """Go on to the windows of the next epoch."""
        self._epoch += 1

    def _window(self, label: int | None, rng: np.random.Generator) -> _Cut:
        """One window, varied where the settings say so."""
        cut = self._cut(label, rng)
        if not self._settings.augment:
            return cut
        if rng.random() < LAID_OVER_SHARE:
            cut = _laid_over(cut, self._cut(int(rng.choice(self._known)), rng), rng)
        if rng.random() < VARIED_SHARE:
            varied = vary_window(cut.samples, self._sample_rate, rng, WINDOW_GAIN_RANGE_DB)
            cut = cut._replace(samples=varied)
        return cut

    def _cut(self, label: int | None, rng: np.random.Generator) -> _Cut:
        """Cut a window that holds an event of the label, or one anywhere; played faster or slower by chance."""
        speed = draw_speed(rng) if self._settings.augment else 1.0
        length = round(self._window_length * speed)
        if label is None:
            place = int(rng.choice(len(self._waveforms), p=self._shares))
            low, high = 0, self._waveforms[place].size - length
        else:
            place, event = self._of_label[label][int(rng.integers(len(self._of_label[label])))]
            low, high = self._around(event, length, self._waveforms[place].size)
        start = int(rng.integers(low, max(low, high) + 1)) if high > 0 else 0
        samples = change_speed(cut_window(self._waveforms[place], start, length), self._window_length)
        first, seconds = start / self._sample_rate, length / self._sample_rate
        events = self._events[place]
        return _Cut(
            samples,
            window_labels(events, self._labels, first, seconds).astype(np.float32),
            step_targets(events, self._labels, self._beside.steps, first, self._sample_rate, length / samples.size),
        )

    def _around(self, event: Segment, length: int, size: int) -> tuple[int, int]:
        """The first and last sample at which a window of so many samples holds the event, or half of itself of it."""
        onset, offset = round(event.onset * self._sample_rate), round(event.offset * self._sample_rate)
        shared = min(offset - onset, length // 2)
        latest = max(0, size - length)
        return min(latest, max(0, onset + shared - length)), min(latest, max(0, offset - shared))


def step_targets(
    events: Sequence[Segment],
    labels: Sequence[str],
    steps: ActivitySteps | None,
    start_seconds: float,
    sample_rate: int,
    speed: float = 1.0,
) -> np.ndarray | None:
    """Return in which steps of a window each label sounds, float32 (num_steps, n_labels); None without steps.

    Parameters
    ----------
    events : sequence of Segment
        Of the recording.
    labels : sequence of str
    steps : ActivitySteps or None
    start_seconds : float
        Where the window begins in the recording.
    sample_rate : int
        Hz.
    speed : float
        Seconds of the recording in a second of the window.
    """
    if steps is None:
        return None
    sample = speed / sample_rate
    first = start_seconds + steps.first * sample
    return frame_targets(events, labels, first, steps.num_steps, steps.hop * sample, steps.length * sample)


def _laid_over(cut: _Cut, other: _Cut, rng: np.random.Generator) -> _Cut:
    """Two windows added, the other one softer or louder, turned down where they go beyond full scale."""
    gain = np.float32(10.0 ** (rng.uniform(*LAID_OVER_RANGE_DB) / 20.0))
    samples = cut.samples + gain * other.samples
    samples *= np.float32(min(1.0, PEAK_LIMIT / max(float(np.abs(samples).max()), 1e-30)))
    both = None if cut.activity is None or other.activity is None else np.maximum(cut.activity, other.activity)
    return _Cut(samples, np.maximum(cut.labels, other.labels), both)

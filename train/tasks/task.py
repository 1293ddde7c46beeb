"""What a model is trained to tell: one label a window, the set of labels in a mixture, or how many sources there are.

A task names the labels of the file and the activation of its output, feeds the training, and cuts the windows that a
side of the split is judged on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, ClassVar, Literal, Protocol

import numpy as np

from edge_runtime.audio.windows import DEFAULT_TAIL
from edge_runtime.counting.pipeline import COUNT_LABELS
from metadata.plural import counted
from train.batches.activity import AuxiliaryTargets
from train.batches.window_rows import WindowRows, cut_window
from train.evaluation.evaluate import TestWindows, cut_split
from train.mixtures.mixing import PART_GAIN_RANGE_DB, mix
from train.mixtures.mixture_index import label_sets, pairs_of_side, spread
from train.recordings.clip_index import ClipIndex
from train.recordings.joined_groups import padded_groups
from train.recordings.loudness import is_silent
from train.recordings.store.clip_store import LoadedClips
from train.settings import TrainingSettings

Activation = Literal["softmax", "sigmoid"]

DRAWS_A_MIXTURE = 20  # at most, until the mixtures of three or more that are wanted are all different
MAX_MIXTURES = 720  # of a side that a training is judged on: all of them where a side has four clips a label


class Task(Protocol):
    """What the trainer and the converter ask of a task."""

    @property
    def activation(self) -> Activation:
        """What the scores come from."""

    @property
    def is_scaled(self) -> bool:
        """Whether softmax scores are scaled on validation data at the end (`train.evaluation.score_scaling`)."""

    def check(self, index: ClipIndex) -> None:
        """Raise ValueError where the recordings cannot teach this."""

    def labels(self, index: ClipIndex) -> tuple[str, ...]:
        """Return the labels of the model's output."""

    def training_windows(
        self,
        clips: LoadedClips,
        sample_rate: int,
        window_length: int,
        settings: TrainingSettings,
        first_epoch: int = 0,
        beside: AuxiliaryTargets = AuxiliaryTargets(),  # noqa: B008  (it is frozen)
    ) -> Any:
        """Return the `keras.utils.PyDataset` that feeds the training, on request with more than the targets.

        Raises ValueError where the task has no more to give.
        """

    def held_out(self, clips: LoadedClips, split: str, window_length: int, settings: TrainingSettings) -> TestWindows:
        """Return the windows of one side with what is right for each."""


@dataclass(frozen=True)
class OneLabel:
    """Exactly one label a window: softmax."""

    activation: Activation = "softmax"
    is_scaled: bool = False

    def check(self, index: ClipIndex) -> None:
        """Refuse clips of several labels."""
        _refuse_label_sets(index, "this model tells one label a window")

    def labels(self, index: ClipIndex) -> tuple[str, ...]:
        """Return the labels of the clips."""
        return index.labels

    def training_windows(
        self,
        clips: LoadedClips,
        sample_rate: int,
        window_length: int,
        settings: TrainingSettings,
        first_epoch: int = 0,
        beside: AuxiliaryTargets = AuxiliaryTargets(),  # noqa: B008  (it is frozen)
    ) -> Any:
        """Return single clips, labels in equal shares."""
        if beside:
            raise ValueError("further outputs learn from mixtures; for one label a window give them the weight 0")
        from train.batches.training_windows import TrainingWindows

        return TrainingWindows(clips, sample_rate, window_length, settings, first_epoch)

    def held_out(self, clips: LoadedClips, split: str, window_length: int, settings: TrainingSettings) -> TestWindows:
        """Return the windows of each clip; truth int64 (n,). The test side is cut as `earproof classify` cuts."""
        tail = DEFAULT_TAIL if split == "test" else settings.tail
        return cut_split(clips, split, window_length, settings.window_hop, tail)


class _Mixtures(ABC):
    """The common part of tasks on one source or several at once."""

    @property
    @abstractmethod
    def sources(self) -> Sequence[int]:
        """How many sources a window may have."""

    target: ClassVar[str]  # as for `train.batches.mixture_windows.MixtureWindows`
    part_gain_range_db: tuple[float, float]

    def training_windows(
        self,
        clips: LoadedClips,
        sample_rate: int,
        window_length: int,
        settings: TrainingSettings,
        first_epoch: int = 0,
        beside: AuxiliaryTargets = AuxiliaryTargets(),  # noqa: B008  (it is frozen)
    ) -> Any:
        """Return windows mixed as they are drawn, each number of sources equally often."""
        from train.batches.mixture_windows import MixtureWindows

        return MixtureWindows(
            clips,
            sample_rate,
            window_length,
            settings,
            self.sources,
            self.target,
            first_epoch,
            beside,
            self.part_gain_range_db,
        )


@dataclass(frozen=True)
class LabelSet(_Mixtures):
    """Every label that is present, in single sounds and in mixtures: sigmoid.

    Attributes
    ----------
    sources : tuple of int
        How many sources a window has, in equal shares.
    part_gain_range_db : tuple of float
        Of each source against its normalized volume, where training windows are varied.
    """

    target: ClassVar[str] = "labels"
    sources: tuple[int, ...] = (1, 2)
    activation: Activation = "sigmoid"
    is_scaled: bool = False
    part_gain_range_db: tuple[float, float] = PART_GAIN_RANGE_DB

    def check(self, index: ClipIndex) -> None:
        """Refuse fewer labels than sources."""
        _refuse_few_labels(index, self.sources)
        _refuse_label_sets(index, "mixtures are made of recordings of one label")

    def labels(self, index: ClipIndex) -> tuple[str, ...]:
        """Return the labels of the clips."""
        return index.labels

    def held_out(self, clips: LoadedClips, split: str, window_length: int, settings: TrainingSettings) -> TestWindows:
        """Return single clips and up to 720 mixtures of each larger number of sources; truth bool (n, n_labels)."""
        drawn = [
            parts for count in self.sources for parts in draw_parts(clips, split, count, window_length, MAX_MIXTURES)
        ]
        cut = mixture_windows(clips, drawn, window_length, settings.normalization)
        heard = label_sets(clips.index)
        truth = np.stack([heard[list(parts)].any(axis=0) for parts in drawn])
        return TestWindows(cut, truth, np.arange(len(drawn)), part_groups(clips, drawn))


@dataclass(frozen=True)
class SourceCount(_Mixtures):
    """How many sources sound at once: softmax over one, two, ...

    Attributes
    ----------
    most : int
        The highest number, at most 3.
    """

    target: ClassVar[str] = "count"
    most: int = 2
    activation: Activation = "softmax"
    is_scaled: bool = True
    part_gain_range_db: tuple[float, float] = PART_GAIN_RANGE_DB

    @property
    def sources(self) -> Sequence[int]:
        """The numbers there can be."""
        return range(1, self.most + 1)

    def check(self, index: ClipIndex) -> None:
        """Refuse clips of several labels, and fewer labels than sources."""
        _refuse_label_sets(index, "a counter learns from recordings of one source each")
        _refuse_few_labels(index, (self.most,))

    def labels(self, index: ClipIndex) -> tuple[str, ...]:
        """Return the names of the numbers."""
        return COUNT_LABELS[: self.most]

    def held_out(self, clips: LoadedClips, split: str, window_length: int, settings: TrainingSettings) -> TestWindows:
        """Return each number of sources as often as there are single clips; truth int64 (n,)."""
        most = len(draw_parts(clips, split, 1, window_length, MAX_MIXTURES))
        drawn = [parts for count in self.sources for parts in draw_parts(clips, split, count, window_length, most)]
        cut = mixture_windows(clips, drawn, window_length, settings.normalization)
        truth = np.array([len(parts) - 1 for parts in drawn])
        return TestWindows(cut, truth, np.arange(len(drawn)), part_groups(clips, drawn))


def draw_parts(
    clips: LoadedClips, split: str, num_sources: int, window_length: int, most: int
) -> list[tuple[int, ...]]:
    """Return which clips of one side sound together, at most so many times, always the same ones.

    Clips without sound in their first window are left out: their volume cannot be made equal to another's. Every
    combination of labels comes about equally often; single clips all come, `most` of them at most.
    """
    index = clips.index
    places = [place for place in clips.places(split) if not is_silent(clips.waveforms[place][:window_length])]
    if num_sources == 1:
        return [(place,) for place in places[:most]]
    if num_sources == 2:
        audible = np.zeros(len(index.clips), bool)
        audible[places] = True
        pairs = clips.pairs.of_split(split) if clips.pairs else pairs_of_side(index, places)
        chosen = spread(pairs.chosen(np.flatnonzero(audible[pairs.parts].all(axis=1))), most)
        return [(int(first), int(second)) for first, second in chosen.parts]
    return _draw_larger(index, places, num_sources, most)


def mixture_windows(
    clips: LoadedClips, drawn: Sequence[tuple[int, ...]], window_length: int, normalization: str
) -> WindowRows:
    """Return the first window of each mixture, float32 (n, window_length), the parts zero-padded where shorter.

    With the normalization "both" the mixtures take turns.
    """
    set_peak = clips.highest_peak()

    def mixed(row: int) -> np.ndarray:
        cut = [cut_window(clips.waveforms[place], 0, window_length) for place in drawn[row]]
        chosen = ("pair", "set")[row % 2] if normalization == "both" else normalization
        return mix(cut, chosen, set_peak)

    return WindowRows(len(drawn), (window_length,), mixed)


def part_groups(clips: LoadedClips, drawn: Sequence[tuple[int, ...]]) -> np.ndarray:
    """Return the groups of the parts, str (n, most parts); empty where a mixture has fewer."""
    return padded_groups([[clips.index.clips[place].group for place in parts] for parts in drawn])


def _draw_larger(index: ClipIndex, places: Sequence[int], num_sources: int, most: int) -> list[tuple[int, ...]]:
    """Mixtures of three or more, combinations of labels by turns, clips at random with a fixed seed."""
    heard = label_sets(index, places).argmax(axis=1)
    of_label = {label: np.flatnonzero(heard == label) for label in np.unique(heard)}
    kinds = list(combinations(sorted(of_label), num_sources))
    if not kinds:
        raise ValueError(f"{num_sources} sources of different labels need as many labels; there are {len(of_label)}")
    rng = np.random.default_rng(0)
    order = rng.permutation(len(kinds))
    drawn: set[tuple[int, ...]] = set()
    for number in range(DRAWS_A_MIXTURE * most):  # what comes again does not count
        kind = kinds[order[number % len(kinds)]]
        drawn.add(tuple(sorted(places[int(rng.choice(of_label[label]))] for label in kind)))
        if len(drawn) == most:
            break
    return sorted(drawn)


def _refuse_label_sets(index: ClipIndex, why: str) -> None:
    """Refuse clips of several labels."""
    multiple = [clip.path for clip in index.clips if len(clip.labels) > 1]
    if multiple:
        raise ValueError(f"{multiple[0]} has several labels ({counted(len(multiple), 'clip does', 'clips do')}); {why}")


def _refuse_few_labels(index: ClipIndex, sources: Sequence[int]) -> None:
    """Refuse fewer labels than sounds in a mixture."""
    if len(index.labels) < max(sources):
        raise ValueError(
            f"{max(sources)} sources of different labels need as many labels; there are {', '.join(index.labels)}"
        )

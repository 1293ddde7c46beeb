"""What a frozen backbone says of mixtures: drawn ones to learn from, and those of each inner fold to choose by."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from train.evaluation.evaluate import TestWindows
from train.recordings.store.clip_store import LoadedClips
from train.settings import TrainingSettings
from train.tasks.task import LabelSet, SourceCount, part_groups
from train.transfer.features import features_of_batches, features_of_windows, kept_features
from train.transfer.inner_sides import all_to_train, groups_on


@dataclass(frozen=True, eq=False, kw_only=True)
class DrawnFeatures:
    """Windows of both sides, mixed and varied as a training draws them.

    Attributes
    ----------
    values : np.ndarray
        float32 (n_windows, n_features).
    targets : np.ndarray
        float32 (n_windows, n_labels).
    groups : np.ndarray
        str (n_windows, most parts), of the parts; empty where there are fewer.
    """

    values: np.ndarray
    targets: np.ndarray
    groups: np.ndarray

    def without(self, groups: set[str]) -> DrawnFeatures:
        """Return the windows no part of which is of these groups."""
        kept = ~np.isin(self.groups, sorted(groups)).any(axis=1)
        return DrawnFeatures(values=self.values[kept], targets=self.targets[kept], groups=self.groups[kept])


@dataclass(frozen=True, eq=False, kw_only=True)
class HeldOutFeatures:
    """Windows that an inner fold holds out.

    Attributes
    ----------
    values : np.ndarray
        float32 (n_windows, n_features).
    cut : TestWindows
    groups : set of str
        All that the fold holds out.
    """

    values: np.ndarray
    cut: TestWindows
    groups: set[str]


@dataclass(frozen=True, eq=False, kw_only=True)
class MixtureFeatures:
    """Where features of mixtures come from.

    Attributes
    ----------
    body : keras.Model
        From windows to features.
    parts : dict
        What makes the features what they are, for JSON: backbone, front end, windows.
    task : LabelSet or SourceCount
    settings : TrainingSettings
        `epoch_windows` are drawn.
    sample_rate : int
        Hz.
    cache : Path, optional
        The folder of decoded recordings, the user's own if None.
    """

    body: Any
    parts: dict[str, Any]
    task: LabelSet | SourceCount
    settings: TrainingSettings
    sample_rate: int
    cache: Path | None

    def drawn(self, clips: LoadedClips) -> DrawnFeatures:
        """Return windows of all that may be trained on; always the same ones."""
        clips = all_to_train(clips)
        length = int(self.body.inputs[0].shape[1])
        windows = self.task.training_windows(clips, self.sample_rate, length, self.settings)
        batches = range(len(windows))
        settings = self.settings
        drawn_by = [settings.seed, settings.batch_size, settings.augment, settings.normalization, len(windows)]
        made_of = {"drawn": drawn_by, "gains_db": self.task.part_gain_range_db, **self._made_of(clips)}
        count = len(windows) * settings.batch_size
        compute = functools.partial(
            features_of_batches, self.body, (windows[batch][0] for batch in batches), count, "drawn mixtures"
        )
        values = kept_features(self.cache, made_of, compute)
        drawn = [parts for batch in batches for parts in windows.parts(batch)]
        targets = np.concatenate([windows.targets(batch) for batch in batches])
        return DrawnFeatures(values=values, targets=targets, groups=part_groups(clips, drawn))

    def held_out(self, folds: Sequence[LoadedClips]) -> list[HeldOutFeatures]:
        """Return the windows that each fold holds out, with no part from elsewhere."""
        length = int(self.body.inputs[0].shape[1])
        found = []
        for number, fold in enumerate(folds, start=1):
            cut = self.task.held_out(fold, "val", length, self.settings)
            made_of = {"held_out": [type(self.task).__name__, self.settings.normalization], **self._made_of(fold)}
            compute = functools.partial(features_of_windows, self.body, cut.windows, f"inner fold {number}")
            values = kept_features(self.cache, made_of, compute)
            found.append(HeldOutFeatures(values=values, cut=cut, groups=groups_on(fold, "val")))
        return found

    def _made_of(self, clips: LoadedClips) -> dict[str, Any]:
        """What features of mixtures have in common."""
        sources = list(self.task.sources)
        return {**self.parts, "sources": sources, "data": clips.data_sha256(), "split": clips.split_sha256()}

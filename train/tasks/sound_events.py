"""Sound events: which labels sound in a window, and when, learned from recordings with annotations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from edge_runtime.audio.windows import window_starts
from metadata.spec import FrameScores
from train.annotations.frame_targets import frame_targets, window_labels
from train.batches.activity import AuxiliaryTargets
from train.batches.window_rows import WindowRows, cut_window
from train.evaluation.evaluate import TestWindows
from train.recordings.clip_index import ClipIndex
from train.recordings.joined_groups import group_rows
from train.recordings.store.clip_store import LoadedClips
from train.settings import TrainingSettings
from train.tasks.task import Activation

TAIL = "pad"  # no event is lost at the end of a recording


@dataclass(frozen=True)
class SoundEvents:
    """Every label that sounds in a window: sigmoid.

    Attributes
    ----------
    sample_rate : int
        Hz, of the waveforms: annotations are in seconds.
    """

    sample_rate: int
    activation: Activation = "sigmoid"
    is_scaled: bool = False

    def check(self, index: ClipIndex) -> None:
        """Take any labels, as many as sound together."""

    def labels(self, index: ClipIndex) -> tuple[str, ...]:
        """Return the labels of the events."""
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
        """Return windows cut around events and anywhere."""
        from train.batches.event_windows import EventWindows

        return EventWindows(clips, sample_rate, window_length, settings, first_epoch, beside)

    def held_out(self, clips: LoadedClips, split: str, window_length: int, settings: TrainingSettings) -> TestWindows:
        """Return the windows of each recording, one after the other; truth bool (n, n_labels)."""
        places = clips.places(split)
        starts = [window_starts(clips.waveforms[place].size, window_length, window_length, TAIL) for place in places]
        owners, begins = np.repeat(places, [one.size for one in starts]), np.concatenate(starts)
        seconds = window_length / self.sample_rate
        events = dict(zip(places, clips.events_at(places), strict=True))
        truth = np.stack(
            [
                window_labels(events[int(place)], clips.index.labels, begin / self.sample_rate, seconds)
                for place, begin in zip(owners, begins, strict=True)
            ]
        )

        def cut(row: int) -> np.ndarray:
            return cut_window(clips.waveforms[owners[row]], int(begins[row]), window_length)

        windows = WindowRows(begins.size, (window_length,), cut)
        return TestWindows(windows, truth, owners, group_rows(clips.index.clips[place] for place in owners), begins)

    def frame_truth(self, clips: LoadedClips, cut: TestWindows, frames: FrameScores) -> np.ndarray:
        """Return which labels sound in each frame of windows of `held_out`, float32 (n, num_frames, n_labels)."""
        assert cut.starts is not None  # `held_out` says where each begins
        events = clips.events_at(range(len(clips.index.clips)))
        hop = frames.hop_length / self.sample_rate
        return np.stack(
            [
                frame_targets(events[place], clips.index.labels, begin / self.sample_rate, frames.num_frames, hop)
                for place, begin in zip(cut.clips, cut.starts, strict=True)
            ]
        )

"""One recording on its way through a model: a row for each window, or for each tick of a phone.

A row is a dict that JSON can hold: its times in seconds, its level, whether it is silent, a score for each label, and
the decision.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.recordings import Recording, resampled_blocks
from edge_runtime.audio.resampling import resampled_length
from edge_runtime.audio.sample_format import to_shorts
from edge_runtime.audio.windows import Windowing
from edge_runtime.model.classifier import Classifier
from edge_runtime.model.clip_merge import ClipMerge
from edge_runtime.phone.audio_record import BlockRecording
from edge_runtime.phone.harness import PhoneHarness
from metadata.spec import ModelSpec

Row = dict[str, Any]


def window_rows(classifier: Classifier, recording: Recording, windowing: Windowing, first: int = 0) -> Iterator[Row]:
    """Yield a row for each window of a recording from number `first` on, in constant memory.

    Raises
    ------
    ValueError
        As for `Classifier.classify_recording`.
    """
    for result in classifier.classify_recording(recording, windowing, first):
        yield {
            "start_seconds": result.start_seconds,
            "end_seconds": result.end_seconds,
            **level_fields(result.level_dbfs, result.is_silent),
            "scores": by_label(classifier.spec.labels, result.scores),
            "decision": result.decision,
        }


def tick_rows(harness: PhoneHarness, recording: Recording, first: int = 0) -> Iterator[Row]:
    """Yield a row for each tick of a phone that a recording is played to, from number `first` on, in constant memory.

    Raises
    ------
    ValueError
        As for `PhoneHarness.ticks`.
    """
    spec = harness.classifier.spec
    for tick in harness.ticks(microphone_recording(recording, spec), first=first):
        yield {
            "seconds": tick.seconds,
            **level_fields(tick.level_dbfs, tick.is_silent),
            "scores": by_label(spec.labels, tick.scores),
            "decision": tick.decision,
            "lost_samples": tick.lost_samples,
        }


def microphone_recording(recording: Recording, spec: ModelSpec) -> BlockRecording:
    """Return a recording as the microphone of a model's phone delivers it, block by block."""
    size = resampled_length(recording.num_samples, recording.sample_rate, spec.sample_rate)
    blocks = (to_shorts(block) for block in resampled_blocks(recording, spec.sample_rate))
    return BlockRecording(blocks, size, spec.sample_rate)


def by_label(labels: tuple[str, ...], scores: npt.NDArray[np.float32]) -> dict[str, float]:
    """Return scores of shape (n_labels,) for JSON."""
    return dict(zip(labels, scores.tolist(), strict=True))


def level_fields(level_dbfs: float, is_silent: bool) -> Row:
    """Return a level for JSON, which has no minus infinity: that of zeros alone is null."""
    return {"level_dbfs": None if level_dbfs == -math.inf else level_dbfs, "silent": is_silent}


class WindowRowMerge:
    """Makes the clip of a recording's rows; see `edge_runtime.classify.resume_log.RowMerge`."""

    def __init__(self, classifier: Classifier, rule: str) -> None:
        self._classifier, self._rule = classifier, rule
        self.reset()

    def reset(self) -> None:
        """Begin with another recording."""
        self._merged = ClipMerge(self._rule, self._classifier.spec.thresholds)

    def take(self, row: Row) -> None:
        """Count a row in."""
        self._merged.add([list(row["scores"].values())], [row["silent"]])

    def clip(self) -> Row:
        """Return what the clip is."""
        merged = self._merged
        return {
            "merge": merged.rule,
            "num_windows": merged.num_windows,
            "num_silent": merged.num_silent,
            "scores": by_label(self._classifier.spec.labels, merged.scores),
            "decision": self._classifier.decide_clip(merged),
        }

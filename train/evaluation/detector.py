"""One model as a detector: the scores that it gives a recording, and what these stand for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.model.classifier import Classifier
from edge_runtime.segments.detecting import Detecting
from edge_runtime.segments.score_grid import ScoreGrid, median_scores
from edge_runtime.segments.score_stream import ScoreRows, averaged_rows
from metadata.spec import ModelSpec
from train.evaluation.predict import predict_outputs

_AT_ONCE = 32  # windows that are scored together
_FINE_SECONDS = 0.02  # rows that a window's score is repeated in, so that the last one ends with the recording
_ROUNDING = 1e-6  # of a row


@dataclass(frozen=True, kw_only=True)
class Detector:
    """A model that scores recordings.

    Attributes
    ----------
    path : Path
    spec : ModelSpec
    score : callable
        Windows, float32 (n, window_length), to scores, float32 of n * rows_per_window * n_labels values.
    """

    path: Path
    spec: ModelSpec
    score: Callable[[np.ndarray], np.ndarray]

    def grid(self, waveform: np.ndarray, rows: ScoreRows) -> ScoreGrid:
        """Return the scores of a recording."""
        blocks = list(averaged_rows(self._scored(waveform, rows), rows.num_rows(waveform.size)))
        return ScoreGrid(hop_seconds=rows.row_seconds, labels=self.spec.labels, scores=np.concatenate(blocks))

    def _scored(self, waveform: np.ndarray, rows: ScoreRows) -> Iterator[tuple[int, np.ndarray]]:
        """Yield first row and scores of each window."""
        windows = rows.windows([waveform], waveform.size)
        while part := list(islice(windows, _AT_ONCE)):
            scores = self.score(np.stack([window for _, window in part]))
            shape = len(part), rows.rows_per_window, len(self.spec.labels)
            yield from zip([row for row, _ in part], scores.reshape(shape), strict=True)


def model_detector(path: Path, spec: ModelSpec, model: Any) -> Detector:
    """Return the Keras model of a training in the folder `path`."""
    place = 0 if spec.frames is None else 1
    return Detector(path=path, spec=spec, score=lambda windows: predict_outputs(model, windows)[place])


def file_detector(path: Path, num_threads: int) -> Detector:
    """Return a `.tflite` file; raises as `Classifier` does."""
    classifier = Classifier(path, num_threads)
    score = classifier.scores if classifier.spec.frames is None else classifier.frame_scores
    return Detector(
        path=path, spec=classifier.spec, score=lambda windows: np.stack([score(window) for window in windows])
    )


def compared_scores(grid: ScoreGrid, seconds: float, spec: ModelSpec, detecting: Detecting) -> ScoreGrid:
    """Return the scores for PSDS: their medians, those of windows in fine rows, as far as the recording goes."""
    times = 1 if spec.frames else math.ceil(grid.hop_seconds / _FINE_SECONDS)
    hop = grid.hop_seconds / times
    scores = np.repeat(median_scores(grid.scores, detecting.median_of(spec)), times, axis=0)
    kept = scores[: math.ceil(seconds / hop - _ROUNDING)]
    return ScoreGrid(hop_seconds=hop, labels=grid.labels, scores=kept)


def scored_text(rows: ScoreRows) -> str:
    """Return what a row of scores is."""
    if rows.spec.frames is None:
        return f"has no frame scores: its window scores stand for {rows.row_seconds:.6g} s each"
    hop = rows.hop_rows * rows.row_seconds
    return f"scores frames of {rows.row_seconds:.6g} s, averaged over windows that begin every {hop:.6g} s"

"""A row for each second of a recording: its level, its scores, its labels, and where labels begin and end."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.recordings import Recording
from edge_runtime.classify.rows import by_label, level_fields
from edge_runtime.model.classifier import Classifier
from edge_runtime.timeline.borders import place_border, silence_border, window_middles
from edge_runtime.timeline.sample_stream import SampleStream

Row = dict[str, Any]
SILENCE = "silence"
SILENCE_DBFS = -60.0  # as published: a mean square of 1e-6
LEVEL_ROUNDING_DB = 1e-4  # 0.001 as float32 is a little more than that
MOST_WINDOW_SECONDS = 2.0
_ONE_WINDOW_SECONDS = 0.9  # from this length on a window around the middle of a second hears all of it
# From that middle to those of the windows that are averaged: on validation data three tell more seconds than one, and
# five hardly more than three (docs/results/time-stamps.md).
_AROUND_SECONDS = (-0.25, 0.0, 0.25)


@dataclass(frozen=True, kw_only=True)
class Stamping:
    """How seconds get their labels.

    Attributes
    ----------
    silence_dbfs : float
        Seconds at or below this level are silent.
    threshold : float or None
        Lowest score that counts where the highest wins (softmax); None: the highest always counts.
    refined : bool
        Whether borders are refined; else labels change with the second.
    """

    silence_dbfs: float = SILENCE_DBFS
    threshold: float | None = None
    refined: bool = True


def second_rows(classifier: Classifier, recording: Recording, stamping: Stamping, first: int = 0) -> Iterator[Row]:
    """Yield a row for each second of a recording from number `first` on, in constant memory.

    Windows lie around the middle of their second, inside the recording. Three are averaged, 0.25 s apart; of
    windows shorter than 0.9 s as many as the second holds.

    Raises
    ------
    ValueError
        A recording that ends before its length, NaN or infinity.
    """
    stream = SampleStream(recording, classifier.spec.sample_rate)
    seconds = _Seconds(classifier, stream, stamping)
    previous: Row | None = None
    for second in range(max(first - 1, 0), stream.num_seconds):
        row = seconds.row(second)
        row["borders"] = seconds.borders(previous, row, second) if previous else {}
        if second >= first:
            yield row
        previous = row
        # What the next border reaches back to, with the window that lies around it.
        stream.forget(second - math.ceil(classifier.spec.window_seconds))


class _Seconds:
    """The seconds of one recording and the borders between them."""

    def __init__(self, classifier: Classifier, stream: SampleStream, stamping: Stamping) -> None:
        self._classifier, self._stream, self._stamping = classifier, stream, stamping
        self._spec, self._rate = classifier.spec, classifier.spec.sample_rate

    def row(self, second: int) -> Row:
        """Return what a second has, for JSON."""
        level = self._stream.level_dbfs(second)
        silent = level <= self._stamping.silence_dbfs + LEVEL_ROUNDING_DB
        labels = self._spec.labels
        scores = np.zeros(len(labels), np.float32) if silent else self._second_scores(second)
        return {
            **self._stream.span(second),
            **level_fields(level, silent),
            "scores": by_label(labels, scores),
            "decision": [SILENCE] if silent else self._labels(scores),
        }

    def borders(self, before: Row, row: Row, second: int) -> dict[str, float]:
        """Return where each label that only one of two seconds has begins or ends."""
        old, new = before["decision"], row["decision"]
        changed = [label for label in dict.fromkeys([*old, *new]) if (label in old) != (label in new)]
        if not changed or not self._stamping.refined:
            return dict.fromkeys(changed, float(second))
        if before["silent"] or row["silent"]:
            limit = 10.0 ** (self._stamping.silence_dbfs / 10.0)
            return dict.fromkeys(changed, silence_border(second, before["silent"], limit, self._stream))
        scores = np.array([self._scores(round(middle * self._rate)) for middle in window_middles(second)])
        if self._spec.activation == "softmax":
            leaning = self._lead(new, scores) - self._lead(old, scores)
            return dict.fromkeys(changed, place_border(second, leaning, self._stream))
        leads = {label: self._lead([label], scores) * (1 if label in new else -1) for label in changed}
        return {label: place_border(second, lead, self._stream) for label, lead in leads.items()}

    def _lead(self, labels: list[str], scores: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Return the score of a label over its threshold at each window; of none, nothing."""
        if not labels:
            return np.zeros(len(scores))
        number = self._spec.labels.index(labels[0])
        thresholds, threshold = self._spec.thresholds, self._stamping.threshold or 0.0
        return scores[:, number].astype(float) - (
            threshold if self._spec.activation == "softmax" else thresholds[number]
        )

    def _labels(self, scores: npt.NDArray[np.float32]) -> list[str]:
        """Return what unrounded scores stand for."""
        decision, threshold = self._classifier.decide(scores), self._stamping.threshold
        if not isinstance(decision, str):
            return list(decision)
        # In float32, as the scores are: a score of 0.7 shall reach a threshold of 0.7.
        return [decision] if threshold is None or scores.max() >= np.float32(threshold) else []

    def _second_scores(self, second: int) -> npt.NDArray[np.float32]:
        """Return the scores of a second, float32 (n_labels,)."""
        length = self._spec.window_seconds
        places: Sequence[float] = [0.5 + offset for offset in _AROUND_SECONDS]
        if length < _ONE_WINDOW_SECONDS:
            count = max(1, round(1.0 / length))
            places = [(number + 0.5) / count for number in range(count)]
        middles = [round((second + place) * self._rate) for place in places]
        mean: npt.NDArray[np.float32] = np.mean([self._scores(middle) for middle in middles], axis=0, dtype=np.float32)
        return mean

    def _scores(self, middle: int) -> npt.NDArray[np.float32]:
        """Return the scores of the window around a sample, moved into the recording where it would reach beyond."""
        length = self._spec.window_length
        start = max(0, min(middle - length // 2, self._stream.num_samples - length))
        return self._classifier.scores(self._stream.samples(start, start + length))

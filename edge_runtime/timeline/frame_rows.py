"""A row for each second of a recording of which a model scores frames: its level, its scores, and where events lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from edge_runtime.audio.recordings import Recording
from edge_runtime.classify.rows import by_label, level_fields
from edge_runtime.model.classifier import Classifier
from edge_runtime.segments.detecting import Detecting, within
from edge_runtime.segments.score_grid import FloatArray, Run, closed_runs, median_scores, runs_of, segments_of_runs
from edge_runtime.segments.score_stream import score_blocks, score_rows
from edge_runtime.segments.segment import Segment
from edge_runtime.timeline.sample_stream import SampleStream

Row = dict[str, Any]


def frame_rows(classifier: Classifier, recording: Recording, detecting: Detecting, first: int = 0) -> Iterator[Row]:
    """Yield a row for each second of a recording from number `first` on, in constant memory.

    The score of a label is the highest of the frames that lie in the second. `runs` has the frames that begin in it and
    reach the label's threshold.

    Raises
    ------
    ValueError, ModelContractError
        As for `score_blocks`.
    """
    spec, stream = classifier.spec, SampleStream(recording, classifier.spec.sample_rate)
    frames = _Frames(classifier, stream, detecting, first)
    for second in range(first, stream.num_seconds):
        begin, inside, stop = frames.places(second)
        scores = frames.scores(begin, stop)
        limits = np.asarray(spec.frame_thresholds, np.float32)
        highest = scores.max(axis=0)
        columns = dict(zip(spec.labels, scores[inside - begin :].T, strict=True))
        yield {
            **stream.span(second),
            **level_fields(stream.level_dbfs(second), False),
            "scores": by_label(spec.labels, highest),
            "decision": [label for label, over in zip(spec.labels, highest >= limits, strict=True) if over],
            "runs": {
                label: [(inside + one, inside + behind, score) for one, behind, score in found]
                for (label, column), threshold in zip(columns.items(), spec.frame_thresholds, strict=True)
                if (found := runs_of(column, threshold))
            },
        }
        stream.forget(second)


class _Frames:
    """The scores of the frames of a recording, smoothed, of which the last ones are kept."""

    def __init__(self, classifier: Classifier, stream: SampleStream, detecting: Detecting, first: int) -> None:
        self._rows = score_rows(classifier.spec, detecting.hop_seconds)
        self._rate, self._width = stream.sample_rate, detecting.median_frames
        self._total = self._rows.num_rows(stream.num_samples)
        self._kept_start = max(0, self.places(first)[0] - self._width // 2)
        self._kept = np.zeros((0, len(classifier.spec.labels)), np.float32)
        samples = _samples(stream, first)
        self._blocks = score_blocks(classifier, samples, stream.num_samples, self._rows, self._kept_start)

    def places(self, second: int) -> tuple[int, int, int]:
        """Return the first frame that lies in a second, the first that begins in it, and the first behind it."""
        begin = min(second * self._rate // self._rows.row_length, self._total - 1)
        inside, behind = (-(-one * self._rate // self._rows.row_length) for one in (second, second + 1))
        return begin, max(begin, min(inside, self._total)), max(begin + 1, min(behind, self._total))

    def scores(self, begin: int, stop: int) -> FloatArray:
        """Return the scores of frames, float32 (stop - begin, n_labels); those far before are not asked for again."""
        first, last = max(0, begin - self._width // 2), min(self._total, stop + self._width // 2)
        while self._kept_start + len(self._kept) < last:
            self._kept = np.concatenate([self._kept, next(self._blocks)])
        self._kept, self._kept_start = self._kept[first - self._kept_start :], first
        smoothed = median_scores(self._kept[: last - first], self._width)
        return smoothed[begin - first : stop - first]


class FrameSegments:
    """Joins the runs of seconds to events; its memory grows with their number alone.

    Parameters
    ----------
    labels : tuple of str
    hop_seconds : float
        Of a frame.
    detecting : Detecting
    """

    def __init__(self, labels: tuple[str, ...], hop_seconds: float, detecting: Detecting) -> None:
        self._labels, self._hop, self._detecting = labels, hop_seconds, detecting
        self.reset()

    def reset(self) -> None:
        """Begin with another recording."""
        self.num_seconds, self.num_silent, self._end = 0, 0, 0.0
        self._runs: dict[str, list[Run]] = {label: [] for label in self._labels}

    def take(self, row: Row) -> None:
        """Count a row in."""
        self.num_seconds, self._end = self.num_seconds + 1, row["end_seconds"]
        for label, runs in row["runs"].items():
            known = self._runs[label]
            known[-1:] = closed_runs([*known[-1:], *((first, stop, score) for first, stop, score in runs)])

    def segments(self) -> list[Segment]:
        """Return the events so far by their onsets."""
        found = segments_of_runs(self._runs, self._hop, self._detecting.min_seconds, self._detecting.gap_seconds)
        return within(found, self._end)

    def totals(self) -> dict[str, float]:
        """Return the seconds of each label."""
        totals = dict.fromkeys(self._labels, 0.0)
        for segment in self.segments():
            totals[segment.label] += segment.duration
        return totals


def _samples(stream: SampleStream, first: int) -> Iterator[FloatArray]:
    """Yield a recording second by second; what lies before a second that is wanted is let go of."""
    rate = stream.sample_rate
    for second in range(-(-stream.num_samples // rate)):
        yield stream.samples(second * rate, min((second + 1) * rate, stream.num_samples))
        if second < first:
            stream.forget(second)

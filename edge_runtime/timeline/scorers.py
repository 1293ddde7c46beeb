"""The two ways in which `earproof timeline` scores recordings: by second, and by frame.

Each is a `edge_runtime.classify.recording_scorer.RecordingScorer`.
"""

from __future__ import annotations

import argparse
import sys
from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

from edge_runtime.audio.recordings import Recording
from edge_runtime.classify.output_files import decision_text
from edge_runtime.classify.recording_run import describe_model
from edge_runtime.classify.recording_scorer import Row
from edge_runtime.model.classifier import Classifier
from edge_runtime.segments.detecting import Detecting
from edge_runtime.segments.score_stream import score_rows
from edge_runtime.segments.segment import Segment
from edge_runtime.timeline.frame_rows import FrameSegments, frame_rows
from edge_runtime.timeline.row_segments import RowSegments
from edge_runtime.timeline.second_rows import SILENCE, Stamping, second_rows


class _Scorer:
    """What both have in common: which model it is, and how rows and segments are shown."""

    verb = "timeline"
    silence = ""
    num_seconds: int
    num_silent: int

    def __init__(self, classifier: Classifier, args: argparse.Namespace) -> None:
        self.classifier, self.spec, self.args = classifier, classifier.spec, args

    @abstractmethod
    def segments(self) -> list[Segment]:
        """Return the segments of the recording so far."""

    @abstractmethod
    def totals(self) -> dict[str, float]:
        """Return the seconds of each label."""

    def describe_rules(self, rules: dict[str, Any]) -> Row:
        """Return what the output says about the model and about the rules."""
        return {**describe_model(self.classifier, self.args.file), "timeline": rules}

    def row_text(self, row: Row) -> str:
        """Return a row, or the totals, as the table shows them."""
        if "totals" in row:
            return ", ".join(f"{label} {_minutes(seconds)}" for label, seconds in row["totals"].items() if seconds)
        scores = "  ".join(f"{label} {score:.3f}" for label, score in row["scores"].items())
        return f"{decision_text(row['decision']) or '(none)':<16} {scores}"

    def clip(self) -> Row:
        """Return the totals and segments of the recording."""
        segments = [
            {"onset": one.onset, "offset": one.offset, "label": one.label, "score": one.score}
            for one in self.segments()
        ]
        counts = {"merge": "totals", "num_windows": self.num_seconds, "num_silent": self.num_silent}
        return {**counts, "totals": self.totals(), "segments": segments}

    def tell_rate(self, recording: Recording) -> None:
        """Tell that a recording has less than what the model learned from."""
        if recording.sample_rate < self.spec.sample_rate:
            print(
                f"the recording has {recording.sample_rate} Hz, and so nothing above {recording.sample_rate / 2000:g} "
                f"kHz; the model learned from {self.spec.sample_rate} Hz, and its labels are less sure",
                file=sys.stderr,
            )


class SecondScorer(RowSegments, _Scorer):
    """A model of which each second has its labels, and borders are refined."""

    silence = SILENCE

    def __init__(self, classifier: Classifier, args: argparse.Namespace, stamping: Stamping) -> None:
        _Scorer.__init__(self, classifier, args)
        RowSegments.__init__(self, tuple(dict.fromkeys([*self.spec.labels, SILENCE])))
        self.stamping = stamping

    def describe(self) -> Row:
        """Return what the output says about the model and its rules."""
        return self.describe_rules({"threshold": self.stamping.threshold, "refined": self.stamping.refined})

    def rows(self, recording: Recording, first: int) -> Iterator[Row]:
        """Yield a row for each second from number `first` on, in constant memory."""
        self.tell_rate(recording)
        return second_rows(self.classifier, recording, self.stamping, first)


class FrameScorer(FrameSegments, _Scorer):
    """A model that scores frames."""

    def __init__(self, classifier: Classifier, args: argparse.Namespace, detecting: Detecting) -> None:
        _Scorer.__init__(self, classifier, args)
        self.score_rows = score_rows(self.spec, detecting.hop_seconds)
        FrameSegments.__init__(self, self.spec.labels, self.score_rows.row_seconds, detecting)
        self.detecting = detecting

    def describe(self) -> Row:
        """Return what the output says about the model and its rules."""
        return self.describe_rules(
            {
                "frame_seconds": self.score_rows.row_seconds,
                "frame_thresholds": list(self.spec.frame_thresholds),
                "hop_seconds": self.score_rows.hop_rows * self.score_rows.row_seconds,
                "median_frames": self.detecting.median_frames,
                "gap_seconds": self.detecting.gap_seconds,
                "min_seconds": self.detecting.min_seconds,
            }
        )

    def row_text(self, row: Row) -> str:
        """Return the labels of a second with their highest scores: a detector has many that do not sound."""
        if "totals" in row:
            return super().row_text(row)
        return "  ".join(f"{label} {row['scores'][label]:.3f}" for label in row["decision"]) or "(none)"

    def rows(self, recording: Recording, first: int) -> Iterator[Row]:
        """Yield a row for each second from number `first` on, in constant memory."""
        self.tell_rate(recording)
        return frame_rows(self.classifier, recording, self.detecting, first)


def _minutes(seconds: float) -> str:
    """Return a duration as minutes and seconds."""
    minutes, rest = divmod(round(seconds, 1), 60.0)
    return f"{minutes:.0f} min {rest:.1f} s" if minutes else f"{rest:.1f} s"

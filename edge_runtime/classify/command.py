"""The verb `earproof classify`: a table by window, or what a phone would have shown."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edge_runtime.audio.recordings import Decode, Recording
from edge_runtime.classify.output_files import decision_text
from edge_runtime.classify.recording_run import (
    add_recording_arguments,
    describe_model,
    phone_harness,
    run_recordings,
    windowing_of,
)
from edge_runtime.classify.recording_scorer import Row
from edge_runtime.classify.rows import WindowRowMerge, tick_rows, window_rows
from edge_runtime.model.classifier import Classifier
from edge_runtime.model.clip_merge import MERGES
from edge_runtime.phone.harness import displayed
from edge_runtime.scoring.threshold_choice import chosen_thresholds

_TOP_SCORES = 3


def add_classify_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof classify`."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a .tflite file")
    parser.add_argument(
        "audio", type=Path, nargs="+", metavar="AUDIO", help="recordings, any length and rate, or a folder"
    )
    add_recording_arguments(parser)
    parser.add_argument(
        "--merge",
        choices=MERGES,
        help="how windows make the clip: the mean or the maximum of their scores, or the union of the labels that "
        "reach their thresholds, each with the share of windows where it does (default mean)",
    )
    parser.add_argument(
        "--threshold",
        action="append",
        default=[],
        metavar="[LABEL=]SCORE",
        help="from which a label counts, in windows and in the clip (default: the thresholds in the model); where one "
        "label is decided, the highest, only with --merge union, which gives all that reach theirs",
    )


def run_classify(args: argparse.Namespace, decode: Decode | None = None) -> int:
    """Classify the recordings; see `run_recordings`.

    Raises
    ------
    FileNotFoundError, ModelContractError
        The model is not there or is none.
    FileExistsError, ValueError
        As for `run_recordings`; thresholds that are none, or for a model that goes without.
    """
    classifier = Classifier(args.file, args.num_threads)
    if args.threshold:
        spec = classifier.spec
        if spec.activation == "softmax" and args.merge != "union":
            raise ValueError(
                f"{spec.name} has softmax scores, of which the highest counts: --threshold counts with --merge union "
                "alone"
            )
        classifier.use_thresholds(chosen_thresholds(args.threshold, spec.thresholds, spec))
    return run_recordings(_ModelEar(classifier, args), args, decode)


class _ModelEar(WindowRowMerge):
    """One model; see `edge_runtime.classify.recording_scorer.RecordingScorer`."""

    verb = "classify"

    def __init__(self, classifier: Classifier, args: argparse.Namespace) -> None:
        super().__init__(classifier, args.merge or "mean")
        self.classifier, self.spec, self.args = classifier, classifier.spec, args

    def describe(self) -> Row:
        return describe_model(self.classifier, self.args.file)

    def rows(self, recording: Recording, first: int) -> Iterator[Row]:
        args = self.args
        if args.phone:
            return tick_rows(phone_harness(self.classifier, args), recording, first)
        rows = window_rows(self.classifier, recording, windowing_of(args, self.spec), first)
        return map(self._with_set, rows) if args.merge == "union" else rows

    def _with_set(self, row: Row) -> Row:
        """Return a row whose decision is what the union takes from it: every label that reaches its threshold."""
        if row["silent"]:
            return {**row, "decision": ()}
        # In float32, as the scores are: a score of 0.3 shall reach a threshold of 0.3.
        reached = np.array(list(row["scores"].values()), np.float32) >= np.array(self.spec.thresholds, np.float32)
        return {**row, "decision": tuple(np.array(self.spec.labels)[reached].tolist())}

    def row_text(self, row: Row) -> str:
        scores = np.array(list(row["scores"].values()), np.float32)
        if "seconds" in row:
            return "  ".join(f"{label} {score:.3f}" for label, score in displayed(scores, self.spec.labels))
        best = np.argsort(-scores, kind="stable")[:_TOP_SCORES]
        decided = decision_text(row["decision"]) or "(none)"
        return f"{decided:<16} " + "  ".join(f"{self.spec.labels[index]} {scores[index]:.3f}" for index in best)

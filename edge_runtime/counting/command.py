"""The verb `earproof count`: how many sources sound in each window, and which."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edge_runtime.audio.recordings import Decode, Recording
from edge_runtime.audio.windows import Windowing
from edge_runtime.classify.output_files import decision_text
from edge_runtime.classify.recording_run import (
    add_recording_arguments,
    describe_model,
    phone_harness,
    run_recordings,
    windowing_of,
)
from edge_runtime.classify.recording_scorer import Row
from edge_runtime.classify.rows import by_label, level_fields, microphone_recording
from edge_runtime.counting.count_merge import CountedMerge, CountedScores
from edge_runtime.counting.pipeline import COUNT_LABELS, CountedClassifier, CountedStream
from edge_runtime.model.classifier import Classifier
from edge_runtime.model.clip_merge import MERGES

_TOP_SCORES = 3


def add_count_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof count`."""
    parser.add_argument(
        "counter",
        type=Path,
        metavar="COUNTER",
        help=f"a .tflite file with the labels {', '.join(COUNT_LABELS[:2])}, ...",
    )
    parser.add_argument(
        "audio", type=Path, nargs="+", metavar="AUDIO", help="recordings, any length and rate, or a folder"
    )
    for count, word in enumerate(COUNT_LABELS, start=1):
        sources = f"{word} source{'s' if count > 1 else ''}"
        parser.add_argument(
            f"--{word}", type=Path, metavar="FILE", help=f"the .tflite file that names {sources}, as the counter finds"
        )
    add_recording_arguments(parser)
    parser.add_argument(
        "--merge",
        choices=MERGES,
        help="how windows make the clip: the union of the labels that they name, or the count and labels with the "
        "highest mean or maximum of scores (default union)",
    )


def run_count(args: argparse.Namespace, decode: Decode | None = None) -> int:
    """Count and name the sources in the recordings; see `run_recordings`.

    Raises
    ------
    FileNotFoundError, ModelContractError
        A model is not there or is none, or they do not belong together.
    FileExistsError, ValueError
        As for `run_recordings`.
    """
    counter = Classifier(args.counter, args.num_threads)
    paths = {count: path for count, word in enumerate(COUNT_LABELS, 1) if (path := getattr(args, word)) is not None}
    opened = {path: Classifier(path, args.num_threads) for path in dict.fromkeys(paths.values())}  # each file once
    pipeline = CountedClassifier(counter, {count: opened[path] for count, path in paths.items()})
    return run_recordings(_PipelineEar(pipeline, paths, args), args, decode)


class _PipelineEar:
    """A counter and its classifiers; see `edge_runtime.classify.recording_scorer.RecordingScorer`."""

    verb = "count"

    def __init__(self, pipeline: CountedClassifier, paths: dict[int, Path], args: argparse.Namespace) -> None:
        self.pipeline, self.paths, self.args = pipeline, paths, args
        self.spec = pipeline.counter.spec
        self.reset()

    def describe(self) -> Row:
        pipeline = self.pipeline
        return {
            "counts": list(pipeline.counts),
            "labels": list(pipeline.labels),
            "counter": describe_model(pipeline.counter, self.args.counter),
            "classifiers": {
                word: describe_model(pipeline.classifiers[count], self.paths[count])
                for count, word in enumerate(pipeline.counts, start=1)
            },
        }

    def rows(self, recording: Recording, first: int) -> Iterator[Row]:
        if self.args.phone:
            return self._ticks(recording, first)
        return self._windows(recording, windowing_of(self.args, self.spec), first)

    def row_text(self, row: Row) -> str:
        scores = sorted(row["scores"].items(), key=lambda pair: -pair[1])[:_TOP_SCORES]
        decision = decision_text(row["decision"])
        scores_text = "  ".join(f"{label} {score:.3f}" for label, score in scores)
        return f"{row['count']}  {decision:<24} {scores_text}"

    def reset(self) -> None:
        self._merged = CountedMerge(self.args.merge or "union", len(self.pipeline.counts), self.pipeline.labels)

    def take(self, row: Row) -> None:
        count_scores, scores = (np.array(list(row[name].values()), np.float32) for name in ("count_scores", "scores"))
        self._merged.add(CountedScores(row["count"], count_scores, tuple(row["decision"]), scores))

    def clip(self) -> Row:
        merged = self._merged
        head = {"merge": merged.rule, "num_windows": merged.num_windows, "num_silent": merged.num_silent}
        return {**head, **self._fields(merged.clip())}

    def _windows(self, recording: Recording, windowing: Windowing, first: int) -> Iterator[Row]:
        """Yield a row for each window."""
        for window in self.pipeline.classify_recording(recording, windowing, first):
            times = {"start_seconds": window.start_seconds, "end_seconds": window.end_seconds}
            yield {**times, **level_fields(window.level_dbfs, window.is_silent), **self._fields(window.heard)}

    def _ticks(self, recording: Recording, first: int) -> Iterator[Row]:
        """Yield a row for each tick of a phone."""
        stream, harness = CountedStream(self.pipeline), phone_harness(self.pipeline.counter, self.args)
        for tick in harness.windows(microphone_recording(recording, self.spec), first=first):
            level, is_silent, heard = stream.hear(
                tick.samples, tick.start, silence_below_dbfs=harness.silence_below_dbfs
            )
            fields = {**level_fields(level, is_silent), **self._fields(heard)}
            yield {"seconds": tick.seconds, **fields, "lost_samples": tick.lost_samples}

    def _fields(self, heard: CountedScores) -> Row:
        """Return the result for JSON."""
        return {
            "count": heard.count,
            "count_scores": by_label(self.pipeline.counts, heard.count_scores),
            "scores": by_label(self.pipeline.labels, heard.scores),
            "decision": list(heard.labels),
        }

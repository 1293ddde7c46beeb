"""The verb `earshot classify`: a table by window, or what a phone would have shown."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.classifier import Classifier, Decision, WindowResult
from edge_runtime.microphone import PCM_ENCODINGS, to_shorts
from edge_runtime.phone import PhoneHarness, displayed
from edge_runtime.recordings import Decode, load_waveform
from edge_runtime.wav_file import WavFile, is_wav
from edge_runtime.windows import TAILS

DONE, BAD_INPUT = 0, 2
_TOP_SCORES = 3
_PROGRESS_SECONDS = 2.0  # between two notes on a long recording


def add_classify_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earshot classify`."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a .tflite file")
    parser.add_argument("audio", type=Path, nargs="+", metavar="AUDIO", help="recordings, any length and rate")
    parser.add_argument("--hop", type=float, metavar="SECONDS", help="from window to window (default: a window)")
    parser.add_argument("--tail", choices=TAILS, default="pad", help="the end of a recording (default: pad with zeros)")
    parser.add_argument("--phone", action="store_true", help="replay through AudioRecord and its ring buffer instead")
    parser.add_argument("--pcm", choices=PCM_ENCODINGS, default="float", help="the phone's sample path (default float)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--num-threads", type=int, default=1, metavar="N", help="of the interpreter (default 1)")


def run_classify(args: argparse.Namespace, decode: Decode | None = None) -> int:
    """Classify the recordings; one that cannot be read is named and the others go on, with exit code 2.

    Raises
    ------
    FileNotFoundError, ModelContractError
        The model is not there or is none.
    ValueError
        A hop that is not positive.
    """
    classifier = Classifier(args.file, args.num_threads)
    hop = _hop_in_samples(args.hop, classifier)
    documents: list[dict[str, Any]] = []
    for path in args.audio:
        try:
            work = _replay(classifier, path, args, decode) if args.phone else _hear(classifier, path, hop, args, decode)
            documents.append({"file": str(path), **work})
        except (ValueError, OSError) as error:
            print(f"earshot classify: {error}", file=sys.stderr)
            documents.append({"file": str(path), "error": str(error)})
    if args.json:
        print(json.dumps({"model": _describe(classifier, args.file), "recordings": documents}, indent=2))
    return BAD_INPUT if any("error" in document for document in documents) else DONE


def _hear(
    classifier: Classifier, path: Path, hop: int | None, args: argparse.Namespace, decode: Decode | None
) -> dict[str, Any]:
    """Classify one recording window by window; print rows as they come, and return the JSON part."""
    duration, results = _window_results(classifier, path, hop, args.tail, decode)
    _note_short_clip(classifier, path, duration)
    if not args.json:
        print(f"{path}  {duration:.2f} s")
    total, rows = np.zeros(len(classifier.spec.labels)), []
    count, progress = 0, _Progress(path, duration)
    for result in results:
        total, count = total + result.scores, count + 1
        progress.show(result.end_seconds)
        if args.json:
            rows.append(_window_document(classifier, result))
        else:
            span = f"{result.start_seconds:8.2f} - {result.end_seconds:8.2f} s"
            print(f"{span}  {_row(classifier, result.scores, result.decision)}")
    mean = (total / count).astype(np.float32)
    decision = classifier.decide(mean)
    if not args.json:
        print(f"{'clip (mean of ' + str(count) + ')':>21}  {_row(classifier, mean, decision)}")
    clip = {"scores": _by_label(classifier, mean), "decision": decision}
    return {"duration_seconds": duration, "windows": rows, "clip": clip}


def _window_results(
    classifier: Classifier, path: Path, hop: int | None, tail: str, decode: Decode | None
) -> tuple[float, Iterator[WindowResult]]:
    """Return the seconds of a recording and its results: a WAV file in constant memory, others decoded whole."""
    if decode is None or is_wav(path):
        with WavFile(path) as wav:
            duration = wav.num_samples / wav.sample_rate
        return duration, classifier.classify_file(path, hop, tail)
    waveform = load_waveform(path, classifier.spec.sample_rate, decode)
    duration = waveform.size / classifier.spec.sample_rate
    return duration, classifier.classify_windows([waveform], waveform.size, hop, tail)


def _replay(classifier: Classifier, path: Path, args: argparse.Namespace, decode: Decode | None) -> dict[str, Any]:
    """Replay one recording through the phone; print what it shows, and return the JSON part."""
    spec = classifier.spec
    recording = to_shorts(load_waveform(path, spec.sample_rate, decode))
    phone_run = PhoneHarness(classifier=classifier, pcm=args.pcm).run(recording)
    duration = recording.size / spec.sample_rate
    if phone_run.lost_samples:
        print(
            f"{path}: the phone lost {phone_run.lost_samples} of {recording.size} samples: "
            f"twice the window of {spec.window_seconds:g} s does not last from tick to tick",
            file=sys.stderr,
        )
    ticks = []
    if not args.json:
        print(f"{path}  {duration:.2f} s, as a phone hears it")
    for seconds, scores in zip(phone_run.times_seconds.tolist(), phone_run.scores, strict=True):
        shown = displayed(scores, spec.labels)
        ticks.append({"seconds": seconds, "shown": [{"label": label, "score": score} for label, score in shown]})
        if not args.json:
            print(f"{seconds:8.2f} s  " + "  ".join(f"{label} {score:.3f}" for label, score in shown))
    return {"duration_seconds": duration, "lost_samples": phone_run.lost_samples, "ticks": ticks}


def _hop_in_samples(seconds: float | None, classifier: Classifier) -> int | None:
    """Return the hop in samples at the model's rate."""
    if seconds is None:
        return None
    hop = round(seconds * classifier.spec.sample_rate) if 0.0 < seconds < float("inf") else 0
    if hop < 1:
        raise ValueError(f"--hop is {seconds} s; expected a positive time of at least one sample")
    return hop


def _note_short_clip(classifier: Classifier, path: Path, duration: float) -> None:
    """Say on stderr that a clip is padded."""
    if duration < classifier.spec.window_seconds:
        print(
            f"{path}: {duration:.3f} s is shorter than the window of {classifier.spec.window_seconds:g} s; "
            "padded with zeros",
            file=sys.stderr,
        )


def _row(classifier: Classifier, scores: npt.NDArray[np.float32], decision: Decision) -> str:
    """Return the decision and the highest scores."""
    best = np.argsort(-scores, kind="stable")[:_TOP_SCORES]
    told = decision if isinstance(decision, str) else "+".join(decision) or "(none)"
    return f"{told:<16} " + "  ".join(f"{classifier.spec.labels[index]} {scores[index]:.3f}" for index in best)


def _by_label(classifier: Classifier, scores: npt.NDArray[np.float32]) -> dict[str, float]:
    """Return the scores for JSON."""
    return dict(zip(classifier.spec.labels, scores.tolist(), strict=True))


def _window_document(classifier: Classifier, result: WindowResult) -> dict[str, Any]:
    """Return one window for JSON."""
    return {
        "start_seconds": result.start_seconds,
        "end_seconds": result.end_seconds,
        "scores": _by_label(classifier, result.scores),
        "decision": result.decision,
    }


def _describe(classifier: Classifier, path: Path) -> dict[str, Any]:
    """Return what the JSON document says about the model."""
    spec = classifier.spec
    return {
        "file": str(path),
        "name": spec.name,
        "recipe": spec.recipe,
        "labels": spec.labels,
        "activation": spec.activation,
        "thresholds": spec.thresholds,
        "sample_rate": spec.sample_rate,
        "window_length": spec.window_length,
    }


class _Progress:
    """Notes on stderr how far a long recording is."""

    def __init__(self, path: Path, duration: float) -> None:
        self.path, self.duration = path, duration
        self.last = time.monotonic()

    def show(self, seconds: float) -> None:
        """Say where we are, when the last note is a while ago."""
        now = time.monotonic()
        if now - self.last >= _PROGRESS_SECONDS:
            self.last = now
            print(f"{self.path}: {seconds:.0f} of {self.duration:.0f} s", file=sys.stderr)

"""What it saves that overlapping windows share the frames of a front end outside the model.

    python benchmarks/frame_reuse.py [--model SPECTROGRAM.tflite] [AUDIO...]

Ticks over real recordings, each made ready with and without `FrameCache` in turn, so that the ratio is of one
run; with a model, a whole tick too. Without arguments the recordings of data_short are used. Needs the train extra.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge_runtime.front_end.frame_cache import FrameCache
from edge_runtime.front_end.mel import model_input
from edge_runtime.machine.describe import describe_machine, machine_line
from edge_runtime.model.classifier import Classifier
from metadata import MelFrontEnd, ModelSpec
from train.recordings.decoding.decode import decode

FRONT_ENDS = {
    "mel_cnn (n_fft 2048, hop 512, 128 mels), 2 s": (MelFrontEnd(inside_model=False), 32_000),
    "64 log-mels (n_fft 512, hop 160), 1 s": (
        MelFrontEnd(inside_model=False, n_fft=512, hop_length=160, win_length=400, n_mels=64, log="log10"),
        16_000,
    ),
}
TICKS = (0.5, 0.512, 0.25, 0.256, 0.1, 0.128)  # seconds
MAX_TICKS = 300
SAMPLE_RATE = 16_000  # Hz


def main() -> None:
    """Print one row a front end and tick."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("audio", type=Path, nargs="*", help="recordings (default: data_short)")
    parser.add_argument("--model", type=Path, help="a .tflite file that takes a spectrogram: measures whole ticks too")
    args = parser.parse_args()
    paths = args.audio or sorted(Path(__file__).parents[1].glob("data_short/*/*.flac"))
    audio = np.concatenate([decode(path, SAMPLE_RATE) for path in paths])
    print(f"{'front end':<46}{'tick s':>7}{'ticks':>7}{'reused':>8}{'without ms':>12}{'with ms':>9}{'ratio':>7}")
    for name, (front_end, window_length) in FRONT_ENDS.items():
        spec = spec_of(front_end, window_length)
        for tick in TICKS:
            print_row(name, spec, tick, audio, lambda features: None)
    if args.model:
        classifier = Classifier(args.model)
        for tick in TICKS:
            print_row(f"whole tick of {args.model.name}"[:45], classifier.spec, tick, audio, invoke_with(classifier))
    print(machine_line(describe_machine()))


def invoke_with(classifier: Classifier) -> Callable[[np.ndarray], None]:
    """Return a function that classifies what the front end made."""

    def invoke(features: np.ndarray) -> None:
        classifier.load_input(features)
        classifier.invoke()
        classifier.read_scores()

    return invoke


def print_row(name: str, spec: ModelSpec, tick: float, audio: np.ndarray, then: Callable[[np.ndarray], None]) -> None:
    """Measure one tick length: with and without the cache in turn, and compare every bit."""
    hop, cache = round(tick * SAMPLE_RATE), FrameCache(spec)
    starts = range(0, audio.size - spec.window_length, hop)[:MAX_TICKS]
    without, shared = [], []
    for start in starts:
        window = audio[start : start + spec.window_length]
        begin = time.perf_counter_ns()
        alone = model_input(window, spec)
        then(alone)
        middle = time.perf_counter_ns()
        together = cache.model_input(window, start)
        then(together)
        end = time.perf_counter_ns()
        if alone.tobytes() != together.tobytes():
            raise SystemExit(f"{name}: the tick at sample {start} differs with the cache")
        without.append((middle - begin) / 1e6)
        shared.append((end - middle) / 1e6)
    reused = cache.reused_frames / (cache.reused_frames + cache.computed_frames)
    before, after = np.median(without[1:]), np.median(shared[1:])  # the first window has nothing to share
    ratio = after / before
    print(f"{name:<46}{tick:>7g}{len(starts):>7}{reused:>8.0%}{before:>12.3f}{after:>9.3f}{ratio:>7.2f}")


def spec_of(front_end: MelFrontEnd, window_length: int) -> ModelSpec:
    """Return the spec of a model that takes what this front end makes."""
    return ModelSpec(
        name="front end alone",
        version="1",
        description="",
        sample_rate=SAMPLE_RATE,
        window_length=window_length,
        labels=("a", "b"),
        activation="softmax",
        thresholds=(0.5, 0.5),
        front_end=front_end,
    )


if __name__ == "__main__":
    main()

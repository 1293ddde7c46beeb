"""Compare earproof's files with what TensorFlow's own converter makes of the same weights: time and scores.

    python benchmarks/converter.py [--runs DIR] [--num-runs 300] [AUDIO...]

Without --runs the networks have random weights, their normalizations adapted to the audio: good for times and errors,
while decisions hang on differences in the last digits. With it the trainings DIR/waveform_cnn and DIR/mel_cnn are
taken, as earproof build leaves them. Without AUDIO the windows come from data_short. Calibration takes every other
window, the comparison the rest. One thread. Needs the train extra.

TensorFlow's files come by the road of Keras' own export, static input, float or with `Optimize.DEFAULT` and a
representative dataset of the same calibration windows; a conversion with an open batch is a little slower still. Times
are from a window in memory to scores in memory. Candidates take turns of 20 windows, so that a busy moment of the
machine hits all of them.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy and TensorFlow: one thread for every candidate
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

import train.layers.registered  # noqa: F401
from convert.export.float_export import converted, export_float
from convert.export.input_forms import spectrogram_form
from convert.quantization.calibration import CalibrationSet, choose_calibration
from convert.quantization.quantize import quantize
from convert.recipes import find_recipe
from convert.winograd.fast_convolution import with_fast_convolutions
from edge_runtime.audio.windows import cut_windows
from edge_runtime.machine.describe import describe_machine, machine_line
from edge_runtime.model.interpreter import open_interpreter
from train.fitting.backend import native_output_to
from train.layers.librosa_mel import librosa_mel
from train.models import mel_cnn, waveform_cnn
from train.recordings.decoding.decode import decode

SAMPLE_RATE = 16_000  # Hz
WINDOW_LENGTH = 32_000  # samples
NUM_LABELS = 3
QUIETER = np.float32(10.0 ** (-30 / 20))  # 30 dB
ARENA_BYTES = 30 * 2**20
TURN = 20  # windows
WARMUP_RUNS = 3  # at the start of each turn: the caches hold what ran before

Way = Callable[[np.ndarray], np.ndarray]  # (window_length,) -> (n_labels,)


@dataclass
class Candidate:
    """One way from a window to scores."""

    name: str
    way: Way
    reference: str = ""  # name of the candidate that it is to be faster than
    goal: float = 0.0  # times
    samples_ms: list[float] = field(default_factory=list)

    @property
    def p50_ms(self) -> float:
        """Median of the measured runs."""
        return float(np.median(self.samples_ms))


def main() -> None:
    """Print one table a model."""
    args = arguments()
    paths = args.audio or sorted(Path(__file__).parents[1].glob("data_short/*/*.flac"))
    clips = [decode(path, SAMPLE_RATE) for path in paths]
    windows = np.concatenate([cut_windows(clip, WINDOW_LENGTH, WINDOW_LENGTH, "align") for clip in clips])
    heard, test = windows[::2], windows[1::2]
    calibration = choose_calibration(heard, np.zeros(len(heard), int), num_windows=200)
    for name, candidates_of in (("waveform_cnn", waveform_candidates), ("mel_cnn", mel_candidates)):
        model = load_or_make(name, args.runs, heard)
        candidates = candidates_of(model, calibration)
        measure(candidates, test, args.num_runs)
        report(name, model, candidates, test)
    origin = f"trained, {args.runs}" if args.runs else "random weights, normalizations adapted to the audio"
    print(f"{origin}; {len(heard)} windows for calibration, {len(test)} compared; {args.num_runs} runs; one thread")
    print(machine_line(describe_machine()))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("audio", type=Path, nargs="*", help="recordings (default: data_short)")
    parser.add_argument("--runs", type=Path, help="folder of trainings (default: random weights)")
    parser.add_argument("--num-runs", type=int, default=300, help="measured runs of each candidate (default 300)")
    return parser.parse_args()


def load_or_make(name: str, runs: Path | None, windows: np.ndarray) -> keras.Model:
    """Return a trained model, or a random one whose normalizations have seen the audio."""
    if runs is not None:
        return keras.saving.load_model(runs / name / "model.keras")
    keras.utils.set_random_seed(0)
    model = {"waveform_cnn": waveform_cnn, "mel_cnn": mel_cnn}[name].build(NUM_LABELS)
    for begin in range(0, 20 * 16, 16):  # the moving statistics forget their start at a rate of 0.9 a step
        model(windows[np.arange(begin, begin + 16) % len(windows)], training=True)
    return model


def waveform_candidates(model: keras.Model, calibration: CalibrationSet) -> list[Candidate]:
    """Our float and int8 file, each against TensorFlow's own."""
    ours = export_float(model)
    return [
        Candidate("TensorFlow float32", of_file(export_float(model, fast=False))),
        Candidate("TensorFlow int8", of_file(tensorflow_int8(model, calibration))),
        Candidate("earproof float32", of_file(with_fast_convolutions(ours)), "TensorFlow float32", 1.3),
        Candidate("earproof int8", of_file(quantize(ours, find_recipe("int8"), calibration)), "TensorFlow int8", 8.0),
    ]


def mel_candidates(model: keras.Model, calibration: CalibrationSet) -> list[Candidate]:
    """Our whole files, window to scores, against librosa and the plain network."""
    plain = of_file(export_float(spectrogram_form(model), fast=False))
    settings = mel_cnn.front_end(mel_cnn.DEFAULT_VARIANT)
    ours = export_float(model)
    with_librosa = "librosa + TensorFlow float32"
    return [
        Candidate(with_librosa, lambda window: plain(librosa_mel(window, settings, SAMPLE_RATE))),
        Candidate("earproof float32", of_file(with_fast_convolutions(ours)), with_librosa, 2.0),
        Candidate("earproof int8", of_file(quantize(ours, find_recipe("int8"), calibration)), "earproof float32", 1.5),
    ]


def tensorflow_int8(model: keras.Model, calibration: CalibrationSet) -> bytes:
    """TensorFlow's own static int8 file of the layers as they are, float input and output."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder, native_output_to(Path(folder) / "log"):
        return converted(
            model,
            (1, WINDOW_LENGTH),
            optimizations=[tf.lite.Optimize.DEFAULT],
            representative_dataset=lambda: ([window[np.newaxis]] for window in calibration.windows),
        )


def of_file(content: bytes) -> Way:
    """Open a file; the way sets its input, invokes, and reads the scores."""
    interpreter = open_interpreter(content)
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]["index"]

    def run(values: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(source["index"], values.reshape(source["shape"]))
        interpreter.invoke()
        return interpreter.get_tensor(target)[0]

    return run


def measure(candidates: list[Candidate], windows: np.ndarray, num_runs: int) -> None:
    """Time single runs, the candidates in turn."""
    np.ones(
        ARENA_BYTES, np.uint8
    )  # freed at once: from then on glibc keeps librosa's arrays mapped, which is its best case
    for start in range(0, num_runs, TURN):
        for candidate in candidates:
            for number in range(start - WARMUP_RUNS, min(start + TURN, num_runs)):
                begin = time.perf_counter()
                candidate.way(windows[number % len(windows)])
                if number >= start:
                    candidate.samples_ms.append((time.perf_counter() - begin) * 1e3)


def report(name: str, model: keras.Model, candidates: list[Candidate], windows: np.ndarray) -> None:
    """Print times, ratios, and how far the scores are from those of Keras."""
    times = {candidate.name: candidate.p50_ms for candidate in candidates}
    sets = [windows, windows * QUIETER]
    expected = [model.predict(one, verbose=0) for one in sets]
    print(f"{name:<30}{'p50 ms':>9}{'faster':>9}{'goal':>7}{'max abs error':>16}{'agreement':>11}{'30 dB down':>12}")
    for candidate in candidates:
        scores = [np.stack([candidate.way(window) for window in one]) for one in sets]
        agree = [np.mean(a.argmax(1) == b.argmax(1)) for a, b in zip(scores, expected, strict=True)]
        ratio = f"{times[candidate.reference] / candidate.p50_ms:.2f}x" if candidate.reference else ""
        goal = f"{candidate.goal:g}x" if candidate.goal else ""
        error = np.abs(scores[0] - expected[0]).max()
        row = f"{candidate.name:<30}{candidate.p50_ms:>9.3f}{ratio:>9}{goal:>7}{error:>16.1e}"
        print(f"{row}{agree[0]:>11.3f}{agree[1]:>12.3f}")
    print()


if __name__ == "__main__":
    main()

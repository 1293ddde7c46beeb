"""Compare the four mel front ends with librosa: error and time a window.

    python benchmarks/mel_front_end.py [AUDIO...]

Without arguments the recordings of data_short are used. Needs the train extra.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy: one thread for every candidate
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from convert.export.float_export import export_float
from edge_runtime.audio.windows import cut_windows
from edge_runtime.front_end.mel import mel_spectrogram
from edge_runtime.machine.describe import describe_machine, machine_line
from edge_runtime.model.interpreter import open_interpreter
from edge_runtime.parity.levels import FRONT_END_TOLERANCE, front_end_parity
from metadata import MelFrontEnd
from train.layers.librosa_mel import librosa_mel
from train.layers.mel_layers import mel_layer
from train.recordings.decoding.decode import decode

SAMPLE_RATE = 16_000  # Hz
WINDOW_LENGTH = 32_000  # samples
MAX_WINDOWS = 200
NUM_RUNS = 100
FRONT_END = MelFrontEnd()

FrontEnd = Callable[[np.ndarray], np.ndarray]  # (window_length,) -> (n_mels, n_frames)


def main() -> None:
    """Print one row a front end."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("audio", type=Path, nargs="*", help="recordings (default: data_short)")
    paths = parser.parse_args().audio or sorted(Path(__file__).parents[1].glob("data_short/*/*.flac"))
    clips = [decode(path, SAMPLE_RATE) for path in paths]
    windows = np.concatenate([cut_windows(clip, WINDOW_LENGTH, WINDOW_LENGTH, "align") for clip in clips])[:MAX_WINDOWS]
    reference = np.stack([librosa_mel(window, FRONT_END, SAMPLE_RATE) for window in windows])
    layer = keras_layer()
    candidates: dict[str, FrontEnd] = {
        "librosa": lambda window: librosa_mel(window, FRONT_END, SAMPLE_RATE),
        "NumPy": lambda window: mel_spectrogram(window, FRONT_END, SAMPLE_RATE),
        "Keras layer": lambda window: np.asarray(layer(window[np.newaxis]))[0],
        "exported graph": exported_graph(layer),
    }
    print(f"{'front end':<16}{'relative error':>16}{'p50 ms':>10}{'p95 ms':>10}")
    for name, front_end in candidates.items():
        result = front_end_parity(reference, np.stack([front_end(window) for window in windows]), name)
        p50, p95 = np.percentile(times_ms(front_end, windows), (50, 95))
        print(f"{name:<16}{result.measures['relative_error']:>16.2e}{p50:>10.3f}{p95:>10.3f}")
    print(f"{len(windows)} windows of {WINDOW_LENGTH / SAMPLE_RATE:g} s; tolerance {FRONT_END_TOLERANCE:g}; one thread")
    print(machine_line(describe_machine()))


def keras_layer() -> keras.Model:
    """The layer as a model of its own."""
    audio = keras.Input((WINDOW_LENGTH,), name="audio")
    return keras.Model(audio, mel_layer(FRONT_END, SAMPLE_RATE)(audio), name="front_end")


def exported_graph(layer: keras.Model) -> FrontEnd:
    """The layer as the `.tflite` graph that ships."""
    interpreter = open_interpreter(export_float(layer))
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def run(window: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(source, window[np.newaxis])
        interpreter.invoke()
        return interpreter.get_tensor(target)[0]

    return run


def times_ms(front_end: FrontEnd, windows: np.ndarray) -> list[float]:
    """Time single runs; the calls that measured the error were the warm-up."""
    samples = []
    for number in range(NUM_RUNS):
        begin = time.perf_counter_ns()
        front_end(windows[number % len(windows)])
        samples.append((time.perf_counter_ns() - begin) / 1e6)
    return samples


if __name__ == "__main__":
    main()

"""What the source counter's LSTMs cost as a model file: written out by Keras, by `convert.export.two_way_lstm`, and
quantized.

The weights are random, as they decide neither size nor time. Times are the smallest of all runs, one thread, the files
in turn; memory is what a process of its own gains by opening the file and running it once.

    python benchmarks/recurrent_forms.py [--runs 100]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from convert.export.float_export import export_float
from convert.graph.model_graph import read_graph
from convert.quantization.calibration import choose_calibration
from convert.quantization.quantize import quantize
from convert.recipes import find_recipe
from edge_runtime.model.interpreter import open_interpreter
from metadata.gate.model_check import check_model
from train.fitting.backend import load_keras
from train.models import source_counter

NUM_CALIBRATION_WINDOWS = 20
_MEMORY = """
import sys, numpy
from edge_runtime.model.interpreter import import_runtime, open_interpreter
model = open(sys.argv[1], "rb").read()
import_runtime()
resident = lambda: int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
before = resident()
interpreter = open_interpreter(model)
interpreter.invoke()
print(resident() - before)
"""


def main() -> None:
    """Print one row a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100, help="runs of each file (default: 100)")
    args = parser.parse_args()
    files = _files()
    times = _smallest_ms(files, args.runs)
    print("| form | made in (CPU s) | bytes | operators | check (ms) | invoke (ms) | memory (MB) |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, (content, seconds) in files.items():
        begin = time.process_time()
        check_model(content)
        check_ms = (time.process_time() - begin) * 1000
        operators = len(read_graph(content).operations)
        cells = f"{seconds:.1f} | {len(content)} | {operators} | {check_ms:.0f} | {times[name]:.2f}"
        print(f"| {name} | {cells} | {_memory_mb(content):.0f} |", flush=True)


def _files() -> dict[str, tuple[bytes, float]]:
    """Return each form and the processor time it took to make."""
    keras = load_keras()
    keras.utils.set_random_seed(0)
    model = source_counter.build(2)
    windows = np.random.default_rng(0).normal(0, 0.1, (NUM_CALIBRATION_WINDOWS, 80_000)).astype(np.float32)
    calibration = choose_calibration(windows, np.arange(len(windows)) % 2, len(windows), seed=0)
    files = {
        "float32, unrolled by Keras": _timed(lambda: export_float(model, fast=False)),
        "float32": _timed(lambda: export_float(model)),
    }
    ours = files["float32"][0]
    for recipe in ("float16", "dynamic_int8", "int8"):
        fed = calibration if find_recipe(recipe).needs_calibration else None
        files[recipe] = _timed(lambda recipe=recipe, fed=fed: quantize(ours, find_recipe(recipe), fed))
    return files


def _timed(make) -> tuple[bytes, float]:
    """Return what is made, and the processor time that took, in seconds."""
    begin = time.process_time()
    return make(), time.process_time() - begin


def _smallest_ms(files: dict[str, tuple[bytes, float]], runs: int) -> dict[str, float]:
    """Return the shortest run of each file, the files in turn."""
    interpreters = {name: open_interpreter(content) for name, (content, _) in files.items()}
    window = np.random.default_rng(1).normal(0, 0.1, (1, 80_000)).astype(np.float32)
    taken: dict[str, list[float]] = {name: [] for name in files}
    for _ in range(runs):
        for name, interpreter in interpreters.items():
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window)
            begin = time.perf_counter()
            interpreter.invoke()
            taken[name].append((time.perf_counter() - begin) * 1000)
    return {name: min(samples) for name, samples in taken.items()}


def _memory_mb(content: bytes) -> float:
    """Return the resident memory that a file takes in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(content)
        command = [sys.executable, "-c", _MEMORY, str(path)]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    main()

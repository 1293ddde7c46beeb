"""What the networks of the five systems cost: parameters, multiplications, size and time, float32 and int8.

    python benchmarks/five_systems.py [--num-runs 60] [--only NAME...]

Networks have random weights, and int8 is calibrated on noise: good for all that depends on the network's form alone.
Times are from a window in memory to scores in memory, on one thread, the files in turn, so that a busy moment of the
machine hits all of them. Multiplications are those of one window, front end included, before Winograd's form saves any.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from convert.export.float_export import export_float
from convert.quantization.calibration import CalibrationSet, choose_calibration
from convert.quantization.quantize import quantize
from convert.recipes import find_recipe
from convert.winograd.fast_convolution import stored_form
from edge_runtime.bench.multiplications import multiply_accumulates
from edge_runtime.machine.describe import describe_machine, machine_line
from edge_runtime.model.interpreter import open_interpreter
from train.fitting.backend import seed_everything
from train.models import model_module

NETWORKS = (  # system, whose network, model, variant, labels
    ("speech, song, silence: waveform", "published", "waveform_cnn", "android", 3),
    ("speech, song, silence: waveform", "ours", "waveform_cnn", "level", 3),
    ("speech, song, silence: mel", "published", "mel_cnn", "power", 3),
    ("speech, song, silence: mel", "ours", "mel_cnn", "log", 3),
    ("labels of mixed sounds", "published", "isocc", "mixed", 10),
    ("labels of mixed sounds", "ours", "mixed_cnn", "labels", 10),
    ("number of sources", "published", "source_counter", "two", 2),
    ("number of sources", "ours", "mixed_cnn", "two", 2),
    ("time stamps", "published", "timeline", "published", 3),
    ("time stamps", "ours", "timeline", "small", 3),
    ("sound events", "published", "event_crnn", "published", 10),
    ("sound events", "ours", "event_crnn", "small", 10),
)
RECIPES = ("float32", "int8")
NUM_CALIBRATION = 8  # windows of noise


@dataclass
class File:
    """One file of a network, and what it cost so far."""

    recipe: str
    content: bytes
    run: Callable[[], None]
    samples_ms: list[float] = field(default_factory=list)


@dataclass
class Network:
    """A network with its files."""

    system: str
    whose: str
    name: str
    seconds: float
    parameters: int
    products: int
    files: list[File]


def main() -> None:
    """Make all files, time them in turn, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--num-runs", type=int, default=60, help="measured runs of each file (default 60)")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="models such as timeline (default: all)")
    args = parser.parse_args()
    networks = [make(*one) for one in NETWORKS if not args.only or one[2] in args.only]
    files = [file for network in networks for file in network.files]
    for number in range(-1, args.num_runs):  # the first turn warms up
        for file in files:
            begin = time.perf_counter()
            file.run()
            if number >= 0:
                file.samples_ms.append(1000.0 * (time.perf_counter() - begin))
    print(
        "| system | network | window (s) | parameters | multiply-accumulates (million) | kB: float32, int8 | p50 ms |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for network in networks:
        sizes = ", ".join(f"{len(file.content) / 1000:,.0f}" for file in network.files)
        times = ", ".join(f"{np.median(file.samples_ms):.2f}" for file in network.files)
        print(
            f"| {network.system} | {network.whose}: {network.name} | {network.seconds:g} | {network.parameters:,} | "
            f"{network.products / 1e6:,.1f} | {sizes} | {times} |"
        )
    print(f"{args.num_runs} runs, one thread; {machine_line(describe_machine())}")


def make(system: str, whose: str, name: str, variant: str, num_labels: int) -> Network:
    """Build a network and make its files."""
    seed_everything(0)
    module = model_module(name)
    length, rate = module.window_length(variant), module.sample_rate(variant)
    model = module.build(num_labels, variant)
    plain = export_float(model)
    noise = np.random.default_rng(0).normal(0.0, 0.1, (NUM_CALIBRATION, length)).astype(np.float32)
    calibration = choose_calibration(noise, np.arange(NUM_CALIBRATION), NUM_CALIBRATION)
    files = [File(recipe, *_stored(plain, recipe, calibration, noise[:1])) for recipe in RECIPES]
    return Network(
        system, whose, f"{name} {variant}", length / rate, model.count_params(), multiply_accumulates(plain), files
    )


def _stored(
    plain: bytes, recipe_name: str, calibration: CalibrationSet, window: np.ndarray
) -> tuple[bytes, Callable[[], None]]:
    """A file as a recipe stores it, and what runs it once on a window."""
    recipe = find_recipe(recipe_name)
    content = stored_form(plain, recipe)
    if recipe_name != "float32":
        content = quantize(content, recipe, calibration)
    interpreter = open_interpreter(content)
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]["index"]

    def run() -> None:
        interpreter.set_tensor(source["index"], window)
        interpreter.invoke()
        interpreter.get_tensor(target)

    return content, run


if __name__ == "__main__":
    main()

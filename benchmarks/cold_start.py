"""Process start to first label, and the size of what is installed: ours, MediaPipe's and tflite-support's.

    python benchmarks/cold_start.py FILE.tflite [--audio CLIP.wav] [--num-runs 15] [--out RESULT.json]

The same file and the same window everywhere. Each run is a fresh process that imports, opens the file, classifies and
prints the label; the contenders take turns, after one round that is thrown away, so that all libraries are in the
system's file cache and a busy moment hits all alike. The time ends when the label has been read. `nice -n -20` before
the command keeps other work out of it.

The environments: `device` is what `./setup.sh device` installs, `newest` what `pip install .` resolves to today, each a
fresh venv made here; MediaPipe's and tflite-support's are those of `tests/clients/make_clients.py`. Size is that of all
files over an empty venv of the same Python. FILE must take a waveform, or the other two refuse it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from edge_runtime.audio.wav_bytes import wav_bytes
from edge_runtime.bench.compare import median_ratio_interval
from edge_runtime.bench.input_audio import load_bench_audio
from edge_runtime.machine.describe import describe_machine, machine_line
from edge_runtime.machine.state import read_machine_state, state_line
from edge_runtime.model.classifier import Classifier
from edge_runtime.tables import align
from metadata.atomic_file import write_atomically

REPOSITORY = Path(__file__).resolve().parents[1]
CACHE = REPOSITORY / ".cache"
SOURCES = ("metadata", "edge_runtime", "train", "convert", "earproof.py", "pyproject.toml", "README.md", "LICENSE")
NUM_RUNS = 15
TIME_GOALS = {"mediapipe": 0.25, "tflite_support": 0.6}  # of their cold start
SIZE_GOAL = 0.25  # of MediaPipe's environment
MB = 1e6

# Each gets the model file, a file of float32 samples, the sample rate, and a WAV file of the same samples.
PROGRAMS = {
    "Classifier": (
        "import sys, numpy as np; from edge_runtime import Classifier; "
        "samples = np.fromfile(sys.argv[2], np.float32); "
        "print(Classifier(sys.argv[1]).classify(samples, int(sys.argv[3])).decision, flush=True)"
    ),
    "earproof classify": "import sys, earproof; earproof.main(['classify', sys.argv[1], sys.argv[4]])",
    "mediapipe": (
        "import sys, numpy as np\n"
        "from mediapipe.tasks.python import BaseOptions, audio\n"
        "from mediapipe.tasks.python.components.containers import AudioData\n"
        "options = audio.AudioClassifierOptions(base_options=BaseOptions(model_asset_path=sys.argv[1]))\n"
        "classifier = audio.AudioClassifier.create_from_options(options)\n"
        "data = AudioData.create_from_array(np.fromfile(sys.argv[2], np.float32), float(sys.argv[3]))\n"
        "print(classifier.classify(data)[0].classifications[0].categories[0].category_name, flush=True)"
    ),
    "tflite_support": (
        "import sys, numpy as np\n"
        "from tflite_support.task import audio\n"
        "classifier = audio.AudioClassifier.create_from_file(sys.argv[1])\n"
        "tensor = classifier.create_input_tensor_audio()\n"
        "tensor.load_from_array(np.fromfile(sys.argv[2], np.float32)[:, np.newaxis])\n"
        "print(classifier.classify(tensor).classifications[0].categories[0].category_name, flush=True)"
    ),
}


def main() -> int:
    """Measure and print; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, metavar="FILE.tflite")
    parser.add_argument("--audio", type=Path, nargs=1, default=[], metavar="WAV", help="default: golden windows")
    parser.add_argument("--num-runs", type=int, default=NUM_RUNS, metavar="N", help=f"of each (default {NUM_RUNS})")
    parser.add_argument("--dir", type=Path, default=CACHE / "clients", help="environments of make_clients.py")
    parser.add_argument("--device-dir", type=Path, default=CACHE / "device", help="where ours are made, anew each time")
    parser.add_argument("--out", type=Path, metavar="RESULT.json")
    args = parser.parse_args()
    pythons = make_environments(args.device_dir, args.dir)
    contenders = {
        "Classifier (device)": (pythons["device"], "Classifier"),
        "Classifier (newest)": (pythons["newest"], "Classifier"),
        "earproof classify (device)": (pythons["device"], "earproof classify"),
        "mediapipe": (pythons["mediapipe"], "mediapipe"),
        "tflite_support": (pythons["tflite_support"], "tflite_support"),
    }
    with tempfile.TemporaryDirectory() as folder:
        inputs = write_inputs(args.file, args.audio, Path(folder))
        times = measure(contenders, inputs, args.num_runs)
    sizes = {name: environment_bytes(python) for name, python in pythons.items()}
    ratios = compare(times)
    print("\n".join([*format_times(times, ratios), "", *format_sizes(sizes)]))
    print(f"{args.file.name}, {args.num_runs} processes each, in turn; {machine_line(describe_machine())}")
    print(state_line(read_machine_state()))
    if args.out is not None:
        document = {"times_ms": times, "ratios": ratios, "bytes": sizes, "machine": describe_machine()}
        write_atomically(args.out, json.dumps(document, indent=2).encode())
    return int(not goals_reached(ratios, sizes))


def make_environments(folder: Path, clients: Path) -> dict[str, Path]:
    """Return the Python of each environment; ours are made anew, as are those of the clients where they are missing."""
    make_clients = REPOSITORY / "tests" / "clients" / "make_clients.py"
    made = subprocess.run(
        [sys.executable, make_clients, "--dir", clients], stdout=subprocess.PIPE, text=True, check=True
    )
    pythons = {name: Path(python) for name, python in (line.split("\t") for line in made.stdout.splitlines())}
    version = subprocess.run(
        [pythons["mediapipe"], "-c", "import sys; print(sys._base_executable)"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    shutil.rmtree(folder, ignore_errors=True)
    with tempfile.TemporaryDirectory() as source:
        copy_sources(Path(source))
        pinned = ["--constraint", str(REPOSITORY / "constraints-device.txt")]
        for name, arguments in (("device", [*pinned, source]), ("newest", [source]), ("empty", [])):
            pythons[name] = make_venv(folder / name, version.stdout.strip(), arguments)
    return pythons


def copy_sources(folder: Path) -> None:
    """Copy what is installed, so that a build leaves nothing in the repository."""
    for name in SOURCES:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)


def make_venv(folder: Path, python: str, arguments: list[str]) -> Path:
    """Make an environment with what pip installs for these arguments; return its Python."""
    print(f"making {folder}", file=sys.stderr)
    subprocess.run([python, "-m", "venv", folder], check=True)
    made = folder / "bin" / "python"
    if arguments:
        command = [made, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
        subprocess.run(command, check=True, stdout=sys.stderr)
    return made


def write_inputs(model: Path, recordings: list[Path], folder: Path) -> list[str]:
    """Write one window in both forms; return the arguments of a program."""
    classifier = Classifier(model)
    rate = classifier.spec.sample_rate
    shorts = np.rint(load_bench_audio(model, classifier, recordings, rate).windows[0] * 32767).astype("<i2")
    (folder / "samples").write_bytes((shorts / np.float32(32768)).astype(np.float32).tobytes())
    (folder / "window.wav").write_bytes(wav_bytes(shorts, rate))
    return [str(model.resolve()), str(folder / "samples"), str(rate), str(folder / "window.wav")]


def measure(contenders: dict[str, tuple[Path, str]], inputs: list[str], num_runs: int) -> dict[str, list[float]]:
    """Return the milliseconds of each run of each contender, which take turns; all must name the same label."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    labels = {}
    for turn in range(num_runs + 1):
        for name, (python, program) in contenders.items():
            label, milliseconds = run_once([str(python), "-c", PROGRAMS[program], *inputs])
            labels[name] = label
            if turn:
                times[name].append(milliseconds)
    said = {label for name, label in labels.items() if "earproof" not in name}
    if len(said) > 1:
        raise RuntimeError(f"the contenders disagree: {labels}")
    return times


def run_once(command: list[str]) -> tuple[str, float]:
    """Start a process; return what it says first, and the milliseconds until that was read."""
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryDirectory() as elsewhere:
        begin = time.perf_counter_ns()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, cwd=elsewhere) as process:
            label = process.stdout.readline() if process.stdout else b""
            milliseconds = (time.perf_counter_ns() - begin) / 1e6
            process.communicate()
        if process.returncode or not label:
            errors.seek(0)
            raise RuntimeError(f"{command[0]} ended with {process.returncode}: {errors.read().decode()[-2000:]}")
    return label.decode().strip(), milliseconds


def environment_bytes(python: Path) -> int:
    """Return the bytes of all files in an environment."""
    root = python.parents[1]
    files = (Path(folder) / name for folder, _, names in os.walk(root) for name in names)
    return sum(path.stat().st_size for path in files if not path.is_symlink())


def compare(times: dict[str, list[float]]) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Return ratio of medians and its 95 % interval, ours against each of the others."""
    ratios: dict[str, dict[str, tuple[float, float, float]]] = {}
    for name in (name for name in times if name not in TIME_GOALS):
        ratios[name] = {}
        for other in TIME_GOALS:
            interval, _ = median_ratio_interval(times[other], times[name])
            ratios[name][other] = (float(np.median(times[name]) / np.median(times[other])), *interval)
    return ratios


def format_times(times: dict[str, list[float]], ratios: dict[str, dict[str, tuple[float, float, float]]]) -> list[str]:
    """One row a contender."""
    rows = [("process start to first label, ms", "p50", "p90", "max", "of mediapipe's", "of tflite_support's")]
    for name, samples in times.items():
        p50, p90 = np.percentile(samples, (50, 90))
        told = [f"{ratio:.3f} [{low:.3f}, {high:.3f}]" for ratio, low, high in ratios.get(name, {}).values()] or [
            "",
            "",
        ]
        rows.append((name, f"{p50:.0f}", f"{p90:.0f}", f"{max(samples):.0f}", told[0], told[1]))
    goals = ("goal", "", "", "", *(f"at most {goal}" for goal in TIME_GOALS.values()))
    return align([*rows, goals])


def format_sizes(sizes: dict[str, int]) -> list[str]:
    """One row an environment."""
    rows = [("installed, over an empty venv", "MB", "of mediapipe's")]
    for name, size in sizes.items():
        if name != "empty":
            ratio = (size - sizes["empty"]) / (sizes["mediapipe"] - sizes["empty"])
            rows.append((name, f"{(size - sizes['empty']) / MB:.1f}", f"{ratio:.3f}"))
    return align([*rows, ("goal for device", "", f"at most {SIZE_GOAL}")])


def goals_reached(ratios: dict[str, dict[str, tuple[float, float, float]]], sizes: dict[str, int]) -> bool:
    """Whether the device install is as quick and as small as it shall be."""
    ours = ratios["Classifier (device)"]
    size = (sizes["device"] - sizes["empty"]) / (sizes["mediapipe"] - sizes["empty"])
    return size <= SIZE_GOAL and all(ours[other][0] <= goal for other, goal in TIME_GOALS.items())


if __name__ == "__main__":
    sys.exit(main())

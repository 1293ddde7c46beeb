"""The C front end of spectrogram-form files against Python's on real recordings, and TensorFlow Lite Micro's scores.

    python benchmarks/microcontroller.py FILE.tflite... [--micro-python PYTHON] [--audio AUDIO...]

Linear front ends are compared in parts of a window's largest value. Logarithms are compared as they are, in bands
at most 60 dB below the loudest bin of their frame. `--micro-python` is an interpreter in whose environment tflite-micro
is installed. Sizes for a Cortex-M4 are printed where arm-none-eabi-gcc is there, and instructions of a column where
qemu-system-arm is there too. Needs gcc and the train extra.
"""

from __future__ import annotations

import argparse
import ctypes
import dataclasses
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge_runtime.audio.sample_format import to_floats, to_shorts
from edge_runtime.front_end.mel import model_input, stft_spectrogram
from edge_runtime.front_end.mel_filters import mel_filter_bank
from edge_runtime.machine.describe import describe_machine, machine_line
from edge_runtime.microcontroller.c_array import make_project
from edge_runtime.microcontroller.front_end_source import front_end_sources, shared_sources
from edge_runtime.microcontroller.front_end_tables import front_end_tables
from edge_runtime.model.classifier import Classifier
from edge_runtime.tables import markdown_table
from metadata.gate.model_check import check_model
from metadata.microcontroller.arena_plan import plan_arena
from metadata.spec import MelFrontEnd, ModelSpec, replace_spec
from train.recordings.decoding.decode import decode

DATA = Path(__file__).resolve().parents[1] / "../shared/data"
LOGS = {"none": {}, "log10": {"log": "log10", "log_floor": 1e-10}, "ln_plus": {"log": "ln_plus", "log_floor": 1e-3}}
KINDS = {"float": "m_front_end", "fixed": "m_front_end_fixed"}
MICRO_WINDOWS = 20
FPU = ("-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
CORTEX_M4 = ("arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-std=gnu99")
BOARD = Path(__file__).parent / "cortex_m4"
EMULATOR = ("qemu-system-arm", "-M", "mps2-an386", "-nographic", "-icount", "shift=6")
SEMIHOSTING = ("-semihosting-config", "enable=on,target=native")
IN_MICRO = """
import json, sys, numpy as np
from tflite_micro.python.tflite_micro import runtime
interpreter = runtime.Interpreter.from_file(sys.argv[1], arena_size=int(sys.argv[3]))
scores = []
for window in np.load(sys.argv[2]):
    interpreter.set_input(window.reshape(interpreter.get_input_details(0)["shape"]), 0)
    interpreter.invoke()
    scores.append(interpreter.get_output(0).ravel().tolist())
interpreter.print_allocations()
print("SCORES" + json.dumps(scores))
"""

Window = Callable[[np.ndarray], np.ndarray]  # int16 samples -> (n_bands, n_frames)


def main() -> None:
    """Print a table of errors, one of what TensorFlow Lite Micro does, and one of sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE.tflite")
    parser.add_argument("--micro-python", metavar="PYTHON", help="where tflite-micro is installed")
    parser.add_argument("--audio", type=Path, nargs="+", help="recordings (default: every 20th of ../shared/data)")
    args = parser.parse_args()
    paths = args.audio or sorted(path for suffix in ("wav", "flac") for path in DATA.rglob(f"*.{suffix}"))[::20]
    if not paths:
        print("skipped: no recordings given, and ../shared/data is not there")
        return
    errors, micro, sizes, columns = [], [], [], []
    for file in args.files:
        classifier = Classifier(file)
        if classifier.spec.input_is_waveform:
            print(f"skipped: {file} takes samples, and has no front end in C")
            continue
        windows = first_windows(paths, classifier.spec)
        errors += error_rows(file.stem, classifier, windows)
        micro += micro_rows(file, classifier, windows, args.micro_python) if args.micro_python else []
        sizes += size_rows(file.stem, classifier.spec)
        columns += column_rows(file)
    print_table(("file", "log", "arithmetic", "windows", "median", "largest", "score", "ms a window"), errors)
    print_table(
        ("file", "head planned", "head", "tail planned", "tail", "to LiteRT", "to its reference kernels"), micro
    )
    print_table(("file", "arithmetic", "code", "tables", "RAM of a frame", "RAM of a stream"), sizes)
    print_table(("file", "floating-point unit", "arithmetic", "error of the check", "instructions a column"), columns)
    print(machine_line(describe_machine()))


def first_windows(paths: list[Path], spec: ModelSpec) -> np.ndarray:
    """The first window of each recording that is long enough, int16."""
    clips = [to_shorts(decode(path, spec.sample_rate)) for path in paths]
    return np.stack([clip[: spec.window_length] for clip in clips if clip.size >= spec.window_length])


def error_rows(name: str, classifier: Classifier, windows: np.ndarray) -> list[tuple[str, ...]]:
    """One row for each logarithm and arithmetic."""
    rows = []
    for log, change in LOGS.items() if isinstance(classifier.spec.front_end, MelFrontEnd) else [("none", {})]:
        spec = replace_spec(classifier.spec, front_end=dataclasses.replace(classifier.spec.front_end, **change))
        expected = [model_input(to_floats(window), spec) for window in windows]
        for kind in KINDS:
            compute = compiled(spec, kind)
            begin = time.perf_counter()
            made = [compute(window) for window in windows]
            milliseconds = 1e3 * (time.perf_counter() - begin) / len(windows)
            found = [error(*triple, spec) for triple in zip(made, expected, windows, strict=True)]
            score = score_difference(classifier, made, expected) if log == "none" else "-"
            errors = (f"{np.median(found):.1e}", f"{max(found):.1e}")
            rows.append((name, log, kind, str(len(windows)), *errors, score, f"{milliseconds:.2f}"))
    return rows


def error(made: np.ndarray, expected: np.ndarray, window: np.ndarray, spec: ModelSpec) -> float:
    """The largest difference in a window."""
    front_end = spec.front_end
    log = front_end.log if isinstance(front_end, MelFrontEnd) else "none"
    difference = np.abs(made - expected)
    if log == "none":
        return float(difference.max() / max(expected.max(), 1e-30))
    lowest = lowest_compared(window, spec)
    near = expected >= (np.log10(lowest) if log == "log10" else np.log(lowest))
    return float(difference[near].max(initial=0.0))


def lowest_compared(window: np.ndarray, spec: ModelSpec) -> np.ndarray:
    """What each band would hold of a spectrum that is 60 dB below the loudest bin of the frame."""
    front_end = spec.front_end
    spectrum = stft_spectrogram(to_floats(window), front_end)
    weights = mel_filter_bank(front_end, spec.sample_rate).sum(axis=1)
    return np.maximum(weights[:, np.newaxis] * spectrum.max(axis=0) * 1e-3**front_end.power, front_end.log_floor)


def score_difference(classifier: Classifier, made: list[np.ndarray], expected: list[np.ndarray]) -> str:
    """The largest difference that the front end makes to a score of the model."""
    differences = [
        np.abs(scores_of(classifier, one) - scores_of(classifier, right)).max()
        for one, right in zip(made, expected, strict=True)
    ]
    return f"{max(differences):.1e}"


def scores_of(classifier: Classifier, features: np.ndarray) -> np.ndarray:
    """Scores of a spectrogram."""
    classifier.load_input(features)
    classifier.invoke()
    return classifier.read_scores()


def compiled(spec: ModelSpec, kind: str) -> Window:
    """The C front end of a spec, compiled for this machine and loaded."""
    tables = front_end_tables(spec)
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (shared_sources() | front_end_sources("m", tables)).items():
            Path(folder, name).write_text(text, encoding="utf-8")
        command = [
            "gcc",
            "-std=c99",
            "-O2",
            "-shared",
            "-fPIC",
            "-o",
            f"{folder}/m.so",
            *Path(folder).glob("*.c"),
            "-lm",
        ]
        subprocess.run(command, check=True)
        library = ctypes.CDLL(f"{folder}/m.so")
    front_end = ctypes.byref(ctypes.c_char.in_dll(library, KINDS[kind]))
    work = np.empty(tables.work_bytes // 8, np.uint64)

    def run(window: np.ndarray) -> np.ndarray:
        out = np.empty((tables.n_bands, tables.n_frames), np.float32)
        samples = np.ascontiguousarray(window, np.int16)
        library.ep_window(front_end, *(ctypes.c_void_p(values.ctypes.data) for values in (samples, work, out)))
        return out

    return run


def micro_rows(file: Path, classifier: Classifier, windows: np.ndarray, python: str) -> list[tuple[str, ...]]:
    """The arena as planned and as it is, and how far the scores are from LiteRT's."""
    plan = plan_arena(check_model(file.read_bytes()))
    features = np.stack([model_input(to_floats(window), classifier.spec) for window in windows[:MICRO_WINDOWS]])
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/input.npy", features)
        command = [python, "-c", IN_MICRO, str(file), f"{folder}/input.npy", str(plan.total)]
        done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines = done.stdout.splitlines()
    head, tail = (next(line.split()[-2] for line in lines if f"allocation {part}" in line) for part in ("head", "tail"))
    scores = json.loads(next(line for line in lines if line.startswith("SCORES")).removeprefix("SCORES"))
    differences = []
    for one in (classifier, Classifier(file, use_xnnpack=False)):
        ours = np.array([scores_of(one, window) for window in features])
        differences.append(f"{np.abs(np.array(scores) - ours).max():.1e}")
    return [(file.stem, f"{plan.head:,}", f"{int(head):,}", f"{plan.tail:,}", f"{int(tail):,}", *differences)]


def size_rows(name: str, spec: ModelSpec) -> list[tuple[str, ...]]:
    """Bytes on a Cortex-M4; code is that of ours, without the C library's."""
    if shutil.which("arm-none-eabi-gcc") is None:
        return []
    tables = front_end_tables(spec)
    sources = shared_sources() | front_end_sources("m", tables)
    with tempfile.TemporaryDirectory() as folder:
        for source, text in sources.items():
            Path(folder, source).write_text(text, encoding="utf-8")
        codes = [cortex_text(Path(folder, f"earproof_front_end{ending}.c")) for ending in ("", "_fixed")]
        data = [cortex_text(Path(folder, f"m_front_end{ending}.c")) for ending in ("", "_fixed")]
    ram = (f"{tables.work_bytes:,}", f"{4 * tables.stream_floats + 2 * tables.recent_samples:,}")
    # The window loop and the stream are in the first file, which integers need too.
    return [
        (name, "float", f"{codes[0]:,}", f"{data[0]:,}", *ram),
        (name, "fixed", f"{sum(codes):,}", f"{data[1]:,}", *ram),
    ]


def cortex_text(source: Path) -> int:
    """Bytes of code and constants in a C file."""
    target = source.with_suffix(".o")
    subprocess.run([*CORTEX_M4, *FPU, "-Os", "-c", source, "-o", target], check=True)
    done = subprocess.run(["arm-none-eabi-size", target], check=True, text=True, stdout=subprocess.PIPE)
    return int(done.stdout.splitlines()[1].split()[0])


def column_rows(file: Path) -> list[tuple[str, ...]]:
    """Error of the check and instructions of a column on an emulated Cortex-M4, with its floating-point unit or not."""
    if not all(map(shutil.which, ("arm-none-eabi-gcc", "qemu-system-arm"))):
        return []
    content = check_model(file.read_bytes())
    rows = []
    for unit, flags in (("yes", FPU), ("no", ("-mfloat-abi=soft",))):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in make_project(content, Classifier(content).spec, "m").files.items():
                Path(folder, name).write_text(text, encoding="utf-8")
            sources = [*BOARD.glob("*.c"), *Path(folder).glob("*.c")]
            script = ("--specs=rdimon.specs", "-T", BOARD / "memory.ld", f"-I{folder}", "-o", f"{folder}/m.elf")
            subprocess.run([*CORTEX_M4, *flags, "-O2", *script, *sources, "-lm"], check=True)
            command = [*EMULATOR, *SEMIHOSTING, "-kernel", f"{folder}/m.elf"]
            done = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE)
        for line in done.stdout.splitlines():
            kind, error, instructions = line.split()
            rows.append((file.stem, unit, kind, error, f"{int(instructions):,}"))
    return rows


def print_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print rows, where there are some."""
    if rows:
        print("\n".join(markdown_table([head, *rows])), end="\n\n")


if __name__ == "__main__":
    main()

"""The verb `earproof bench`: what model files cost on this machine, and two such results against each other."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.audio.recordings import Decode
from edge_runtime.audio.resampling import resample
from edge_runtime.audio.sample_format import to_shorts
from edge_runtime.bench.cold_start import COLD_RUNS, ColdStart, measure_cold_start
from edge_runtime.bench.compare import compare_results, format_comparison
from edge_runtime.bench.input_audio import STAND_IN, BenchAudio, load_bench_audio
from edge_runtime.bench.latency import NUM_RUNS, WARMUP_RUNS, measure_latency
from edge_runtime.bench.operator_profile import OperatorProfile, OperatorTime, format_profile, profile_operators
from edge_runtime.bench.result import format_document, make_document, read_document
from edge_runtime.bench.sustained import SustainedRun, run_sustained
from edge_runtime.front_end.mel import model_input
from edge_runtime.machine.describe import describe_machine
from edge_runtime.machine.state import read_machine_state
from edge_runtime.model.classifier import Classifier
from edge_runtime.options import check_out_file, model_files
from metadata.atomic_file import write_atomically
from metadata.plural import counted

DONE = 0
Draw = Callable[[dict[str, Any], Path], None]
"""Draws a document of `earproof bench` into a PNG file; a device has nothing that could."""


class ThreadCounts(tuple[int, ...]):
    """Numbers of threads, written with commas between them."""

    def __str__(self) -> str:
        return ",".join(map(str, self))


def add_bench_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof bench`."""
    parser.epilog = (
        "`earproof bench compare A.json B.json` compares two results that --out wrote; "
        "`earproof bench plot RESULT.json` draws one. The names are those of TFLite's benchmark_model."
    )
    parser.add_argument(
        "files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help=".tflite files, or a folder of them",
    )
    parser.add_argument(
        "--audio",
        type=Path,
        nargs="+",
        default=[],
        metavar="AUDIO",
        help="recordings to cut windows of (default: the golden windows that a build left beside its files)",
    )
    parser.add_argument(
        "--sample-rate",
        type=int,
        metavar="HZ",
        help="at which samples come in; other than the model's, resampling counts as end to end "
        "(default: that of the first recording)",
    )
    parser.add_argument("--num-runs", type=int, default=NUM_RUNS, metavar="N", help=f"measured (default {NUM_RUNS})")
    parser.add_argument("--warmup-runs", type=int, default=WARMUP_RUNS, metavar="N", help=f"(default {WARMUP_RUNS})")
    parser.add_argument(
        "--num-threads",
        "--threads",
        type=_thread_counts,
        default=ThreadCounts((1,)),
        metavar="N,N",
        help="of the interpreter; several are measured one after the other, such as 1,2,4 (default 1)",
    )
    parser.add_argument(
        "--cold-runs",
        type=int,
        default=COLD_RUNS,
        metavar="N",
        help=f"fresh processes for cold start and memory, 0 for none (default {COLD_RUNS})",
    )
    parser.add_argument(
        "--sustained", type=float, metavar="MINUTES", help="then classify every 500 ms for so long, and count misses"
    )
    parser.add_argument(
        "--enable-op-profiling", action="store_true", help="then take the time of each operator, where LiteRT offers it"
    )
    _add_output_arguments(parser)


def add_bench_compare_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof bench compare`."""
    for name in ("a", "b"):
        parser.add_argument(name, type=Path, metavar=f"{name.upper()}.json", help="a result of earproof bench --out")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the resampling (default 0)")
    _add_output_arguments(parser)


def add_bench_plot_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof bench plot`."""
    parser.add_argument("result", type=Path, metavar="RESULT.json", help="a result of earproof bench --out")
    parser.add_argument("--out", type=Path, metavar="PICTURE.png", help="the picture (default: RESULT.png beside it)")
    parser.add_argument("--force", action="store_true", help="overwrite the picture")


def _add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where a document goes."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="write the JSON document, every sample included")
    parser.add_argument("--force", action="store_true", help="overwrite the file that --out names")


def run_bench(args: argparse.Namespace, decode: Decode | None = None) -> int:
    """Measure the files one after the other and print tables.

    Raises
    ------
    FileExistsError
        The file of --out is there and --force is not given.
    FileNotFoundError, ModelContractError, ValueError
        A file or recording that is not there or not usable.
    RuntimeError
        A fresh process failed.
    """
    if args.out is not None:
        check_out_file(args.out, args.force)
    document = _measure(args, decode)
    text = json.dumps(document, indent=2)
    if args.out is not None:
        write_atomically(args.out, text.encode("utf-8"))
    print(text if args.json else _format(document))
    return DONE


def run_bench_compare(args: argparse.Namespace, decode: Decode | None = None) -> int:
    """Compare two results.

    Raises
    ------
    FileExistsError
        The file of --out is there and --force is not given.
    FileNotFoundError, ValueError
        A result that is not there or is none, or two that have nothing in common.
    """
    if args.out is not None:
        check_out_file(args.out, args.force)
    comparison = compare_results(read_document(args.a), read_document(args.b), args.seed)
    text = json.dumps(comparison.as_dict(), indent=2)
    if args.out is not None:
        write_atomically(args.out, text.encode("utf-8"))
    print(text if args.json else f"A: {args.a}\nB: {args.b}\n{format_comparison(comparison)}")
    return DONE


def run_bench_plot(args: argparse.Namespace, decode: Decode | None = None, draw: Draw | None = None) -> int:
    """Draw a result.

    Raises
    ------
    FileExistsError
        The picture is there and --force is not given.
    FileNotFoundError, ValueError
        A result that is not there or is none.
    RuntimeError
        Nothing is installed that draws.
    """
    out = args.out or args.result.with_suffix(".png")
    check_out_file(out, args.force)
    document = read_document(args.result)
    if draw is None:
        raise RuntimeError(
            "matplotlib is not installed here, which a device install leaves out; "
            "take the JSON file to where it is, or install it: ./setup.sh in earproof's repository"
        )
    draw(document, out)
    print(out)
    return DONE


def _measure(args: argparse.Namespace, decode: Decode | None) -> dict[str, Any]:
    """Measure every file with every number of threads."""
    if args.cold_runs < 0:
        raise ValueError(f"--cold-runs is {args.cold_runs}; expected 0 or more fresh processes")
    if args.sustained is not None and not 0.0 < args.sustained < float("inf"):
        raise ValueError(f"--sustained is {args.sustained} minutes; expected a positive time")
    # All faults before any measuring.
    files = model_files(args.files)
    opened = [(path, threads, Classifier(path, threads)) for path in files for threads in args.num_threads]
    work = [(*one, load_bench_audio(one[0], one[2], args.audio, args.sample_rate, decode)) for one in opened]
    if any(audio.source == STAND_IN for *_, audio in work):
        print(f"no --audio given and no golden windows found: measuring with a {STAND_IN}", file=sys.stderr)
    if args.sustained is not None:
        print(f"the sustained runs alone take {args.sustained * len(work):g} minutes", file=sys.stderr)
    before = read_machine_state()
    entries = [_measure_file(path, classifier, audio, args) for path, _, classifier, audio in work]
    return make_document(describe_machine(), before, read_machine_state(), entries)


def _measure_file(path: Path, classifier: Classifier, audio: BenchAudio, args: argparse.Namespace) -> dict[str, Any]:
    """Measure one file with one number of threads."""
    _tell(path, classifier, f"{args.warmup_runs} + {counted(args.num_runs, 'run')}")
    report = measure_latency(classifier, audio.windows, args.num_runs, args.warmup_runs, audio.sample_rate)
    cold = _cold_start(path, classifier, audio, args.cold_runs)
    # The profiler runs on one thread whatever we say, so once a file.
    is_first = classifier.num_threads == args.num_threads[0]
    operators = _operators(path, classifier, audio) if args.enable_op_profiling and is_first else None
    sustained = _sustained(path, classifier, audio, args.sustained) if args.sustained is not None else None
    return {
        "file": str(path),
        "audio": audio.source if isinstance(audio.source, str) else list(audio.source),
        "audio_sha256": hashlib.sha256(audio.windows.tobytes()).hexdigest(),
        "model_sample_rate": classifier.spec.sample_rate,
        **report.as_dict(),
        "cold_start": None if cold is None else cold.as_dict(),
        "operators": None if operators is None else operators.as_dict(),
        "sustained": None if sustained is None else sustained.as_dict(),
    }


def _cold_start(path: Path, classifier: Classifier, audio: BenchAudio, num_runs: int) -> ColdStart | None:
    """Start fresh processes, where they are wanted."""
    if num_runs == 0:
        return None
    _tell(path, classifier, f"{num_runs} fresh processes")
    return measure_cold_start(path, audio.windows[0], audio.sample_rate, classifier.num_threads, num_runs)


def _operators(path: Path, classifier: Classifier, audio: BenchAudio) -> OperatorProfile:
    """Take the time of each operator."""
    _tell(path, classifier, "time of each operator")
    details = classifier.interpreter.get_input_details()[0], classifier.interpreter.get_output_details()[0]
    if any(tensor["dtype"] != np.float32 for tensor in details):
        return OperatorProfile(reason="not offered for a model with integer input or output")
    features = model_input(_model_windows(classifier, audio)[0], classifier.spec)
    return profile_operators(path, features.reshape(details[0]["shape"]), details[1]["shape"].tolist())


def _sustained(path: Path, classifier: Classifier, audio: BenchAudio, minutes: float) -> SustainedRun:
    """Classify at the phone's pace, with the joined windows as the sound at the microphone."""
    _tell(path, classifier, f"{minutes:g} minutes at a tick every 500 ms")
    recording = to_shorts(_model_windows(classifier, audio).reshape(-1))
    return run_sustained(classifier, recording, classifier.spec.sample_rate, minutes * 60)


def _model_windows(classifier: Classifier, audio: BenchAudio) -> Any:
    """Return the windows at the model's rate, shape (n_windows, window_length)."""
    spec = classifier.spec
    if audio.sample_rate == spec.sample_rate:
        return audio.windows
    windows = [resample(window, audio.sample_rate, spec.sample_rate) for window in audio.windows]
    return np.stack([window[: spec.window_length] for window in windows])


def _format(document: dict[str, Any]) -> str:
    """Return the tables, and the operators where they were asked for."""
    profiles = [
        f"{entry['file']}: {format_profile(_read_profile(entry['operators']))}"
        for entry in document["files"]
        if entry["operators"]
    ]
    return "\n\n".join([*profiles, format_document(document)])


def _read_profile(values: dict[str, Any]) -> OperatorProfile:
    """Return the profile that a document holds."""
    operators = tuple(OperatorTime(**operator) for operator in values["operators"])
    return OperatorProfile(operators=operators, num_runs=values["num_runs"], reason=values["reason"])


def _tell(path: Path, classifier: Classifier, what: str) -> None:
    """Say on stderr what is being measured."""
    print(f"{path}: {what}, {classifier.num_threads} thread(s)", file=sys.stderr)


def _thread_counts(text: str) -> ThreadCounts:
    """Read numbers of threads such as 1,2,4."""
    try:
        counts = ThreadCounts(int(word) for word in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no list of numbers; expected such as 1,2,4") from None
    if min(counts) < 1 or len(set(counts)) < len(counts):
        raise argparse.ArgumentTypeError(f"{text!r} names a number below 1 or twice; expected such as 1,2,4")
    return counts

"""The verb `earshot bench`: what model files cost on this machine."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.classifier import Classifier
from edge_runtime.latency import NUM_RUNS, WARMUP_RUNS, LatencyReport, LatencySummary, measure_latency
from edge_runtime.machine import describe_machine, machine_line
from edge_runtime.recordings import Decode, load_waveform
from edge_runtime.speech_like import speech_like
from edge_runtime.windows import cut_windows
from metadata.atomic_file import write_atomically

DONE = 0
_MAX_WINDOWS = 100  # that take turns; more only cost memory
_STAND_IN_WINDOWS = 10
_STAND_IN = "synthetic speech-like signal"


def add_bench_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earshot bench`."""
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE", help=".tflite files")
    parser.add_argument(
        "--audio", type=Path, nargs="+", default=[], metavar="AUDIO", help="recordings to cut windows of"
    )
    parser.add_argument("--num-runs", type=int, default=NUM_RUNS, metavar="N", help=f"measured (default {NUM_RUNS})")
    parser.add_argument("--warmup-runs", type=int, default=WARMUP_RUNS, metavar="N", help=f"(default {WARMUP_RUNS})")
    parser.add_argument("--num-threads", type=int, default=1, metavar="N", help="of the interpreter (default 1)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="write the JSON document, every sample included")
    parser.add_argument("--force", action="store_true", help="overwrite the file that --out names")


def run_bench(args: argparse.Namespace, decode: Decode | None = None) -> int:
    """Measure the files one after the other and print a table.

    Raises
    ------
    FileExistsError
        The file of --out is there and --force is not given.
    FileNotFoundError, ModelContractError, ValueError
        A file or recording that is not there or not usable.
    """
    if args.out is not None:
        _check_out(args.out, args.force)
    classifiers = [Classifier(path, args.num_threads) for path in args.files]  # all faults before any measuring
    if not args.audio:
        print(f"no --audio given: measuring with a {_STAND_IN}", file=sys.stderr)
    reports = []
    for path, classifier in zip(args.files, classifiers, strict=True):
        print(f"{path}: {args.warmup_runs} + {args.num_runs} runs", file=sys.stderr)
        windows = bench_windows(classifier, args.audio, decode)
        reports.append((path, measure_latency(classifier, windows, args.num_runs, args.warmup_runs)))
    document = json.dumps(_document(reports, args.audio), indent=2)
    if args.out is not None:
        write_atomically(args.out, document.encode("utf-8"))
    print(document if args.json else format_table(reports))
    return DONE


def bench_windows(
    classifier: Classifier, recordings: list[Path], decode: Decode | None = None
) -> npt.NDArray[np.float32]:
    """Return windows of the recordings, or of a stand-in where there are none, shape (n_windows, window_length)."""
    spec = classifier.spec
    if not recordings:
        clips = [speech_like(_STAND_IN_WINDOWS * spec.window_seconds, spec.sample_rate)]
    else:
        clips = [load_waveform(path, spec.sample_rate, decode) for path in recordings]
    windows = [cut_windows(clip, spec.window_length, spec.window_length, "align") for clip in clips]
    return np.concatenate(windows)[:_MAX_WINDOWS]


def format_table(reports: list[tuple[Path, LatencyReport]]) -> str:
    """Return the reports as a table, with the machine under it."""
    rows = [("file", "recipe", "KiB", "invoke ms p50/p95/p99", "end-to-end ms p50/p95/p99", "cold start ms", "RTF")]
    for path, report in reports:
        rows.append(
            (
                path.name,
                report.recipe,
                f"{report.model_bytes / 1024:.0f}",
                _three(report.invoke),
                _three(report.end_to_end),
                f"{report.cold_start_ms:.1f}",
                f"{report.real_time_factor:.5f}",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    first = reports[0][1]
    lines.append(
        f"{first.num_runs} runs after {first.warmup_runs} warm-up runs, {first.num_threads} thread(s); "
        "RTF: mean end-to-end over window length"
    )
    lines.append(machine_line(first.machine))
    return "\n".join(lines)


def _check_out(path: Path, force: bool) -> None:
    """Refuse, before anything is measured, a file that could not be written after it."""
    if path.exists() and not force:
        raise FileExistsError(f"{path} exists; expected a new file, or --force to overwrite it")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} for {path.name} does not exist; make it first")


def _three(summary: LatencySummary) -> str:
    """Return the percentiles that count."""
    return f"{summary.p50_ms:.3f} / {summary.p95_ms:.3f} / {summary.p99_ms:.3f}"


def _document(reports: list[tuple[Path, LatencyReport]], recordings: list[Path]) -> dict[str, Any]:
    """Return everything that was measured for JSON."""
    return {
        "machine": describe_machine(),
        "audio": [str(path) for path in recordings] or _STAND_IN,
        "files": [{"file": str(path), **report.as_dict()} for path, report in reports],
    }

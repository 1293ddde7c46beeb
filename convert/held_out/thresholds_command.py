"""The verb `earproof thresholds`: from which score on labels count in longer recordings."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from convert.held_out.shared import (
    add_report_arguments,
    check_splits,
    claim_report_folder,
    open_held_out,
    tell_report,
)
from edge_runtime.options import add_silence_argument, hop_in_samples
from train.mixtures.arrangement import ARRANGEMENTS
from train.tasks.task import MAX_MIXTURES

DONE = 0
REPORT_JSON, REPORT_MARKDOWN = "thresholds.json", "thresholds.md"
HOP_SECONDS = 1.0


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof thresholds`."""
    parser.add_argument(
        "run",
        type=Path,
        metavar="RUN",
        help="the folder of the file's training: it says which recordings were trained on",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a multi-label .tflite file")
    parser.add_argument(
        "--arrange",
        choices=ARRANGEMENTS,
        action="append",
        help="two clips of 5 s with 2 s in common, end to end, or 2 s apart; repeatable (default: all three)",
    )
    parser.add_argument(
        "--hop", type=float, default=HOP_SECONDS, metavar="SECONDS", help=f"window to window (default {HOP_SECONDS:g})"
    )
    add_silence_argument(parser, "windows")
    parser.add_argument(
        "--most",
        type=int,
        default=MAX_MIXTURES,
        metavar="N",
        help=f"recordings of each kind, spread over all pairs of labels (default {MAX_MIXTURES})",
    )
    add_report_arguments(parser, f"{REPORT_MARKDOWN} and {REPORT_JSON}")


def run(verb: str, args: argparse.Namespace) -> int:
    """Hear the held-out recordings, choose and report.

    Raises
    ------
    FileNotFoundError
        The file or the run is not there.
    FileExistsError, NotADirectoryError
        As for `claim_folder`.
    ModelContractError, ValueError
        A file that tells one label a window, whose labels are not those of the recordings, that was trained on another
        split of them, or whose window is longer than a recording.
    """
    from convert.held_out.threshold_report import describe_thresholds, format_thresholds, score_arranged
    from edge_runtime.audio.level import check_silence_limit
    from edge_runtime.machine.describe import describe_machine, machine_line
    from edge_runtime.model.classifier import Classifier
    from metadata.errors import ModelContractError

    if args.most < 1:
        raise ValueError(f"--most is {args.most}; expected at least 1 recording")
    check_silence_limit(args.silence_below)
    classifier = Classifier(args.file, args.num_threads)
    spec = classifier.spec
    if spec.activation != "sigmoid":
        raise ModelContractError(
            f"{spec.name} has {spec.activation} scores; expected sigmoid: only a model of several labels has thresholds"
        )
    hop = hop_in_samples(args.hop, spec) or spec.window_length
    chosen = [name for name in ARRANGEMENTS if name in (args.arrange or ARRANGEMENTS)]
    shortest = min(ARRANGEMENTS[name].length_s for name in chosen)
    if spec.window_seconds > shortest:
        raise ValueError(
            f"{spec.name} has windows of {spec.window_seconds:g} s; expected windows of {shortest:g} s at most"
        )
    _, clips = open_held_out(args.run, args.cache, spec.labels)
    for note in check_splits(clips, {args.file: classifier}):
        print(f"earproof {verb}: {note}", file=sys.stderr)
    folder = claim_report_folder(args)
    validation, test = (
        {name: score_arranged(classifier, clips, side, name, hop, args.most) for name in chosen}
        for side in ("val", "test")
    )
    machine = describe_machine()
    report: dict[str, Any] = {
        "file": str(args.file),
        "run": str(args.run),
        "hop_seconds": args.hop,
        "silence_below_dbfs": args.silence_below,
        "machine": machine,
        **describe_thresholds(validation, test, spec.thresholds, args.silence_below),
    }
    best = report["chosen"]
    silence = "" if args.silence_below is None else f" --silence-below {args.silence_below:g}"
    rule = "union" if best["merge"] == "maximum" else best["merge"]
    command = f"earproof classify {args.file} AUDIO --hop {args.hop:g} --merge {rule} --threshold {best['threshold']:g}"
    lines = [
        f"# {spec.name}: thresholds for longer recordings",
        "",
        f"- file: `{args.file}`",
        f"- recordings: two clips of one side of `{args.run}`",
        f"- windows: {spec.window_seconds:g} s every {args.hop:g} s",
        "",
        *format_thresholds(report),
        f"To classify so: `{command}{silence}`",
        "",
        machine_line(machine),
    ]
    tell_report(report, lines, (REPORT_MARKDOWN, REPORT_JSON), folder, args.json)
    return DONE

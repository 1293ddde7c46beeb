"""The verb `earproof pipeline`: a report on a source counter and its classifiers, on held-out recordings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from convert.held_out.shared import (
    add_report_arguments,
    check_splits,
    claim_report_folder,
    open_held_out,
    tell_report,
)
from edge_runtime.counting.pipeline import COUNT_LABELS
from train.tasks.task import MAX_MIXTURES

DONE = 0
REPORT_JSON, REPORT_MARKDOWN, PICTURE = "pipeline.json", "pipeline.md", "pipeline.png"
SIDES = ("test", "val")


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof pipeline`."""
    from train.settings import MIXTURE_NORMALIZATIONS

    parser.add_argument(
        "run",
        type=Path,
        metavar="RUN",
        help="the folder of the counter's training: it says which recordings were trained on",
    )
    parser.add_argument("counter", type=Path, metavar="COUNTER", help="the counter's .tflite file")
    for count, word in enumerate(COUNT_LABELS, start=1):
        sources = f"{word} source{'s' if count > 1 else ''}"
        parser.add_argument(f"--{word}", type=Path, metavar="FILE", help=f"the .tflite file that names {sources}")
    parser.add_argument(
        "--plain", type=Path, metavar="FILE", help="a multi-label .tflite file to compare with, window by window"
    )
    parser.add_argument("--split", choices=SIDES, default=SIDES[0], help="side of the recordings (default test)")
    parser.add_argument(
        "--most",
        type=int,
        default=MAX_MIXTURES,
        metavar="N",
        help=f"mixtures of each number of sources, spread over all pairs of labels (default {MAX_MIXTURES})",
    )
    parser.add_argument(
        "--normalization",
        choices=MIXTURE_NORMALIZATIONS,
        help="of the parts of a mixture: to the volume of which (default: as the counter was trained)",
    )
    add_report_arguments(parser, f"{REPORT_MARKDOWN}, {REPORT_JSON} and {PICTURE}")


def run(verb: str, args: argparse.Namespace) -> int:
    """Hear the held-out windows and report.

    Raises
    ------
    FileNotFoundError
        A file or the run is not there.
    FileExistsError, NotADirectoryError
        As for `claim_folder`.
    ModelContractError, ValueError
        Files that do not belong together, or that were trained on another split of recordings.
    """
    from convert.held_out.pipeline_picture import plot_pipeline
    from convert.held_out.pipeline_report import check_plain, decide_windows, describe_pipeline, format_pipeline
    from edge_runtime.counting.pipeline import CountedClassifier
    from edge_runtime.machine.describe import describe_machine, machine_line
    from edge_runtime.model.classifier import Classifier
    from train.tasks.held_out_mixtures import held_out_mixtures

    if args.most < 1:
        raise ValueError(f"--most is {args.most}; expected at least 1 mixture")
    paths = {word: path for word in COUNT_LABELS if (path := getattr(args, word)) is not None}
    files = {path: Classifier(path, args.num_threads) for path in {args.counter, *paths.values()}}
    classifiers = {COUNT_LABELS.index(word) + 1: files[path] for word, path in paths.items()}
    pipeline = CountedClassifier(files[args.counter], classifiers)
    plain = Classifier(args.plain, args.num_threads) if args.plain else None
    if plain is not None:
        check_plain(pipeline, plain)
        files[args.plain] = plain
    spec, clips = open_held_out(args.run, args.cache, pipeline.labels)
    normalization = args.normalization or spec.provenance.training.get("normalization", "pair")
    for note in check_splits(clips, files):
        print(f"earproof {verb}: {note}", file=sys.stderr)
    folder = claim_report_folder(args)
    length = pipeline.counter.spec.window_length
    numbers = range(1, len(pipeline.counts) + 1)
    sets = [held_out_mixtures(clips, args.split, number, length, args.most, normalization) for number in numbers]
    machine = describe_machine()
    report: dict[str, Any] = {
        "counter": str(args.counter),
        "classifiers": {word: str(path) for word, path in paths.items()},
        "plain": str(args.plain) if args.plain else None,
        "run": str(args.run),
        "split": args.split,
        "normalization": normalization,
        "machine": machine,
        **describe_pipeline(
            [decide_windows(pipeline, plain, tested) for tested in sets], pipeline.counts, pipeline.labels
        ),
    }
    lines = [
        f"# {pipeline.counter.spec.name} and the classifiers that it chooses",
        "",
        *(f"- {name}: `{path}`" for name, path in _named_files(args, paths).items()),
        f"- recordings: the {args.split} side of `{args.run}`, volumes by normalization `{normalization}`",
        "",
        *format_pipeline(report),
        "",
        machine_line(machine),
    ]
    if folder is not None:
        plot_pipeline(report, folder / PICTURE, pipeline.counter.spec.name)
    tell_report(report, lines, (REPORT_MARKDOWN, REPORT_JSON), folder, args.json)
    return DONE


def _named_files(args: argparse.Namespace, paths: Mapping[str, Path]) -> dict[str, Path]:
    """The files by what they do, for people."""
    named = {"counter": args.counter, **{f"for {word}": path for word, path in paths.items()}}
    return {**named, "plain classifier": args.plain} if args.plain else named

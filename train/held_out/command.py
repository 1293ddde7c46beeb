"""The verb `earproof evaluate`: models or predictions on recordings held out, side by side."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_runtime.segments.time_units import UNITS

if TYPE_CHECKING:
    from edge_runtime.segments.detecting import Detecting
    from train.event_scores.measured import EventMeasuring
    from train.held_out.labelled import HeldOut

DONE = 0
SIDES = ("train", "val", "test", "all")
_MODEL_SUFFIX = ".tflite"


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the verb."""
    from edge_runtime.options import add_detecting_arguments
    from train.cross_validation.options import add_fold_arguments

    parser.add_argument(
        "systems",
        type=Path,
        nargs="*",
        metavar="SYSTEM",
        help="a predictions file (CSV, DCASE TSV, Audacity, RTTM, Raven, JSON), a .tflite file, or a training's folder",
    )
    parser.add_argument("data", type=Path, metavar="DATA", help="annotated recordings, or one folder a label")
    parser.add_argument(
        "--side", choices=SIDES, default="test", help="which side of the split is judged (default test)"
    )
    parser.add_argument("--test-fold", metavar="FOLD", help="split by the data's own folds: this one is the test side")
    parser.add_argument(
        "--val-fold", metavar="FOLD", help="of models: the validation side of their training (default: the next fold)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of a split that is drawn (default 0)")
    parser.add_argument("--segment", type=float, default=1.0, metavar="S", help="of segment-based measures (default 1)")
    parser.add_argument("--collar", type=float, default=0.2, metavar="S", help="of event-based measures (default 0.2)")
    add_detecting_arguments(parser)
    parser.add_argument("--unit", choices=UNITS, default=UNITS[0], help=f"of annotated times (default {UNITS[0]})")
    parser.add_argument("--num-threads", type=int, default=1, metavar="N", help="of each interpreter (default 1)")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where decoded recordings are kept")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a row a system and measure")
    parser.add_argument("--force", action="store_true", help="overwrite FILE, or empty DIR first if earproof filled it")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    add_fold_arguments(parser)


def run(verb: str, args: argparse.Namespace) -> int:
    """Judge all systems and print the report.

    Raises
    ------
    FileNotFoundError, FileExistsError
        No such file; a table that would be overwritten without --force.
    ValueError
        Data that do not come last, models and predictions together, or what the two kinds refuse.
    """
    from edge_runtime.options import check_out_file
    from metadata.atomic_file import write_atomically
    from train.early_checks import check_given

    missing = [path for path in (*args.systems, args.data) if not path.exists()]
    if missing:
        raise FileNotFoundError(f"{missing[0]} does not exist")
    _check_kind(args)
    check_given([], cache=args.cache)
    if args.csv:
        check_out_file(args.csv, args.force)
    report, lines, table = _judge(args)
    if args.csv:
        write_atomically(args.csv, table.encode())
        print(f"wrote {args.csv}", file=sys.stderr)
    print(json.dumps(report, indent=2) if args.json else "\n".join(lines))
    return DONE


def _check_kind(args: argparse.Namespace) -> None:
    """Refuse systems beside models to be trained, and neither of them."""
    from train.cross_validation.options import refuse_without_folds

    if args.model:
        if args.systems:
            raise ValueError(
                f"--model trains on folds of DATA, and {args.systems[0]} is there already; judge it without --model"
            )
        return
    if not args.systems:
        raise ValueError(
            "there is nothing to judge; expected earproof evaluate SYSTEM ... DATA, or earproof evaluate DATA --model "
            "NAME --folds"
        )
    if args.folds is not None:
        raise ValueError("--folds trains models; expected --model NAME beside it")
    refuse_without_folds(args)
    _check_order(args.systems, args.data)


def _check_order(systems: Sequence[Path], data: Path) -> None:
    """Refuse data before the last place, and a system in it."""
    expected = "the data come last: earproof evaluate SYSTEM ... DATA"
    if _is_training(data) or data.suffix == _MODEL_SUFFIX:
        raise ValueError(f"{data} is no data but a model; {expected}")
    for path in systems:
        if path.is_dir() and not _is_training(path) and not any(path.glob(f"*{_MODEL_SUFFIX}")):
            raise ValueError(f"{path} is a folder without a training or a {_MODEL_SUFFIX} file; {expected}")


def _is_training(path: Path) -> bool:
    """Whether a folder is that of a finished training."""
    from train.fitting.training_run import METRICS_FILE_NAME

    return (path / METRICS_FILE_NAME).is_file()


def _judge(args: argparse.Namespace) -> tuple[dict[str, Any], list[str], str]:
    """The report as document, as lines and as table."""
    from edge_runtime.segments.detecting import Detecting, detecting_of
    from train.annotations.annotated_folder import find_annotations

    if args.model:
        return _cross_validate(args)
    models = [path for path in args.systems if path.is_dir() or path.suffix == _MODEL_SUFFIX]
    if models and len(models) < len(args.systems):
        raise ValueError("models and predictions are judged apart; give files of one kind")
    detecting = detecting_of(args)
    if models and find_annotations(args.data) is not None:
        return _judge_detectors(_expanded(models), args, detecting)
    if detecting != Detecting():
        what = f"{args.data} has labels and no times" if models else "predictions are segments already"
        raise ValueError(f"{what}; expected no --hop, --median-frames, --gap or --shortest")
    if not models:
        return _judge_predictions(args)
    if args.unit != UNITS[0]:
        raise ValueError(
            f"--unit {args.unit} is of annotations, by which predictions are judged; leave it out for models"
        )
    return _judge_models(_expanded(models), _held_out(args), args.num_threads)


def _cross_validate(args: argparse.Namespace) -> tuple[dict[str, Any], list[str], str]:
    """Models trained on folds; the report stands in --out too."""
    from metadata.atomic_file import write_atomically
    from train.cross_validation.fold_report import describe_folds, fold_csv, fold_lines
    from train.cross_validation.options import validate_folds

    found = validate_folds(args)
    report = describe_folds(found)
    lines, table = fold_lines(report), fold_csv(found)
    if args.out:
        for name, text in (("report.json", json.dumps(report, indent=2)), ("report.txt", "\n".join(lines))):
            write_atomically(args.out / name, f"{text}\n".encode())
        print(f"the report is in {args.out}", file=sys.stderr)
    return report, lines, table


def _held_out(args: argparse.Namespace) -> HeldOut:
    """Which recordings are judged."""
    from train.held_out.labelled import HeldOut

    return HeldOut(
        data=args.data,
        side=args.side,
        test_fold=args.test_fold,
        val_fold=args.val_fold,
        seed=args.seed,
        cache=args.cache,
        unit=args.unit,
    )


def _judge_predictions(args: argparse.Namespace) -> tuple[dict[str, Any], list[str], str]:
    """Predictions on annotated recordings."""
    from train.event_scores.event_report import event_csv, event_lines
    from train.held_out.annotated import judge_predictions

    report = judge_predictions(args.systems, args.data, _measuring(args), args.side, args.test_fold, args.unit)
    return report, event_lines(report), event_csv(report)


def _judge_detectors(
    paths: Sequence[Path], args: argparse.Namespace, detecting: Detecting
) -> tuple[dict[str, Any], list[str], str]:
    """Models on annotated recordings."""
    from train.event_scores.event_report import event_csv, event_lines
    from train.held_out.detectors import detector_lines, judge_detectors

    report = judge_detectors(paths, _held_out(args), _measuring(args), detecting, args.num_threads)
    return report, [*event_lines(report), "", *detector_lines(report)], event_csv(report)


def _measuring(args: argparse.Namespace) -> EventMeasuring:
    """How events are judged."""
    from train.event_scores.measured import EventMeasuring

    return EventMeasuring(segment_seconds=args.segment, collar_seconds=args.collar, seed=args.seed)


def _judge_models(paths: Sequence[Path], held: HeldOut, num_threads: int) -> tuple[dict[str, Any], list[str], str]:
    """Models on recordings with labels."""
    from train.held_out.labelled import judge_models
    from train.held_out.labelled_report import describe_labelled, labelled_csv, labelled_lines

    documents = describe_labelled(judge_models(paths, held, num_threads))
    report = {"data": str(held.data), "side": held.side, "systems": documents}
    return report, labelled_lines(documents), labelled_csv(documents)


def _expanded(paths: Sequence[Path]) -> list[Path]:
    """The paths, a folder that is no training replaced by its `.tflite` files."""
    from edge_runtime.options import model_files

    expanded: list[Path] = []
    for path in paths:
        is_plain = path.is_dir() and not _is_training(path)
        expanded += model_files([path]) if is_plain else [path]
    return list(dict.fromkeys(expanded))

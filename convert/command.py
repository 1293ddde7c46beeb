"""The verbs `convert` and `build`."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from convert.api import build, convert
from convert.recipes import ALL, DEFAULT_RECIPES, RECIPES, Recipe, choose_recipes
from convert.settings import ConvertSettings
from metadata.foreign.written_spec import KEEP_NUMBERS
from metadata.spec import ACTIVATIONS
from train.command import (
    add_data_arguments,
    add_output_arguments,
    add_training_arguments,
    data_choices,
    given_settings,
)
from train.data.sides import add_dataset_argument
from train.early_checks import check_given
from train.models import DETECTOR_NAMES, ONE_LABEL_NAMES, TRANSFER_NAME

if TYPE_CHECKING:
    from convert.convertible import Convertible
    from convert.foreign_model import ForeignModel
    from metadata import ModelSpec

DONE, CHECK_FAILED = 0, 1
_DEFAULTS = {  # of what only says how files are calibrated and timed
    "num_runs": 200,
    "warmup_runs": 20,
    "calibration_windows": 200,
    "calibration_seed": 0,
}
_DATA_DEFAULTS = {"seed": 0, "dataset": None, "cache": None}  # of what only says how DATA is read


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of one verb."""
    if verb == "convert":
        parser.add_argument(
            "run",
            type=Path,
            metavar="RUN",
            help="a folder that earproof train filled, or somebody else's float .tflite",
        )
        parser.add_argument("--cache", type=Path, metavar="DIR", help="where decoded recordings are kept")
        parser.add_argument(
            "--compress",
            metavar="KIND",
            help="train the model on first: qat, prune or cluster; the files are named MODEL-KIND-RECIPE.tflite",
        )
        parser.add_argument(
            "--compress-epochs", type=int, metavar="N", help="of that (default 6, for prune 10, which has more to mend)"
        )
        add_output_arguments(parser)
        _add_foreign_arguments(parser)
        parser.add_argument(
            "--calibration-seed",
            type=int,
            default=_DEFAULTS["calibration_seed"],
            metavar="N",
            help="of the choice of windows (default 0)",
        )
    else:
        add_data_arguments(parser)
        add_output_arguments(parser)
        parser.add_argument(
            "--model",
            action="append",
            metavar="MODEL",
            help=f"build only this one; may be repeated (default: {', '.join(ONE_LABEL_NAMES)}, and {TRANSFER_NAME} "
            f"where a backbone is on this machine; with annotations {', '.join(DETECTOR_NAMES)})",
        )
        parser.add_argument(
            "--folds",
            type=int,
            metavar="K",
            help="cross-validate over groups (default: 5 where a backbone is here; 0: not)",
        )
        add_training_arguments(parser, shows_tail=True)
    parser.add_argument("--json", action="store_true", help="print the report as one JSON document, not as a table")
    parser.add_argument(
        "--recipe",
        action="append",
        metavar="RECIPE",
        help=(
            f"only this one and float32; may be repeated; {ALL}, or of {', '.join(RECIPES)} "
            f"(default: the first {len(DEFAULT_RECIPES)})"
        ),
    )
    parser.add_argument(
        "--loader-thresholds", action="store_true", help="Task library and MediaPipe hide labels under their threshold"
    )
    measuring = parser.add_argument_group("calibration and latency")
    measuring.add_argument(
        "--calibration-windows",
        type=int,
        default=_DEFAULTS["calibration_windows"],
        metavar="N",
        help="for static recipes (default 200)",
    )
    measuring.add_argument(
        "--num-runs", type=int, default=_DEFAULTS["num_runs"], metavar="N", help="latency runs of a file (default 200)"
    )
    measuring.add_argument(
        "--warmup-runs", type=int, default=_DEFAULTS["warmup_runs"], metavar="N", help="runs before them (default 20)"
    )


def run(verb: str, args: argparse.Namespace) -> int:
    """Do one verb; return the exit code: 1 where a file fails its parity."""
    recipes = choose_recipes(args.recipe)
    if verb == "convert" and _is_foreign(args):
        return _foreign(args, recipes)
    return _show(_convert(args) if verb == "convert" else _build(args), args)


def _add_foreign_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what a .tflite file without a training run needs."""
    foreign = parser.add_argument_group("for a FILE.tflite in place of RUN")
    foreign.add_argument("--labels", type=Path, metavar="labels.txt", help="what its scores stand for, in order")
    foreign.add_argument("--keep-numbers", action="store_true", help=KEEP_NUMBERS)
    foreign.add_argument(
        "--data",
        type=Path,
        nargs="+",
        metavar="DATA",
        help="recordings to calibrate and compare with",
    )
    foreign.add_argument("--sample-rate", type=int, metavar="HZ", help="of its waveform (default: as in the file)")
    add_dataset_argument(foreign)
    foreign.add_argument(
        "--activation",
        choices=ACTIVATIONS,
        metavar="KIND",
        help="of its scores: softmax or sigmoid (default: its own)",
    )
    foreign.add_argument("--name", help="of the model in its new files (default: as in the file, or the file's)")
    foreign.add_argument("--seed", type=int, default=0, help="of the split of DATA (default 0)")
    foreign.add_argument(
        "--compare", type=Path, metavar="CANDIDATE.tflite", help="only compare this file with it, layer by layer"
    )


def _build(args: argparse.Namespace) -> dict[str, Any]:
    """Run the whole job."""
    from train.progress import note

    report = build(
        args.data,
        out=args.out,
        models=args.model,
        recipes=args.recipe,
        folds=args.folds,
        labels=args.labels,
        **data_choices(args),
        published=args.published,
        cache=args.cache,
        strict=args.strict,
        resume=args.resume,
        force=args.force,
        calibration_windows=args.calibration_windows,
        num_runs=args.num_runs,
        warmup_runs=args.warmup_runs,
        loader_thresholds=args.loader_thresholds,
        **given_settings(args),
    )
    note(
        f"all files are in {args.out}; which one to take is said first, and report.html shows it; check it on a device "
        "with earproof parity"
    )
    return report


def _convert(args: argparse.Namespace) -> dict[str, Any]:
    """Convert and prove one finished training."""
    if (
        args.data
        or args.dataset
        or args.labels
        or args.sample_rate is not None
        or args.name
        or args.compare
        or args.activation
    ):
        raise ValueError(
            f"{args.run} is a training run, which knows its recordings and labels; expected --data, --dataset, "
            "--labels, --sample-rate, --name, --activation and --compare only for a FILE.tflite"
        )
    return convert(
        args.run,
        out=args.out,
        recipes=args.recipe,
        compress=args.compress,
        compress_epochs=args.compress_epochs,
        cache=args.cache,
        resume=args.resume,
        force=args.force,
        calibration_windows=args.calibration_windows,
        calibration_seed=args.calibration_seed,
        num_runs=args.num_runs,
        warmup_runs=args.warmup_runs,
        loader_thresholds=args.loader_thresholds,
    )


def _is_foreign(args: argparse.Namespace) -> bool:
    """Whether a model file was named where a run may be."""
    return bool(args.run.is_file() or args.run.suffix == ".tflite")


def _foreign(args: argparse.Namespace, recipes: list[Recipe]) -> int:
    """Convert somebody else's model, or compare a file with it; return the exit code."""
    from edge_runtime.machine.state import read_machine_state
    from metadata.labels import read_labels
    from train.progress import note
    from train.recordings.output_folder import check_folder, claim_folder

    if args.compress:
        raise ValueError(
            f"--compress trains on, and {args.run} has no Keras source; expected a folder of earproof train"
        )
    check_folder(args.out, force=args.force, resume=args.resume)
    check_given(args.data or (), labels=args.labels, dataset=args.dataset, cache=args.cache)
    if args.compare and not args.compare.is_file():
        raise FileNotFoundError(f"{args.compare} is not there; expected a .tflite made of {args.run}")
    from convert.build import convert_and_report
    from convert.foreign_model import ForeignTask, foreign_spec, in_scores, read_foreign, with_recordings
    from train.data.prepare import find_and_split, load_with_progress

    state_before = read_machine_state()
    model = read_foreign(args.run)
    labels = read_labels(args.labels, keep_numbers=args.keep_numbers) if args.labels else None
    spec = foreign_spec(args.run, model, labels, args.sample_rate, args.name, args.activation, note)
    model, spec = in_scores(model, spec, note)
    if not args.data:
        return _foreign_alone(model, spec, args, recipes)
    if not spec.input_is_waveform:
        raise ValueError(
            f"{args.run} takes a spectrogram; --data needs a model that takes the waveform, with nothing to "
            "compute in front of it. Leave --data out for float32, float16 and "
            "dynamic_int8, which need no recordings. For int8, put the front end into the model and convert that"
        )
    index = find_and_split(
        args.data,
        None,
        args.seed,
        check=ForeignTask(spec.activation, model_labels=spec.labels).check,
        dataset=args.dataset,
    )
    index = replace(index, labels=spec.labels)  # the order of the scores, whatever that of the folders
    clips = load_with_progress(index, spec.sample_rate, args.cache, strict=None)
    run_of = with_recordings(model, spec, clips, args.run.parent)
    if args.compare:
        return _compare(run_of, args)
    settings = ConvertSettings(
        recipes=tuple(recipes),
        num_calibration_windows=args.calibration_windows,
        calibration_seed=args.calibration_seed,
        skip_unfit=not args.recipe or ALL in args.recipe,
        num_runs=args.num_runs,
        warmup_runs=args.warmup_runs,
        loader_thresholds=args.loader_thresholds,
        drift=True,
    )
    out = claim_folder(args.out, force=args.force, resume=args.resume)
    return _show(convert_and_report(run_of, out, settings, [], state_before=state_before, tell=note), args)


def _foreign_alone(model: ForeignModel, spec: ModelSpec, args: argparse.Namespace, recipes: list[Recipe]) -> int:
    """Convert somebody else's model without recordings, as far as that goes."""
    from convert.foreign_model import convert_unproven
    from convert.report.loaders import line_of
    from train.progress import note
    from train.recordings.output_folder import claim_folder

    hungry = [recipe.name for recipe in recipes if recipe.needs_calibration]
    if args.compare or (hungry and args.recipe and ALL not in args.recipe):
        raise ValueError(
            f"{'--compare' if args.compare else ', '.join(hungry)} needs recordings; expected --data FOLDER with one "
            "sub-folder a label"
        )
    note(f"without --data nothing is calibrated, compared or timed; left out: {', '.join(hungry) or 'no recipe'}")
    _tell_unused(args, {**_DEFAULTS, **_DATA_DEFAULTS, "loader_thresholds": False}, "without --data")
    out = claim_folder(args.out, force=args.force, resume=args.resume)
    fed = [recipe for recipe in recipes if not recipe.needs_calibration]
    files: list[dict[str, Any]] = [
        {"file": str(path), "size_bytes": path.stat().st_size} for path in convert_unproven(model, spec, out, fed, note)
    ]
    lines = [f"{file['size_bytes'] / 1000:8.0f} kB  {file['file']}: {line_of(Path(file['file']))}" for file in files]
    print(json.dumps({"files": files}, indent=2) if args.json else "\n".join(lines))
    return DONE


def _tell_unused(args: argparse.Namespace, defaults: dict[str, int | None], where: str) -> None:
    """Name the options that were given and do nothing."""
    from train.progress import note

    given = [f"--{name.replace('_', '-')}" for name, default in defaults.items() if getattr(args, name) != default]
    if given:
        note(f"{', '.join(given)} {'does' if len(given) == 1 else 'do'} nothing {where}")


def _compare(run_of: Convertible, args: argparse.Namespace) -> int:
    """Compare a candidate with a float file, layer by layer."""
    from convert.quantization.layer_drift import format_drift, worst_first, write_drift
    from train.recordings.output_folder import claim_folder

    candidate = args.compare.read_bytes()
    _tell_unused(args, {**_DEFAULTS, "recipe": None}, "with --compare, which converts and times nothing")
    out = claim_folder(args.out, force=args.force, resume=args.resume)
    drifts = write_drift(run_of.model.pinned, candidate, run_of.test_windows().windows, out, args.compare.stem)
    print(json.dumps([one.as_dict() for one in worst_first(drifts)], indent=2) if args.json else format_drift(drifts))
    return DONE


def _show(report: dict[str, Any], args: argparse.Namespace) -> int:
    """Print a report; return the exit code."""
    from convert.report.build_report import format_table

    print(json.dumps(report, indent=2) if args.json else format_table(report))
    return DONE if report["passed"] else CHECK_FAILED

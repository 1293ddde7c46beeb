"""The verbs `convert` and `build`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from convert.recipes import RECIPES, Recipe, find_recipe
from train.command import add_data_arguments, add_output_arguments, add_training_arguments, training_settings
from train.models import MODEL_NAMES

DONE, CHECK_FAILED = 0, 1
SAMPLE_RATE = 16_000  # Hz
REFERENCE_RECIPE = "float32"


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of one verb."""
    if verb == "convert":
        parser.add_argument("run", type=Path, metavar="RUN", help="a folder that earshot train filled")
        parser.add_argument("--cache", type=Path, metavar="DIR", help="where decoded recordings are kept")
        parser.add_argument(
            "--compress",
            metavar="KIND",
            help="train the model on first: qat, prune or cluster; the files are named MODEL-KIND-RECIPE.tflite",
        )
        parser.add_argument("--compress-epochs", type=int, default=6, metavar="N", help="of that (default 6)")
        add_output_arguments(parser)
    else:
        add_data_arguments(parser)
        add_output_arguments(parser)
        parser.add_argument(
            "--model",
            action="append",
            metavar="MODEL",
            help=f"build only this one; may be repeated (default: {', '.join(MODEL_NAMES)})",
        )
        add_training_arguments(parser)
    parser.add_argument(
        "--recipe",
        action="append",
        metavar="RECIPE",
        help=f"only this one and float32; may be repeated (default: {', '.join(RECIPES)})",
    )
    parser.add_argument(
        "--calibration-windows", type=int, default=200, metavar="N", help="for static recipes (default 200)"
    )
    parser.add_argument("--num-runs", type=int, default=200, metavar="N", help="latency runs of a file (default 200)")
    parser.add_argument("--warmup-runs", type=int, default=20, metavar="N", help="runs before them (default 20)")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON document, not as a table")


def run(verb: str, args: argparse.Namespace) -> int:
    """Do one verb; return the exit code: 1 where a file fails its parity."""
    recipes = chosen_recipes(args.recipe)
    report = _convert(args, recipes) if verb == "convert" else _build(args, recipes)
    from convert.report import format_table

    print(json.dumps(report, indent=2) if args.json else format_table(report))
    return DONE if report["passed"] else CHECK_FAILED


def chosen_recipes(names: list[str] | None) -> list[Recipe]:
    """Return the recipes of these names, all if there are none; float32 always, the others are compared with it."""
    wanted = [find_recipe(name).name for name in names] if names else list(RECIPES)
    return [recipe for name, recipe in RECIPES.items() if name in wanted or name == REFERENCE_RECIPE]


def _build(args: argparse.Namespace, recipes: list[Recipe]) -> dict:
    """Run the whole job."""
    from train.models import model_module
    from train.output_folder import claim_folder
    from train.prepare import find_and_split, load_with_progress, note

    names = args.model or list(MODEL_NAMES)
    settings = {model_module(name).NAME: training_settings(name, args) for name in names}
    index = find_and_split(args.data, args.labels, args.seed)
    clips = load_with_progress(index, SAMPLE_RATE, args.cache, args.strict)
    out = claim_folder(args.out, force=args.force, resume=args.resume)
    from convert.build import build

    try:
        report = build(
            clips,
            out,
            settings,
            recipes,
            cache=args.cache,
            num_calibration_windows=args.calibration_windows,
            num_runs=args.num_runs,
            warmup_runs=args.warmup_runs,
            tell=note,
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt("what is finished is kept; go on with the same command and --resume") from None
    note(f"all files are in {out}; put a .tflite into the app's assets, check it on a device with earshot parity")
    return report


def _convert(args: argparse.Namespace, recipes: list[Recipe]) -> dict:
    """Convert and prove one finished training."""
    from convert.build import deliver
    from convert.compress import CompressionSettings, compress_run
    from convert.compression_report import describe_compression
    from convert.report import describe_build, write_report
    from train.finished_run import open_run
    from train.output_folder import claim_folder
    from train.prepare import note
    from train.training_run import METRICS_FILE_NAME

    settings = CompressionSettings(kind=args.compress, epochs=args.compress_epochs) if args.compress else None
    run_of = open_run(args.run, args.cache)
    out = claim_folder(args.out, force=args.force, resume=args.resume)
    if settings:
        run_of = compress_run(run_of, settings, tell=note)
    proofs = deliver(
        run_of,
        out,
        recipes,
        num_calibration_windows=args.calibration_windows,
        num_runs=args.num_runs,
        warmup_runs=args.warmup_runs,
        tell=note,
    )
    report = describe_build(proofs, [json.loads((args.run / METRICS_FILE_NAME).read_text())], out)
    if settings:
        report["compression"] = describe_compression(run_of, [proof.file.path for proof in proofs])
        report["passed"] = report["passed"] and report["compression"]["passed"]
    write_report(report, out)
    return report

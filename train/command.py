"""The verb `train`, and the arguments that it shares with `build`."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from edge_runtime.audio.windows import DEFAULT_TAIL, TAILS
from metadata.plural import counted
from train.data.sides import add_dataset_argument
from train.models import MODEL_NAMES
from train.settings import LOSSES, MIXTURE_NORMALIZATIONS, OPTIMIZERS, TrainingSettings

DONE = 0


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of one verb."""
    parser.add_argument("model", metavar="MODEL", help=" or ".join(MODEL_NAMES))
    add_data_arguments(parser)
    add_output_arguments(parser)
    parser.add_argument("--variant", help="which published or mended form (default: the model's own)")
    parser.add_argument(
        "--mixtures", type=Path, metavar="CSV", help="mix these pairs of clips alone, as earproof data mix lists them"
    )
    parser.add_argument(
        "--weights-from", type=Path, metavar="RUN", help="begin with the weights of a finished training of this model"
    )
    add_training_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the metrics as one JSON document")


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says where the recordings are."""
    parser.add_argument(
        "data", type=Path, nargs="+", metavar="DATA", help="a folder with one sub-folder a label, a data set, or a CSV"
    )
    add_dataset_argument(parser)
    parser.add_argument("--labels", type=Path, metavar="labels.txt", help="labels in output order (default: sorted)")
    parser.add_argument("--test-fold", metavar="FOLD", help="split by the data's own folds: this one is the test side")
    parser.add_argument("--val-fold", metavar="FOLD", help="the validation side (default: the fold after --test-fold)")
    parser.add_argument("--strict", action="store_true", help="refuse unreadable files instead of leaving them out")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where decoded recordings are kept")


def data_choices(args: argparse.Namespace) -> dict[str, Any]:
    """Return how the data is read and split, as `train.data.prepare.find_and_split` takes it."""
    return {"dataset": args.dataset, "test_fold": args.test_fold, "val_fold": args.val_fold}


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where results go, and what happens to those that are there."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to fill")
    parser.add_argument("--resume", action="store_true", help="go on in DIR where an earlier run stopped")
    parser.add_argument("--force", action="store_true", help="empty DIR first if earproof filled it")


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the training settings; those not given are the model's own."""
    settings = parser.add_argument_group("training (defaults: the model's own)")
    settings.add_argument("--published", action="store_true", help="begin with the published settings, not ours")
    settings.add_argument("--epochs", type=int, help="at most this many")
    settings.add_argument("--patience", type=int, help="stop after this many epochs without a lower validation loss")
    settings.add_argument("--batch-size", type=int, help="windows")
    settings.add_argument("--learning-rate", type=float)
    settings.add_argument("--cosine-decay", action=argparse.BooleanOptionalAction, default=None)
    settings.add_argument("--weight-decay", type=float)
    settings.add_argument("--optimizer", choices=OPTIMIZERS)
    settings.add_argument("--loss", choices=LOSSES)
    settings.add_argument("--label-smoothing", type=float)
    settings.add_argument("--augment", action=argparse.BooleanOptionalAction, default=None)
    settings.add_argument("--epoch-windows", type=int, help="windows in an epoch (default: as many as the clips hold)")
    settings.add_argument(
        "--normalization", choices=MIXTURE_NORMALIZATIONS, help="of the parts of a mixture: to the volume of which"
    )
    settings.add_argument(
        "--stop-exact-match", type=float, metavar="SHARE", help="stop when single and mixed sounds pass it (0: never)"
    )
    settings.add_argument(
        "--label-weight", type=float, help="of learning which labels are heard, beside how many (0: not at all)"
    )
    settings.add_argument(
        "--activity-weight", type=float, help="of learning when each label sounds, beside which (0: not at all)"
    )
    settings.add_argument("--seed", type=int, default=0, help="of split, weights and everything drawn (default 0)")
    settings.add_argument("--window-hop", type=int, help="samples between test windows (default: the window length)")
    settings.add_argument(
        "--tail",
        choices=TAILS,
        help="what becomes of a validation clip's last, shorter stretch (default: drop); test clips are heard as "
        f"classify hears them ({DEFAULT_TAIL})",
    )


def training_settings(model: str, args: argparse.Namespace, variant: str | None = None) -> TrainingSettings:
    """Return the model's settings, published or ours, with what the command line changes."""
    from train.models import model_module

    module = model_module(model)
    if args.published and module.PUBLISHED is None:
        raise ValueError(f"{model} was not published and has no settings of that kind; leave --published out")
    begin = module.PUBLISHED if args.published else module.DEFAULT
    begin = dataclasses.replace(begin, **getattr(module, "VARIANT_SETTINGS", {}).get(variant, {}))
    names = [item.name for item in dataclasses.fields(TrainingSettings)]
    given = {name: getattr(args, name) for name in names if getattr(args, name, None) is not None}
    return dataclasses.replace(begin, **given)


def run(verb: str, args: argparse.Namespace) -> int:
    """Do one verb; return the exit code."""
    return _train(args)


def _train(args: argparse.Namespace) -> int:
    """Train one model."""
    from train.data.prepare import find_and_split, load_to_train
    from train.fitting.training_run import choose_variant, train_model
    from train.models import model_module
    from train.progress import note
    from train.recordings.output_folder import claim_folder
    from train.tasks.auxiliary_outputs import check_auxiliary
    from train.tasks.chosen_mixtures import choose_mixtures

    module = model_module(args.model)
    task = module.task(choose_variant(module, args.variant))
    settings = training_settings(args.model, args, args.variant)
    check_auxiliary(module, task, settings)
    index = find_and_split(args.data, args.labels, settings.seed, task=task, **data_choices(args))
    clips = load_to_train(index, module.SAMPLE_RATE, args.cache, args.strict)
    if args.mixtures:
        clips = choose_mixtures(clips, args.mixtures, task)
    folder = claim_folder(args.out, force=args.force, resume=args.resume)
    try:
        metrics = train_model(
            clips, args.model, folder, settings, variant=args.variant, weights_from=args.weights_from, tell=note
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt("finished epochs are kept; go on with the same command and --resume") from None
    print(json.dumps(metrics, indent=2) if args.json else describe_metrics(metrics))
    note(f"the run is in {folder}; next: earproof convert {folder} --out DIR")
    return DONE


def describe_metrics(metrics: dict) -> str:
    """Return the test result of one model as text."""
    from train.evaluation.evaluation_text import describe_evaluations

    lines = [
        f"{metrics['model']}: {counted(metrics['parameters'], 'parameter', form=',')}, epoch {metrics['kept_epoch']} "
        "kept"
    ]
    return "\n".join(lines + describe_evaluations(metrics["test"]))

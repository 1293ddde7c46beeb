"""The verb `train`, and the arguments that it shares with `build`."""

from __future__ import annotations

import argparse
import json
import textwrap
from pathlib import Path
from typing import Any

from edge_runtime.audio.windows import DEFAULT_TAIL, TAILS
from metadata.plural import counted
from train.api import SETTING_NAMES, train
from train.data.sides import add_dataset_argument
from train.models import MODEL_HELP
from train.settings import LOSSES, MIXTURE_NORMALIZATIONS, OPTIMIZERS

DONE = 0
_DETAILS = "training in detail"
_TEACHERS = "teachers"


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of one verb."""
    parser.add_argument("model", metavar="MODEL", help="one of those below")
    add_data_arguments(parser)
    add_output_arguments(parser)
    parser.add_argument("--variant", metavar="NAME", help="which form of the model (default: the first one below)")
    parser.add_argument(
        "--mixtures", type=Path, metavar="CSV", help="mix these pairs of clips alone, as earproof data mix lists them"
    )
    parser.add_argument(
        "--weights-from", type=Path, metavar="RUN", help="begin with the weights of a finished training of this model"
    )
    parser.add_argument("--json", action="store_true", help="print the metrics as one JSON document")
    add_training_arguments(parser)
    _add_teacher_arguments(parser)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "models, what they tell, and their variants, the default first:\n" + "\n".join(
        textwrap.fill(f"- {name}: {text}", 98, initial_indent="  ", subsequent_indent="    ")
        for name, text in MODEL_HELP.items()
    )


def _add_teacher_arguments(parser: argparse.ArgumentParser) -> None:
    """Add who teaches the model, and on what."""
    group = parser.add_argument_group(_TEACHERS)
    group.add_argument(
        "--teacher",
        type=Path,
        nargs="+",
        default=(),
        metavar="RUN_OR_FILE",
        help="finished trainings or .tflite files whose scores the model learns beside the truth; several: their mean",
    )
    group.add_argument(
        "--teacher-weight",
        type=float,
        metavar="SHARE",
        help="of the teachers' scores in the target of a labelled window, 0 to 1 (default 0.5)",
    )
    group.add_argument(
        "--unlabelled", type=Path, metavar="DIR", help="train on these recordings too, as the teachers label them"
    )
    parser.set_defaults(only_in_help_all=(_DETAILS, _TEACHERS))


def add_data_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says where the recordings are."""
    parser.add_argument(
        "data",
        type=Path,
        nargs="+",
        metavar="DATA",
        help="a folder: one sub-folder a label, or annotations; a data set; or a CSV",
    )
    group = parser.add_argument_group("recordings")
    add_dataset_argument(group)
    group.add_argument("--labels", type=Path, metavar="labels.txt", help="labels in output order (default: sorted)")
    group.add_argument("--test-fold", metavar="FOLD", help="split by the data's own folds: this one is the test side")
    group.add_argument("--val-fold", metavar="FOLD", help="the validation side (default: the fold after --test-fold)")
    group.add_argument("--strict", action="store_true", help="refuse unreadable files instead of leaving them out")
    group.add_argument("--cache", type=Path, metavar="DIR", help="where decoded recordings are kept")


def data_choices(args: argparse.Namespace) -> dict[str, Any]:
    """Return how the data is read and split, as `train.data.prepare.find_and_split` takes it."""
    return {"dataset": args.dataset, "test_fold": args.test_fold, "val_fold": args.val_fold}


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where results go, and what happens to those that are there."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to fill")
    parser.add_argument("--resume", action="store_true", help="go on in DIR where an earlier run stopped")
    parser.add_argument("--force", action="store_true", help="empty DIR first if earproof filled it")


def add_training_arguments(parser: argparse.ArgumentParser, shows_tail: bool = False) -> None:
    """Add the training settings; those not given are the model's own. The help of train has no room for --tail."""
    settings = parser.add_argument_group("training (defaults: the model's own)")
    settings.add_argument("--published", action="store_true", help="begin with the published settings, not ours")
    settings.add_argument("--epochs", type=int, metavar="N", help="at most this many")
    settings.add_argument("--seed", type=int, default=0, metavar="N", help="of split, weights and draws (default 0)")
    details = parser.add_argument_group(_DETAILS)
    _add_detailed_arguments(details)
    _add_tail_argument(settings if shows_tail else details)
    parser.set_defaults(only_in_help_all=(_DETAILS,))


def _add_detailed_arguments(settings: argparse._ArgumentGroup) -> None:
    """Add the settings that few change."""
    settings.add_argument(
        "--backbone", metavar="NAME", help="of transfer: which of earproof backbone list it begins with"
    )
    settings.add_argument(
        "--fine-tune",
        type=lambda text: "" if text == "0" else text,
        metavar="BLOCKS",
        help="of transfer: train so many of the backbone's last blocks further, all of them, or auto: what inner folds "
        "over groups say (default 0)",
    )
    settings.add_argument("--patience", type=int, metavar="N", help="epochs to wait for a lower validation loss")
    settings.add_argument("--batch-size", type=int, metavar="N", help="windows in a training step")
    settings.add_argument("--learning-rate", type=float, metavar="RATE", help="of the optimizer, at the start")
    settings.add_argument(
        "--cosine-decay",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="let the rate fall to nearly zero over all epochs",
    )
    settings.add_argument("--weight-decay", type=float, metavar="SHARE", help="of a weight taken off a step; for adam")
    settings.add_argument("--optimizer", choices=OPTIMIZERS, help="that changes the weights")
    settings.add_argument("--loss", choices=LOSSES, metavar="LOSS", help=f"{', '.join(LOSSES)}")
    settings.add_argument(
        "--label-smoothing",
        type=float,
        metavar="SHARE",
        help="of a target spread over all labels; for categorical_crossentropy",
    )
    settings.add_argument(
        "--augment",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="vary training windows in level, noise and colour",
    )
    settings.add_argument(
        "--background",
        metavar="LABEL",
        help="mix recordings of this label quietly under half of the windows of the others ('': none)",
    )
    settings.add_argument(
        "--epoch-windows", type=int, metavar="N", help="windows in an epoch (default: as many as the clips hold)"
    )
    settings.add_argument(
        "--normalization",
        choices=MIXTURE_NORMALIZATIONS,
        help="bring the parts of a mixture to one peak: the lower of the pair, the highest of the set, or by turns",
    )
    settings.add_argument(
        "--stop-exact-match", type=float, metavar="SHARE", help="stop when single and mixed sounds pass it (0: never)"
    )
    settings.add_argument(
        "--label-weight",
        type=float,
        metavar="WEIGHT",
        help="of learning which labels are present, beside how many (0: not at all)",
    )
    settings.add_argument(
        "--activity-weight",
        type=float,
        metavar="WEIGHT",
        help="of learning when each label sounds, beside which (0: not at all)",
    )
    settings.add_argument(
        "--window-hop", type=int, metavar="N", help="samples between test windows (default: the window length)"
    )


def _add_tail_argument(settings: argparse._ArgumentGroup) -> None:
    """Add what becomes of the end of clips."""
    settings.add_argument(
        "--tail",
        choices=TAILS,
        help="what becomes of a validation clip's last, shorter stretch (default: drop); test clips are cut "
        f"into windows as by classify ({DEFAULT_TAIL})",
    )


def given_settings(args: argparse.Namespace) -> dict[str, Any]:
    """Return the training settings that the command line has."""
    return {name: getattr(args, name) for name in SETTING_NAMES if getattr(args, name, None) is not None}


def run(verb: str, args: argparse.Namespace) -> int:
    """Do one verb; return the exit code."""
    return _train(args)


def _train(args: argparse.Namespace) -> int:
    """Train one model."""
    from train.progress import note

    metrics = train(
        args.model,
        args.data,
        out=args.out,
        variant=args.variant,
        labels=args.labels,
        **data_choices(args),
        mixtures=args.mixtures,
        weights_from=args.weights_from,
        teacher=args.teacher,
        unlabelled=args.unlabelled,
        published=args.published,
        cache=args.cache,
        strict=args.strict,
        resume=args.resume,
        force=args.force,
        **given_settings(args),
    )
    print(json.dumps(metrics, indent=2) if args.json else describe_metrics(metrics))
    note(f"the run is in {args.out}; next: earproof convert {args.out} --out DIR")
    return DONE


def describe_metrics(metrics: dict[str, Any]) -> str:
    """Return the test result of one model as text."""
    from train.evaluation.evaluation_text import describe_evaluations
    from train.evaluation.kept_epoch import describe_end

    parameters = counted(metrics["parameters"], "parameter", form=",")
    lines = [f"{metrics['model']}: {parameters}, {describe_end(metrics)}"]
    lines += describe_evaluations(metrics["test"])
    if "events" in metrics:
        from train.event_scores.event_report import event_lines

        lines += ["", *event_lines(metrics["events"])]
    return "\n".join(lines)

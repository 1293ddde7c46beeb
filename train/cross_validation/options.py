"""The arguments of a cross-validation, and the cross-validation that they ask for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from train.cross_validation.cross_validate import CrossValidated

DETAILS = "cross-validation in detail"
_OPTIONS = {"settings": "--set"}  # where an option is not called as its value
OWN_FOLDS = 0  # of the argument: --folds without a number


def add_fold_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what a cross-validation takes."""
    group = parser.add_argument_group("cross-validation: earproof evaluate DATA --model NAME --folds")
    group.add_argument(
        "--model", action="append", metavar="NAME[:VARIANT]", help="train this one on each fold; may be repeated"
    )
    group.add_argument(
        "--folds",
        type=int,
        nargs="?",
        const=OWN_FOLDS,
        metavar="K",
        help="deal groups into K folds (without K: the data's own folds, else 5, or as many as the groups allow)",
    )
    group.add_argument("--out", type=Path, metavar="DIR", help="keep the scores of each fold and the report in DIR")
    group.add_argument("--resume", action="store_true", help="go on in DIR where an earlier run stopped")
    group = parser.add_argument_group(DETAILS)
    group.add_argument("--num-seeds", type=int, default=1, metavar="N", help="trainings of each fold, from --seed on")
    group.add_argument(
        "--set",
        action="append",
        default=[],
        dest="settings",
        metavar="NAME=VALUE[,...]",
        help="a training setting, such as epochs=20; several values are compared; may be repeated",
    )
    group.add_argument("--backbone", metavar="NAME", help="of transfer: which of earproof backbone list it begins with")
    group.add_argument(
        "--jobs", type=int, metavar="N", help="processes on this machine (default: one a core, at most 8)"
    )
    group.add_argument("--scheduler", metavar="ADDRESS", help="let the workers of this Dask scheduler train")
    parser.set_defaults(only_in_help_all=(DETAILS,))


def refuse_without_folds(args: argparse.Namespace) -> None:
    """Raise ValueError for what only a cross-validation makes use of, where there is none."""
    left: dict[str, Any] = {
        "out": None,
        "resume": False,
        "num_seeds": 1,
        "settings": [],
        "backbone": None,
        "jobs": None,
        "scheduler": None,
    }
    given = [
        _OPTIONS.get(name, f"--{name.replace('_', '-')}")
        for name, usual in left.items()
        if getattr(args, name) != usual
    ]
    if given:
        raise ValueError(f"{', '.join(given)} is of a cross-validation; expected --model NAME --folds beside it")


def validate_folds(args: argparse.Namespace) -> CrossValidated:
    """Do the cross-validation that the arguments ask for.

    Raises
    ------
    FileNotFoundError, FileExistsError, ValueError, RuntimeError, ConnectionError, ImportError
        As for `cross_validate`; arguments that do not go together.
    """
    from train.models import check_model
    from train.recordings.output_folder import check_folder, claim_folder

    if args.folds is None:
        raise ValueError("--model trains on folds; expected --folds, or --folds K for a number of them")
    for name in ("num_seeds", "jobs"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise ValueError(f"--{name.replace('_', '-')} is {value}; expected 1 or more")
    if args.jobs and args.scheduler:
        raise ValueError("--jobs is of processes on this machine, --scheduler of a cluster; choose one")
    for model in args.model:
        check_model(model.partition(":")[0])
    if args.out:
        check_folder(args.out, force=args.force, resume=args.resume)
    from train.cross_validation.candidates import make_candidates
    from train.cross_validation.cross_validate import FoldChoices, cross_validate
    from train.data.prepare import find_data, tell_assumptions
    from train.progress import note

    candidates = make_candidates(args.model, args.settings, args.backbone)
    index = find_data(args.data)
    tell_assumptions(index)
    index.check_labels()
    folder = claim_folder(args.out, force=args.force, resume=args.resume) if args.out else None
    choices = FoldChoices(
        num_folds=args.folds or None,
        seed=args.seed,
        num_seeds=args.num_seeds,
        jobs=args.jobs,
        scheduler=args.scheduler,
        cache=args.cache,
    )
    return cross_validate(index, candidates, choices, folder, note)

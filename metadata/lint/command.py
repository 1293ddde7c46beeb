"""The verb `earproof lint`: which loaders take a file, which refuse it and why, and mending what can be mended."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from metadata.atomic_file import free_target, write_atomically
from metadata.foreign.probed_scores import Hear
from metadata.foreign.written_spec import read_whole
from metadata.labels import read_labels
from metadata.lint.fix import FitInput, Said, fix_model
from metadata.lint.lint_file import lint_model
from metadata.lint.lint_report import describe_verdicts, format_verdicts
from metadata.lint.verdict import LOADER_KEYS, Verdict
from metadata.spec import ACTIVATIONS

DONE, REFUSED = 0, 1


def add_arguments(_verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof lint` to a parser."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a .tflite file of whatever origin")
    parser.add_argument(
        "--for",
        dest="loaders",
        action="append",
        choices=LOADER_KEYS,
        metavar="LOADER",
        help=f"exit 1 where it refuses a file; may be given again: {', '.join(LOADER_KEYS)} "
        "(default: exit 1 for a file that no loader of phone or browser takes)",
    )
    parser.add_argument("--json", action="store_true", help="print everything as one JSON document")
    fix = parser.add_argument_group("mending")
    fix.add_argument("--fix", action="store_true", help="mend what can be mended, say what was done, and lint again")
    fix.add_argument("--out", type=Path, metavar="OUT", help="the file to write; without it FILE is rewritten")
    fix.add_argument("--force", action="store_true", help="overwrite OUT, or FILE where there is no --out")
    fix.add_argument("--labels", type=Path, metavar="labels.txt", help="what the scores stand for, in order")
    fix.add_argument("--sample-rate", type=int, metavar="HZ", help="of the waveform that the model takes")
    fix.add_argument("--activation", choices=ACTIVATIONS, help="what the scores are (default: as the graph says)")


def run(_verb: str, args: argparse.Namespace, hear: Hear | None = None, fit_input: FitInput | None = None) -> int:
    """Run `earproof lint` and return its exit code: 1 where a file is refused that should not be.

    Parameters
    ----------
    args : argparse.Namespace
    hear : callable, optional
        Runs a model on test signals, for `--fix`; see `metadata.command.run`.
    fit_input : callable, optional
        Makes one row of an input, for `--fix`; see `metadata.lint.fix`.

    Raises
    ------
    FileNotFoundError, FileExistsError
        No such file; a file that would be overwritten without --force.
    ModelContractError
        A file that cannot be mended, and why.
    ValueError
        Options that do not go together.
    """
    _check_options(args)
    if args.fix:
        return _fix(args, read_whole(args.files[0]), hear, fit_input)
    models, errors = _read_all(args.files)
    code = _tell(args, [(str(path), lint_model(model)) for path, model in models]) if models else DONE
    if errors:  # told last: a path that is wrong hides no verdict
        raise type(errors[0])("; ".join(map(str, errors)))
    return code


def _read_all(paths: list[Path]) -> tuple[list[tuple[Path, bytes]], list[Exception]]:
    """The files that can be read, and why others cannot."""
    models, errors = list[tuple[Path, bytes]](), list[Exception]()
    for path in paths:
        try:
            models.append((path, read_whole(path)))
        except (OSError, ValueError) as error:
            errors.append(error)
    return models, errors


def _tell(args: argparse.Namespace, found: list[tuple[str, tuple[Verdict, ...]]]) -> int:
    """Print verdicts and return the exit code."""
    if args.json:
        print(json.dumps([describe_verdicts(*one) for one in found], indent=2, ensure_ascii=False))
    else:
        print("\n\n".join(format_verdicts(*one) for one in found))
    return DONE if all(_is_good(verdicts, args.loaders) for _, verdicts in found) else REFUSED


def _is_good(verdicts: tuple[Verdict, ...], wanted: list[str] | None) -> bool:
    """Whether the loaders that are wanted take a file, or any of an app's where none is named."""
    if wanted:
        return not any(verdict.is_taken is False for verdict in verdicts if verdict.loader.key in wanted)
    return any(verdict.is_taken is not False for verdict in verdicts if verdict.loader.is_for_apps)


def _fix(args: argparse.Namespace, model: bytes, hear: Hear | None, fit_input: FitInput | None) -> int:
    """Mend one file, write it, and lint what was written."""
    (path,) = args.files
    out = free_target(args.out, path, args.force)
    labels = read_labels(args.labels) if args.labels else None
    said = Said(labels=labels, sample_rate=args.sample_rate, activation=args.activation, name=path.stem)
    try:
        fixed = fix_model(model, said, hear, fit_input)
    except ValueError as error:
        raise type(error)(f"{path}: {error}") from error
    if fixed.model == model:
        print(f"{path}: nothing that --fix mends, nothing written")
    else:
        write_atomically(out, fixed.model)
        print(f"{out}: {len(fixed.model):,} bytes")
        for word, lines in (("done", fixed.steps), ("cured", fixed.cured), ("note", fixed.notes)):
            print("".join(f"  {word:<11} {line}\n" for line in lines), end="")
        print()
    return _tell(args, [(str(out if fixed.model != model else path), lint_model(fixed.model))])


def _check_options(args: argparse.Namespace) -> None:
    """Refuse options that do not go together."""
    given = [
        option
        for option, value in (
            ("--out", args.out),
            ("--force", args.force),
            ("--labels", args.labels),
            ("--sample-rate", args.sample_rate),
            ("--activation", args.activation),
        )
        if value
    ]
    if given and not args.fix:
        raise ValueError(f"{', '.join(given)} says how to mend a file; give --fix with it")
    if args.fix and len(args.files) > 1:
        raise ValueError(f"--fix mends one file at a time; {len(args.files)} are named")
    if args.fix and args.json:
        raise ValueError("--fix prints what it did as text; lint --json OUT tells the rest")

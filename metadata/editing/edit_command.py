"""The action `earproof metadata edit`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from metadata.editing.edited_metadata import EditedMetadata
from metadata.editing.extract_command import METADATA_FILE_NAME
from metadata.editing.locale_tag import check_locale
from metadata.errors import ModelContractError
from metadata.foreign.written_spec import read_whole
from metadata.packing.metadata_check import check_metadata
from metadata.packing.packed_model import named_files
from metadata.packing.score_calibration import HIDDEN, TRANSFORMATIONS
from metadata.tflite_file.model_content import ModelContent

HELP = "change single fields of the metadata; all else stays, the model byte for byte"
_TEXTS = {
    "name": "of the model",
    "version": "of the model",
    "description": "what the model does",
    "author": "who made it",
    "license": "under which it may be used",
}


def add_edit_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof metadata edit`."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a .tflite file with metadata")
    for name, text in _TEXTS.items():
        spellings = ["--licence", "--license"] if name == "license" else [f"--{name}"]
        parser.add_argument(*spellings, metavar="TEXT", help=text, dest=name)
    parser.add_argument(
        "--set", action="append", default=[], type=_pair, metavar="FIELD=VALUE", help="as output[0].description=Scores"
    )
    parser.add_argument(
        "--drop",
        action="append",
        default=[],
        metavar="WHAT",
        help="calibration, threshold, locale=TAG, custom=NAME, or a FIELD",
    )
    parser.add_argument(
        "--custom", action="append", default=[], type=_pair, metavar="NAME=FILE", help="custom metadata of any content"
    )
    parser.add_argument(
        "--from", type=Path, metavar="DIR", dest="folder", help="all of it, as extract wrote it and you changed it"
    )
    outputs = parser.add_argument_group("what an output says")
    outputs.add_argument("--head", metavar="HEAD", help="its place from 0 on, or its name (default: the labelled one)")
    outputs.add_argument("--labels", type=Path, metavar="labels.txt", help="labels, for a file without a spec")
    outputs.add_argument(
        "--locale", action="append", default=[], type=_pair, metavar="TAG=FILE", help="display names: de=labels_de.txt"
    )
    outputs.add_argument("--threshold", type=float, metavar="SCORE", help="from which MediaPipe shows a label")
    outputs.add_argument(
        "--calibrate", choices=["thresholds"], help="write the spec's thresholds so that loaders apply them"
    )
    outputs.add_argument(
        "--class-threshold",
        action="append",
        default=[],
        type=_pair,
        metavar="LABEL=SCORE",
        help="the same for a file without a spec",
    )
    outputs.add_argument("--calibration", type=Path, metavar="FILE", help="lines of scale,slope,offset[,least score]")
    outputs.add_argument(
        "--transformation", type=str.upper, choices=TRANSFORMATIONS, help="of a score before it (default IDENTITY)"
    )
    outputs.add_argument("--default-score", type=float, metavar="SCORE", help="under the least (default -1: hidden)")
    parser.add_argument("--out", type=Path, metavar="OUT", help="the file to write; without it FILE is rewritten")
    parser.add_argument("--force", action="store_true", help="overwrite OUT, or FILE where there is no --out")


def check_given(args: argparse.Namespace) -> None:
    """Refuse arguments that edit nothing, and those that do not go together."""
    if not any(_given(args)):
        raise ModelContractError("nothing to edit was given; earproof metadata edit --help lists what can be")
    _check_calibration_options(args)


def edited_model(model: ModelContent, args: argparse.Namespace, note: Callable[[str], None]) -> bytes:
    """Return the model as the arguments ask for it.

    Parameters
    ----------
    model : ModelContent
    args : argparse.Namespace
    note : callable
        Takes what the user must know.

    Raises
    ------
    ModelContractError
        What cannot be edited, or is not what the schema or the model takes.
    FileNotFoundError
        A file that is named and not there.
    """
    edited = EditedMetadata(model)
    _edit_fields(edited, args)
    _edit_output(edited, args)
    packed = edited.packed()
    for text in edited.notes:
        note(text)
    return packed


def _given(args: argparse.Namespace) -> Iterator[bool]:
    """Yield for each option that edits something whether it was given."""
    yield from (getattr(args, key) is not None for key in (*_TEXTS, "threshold", "transformation", "default_score"))
    lists = ("set", "drop", "custom", "folder", "labels", "locale", "calibrate", "class_threshold", "calibration")
    yield from (bool(getattr(args, key)) for key in lists)


def _edit_fields(edited: EditedMetadata, args: argparse.Namespace) -> None:
    """Do what is not about scores, in an order in which nothing undoes what came before."""
    if args.folder:
        edited.replace(*_read_folder(args.folder))
    for what in args.drop:
        edited.drop(what, args.head)
    for key in _TEXTS:
        if getattr(args, key) is not None:
            edited.set(key, getattr(args, key))
    for path, text in args.set:
        edited.set(path, text)
    for name, source in args.custom:
        edited.add_custom(name, read_whole(Path(source)))


def _edit_output(edited: EditedMetadata, args: argparse.Namespace) -> None:
    """Do what is about labels and scores of an output."""
    if args.labels:
        edited.set_labels(read_whole(args.labels), str(args.labels), "", args.head)
    for tag, source in args.locale:
        edited.set_labels(read_whole(Path(source)), source, check_locale(tag), args.head)
    if args.calibration:
        default = HIDDEN if args.default_score is None else args.default_score
        transformation = args.transformation or "IDENTITY"
        content = read_whole(args.calibration)
        edited.set_calibration(content, str(args.calibration), transformation, default, args.head)
    if args.calibrate:
        edited.calibrate_thresholds()
    if args.class_threshold:
        thresholds = {label: _number(text, label) for label, text in args.class_threshold}
        edited.set_class_thresholds(thresholds, args.head)
    if args.threshold is not None:
        edited.set_threshold(args.threshold, args.head)


def _check_calibration_options(args: argparse.Namespace) -> None:
    """Refuse options of calibration that do not go together."""
    if sum(map(bool, (args.calibration, args.calibrate, args.class_threshold))) > 1:
        raise ModelContractError("--calibration, --calibrate and --class-threshold all write the calibration; give one")
    if not args.calibration and (args.transformation or args.default_score is not None):
        raise ModelContractError("--transformation and --default-score belong to --calibration FILE; give that too")


def _read_folder(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """What `metadata extract` wrote: the metadata, and those files of it that the folder has."""
    source = folder / METADATA_FILE_NAME
    try:
        values = json.loads(read_whole(source))
    except (ValueError, RecursionError) as error:
        raise ModelContractError(f"{source} is not valid JSON: {error}") from error
    check_metadata(values)
    paths = {name: folder / name for name in named_files(values) if (folder / name).is_file()}
    return values, {name: path.read_bytes() for name, path in paths.items()}


def _pair(text: str) -> tuple[str, str]:
    """The two sides of an option, at the first sign of equality."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not NAME=VALUE; expected a name, '=', and a value, as author=Ada"
        )
    return name, value


def _number(text: str, label: str) -> float:
    """The number behind a label."""
    try:
        return float(text)
    except ValueError:
        raise ModelContractError(f"the threshold of {label} is {text!r}; expected a number from 0 to 1") from None

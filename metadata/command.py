"""The verb `earproof metadata`: show, write and list what a model file says about itself."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from metadata.atomic_file import free_target, write_atomically
from metadata.editing import edit_command, extract_command, remove_command
from metadata.editing.carried_over import carry_over
from metadata.errors import ModelContractError
from metadata.file_report import describe_file, format_report
from metadata.foreign.foreign_contract import tell_notes
from metadata.foreign.probed_scores import Hear
from metadata.foreign.stated_fields import read_metadata_leniently, read_stated
from metadata.foreign.written_spec import add_spec_arguments, read_whole, written_contract
from metadata.gate.model_check import check_model
from metadata.kotlin_file import add_kotlin_arguments, run_kotlin
from metadata.mended_labels import TO_MEND
from metadata.microcontroller.options import CArray, add_c_array_arguments
from metadata.packing.packed_model import pack_model, read_model_labels, read_spec
from metadata.tflite_file.model_content import ModelContent

VERBS = {"metadata": "show, write or edit what a .tflite file says about itself"}


def add_arguments(verb: str, parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof metadata` to a parser."""
    _check_verb(verb)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="print tensors, labels, spec and the files inside")
    show.add_argument("file", type=Path, metavar="FILE", help="a .tflite file")
    show.add_argument("--json", action="store_true", help="print everything as one JSON document")
    write = actions.add_parser("write", help="put a spec and labels into a model, in place of what it had")
    write.add_argument("file", type=Path, metavar="FILE", help="a .tflite file")
    add_spec_arguments(write)
    write.add_argument("--out", type=Path, metavar="OUT", help="the file to write; without it FILE is rewritten")
    write.add_argument("--force", action="store_true", help="overwrite OUT, or FILE where there is no --out")
    edit_command.add_edit_arguments(actions.add_parser("edit", help=edit_command.HELP))
    remove_command.add_remove_arguments(actions.add_parser("remove", help=remove_command.HELP))
    extract_command.add_extract_arguments(actions.add_parser("extract", help=extract_command.HELP))
    labels = actions.add_parser("labels", help="print the labels, one a line, in the order of the scores")
    labels.add_argument("file", type=Path, metavar="FILE", help="a .tflite file")
    add_kotlin_arguments(actions.add_parser("kotlin", help="write a Kotlin file with the constants of a model"))
    add_c_array_arguments(actions.add_parser("c-array", help="write model and front end as C for a microcontroller"))


def run(verb: str, args: argparse.Namespace, hear: Hear | None = None, c_array: CArray | None = None) -> int:
    """Run `earproof metadata` and return its exit code.

    Parameters
    ----------
    verb : str
    args : argparse.Namespace
    hear : callable, optional
        Runs a model on test signals, see `edge_runtime.model.probe`; without it the graph alone is looked at.
    c_array : callable, optional
        Writes a model as C files, see `edge_runtime.microcontroller.c_array`.

    Raises
    ------
    ModelContractError
        The file is no model, or says what is not so.
    FileNotFoundError, FileExistsError
        No such file; a file that would be overwritten without --force.
    """
    _check_verb(verb)
    model = read_whole(args.file)
    try:
        content = check_model(model, unknown_operators=True)
        if args.action == "c-array":
            _require_device_part(c_array)(content, args)
        else:
            _act(content, args, hear)
    except ModelContractError as error:
        raise ModelContractError(f"{args.file}: {error}") from error
    return 0


def _act(model: ModelContent, args: argparse.Namespace, hear: Hear | None) -> None:
    """Do what was asked for with a file that may be read."""
    if args.action == "show":
        report = describe_file(args.file, model, hear)
        print(json.dumps(report, indent=2, ensure_ascii=False) if args.json else format_report(report))
    elif args.action == "labels":
        print("\n".join(_labels(model)))
    elif args.action == "kotlin":
        run_kotlin(model, args, hear)
    elif args.action == "extract":
        for path in extract_command.extract_files(model, args.out, args.force):
            print(path)
    else:
        if args.action == "edit":
            edit_command.check_given(args)
        out = free_target(args.out, args.file, args.force)
        packed = _changed(model, args, hear)
        write_atomically(out, packed)
        print(f"{out}: {len(packed):,} bytes", file=sys.stderr)


def _require_device_part(c_array: CArray | None) -> CArray:
    """Return what writes C files, or say that it is not installed."""
    if c_array is None:
        raise ModelContractError("edge_runtime with NumPy is not installed here, and the C files are made by it")
    return c_array


def _labels(model: ModelContent) -> tuple[str, ...]:
    """The labels, those of others as they were meant, with a note on stderr of what was mended."""
    if read_spec(model) is not None:
        return read_model_labels(model)
    stated = read_stated(model)
    if stated.labels is None:
        raise ModelContractError("; ".join(stated.label_faults) or "the model holds no TFLite metadata with labels")
    tell_notes([*stated.label_notes, *([TO_MEND] if stated.labels_are_mended else [])], _note)
    return stated.labels


def _changed(model: ModelContent, args: argparse.Namespace, hear: Hear | None) -> bytes:
    """The model that is to be written."""
    if args.action == "edit":
        return edit_command.edited_model(model, args, _note)
    if args.action == "remove":
        return remove_command.bare_model(model, _note)
    contract = written_contract(model, args, hear)
    tell_notes(contract.notes, _note)
    spec = contract.settled("earproof metadata write FILE --out NEW.tflite")
    packed, notes = carry_over(pack_model(model.model, spec), spec, *read_metadata_leniently(model))
    tell_notes(notes, _note)
    return packed


def _note(text: str) -> None:
    """Tell what is no result."""
    print(f"note: {text}", file=sys.stderr)


def _check_verb(verb: str) -> None:
    """Refuse a verb that is not this package's."""
    if verb not in VERBS:
        raise ValueError(f"the verb is {verb!r}; expected {', '.join(VERBS)}")

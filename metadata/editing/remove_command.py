"""The action `earproof metadata remove`: a file without metadata, and what it had said."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from metadata.errors import ModelContractError
from metadata.foreign.stated_fields import read_metadata_leniently
from metadata.packing.new_root import find_model
from metadata.packing.packed_model import strip_metadata
from metadata.tflite_file.model_content import ModelContent

HELP = "take metadata, labels and spec out, and say what was there"
_SAID = ("name", "version", "author", "license")


def add_remove_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof metadata remove`."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a .tflite file with metadata")
    parser.add_argument("--out", type=Path, metavar="OUT", help="the file to write; without it FILE is rewritten")
    parser.add_argument("--force", action="store_true", help="overwrite OUT, or FILE where there is no --out")


def bare_model(model: ModelContent, note: Callable[[str], None]) -> bytes:
    """Return the model without metadata and files.

    Parameters
    ----------
    model : ModelContent
    note : callable
        Takes a line for each thing that was taken out.

    Raises
    ------
    ModelContractError
        There is nothing to take out.
    """
    values, files = read_metadata_leniently(model)
    if values is None and not files:
        raise ModelContractError("the model holds neither metadata nor files; there is nothing to remove")
    bare = strip_metadata(model.model)
    said = {key: str((values or {}).get(key, "")) for key in _SAID}
    note("taken out: metadata; " + ("; ".join(f"{key} {text}" for key, text in said.items() if text) or "no texts"))
    for name in sorted(files):
        note(f"taken out: {name}, {len(files[name]):,} bytes")
    if find_model(model.model) is not None:
        note("the model is byte for byte what the metadata was once written into")
    else:
        note("another tool wrote the metadata: its bytes are zeros now, all others are as they were")
    return bare

"""The action `earproof metadata extract`: everything a file says about itself, as files."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from metadata.atomic_file import write_atomically
from metadata.errors import ModelContractError
from metadata.foreign.stated_fields import read_metadata_leniently
from metadata.tflite_file.model_content import ModelContent

HELP = "write metadata, labels, spec and the other files inside into a folder"
METADATA_FILE_NAME = "metadata.json"


def add_extract_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `earproof metadata extract`."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a .tflite file")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="the folder to write into; made if missing"
    )
    parser.add_argument("--force", action="store_true", help="overwrite files that are there")


def extract_files(model: ModelContent, folder: Path, force: bool) -> list[Path]:
    """Write everything that a file says about itself, and return the paths.

    Parameters
    ----------
    model : ModelContent
    folder : Path
    force : bool
        Files that are there are overwritten.

    Raises
    ------
    ModelContractError
        Nothing is inside.
    FileExistsError
        A file is there and `force` is not given; then none is written.
    """
    contents = _contents(model)
    if not contents:
        raise ModelContractError("the model holds neither metadata nor files; there is nothing to extract")
    paths = {name: folder / name for name in contents}
    there = sorted(name for name, path in paths.items() if path.exists())
    if there and not force:
        raise FileExistsError(f"{folder} has {', '.join(there)} already; give --force to overwrite, or another --out")
    for name, path in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, contents[name])
    return list(paths.values())


def _contents(model: ModelContent) -> dict[str, bytes]:
    """The content of each file to write."""
    values, files = read_metadata_leniently(model)
    if values is None:
        return files
    if any(name.casefold() == METADATA_FILE_NAME for name in files):
        raise ModelContractError(f"the model holds a file {METADATA_FILE_NAME}, the name of what extract writes itself")
    return {METADATA_FILE_NAME: (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode("utf-8"), **files}

"""The options of `earproof metadata c-array`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from metadata.tflite_file.model_content import ModelContent

CArray = Callable[[ModelContent, argparse.Namespace], None]  # writes the files, see `edge_runtime.microcontroller`


def add_c_array_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `earproof metadata c-array` takes."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a .tflite file")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder for the C files")
    parser.add_argument("--name", metavar="NAME", help="what names in C begin with (default: the model's name)")
    parser.add_argument("--force", action="store_true", help="overwrite C files that are there")
    parser.add_argument("--json", action="store_true", help="print memory, operators and files as JSON")

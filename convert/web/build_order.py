"""In which order the page lists the files of a build."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from convert.bundle.bundle_files import REPORT_FILE_NAME
from edge_runtime.options import model_files


def ordered_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files of MODEL; of a build's folder the file of its verdict first, as the page opens the first one.

    Raises
    ------
    ValueError
        A folder without `.tflite` files.
    """
    return [file for path in paths for file in _ordered(path)]


def _ordered(path: Path) -> list[Path]:
    """The files of one MODEL; a file alone stays as it is."""
    files = model_files([path])
    best = _best_of(path / REPORT_FILE_NAME) if path.is_dir() else None
    return sorted(files, key=lambda file: file.name != best)


def _best_of(report: Path) -> str | None:
    """The file of a build's verdict; None where there is none, as in a folder that was filled by hand."""
    if not report.is_file():
        return None
    try:
        return str(json.loads(report.read_bytes()).get("verdict", {}).get("file"))
    except (ValueError, AttributeError) as error:
        print(
            f"{report} is no report of a build ({error}): the files stand in the order of their names", file=sys.stderr
        )
        return None

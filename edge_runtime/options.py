"""The file of --out, checked before there is work that it would be the end of."""

from __future__ import annotations

from pathlib import Path


def check_out_file(path: Path, force: bool) -> None:
    """Refuse a file that could not be written later.

    Raises
    ------
    FileExistsError
        It is there and is not to be overwritten.
    FileNotFoundError
        Its folder is not there.
    """
    if path.exists() and not force:
        raise FileExistsError(f"{path} exists; expected a new file, or --force to overwrite it")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} for {path.name} does not exist; make it first")

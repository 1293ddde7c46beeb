"""Folders that the page writes into."""

from __future__ import annotations

import os
from pathlib import Path


def writable_folder(path: Path, what: str, option: str) -> None:
    """Make a folder if need be.

    Parameters
    ----------
    path : Path
    what : str
        What it is for, in the plural.
    option : str
        Of the command, that chooses another one.

    Raises
    ------
    OSError
        It is a file, or cannot be made or written.
    """
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(f"{path} is a file; expected a folder for {what}")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise type(error)(f"{path} cannot be made ({error.strerror}); choose another {option}") from error
    if not os.access(path, os.W_OK):
        raise PermissionError(f"{path} cannot be written; choose another {option}, or allow it")

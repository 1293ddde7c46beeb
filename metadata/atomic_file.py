"""Writing a file so that nobody ever sees half of it."""

from __future__ import annotations

import os
from pathlib import Path


def write_atomically(path: str | Path, content: bytes | memoryview) -> None:
    """Write a file beside its target and move it there; where that fails, the target stays as it was.

    Raises
    ------
    FileNotFoundError
        The folder does not exist.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} for {path.name} does not exist")
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    except BaseException:  # an interrupt too must leave nothing behind
        partial.unlink(missing_ok=True)
        raise

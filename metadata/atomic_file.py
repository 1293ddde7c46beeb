"""Writing a file so that nobody ever sees half of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def write_atomically(path: str | Path, content: bytes | memoryview) -> None:
    """Write a file beside its target and move it there; where that fails, the target stays as it was.

    Raises
    ------
    FileNotFoundError
        The folder does not exist.
    OSError
        The folder cannot be written, or is full.
    """
    with open_atomically(path) as file:
        file.write(content)


@contextmanager
def open_atomically(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file to write piece by piece, which takes its place when the block ends; see `write_atomically`."""
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} for {path.name} does not exist")
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("wb") as file:
            yield file
        os.replace(partial, path)
    except BaseException as error:  # an interrupt too must leave nothing behind
        with suppress(OSError):  # the first error is the one to tell
            partial.unlink()
        if isinstance(error, OSError) and error.filename == str(partial):  # of which the user knows nothing
            raise type(error)(f"{path} cannot be written: {error.strerror}") from error
        raise


def free_target(out: Path | None, source: Path, force: bool) -> Path:
    """Return the file that a verb writes: `out`, else `source` itself.

    Raises
    ------
    FileExistsError
        It is there, and shall not be overwritten.
    """
    target = out or source
    if target.exists() and not force:
        how = "or another --out" if out else "or --out OUT to leave it as it is"
        raise FileExistsError(f"{target} exists; give --force to overwrite it, {how}")
    return target

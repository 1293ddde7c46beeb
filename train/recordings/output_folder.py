"""The folder a command fills: never somebody else's files, never half of an old and half of a new result."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterable
from pathlib import Path

MARKER_FILE_NAME = ".earproof"  # says that this folder was filled by earproof and may be emptied by --force
MARKER_FILE_NAMES = (MARKER_FILE_NAME, ".earshot")  # the second is the one of earlier states


def claim_folder(
    path: str | Path, *, force: bool = False, resume: bool | None = None, keep: Collection[str] = ()
) -> Path:
    """Make the output folder, or take over an existing one as asked.

    Parameters
    ----------
    path : str or Path
    force : bool
        Empty the folder first, if earproof filled it.
    resume : bool
        Keep what is there and go on; None where the command cannot.
    keep : collection of str
        Names of entries that do not count as content and are never removed.

    Raises
    ------
    FileExistsError
        The folder has content and neither was asked, or `force` was and the content is not earproof's.
    NotADirectoryError, PermissionError
        The path is a file, lies in one, or may not be written.
    """
    folder = Path(path)
    entries = check_folder(folder, force=force, resume=resume, keep=keep)
    if force:
        _remove(entries)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARKER_FILE_NAME).write_text("This folder was filled by earproof; --force empties it.\n")
    except OSError as error:
        raise type(error)(f"{folder} cannot be written ({error.strerror}); choose another folder") from error
    return folder


def check_folder(
    path: str | Path, *, force: bool = False, resume: bool | None = None, keep: Collection[str] = ()
) -> list[Path]:
    """Return what `claim_folder` would find in a folder, its content, and change nothing; errors as there."""
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; expected a folder to write to")
    above = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not above.is_dir():
        raise NotADirectoryError(f"{folder} cannot be written ({above} is a file); choose another folder")
    if not os.access(above, os.W_OK | os.X_OK):
        raise PermissionError(f"{folder} cannot be written (no permission in {above}); choose another folder")
    ours = any((folder / name).is_file() for name in MARKER_FILE_NAMES)
    entries = [entry for entry in folder.iterdir() if entry.name not in keep] if folder.is_dir() else []
    if entries:
        if resume and force:
            raise ValueError("--resume keeps what is there and --force removes it; choose one")
        if not ours:
            raise FileExistsError(f"{folder} holds files that earproof did not write; choose another folder")
        if not (resume or force):
            go_on = "" if resume is None else "go on with --resume, "
            raise FileExistsError(f"{folder} exists; {go_on}start again with --force, or choose another")
    return entries


def refuse_originals(folder: Path, recordings: Iterable[Path]) -> None:
    """Raise ValueError where a folder that is to be filled, and may be emptied first, holds a recording to read."""
    inside = folder.resolve()
    for recording in recordings:
        if inside in recording.resolve().parents:
            raise ValueError(f"{folder} holds the originals ({recording}); choose another folder to write to")


def _remove(entries: Iterable[Path]) -> None:
    """Remove files and folders."""
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()

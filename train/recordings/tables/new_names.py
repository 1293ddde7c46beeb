"""Names of files to write: legal on every common file system, and never one name for two clips.

Names count as the same where a file system without case or with composed letters takes them for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from metadata.plural import counted
from metadata.safe_name import safe_part
from train.recordings.tables.spelling import composed


def unique_paths(paths: Sequence[str]) -> list[str]:
    """Return paths of files in their order, those whose name is taken with a number behind: `a.flac`, `a-2.flac`.

    A name that is there as it is keeps to its owner: of `a`, `a` and `a-2` the second becomes `a-3`.
    """
    wanted = {_key(path) for path in paths}
    taken: set[str] = set()
    last: dict[str, int] = {}  # number given to a name
    given = []
    for path in paths:
        place, name = PurePosixPath(path), path
        while _key(name) in taken or (name != path and _key(name) in wanted):
            last[_key(path)] = last.get(_key(path), 1) + 1
            name = str(place.with_name(f"{place.stem}-{last[_key(path)]}{place.suffix}"))
        taken.add(_key(name))
        given.append(name)
    return given


def count_renamed(paths: Sequence[str], given: Sequence[str]) -> str:
    """Return for people how many files got another name than they would have, '' where none did."""
    changed = [(path, name) for path, name in zip(paths, given, strict=True) if path != name]
    if not changed:
        return ""
    first = f"the first {changed[0][0]} as {changed[0][1]}"
    return (
        f"{counted(len(changed), 'name was', 'names were')} taken already by other clips; their files got a number "
        f"({first})"
    )


def refuse_shared_folders(labels: Iterable[str]) -> None:
    """Raise ValueError where two labels would share a folder, on this file system or on one without case."""
    owner: dict[str, str] = {}
    for label in labels:
        other = owner.setdefault(_key(safe_part(label)), label)
        if other != label:
            raise ValueError(
                f"the labels {other!r} and {label!r} would share the folder {safe_part(label)!r} where case or special "
                "characters do not count; rename one"
            )


def check_all_written(folder: Path, names: Sequence[str]) -> None:
    """Raise OSError unless there is a file of its own for each name."""
    found = set()
    for name in names:
        about = (folder / name).stat()
        found.add((about.st_dev, about.st_ino))
    if len(found) != len(names):
        raise OSError(
            f"{folder} holds {counted(len(found), 'file')} for {counted(len(names), 'clip')}; does its file system "
            "merge names?"
        )


def _key(path: str) -> str:
    """What two paths have in common that may be one file somewhere."""
    return composed(composed(path).casefold())

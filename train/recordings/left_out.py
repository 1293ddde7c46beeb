"""What was seen below a data folder and is not used, with the reason: nothing vanishes from a data set unsaid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

NO_SOUND = "no recordings"
OTHER_FORMAT = "sound of a format that is not read; convert it to WAV or FLAC (ffmpeg -i IN.m4a OUT.wav)"
NO_ENDING = "sound, but the name has no ending that is read; rename it, as to NAME.wav"
ARCHIVE = "archives; unpack them"
HIDDEN = "hidden: the name begins with a dot"
SYSTEM = "of the system or of a program, not of the data"
LOOP = "links that lead back to a folder they are in"
SEEN = "links to what is read under another name"
DANGLING = "links that lead nowhere"
CLOSED = "cannot be opened; ask for the right to read them"
NO_FILE = "neither file nor folder"
NOT_UTF_8 = "the name is not UTF-8 text; rename it"
EMPTY = "empty folders"
NO_LABEL = "recordings beside the label folders, so without a label; move each into one"
NO_RECORDINGS = "folders without a recording, so no label"
UNLISTED = "recordings that the table does not list"
NO_WORD = "background noise, which is no word; cut into a folder such as _silence_ it would be a label"

LOSES_A_LABEL = (OTHER_FORMAT, NO_ENDING, ARCHIVE, SEEN, DANGLING, CLOSED, NOT_UTF_8)
"""Reasons for which a folder without a recording may be a label that somebody misses, and not just a folder."""

MOST_NAMED = 3


@dataclass(frozen=True)
class LeftOut:
    """A file or a folder that is not used.

    Attributes
    ----------
    path : str
        Relative to the root, with forward slashes; that of a folder ends in one and stands for all that is in it.
    reason : str
    """

    path: str
    reason: str


def by_reason(left_out: Iterable[LeftOut]) -> dict[str, list[str]]:
    """Return the paths of each reason, those with the fewest first: what is rare is what nobody expects."""
    paths: dict[str, list[str]] = defaultdict(list)
    for one in left_out:
        paths[one.reason].append(one.path)
    return dict(sorted(paths.items(), key=lambda item: (item[0] == NO_SOUND, len(item[1]))))


def describe_left_out(left_out: Sequence[LeftOut]) -> list[str]:
    """Return a line a reason for people, with the count and the first few names."""
    return [f"not used, {len(paths)}: {name_some(paths)} ({reason})" for reason, paths in by_reason(left_out).items()]


def count_left_out(left_out: Sequence[LeftOut], most: int | None = None) -> dict[str, Any]:
    """Return count and paths of each reason for JSON, at most so many paths of each."""
    return {reason: {"count": len(paths), "paths": paths[:most]} for reason, paths in by_reason(left_out).items()}


def name_some(names: Sequence[str], count: int | None = None) -> str:
    """Return the first few of `count` names as text, and how many more there are; line ends are escaped."""
    count = len(names) if count is None else count
    more = f" and {count - MOST_NAMED} more" if count > MOST_NAMED else ""
    return ", ".join(map(printable, names[:MOST_NAMED])) + more


def printable(name: str) -> str:
    """Return a name as it can be printed: line ends, marks that turn the line round and bad bytes escaped."""
    return name if name.isprintable() else ascii(name)[1:-1]

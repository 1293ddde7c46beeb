"""What was seen below a data folder and is not used, with the reason: nothing vanishes from a data set unsaid."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from metadata.plural import counted


class Reason(NamedTuple):
    """Why something is not read."""

    kind: str  # a short name that stays the same from version to version
    text: str  # for people


NO_SOUND = Reason("no_sound", "no recordings")
OTHER_FORMAT = Reason(
    "other_format", "sound of a format that is not read; convert it to WAV or FLAC: ffmpeg -i IN.* OUT.wav"
)
NO_ENDING = Reason("no_ending", "sound, but the name has no ending that is read; rename it, as to NAME.wav")
ARCHIVE = Reason("archive", "archives; unpack them")
HIDDEN = Reason("hidden", "hidden: the name begins with a dot")
SYSTEM = Reason("system", "of the system or of a program, not of the data")
LOOP = Reason("link_loop", "links that lead back to a folder they are in")
SEEN = Reason("link_again", "links to what is read under another name")
DANGLING = Reason("link_to_nothing", "links that lead nowhere")
CLOSED = Reason("closed", "cannot be opened; ask for the right to read them")
NO_FILE = Reason("no_file", "neither file nor folder")
NOT_UTF_8 = Reason("not_utf_8", "the name is not UTF-8 text; rename it")
EMPTY = Reason("empty", "empty folders")
NO_LABEL = Reason("no_label", "recordings beside the label folders, so without a label; move each into one")
NO_RECORDINGS = Reason("no_recordings", "folders without a recording, so no label")
UNLISTED = Reason("unlisted", "recordings that the table does not list")

_HEADERLESS = (".pcm", ".raw", ".vox")  # ffmpeg cannot tell what these hold

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
    reason : Reason
    """

    path: str
    reason: Reason


def by_reason(left_out: Iterable[LeftOut]) -> dict[Reason, list[str]]:
    """Return the paths of each reason, those with the fewest first: what is rare is what nobody expects."""
    paths: dict[Reason, list[str]] = defaultdict(list)
    for one in left_out:
        paths[one.reason].append(one.path)
    return dict(sorted(paths.items(), key=lambda item: (item[0] == NO_SOUND, len(item[1]))))


def describe_left_out(left_out: Sequence[LeftOut]) -> list[str]:
    """Return a line a reason for people, with the count and the first few names."""
    return [describe_reason(reason, paths, len(paths)) for reason, paths in by_reason(left_out).items()]


def describe_reason(reason: Reason, paths: Sequence[str], count: int) -> str:
    """Return a line about what is left out for one reason, of which there are so many."""
    named, text = name_some(paths, count), reason_text(reason, paths)
    if reason == NO_SOUND:
        what = counted(count, "other file, which is no recording", "other files, which are no recordings")
        return f"{what}: {named}"
    return f"left out, {count}: {named} ({text})"


def reason_text(reason: Reason, paths: Sequence[str]) -> str:
    """Return a reason for people; a command in it names the most frequent ending, and the others stand behind it."""
    endings = [ending for ending, _ in Counter(PurePosixPath(path).suffix for path in paths).most_common()] or [".*"]
    options = "-f s16le -ar HZ -ac CHANNELS " if endings[0].lower() in _HEADERLESS else ""  # the most usual of them
    text = reason.text.replace("-i IN.*", f"{options}-i IN{endings[0]}")
    others = f"; likewise {', '.join(endings[1:])}" if text != reason.text and endings[1:] else ""
    return text + others


def count_left_out(left_out: Sequence[LeftOut], most: int | None = None) -> dict[str, dict[str, Any]]:
    """Return for JSON the reason in words, count and paths of each kind of reason, at most so many paths of each."""
    return {
        reason.kind: {"reason": reason_text(reason, paths), "count": len(paths), "paths": paths[:most]}
        for reason, paths in by_reason(left_out).items()
    }


def name_some(names: Sequence[str], count: int | None = None) -> str:
    """Return the first few of `count` names as text, and how many more there are; line ends are escaped."""
    count = len(names) if count is None else count
    more = f" and {count - MOST_NAMED} more" if count > MOST_NAMED else ""
    return ", ".join(map(printable, names[:MOST_NAMED])) + more


def printable(name: str) -> str:
    """Return a name as it can be printed: line ends, marks that turn the line round and bad bytes escaped."""
    return name if name.isprintable() else ascii(name)[1:-1]

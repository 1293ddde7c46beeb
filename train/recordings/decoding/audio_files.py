"""The recordings that lie below a folder, and all else that lies there, each with the reason why it is not read.

One rule for all data: what a file is, its whole path says and not its name alone. Hidden and system folders are not
entered. Symbolic links are followed once everything else is known, so that a recording is read under its own name; a
link to what is read already counts as such.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from train.recordings import left_out
from train.recordings.decoding import decode
from train.recordings.decoding.file_kinds import ARCHIVES, NO_SOUND, OTHER_SOUND, reason_by_head, reason_by_name
from train.recordings.left_out import LeftOut, Reason
from train.recordings.output_folder import MARKER_FILE_NAME


@dataclass(frozen=True)
class FoundFiles:
    """What lies below a folder.

    Attributes
    ----------
    root : Path
    recordings : tuple of str
        Files that a decoder reads, relative to the root with forward slashes, sorted folder by folder.
    left_out : tuple of LeftOut
        Everything else, sorted alike.
    top_folders : tuple of str
        Names of the folders directly in the root that were entered.
    """

    root: Path
    recordings: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    top_folders: tuple[str, ...]

    def below(self, folder: Path) -> list[Path]:
        """Return the recordings below a folder that is the root or lies in it, sorted."""
        place = folder.relative_to(self.root).as_posix()
        begin = "" if place == "." else f"{place}/"
        return [self.root / path for path in self.recordings if path.startswith(begin)]

    def by_top_folder(self) -> dict[str, list[str]]:
        """Return the recordings of each folder directly in the root, '' for those beside the folders."""
        found: dict[str, list[str]] = {}
        for path in self.recordings:
            top, slash, _ = path.partition("/")
            found.setdefault(top if slash else "", []).append(path)
        return found


def find_files(root: str | Path) -> FoundFiles:
    """Return what lies below a folder, each file and folder either a recording or left out with its reason.

    Raises
    ------
    OSError
        The folder itself cannot be opened.
    """
    walk = _Walk(Path(root))
    walk.run()
    return FoundFiles(
        walk.root,
        tuple(sorted(walk.recordings, key=_by_folder)),
        tuple(sorted(walk.left_out, key=lambda one: _by_folder(one.path))),
        tuple(sorted(walk.top_folders)),
    )


@dataclass
class _Walk:
    """One walk through a tree."""

    root: Path
    recordings: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    top_folders: list[str] = field(default_factory=list)
    _links: list[str] = field(default_factory=list)  # not followed yet
    _seen: set[tuple[int, int]] = field(default_factory=set)  # device and inode of what was read or entered

    def run(self) -> None:
        """Take everything in: first what is really there, then what links lead to."""
        self._enter("")
        while self._links:
            links, self._links = sorted(self._links, key=_by_folder), []
            for path in links:
                self._follow(path)

    def _enter(self, folder: str) -> None:
        """Take in a folder and those in it."""
        waiting = [folder]
        while waiting:
            waiting += self._list(waiting.pop())

    def _list(self, folder: str) -> list[str]:
        """Take in the entries of a folder; return the folders among them."""
        place = self.root / folder
        try:
            about = os.stat(place)
            entries = sorted(os.scandir(place), key=lambda entry: entry.name)
            is_empty = not entries
        except OSError:
            if not folder:
                raise
            self._leave(f"{folder}/", left_out.CLOSED)
            return []
        self._seen.add((about.st_dev, about.st_ino))
        if folder and "/" not in folder:
            self.top_folders.append(folder)
        entries = [entry for entry in entries if entry.name != MARKER_FILE_NAME]
        if folder and is_empty:
            self._leave(f"{folder}/", left_out.EMPTY)
        return [path for entry in entries for path in self._entry(entry, f"{folder}/{entry.name}".lstrip("/"))]

    def _entry(self, entry: os.DirEntry[str], path: str) -> Iterator[str]:
        """Take in one entry; yield it where it is a folder to enter."""
        reason = reason_by_name(entry.name)
        if reason:
            self._leave(path + "/" * entry.is_dir(follow_symlinks=False), reason)
        elif entry.is_symlink():
            self._links.append(path)
        elif entry.is_dir():
            yield path
        else:
            self._take(path, entry.stat())

    def _take(self, path: str, about: os.stat_result) -> None:
        """Take in what is no folder."""
        reason = self._reason(path, about)
        if reason:
            self._leave(path, reason)
        else:
            self._seen.add((about.st_dev, about.st_ino))
            self.recordings.append(path)

    def _reason(self, path: str, about: os.stat_result) -> Reason | None:
        """Why a file is not read, None where it is."""
        if not stat.S_ISREG(about.st_mode):
            return left_out.NO_FILE
        suffix = os.path.splitext(path)[1].lower()
        if suffix in decode.AUDIO_SUFFIXES:
            return None if os.access(os.path.join(self.root, path), os.R_OK) else left_out.CLOSED
        if suffix in OTHER_SOUND:
            return left_out.OTHER_FORMAT
        if suffix in ARCHIVES:
            return left_out.ARCHIVE
        return left_out.NO_SOUND if suffix in NO_SOUND else reason_by_head(self.root / path)

    def _follow(self, path: str) -> None:
        """Take in what a link leads to, where that is not read under another name."""
        link = self.root / path
        try:
            about = os.stat(link)
        except OSError as error:  # ELOOP: links that lead to each other
            self._leave(path, left_out.CLOSED if isinstance(error, PermissionError) else left_out.DANGLING)
            return
        if not stat.S_ISDIR(about.st_mode):
            is_seen = (about.st_dev, about.st_ino) in self._seen
            self._leave(path, left_out.SEEN) if is_seen else self._take(path, about)
        elif Path(os.path.realpath(link)) in (place := Path(os.path.realpath(link.parent)), *place.parents):
            self._leave(path, left_out.LOOP)
        elif (about.st_dev, about.st_ino) in self._seen:
            self._leave(f"{path}/", left_out.SEEN)
        else:
            self._enter(path)

    def _leave(self, path: str, reason: Reason) -> None:
        """Count something that is not read."""
        self.left_out.append(LeftOut(path, reason))


def _by_folder(path: str) -> list[str]:
    """What paths are sorted by: part by part, as `pathlib` does."""
    return path.rstrip("/").split("/")

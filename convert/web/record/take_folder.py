"""A folder of recordings that grows on the page, take by take, in the layout that every verb reads.

DIR/LABEL/GROUP-0001.wav   the takes, as the browser sent them
DIR/clips.csv              path, label and group of every recording, `train.recordings.tables.clip_table`
DIR/labels.txt             the labels in output order, written when one is added on the page
DIR/.deleted/              takes that were deleted on the page; hidden files are not read
DIR/.recording             held by the server that records, see `convert.web.record.held_file`
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import RLock
from typing import Any

from convert.web.given_name import checked_name
from convert.web.plain_words import plain_words
from convert.web.record.held_file import HeldFile
from convert.web.record.places import writable_folder
from edge_runtime.audio.wav_file import WavFile
from metadata.atomic_file import write_atomically
from metadata.labels import LABELS_FILE_NAME, check_labels, format_labels
from metadata.safe_name import safe_part
from train.recordings.clip import Clip, group_of
from train.recordings.clip_index import INDEX_FILE_NAME, ClipIndex, find_clips, write_index
from train.recordings.decoding.audio_files import find_files
from train.recordings.decoding.decode import duration

DELETED_FOLDER = ".deleted"
MOST_BYTES = 64 << 20  # of one take; five minutes of 16 bits at 96 kHz
INCOMING = "incoming.wav"
LOCK_NAME = ".recording"


class GoneError(ValueError):
    """A take that was deleted already, on another page of the same server."""


@dataclass
class TakeFolder:
    """The recordings of one folder; every change is on the disk when its call returns.

    Attributes
    ----------
    root : Path
        Made if need be.
    """

    root: Path
    _index: ClipIndex | None = None
    _signature: tuple[int, int] | None = None  # of clips.csv, as it was read
    _deleted: dict[str, Clip] = field(default_factory=dict)  # by their path before
    _seconds: dict[str, float | None] = field(default_factory=dict)
    _lock: RLock = field(default_factory=RLock, repr=False)

    def __post_init__(self) -> None:
        writable_folder(self.root, "takes", "--data")
        index = self.index()
        if index.events is not None:
            raise ValueError(f"{self.root} has annotations of events; the page records takes of one label each")

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other servers out of the folder within the block: of two that write one table, each loses takes.

        Raises
        ------
        ValueError
            Another one records there.
        OSError
            The place knows no lock.
        """
        lock = HeldFile(self.root / LOCK_NAME)
        if not lock.take(pid=os.getpid()):
            pid = (lock.holder() or {}).get("pid", "of unknown number")
            raise ValueError(
                f"another earproof (process {pid}) records into {self.root}; use the page that it opened, end it, or "
                "choose another --data"
            )
        try:
            yield
        finally:
            lock.remove()

    def index(self) -> ClipIndex:
        """Return the clip index; one without clips for a folder without recordings.

        Raises
        ------
        ValueError
            clips.csv has faults; they are named.
        """
        with self._lock:
            signature = _signature(self.root / INDEX_FILE_NAME)
            if self._index is None or signature != self._signature:
                holds = signature is not None or find_files(self.root).recordings
                self._index = find_clips(self.root) if holds else ClipIndex(self.root, self._listed(), ())
                self._signature = signature
            return self._index

    def labels(self) -> tuple[str, ...]:
        """Return the labels in output order, those without takes too."""
        return tuple(dict.fromkeys((*self._listed(), *self.index().labels)))

    def takes(self) -> list[dict[str, Any]]:
        """Return path, labels, group, side and seconds of every recording; None seconds of one that cannot be read."""
        return [
            {
                "path": clip.path,
                "labels": list(clip.labels),
                "group": clip.group,
                "split": clip.split,
                "seconds": self._duration(clip.path),
            }
            for clip in self.index().clips
        ]

    def notes(self) -> list[str]:
        """Return what a person should know who records here, a sentence each."""
        if not self._is_sided():
            return []
        return [
            "The recordings here have sides already: a take goes to the side of its session, and a new session to "
            "train.",
            f"To test on a new session, write test in the column split of its rows in {self.root / INDEX_FILE_NAME}.",
        ]

    def add_label(self, name: str) -> None:
        """Add a label, behind the others.

        Raises
        ------
        ValueError
            A label that files cannot hold, that looks like another one, or whose folder would have another's name.
        """
        label = checked_name(name, "label")
        with self._changing():
            labels = self.labels()
            if alike := [one for one in labels if one.casefold() == label.casefold()]:
                raise ValueError(f"there is the label {alike[0]!r} already; choose another name than {label!r}")
            if alike := [one for one in labels if _folder_look(one) == _folder_look(label)]:
                raise ValueError(
                    f"the takes of {label!r} would lie in the folder {safe_part(label)}, as those of {alike[0]!r} do; "
                    "choose another name"
                )
            self._folder_of(label)
            self._list((*labels, label))

    def remove_label(self, label: str) -> None:
        """Take a label without takes out of the list.

        Raises
        ------
        ValueError
            It has takes, or is none.
        """
        with self._changing():
            if label not in self._listed():
                raise ValueError(f"there is no label {label!r} in {self.root / LABELS_FILE_NAME}")
            if any(label in clip.labels for clip in self.index().clips):
                raise ValueError(f"the label {label!r} has takes; delete them first")
            self._list(tuple(one for one in self._listed() if one != label))

    def add(self, label: str, session: str, content: bytes) -> str:
        """Keep a take; return its path.

        Parameters
        ----------
        label : str
            One of `labels`.
        session : str
            Who, where or when it was recorded: its group.
        content : bytes
            A WAV file.

        Raises
        ------
        ValueError
            No such label, no name for a group, or no WAV file.
        OSError
            It cannot be written; nothing is kept then.
        """
        session = checked_name(session, "session")
        group = group_of(session)
        with self._changing():
            if label not in self.labels():
                raise ValueError(f"there is no label {label!r}; add it first")
            folder = self._folder_of(label)
            folder.mkdir(exist_ok=True)
            path = self._free_path(folder, safe_part(session))
            clip = Clip(path, (label,), group, self._side_of(group))
            incoming = self.root / f".{INCOMING}"  # hidden, so that nobody reads half of it
            try:
                write_atomically(incoming, content)
                _check_wav(incoming)
                os.replace(incoming, self.root / path)
            finally:
                incoming.unlink(missing_ok=True)
            try:
                self._write((*self.index().clips, clip))
            except BaseException:  # without its row the take would come back with no group
                (self.root / path).unlink()
                raise
            return path

    def content(self, path: str) -> bytes:
        """Return the file of a take.

        Raises
        ------
        ValueError
            No recording of the index has this path.
        """
        return (self.root / self._clip(path).path).read_bytes()

    def delete(self, path: str) -> None:
        """Move a take out of the data, where `restore` finds it.

        Raises
        ------
        GoneError
            It was deleted before.
        ValueError
            No recording of the index has this path.
        """
        with self._changing():
            clip, clips = self._clip(path), self.index().clips
            kept = self.root / DELETED_FOLDER / path
            kept.parent.mkdir(parents=True, exist_ok=True)
            # First out of the index: a row without its file would be a fault, a file without a row is none.
            self._write(one for one in clips if one.path != path)
            try:
                os.replace(self.root / path, kept)
            except BaseException:
                self._write(clips)
                raise
            self._deleted[path] = clip
            self._signature = None  # the folder has changed without its table

    def restore(self, path: str) -> None:
        """Put a take back that this process deleted.

        Raises
        ------
        ValueError
            It deleted none of that path, or the take is back already, or nowhere any more.
        """
        with self._changing():
            clip = self._deleted.get(path)
            if clip is None and any(one.path == path for one in self.index().clips):
                raise ValueError(f"{path} is back already")
            if clip is None:
                raise ValueError(f"{path} was not deleted here; deleted takes are in {self.root / DELETED_FOLDER}")
            kept = self.root / DELETED_FOLDER / path
            if not kept.is_file():
                raise ValueError(f"{path} cannot come back: it is no longer in {self.root / DELETED_FOLDER}")
            if (self.root / path).exists():
                raise ValueError(f"{path} cannot come back: another file has its name; the take is {kept}")
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(kept, self.root / path)
            try:
                self._write((*self.index().clips, clip))
            except BaseException:  # without its row it would come back with no group
                os.replace(self.root / path, kept)
                raise
            del self._deleted[path]

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """One change at a time; what the system refuses is told in words."""
        with self._lock:
            try:
                yield
            except OSError as error:
                if error.errno is None:  # has words already
                    raise
                raise OSError(f"{self.root} cannot be changed: {plain_words(error)}") from error

    def _folder_of(self, label: str) -> Path:
        """The folder for the takes of a label, which may not have the name of a file that is there or comes."""
        folder = self.root / safe_part(label)
        if folder.name.casefold() in (INDEX_FILE_NAME, LABELS_FILE_NAME) or (folder.exists() and not folder.is_dir()):
            raise ValueError(
                f"the takes of {label!r} would lie in a folder {folder.name}, and that is the name of a file in "
                f"{self.root}; choose another name"
            )
        return folder

    def _clip(self, path: str) -> Clip:
        """The recording of a path, which must be one of the index: no other file is ever touched."""
        for clip in self.index().clips:
            if clip.path == path:
                return clip
        if path in self._deleted:
            raise GoneError(f"{path} is gone already: another page deleted it")
        raise ValueError(f"there is no recording {path!r} in {self.root}")

    def _listed(self) -> tuple[str, ...]:
        """The labels that labels.txt names, or none."""
        path = self.root / LABELS_FILE_NAME
        if not path.is_file():
            return ()
        text = path.read_text(encoding="utf-8")
        return check_labels(text.splitlines(), str(path)) if text else ()

    def _list(self, labels: tuple[str, ...]) -> None:
        """Write labels.txt, which must name every label or not be there."""
        path = self.root / LABELS_FILE_NAME
        if labels:
            write_atomically(path, format_labels(labels))
        else:
            path.unlink(missing_ok=True)
        self._index = None

    def _write(self, clips: Any) -> None:
        """Write clips.csv, or take it away with the last clip."""
        index = self.index().with_clips(clips)
        table = self.root / INDEX_FILE_NAME
        if index.clips:
            write_index(table, replace(index, root=self.root))
        else:
            table.unlink(missing_ok=True)
        self._index = None

    def _side_of(self, group: str) -> str:
        """The side of a new take where the table gives all of them one: that of its group, else train."""
        if not self._is_sided():
            return ""
        return next((clip.split for clip in self.index().clips if clip.group == group), "train")

    def _is_sided(self) -> bool:
        """Whether every recording has a side, and there are some."""
        clips = self.index().clips
        return bool(clips) and all(clip.split for clip in clips)

    def _free_path(self, folder: Path, name: str) -> str:
        """A path below the root that no take has or had."""
        number = 1
        while True:
            path = f"{folder.name}/{name}-{number:04d}.wav"
            if not (self.root / path).exists() and not (self.root / DELETED_FOLDER / path).exists():
                return path
            number += 1

    def _duration(self, path: str) -> float | None:
        """The seconds of a recording, read once; None where it cannot be read, which the check tells."""
        if path not in self._seconds:
            try:
                self._seconds[path] = round(duration(self.root / path), 2)
            except (ValueError, OSError):
                self._seconds[path] = None
        return self._seconds[path]


def _signature(path: Path) -> tuple[int, int] | None:
    """What changes when a file is written; None where there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size


def _folder_look(label: str) -> str:
    """What labels share whose takes would lie in one folder, also where a disk tells no case apart."""
    return safe_part(label).casefold()


def _check_wav(path: Path) -> None:
    """Raise ValueError where a file is no WAV file that every reader here takes."""
    try:
        with WavFile(path) as wav:
            for _ in wav.blocks():
                pass
    except ValueError as error:
        raise ValueError(f"the take {str(error).removeprefix(f'{path} ')}; it is not kept") from error

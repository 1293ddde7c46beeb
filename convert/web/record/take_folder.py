"""A folder of recordings that grows on the page, take by take, in the layout that every verb reads.

DIR/LABEL/GROUP-0001.wav   the takes, as the browser sent them
DIR/clips.csv              path, label and group of every recording, `train.recordings.tables.clip_table`
DIR/labels.txt             the labels in output order, written when one is added on the page
DIR/.deleted/              takes that were deleted on the page; hidden files are not read
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import RLock
from typing import Any

from convert.web.given_name import checked_name
from edge_runtime.audio.wav_file import WavFile
from metadata.atomic_file import write_atomically
from metadata.labels import LABELS_FILE_NAME, check_labels, write_labels
from metadata.safe_name import safe_part
from train.recordings.clip import SPLITS, Clip, group_of
from train.recordings.clip_index import INDEX_FILE_NAME, ClipIndex, find_clips, write_index
from train.recordings.decoding.audio_files import find_files
from train.recordings.decoding.decode import duration

DELETED_FOLDER = ".deleted"
MOST_BYTES = 64 << 20  # of one take; five minutes of 16 bits at 96 kHz
INCOMING = "incoming.wav"


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
        if self.root.exists() and not self.root.is_dir():
            raise NotADirectoryError(f"{self.root} is a file; expected a folder for takes")
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise type(error)(f"{self.root} cannot be made ({error.strerror}); choose another --data") from error
        if not os.access(self.root, os.W_OK):
            raise PermissionError(f"{self.root} cannot be written; choose another --data, or allow it")
        index = self.index()
        if index.events is not None:
            raise ValueError(f"{self.root} has annotations of events; the page records takes of one label each")

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

    def missing(self) -> list[str]:
        """Return what a training still needs, a sentence each."""
        index, labels = self.index(), self.labels()
        if any(len(clip.labels) > 1 for clip in index.clips):
            return ["Some recordings have several labels: train them with earproof build."]
        if len(labels) < 2:
            return ["Name at least two labels; one of them may be background."]
        needed = []
        for label in labels:
            groups = {clip.group for clip in index.clips if label in clip.labels}
            if not groups:
                needed.append(f"Record takes of {label}.")
            elif len(groups) < len(SPLITS):
                needed.append(
                    f"Record {label} in {len(SPLITS)} sessions (now {len(groups)}): one to train on, one to choose "
                    "by, one to test."
                )
        return needed

    def add_label(self, name: str) -> None:
        """Add a label, behind the others.

        Raises
        ------
        ValueError
            A label that files cannot hold, or that looks like another one.
        """
        label = checked_name(name, "label")
        with self._lock:
            labels = self.labels()
            if alike := [one for one in labels if _look(one) == _look(label)]:
                raise ValueError(f"there is the label {alike[0]!r} already; choose another name than {label!r}")
            self._list((*labels, label))

    def remove_label(self, label: str) -> None:
        """Take a label without takes out of the list.

        Raises
        ------
        ValueError
            It has takes, or is none.
        """
        with self._lock:
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
        with self._lock:
            if label not in self.labels():
                raise ValueError(f"there is no label {label!r}; add it first")
            folder = self.root / safe_part(label)
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
        """Move a take out of the data, where `restore` finds it."""
        with self._lock:
            clip = self._clip(path)
            kept = self.root / DELETED_FOLDER / path
            kept.parent.mkdir(parents=True, exist_ok=True)
            # First out of the index: a row without its file would be a fault, a file without a row is none.
            self._write(one for one in self.index().clips if one.path != path)
            os.replace(self.root / path, kept)
            self._deleted[path] = clip
            self._signature = None  # the folder has changed without its table

    def restore(self, path: str) -> None:
        """Put a take back that this process deleted.

        Raises
        ------
        ValueError
            It deleted none of that path.
        """
        with self._lock:
            clip = self._deleted.get(path)
            if clip is None:
                raise ValueError(f"{path} was not deleted here; deleted takes are in {self.root / DELETED_FOLDER}")
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(self.root / DELETED_FOLDER / path, self.root / path)
            self._write((*self.index().clips, clip))
            del self._deleted[path]

    def _clip(self, path: str) -> Clip:
        """The recording of a path, which must be one of the index: no other file is ever touched."""
        for clip in self.index().clips:
            if clip.path == path:
                return clip
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
            write_labels(path, labels)
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
        clips = self.index().clips
        if not clips or not all(clip.split for clip in clips):
            return ""
        return next((clip.split for clip in clips if clip.group == group), "train")

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


def _look(label: str) -> str:
    """What labels share that a person takes for the same, or that share a folder."""
    return safe_part(label).casefold()


def _check_wav(path: Path) -> None:
    """Raise ValueError where a file is no WAV file that every reader here takes."""
    try:
        with WavFile(path) as wav:
            for _ in wav.blocks():
                pass
    except ValueError as error:
        raise ValueError(f"the take {str(error).removeprefix(f'{path} ')}; it is not kept") from error

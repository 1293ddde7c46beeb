"""What a reader of one data set's layout is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from metadata.plural import counted
from train.recordings.clip import Clip
from train.recordings.decoding.audio_files import FoundFiles
from train.recordings.left_out import Reason

MOST_NAMED = 10  # files, so that an error fits a screen


@dataclass(frozen=True, kw_only=True)
class Importer:
    """A reader of one data set's layout.

    Attributes
    ----------
    name : str
        As given on the command line.
    title : str
        The data set's own name, for people.
    layout : str
        What its folder holds, for error texts.
    recognizes : callable
        Why a folder has this layout, in words that follow "because"; '' where it has another. Looks at what lies there,
        not at the names of folders alone.
    read : callable
        The clips of such a folder, their paths relative to it, none where it has another layout; raises ValueError
        naming every fault.
    signs : tuple of str
        Files that the data set ships: where one lies in a folder that is not recognized, people are told.
    not_read : mapping of str to Reason
        Folders in the root whose recordings are not among the clips, with the reason.
    """

    name: str
    title: str
    layout: str
    recognizes: Callable[[FoundFiles], str]
    read: Callable[[FoundFiles], list[Clip]]
    signs: tuple[str, ...] = ()
    not_read: Mapping[str, Reason] = field(default_factory=dict)

    def read_folder(self, found: FoundFiles) -> list[Clip]:
        """Return the clips of a folder, or raise ValueError where it does not have this layout or holds none."""
        clips = self.read(found)
        if not clips:
            raise ValueError(f"{found.root} does not hold {self.title}; expected {self.layout}")
        return clips


def mostly(paths: Sequence[Path], name: re.Pattern[str]) -> bool:
    """Whether there are recordings and more than half of them are named as a data set names its own."""
    return 2 * sum(bool(name.match(path.stem)) for path in paths) > len(paths)


def refuse_names(paths: Sequence[Path], title: str, expected: str) -> None:
    """Raise ValueError where recordings of a data set are not named as its makers did."""
    if paths:
        named = ", ".join(path.name for path in paths[:MOST_NAMED])
        raise ValueError(
            f"{counted(len(paths), 'file is', 'files are')} not named as {title} names them: {named}; expected names "
            f"as {expected}: "
            "remove them, or read the folder with --dataset none or a clips.csv"
        )

"""What a reader of one data set's layout is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from train.recordings.clip import Clip

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
        Whether a folder has this layout; looks at few files.
    read : callable
        The clips of such a folder, their paths relative to it, none where it has another layout; raises ValueError
        naming every fault.
    """

    name: str
    title: str
    layout: str
    recognizes: Callable[[Path], bool]
    read: Callable[[Path], list[Clip]]

    def read_folder(self, root: Path) -> list[Clip]:
        """Return the clips of a folder, or raise ValueError where it does not have this layout or holds none."""
        clips = self.read(root) if root.is_dir() else []
        if not clips:
            raise ValueError(f"{root} does not hold {self.title}; expected {self.layout}")
        return clips


def refuse_names(paths: Sequence[Path], title: str, expected: str) -> None:
    """Raise ValueError where recordings of a data set are not named as its makers did."""
    if paths:
        named = ", ".join(path.name for path in paths[:MOST_NAMED])
        raise ValueError(
            f"{len(paths)} files are not named as {title} names them: {named}; expected names as {expected}: "
            "remove them, or list the recordings in a clips.csv"
        )

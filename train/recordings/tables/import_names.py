"""The names of the files that clips are imported into: `<label>/<old path made one name>.flac`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from metadata.safe_name import safe_part
from train.recordings.clip import Clip
from train.recordings.tables.new_names import count_renamed, unique_paths
from train.recordings.tables.spelling import composed


def new_names(clips: Sequence[Clip]) -> list[str]:
    """Return the path of each clip's file below the folder: its first label, and its old path made one name.

    Where two would get one name, the later one gets a number.
    """
    return unique_paths([_wanted_name(clip) for clip in clips])


def tell_renamed(clips: Sequence[Clip]) -> str:
    """Return for people which files got a number, '' where none did."""
    return count_renamed([_wanted_name(clip) for clip in clips], new_names(clips))


def _wanted_name(clip: Clip) -> str:
    """The path of a clip's file, as long as no other has it."""
    place = Path(clip.path).with_suffix("")
    parts = (
        place.parts[1:]
        if composed(place.parts[0]) == composed(clip.labels[0]) and len(place.parts) > 1
        else place.parts
    )
    name = "-".join(part for part in parts if part not in ("..", "/"))
    return f"{safe_part(clip.labels[0])}/{safe_part(name)}.flac"

"""The annotations of a training, kept in its folder beside its split."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from edge_runtime.segments.read_segments import read_segments
from edge_runtime.segments.write_segments import write_segments
from train.recordings.store.clip_store import LoadedClips

EVENTS_FILE_NAME = "events.csv"


def write_events(path: Path, clips: LoadedClips) -> None:
    """Write the events of clips in one step, each clip's path relative to the file, as the split has it.

    Raises
    ------
    ValueError
        The clips have no annotations.
    """
    if clips.events is None:
        raise ValueError(f"{path} is for annotations, and the recordings have none; load them with annotations")
    index = clips.index
    write_segments(
        path, {_located(index.root / clip.path, path): clips.events.get(clip.path, ()) for clip in index.clips}, "csv"
    )


def with_events(clips: LoadedClips, path: Path) -> LoadedClips:
    """Return clips with the events that `write_events` wrote for them.

    Raises
    ------
    ValueError
        The table has faults, or it does not name every clip.
    """
    index = clips.index
    found = read_segments(path, "csv", index.labels)
    places = {clip.path: _located(index.root / clip.path, path) for clip in index.clips}
    missing = [clip for clip, place in places.items() if place not in found]
    if missing:
        raise ValueError(f"{path} does not name {missing[0]}, a recording of the training; put the old file back")
    events = {clip: found[place] for clip, place in places.items()}
    return replace(clips, index=replace(index, events=events))


def _located(recording: Path, table: Path) -> str:
    """A recording's path relative to a table's folder."""
    return Path(os.path.relpath(recording, table.parent)).as_posix()

"""Backgrounds for scenes, each on one side: as a table gives them, drawn by group, or few of them cut in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from metadata.plural import counted
from train.recordings.clip import SPLITS, Clip, group_of
from train.recordings.clip_index import INDEX_FILE_NAME, TABLE_FILE_NAME, ClipIndex, find_clips
from train.recordings.decoding.audio_files import find_files
from train.recordings.shared_groups import group_by_name
from train.recordings.split import split_clips
from train.recordings.store.clip_store import LoadedClips

LABEL = "background"


def find_backgrounds(source: Path) -> ClipIndex:
    """Return the recordings of a CSV, of a folder with a clips.csv or meta.csv, or all below a folder, one label.

    Raises
    ------
    FileNotFoundError
        No such folder or file.
    ValueError
        No recordings, or a table with faults.
    """
    if source.is_file() or any((source / name).is_file() for name in (INDEX_FILE_NAME, TABLE_FILE_NAME)):
        return find_clips(source).relabelled(LABEL)
    if not source.is_dir():
        raise FileNotFoundError(f"{source} does not exist; expected a folder of background recordings, or a CSV")
    found = find_files(source)
    if not found.recordings:
        raise ValueError(f"{source} holds no recordings; expected a folder of background recordings, or a CSV")
    clips = tuple(Clip(name, (LABEL,), group_by_name(name)) for name in found.recordings)
    return ClipIndex(source, (LABEL,), clips, str(source), tuple(found.left_out))


def backgrounds_on_sides(backgrounds: LoadedClips, seed: int, say: Callable[[str], None]) -> LoadedClips:
    """Return the backgrounds with each on one side, and tell how they came there.

    Raises
    ------
    ValueError
        Some have a split and some have none, or a side of a split that is given has none.
    LeakError
        A given split divides a group.
    """
    index = backgrounds.index
    groups = {group for clip in index.clips for group in clip.groups}
    if any(clip.split for clip in index.clips):
        index = split_clips(index, seed)
        say("backgrounds: split as given")
    elif len(groups) >= len(SPLITS):
        index = split_clips(index, seed)
        say(f"backgrounds: split by group, drawn with seed {seed}")
        if len(groups) == len(index.clips):
            say(
                "every background is a group of its own; if places recur, say so in the group column of a clips.csv "
                "beside them"
            )
    else:
        say(
            f"backgrounds: {len(groups)} of {counted(len(SPLITS), 'group')} that the sides need, so each recording is "
            f"cut in {len(SPLITS)} parts, one for each side; what the sides have in common makes scores too good"
        )
        return _cut_in_time(backgrounds)
    return replace(backgrounds, index=index)


def _cut_in_time(backgrounds: LoadedClips) -> LoadedClips:
    """A third of each recording for each side; its part is a group of its own, for no sample of it is on another."""
    clips, waveforms, digests = [], [], []
    for clip, waveform, digest in zip(backgrounds.index.clips, backgrounds.waveforms, backgrounds.digests, strict=True):
        length = len(waveform) // len(SPLITS)
        for number, side in enumerate(SPLITS):
            groups = (f"{group} ({side} part)" for group in clip.groups)
            clips.append(replace(clip, split=side, group=group_of(*groups)))
            waveforms.append(waveform[number * length : (number + 1) * length])
            digests.append(f"{digest} {side}")
    return replace(backgrounds, index=backgrounds.index.with_clips(clips), waveforms=waveforms, digests=digests)

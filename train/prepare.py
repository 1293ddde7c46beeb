"""From a data folder to decoded clips on their sides of a split, with notes for people on the way."""

from __future__ import annotations

import sys
from pathlib import Path

from metadata.labels import read_labels
from train.clip_index import ClipIndex, find_clips
from train.clip_store import LoadedClips, load_clips
from train.progress import progress_bar
from train.split import split_clips


def note(text: str) -> None:
    """Tell the user something that is not a result."""
    print(text, file=sys.stderr, flush=True)


def find_and_split(data: str | Path, labels_file: str | Path | None, seed: int) -> ClipIndex:
    """Return the index of a data folder with every clip on a side."""
    index = find_clips(data, read_labels(labels_file) if labels_file else None)
    multiple = [clip.path for clip in index.clips if len(clip.labels) > 1]
    if multiple:
        raise ValueError(
            f"{multiple[0]} has several labels ({len(multiple)} clips do); these models tell one label a window"
        )
    drawn = not any(clip.split for clip in index.clips)
    index = split_clips(index, seed)
    groups = len({clip.group for clip in index.clips})
    origin = f"drawn with seed {seed}" if drawn else "as given"
    note(f"{len(index.clips)} clips in {groups} groups, from {index.source}; split {origin}")
    if drawn and groups == len(index.clips):
        note(
            "every recording is a group of its own; if speakers or sources recur, say so in the group column of a "
            "clips.csv (earshot data DATA --out clips.csv writes one to edit)"
        )
    return index


def load_with_progress(index: ClipIndex, sample_rate: int, cache: str | Path | None, strict: bool) -> LoadedClips:
    """Decode the clips under a progress bar, and name what was left out."""
    with progress_bar(len(index.clips), "decode", "clip") as bar:
        clips = load_clips(index, sample_rate, cache, strict, lambda done, _: bar.update(done - bar.n))
    for reason in clips.skipped:
        note(f"left out: {reason}")
    if clips.skipped:
        note(f"{len(clips.skipped)} of {len(index.clips)} files were left out; --strict refuses them instead")
    return clips

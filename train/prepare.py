"""From a data folder to decoded clips on their sides of a split, with notes for people on the way."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from metadata.labels import read_labels
from metadata.plural import counted
from train.progress import progress_bar
from train.recordings.clip_index import ClipIndex, combine, find_clips
from train.recordings.clip_store import LoadedClips, load_clips
from train.recordings.heard_sources import describe_heard
from train.recordings.left_out import describe_left_out
from train.recordings.missing_sides import draw_missing_sides
from train.recordings.split import split_by_fold, split_clips
from train.task import OneLabel, Task


def note(text: str) -> None:
    """Tell the user something that is not a result."""
    print(text, file=sys.stderr, flush=True)


def find_and_split(
    data: str | Path | Sequence[Path],
    labels_file: str | Path | None,
    seed: int,
    *,
    task: Task = OneLabel(),  # noqa: B008  (it is frozen)
    dataset: str | None = None,
    test_fold: str | None = None,
    val_fold: str | None = None,
) -> ClipIndex:
    """Return the index of data folders, taken as one, with every clip on a side: by folds where a test fold is given.

    Raises
    ------
    ValueError
        The recordings cannot teach the task, or as for `find_clips` and `split_clips`.
    """
    labels = read_labels(labels_file, keep_numbers=True) if labels_file else None
    folders = [data] if isinstance(data, (str, Path)) else data
    index = combine([find_clips(folder, labels, dataset) for folder in folders], labels)
    tell_assumptions(index)
    index.check_labels()
    task.check(index)
    return split_and_say(index, seed, test_fold, val_fold)


def tell_assumptions(index: ClipIndex) -> None:
    """Tell what was assumed of a data folder, and what lies there and is not used."""
    for text in [*index.notes, *describe_left_out(index.left_out)]:
        note(text)


def split_and_say(
    index: ClipIndex,
    seed: int,
    test_fold: str | None = None,
    val_fold: str | None = None,
    shares: Mapping[str, float] | None = None,
    is_counted: bool = False,
) -> ClipIndex:
    """Return the index with every clip on a side, and tell how they came there, and their number if it is not yet."""
    if test_fold is None and val_fold is not None:
        raise ValueError("--val-fold chooses beside --test-fold; give that too")
    drawn = not any(clip.split for clip in index.clips)
    if test_fold is not None:
        drawn = False
        index = split_by_fold(index, test_fold, val_fold)
        held_out = index.of_split("val")[0].fold
        origin = f"by folds: {test_fold} test, {held_out} validation, the others training"
    else:
        index, added = draw_missing_sides(index, seed)
        index = split_clips(index, seed, shares)
        origin = f"drawn with seed {seed}" if drawn else "as given" + added
    groups = len({group for clip in index.clips for group in clip.groups})
    count = (
        ""
        if is_counted
        else f"{counted(len(index.clips), 'clip')} in {counted(groups, 'group')}, from {index.source}; "
    )
    note(f"{count}split {origin}")
    if drawn and groups == len(index.clips):
        note(
            "every recording is a group of its own; if speakers or sources recur, say so in the group column of a "
            "clips.csv (earshot data index DATA --out clips.csv writes one to edit)"
        )
    return index


def load_with_progress(
    index: ClipIndex, sample_rate: int, cache: str | Path | None, strict: bool | None
) -> LoadedClips:
    """Decode the clips under a progress bar, and name what was left out, resampled and made one channel.

    A command that has no --strict gives None for it.
    """
    with progress_bar(len(index.clips), "decode", "clip") as bar:
        clips = load_clips(index, sample_rate, cache, bool(strict), lambda done, _: bar.update(done - bar.n), note)
    for reason in clips.skipped:
        note(f"left out: {reason}")
    if clips.skipped:
        refuse = "" if strict is None else "; --strict refuses them instead"
        note(f"{len(clips.skipped)} of {counted(len(index.clips), 'file')} were left out{refuse}")
    for text in describe_heard((clips.index.root / clip.path for clip in clips.index.clips), sample_rate):
        note(text)
    return clips

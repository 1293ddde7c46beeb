"""A training on chosen pairs of clips: those that a table lists, instead of all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from train.mixtures.mixture_index import pair_clips
from train.mixtures.mixture_table import read_mixtures
from train.recordings.clip import SPLITS
from train.recordings.pair_index import MixtureIndex
from train.recordings.store.clip_store import LoadedClips
from train.tasks.sound_events import SoundEvents
from train.tasks.task import OneLabel, Task


def check_mixes(task: Task | None, path: str | Path) -> None:
    """Raise ValueError where a task mixes nothing, so that it has no use for a table of mixtures."""
    if isinstance(task, OneLabel | SoundEvents):
        what = "annotated recordings" if isinstance(task, SoundEvents) else "single sounds"
        raise ValueError(f"this model trains on {what} and mixes none; leave {path} out")


def choose_mixtures(clips: LoadedClips, path: str | Path, task: Task | None = None) -> LoadedClips:
    """Return the clips with the pairs that a table lists; a held-out side of which it lists none keeps all its pairs.

    Parameters
    ----------
    clips : LoadedClips
        Each on a side of the split.
    path : str or Path
        A table as `train.mixtures.mixture_table` reads it.
    task : Task, optional
        What is to be trained.

    Raises
    ------
    ValueError
        The task mixes nothing, the table has faults (unknown recordings or labels among them), it lists no pair of the
        training side, or a part is silent.
    """
    check_mixes(task, path)
    listed = read_mixtures(path, clips.index)
    if not (listed.splits == "train").any():
        raise ValueError(f"{path} lists no mixture of the train side; expected some to train on")
    silent = sorted({clips.index.clips[place].path for place in np.intersect1d(clips.silent(), listed.parts)})
    if silent:
        raise ValueError(
            f"{path} mixes {', '.join(silent)}, which {'is' if len(silent) == 1 else 'are'} silent: no volume to make "
            "equal to another's; take those rows out"
        )
    everything = pair_clips(clips.index)
    unlisted = [split for split in SPLITS if not (listed.splits == split).any()]
    kept = [listed, *(everything.of_split(split) for split in unlisted)]
    pairs = MixtureIndex(
        clips.index,
        np.concatenate([mixtures.parts for mixtures in kept]),
        np.concatenate([mixtures.splits for mixtures in kept]),
        everything.left_out,
    )
    return replace(clips, pairs=pairs)

"""A data set that came with folders for two sides only: the third is drawn from its training clips, by group."""

from __future__ import annotations

from dataclasses import replace

from train.recordings.clip import SPLITS
from train.recordings.clip_index import ClipIndex
from train.recordings.split import DEFAULT_SHARES, split_clips


def draw_missing_sides(index: ClipIndex, seed: int) -> tuple[ClipIndex, str]:
    """Return the index with a validation or test side where its folders gave none, and words for people, '' else.

    Sides that a table gives are left as they are: who wrote the column can write it whole.

    Raises
    ------
    ValueError
        The training clips have too few groups.
    """
    missing = [side for side in SPLITS if side not in index.folder_sides]
    if not index.folder_sides or "train" in missing or not missing or any(not clip.split for clip in index.clips):
        return index, ""
    training = index.with_clips(index.of_split("train"))
    drawn = split_clips(training.without_split(), seed)
    sides = {clip.path: clip.split for clip in drawn.clips if clip.split in missing}
    clips = [replace(clip, split=sides.get(clip.path, clip.split)) for clip in index.clips]
    share = f"{DEFAULT_SHARES[missing[0]]:.0%} of the training clips, by group, with seed {seed}"
    return index.with_clips(clips), f"; the {missing[0]} side, for which there is no folder, was drawn: {share}"

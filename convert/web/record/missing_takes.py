"""What a folder of takes lacks before a training can begin on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from train.recordings.clip import SPLITS
from train.recordings.clip_index import ClipIndex
from train.recordings.fold_sides import TWO_SIDES
from train.recordings.missing_sides import draw_missing_sides
from train.recordings.split import split_clips


def missing_to_train(index: ClipIndex, labels: Sequence[str], validates: bool = True) -> list[str]:
    """Return what a training still needs, a sentence each.

    Parameters
    ----------
    index : ClipIndex
        The takes.
    labels : sequence of str
        Those that are to be told apart, the ones without takes too.
    validates : bool
        Whether what is trained needs a validation side.
    """
    if any(len(clip.labels) > 1 for clip in index.clips):
        return ["Some recordings have several labels: train them with earproof build."]
    if len(labels) < 2:
        return ["Name at least two labels; one of them may be background."]
    is_sided = any(clip.split for clip in index.clips)
    needed = []
    for label in labels:
        groups = {clip.group for clip in index.clips if label in clip.labels}
        if not groups:
            needed.append(f"Record takes of {label}.")
        elif len(groups) < len(SPLITS) and not is_sided:
            needed.append(
                f"Record {label} in {len(SPLITS)} sessions (now {len(groups)}): one to train on, one to choose "
                "by, one to test."
            )
    return needed or _split_faults(index, validates)


def _split_faults(index: ClipIndex, validates: bool) -> list[str]:
    """What the training will say of the sides, or of drawing them."""
    if not validates and {clip.split for clip in index.clips} == set(TWO_SIDES):
        index = replace(index, full_sides=TWO_SIDES)
    try:
        split_clips(draw_missing_sides(index, seed=0)[0], seed=0)
    except ValueError as error:
        return [f"The sides of the recordings do not serve: {error}."]
    return []

"""Held-out recordings alone and mixed, window by window, for judging what is already a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from train.mixtures.mixture_index import label_sets
from train.progress import progress_bar
from train.recordings.store.clip_store import LoadedClips
from train.tasks.task import draw_parts, mixture_windows, part_groups


@dataclass(frozen=True, eq=False)
class HeldOutMixtures:
    """Windows to be mixed, with what is right for them.

    Attributes
    ----------
    name : str
        Shown in the progress bar.
    clips : LoadedClips
    drawn : list of tuple of int
        Which clips sound together.
    normalization : str
        As for `train.tasks.task.mixture_windows`.
    """

    name: str
    clips: LoadedClips
    drawn: list[tuple[int, ...]]
    normalization: str = "pair"

    @property
    def truth(self) -> np.ndarray:
        """Which labels are present, bool (n, n_labels)."""
        heard = label_sets(self.clips.index)
        return np.stack([heard[list(parts)].any(axis=0) for parts in self.drawn])

    @property
    def groups(self) -> np.ndarray:
        """The groups of the parts of each window, see `train.tasks.task.part_groups`."""
        return part_groups(self.clips, self.drawn)

    def windows(self, window_length: int) -> Iterator[np.ndarray]:
        """Yield the windows one by one, float32 (window_length,)."""
        with progress_bar(len(self.drawn), self.name, "window") as bar:
            for window in mixture_windows(self.clips, self.drawn, window_length, self.normalization):
                yield window
                bar.update()


def held_out_mixtures(
    clips: LoadedClips, split: str, num_sources: int, window_length: int, most: int, normalization: str
) -> HeldOutMixtures:
    """Return the windows of one side with so many sources: every single sound, or `most` mixtures, always the same.

    Raises
    ------
    ValueError
        The side has no such mixture.
    """
    drawn = draw_parts(clips, split, num_sources, window_length, most if num_sources > 1 else len(clips.waveforms))
    name = f"{num_sources} source{'s' if num_sources > 1 else ''}"
    if not drawn:
        raise ValueError(f"the {split} side has no window of {name} of different labels; choose another side")
    return HeldOutMixtures(name, clips, drawn, normalization)

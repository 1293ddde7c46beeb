"""Which two recordings make each mixture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from train.recordings.clip import SPLITS
from train.recordings.clip_index import ClipIndex


@dataclass(frozen=True, eq=False)
class MixtureIndex:
    """Pairs of clips.

    Attributes
    ----------
    clips : ClipIndex
        What the pairs are made of.
    parts : np.ndarray
        int32 (n, 2), positions in `clips.clips`, the first smaller than the second.
    splits : np.ndarray
        str (n,), the side of both parts; empty where the clips have none.
    left_out : int
        Pairs whose parts stand on different sides; they are not among `parts`.
    """

    clips: ClipIndex
    parts: np.ndarray
    splits: np.ndarray
    left_out: int

    def __len__(self) -> int:
        return len(self.parts)

    def of_split(self, split: str) -> MixtureIndex:
        """Return the mixtures of one side."""
        return self.chosen(np.flatnonzero(self.splits == split))

    def chosen(self, places: np.ndarray) -> MixtureIndex:
        """Return the mixtures at these places."""
        return replace(self, parts=self.parts[places], splits=self.splits[places])

    def labels_of(self, place: int) -> tuple[str, ...]:
        """Return the labels of one mixture, in the order of the labels."""
        heard = {label for part in self.parts[place] for label in self.clips.clips[part].labels}
        return tuple(label for label in self.clips.labels if label in heard)

    def counts_by_side(self) -> dict[str, int]:
        """Return how many mixtures there are on each side that has any; `left_out` are on none of them."""
        kept = {split: int((self.splits == split).sum()) for split in (*SPLITS, "")}
        return {split or "no side": count for split, count in kept.items() if count}

"""Fewer mixtures, drawn at random: so that single sounds, or pairs of labels, weigh as much as the others."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from metadata.plural import counted
from train.mixtures.mixture_index import label_kinds
from train.recordings.pair_index import MixtureIndex


def undersample(mixtures: MixtureIndex, count: int, seed: int) -> MixtureIndex:
    """Return at most `count` mixtures of each side, drawn without replacement; the published counter kept 1,600.

    Raises
    ------
    ValueError
        The count is below 1.
    """
    return _keep(mixtures, (np.flatnonzero(mixtures.splits == side) for side in _sides(mixtures)), count, seed)


def undersample_label_pairs(mixtures: MixtureIndex, count: int, seed: int) -> MixtureIndex:
    """Return at most `count` mixtures of each pair of labels on each side, drawn without replacement."""
    kinds, kind = label_kinds(mixtures)
    places = (
        np.flatnonzero((mixtures.splits == side) & (kind == number))
        for side in _sides(mixtures)
        for number in range(len(kinds))
    )
    return _keep(mixtures, places, count, seed)


def _sides(mixtures: MixtureIndex) -> list[str]:
    """The sides that have mixtures, in a fixed order."""
    return sorted(set(mixtures.splits.tolist()))


def _keep(mixtures: MixtureIndex, parts: Iterable[np.ndarray], count: int, seed: int) -> MixtureIndex:
    """Draw from each part; what is kept stays in its order."""
    if count < 1:
        raise ValueError(f"{counted(count, 'mixture was', 'mixtures were')} asked for; expected 1 or more")
    rng = np.random.default_rng([seed, count])
    kept = [places if places.size <= count else rng.choice(places, count, replace=False) for places in parts]
    return mixtures.chosen(np.sort(np.concatenate(kept)))

"""Groups that something binds together: a mixture those of its parts, a duplicate those of both recordings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from train.recordings.clip import Clip


def join_groups(bonds: Iterable[Sequence[str]]) -> dict[str, str]:
    """Return for each group the first-named one of all that are bound to it, directly or through others.

    Parameters
    ----------
    bonds : iterable of sequence of str
        Groups that must stay together, at least one in each; a group of its own comes alone.
    """
    parent: dict[str, str] = {}
    order: dict[str, int] = {}

    def root(group: str) -> str:
        while parent[group] != group:
            parent[group] = parent[parent[group]]
            group = parent[group]
        return group

    for bond in bonds:
        for group in bond:
            order.setdefault(group, len(order))
            parent.setdefault(group, group)
        kept, *others = sorted((root(group) for group in bond), key=order.__getitem__)
        for other in others:
            parent[other] = kept
    return {group: root(group) for group in parent}


def group_rows(clips: Iterable[Clip]) -> np.ndarray:
    """Return the groups of recordings, of which a composed scene has several, as `padded_groups` does."""
    return padded_groups([clip.groups for clip in clips])


def padded_groups(named: Sequence[Sequence[str]]) -> np.ndarray:
    """Return the groups of recordings or mixtures, str (n,); (n, most) where some have several, empty where fewer."""
    most = max(map(len, named))
    rows = np.array([[*groups, *[""] * (most - len(groups))] for groups in named])
    return rows[:, 0] if most == 1 else rows

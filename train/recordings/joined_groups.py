"""Groups that something binds together: a mixture those of its parts, a duplicate those of both recordings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


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

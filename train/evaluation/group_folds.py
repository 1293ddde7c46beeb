"""Validation windows split by groups again and again: some to fit with, others to judge by."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def group_folds(
    groups: np.ndarray, truth: np.ndarray, num_folds: int, num_deals: int = 1, seed: int = 0
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Deal the groups into folds and yield, for each fold, what to fit with and what to judge by.

    Parameters
    ----------
    groups : np.ndarray
        str (n,), or of mixtures (n, k), empty where one has fewer parts. A mixture of parts from several folds is
        judged in none of them.
    truth : np.ndarray
        bool (n, n_labels). Groups of one label are spread over the folds.
    num_folds, num_deals : int
        At least 2 folds; dealt so many times anew.
    seed : int

    Yields
    ------
    fit, held_out : np.ndarray
        bool (n,), nothing in common, both with some window in it.
    """
    parts = np.asarray(groups).astype(str)
    parts = parts[:, np.newaxis] if parts.ndim == 1 else parts
    is_part = (parts != "") | (parts.shape[1] == 1)
    names = np.unique(parts[is_part])
    index = np.where(is_part, np.searchsorted(names, parts), 0)
    label = _usual_label(index, is_part, truth, names.size)
    generator = np.random.default_rng(seed)
    for _ in range(num_deals):
        fold = np.empty(names.size, np.int64)
        fold[np.lexsort((generator.random(names.size), label))] = np.arange(names.size) % num_folds
        of_part = np.where(is_part, fold[index], -1)
        for number in range(num_folds):
            inside = of_part == number
            fit, held_out = ~inside.any(axis=1), (inside | ~is_part).all(axis=1)
            if fit.any() and held_out.any():
                yield fit, held_out


def _usual_label(index: np.ndarray, is_part: np.ndarray, truth: np.ndarray, num_groups: int) -> np.ndarray:
    """The label that most windows of each group have, (num_groups,)."""
    counts = np.zeros((num_groups, truth.shape[1]))
    for part, there in zip(index.T, is_part.T, strict=True):
        np.add.at(counts, part[there], truth[there])
    usual: np.ndarray = counts.argmax(axis=1)
    return usual

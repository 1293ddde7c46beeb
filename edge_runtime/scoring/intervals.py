"""95 % intervals: Wilson's for a count of successes, the bootstrap over groups for windows that hang together.

Groups have shape (n,), one a window; or (n, k) where a window may be a mixture of up to k parts: the groups of its
parts, empty texts where it has fewer.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from metadata.plural import counted

Z_95 = 1.959963984540054  # standard normal quantile of 0.975
_TAIL_PERCENTILES = (2.5, 97.5)
NUM_RESAMPLES = 10_000
_RESAMPLES_PER_BLOCK = 500  # keeps the memory small when there are thousands of groups
_MOST_DRAWN_SINGLY = 1_000  # groups; of more, equal ones are drawn together
_VALUES_PER_BLOCK = 2_000_000  # or tens of thousands of pairs of groups: 16 MB of weights at a time


class Interval(NamedTuple):
    """A two-sided 95 % interval."""

    lower: float
    upper: float


def wilson_interval(successes: int, total: int) -> Interval:
    """Return Wilson's 95 % score interval of a proportion, within [0, 1].

    Right for independent trials; windows of one recording are not, see `group_bootstrap_interval`.

    Raises
    ------
    ValueError
        No trials, or successes outside 0 to total.

    Notes
    -----
    Wilson 1927, without continuity correction.
    """
    if total < 1 or not 0 <= successes <= total:
        raise ValueError(f"successes is {successes} of {total}; expected 0 to total, and a total of at least 1")
    share, z2 = successes / total, Z_95**2
    centre = (share + z2 / (2 * total)) / (1 + z2 / total)
    half = Z_95 / (1 + z2 / total) * float(np.sqrt(share * (1 - share) / total + z2 / (4 * total**2)))
    # At the ends the exact bound is 0 or 1; rounding would leave 1e-17 of it.
    lower = 0.0 if successes == 0 else max(0.0, centre - half)
    upper = 1.0 if successes == total else min(1.0, centre + half)
    return Interval(lower, upper)


def median_interval(values: npt.ArrayLike) -> Interval:
    """Return a 95 % interval of the median of independent values, shape (n,), by their order: all there is of up to 5.

    Raises
    ------
    ValueError
        No values.
    """
    ordered = np.sort(np.asarray(values, np.float64).ravel())
    if not ordered.size:
        raise ValueError("there are no values; expected at least one")
    half = Z_95 * float(np.sqrt(ordered.size)) / 2
    first = max(int(np.floor(ordered.size / 2 - half)), 1)
    last = min(int(np.ceil(ordered.size / 2 + 1 + half)), ordered.size)
    return Interval(float(ordered[first - 1]), float(ordered[last - 1]))


def share_interval(right: npt.ArrayLike, groups: npt.ArrayLike) -> Interval:
    """Return the 95 % interval of the share of right decisions, whatever there is to resample.

    Parameters
    ----------
    right : array_like of bool, shape (n,)
    groups : array_like, shape (n,) or (n, k)

    Returns
    -------
    Interval
        By the bootstrap over groups; for a single group Wilson's; where every decision is right, or every one wrong,
        Wilson's for as many decisions as there are groups.
    """
    hits, num_groups = np.asarray(right, bool), count_groups(groups)
    if num_groups == 1:
        return wilson_interval(int(hits.sum()), hits.size)
    if hits.all() or not hits.any():
        # Resampling what is all the same would claim a certainty that a handful of groups cannot give.
        return wilson_interval(num_groups if hits.all() else 0, num_groups)
    return group_bootstrap_interval(hits, groups)


def count_groups(groups: npt.ArrayLike) -> int:
    """Return how many different groups there are, shape (n,) or (n, k); an empty one of a mixture is none."""
    names, _ = _numbered(np.asarray(groups))
    return int(names.size)


def group_bootstrap_interval(
    values: npt.ArrayLike, groups: npt.ArrayLike, seed: int = 0, num_resamples: int = NUM_RESAMPLES
) -> Interval:
    """Return the 95 % percentile interval of the mean of `values`, drawing whole groups.

    Parameters
    ----------
    values : array_like, shape (n,)
        One number a window, for example 1.0 where the decision was right.
    groups : array_like, shape (n,) or (n, k)
        What each window belongs to: speaker or source recording. Windows of one group are drawn
        together, because they are right or wrong together. A mixture belongs to several; columns it does not
        need are empty.
    seed : int
        Of the resampling; the same seed gives the same interval.
    num_resamples : int

    Raises
    ------
    ValueError
        Shapes that differ, a window without any group, NaN, no resamples, or fewer than two groups, where
        no spread can be seen.

    Notes
    -----
    Each resample draws as many groups as there are, with replacement. A window weighs as often as its group
    was drawn, a mixture the product over its groups: the pigeonhole bootstrap (Owen 2007) with one kind of group in
    all places. A group that a mixture has twice counts once. Resamples that leave no window at all are left out.
    """
    numbers, owner = np.asarray(values, np.float64), np.asarray(groups)
    if numbers.ndim != 1 or owner.shape[:1] != numbers.shape:
        raise ValueError(
            f"values has shape {numbers.shape}, groups {owner.shape}; expected (n,) for both, or (n, k) for the groups"
        )
    if not np.isfinite(numbers).all():
        raise ValueError("values hold NaN or infinity; expected finite numbers")
    if num_resamples < 1:
        raise ValueError(f"num_resamples is {num_resamples}; expected at least 1")
    names, index = _numbered(owner)
    if names.size < 2:
        raise ValueError(f"there are {counted(names.size, 'group')}; expected at least 2 to tell how they spread")
    if (index[:, 1:] == names.size).all():
        sums = np.bincount(index[:, 0], weights=numbers).astype(np.float64)
        draw = _resampled_means if names.size <= _MOST_DRAWN_SINGLY else _resampled_kind_means
        means = draw(sums, np.bincount(index[:, 0]), seed, num_resamples)
    else:
        means = _resampled_mixture_means(numbers, index, names.size, seed, num_resamples)
    lower, upper = np.percentile(means, _TAIL_PERCENTILES)
    return Interval(float(lower), float(upper))


def paired_bootstrap_interval(
    differences: npt.ArrayLike, groups: npt.ArrayLike, seed: int = 0, num_resamples: int = NUM_RESAMPLES
) -> Interval:
    """Return the 95 % interval of the mean difference between two models on the same windows.

    Parameters
    ----------
    differences : array_like, shape (n,)
        One number a window: candidate minus reference, for example of 0/1 correctness. Pairing by
        window takes out how hard each window is.
    groups, seed, num_resamples
        As for `group_bootstrap_interval`, which does the work.
    """
    return group_bootstrap_interval(differences, groups, seed, num_resamples)


def resampled_weights(
    groups: npt.ArrayLike, seed: int = 0, num_resamples: int = NUM_RESAMPLES
) -> npt.NDArray[np.float64]:
    """Return how often each of n things counts in each resample of their groups, float64 (num_resamples, n).

    For measures that are no mean of one number a thing, such as F1; the draws are those of
    `group_bootstrap_interval`, whose other parameters these are.

    Raises
    ------
    ValueError
        No resamples, or fewer than two groups.
    """
    names, index = _numbered(np.asarray(groups))
    if names.size < 2:
        raise ValueError(f"there are {counted(names.size, 'group')}; expected at least 2 to tell how they spread")
    if num_resamples < 1:
        raise ValueError(f"num_resamples is {num_resamples}; expected at least 1")
    drawn = np.ones((num_resamples, names.size + 1))  # the last column stands for no group and counts once
    drawn[:, :-1] = np.random.default_rng(seed).multinomial(
        names.size, np.full(names.size, 1.0 / names.size), num_resamples
    )
    return np.asarray(drawn[:, index].prod(axis=2))


def spread_of(values: npt.ArrayLike) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the lower and upper ends of the 95 % percentile intervals of a measure over resamples.

    Parameters
    ----------
    values : array_like, shape (num_resamples, ...)
        NaN where the measure is not defined; such a resample does not count for it. Where more than half do not
        count, the ends are NaN.
    """
    numbers = np.asarray(values, np.float64)
    flat = numbers.reshape(len(numbers), -1)
    ends = np.full((2, flat.shape[1]), np.nan)
    for place, column in enumerate(flat.T):
        defined = column[~np.isnan(column)]
        if 2 * defined.size >= column.size:
            # Of infinite values no mean can be taken: an end is one of the values.
            ends[:, place] = np.percentile(defined, _TAIL_PERCENTILES, method="inverted_cdf")
    lower, upper = ends.reshape(2, *numbers.shape[1:])
    return lower, upper


def _numbered(owner: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[np.intp]]:
    """Return the groups' names and their numbers for each window, (n, k); one past the last stands for no group."""
    if owner.ndim == 1:
        names, index = np.unique(owner, return_inverse=True)
        return names, index[:, np.newaxis]
    if owner.ndim != 2 or owner.shape[1] < 1:
        raise ValueError(f"groups have shape {owner.shape}; expected (n,) or (n, k)")
    texts = owner.astype(str)
    bare = np.flatnonzero((texts == "").all(axis=1))
    if bare.size:
        raise ValueError(
            f"{counted(bare.size, 'window has', 'windows have')} no group, the first is number {bare[0]}; expected "
            "one at least"
        )
    names = np.unique(texts[texts != ""])
    index = np.where(texts == "", names.size, np.searchsorted(names, texts))
    index.sort(axis=1)  # the order of the parts does not matter
    index[:, 1:][index[:, 1:] == index[:, :-1]] = names.size
    index.sort(axis=1)  # no group has the largest number and comes last
    return names, index


def _resampled_means(
    sums: npt.NDArray[np.float64], sizes: npt.NDArray[np.intp], seed: int, num_resamples: int
) -> npt.NDArray[np.float64]:
    """Return the mean over all windows of each resample of the groups, shape (num_resamples,)."""
    generator = np.random.default_rng(seed)
    even = np.full(sums.size, 1.0 / sums.size)
    means = []
    for first in range(0, num_resamples, _RESAMPLES_PER_BLOCK):
        block = min(_RESAMPLES_PER_BLOCK, num_resamples - first)
        times_drawn = generator.multinomial(sums.size, even, size=block)
        means.append((times_drawn @ sums) / (times_drawn @ sizes))
    return np.concatenate(means)


def _resampled_kind_means(
    sums: npt.NDArray[np.float64], sizes: npt.NDArray[np.intp], seed: int, num_resamples: int
) -> npt.NDArray[np.float64]:
    """Return what `_resampled_means` does of very many groups: groups of equal sum and size are drawn as one kind.

    How often a kind is drawn has the same distribution as the draws of its groups added up, and a hundred thousand
    clips of one window are two kinds, right and wrong.
    """
    kinds, counts = np.unique(np.stack([sums, sizes], axis=1), axis=0, return_counts=True)
    generator = np.random.default_rng(seed)
    per_block = max(1, min(_RESAMPLES_PER_BLOCK, _VALUES_PER_BLOCK // len(kinds)))
    means = []
    for first in range(0, num_resamples, per_block):
        block = min(per_block, num_resamples - first)
        times_drawn = generator.multinomial(sums.size, counts / sums.size, size=block)
        means.append((times_drawn @ kinds[:, 0]) / (times_drawn @ kinds[:, 1]))
    return np.concatenate(means)


def _resampled_mixture_means(
    values: npt.NDArray[np.float64], index: npt.NDArray[np.intp], num_groups: int, seed: int, num_resamples: int
) -> npt.NDArray[np.float64]:
    """Return the mean over all windows of each resample in which there are any, where windows have several groups."""
    mixtures, kind = np.unique(index, axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    sums, sizes = np.bincount(kind, weights=values).astype(np.float64), np.bincount(kind).astype(np.float64)
    generator = np.random.default_rng(seed)
    even = np.full(num_groups, 1.0 / num_groups)
    per_block = max(1, min(_RESAMPLES_PER_BLOCK, _VALUES_PER_BLOCK // max(len(mixtures), num_groups)))
    means = []
    for first in range(0, num_resamples, per_block):
        block = min(per_block, num_resamples - first)
        times_drawn = np.ones((block, num_groups + 1))  # the last column stands for no group and counts once
        times_drawn[:, :-1] = generator.multinomial(num_groups, even, size=block)
        weights = times_drawn[:, mixtures[:, 0]]
        for part in mixtures[:, 1:].T:
            weights *= times_drawn[:, part]
        totals = weights @ sizes
        means.append((weights @ sums)[totals > 0.0] / totals[totals > 0.0])
    found = np.concatenate(means)
    if not found.size:
        raise ValueError(f"none of {num_resamples} resamples holds a window; expected more groups or resamples")
    return found

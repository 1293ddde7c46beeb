"""95 % intervals: Wilson's for a count of successes, the bootstrap over groups for windows that hang together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Z_95 = 1.959963984540054  # standard normal quantile of 0.975
_TAIL_PERCENTILES = (2.5, 97.5)
NUM_RESAMPLES = 10_000
_RESAMPLES_PER_BLOCK = 500  # keeps the memory small when there are thousands of groups


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


def group_bootstrap_interval(
    values: npt.ArrayLike, groups: npt.ArrayLike, seed: int = 0, num_resamples: int = NUM_RESAMPLES
) -> Interval:
    """Return the 95 % percentile interval of the mean of `values`, drawing whole groups.

    Parameters
    ----------
    values : array_like, shape (n,)
        One number a window, for example 1.0 where the decision was right.
    groups : array_like, shape (n,)
        What each window belongs to: speaker or source recording. Windows of one group are drawn
        together, because they are right or wrong together.
    seed : int
        Of the resampling; the same seed gives the same interval.
    num_resamples : int

    Raises
    ------
    ValueError
        Shapes that differ, NaN, no resamples, or fewer than two groups, where no spread can be seen.
    """
    numbers, owner = np.asarray(values, np.float64), np.asarray(groups)
    if numbers.ndim != 1 or numbers.shape != owner.shape:
        raise ValueError(f"values has shape {numbers.shape}, groups {owner.shape}; expected (n,) for both")
    if not np.isfinite(numbers).all():
        raise ValueError("values hold NaN or infinity; expected finite numbers")
    if num_resamples < 1:
        raise ValueError(f"num_resamples is {num_resamples}; expected at least 1")
    names, index = np.unique(owner, return_inverse=True)
    if names.size < 2:
        raise ValueError(f"there are {names.size} groups; expected at least 2 to tell how they spread")
    sums, sizes = np.bincount(index, weights=numbers).astype(np.float64), np.bincount(index)
    lower, upper = np.percentile(_resampled_means(sums, sizes, seed, num_resamples), _TAIL_PERCENTILES)
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

"""Scores of ticks, smoothed: a mean over the last ones, or an exponential mean over all.

The mean over a time is the default: it forgets a wrong score completely, and delays a change by a known
half of its length. The exponential mean reacts at once but forgets slowly.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Protocol

import numpy as np
import numpy.typing as npt

DoubleArray = npt.NDArray[np.float64]
SMOOTHINGS = ("mean", "exponential")


class Smoother(Protocol):
    """Takes the scores of one tick after the other.

    Attributes
    ----------
    delay_ticks : float
        By how much a slow change comes out late.
    """

    delay_ticks: float

    def push(self, scores: npt.ArrayLike) -> DoubleArray:
        """Return the smoothed scores, shape (n_labels,), at the tick that has these."""
        ...


class MovingMean:
    """The mean over the last `num_ticks` ticks, at the beginning over those that were.

    Raises
    ------
    ValueError
        `num_ticks` below 1.
    """

    def __init__(self, num_ticks: int) -> None:
        if num_ticks < 1:
            raise ValueError(f"num_ticks is {num_ticks}; expected at least 1")
        self.delay_ticks = (num_ticks - 1) / 2
        self._last: deque[DoubleArray] = deque(maxlen=num_ticks)

    def push(self, scores: npt.ArrayLike) -> DoubleArray:
        """Return the mean; see `Smoother`."""
        self._last.append(np.asarray(scores, np.float64))
        # Summed anew each time: a running sum would collect rounding errors for days.
        return np.asarray(np.sum(self._last, axis=0) / len(self._last))


class ExponentialMean:
    """A mean in which a tick counts exp(-1) as much as one that is `num_ticks` younger; the first is taken as it is.

    Raises
    ------
    ValueError
        `num_ticks` negative or not a number.
    """

    def __init__(self, num_ticks: float) -> None:
        if not 0.0 <= num_ticks < math.inf:
            raise ValueError(f"num_ticks is {num_ticks}; expected 0 or more")
        self._share = 1.0 - math.exp(-1.0 / num_ticks) if num_ticks else 1.0  # of the newest tick
        self.delay_ticks = (1.0 - self._share) / self._share
        self._mean: DoubleArray | None = None

    def push(self, scores: npt.ArrayLike) -> DoubleArray:
        """Return the mean; see `Smoother`."""
        newest = np.asarray(scores, np.float64)
        self._mean = newest if self._mean is None else self._mean + self._share * (newest - self._mean)
        return self._mean


def make_smoother(kind: str, seconds: float, tick_seconds: float) -> Smoother:
    """Return a smoother over a time: the length of the mean, or the time constant of the exponential one.

    Raises
    ------
    ValueError
        Another kind than "mean" and "exponential", or a time that is negative.
    """
    if kind not in SMOOTHINGS:
        raise ValueError(f"smoothing is {kind!r}; expected one of {', '.join(SMOOTHINGS)}")
    if not 0.0 <= seconds < math.inf:
        raise ValueError(f"smoothing lasts {seconds} s; expected 0 (none) or more")
    if kind == "mean":
        return MovingMean(max(1, round(seconds / tick_seconds)))
    return ExponentialMean(seconds / tick_seconds)

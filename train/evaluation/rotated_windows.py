"""Rotated copies of held-out windows, where there are too few windows to compare two files on."""

from __future__ import annotations

import numpy as np

from train.batches.window_rows import WindowRows
from train.evaluation.evaluate import TestWindows

ENOUGH_WINDOWS = 800
"""Enough to measure a difference of one decision in a hundred to a third of one in a hundred."""
MOST_TIMES = 10  # that one window is used; more would say little new, and take time


def with_rotated_windows(cut: TestWindows, num_windows: int = ENOUGH_WINDOWS) -> TestWindows:
    """Return the windows and, where they are fewer than asked for, rotated copies of them.

    Of 80 windows two that lie near a boundary are 2.5 %, and whether a quantized file decides them as the float file
    does is chance. A rotated window begins at another place, drawn anew, and the samples before that place follow its
    end: the same sounds at the same level, whose sums in a network are rounded differently.

    Parameters
    ----------
    cut : TestWindows
        Of one side, audio.
    num_windows : int
        How many are enough; fewer come back where each would be used more than `MOST_TIMES`.

    Returns
    -------
    TestWindows
        Those that were given first, as they are. Always the same for the same windows.
    """
    num_given, window_length = cut.windows.shape
    places, begins = draw_again(num_given, window_length, num_windows).T

    def rotated(row: int) -> np.ndarray:
        again = row - num_given
        return cut.windows[row] if again < 0 else np.roll(cut.windows[places[again]], -begins[again])

    return TestWindows(
        windows=WindowRows(num_given + len(places), (window_length,), rotated) if len(places) else cut.windows,
        truth=np.concatenate([cut.truth, cut.truth[places]]),
        clips=np.concatenate([cut.clips, cut.clips[places]]),
        groups=np.concatenate([cut.groups, cut.groups[places]]),
    )


def draw_again(num_given: int, window_length: int, num_windows: int) -> np.ndarray:
    """Return which windows are rotated, and the sample that each then begins with, int (n_again, 2)."""
    num_again = min(max(num_windows - num_given, 0), (MOST_TIMES - 1) * num_given)
    rounds, rest = divmod(num_again, num_given)
    spread = np.arange(rest) * num_given // max(rest, 1)
    places = np.concatenate([np.tile(np.arange(num_given), rounds), spread]).astype(np.int64)
    begins = np.random.default_rng(0).integers(0, window_length, num_again)
    return np.stack([places, begins], axis=1)

"""Windows on which a quantized file is compared with its float form, as many as that takes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

ENOUGH_WINDOWS = 800
"""One window in a hundred that is decided otherwise is then known to about a third of a window in a hundred."""


@dataclass(frozen=True, kw_only=True)
class ComparisonWindows:
    """Windows with what is needed to compare two files on them.

    Attributes
    ----------
    windows : np.ndarray
        float32 (n, ...), as the model takes them.
    truth : np.ndarray
        int64 (n,), position of the label; bool (n, n_labels) for a sigmoid model.
    groups : np.ndarray
        str (n,), the clip's group; (n, k) of mixtures.
    thresholds : tuple of float, optional
        Of a sigmoid model, whose decision is the set of labels that reach theirs.
    """

    windows: np.ndarray
    truth: np.ndarray
    groups: np.ndarray
    thresholds: tuple[float, ...] | None = None


def heard_again(given: ComparisonWindows, num_windows: int = ENOUGH_WINDOWS) -> ComparisonWindows:
    """Return the windows and, where they are fewer than asked for, some or all of them again.

    A window that is heard again begins at another place, drawn anew, and what came before that place follows its end:
    the same sounds at the same level, of which a network sums other samples, so that it rounds otherwise.

    Parameters
    ----------
    given : ComparisonWindows
        Of audio, float32 (n, window_length).
    num_windows : int
        At least this many come back; those that were given come first, as they are.

    Raises
    ------
    ValueError
        No windows, or not of audio.
    """
    windows = given.windows
    if windows.ndim != 2 or not windows.size:
        raise ValueError(f"the windows have shape {windows.shape}; expected (n_windows, window_length), at least one")
    rounds, rest = divmod(max(num_windows - len(windows), 0), len(windows))
    evenly = np.arange(rest) * len(windows) // max(rest, 1)
    places = np.concatenate([np.tile(np.arange(len(windows)), rounds), evenly])
    begins = np.random.default_rng(0).integers(0, windows.shape[1], len(places))
    again = [np.roll(windows[place], -begin) for place, begin in zip(places, begins, strict=True)]
    return replace(
        given,
        windows=np.concatenate([windows, np.stack(again)]) if again else windows,
        truth=np.concatenate([given.truth, given.truth[places]]),
        groups=np.concatenate([given.groups, given.groups[places]]),
    )

"""The windows of a clip with their times and levels: what every classifier of long audio begins with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.level import check_silence_limit, is_silent, level_dbfs
from edge_runtime.audio.resampling import Resampler, resampled_length
from edge_runtime.audio.windows import stream_windows
from metadata.spec import ModelSpec


class TimedWindow(NamedTuple):
    """One window of a clip.

    Attributes
    ----------
    start : int
        Sample of the clip.
    samples : ndarray of float32, shape (window_length,)
    start_seconds, end_seconds : float
        The end is that of the window or of the clip.
    level_dbfs : float
        RMS of the samples that are there; padding does not count.
    is_silent : bool
        Whether that is below the limit.
    """

    start: int
    samples: npt.NDArray[np.float32]
    start_seconds: float
    end_seconds: float
    level_dbfs: float
    is_silent: bool


def timed_windows(
    blocks: Iterable[npt.ArrayLike],
    num_samples: int,
    spec: ModelSpec,
    window_hop: int | None = None,
    tail: str = "pad",
    first: int = 0,
    silence_below_dbfs: float | None = None,
) -> Iterator[TimedWindow]:
    """Yield the windows of a clip that comes in blocks at the model's rate, from number `first` on.

    Parameters
    ----------
    blocks, num_samples, tail
        As for `stream_windows`.
    spec : ModelSpec
        Of the model that hears them.
    window_hop : int, optional
        Samples between windows; by default one window after the other.
    first : int
        Windows before it are cut and dropped.
    silence_below_dbfs : float, optional
        Windows below this level are silent.

    Raises
    ------
    ValueError
        As for `stream_windows` and `check_silence_limit`.
    """
    check_silence_limit(silence_below_dbfs)
    length, rate = spec.window_length, spec.sample_rate
    hop = window_hop if window_hop is not None else length
    for start, samples in islice(stream_windows(blocks, num_samples, length, hop, tail), first, None):
        end = min(start + length, num_samples)
        level = level_dbfs(samples[: end - start])
        yield TimedWindow(start, samples, start / rate, end / rate, level, is_silent(level, silence_below_dbfs))


def at_rate(
    blocks: Iterable[npt.ArrayLike], num_samples: int, from_rate: int, to_rate: int
) -> tuple[Iterator[npt.NDArray[np.float32]], int]:
    """Return a clip that comes in blocks at another rate, in Hz, and its whole length in samples there.

    Raises
    ------
    ValueError
        As for `Resampler`.
    """
    resampler = Resampler(from_rate, to_rate)

    def resampled() -> Iterator[npt.NDArray[np.float32]]:
        for block in blocks:
            yield resampler.push(block)
        yield resampler.finish()

    return resampled(), resampled_length(num_samples, from_rate, to_rate)

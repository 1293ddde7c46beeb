"""The windows of a clip with their place in it: what every classifier of long audio begins with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.resampling import Resampler, resampled_length
from edge_runtime.audio.windows import Windowing, stream_windows


class CutWindow(NamedTuple):
    """One window of a clip.

    Attributes
    ----------
    samples : ndarray of float32, shape (window_length,)
    start, stop : int
        Samples of the clip; it stops where the window or the clip ends. Zeros lie behind that.
    """

    samples: npt.NDArray[np.float32]
    start: int
    stop: int


def cut_stream(
    blocks: Iterable[npt.ArrayLike], num_samples: int, window_length: int, windowing: Windowing, first: int = 0
) -> Iterator[CutWindow]:
    """Yield the windows of a clip that comes in blocks at the model's rate, from number `first` on.

    Parameters
    ----------
    blocks, num_samples, window_length
        As for `stream_windows`.
    windowing : Windowing
    first : int
        Windows before it are cut and dropped.

    Raises
    ------
    ValueError
        As for `stream_windows`.
    """
    hop = windowing.hop if windowing.hop is not None else window_length
    cut = stream_windows(blocks, num_samples, window_length, hop, windowing.tail)
    for start, samples in islice(cut, first, None):
        yield CutWindow(samples, start, min(start + window_length, num_samples))


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

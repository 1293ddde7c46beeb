"""Where the windows of a clip begin, and the windows themselves.

Axis order: windows first, samples second.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.level import check_silence_limit

FloatArray = npt.NDArray[np.float32]
TAILS = ("pad", "drop", "align")
# Of the windows of `earproof classify` and of the test side that a model is judged on. A window that is half zeros is
# like nothing in training or on a phone: half of such windows were told wrong by every network.
DEFAULT_TAIL = "align"


@dataclass(frozen=True, kw_only=True)
class Windowing:
    """How the windows of a clip are cut, and which of them no model is asked about.

    Attributes
    ----------
    hop : int, optional
        Samples between windows at the model's rate; by default one window after the other.
    tail : {"pad", "drop", "align"}
        As for `window_starts`.
    silence_below_dbfs : float, optional
        Windows below this level are silent: not run through the model and left out of the clip.

    Raises
    ------
    ValueError
        What `check_silence_limit` refuses; hop and tail are judged with the window they are for.
    """

    hop: int | None = None
    tail: str = DEFAULT_TAIL
    silence_below_dbfs: float | None = None

    def __post_init__(self) -> None:
        check_silence_limit(self.silence_below_dbfs)


def window_starts(
    num_samples: int, window_length: int, window_hop: int, tail: str = DEFAULT_TAIL
) -> npt.NDArray[np.int64]:
    """Return the first sample of every window of a clip.

    Parameters
    ----------
    num_samples : int
        Length of the clip in samples, at least 1.
    window_length, window_hop : int
        Samples in a window, and from one window's start to the next one's. A hop above the window
        length leaves gaps, which stay unheard on purpose.
    tail : {"pad", "drop", "align"}
        What happens to samples after the last full window. pad: one more window begins at the next
        hop and is filled up with zeros; drop: they stay unheard; align: one more full window ends
        with the clip. A clip shorter than a window gives one window, zero padded, under every rule.

    Returns
    -------
    ndarray of int64, shape (n_windows,)
        Ascending, at least one. A window that ends exactly with the clip is among them.

    Raises
    ------
    ValueError
        An empty clip, a length or hop below 1, or an unknown tail rule.
    """
    return np.fromiter(iterate_starts(num_samples, window_length, window_hop, tail), np.int64)


def iterate_starts(num_samples: int, window_length: int, window_hop: int, tail: str = DEFAULT_TAIL) -> Iterator[int]:
    """Yield what `window_starts` returns, one by one: ten hours of short hops are many millions."""
    num_samples, window_length = operator.index(num_samples), operator.index(window_length)
    window_hop = operator.index(window_hop)
    if num_samples < 1:
        raise ValueError(f"the clip has {num_samples} samples; expected at least 1 to cut windows from")
    if window_length < 1 or window_hop < 1:
        raise ValueError(f"window_length is {window_length}, window_hop {window_hop}; expected samples, at least 1")
    if tail not in TAILS:
        raise ValueError(f"tail is {tail!r}; expected one of {', '.join(TAILS)}")
    return _starts(num_samples, window_length, window_hop, tail)


def _starts(num_samples: int, window_length: int, window_hop: int, tail: str) -> Iterator[int]:
    """Yield the first sample of every window."""
    if num_samples <= window_length:
        yield 0
        return
    num_full = 1 + (num_samples - window_length) // window_hop
    full = range(0, num_full * window_hop, window_hop)
    yield from full
    if full[-1] + window_length == num_samples:
        return
    if tail == "align":
        yield num_samples - window_length
    # With a hop above the window length the next hop may lie beyond the clip: nothing to hear there.
    elif tail == "pad" and num_full * window_hop < num_samples:
        yield num_full * window_hop


def cut_windows(
    waveform: npt.ArrayLike, window_length: int, window_hop: int, tail: str = DEFAULT_TAIL
) -> npt.NDArray[np.float32]:
    """Return the windows of a clip, shape (n_windows, window_length), float32.

    Parameters
    ----------
    waveform : array_like of float, shape (n_samples,)
        The clip, in [-1, 1].
    window_length, window_hop, tail
        As for `window_starts`.

    Raises
    ------
    ValueError
        A waveform that is not one-dimensional or not float, and what `window_starts` refuses.
    """
    clip = check_waveform(waveform)
    starts = window_starts(clip.size, window_length, window_hop, tail)
    windows = np.zeros((starts.size, window_length), np.float32)
    for row, start in zip(windows, starts, strict=True):
        piece = clip[start : start + window_length]
        row[: piece.size] = piece
    return windows


def stream_windows(
    blocks: Iterable[npt.ArrayLike], num_samples: int, window_length: int, window_hop: int, tail: str = DEFAULT_TAIL
) -> Iterator[tuple[int, FloatArray]]:
    """Yield start and samples of each window of a clip that comes in blocks, in constant memory.

    Parameters
    ----------
    blocks : iterable of array_like of float
        The clip in pieces of any length.
    num_samples : int
        Length of the whole clip, known beforehand.
    window_length, window_hop, tail
        As for `window_starts`.

    Yields
    ------
    int, ndarray of float32, shape (window_length,)
        The same windows as those of `cut_windows`; each array is the caller's own.

    Raises
    ------
    ValueError
        The blocks hold fewer samples than `num_samples`, and what `window_starts` refuses.
    """
    yield from windows_at(
        blocks, num_samples, window_length, iterate_starts(num_samples, window_length, window_hop, tail)
    )


def windows_at(
    blocks: Iterable[npt.ArrayLike], num_samples: int, window_length: int, starts: Iterable[int]
) -> Iterator[tuple[int, FloatArray]]:
    """Yield start and samples of the windows that begin at these samples, ascending; see `stream_windows`."""
    pieces = iter(blocks)
    kept, kept_start = np.zeros(0, np.float32), 0
    for start in starts:
        stop = min(start + window_length, num_samples)
        while kept_start + kept.size < stop:
            piece = next(pieces, None)
            if piece is None:
                raise ValueError(f"the clip ended after {kept_start + kept.size} samples; expected {num_samples}")
            kept = np.concatenate([kept, check_waveform(piece, "a block")])
            unneeded = min(start - kept_start, kept.size)
            kept, kept_start = kept[unneeded:], kept_start + unneeded
        window = np.zeros(window_length, np.float32)
        window[: stop - start] = kept[start - kept_start : stop - kept_start]
        yield start, window


def check_waveform(waveform: npt.ArrayLike, name: str = "the waveform") -> FloatArray:
    """Return the waveform as float32 after checking that it is a one-dimensional float array.

    Raises
    ------
    ValueError
        More than one dimension, or integers, whose scale would be a guess.
    """
    samples = np.asarray(waveform)
    if samples.ndim != 1:
        raise ValueError(f"{name} has shape {samples.shape}; expected (n_samples,), one channel")
    if not np.issubdtype(samples.dtype, np.floating):
        raise ValueError(
            f"{name} holds {samples.dtype}; expected float samples in [-1, 1] (divide 16-bit integers by 32768)"
        )
    return samples.astype(np.float32, copy=False)


def check_finite(window: npt.ArrayLike) -> FloatArray:
    """Return a window as float32 after checking that it holds numbers alone.

    Raises
    ------
    ValueError
        NaN, infinity, not float or not one-dimensional.
    """
    samples = check_waveform(window, "the window")
    if not np.isfinite(samples).all():
        raise ValueError(
            f"the window holds NaN or infinity at sample {int(np.argmin(np.isfinite(samples)))}; expected numbers"
        )
    return samples

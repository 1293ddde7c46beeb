"""Windows that are made when they are read, so that a side of the split costs no memory however long its recordings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from edge_runtime.audio.windows import check_waveform


class WindowRows:
    """Rows of one shape, float32 (n, ...), each made anew whenever it is read; `np.asarray` makes all of them.

    A position gives one row; a slice, positions or a mask give these rows as an array.

    Parameters
    ----------
    count : int
        How many rows there are.
    row_shape : tuple of int
        Of one row, for example (window_length,).
    make : callable
        Returns the row at a position, counted from 0; always the same one.
    """

    dtype = np.dtype(np.float32)

    def __init__(self, count: int, row_shape: tuple[int, ...], make: Callable[[int], np.ndarray]):
        self.shape = (count, *row_shape)
        self._make = make

    @property
    def ndim(self) -> int:
        """As of an array."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """As of an array."""
        return int(np.prod(self.shape))

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self._make(place) for place in range(len(self)))

    def __getitem__(self, key: Any) -> np.ndarray:
        every = range(len(self))
        if isinstance(key, (int, np.integer)):
            return self._make(every[int(key)])
        places = every[key] if isinstance(key, slice) else np.asarray(every)[key].tolist()
        rows = np.empty((len(places), *self.shape[1:]), self.dtype)
        for row, place in zip(rows, places, strict=True):
            row[...] = self._make(place)
        return rows

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("windows are made when they are read, which is always a copy")
        return self[:].astype(dtype or self.dtype, copy=False)


def cut_window(waveform: Any, start: int, window_length: int) -> np.ndarray:
    """Return one window of a clip, packed or an array, float32 (window_length,), zero-padded behind the clip's end."""
    window = np.zeros(window_length, np.float32)
    piece = check_waveform(waveform[start : start + window_length])
    window[: piece.size] = piece
    return window

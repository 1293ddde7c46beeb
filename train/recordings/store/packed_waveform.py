"""A decoded recording as a stretch of a pack: read where it is asked for, without an open file and without a map.

Mapped pages count as memory of the process until something else needs the room; what is read does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

SAMPLE_TYPE = np.dtype("<f4")
BLOCK_LENGTH = 1 << 20  # samples that are read at once where a whole recording is gone through


class PackedWaveform:
    """One recording in a pack, float32 (n_samples,), read as an array is; `np.asarray` reads all of it.

    Every read opens the pack and closes it again, so that no number of recordings runs out of files, and threads and
    forked processes may read at once.

    Parameters
    ----------
    pack : Path
        Raw little-endian float32.
    first, size : int
        Where the recording begins in the pack, and its length, samples.
    peak : float
        Its largest absolute sample.
    digest : str
        SHA-256 of its samples.
    """

    __slots__ = ("_first", "_pack", "digest", "peak", "size")
    ndim = 1
    dtype = np.dtype(np.float32)

    def __init__(self, pack: Path, first: int, size: int, peak: float, digest: str):
        self._pack, self._first = pack, first
        self.size, self.peak, self.digest = size, peak, digest

    def __repr__(self) -> str:
        return f"PackedWaveform({self.size} samples at {self._first} of {self._pack})"

    @property
    def shape(self) -> tuple[int]:
        """As of an array."""
        return (self.size,)

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            start, stop, step = key.indices(self.size)
            if step == 1:
                return self._read(start, stop)
        return self._read(0, self.size)[key]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("a packed recording is read from its file, which is always a copy")
        return self._read(0, self.size).astype(dtype or self.dtype, copy=False)

    def __iter__(self) -> Iterator[np.float32]:
        for block in waveform_blocks_of(self):
            yield from block

    def _read(self, start: int, stop: int) -> np.ndarray:
        """Read a stretch; raises OSError where the pack is gone or shorter than it was."""
        wanted = max(0, stop - start)
        if not wanted:
            return np.zeros(0, self.dtype)
        offset = (self._first + start) * SAMPLE_TYPE.itemsize
        try:
            samples = np.fromfile(self._pack, SAMPLE_TYPE, wanted, offset=offset)
        except OSError as error:
            raise OSError(f"{self._pack} cannot be read ({error}); was the cache deleted? Start again") from error
        if samples.size < wanted:
            raise OSError(f"{self._pack} has become shorter while it was used; start again, it is decoded anew")
        return samples.astype(self.dtype, copy=False)


Waveform = PackedWaveform | np.ndarray
"""A recording, float32 (n_samples,)."""


def waveform_blocks_of(waveform: Waveform, block_length: int = BLOCK_LENGTH) -> Iterator[np.ndarray]:
    """Yield a recording, packed or an array, in blocks that are its samples in order, float32 (n,)."""
    for first in range(0, len(waveform), block_length):
        yield np.asarray(waveform[first : first + block_length])

"""soxr's resampler for sound that comes in blocks."""

from __future__ import annotations

import numpy as np

RESAMPLE_QUALITY = "HQ"  # soxr's quality name


class StreamResampler:
    """A stream at one rate in, the same stream at another rate out; blocks may be empty.

    Notes
    -----
    soxr's stream gives the same samples, bit for bit, as `soxr.resample` of the whole recording (soxr 1.1.0).
    """

    def __init__(self, from_rate: int, to_rate: int) -> None:
        self._stream = None
        if from_rate != to_rate:
            import soxr

            self._stream = soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32", quality=RESAMPLE_QUALITY)

    def push(self, block: np.ndarray) -> np.ndarray:
        """Take the next samples, float32 (n_samples,); return those that are ready."""
        return block if self._stream is None else self._stream.resample_chunk(block)

    def finish(self) -> np.ndarray:
        """End the stream; return what was still on the way."""
        empty = np.zeros(0, np.float32)
        return empty if self._stream is None else self._stream.resample_chunk(empty, last=True)

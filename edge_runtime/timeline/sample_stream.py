"""A recording at a model's rate with the level of each second at its own rate, in constant memory."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.recordings import Recording
from edge_runtime.audio.resampling import Resampler, resampled_length

FloatArray = npt.NDArray[np.float32]


class SampleStream:
    """What was asked for last, and all that lies behind it, of a recording that is read block by block.

    Parameters
    ----------
    recording : Recording
    sample_rate : int
        Hz that samples are wanted at.

    Attributes
    ----------
    num_samples : int
        Of the whole recording at that rate.
    num_seconds : int
        The last one may be begun only.
    """

    def __init__(self, recording: Recording, sample_rate: int) -> None:
        self._own_rate, self._own_size = recording.sample_rate, recording.num_samples
        self.sample_rate = sample_rate
        self.num_samples = resampled_length(self._own_size, self._own_rate, sample_rate)
        self.num_seconds = -(-self._own_size // self._own_rate)
        self._blocks, self._resampler = recording.blocks(), Resampler(self._own_rate, sample_rate)
        self._kept, self._kept_start, self._ended = np.zeros(0, np.float32), 0, False
        self._read, self._energy = 0, {0: 0.0}  # samples at the own rate; the energy of the seconds that are kept

    def samples(self, start: int, stop: int) -> FloatArray:
        """Return samples at the wanted rate, float32 (stop - start,); zeros before and behind the recording.

        Raises
        ------
        ValueError
            The recording ends before its length.
        """
        first, last = max(start, 0), min(stop, self.num_samples)
        while self._kept_start + self._kept.size < last:
            self._pull()
        found = np.zeros(stop - start, np.float32)
        found[first - start : last - start] = self._kept[first - self._kept_start : last - self._kept_start]
        return found

    def mean_square(self, second: int) -> float:
        """Return the mean square of a second as far as the recording goes, of samples at the recording's own rate."""
        stop = min((second + 1) * self._own_rate, self._own_size)
        while self._read < stop:
            self._pull()
        return self._energy[second] / (stop - second * self._own_rate)

    def level_dbfs(self, second: int) -> float:
        """Return the level of a second, -infinity for zeros alone; see `mean_square`."""
        power = self.mean_square(second)
        return 10.0 * math.log10(power) if power > 0.0 else -math.inf if power == 0.0 else math.nan

    def span(self, second: int) -> dict[str, float]:
        """Return where a second begins and ends, for JSON; the last one ends with the recording."""
        return {
            "start_seconds": float(second),
            "end_seconds": min(second + 1.0, self.num_samples / self.sample_rate),
        }

    def forget(self, second: int) -> None:
        """Let go of what lies before a second."""
        unneeded = min(max(second * self.sample_rate - self._kept_start, 0), self._kept.size)
        self._kept, self._kept_start = self._kept[unneeded:], self._kept_start + unneeded
        self._energy = {number: energy for number, energy in self._energy.items() if number >= second}

    def _pull(self) -> None:
        """Read one more block."""
        block = next(self._blocks, None)
        if block is None and self._ended:
            raise ValueError(f"the recording ended after {self._read} samples; expected {self._own_size}")
        if block is None:
            self._ended, more = True, self._resampler.finish()
        else:
            self._measure(block)
            more = self._resampler.push(block)
        self._kept = np.concatenate([self._kept, more])

    def _measure(self, block: FloatArray) -> None:
        """Add a block to the energy of its seconds."""
        squares = np.square(block, dtype=np.float64)
        start = 0
        while start < squares.size:
            second = self._read // self._own_rate
            stop = min(squares.size, start + (second + 1) * self._own_rate - self._read)
            self._energy[second] = self._energy.get(second, 0.0) + float(squares[start:stop].sum())
            self._read, start = self._read + stop - start, stop

"""Change of sample rate by a windowed sinc, in NumPy, in one call or block by block with the same result."""

from __future__ import annotations

import math
import operator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.windows import check_waveform

FloatArray = npt.NDArray[np.float32]
STOPBAND_DB = 100.0  # attenuation the Kaiser window is designed for
_MOST_TAPS = 1 << 26  # of all filters together, 512 MiB; 44,101 Hz to 16,000 Hz takes a fifth
PASSBAND_END = 0.91  # of the lower of the two Nyquist frequencies; the stop band begins at 1.0


class Resampler:
    """A stream at one sample rate in, the same stream at another rate out.

    Parameters
    ----------
    from_rate, to_rate : int
        Hz.

    Raises
    ------
    ValueError
        A rate that is none, or two whose ratio is of numbers so large that the filters would not fit into memory.

    Notes
    -----
    Kaiser's design formulas (1974). Output n lies at input time n * from_rate / to_rate; beyond both
    ends of the stream lie zeros. Each output is one dot product of fixed length in a fixed order, so
    the samples do not depend on how the stream was cut into blocks.
    """

    def __init__(self, from_rate: int, to_rate: int) -> None:
        try:
            self.from_rate, self.to_rate = operator.index(from_rate), operator.index(to_rate)
        except TypeError as error:
            raise ValueError(
                f"sample rates are {from_rate!r} and {to_rate!r}; expected whole numbers, in Hz"
            ) from error
        if self.from_rate < 1 or self.to_rate < 1:
            raise ValueError(f"sample rates are {from_rate} and {to_rate} Hz; expected at least 1")
        divisor = math.gcd(self.from_rate, self.to_rate)
        self._up, self._down = self.to_rate // divisor, self.from_rate // divisor
        self._same_rate = self._up == self._down
        self._filters = np.zeros((1, 0)) if self._same_rate else _phase_filters(self._up, self._down)
        self._reach = self._filters.shape[1] // 2
        self._kept = np.zeros(max(self._reach - 1, 0))  # samples that coming outputs still need
        self._kept_start = -self._kept.size  # position of its first sample in the stream
        self._num_in = self._num_out = 0

    def push(self, block: npt.ArrayLike) -> FloatArray:
        """Take the next samples; return those outputs that need no later sample, float32.

        Raises
        ------
        ValueError
            Not a one-dimensional float array.
        """
        samples = check_waveform(block, "the block")
        self._num_in += samples.size
        if self._same_rate:
            return samples
        self._kept = np.concatenate([self._kept, samples])
        # Output n needs the inputs up to n * down // up + reach.
        last_centre = self._num_in - 1 - self._reach
        ready = (last_centre * self._up + self._up - 1) // self._down + 1 if last_centre >= 0 else 0
        return self._outputs(ready)

    def finish(self) -> FloatArray:
        """End the stream; return the outputs that were still waiting, float32."""
        if self._same_rate:
            return np.zeros(0, np.float32)
        self._kept = np.concatenate([self._kept, np.zeros(self._reach)])
        return self._outputs(resampled_length(self._num_in, self.from_rate, self.to_rate))

    def _outputs(self, stop: int) -> FloatArray:
        """Compute the outputs up to number `stop` and drop the inputs that no later one needs."""
        first = self._num_out
        outputs = np.zeros(max(stop - first, 0), np.float32)
        if not outputs.size:
            return outputs
        windows = np.lib.stride_tricks.sliding_window_view(self._kept, self._filters.shape[1])
        # Every `up` outputs the filter comes round again, `down` inputs further on: rows without a copy.
        for number in range(first, min(first + self._up, stop)):
            centre = number * self._down
            rows = windows[centre // self._up - self._reach + 1 - self._kept_start :: self._down]
            ours = outputs[number - first :: self._up]
            # einsum and not a matrix product: BLAS orders its sums by the shape of the matrix.
            ours[:] = np.einsum("ij,j->i", rows[: ours.size], self._filters[centre % self._up])
        self._num_out = stop
        unneeded = min(stop * self._down // self._up - self._reach + 1 - self._kept_start, self._kept.size)
        if unneeded > 0:
            self._kept = self._kept[unneeded:].copy()
            self._kept_start += unneeded
        return outputs


def resample(waveform: npt.ArrayLike, from_rate: int, to_rate: int) -> FloatArray:
    """Return the waveform at another sample rate, float32, shape (ceil(n * to_rate / from_rate),).

    Parameters
    ----------
    waveform : array_like of float, shape (n_samples,)
    from_rate, to_rate : int
        Hz; equal rates return the samples as they are.

    Raises
    ------
    ValueError
        Not a one-dimensional float array, or a rate below 1.

    Notes
    -----
    Flat within 0.001 dB up to 0.91 of the lower Nyquist frequency, at least 80 dB down from 1.0 on.
    """
    resampler = Resampler(from_rate, to_rate)
    return np.concatenate([resampler.push(waveform), resampler.finish()])


def resampled_length(num_samples: int, from_rate: int, to_rate: int) -> int:
    """Return how many samples `resample` makes of so many."""
    return -(-num_samples * to_rate // from_rate)


@lru_cache(maxsize=4)
def _phase_filters(up: int, down: int) -> npt.NDArray[np.float64]:
    """Return one low-pass filter for each position between two inputs, shape (up, taps), read-only."""
    nyquist = 0.5 * min(1.0, up / down)  # the lower one, in cycles per input sample
    transition = (1.0 - PASSBAND_END) * nyquist
    cutoff = nyquist - transition / 2
    num_taps = (STOPBAND_DB - 7.95) / (2.285 * 2 * np.pi * transition)
    reach = 4 * math.ceil(num_taps / 8)  # taps on each side, rows of whole 64-byte lines
    if up * 2 * reach > _MOST_TAPS:
        raise ValueError(
            f"the rates have the ratio {up} to {down}, which takes filters of {up * 2 * reach * 8 / 1e9:.1f} GB; "
            "resample the recording to a usual rate first, such as: ffmpeg -i FILE -ar 48000 NEW.wav"
        )
    beta = 0.1102 * (STOPBAND_DB - 8.7)
    offsets = np.arange(up)[:, np.newaxis] / up + (reach - 1 - np.arange(2 * reach))
    shape = np.i0(beta * np.sqrt(np.maximum(0.0, 1.0 - (offsets / reach) ** 2)))
    filters = np.asarray(np.sinc(2 * cutoff * offsets) * shape)
    filters /= filters.sum(axis=1, keepdims=True)  # a constant stays that constant at every phase
    filters.flags.writeable = False
    return filters

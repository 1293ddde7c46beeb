"""Up to which frequency a recording holds anything, measured block by block.

Axis order: frames first, frequency second.
"""

from __future__ import annotations

import numpy as np

_N_FFT = 1_024
_HOP = _N_FFT // 2
_KAISER_BETA = 14.0  # side lobes below -100 dB
# White noise of the last of 16 bits, with the dither that some programs add, has -117 dBFS in one of our 64 bands.
_NOTHING_DBFS = -110.0
_NUM_BANDS = 64


class BandwidthMeter:
    """Mean power of each of 64 equal bands up to half the sample rate, of a recording that comes in blocks.

    The offset of the whole is known at the end only. So the first block's mean is taken off at once, and what is left
    of the offset is taken off the sums: the spectrum of a window is linear.
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._origin: np.float32 | None = None
        # A window with low side lobes: a loud bass must not seem to reach the top.
        self._window = np.kaiser(_N_FFT, _KAISER_BETA).astype(np.float32)
        self._kept = np.zeros(0, np.float32)  # samples that coming frames still need
        self._num_frames = self._num_samples = 0
        self._spectra, self._power = np.zeros(_HOP, np.complex128), np.zeros(_HOP)

    def add(self, mono: np.ndarray) -> None:
        """Take the next samples, float32 (n_samples,)."""
        if self._origin is None:
            self._origin = np.float32(mono.mean(dtype=np.float64))
        self._num_samples += mono.size
        self._kept = np.concatenate([self._kept, mono - self._origin])
        if self._kept.size >= _N_FFT:
            frames = np.lib.stride_tricks.sliding_window_view(self._kept, _N_FFT)[::_HOP]
            self._add_frames(frames)
            self._kept = self._kept[len(frames) * _HOP :].copy()

    def result(self, dc: float) -> float:
        """Return the frequency in Hz above which there is nothing but the rounding of 16 bits.

        A recording that was resampled from a lower rate, or went through a lossy codec, ends below half its sample
        rate.

        Parameters
        ----------
        dc : float
            Mean of all samples.
        """
        left = dc - float(self._origin or 0.0)
        if self._num_frames == 0:
            self._add_frames(np.pad(self._kept, (0, _N_FFT - self._kept.size))[None])
            window = self._window * (np.arange(_N_FFT) < self._num_samples)
        else:
            window = self._window
        offset = left * np.fft.rfft(window)[1:]
        power = self._power - 2.0 * (self._spectra * offset.conj()).real + self._num_frames * np.abs(offset) ** 2
        power *= 2.0 / (self._num_frames * _N_FFT * np.square(self._window, dtype=np.float64).sum())
        bands = np.maximum(power, 0.0).reshape(_NUM_BANDS, -1).sum(axis=1)
        heard = np.flatnonzero(10.0 * np.log10(np.maximum(bands, 1e-20)) > _NOTHING_DBFS)
        return 0.0 if heard.size == 0 else float((heard[-1] + 1) / _NUM_BANDS * self._sample_rate / 2)

    def _add_frames(self, frames: np.ndarray) -> None:
        """Count frames of shape (n_frames, _N_FFT) in."""
        spectrum = np.fft.rfft(frames * self._window, axis=1)[:, 1:].astype(np.complex128)
        self._num_frames += len(frames)
        self._spectra += spectrum.sum(axis=0)
        self._power += (spectrum.real**2 + spectrum.imag**2).sum(axis=0)


def bandwidth(waveform: np.ndarray, sample_rate: int) -> float:
    """Return up to which frequency in Hz a waveform, float32 (n_samples,), holds anything; see `BandwidthMeter`."""
    meter = BandwidthMeter(sample_rate)
    meter.add(waveform)
    return meter.result(float(waveform.mean(dtype=np.float64)))

"""The mel scale and its triangular filters, equal to librosa's.

Axis order: mel band first, frequency second.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from metadata.spec import MelFrontEnd

DoubleArray = npt.NDArray[np.float64]
# Slaney's mel scale (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above.
_SLANEY_HZ_PER_MEL = 200.0 / 3.0
_SLANEY_BREAK_HZ = 1000.0
_SLANEY_BREAK_MEL = _SLANEY_BREAK_HZ / _SLANEY_HZ_PER_MEL
_SLANEY_LOG_STEP = np.log(6.4) / 27.0  # natural logarithm of the frequency ratio of one mel
# O'Shaughnessy's formula, as HTK has it.
_HTK_FACTOR = 2595.0
_HTK_CORNER_HZ = 700.0


def hz_to_mel(hertz: npt.ArrayLike, mel_scale: str = "slaney") -> npt.NDArray[np.float64]:
    """Return frequencies in mel; `mel_scale` is "slaney" or "htk"."""
    hz = np.asarray(hertz, np.float64)
    if mel_scale == "htk":
        return np.asarray(_HTK_FACTOR * np.log10(1.0 + hz / _HTK_CORNER_HZ))
    above = np.log(np.maximum(hz, _SLANEY_BREAK_HZ) / _SLANEY_BREAK_HZ) / _SLANEY_LOG_STEP
    return np.where(hz < _SLANEY_BREAK_HZ, hz / _SLANEY_HZ_PER_MEL, _SLANEY_BREAK_MEL + above)


def mel_to_hz(mels: npt.ArrayLike, mel_scale: str = "slaney") -> npt.NDArray[np.float64]:
    """Return mels in Hz; the inverse of `hz_to_mel`."""
    mel = np.asarray(mels, np.float64)
    if mel_scale == "htk":
        return np.asarray(_HTK_CORNER_HZ * (10.0 ** (mel / _HTK_FACTOR) - 1.0))
    above = _SLANEY_BREAK_HZ * np.exp(_SLANEY_LOG_STEP * np.maximum(mel - _SLANEY_BREAK_MEL, 0.0))
    return np.where(mel < _SLANEY_BREAK_MEL, mel * _SLANEY_HZ_PER_MEL, above)


@lru_cache(maxsize=8)
def mel_filter_bank(front_end: MelFrontEnd, sample_rate: int) -> npt.NDArray[np.float32]:
    """Return the triangular mel filters, float32, shape (n_mels, 1 + n_fft // 2), read-only.

    Notes
    -----
    Equal to `librosa.filters.mel` of librosa 0.11 to 1e-7. With norm "slaney" each triangle has area
    1 over Hz; with "none" its peak is 1.
    """
    low, high = hz_to_mel([front_end.fmin, front_end.fmax], front_end.mel_scale)
    corners = mel_to_hz(np.linspace(low, high, front_end.n_mels + 2), front_end.mel_scale)[:, np.newaxis]
    left, centre, right = corners[:-2], corners[1:-1], corners[2:]
    bins = np.arange(1 + front_end.n_fft // 2) * (sample_rate / front_end.n_fft)
    weights = np.maximum(0.0, np.minimum((bins - left) / (centre - left), (right - bins) / (right - centre)))
    if front_end.mel_norm == "slaney":
        weights *= 2.0 / (right - left)
    bank = weights.astype(np.float32)
    bank.flags.writeable = False  # the cache hands the same array to every caller
    return bank


@dataclass(frozen=True)
class MelSlopes:
    """The filter bank as slopes: each frequency lies in at most two triangles, neighbours of each other.

    Two short sums a band take its place in a matrix product, and a frame's sums are the same bit for bit
    whichever frames are computed with it, which BLAS does not promise.

    Attributes
    ----------
    lower, upper : ndarray of float64, shape (1 + n_fft // 2,)
        Weight of each frequency in the lower of its bands, and in the one above that.
    starts : ndarray of int64, shape (n_segments,)
        Where runs of frequencies with the same lower band begin.
    bands : ndarray of int64, shape (n_segments,)
        That band.
    """

    lower: DoubleArray
    upper: DoubleArray
    starts: npt.NDArray[np.int64]
    bands: npt.NDArray[np.int64]
    n_mels: int

    def apply(self, power: DoubleArray) -> DoubleArray:
        """Return mel bands, shape (n_frames, n_mels), of a spectrogram of shape (n_frames, 1 + n_fft // 2)."""
        mel = np.zeros((len(power), self.n_mels + 1))
        mel[:, self.bands] = np.add.reduceat(power * self.lower, self.starts, axis=1)
        mel[:, self.bands + 1] += np.add.reduceat(power * self.upper, self.starts, axis=1)
        return mel[:, : self.n_mels]


@lru_cache(maxsize=8)
def mel_slopes(front_end: MelFrontEnd, sample_rate: int) -> MelSlopes:
    """Return the slopes of `mel_filter_bank`."""
    bank = mel_filter_bank(front_end, sample_rate).astype(np.float64)
    heard = np.flatnonzero(bank.any(axis=0))
    band = (bank > 0.0).argmax(axis=0)
    # A frequency outside every triangle has weight 0 and joins the run of one below it.
    previous = heard[np.maximum(np.searchsorted(heard, np.arange(bank.shape[1]), side="right") - 1, 0)]
    band = band[previous]
    frequencies = np.arange(bank.shape[1])
    above = np.concatenate([bank, np.zeros((1, bank.shape[1]))])[band + 1, frequencies]
    starts = np.flatnonzero(np.diff(band, prepend=-1))
    return MelSlopes(bank[band, frequencies], above, starts, band[starts], front_end.n_mels)

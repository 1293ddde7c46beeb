"""A fingerprint of what a recording sounds like: the same after another rate, format, gain or cut, for finding copies.

One 32-bit word a frame of 256 ms, every 32 ms: a bit is the sign of how the energy difference between two neighbouring
bands changes from frame to frame. Axis order: frames first, bands second.

Notes
-----
The scheme of J. Haitsma and T. Kalker, "A Highly Robust Audio Fingerprinting System", ISMIR 2002. Frames in which
nothing changes (digital silence, a steady tone) have no such sign; they are marked and never compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

SAMPLE_RATE = 8_000  # Hz
N_FFT = 2_048
HOP_LENGTH = 256
FRAMES_PER_SECOND = SAMPLE_RATE / HOP_LENGTH
_NUM_BANDS = 33  # one more than the bits of a word
_FMIN, _FMAX = 300.0, 3_400.0  # Hz: what a telephone and every codec keep
_LEAST_CHANGE = 1e-3  # median of the bands, relative to their energy; below it the signs are rounding
_LEAST_BAND_SHARE = 1e-6  # of the frame's energy; less is a loud tone's leakage
_LEAST_ENERGY = 1e-9  # of a frame; below it there is nothing but the last bit of 16
MOST_COMPARED_SECONDS = 300.0  # of two recordings, sample by sample
_FRAMES_AT_ONCE = 2_048  # so that an hour of audio needs no more memory than a minute


@dataclass(frozen=True)
class Fingerprint:
    """The words of a recording.

    Attributes
    ----------
    words : np.ndarray
        uint32 (n_frames,).
    telling : np.ndarray
        bool (n_frames,): whether a word says anything.
    """

    words: np.ndarray
    telling: np.ndarray

    @property
    def telling_seconds(self) -> float:
        """How much of the recording can be compared."""
        return float(self.telling.sum() / FRAMES_PER_SECOND)


class FingerprintMeter:
    """Computes the words of a recording that comes in blocks, at `SAMPLE_RATE`."""

    def __init__(self) -> None:
        self._kept = np.zeros(0, np.float32)  # samples that coming frames still need
        self._last_energy: np.ndarray | None = None  # of the frame before them
        self._words: list[np.ndarray] = []
        self._telling: list[np.ndarray] = []

    def add(self, waveform: np.ndarray) -> None:
        """Take the next samples, float32 (n_samples,)."""
        self._kept = np.concatenate([self._kept, waveform])
        if self._kept.size < N_FFT:
            return
        frames = np.lib.stride_tricks.sliding_window_view(self._kept, N_FFT)[::HOP_LENGTH]
        for start in range(0, len(frames), _FRAMES_AT_ONCE):
            self._add_frames(frames[start : start + _FRAMES_AT_ONCE])
        self._kept = self._kept[len(frames) * HOP_LENGTH :].copy()

    def result(self) -> Fingerprint:
        """Return the words; none of what is shorter than two frames."""
        if not self._words:
            return Fingerprint(np.zeros(0, np.uint32), np.zeros(0, bool))
        return Fingerprint(np.concatenate(self._words), np.concatenate(self._telling))

    def _add_frames(self, frames: np.ndarray) -> None:
        """Compute the words of frames of shape (n_frames, N_FFT), each against the one before."""
        edges = _band_edges()
        spectrum = np.fft.rfft(frames * _window(), axis=1)[:, edges[0] : edges[-1]]
        # In float64: samples far above full scale would overflow in float32 when they are squared.
        power = spectrum.real.astype(np.float64) ** 2 + spectrum.imag.astype(np.float64) ** 2
        energy = np.add.reduceat(power, edges[:-1] - edges[0], axis=1)
        if self._last_energy is not None:
            energy = np.concatenate([self._last_energy, energy])
        self._last_energy = energy[-1:].copy()
        if len(energy) < 2:
            return
        change = np.diff(np.diff(energy, axis=1), axis=0)
        total = energy[1:].sum(axis=1)
        level = np.maximum(energy[1:, 1:] + energy[1:, :-1], _LEAST_BAND_SHARE * total[:, None])
        relative = np.median(np.abs(change) / np.maximum(level, _LEAST_ENERGY), axis=1)
        self._telling.append((total > _LEAST_ENERGY) & (relative > _LEAST_CHANGE))
        self._words.append(np.packbits(change > 0, axis=1).view(">u4").ravel().astype(np.uint32))


def fingerprint(waveform: np.ndarray) -> Fingerprint:
    """Return the fingerprint of a waveform, float32 (n_samples,) at `SAMPLE_RATE`; empty below two frames."""
    meter = FingerprintMeter()
    meter.add(waveform)
    return meter.result()


def bit_error_rate(one: Fingerprint, other: Fingerprint, shift: int) -> tuple[float, int]:
    """Return the share of bits that differ, and over how many frames, with `other` moved on by `shift` frames.

    Frame i of `one` is compared with frame i + shift of `other`; 0.5 is what unrelated recordings give.
    """
    first, last = max(0, -shift), min(one.words.size, other.words.size - shift)
    if last <= first:
        return 1.0, 0
    ours, theirs = slice(first, last), slice(first + shift, last + shift)
    compared = one.telling[ours] & other.telling[theirs]
    if not compared.any():
        return 1.0, 0
    differing = (one.words[ours] ^ other.words[theirs])[compared]
    bits = np.unpackbits(differing.view(np.uint8)).sum()
    return float(bits / (32 * differing.size)), int(differing.size)


def common_stretch(one: Fingerprint, other: Fingerprint, shift: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return first and last sample of what two recordings have in common, in each: all of it, or its best minutes.

    Of more than `MOST_COMPARED_SECONDS` that stretch is taken whose words differ in the fewest bits, so that hours cost
    no more memory than minutes. Frame i of `one` lies on frame i + shift of `other`, as for `bit_error_rate`.
    """
    first, last = max(0, -shift), min(one.words.size, other.words.size - shift)
    length = int(MOST_COMPARED_SECONDS * FRAMES_PER_SECOND)
    if last - first > length:
        ours, theirs = slice(first, last), slice(first + shift, last + shift)
        compared = one.telling[ours] & other.telling[theirs]
        differing = (one.words[ours] ^ other.words[theirs]).view(np.uint8).reshape(-1, 4)
        # Frames that tell nothing count as half wrong.
        bits = np.where(compared, np.unpackbits(differing, axis=1).sum(axis=1), 16)
        sums = np.r_[0, np.cumsum(bits)]
        first += int(np.argmin(sums[length:] - sums[:-length]))
        last = first + length
    # A word stands for two frames, the second of which ends N_FFT samples after it begins; the rest is no whole hop.
    start, count = first * HOP_LENGTH, (last - first + 1) * HOP_LENGTH + N_FFT
    return (start, start + count), (start + shift * HOP_LENGTH, start + shift * HOP_LENGTH + count)


def aligned_correlation(one: np.ndarray, other: np.ndarray, shift: int) -> float:
    """Return how much two waveforms are one recording where their fingerprints meet, 0 to 1.

    Parameters
    ----------
    one, other : np.ndarray
        float32 (n_samples,) at `SAMPLE_RATE`.
    shift : int
        Frames, as for `bit_error_rate`.

    Notes
    -----
    The highest value near the shift of the correlation with the phase transform (Knapp and Carter 1976), over the
    fingerprint's bands: every frequency counts alike, so that two recordings of the same hum do not agree. A copy gives
    0.5 to 1, other recordings less than 0.1.
    """
    offset = shift * HOP_LENGTH
    first, last = max(0, -offset), min(one.size, other.size - offset)
    if last - first < N_FFT:
        return 0.0
    window = np.hanning(last - first)
    ours = np.fft.rfft(one[first:last] * window, 2 * window.size)
    theirs = np.fft.rfft(other[first + offset : last + offset] * window, 2 * window.size)
    cross = ours * theirs.conj()
    hertz = np.arange(cross.size) * SAMPLE_RATE / (2 * window.size)
    heard = (hertz >= _FMIN) & (hertz < _FMAX)
    phase = np.where(heard, cross / np.maximum(np.abs(cross), np.finfo(np.float64).tiny), 0.0)
    # Its size alone: a copy may be upside down.
    correlation = np.abs(np.fft.irfft(phase)) * window.size / heard.sum()
    return float(max(correlation[-N_FFT:].max(), correlation[:N_FFT].max()))


@lru_cache(maxsize=1)
def _window() -> np.ndarray:
    """The Hann window, float32 (N_FFT,)."""
    return (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(N_FFT) / N_FFT)).astype(np.float32)


@lru_cache(maxsize=1)
def _band_edges() -> np.ndarray:
    """First bin of each band, and the one after the last, int64 (n_bands + 1,); bands are equally wide in octaves."""
    edges = np.geomspace(_FMIN, _FMAX, _NUM_BANDS + 1)
    return np.searchsorted(np.arange(1 + N_FFT // 2) * (SAMPLE_RATE / N_FFT), edges)

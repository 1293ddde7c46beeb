"""What one recording is like before anything is trained on it: rate, length, level, offset, clipping, bandwidth."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from train.checks.fingerprint import SAMPLE_RATE as FINGERPRINT_SAMPLE_RATE
from train.checks.fingerprint import Fingerprint, fingerprint
from train.recordings.decode import read_file, to_waveform

FULL_SCALE = 0.999  # what counts as touching it: 32767/32768 and every rounding of it
_LEAST_FLAT = 3  # samples in a row at full scale are a clipped peak; one or two can be an honest maximum
SILENCE_FLOOR_DBFS = -120.0  # what a level of nothing at all is given as
_N_FFT = 1_024
_KAISER_BETA = 14.0  # side lobes below -100 dB
_FRAMES_AT_ONCE = 4_096
# White noise of the last of 16 bits, with the dither that some programs add, has -117 dBFS in one of our 64 bands.
_NOTHING_DBFS = -110.0
_NUM_BANDS = 64


@dataclass(frozen=True, kw_only=True)
class ClipMeasures:
    """Measures of one recording as stored, its channels averaged.

    Attributes
    ----------
    sample_rate : int
        Hz, of the file.
    channels : int
    seconds : float
    peak_dbfs, rms_dbfs : float
        Of the samples without their mean; `SILENCE_FLOOR_DBFS` at least.
    dc : float
        Mean of the samples, -1 to 1.
    clipped_samples : int
        In peaks that are cut off at full scale.
    bandwidth_hz : float
        Above it there is nothing but rounding; half the sample rate where there is something everywhere, 0 for silence.
    digest : str
        SHA-256 of samples and rate.
    fingerprint : Fingerprint
    """

    sample_rate: int
    channels: int
    seconds: float
    peak_dbfs: float
    rms_dbfs: float
    dc: float
    clipped_samples: int
    bandwidth_hz: float
    digest: str
    fingerprint: Fingerprint


def measure_clip(path: Path) -> ClipMeasures:
    """Decode one recording and measure it; raises AudioError where it cannot be read."""
    samples, sample_rate = read_file(path)
    mono = samples.mean(axis=1, dtype=np.float32)
    dc = float(mono.mean(dtype=np.float64))
    swing = mono - np.float32(dc)
    return ClipMeasures(
        sample_rate=sample_rate,
        channels=samples.shape[1],
        seconds=mono.size / sample_rate,
        peak_dbfs=to_dbfs(float(np.abs(swing).max())),
        rms_dbfs=to_dbfs(float(np.sqrt(np.mean(np.square(swing, dtype=np.float64))))),
        dc=dc,
        clipped_samples=count_clipped(samples),
        bandwidth_hz=bandwidth(swing, sample_rate),
        digest=hashlib.sha256(f"{sample_rate}:".encode() + mono.tobytes()).hexdigest(),
        fingerprint=fingerprint(to_waveform(samples, sample_rate, FINGERPRINT_SAMPLE_RATE)),
    )


def to_dbfs(amplitude: float) -> float:
    """Return an amplitude in dB relative to full scale."""
    return max(SILENCE_FLOOR_DBFS, 20.0 * float(np.log10(max(amplitude, 1e-12))))


def count_clipped(samples: np.ndarray) -> int:
    """Return how many samples, float (n_samples, n_channels), stand in rows of at least three at full scale."""
    count = 0
    for channel in samples.T:
        for at_limit in (channel >= FULL_SCALE, channel <= -FULL_SCALE):
            edges = np.flatnonzero(np.diff(np.r_[False, at_limit, False].astype(np.int8)))
            lengths = edges[1::2] - edges[::2]
            count += int(lengths[lengths >= _LEAST_FLAT].sum())
    return count


def bandwidth(waveform: np.ndarray, sample_rate: int) -> float:
    """Return the frequency in Hz above which a waveform holds nothing but the rounding of 16 bits.

    A recording that was resampled from a lower rate, or went through a lossy codec, ends below half its sample rate.
    """
    levels = _band_levels(waveform)
    heard = np.flatnonzero(levels > _NOTHING_DBFS)
    return 0.0 if heard.size == 0 else float((heard[-1] + 1) / _NUM_BANDS * sample_rate / 2)


def _band_levels(waveform: np.ndarray) -> np.ndarray:
    """Mean power of each of 64 equal bands up to half the sample rate, in dBFS."""
    padded = np.pad(waveform, (0, max(0, _N_FFT - waveform.size)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _N_FFT)[:: _N_FFT // 2]
    # A window with low side lobes: a loud bass must not seem to reach the top.
    window = np.kaiser(_N_FFT, _KAISER_BETA).astype(np.float32)
    power = np.zeros(_N_FFT // 2)
    for start in range(0, len(frames), _FRAMES_AT_ONCE):
        spectrum = np.fft.rfft(frames[start : start + _FRAMES_AT_ONCE] * window, axis=1)[:, 1:]
        power += (np.abs(spectrum) ** 2).sum(axis=0)
    power *= 2.0 / (len(frames) * _N_FFT * np.square(window, dtype=np.float64).sum())
    bands = power.reshape(_NUM_BANDS, -1).sum(axis=1)
    return 10.0 * np.log10(np.maximum(bands, 1e-20))

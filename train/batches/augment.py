"""Variations of training windows that a microphone, a room and a recording chain would make.

None of them knows the label. Each has a probability and a range as a named constant; all randomness comes from the
`numpy.random.Generator` that the caller passes.
"""

from __future__ import annotations

import numpy as np
import scipy.fft  # half the time of NumPy's for these lengths

SPEED_PROBABILITY = 0.5
SPEED_RANGE = (0.88, 1.14)  # playback speed, pitch moves with it
GAIN_RANGE_DB = (-34.0, 12.0)
EQUALIZER_PROBABILITY = 0.6
EQUALIZER_RANGE_DB = (-8.0, 8.0)
EQUALIZER_POINTS = 6  # gains evenly spaced in octaves, interpolated between
LOW_PASS_PROBABILITY = 0.2
LOW_PASS_RANGE_HZ = (2800.0, 7500.0)
BAND_STOP_PROBABILITY = 0.4
BAND_STOP_WIDTH_OCTAVES = (0.2, 1.0)
BAND_STOP_GAIN_DB = -30.0
ROOM_PROBABILITY = 0.35
ROOM_DECAY_RANGE_SECONDS = (0.1, 0.7)  # until 60 dB down
ROOM_LEVEL_RANGE_DB = (-18.0, 0.0)  # of the room against the direct sound
GAP_PROBABILITY = 0.25
GAP_RANGE_SECONDS = (0.05, 0.3)  # as a lost packet or a covered microphone leaves
NOISE_PROBABILITY = 0.6
NOISE_SNR_RANGE_DB = (5.0, 40.0)
NOISE_SLOPE_RANGE = (0.0, 2.0)  # spectral power falls with frequency to this exponent: white 0, pink 1, brown 2
LOWEST_HZ = 60.0  # where the slope of noise and equalizer begins
PEAK_LIMIT = 0.999


def draw_speed(rng: np.random.Generator) -> float:
    """Return a playback speed, 1.0 where the window keeps its own."""
    return float(rng.uniform(*SPEED_RANGE)) if rng.random() < SPEED_PROBABILITY else 1.0


def change_speed(samples: np.ndarray, num_samples: int) -> np.ndarray:
    """Return the samples played in `num_samples`, float32; linear interpolation is enough for a variation."""
    if samples.size == num_samples:
        return samples
    positions = np.linspace(0.0, samples.size - 1.0, num_samples)
    before = np.minimum(positions.astype(np.intp), samples.size - 2)
    return samples[before] + (positions - before).astype(np.float32) * np.diff(samples)[before]


def vary_window(
    window: np.ndarray,
    sample_rate: int,
    rng: np.random.Generator,
    gain_range_db: tuple[float, float] = GAIN_RANGE_DB,
) -> np.ndarray:
    """Return the window in another room, with another colour, noise and level.

    Parameters
    ----------
    window : np.ndarray
        float32 (window_length,) in [-1, 1].
    sample_rate : int
        Hz.
    rng : np.random.Generator
    gain_range_db : tuple of float
        How much softer or louder it may become.

    Returns
    -------
    np.ndarray
        float32 (window_length,), peak at most 0.999.
    """
    frequencies = scipy.fft.rfftfreq(window.size, 1.0 / sample_rate).astype(np.float32)
    spectrum = scipy.fft.rfft(window)
    if rng.random() < ROOM_PROBABILITY:
        spectrum = spectrum * _room(window.size, sample_rate, rng)
    spectrum = spectrum * _channel_gain(frequencies, rng)
    if rng.random() < NOISE_PROBABILITY:
        spectrum = spectrum + _noise_spectrum(spectrum, frequencies, rng)
    varied = scipy.fft.irfft(spectrum, window.size).astype(np.float32)
    if rng.random() < GAP_PROBABILITY:
        _cut_gap(varied, sample_rate, rng)
    varied *= np.float32(10.0 ** (rng.uniform(*gain_range_db) / 20.0) * (1.0 if rng.random() < 0.5 else -1.0))
    peak = float(np.abs(varied).max())
    return varied * np.float32(PEAK_LIMIT / peak) if peak > PEAK_LIMIT else varied


def _room(num_samples: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Spectrum of a made-up room: the direct sound and decaying noise after it (it wraps around the window)."""
    decay = rng.uniform(*ROOM_DECAY_RANGE_SECONDS) * sample_rate
    length = min(num_samples, int(decay))
    tail = rng.standard_normal(length, np.float32) * np.exp(-6.9 * np.arange(length, dtype=np.float32) / decay)
    tail *= 10.0 ** (rng.uniform(*ROOM_LEVEL_RANGE_DB) / 20.0) / max(float(np.linalg.norm(tail)), 1e-30)
    tail[0] = 1.0
    return scipy.fft.rfft(tail.astype(np.float32), num_samples)


def _channel_gain(frequencies: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Amplitude response of a made-up microphone: a smooth equalizer, now and then a low-pass or a missing band."""
    gain = np.ones_like(frequencies)
    octaves = np.log2(np.maximum(frequencies, LOWEST_HZ) / LOWEST_HZ)
    if rng.random() < EQUALIZER_PROBABILITY:
        points = rng.uniform(*EQUALIZER_RANGE_DB, size=EQUALIZER_POINTS)
        gain *= 10.0 ** (np.interp(octaves, np.linspace(0.0, octaves[-1], EQUALIZER_POINTS), points) / 20.0)
    if rng.random() < LOW_PASS_PROBABILITY:
        gain /= np.sqrt(1.0 + (frequencies / rng.uniform(*LOW_PASS_RANGE_HZ)) ** 8)
    if rng.random() < BAND_STOP_PROBABILITY:
        low = rng.uniform(0.0, octaves[-1])
        stopped = (octaves >= low) & (octaves < low + rng.uniform(*BAND_STOP_WIDTH_OCTAVES))
        gain[stopped] *= 10.0 ** (BAND_STOP_GAIN_DB / 20.0)
    return gain.astype(np.float32)


def _noise_spectrum(spectrum: np.ndarray, frequencies: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Spectrum of coloured noise at a drawn ratio to the window's own level."""
    shape = np.maximum(frequencies, LOWEST_HZ) ** np.float32(-rng.uniform(*NOISE_SLOPE_RANGE) / 2.0)
    noise = rng.standard_normal(2 * shape.size, np.float32).view(np.complex64) * shape
    ratio = float(np.linalg.norm(spectrum)) / max(float(np.linalg.norm(noise)), 1e-30)
    return noise * np.float32(ratio * 10.0 ** (-rng.uniform(*NOISE_SNR_RANGE_DB) / 20.0))


def _cut_gap(varied: np.ndarray, sample_rate: int, rng: np.random.Generator) -> None:
    """Silence a short stretch in place."""
    length = min(varied.size, int(rng.uniform(*GAP_RANGE_SECONDS) * sample_rate))
    start = int(rng.integers(varied.size - length + 1))
    varied[start : start + length] = 0.0

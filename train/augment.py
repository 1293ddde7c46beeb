"""Variations of training windows that a microphone, a room and a recording chain would make.

None of them knows the label. Each has a probability and a range as a named constant; all randomness comes from the
`numpy.random.Generator` that the caller passes.
"""

from __future__ import annotations

import numpy as np

SPEED_PROBABILITY = 0.5
SPEED_RANGE = (0.88, 1.14)  # playback speed, pitch moves with it
GAIN_RANGE_DB = (-34.0, 12.0)
EQUALIZER_PROBABILITY = 0.6
EQUALIZER_RANGE_DB = (-8.0, 8.0)
EQUALIZER_POINTS = 6  # gains evenly spaced in octaves, interpolated between
LOW_PASS_PROBABILITY = 0.2
LOW_PASS_RANGE_HZ = (2800.0, 7500.0)
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
    return np.interp(positions, np.arange(samples.size), samples).astype(np.float32)


def vary_window(window: np.ndarray, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Return the window with another colour, noise and level.

    Parameters
    ----------
    window : np.ndarray
        float32 (window_length,) in [-1, 1].
    sample_rate : int
        Hz.
    rng : np.random.Generator

    Returns
    -------
    np.ndarray
        float32 (window_length,), peak at most 0.999.
    """
    frequencies = np.fft.rfftfreq(window.size, 1.0 / sample_rate)
    spectrum = np.fft.rfft(window) * _channel_gain(frequencies, rng)
    if rng.random() < NOISE_PROBABILITY:
        spectrum = spectrum + _noise_spectrum(spectrum, frequencies, rng)
    varied = np.fft.irfft(spectrum, window.size)
    varied *= 10.0 ** (rng.uniform(*GAIN_RANGE_DB) / 20.0) * (1.0 if rng.random() < 0.5 else -1.0)
    peak = np.abs(varied).max()
    if peak > PEAK_LIMIT:
        varied *= PEAK_LIMIT / peak
    return varied.astype(np.float32)


def _channel_gain(frequencies: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Amplitude response of a made-up microphone: a smooth equalizer, now and then a low-pass."""
    gain = np.ones_like(frequencies)
    if rng.random() < EQUALIZER_PROBABILITY:
        octaves = np.log2(np.maximum(frequencies, LOWEST_HZ) / LOWEST_HZ)
        points = rng.uniform(*EQUALIZER_RANGE_DB, size=EQUALIZER_POINTS)
        gain *= 10.0 ** (np.interp(octaves, np.linspace(0.0, octaves[-1], EQUALIZER_POINTS), points) / 20.0)
    if rng.random() < LOW_PASS_PROBABILITY:
        gain /= np.sqrt(1.0 + (frequencies / rng.uniform(*LOW_PASS_RANGE_HZ)) ** 8)
    return gain


def _noise_spectrum(spectrum: np.ndarray, frequencies: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Spectrum of coloured noise at a drawn ratio to the window's own level."""
    shape = np.maximum(frequencies, LOWEST_HZ) ** (-rng.uniform(*NOISE_SLOPE_RANGE) / 2.0)
    noise = shape * (rng.standard_normal(shape.size) + 1j * rng.standard_normal(shape.size))
    snr_db = rng.uniform(*NOISE_SNR_RANGE_DB)
    ratio = np.linalg.norm(spectrum) / max(float(np.linalg.norm(noise)), 1e-30)
    return noise * ratio * 10.0 ** (-snr_db / 20.0)

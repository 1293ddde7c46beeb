"""Noise of any colour, and slow random wander: what rooms, voices and microphones are made of here."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

SAMPLE_RATE = 16_000  # Hz, of everything in data_short
SMALLEST_FREQUENCY = 20.0  # Hz, below it no microphone hears and a 1/f spectrum would run away


def from_decibels(level: float) -> float:
    """Return the amplitude ratio of a level in dB."""
    return 10.0 ** (level / 20.0)


def rms(waveform: np.ndarray) -> float:
    """Return the root mean square of a waveform."""
    return float(np.sqrt(np.mean(np.square(waveform))))


def filtered(waveform: np.ndarray, gain: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return a waveform after a zero-phase filter whose gain is a function of frequency in Hz; the result has no DC."""
    spectrum = np.fft.rfft(waveform)
    gains = np.array(gain(np.fft.rfftfreq(len(waveform), 1 / SAMPLE_RATE)), dtype=float)
    gains[0] = 0.0
    return np.fft.irfft(spectrum * gains, len(waveform))


def coloured_noise(num_samples: int, exponent: float, rng: np.random.Generator) -> np.ndarray:
    """Return noise of rms 1 whose power falls as 1 / f**exponent: 0 white, 1 pink, 2 brown, -1 blue."""
    noise = filtered(
        rng.standard_normal(num_samples),
        lambda frequency: (
            np.maximum(frequency, SMALLEST_FREQUENCY) ** (-exponent / 2) * (frequency >= SMALLEST_FREQUENCY)
        ),
    )
    return noise / rms(noise)


def band_noise(num_samples: int, low: float, high: float, rng: np.random.Generator) -> np.ndarray:
    """Return noise of rms 1 between `low` and `high` Hz, with flanks of 24 dB per octave."""
    noise = filtered(
        rng.standard_normal(num_samples),
        lambda frequency: (
            1 / np.hypot(1, (low / np.maximum(frequency, 1.0)) ** 4) / np.hypot(1, (frequency / high) ** 4)
        ),
    )
    return noise / rms(noise)


def slow_wander(num_points: int, point_rate: float, correlation_seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return a smooth random curve of variance about 1 that changes its mind every `correlation_seconds`."""
    num_knots = int(np.ceil(num_points / point_rate / correlation_seconds)) + 2
    knots = rng.standard_normal(num_knots)
    position = np.arange(num_points) / point_rate / correlation_seconds
    left = position.astype(int)
    weight = 0.5 - 0.5 * np.cos(np.pi * (position - left))
    return knots[left] * (1 - weight) + knots[left + 1] * weight

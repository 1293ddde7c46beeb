"""A stand-in for a recording, where none is at hand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
_PITCH_HZ = 120.0
_FORMANTS_HZ = (500.0, 1500.0, 2500.0)  # of a neutral vowel
_SYLLABLES_PER_SECOND = 2.0


def speech_like(seconds: float, sample_rate: int, seed: int = 0) -> FloatArray:
    """Return a deterministic signal with the pitch, formants and syllables of speech, float32, in [-1, 1].

    It stands in where no recording is at hand to measure latency with; it proves nothing about accuracy.

    Parameters
    ----------
    seconds, sample_rate : float, int
        Length, and Hz.
    seed : int
        Of the breath noise.
    """
    time = np.arange(max(1, round(seconds * sample_rate))) / sample_rate
    pitch = _PITCH_HZ + 25.0 * np.sin(2 * np.pi * 0.4 * time)  # Hz, gliding up and down
    phase = 2 * np.pi * np.cumsum(pitch) / sample_rate
    voice = np.zeros(time.size)
    for harmonic in range(1, 40):
        hertz = harmonic * _PITCH_HZ
        if hertz * 1.3 >= sample_rate / 2:
            break
        formants = sum(np.exp(-(((hertz - centre) / 150.0) ** 2)) for centre in _FORMANTS_HZ)
        voice += (0.05 + formants) / harmonic * np.sin(harmonic * phase)
    syllables = np.clip(np.sin(2 * np.pi * _SYLLABLES_PER_SECOND * time) + 0.3, 0.0, None)
    breath = np.random.default_rng(seed).normal(0.0, 0.01, time.size)
    signal = voice * syllables + breath
    return np.asarray(0.5 * signal / np.abs(signal).max(), np.float32)

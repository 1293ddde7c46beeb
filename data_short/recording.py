"""A recording: a dry voice in a small room, through a microphone, over the room's own noise, as 16-bit samples."""

from __future__ import annotations

import numpy as np
from noise import SAMPLE_RATE, filtered, from_decibels, rms
from room_tone import random_background, room_tone

PEAK = 0.9  # of full scale; a clip that would be louder is turned down
FULL_SCALE = 32768  # of a 16-bit sample
LEAD_SECONDS = (0.08, 0.3)  # room tone before the voice, and after it
REVERBERATION_SECONDS = (0.12, 0.5)  # time in which the tail falls by 60 dB
REVERBERATION_DB = (-16.0, -6.0)  # energy of the tail relative to the direct sound
PRE_DELAY_SECONDS = (0.003, 0.015)
BACKGROUND_DBFS = (-65.0, -50.0)
TILT_DB_PER_OCTAVE = (-1.0, 1.0)  # microphones differ
LOW_CUT_HZ = (50.0, 110.0)


def record(voice: np.ndarray, level_dbfs: float, rng: np.random.Generator) -> np.ndarray:
    """Return a voice as recorded: float64, rms `level_dbfs`, or less where its peaks would otherwise pass PEAK."""
    lead, trail = (int(rng.uniform(*LEAD_SECONDS) * SAMPLE_RATE) for _ in range(2))
    waveform = through_microphone(with_reverberation(np.pad(voice, (lead, trail)), rng), rng)
    waveform *= from_decibels(level_dbfs) / rms(waveform)
    waveform *= min(1.0, PEAK / np.abs(waveform).max())
    background = random_background(rng.uniform(*BACKGROUND_DBFS), rng)
    return waveform + room_tone(background, len(waveform), rng)


def with_reverberation(waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a waveform of the same length with the exponentially decaying echo of a small room added."""
    decay_seconds = rng.uniform(*REVERBERATION_SECONDS)
    num_samples = int(decay_seconds * SAMPLE_RATE)
    seconds = np.arange(num_samples) / SAMPLE_RATE
    tail = filtered(rng.standard_normal(num_samples), lambda frequency: 1 / np.hypot(1, frequency / 3000))
    tail *= 10 ** (-3 * seconds / decay_seconds)
    tail[: int(rng.uniform(*PRE_DELAY_SECONDS) * SAMPLE_RATE)] = 0
    tail *= from_decibels(rng.uniform(*REVERBERATION_DB)) / np.linalg.norm(tail)
    tail[0] = 1.0  # the direct sound
    length = len(waveform) + num_samples
    return np.fft.irfft(np.fft.rfft(waveform, length) * np.fft.rfft(tail, length), length)[: len(waveform)]


def through_microphone(waveform: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a waveform with a microphone's spectral tilt and low cut."""
    tilt, low_cut = rng.uniform(*TILT_DB_PER_OCTAVE), rng.uniform(*LOW_CUT_HZ)

    def gain(frequency: np.ndarray) -> np.ndarray:
        octaves = np.log2(np.maximum(frequency, low_cut) / 1000)
        return 10 ** (tilt * octaves / 20) / np.hypot(1, (low_cut / np.maximum(frequency, 1.0)) ** 2)

    return filtered(waveform, gain)


def to_pcm16(waveform: np.ndarray) -> np.ndarray:
    """Return a waveform in [-1, 1) as int16.

    Raises
    ------
    ValueError
        The waveform would clip or holds a NaN.
    """
    peak = float(np.abs(waveform).max())
    if not peak <= 0.98:  # a NaN lands here too
        raise ValueError(f"the waveform's peak is {peak:.3f}; expected at most 0.98")
    return np.round(waveform * FULL_SCALE).astype(np.int16)

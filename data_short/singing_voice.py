"""A singing voice: harmonics under the formants of vowels, with vibrato, portamento, consonants and breaths.

Curves over time have shape (n_points,) at CONTROL_RATE; formant tables have shape (n_points, 5).
"""

from __future__ import annotations

import numpy as np
from noise import SAMPLE_RATE, band_noise, from_decibels, rms, slow_wander
from sung_melody import Note, Singer, compose

CONTROL_RATE = 200  # points a second
HIGHEST_HARMONIC_HZ = 7600.0
FORMANTS_HZ = {  # of an adult man, after the averages of Peterson and Barney (1952); the upper two are fixed
    "a": (730.0, 1090.0, 2440.0, 3400.0, 4500.0),
    "e": (530.0, 1840.0, 2480.0, 3400.0, 4500.0),
    "i": (280.0, 2250.0, 2900.0, 3500.0, 4500.0),
    "o": (500.0, 850.0, 2410.0, 3300.0, 4500.0),
    "u": (320.0, 800.0, 2240.0, 3300.0, 4500.0),
}
BANDWIDTHS_HZ = (80.0, 100.0, 130.0, 200.0, 300.0)
SINGERS_FORMANT_HZ = (2500.0, 2850.0, 3200.0)  # where a trained voice gathers its upper three formants
VIBRATO_DELAY, VIBRATO_RISE = 0.15, 0.45  # s after the note's start
JITTER_CENTS, DRIFT_CENTS = 6.0, 12.0
SHIMMER_DB = 0.7
VOWEL_GLIDE_SECONDS = 0.09
ATTACK_SECONDS, RELEASE_SECONDS = 0.05, 0.14
CONSONANT_NOISE = {  # low and high edge in Hz, duration in s, level in dB relative to the voice
    "s": (4200.0, 7400.0, 0.1, -12.0),
    "sh": (2000.0, 5200.0, 0.11, -11.0),
    "f": (1500.0, 7000.0, 0.08, -20.0),
    "t": (2800.0, 7000.0, 0.03, -10.0),
    "k": (1300.0, 3200.0, 0.035, -10.0),
    "h": (700.0, 3500.0, 0.08, -20.0),
}
CONSONANT_DIPS_DB = {"m": -12.0, "l": -7.0}  # voiced consonants; the others stop the voice
UNVOICED_DIP_DB = -40.0
BREATH_BAND_HZ, BREATH_DB = (700.0, 4500.0), -30.0


def sing(singer: Singer, duration: float, rng: np.random.Generator) -> np.ndarray:
    """Return a dry sung melody: float64, shape (n_samples,), rms 1, a little longer than `duration` seconds."""
    notes = compose(singer, duration, rng)
    num_points = int(np.ceil((notes[-1].start + notes[-1].duration + RELEASE_SECONDS) * CONTROL_RATE))
    fundamental = fundamental_curve(singer, notes, num_points, rng)
    formants = formant_curves(singer, notes, fundamental)
    loudness = loudness_curve(notes, num_points, rng)
    voice = voiced_sound(singer, fundamental, formants, loudness)
    voice /= rms(voice)
    air = from_decibels(singer.breathiness_db) * _at_audio_rate(loudness) * band_noise(len(voice), 600.0, 6000.0, rng)
    sound = voice + air + consonants_and_breaths(notes, len(voice), rng)
    if singer.drone_db is not None:
        sound += from_decibels(singer.drone_db) * drone(singer.tonic, len(voice), rng)
    return sound / rms(sound)


def fundamental_curve(singer: Singer, notes: list[Note], num_points: int, rng: np.random.Generator) -> np.ndarray:
    """Return the fundamental frequency in Hz: notes joined by portamento, with vibrato that grows over each note."""
    pitch = np.full(num_points, notes[0].pitch)
    depth = np.zeros(num_points)
    for note in notes:
        start = round(note.start * CONTROL_RATE)
        age = np.arange(num_points - start) / CONTROL_RATE
        pitch[start:] = note.pitch
        depth[start:] = np.clip((age - VIBRATO_DELAY) / VIBRATO_RISE, 0, 1)
    pitch = _smoothed(pitch, singer.portamento_seconds)
    rate = singer.vibrato_hz * (1 + 0.04 * slow_wander(num_points, CONTROL_RATE, 0.7, rng))
    vibrato = np.sin(2 * np.pi * np.cumsum(rate) / CONTROL_RATE) * _smoothed(depth, VOWEL_GLIDE_SECONDS)
    cents = singer.vibrato_cents * vibrato
    cents += JITTER_CENTS * slow_wander(num_points, CONTROL_RATE, 0.03, rng)
    cents += DRIFT_CENTS * slow_wander(num_points, CONTROL_RATE, 0.8, rng)
    return 440.0 * 2 ** ((pitch - 69 + cents / 100) / 12)


def formant_curves(singer: Singer, notes: list[Note], fundamental: np.ndarray) -> np.ndarray:
    """Return the five formants in Hz, shape (n_points, 5), gliding from vowel to vowel."""
    table = np.empty((len(fundamental), len(BANDWIDTHS_HZ)))
    for note in notes:
        table[max(0, round(note.start * CONTROL_RATE) - 8) :] = FORMANTS_HZ[note.vowel]
    table[:, 2:] += singer.singers_formant * (np.array(SINGERS_FORMANT_HZ) - table[:, 2:])
    table = np.stack([_smoothed(column, VOWEL_GLIDE_SECONDS) for column in table.T], axis=1) * singer.tract_scale
    table[:, 0] = np.maximum(table[:, 0], fundamental)  # high voices open the jaw: F1 follows the fundamental
    table[:, 1] = np.maximum(table[:, 1], table[:, 0] * 1.15)
    return table


def loudness_curve(notes: list[Note], num_points: int, rng: np.random.Generator) -> np.ndarray:
    """Return the voice's amplitude in [0, about 1.3]: phrases swell, consonants interrupt, shimmer roughens."""
    gain = np.zeros(num_points)
    seconds = np.arange(num_points) / CONTROL_RATE
    for note in notes:
        end = note.start + note.duration
        accent = from_decibels(rng.uniform(-4, 0))
        gain[(seconds >= note.start) & (seconds < end)] = accent
        if note.consonant is not None:
            closure = CONSONANT_NOISE.get(note.consonant, (0, 0, 0.07, 0))[2]
            dip = from_decibels(CONSONANT_DIPS_DB.get(note.consonant, UNVOICED_DIP_DB))
            gain[(seconds >= note.start - closure / 2) & (seconds < note.start + closure / 2)] *= dip
        if note.ends_phrase:
            fading = (seconds >= end - RELEASE_SECONDS) & (seconds < end)
            gain[fading] *= np.linspace(1, 0.1, fading.sum())
    shimmer = 10 ** (SHIMMER_DB / 20 * slow_wander(num_points, CONTROL_RATE, 0.03, rng))
    return _smoothed(gain, ATTACK_SECONDS) * shimmer


def voiced_sound(singer: Singer, fundamental: np.ndarray, formants: np.ndarray, loudness: np.ndarray) -> np.ndarray:
    """Return the sum of all harmonics below HIGHEST_HARMONIC_HZ, each as strong as source and vocal tract make it."""
    strengths = harmonic_strengths(singer, fundamental, formants)
    # A vowel with a low F1 would be far softer than an open one; singers even that out, here by half of it in dB.
    strengths *= loudness * np.sum(strengths**2, axis=0) ** -0.25
    phase = 2 * np.pi * np.cumsum(_at_audio_rate(fundamental)) / SAMPLE_RATE
    sound = np.zeros(len(phase))
    for harmonic, strength in enumerate(strengths, start=1):
        sound += _at_audio_rate(strength) * np.sin(harmonic * phase)
    return sound


def harmonic_strengths(singer: Singer, fundamental: np.ndarray, formants: np.ndarray) -> np.ndarray:
    """Return the amplitude of each harmonic over time, shape (n_harmonics, n_points)."""
    strengths = []
    for harmonic in range(1, int(HIGHEST_HARMONIC_HZ / fundamental.min()) + 1):
        frequency = harmonic * fundamental
        source = harmonic ** (singer.tilt_db_per_octave / 6.02) * (frequency <= HIGHEST_HARMONIC_HZ)
        strengths.append(source * vocal_tract_gain(frequency, formants))
    return np.array(strengths)


def vocal_tract_gain(frequency: np.ndarray, formants: np.ndarray) -> np.ndarray:
    """Return the gain of five resonances in series at one frequency in Hz a point, 1 at 0 Hz."""
    gain = np.ones(len(frequency))
    for formant, bandwidth in zip(formants.T, BANDWIDTHS_HZ, strict=True):
        gain *= formant**2 / np.hypot(formant**2 - frequency**2, bandwidth * frequency)
    return gain


def consonants_and_breaths(notes: list[Note], num_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Return the noises between the vowels, relative to a voice of rms 1."""
    sound = np.zeros(num_samples)
    for note, following in zip(notes, [*notes[1:], None], strict=True):
        if note.consonant in CONSONANT_NOISE:
            low, high, duration, level_db = CONSONANT_NOISE[note.consonant]
            _add_burst(sound, note.start - duration / 2, duration, (low, high), level_db, rng)
        if note.ends_phrase and following is not None:
            end = note.start + note.duration
            breath = following.start - end - 0.06
            _add_burst(sound, end + 0.02, breath, BREATH_BAND_HZ, BREATH_DB + rng.uniform(-4, 4), rng)
    return sound


def drone(tonic: int, num_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Return a soft accompaniment of rms 1: the tonic an octave below and its fifth, each slightly out of tune."""
    seconds = np.arange(num_samples) / SAMPLE_RATE
    sound = np.zeros(num_samples)
    for pitch in (tonic - 12, tonic - 5, tonic):
        fundamental = 440 * 2 ** ((pitch - 69 + rng.uniform(-0.06, 0.06)) / 12)
        for harmonic in range(1, 7):
            phase = 2 * np.pi * harmonic * fundamental * seconds + rng.uniform(0, 2 * np.pi)
            sound += np.sin(phase) / harmonic**1.5
    fade = np.clip(np.minimum(seconds, seconds[::-1]) / 0.2, 0, 1)
    sound *= fade * (1 + 0.2 * slow_wander(num_samples, SAMPLE_RATE, 1.0, rng))
    return sound / rms(sound)


def _add_burst(
    sound: np.ndarray,
    start: float,
    duration: float,
    band: tuple[float, float],
    level_db: float,
    rng: np.random.Generator,
) -> None:
    """Add a swelling and fading noise of `duration` seconds to `sound`, in place."""
    num_samples = round(duration * SAMPLE_RATE)
    burst = from_decibels(level_db) * band_noise(num_samples, *band, rng) * np.hanning(num_samples)
    first = max(0, round(start * SAMPLE_RATE))
    burst = burst[: len(sound) - first]
    sound[first : first + len(burst)] += burst


def _smoothed(curve: np.ndarray, seconds: float) -> np.ndarray:
    """Return a curve averaged under a Hann window of that many seconds, its ends held."""
    half = max(1, round(seconds * CONTROL_RATE / 2))
    window = np.hanning(2 * half + 3)[1:-1]
    return np.convolve(np.pad(curve, half, mode="edge"), window / window.sum(), mode="valid")


def _at_audio_rate(curve: np.ndarray) -> np.ndarray:
    """Return a control curve interpolated to one value a sample."""
    num_samples = len(curve) * SAMPLE_RATE // CONTROL_RATE
    return np.interp(np.arange(num_samples) / SAMPLE_RATE, np.arange(len(curve)) / CONTROL_RATE, curve)

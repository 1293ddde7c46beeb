"""The silence of rooms: what a microphone records while nobody speaks or sings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from noise import SAMPLE_RATE, band_noise, coloured_noise, from_decibels, rms, slow_wander

LEVEL_WANDER_DB = 0.8  # a room is never quite steady
HUM_DRIFT = 2e-4  # relative, the mains frequency wanders by about 0.01 Hz
WHINE_DRIFT = 5e-4  # relative


@dataclass(frozen=True, kw_only=True)
class Room:
    """One room; every `_db` is relative to the noise floor of the given colour, None leaves that source out."""

    name: str
    split: str
    level_dbfs: float  # rms of everything together
    colour: float  # the noise floor's exponent: 0 white, 1 pink, 2 brown
    hum_hz: float = 50.0  # mains frequency
    hum_db: float | None = None
    num_hum_harmonics: int = 8
    air_db: float | None = None  # air conditioner: band noise
    air_low_hz: float = 150.0
    air_high_hz: float = 1200.0
    fan_db: float | None = None  # band noise, slowly beating, with the tones of the blades
    blade_hz: float = 110.0
    beat_hz: float = 0.4
    whine_db: float | None = None  # one high steady tone with its octave
    whine_hz: float = 3000.0


ROOMS = (
    Room(name="sound_card", split="train", level_dbfs=-96, colour=0),  # no microphone: plus or minus 1 LSB
    Room(name="bedroom", split="train", level_dbfs=-78, colour=1, hum_db=-4),
    Room(name="office", split="train", level_dbfs=-52, colour=1, air_db=10, whine_db=-24, whine_hz=5200),
    Room(name="workshop", split="train", level_dbfs=-50, colour=1, hum_hz=60, hum_db=12, num_hum_harmonics=14),
    Room(name="server_room", split="train", level_dbfs=-45, colour=1.5, fan_db=8, blade_hz=230, beat_hz=0.7),
    Room(name="tape", split="train", level_dbfs=-62, colour=0, hum_hz=50, hum_db=-14),
    Room(name="kitchen", split="val", level_dbfs=-58, colour=2, hum_hz=50, hum_db=3, fan_db=-3, blade_hz=95),
    Room(name="library", split="val", level_dbfs=-72, colour=1, air_db=-2, air_low_hz=300, air_high_hz=2500),
    Room(name="studio", split="test", level_dbfs=-66, colour=0.7, hum_hz=60, hum_db=-8, whine_db=-10, whine_hz=3400),
    Room(name="car_park", split="test", level_dbfs=-48, colour=2, fan_db=6, blade_hz=145, beat_hz=0.25, air_db=0),
)


def random_background(level_dbfs: float, rng: np.random.Generator) -> Room:
    """Return a room for a voice to be recorded in, made of the same sources as `ROOMS`."""
    return Room(
        name="background",
        split="",
        level_dbfs=level_dbfs,
        colour=float(rng.uniform(0.7, 2)),
        hum_hz=float(rng.choice([50.0, 60.0])),
        hum_db=float(rng.uniform(-12, 6)) if rng.random() < 0.5 else None,
        air_db=float(rng.uniform(-6, 8)) if rng.random() < 0.5 else None,
        fan_db=float(rng.uniform(-6, 6)) if rng.random() < 0.4 else None,
        blade_hz=float(rng.uniform(80, 250)),
        beat_hz=float(rng.uniform(0.2, 0.8)),
        whine_db=float(rng.uniform(-26, -12)) if rng.random() < 0.3 else None,
        whine_hz=float(rng.uniform(2000, 6500)),
    )


def room_tone(room: Room, num_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Return a room's tone: float64, shape (num_samples,), rms `room.level_dbfs`, without DC."""
    sources = (
        (room.hum_db, lambda: mains_hum(num_samples, room.hum_hz, room.num_hum_harmonics, rng)),
        (room.air_db, lambda: band_noise(num_samples, room.air_low_hz, room.air_high_hz, rng)),
        (room.fan_db, lambda: fan(num_samples, room.blade_hz, room.beat_hz, rng)),
        (room.whine_db, lambda: whine(num_samples, room.whine_hz, rng)),
    )
    tone = coloured_noise(num_samples, room.colour, rng)
    for level_db, source in sources:
        if level_db is not None:
            tone += from_decibels(level_db) * source()
    tone *= 10 ** (LEVEL_WANDER_DB / 20 * slow_wander(num_samples, SAMPLE_RATE, 2.0, rng))
    tone -= tone.mean()
    return tone * from_decibels(room.level_dbfs) / rms(tone)


def mains_hum(num_samples: int, frequency: float, num_harmonics: int, rng: np.random.Generator) -> np.ndarray:
    """Return mains hum of rms 1; the even harmonics are the stronger ones, as a transformer's core makes them."""
    phase = _wandering_phase(num_samples, frequency, HUM_DRIFT, rng)
    hum = np.zeros(num_samples)
    for harmonic in range(1, num_harmonics + 1):
        strength = (1.0 if harmonic % 2 == 0 else 0.6) / harmonic * from_decibels(rng.uniform(-6, 6))
        hum += strength * np.sin(harmonic * phase + rng.uniform(0, 2 * np.pi))
    return hum / rms(hum)


def fan(num_samples: int, blade_hz: float, beat_hz: float, rng: np.random.Generator) -> np.ndarray:
    """Return a fan of rms 1: rushing air that beats slowly, and three weak tones of the passing blades."""
    seconds = np.arange(num_samples) / SAMPLE_RATE
    air = band_noise(num_samples, 60.0, 900.0, rng)
    air *= 1 + 0.25 * np.sin(2 * np.pi * beat_hz * seconds + rng.uniform(0, 2 * np.pi))
    phase = _wandering_phase(num_samples, blade_hz, 10 * HUM_DRIFT, rng)
    tones = sum(np.sin(k * phase + rng.uniform(0, 2 * np.pi)) / k for k in (1, 2, 3))
    both = air + 0.3 * tones
    return both / rms(both)


def whine(num_samples: int, frequency: float, rng: np.random.Generator) -> np.ndarray:
    """Return the whine of rms 1 of a coil or a disk, with its octave where 16 kHz can hold it."""
    phase = _wandering_phase(num_samples, frequency, WHINE_DRIFT, rng)
    tone = np.sin(phase)
    if 2 * frequency < 0.48 * SAMPLE_RATE:
        tone = tone + 0.2 * np.sin(2 * phase)
    return tone / rms(tone)


def _wandering_phase(num_samples: int, frequency: float, drift: float, rng: np.random.Generator) -> np.ndarray:
    """Return the phase in radians of a tone whose frequency wanders by the relative amount `drift`."""
    cycles = frequency * (1 + drift * slow_wander(num_samples, SAMPLE_RATE, 1.0, rng)) / SAMPLE_RATE
    return 2 * np.pi * np.cumsum(cycles)

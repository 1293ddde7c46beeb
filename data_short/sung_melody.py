"""Singers and the melodies they make up: seeded walks on a scale, in phrases with a breath between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SCALES = {  # semitones above the tonic
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "pentatonic": (0, 2, 4, 7, 9),
}
RHYTHMS = (  # beats, one bar each
    (1.0, 1.0, 1.0, 1.0),
    (1.5, 0.5, 1.0, 1.0),
    (2.0, 1.0, 1.0),
    (0.5, 0.5, 1.0, 1.0, 1.0),
    (1.0, 0.5, 0.5, 1.0, 1.0),
    (1.0, 0.5, 0.5, 0.5, 0.5, 1.0),
    (0.5, 0.5, 0.5, 0.5, 1.5, 0.5),
)
STEPS, STEP_WEIGHTS = (-3, -2, -1, 0, 1, 2, 3, 4), (0.04, 0.13, 0.29, 0.06, 0.28, 0.12, 0.05, 0.03)
LONG_PHRASE_SECONDS = 5.0  # with less time left a phrase has one bar, else one or two
LAST_NOTE_BEATS = 1.0  # added to the last note of a phrase
BREATH_SECONDS = (0.3, 0.42)
VOWELS = ("a", "e", "i", "o", "u")
CONSONANTS = ("s", "sh", "f", "t", "k", "h", "m", "l")


@dataclass(frozen=True, kw_only=True)
class Singer:
    """One voice and its manner."""

    name: str
    split: str
    tonic: int  # MIDI note number, 69 is 440 Hz
    lowest_degree: int  # the range in steps of the scale, from the tonic
    highest_degree: int
    scale: str
    beats_per_minute: float
    tract_scale: float  # formants relative to an adult man's
    tilt_db_per_octave: float  # of the radiated glottal spectrum
    vibrato_hz: float
    vibrato_cents: float  # depth at its fullest
    portamento_seconds: float
    singers_formant: float  # 0 none to 1 all of the trained voice's cluster near 3 kHz
    breathiness_db: float  # aspiration relative to the voice
    syllabic: float  # share of notes that begin a new syllable
    drone_db: float | None = None  # accompaniment relative to the voice


@dataclass(frozen=True)
class Note:
    """One sung note; a consonant of None continues the syllable."""

    start: float  # s
    duration: float  # s
    pitch: float  # MIDI note number
    vowel: str
    consonant: str | None
    ends_phrase: bool


SINGERS = (
    Singer(name="bass", split="train", tonic=47, lowest_degree=-3, highest_degree=5, scale="minor",
           beats_per_minute=108, tract_scale=0.94, tilt_db_per_octave=-7, vibrato_hz=4.8, vibrato_cents=60,
           portamento_seconds=0.11, singers_formant=0.9, breathiness_db=-38, syllabic=0.7),
    Singer(name="baritone", split="train", tonic=50, lowest_degree=-3, highest_degree=6, scale="major",
           beats_per_minute=112, tract_scale=0.98, tilt_db_per_octave=-6, vibrato_hz=5.2, vibrato_cents=65,
           portamento_seconds=0.08, singers_formant=1.0, breathiness_db=-40, syllabic=0.9),
    Singer(name="tenor", split="train", tonic=57, lowest_degree=-2, highest_degree=7, scale="major",
           beats_per_minute=94, tract_scale=1.03, tilt_db_per_octave=-6, vibrato_hz=5.8, vibrato_cents=60,
           portamento_seconds=0.09, singers_formant=0.8, breathiness_db=-36, syllabic=0.6, drone_db=-20),
    Singer(name="alto", split="train", tonic=57, lowest_degree=-2, highest_degree=7, scale="dorian",
           beats_per_minute=100, tract_scale=1.12, tilt_db_per_octave=-8, vibrato_hz=5.4, vibrato_cents=40,
           portamento_seconds=0.1, singers_formant=0.3, breathiness_db=-30, syllabic=0.8),
    Singer(name="soprano", split="train", tonic=67, lowest_degree=-2, highest_degree=5, scale="major",
           beats_per_minute=104, tract_scale=1.18, tilt_db_per_octave=-8, vibrato_hz=6.3, vibrato_cents=70,
           portamento_seconds=0.08, singers_formant=0.4, breathiness_db=-34, syllabic=0.5),
    Singer(name="folk_singer", split="train", tonic=62, lowest_degree=-2, highest_degree=6, scale="pentatonic",
           beats_per_minute=124, tract_scale=1.15, tilt_db_per_octave=-5, vibrato_hz=5.0, vibrato_cents=18,
           portamento_seconds=0.06, singers_formant=0.0, breathiness_db=-28, syllabic=0.95, drone_db=-18),
    Singer(name="crooner", split="val", tonic=48, lowest_degree=-2, highest_degree=7, scale="major",
           beats_per_minute=116, tract_scale=0.97, tilt_db_per_octave=-9, vibrato_hz=5.1, vibrato_cents=35,
           portamento_seconds=0.14, singers_formant=0.2, breathiness_db=-29, syllabic=0.8),
    Singer(name="mezzo", split="val", tonic=62, lowest_degree=-3, highest_degree=6, scale="minor",
           beats_per_minute=98, tract_scale=1.14, tilt_db_per_octave=-7, vibrato_hz=5.9, vibrato_cents=60,
           portamento_seconds=0.1, singers_formant=0.5, breathiness_db=-36, syllabic=0.6, drone_db=-22),
    Singer(name="cantor", split="test", tonic=53, lowest_degree=-3, highest_degree=6, scale="dorian",
           beats_per_minute=104, tract_scale=1.0, tilt_db_per_octave=-6, vibrato_hz=5.5, vibrato_cents=50,
           portamento_seconds=0.09, singers_formant=0.7, breathiness_db=-37, syllabic=0.7),
    Singer(name="chorister", split="test", tonic=65, lowest_degree=-2, highest_degree=7, scale="major",
           beats_per_minute=106, tract_scale=1.22, tilt_db_per_octave=-9, vibrato_hz=6.0, vibrato_cents=25,
           portamento_seconds=0.07, singers_formant=0.1, breathiness_db=-31, syllabic=0.8),
)  # fmt: skip


def compose(singer: Singer, duration: float, rng: np.random.Generator) -> list[Note]:
    """Return a melody for a singer that ends at the first end of a phrase after `duration` seconds."""
    notes: list[Note] = []
    time, degree = 0.0, int(rng.choice([0, 2, 4]))
    while time < duration:
        num_bars = rng.integers(1, 3) if duration - time > LONG_PHRASE_SECONDS else 1
        phrase, degree = _compose_phrase(singer, time, degree, int(num_bars), rng)
        notes += phrase
        time = phrase[-1].start + phrase[-1].duration + rng.uniform(*BREATH_SECONDS)
    return notes


def _compose_phrase(
    singer: Singer, time: float, degree: int, num_bars: int, rng: np.random.Generator
) -> tuple[list[Note], int]:
    """Return the notes of one phrase that starts at `time`, and the degree it ended on."""
    beats = [length for _ in range(num_bars) for length in RHYTHMS[rng.integers(len(RHYTHMS))]]
    beats[-1] += LAST_NOTE_BEATS
    notes, vowel = [], str(rng.choice(VOWELS))
    for index, length in enumerate(beats):
        is_last = index == len(beats) - 1
        degree = _resting_degree(degree) if is_last else _next_degree(singer, degree, rng)
        new_syllable = index == 0 or rng.random() < singer.syllabic
        vowel = str(rng.choice(VOWELS)) if new_syllable else vowel
        consonant = str(rng.choice(CONSONANTS)) if new_syllable else None
        duration = length * 60 / singer.beats_per_minute
        notes.append(Note(time, duration, _pitch(singer, degree), vowel, consonant, is_last))
        time += duration
    return notes, degree


def _next_degree(singer: Singer, degree: int, rng: np.random.Generator) -> int:
    """Return the degree a step or a small leap away, turned back at the ends of the singer's range."""
    step = int(rng.choice(STEPS, p=STEP_WEIGHTS))
    if not singer.lowest_degree <= degree + step <= singer.highest_degree:
        step = -step
    return degree + step


def _resting_degree(degree: int) -> int:
    """Return the nearest degree on which a phrase can end: the tonic, third or fifth."""
    return min((-3, 0, 2, 4), key=lambda rest: abs(rest - degree))


def _pitch(singer: Singer, degree: int) -> float:
    """Return a degree of the singer's scale as a MIDI note number."""
    scale = SCALES[singer.scale]
    octave, step = divmod(degree, len(scale))
    return float(singer.tonic + 12 * octave + scale[step])

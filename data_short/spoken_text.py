"""Spoken sentences: espeak-ng in ten voices and nine languages, joined with natural pauses."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from noise import SAMPLE_RATE, from_decibels, rms

PAUSE_SECONDS = (0.22, 0.48)  # between two sentences
SENTENCE_LEVEL_DB = (-2.0, 2.0)
QUIET_DB = -45.0  # relative to the peak, what is cut off around a sentence


@dataclass(frozen=True, kw_only=True)
class Voice:
    """One speaker and what they say."""

    language: str  # espeak-ng voice
    variant: str  # espeak-ng voice variant
    split: str
    words_per_minute: int
    pitch: int  # 0 to 99, espeak-ng's scale
    sentences: tuple[str, ...]

    @property
    def name(self) -> str:
        """The voice as a file name."""
        return f"{self.language}_{self.variant}".replace("-", "_").lower()


VOICES = (
    Voice(
        language="en-us", variant="m3", split="train", words_per_minute=180, pitch=40,
        sentences=(
            "The ferry leaves from the second pier at twenty past nine.",
            "Bring a coat, because the wind on the upper deck is stronger than it looks.",
            "We should be back before the shops close.",
            "If the sea is rough they will take the longer way around the island.",
        ),
    ),
    Voice(
        language="en-gb", variant="f2", split="train", words_per_minute=162, pitch=58,
        sentences=(
            "I planted beans along the fence and lettuce in the shade.",
            "Within a week the snails had found both.",
            "My neighbour puts crushed egg shells around everything she grows.",
            "It seems to work for her.",
        ),
    ),
    Voice(
        language="de", variant="m1", split="train", words_per_minute=178, pitch=35,
        sentences=(
            "Der Zug nach Norden fährt heute von Gleis sieben ab.",
            "In der Mitte des Zuges gibt es einen Wagen für Fahrräder.",
            "Bitte achten Sie beim Einsteigen auf die Stufe.",
            "Kaffee gibt es leider erst nach dem nächsten Halt.",
        ),
    ),
    Voice(
        language="fr", variant="f4", split="train", words_per_minute=182, pitch=55,
        sentences=(
            "Le boulanger ouvre sa porte avant que le soleil se lève.",
            "Toute la rue sent alors le pain chaud et le beurre.",
            "Les enfants passent devant la vitrine en allant à l'école.",
            "Parfois il leur donne une petite brioche.",
            "Personne n'est jamais en retard.",
        ),
    ),
    Voice(
        language="es", variant="m7", split="train", words_per_minute=180, pitch=50,
        sentences=(
            "La biblioteca del barrio cierra los lunes por la tarde.",
            "Quien quiera devolver un libro puede dejarlo en la caja azul.",
            "Hay una sala tranquila en el segundo piso.",
            "Desde la ventana se ven los tejados y las montañas.",
        ),
    ),
    Voice(
        language="pl", variant="f1", split="train", words_per_minute=170, pitch=50,
        sentences=(
            "Wczoraj po południu padał deszcz i dzieci zostały w domu.",
            "Babcia upiekła ciasto ze śliwkami.",
            "Kot spał na parapecie i niczego nie zauważył.",
            "Dopiero wieczorem wyszło słońce.",
        ),
    ),
    Voice(
        language="it", variant="f3", split="val", words_per_minute=188, pitch=60,
        sentences=(
            "Il mercato comincia presto e finisce a mezzogiorno.",
            "Le arance migliori sono sempre sul banco vicino alla fontana.",
            "Mia zia compra il pesce soltanto dal signore con il cappello.",
            "Poi prende un caffè e torna a casa con il tram.",
        ),
    ),
    Voice(
        language="nl", variant="m5", split="val", words_per_minute=168, pitch=42,
        sentences=(
            "De brug gaat vandaag drie keer open voor grote schepen.",
            "Wie haast heeft kan beter langs het kanaal fietsen.",
            "Dat is iets verder maar je hebt de wind in de rug.",
            "Morgen is alles weer normaal.",
        ),
    ),
    Voice(
        language="pt", variant="m2", split="test", words_per_minute=186, pitch=45,
        sentences=(
            "O relógio da praça está atrasado desde o inverno passado.",
            "Ninguém se importa, porque aqui todos se conhecem.",
            "O almoço começa quando a avó chama da varanda.",
            "Depois dormimos um pouco debaixo das árvores.",
        ),
    ),
    Voice(
        language="sv", variant="f5", split="test", words_per_minute=184, pitch=52,
        sentences=(
            "Stugan ligger vid en liten sjö mitt i skogen.",
            "På morgonen är vattnet helt stilla och kallt.",
            "Vi hämtar ved, kokar gröt och lagar den gamla båten.",
            "På kvällen berättar farfar om vintern för länge sedan.",
        ),
    ),
)  # fmt: skip


def speak(voice: Voice, rng: np.random.Generator) -> np.ndarray:
    """Return a voice's sentences, dry: float64, shape (n_samples,), rms 1."""
    parts: list[np.ndarray] = []
    for sentence in voice.sentences:
        if parts:
            parts.append(np.zeros(int(rng.uniform(*PAUSE_SECONDS) * SAMPLE_RATE)))
        spoken = trimmed(synthesised(voice, sentence))
        parts.append(spoken * from_decibels(rng.uniform(*SENTENCE_LEVEL_DB)))
    speech = np.concatenate(parts)
    return speech / rms(speech)


def synthesised(voice: Voice, sentence: str) -> np.ndarray:
    """Return one sentence from espeak-ng, resampled to SAMPLE_RATE.

    Raises
    ------
    ValueError
        espeak-ng refused the voice or the text.
    """
    import soundfile
    import soxr

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sentence.wav")
        options = ["-v", f"{voice.language}+{voice.variant}", "-s", str(voice.words_per_minute), "-p", str(voice.pitch)]
        command = ["espeak-ng", *options, "-b", "1", "-w", str(path), sentence]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not path.exists():
            raise ValueError(f"espeak-ng did not speak {voice.name}: {done.stderr.strip() or 'it wrote no file'}")
        waveform, sample_rate = soundfile.read(path, dtype="float64")
    return soxr.resample(waveform, sample_rate, SAMPLE_RATE)


def trimmed(waveform: np.ndarray) -> np.ndarray:
    """Return a waveform without the quiet before and after it."""
    loud = np.flatnonzero(np.abs(waveform) > from_decibels(QUIET_DB) * np.abs(waveform).max())
    return waveform[loud[0] : loud[-1] + 1]

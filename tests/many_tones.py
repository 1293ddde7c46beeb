"""Loaded clips made by code: each label a tone of its own, each clip and each side with a frequency of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from conftest import SAMPLE_RATE, tone

from train.recordings.clip import SPLITS, Clip
from train.recordings.clip_index import ClipIndex
from train.recordings.store.clip_store import LoadedClips

WINDOW_LENGTH = 16_000  # samples: a frequency in Hz is a bin of the Fourier transform
LABEL_STEP_HZ = 1_000
SIDE_STEP_HZ = 300


def frequency(label: int, split: str, number: int) -> int:
    """Return the frequency in Hz of a clip: its label by the thousands, its side by the hundreds."""
    side = SPLITS.index(split) if split else 0
    return LABEL_STEP_HZ * (label + 1) + SIDE_STEP_HZ * side + 10 * number


def clip_index(labels: str, counts: dict[str, int], root: Path = Path(".")) -> ClipIndex:
    """Return an index with so many clips of each label on each side."""
    clips = [
        Clip(f"{label}/{split}{number}.wav", (label,), f"{label}-{split}{number}", split)
        for label in labels
        for split, count in counts.items()
        for number in range(count)
    ]
    return ClipIndex(root, tuple(labels), tuple(clips), "tones")


def tones(labels: str = "abc", counts: dict[str, int] | None = None, seconds: float = 1.0) -> LoadedClips:
    """Return clips of pure tones, amplitudes 0.2 to 0.6."""
    counts = counts or {"train": 4, "val": 2, "test": 2}
    index = clip_index(labels, counts)
    waveforms = [
        tone(frequency(place, split, number), seconds, 0.2 + 0.1 * (number % 5))
        for place in range(len(labels))
        for split, count in counts.items()
        for number in range(count)
    ]
    return LoadedClips(index, waveforms, [str(place) for place in range(len(waveforms))], [])


def heard(window: np.ndarray, level: float = 0.02) -> set[int]:
    """Return the frequencies in Hz of the tones in a window of one second, those above an amplitude."""
    amplitudes = 2.0 * np.abs(np.fft.rfft(window)) / window.size
    assert window.size == SAMPLE_RATE
    return set(np.flatnonzero(amplitudes > level).tolist())

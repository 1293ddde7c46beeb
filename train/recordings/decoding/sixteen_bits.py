"""Float samples as 16-bit FLAC: what is above full scale is turned down as a whole recording, never clipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from metadata.plural import counted
from train.recordings.store.packed_waveform import Waveform

BLOCK_LENGTH = 1 << 20  # samples that are turned into integers at once
_FULL_SCALE = 32768.0
_HIGHEST = 32767.0 / _FULL_SCALE
_MOST_NAMED = 3  # files in a note


class TurnedDown:
    """The recordings that were turned down, and by how much; to be told."""

    def __init__(self) -> None:
        self.factors: dict[str, float] = {}

    def gain(self, name: str, peak: float) -> float:
        """Return the factor that brings a recording's highest absolute sample below full scale, 1 where it is there."""
        if peak <= 1.0:
            return 1.0
        self.factors[name] = _HIGHEST / peak
        return self.factors[name]

    def describe(self) -> str:
        """Return which recordings were turned down, the most so first; empty where none was."""
        if not self.factors:
            return ""
        worst = sorted(self.factors.items(), key=lambda pair: (pair[1], pair[0]))
        named = [f"{name} by a factor of {factor:.4g} ({20.0 * np.log10(factor):.1f} dB)" for name, factor in worst]
        more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
        count = counted(len(named), "recording")
        return f"{count} went above full scale, turned down as a whole: {', '.join(named[:_MOST_NAMED])}{more}"


def to_steps(samples: np.ndarray, gain: float = 1.0) -> np.ndarray:
    """Return samples of at most full scale, after the gain, as int16; +1, which 16 bits lack, becomes 32767."""
    return np.minimum(np.round(np.asarray(samples, np.float64) * (gain * _FULL_SCALE)), _FULL_SCALE - 1).astype(
        np.int16
    )


def write_flac(path: Path, waveform: Waveform, sample_rate: int, turned_down: TurnedDown, name: str) -> None:
    """Write a waveform, float (n_samples,), as 16-bit FLAC, block by block."""
    import soundfile

    peak = max((float(np.abs(block).max()) for block in _blocks(waveform)), default=0.0)
    gain = turned_down.gain(name, peak)
    with soundfile.SoundFile(path, "w", sample_rate, 1, format="FLAC", subtype="PCM_16") as file:
        for block in _blocks(waveform):
            file.write(to_steps(block, gain))


def _blocks(waveform: Waveform) -> Iterator[np.ndarray]:
    """Parts of a waveform, which need not lie in memory."""
    for first in range(0, len(waveform), BLOCK_LENGTH):
        yield np.asarray(waveform[first : first + BLOCK_LENGTH])

"""What a recording is like in its file, before it is resampled and made one channel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_runtime.audio.downmix import Cancellation
from train.recordings.decoding.decoded_blocks import DecodedBlocks


@dataclass(frozen=True)
class SoundSource:
    """Measures of one file.

    Attributes
    ----------
    sample_rate : int
        Hz.
    num_channels : int
    peak : float
        Largest absolute sample of any channel; above 1 is above full scale.
    cancellation : Cancellation
        Of the channels when averaged.
    """

    sample_rate: int
    num_channels: int
    peak: float
    cancellation: Cancellation

    @property
    def overshoot_db(self) -> float:
        """How far the samples go beyond full scale, 0 where they do not."""
        return 20.0 * float(np.log10(self.peak)) if self.peak > 1.0 else 0.0


def source_of(recording: DecodedBlocks) -> SoundSource:
    """Return the measures of a recording whose blocks were read to the end."""
    return SoundSource(recording.sample_rate, recording.num_channels, recording.peak, recording.cancellation())


def measure_source(path: Path) -> SoundSource:
    """Return the measures of a file, which is read for them; raises AudioError where it cannot be."""
    with DecodedBlocks(path) as recording:
        for _ in recording.blocks():
            pass
        return source_of(recording)

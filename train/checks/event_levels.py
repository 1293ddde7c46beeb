"""How loud a recording is where its annotations say that something sounds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge_runtime.segments.segment import Segment
from train.checks.clip_measures import to_dbfs
from train.recordings.decoding.decoded_blocks import DecodedBlocks

NOTHING_DBFS = -np.inf


def event_levels(path: Path, events: Sequence[Segment]) -> list[float]:
    """Return the level of a recording under each event: dBFS, RMS of the samples without their mean.

    A block of the recording is in memory at a time.

    Parameters
    ----------
    path : Path
    events : sequence of Segment
        Each begins within the recording.

    Returns
    -------
    list of float
        `NOTHING_DBFS` where every sample is alike, as in digital zero.

    Raises
    ------
    AudioError
        The recording cannot be read.
    """
    sums = np.zeros((len(events), 3))  # of samples, of squares, and how many
    lowest, highest = np.full(len(events), np.inf), np.full(len(events), -np.inf)
    begin = 0
    with DecodedBlocks(path) as recording:
        times = np.array([(event.onset, event.offset) for event in events]).reshape(-1, 2)
        first, last = np.round(times * recording.sample_rate).astype(np.int64).T
        for block in recording.blocks():
            for number in np.flatnonzero((first < begin + block.size) & (last > begin) & (first < last)):
                part = block[max(0, first[number] - begin) : last[number] - begin].astype(np.float64)
                sums[number] += part.sum(), np.square(part).sum(), part.size
                lowest[number] = min(lowest[number], part.min())
                highest[number] = max(highest[number], part.max())
            begin += block.size
    return [
        to_dbfs(_rms(*held)) if high > low else NOTHING_DBFS
        for held, low, high in zip(sums, lowest, highest, strict=True)
    ]


def _rms(total: float, squares: float, count: float) -> float:
    """The level of samples without their mean."""
    return float(np.sqrt(max(0.0, squares / count - (total / count) ** 2)))

"""A recording of any format as the waveform a model hears, block by block, so that its length costs no memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from train.recordings.decode import RESAMPLE_QUALITY
from train.recordings.decoded_blocks import DecodedBlocks


def waveform_blocks(path: str | Path, sample_rate: int) -> Iterator[np.ndarray]:
    """Yield a recording as one channel at `sample_rate`, float32 (n,), in order; no block is empty.

    Parameters
    ----------
    path : str or Path
        Any format that `DecodedBlocks` reads, any rate and channel count.
    sample_rate : int
        Hz of the blocks.

    Raises
    ------
    FileNotFoundError, AudioError
        As for `DecodedBlocks`; a fault inside the samples shows when its block is reached.

    Notes
    -----
    soxr's stream gives the same samples, bit for bit, as `soxr.resample` of the whole recording (soxr 1.1.0).
    """
    with DecodedBlocks(path) as recording:
        if recording.sample_rate == sample_rate:
            yield from recording.blocks()
            return
        import soxr

        stream = soxr.ResampleStream(recording.sample_rate, sample_rate, 1, dtype="float32", quality=RESAMPLE_QUALITY)
        for block in recording.blocks():
            if (resampled := stream.resample_chunk(block)).size:
                yield resampled
        if (rest := stream.resample_chunk(np.zeros(0, np.float32), last=True)).size:
            yield rest

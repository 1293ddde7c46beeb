"""A recording of any format as the waveform a model takes, block by block, so that its length costs no memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from train.recordings.decoding.decoded_blocks import DecodedBlocks
from train.recordings.decoding.stream_resampler import StreamResampler
from train.recordings.store.sound_source import SoundSource, source_of


def waveform_blocks(
    path: str | Path, sample_rate: int, measured: Callable[[SoundSource], None] | None = None
) -> Iterator[np.ndarray]:
    """Yield a recording as one channel at `sample_rate`, float32 (n,), in order; no block is empty.

    Parameters
    ----------
    path : str or Path
        Any format that `DecodedBlocks` reads, any rate and channel count.
    sample_rate : int
        Hz of the blocks.
    measured : callable, optional
        Called after the last block with what the file is like.

    Raises
    ------
    FileNotFoundError, AudioError
        As for `DecodedBlocks`; a fault inside the samples shows when its block is reached.
    """
    with DecodedBlocks(path) as recording:
        resampler = StreamResampler(recording.sample_rate, sample_rate)
        for block in recording.blocks():
            if (resampled := resampler.push(block)).size:
                yield resampled
        if (rest := resampler.finish()).size:
            yield rest
        if measured:
            measured(source_of(recording))


def excerpt(path: str | Path, sample_rate: int, first: int, last: int) -> np.ndarray:
    """Return the samples from `first` up to before `last` of a recording at `sample_rate`, float32; memory for these.

    Raises
    ------
    FileNotFoundError, AudioError
        As for `waveform_blocks`.
    """
    return excerpt_of(waveform_blocks(path, sample_rate), first, last)


def excerpt_of(blocks: Iterable[np.ndarray], first: int, last: int) -> np.ndarray:
    """Return the samples from `first` up to before `last` of a recording that comes in blocks, float32 (n,)."""
    parts, start = [np.zeros(0, np.float32)], 0
    for block in blocks:
        parts.append(block[max(0, first - start) : max(0, last - start)])
        start += block.size
        if start >= last:
            break
    return np.concatenate(parts)

"""Recordings for the command: WAV by ourselves, anything else by a decoder that is handed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.downmix import AUTO, check_channel
from edge_runtime.audio.resampling import Resampler, resample
from edge_runtime.audio.sound_frames import SoundFrames
from edge_runtime.audio.wav_file import WavFile, is_wav
from edge_runtime.audio.wav_format import UnknownCodecError

FloatArray = npt.NDArray[np.float32]


class Recording(Protocol):
    """An open recording, read block by block, such as `WavFile`; a context manager too.

    Attributes
    ----------
    sample_rate : int
        Hz.
    num_samples : int
        Of one channel.
    """

    sample_rate: int
    num_samples: int

    def blocks(self) -> Iterator[FloatArray]:
        """Yield the recording from its beginning as mono float32 blocks."""
        ...

    def remarks(self) -> list[str]:
        """Return what a user should know of the recording, once it was read."""
        ...


Decode = Callable[[Path], AbstractContextManager[Recording]]
"""Path to an open recording; for what a device install does not read, see `edge_runtime.audio.sound_kinds`."""


def open_recording(
    path: str | Path, decode: Decode | None = None, channel: str = AUTO
) -> AbstractContextManager[Recording]:
    """Open a recording: a WAV file, or where a decoder is handed in anything else that it reads.

    Parameters
    ----------
    path : str or Path
    decode : callable, optional
    channel : str
        Of several, see `edge_runtime.audio.downmix`.

    Raises
    ------
    FileNotFoundError
        No such file.
    ValueError
        Not a WAV file and no decoder, one that the reader refuses, or a channel that is none.
    """
    path, channel = Path(path), check_channel(channel)
    opened = _open(path, decode)
    if isinstance(opened, SoundFrames):
        opened.channel = channel
    return opened


def _open(path: Path, decode: Decode | None) -> AbstractContextManager[Recording]:
    """Open a recording by our own reader where that can do it."""
    if decode is None:
        return WavFile(path)
    if not is_wav(path):
        return decode(path)
    try:
        return WavFile(path)
    except UnknownCodecError:
        return decode(path)


def resampled_blocks(recording: Recording, sample_rate: int) -> Iterator[FloatArray]:
    """Yield the blocks of a recording at another rate."""
    resampler = Resampler(recording.sample_rate, sample_rate)
    for block in recording.blocks():
        yield resampler.push(block)
    yield resampler.finish()


def load_waveform(path: str | Path, sample_rate: int, decode: Decode | None = None) -> FloatArray:
    """Return a whole recording as mono float32 samples at this rate, shape (n_samples,).

    Raises
    ------
    FileNotFoundError, ValueError
        As for `open_recording`.
    """
    with open_recording(path, decode) as recording:
        return resample(np.concatenate(list(recording.blocks())), recording.sample_rate, sample_rate)

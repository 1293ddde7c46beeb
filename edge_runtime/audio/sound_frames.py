"""What every open recording has in common: frames in, one channel out, and what is odd about it.

Axis order: samples first, channels second.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.downmix import AUTO, MIX, Cancellation, CancellationMeter, channel_place, to_mono

FloatArray = npt.NDArray[np.float32]
BLOCK_LENGTH = 65_536  # samples of a channel read at once
OVERSHOOT_DB = 1.0  # above full scale; lossy decoders and float editors go so far without anything being wrong


class SoundFrames(ABC):
    """A recording that is read from its beginning, block by block, as often as wanted.

    A reader gives it `frames`, and these attributes before `blocks` is called.

    Attributes
    ----------
    path : Path
    sample_rate : int
        Hz.
    num_channels : int
        In the file; what `blocks` yields is mono.
    num_samples : int
        Per channel.
    channel : str
        Which one is used, see `edge_runtime.audio.downmix`.
    peak : float
        Largest absolute sample of any channel that `blocks` has come by.
    """

    path: Path
    sample_rate: int
    num_channels: int
    num_samples: int
    channel: str = AUTO
    peak: float = 0.0
    _cancellation: Cancellation | None = None

    @abstractmethod
    def frames(self, block_length: int = BLOCK_LENGTH) -> Iterator[FloatArray]:
        """Yield the recording from its beginning, float32 (up to block_length, n_channels); integers are divided.

        Integers come divided by 2 ** (bits - 1), as libsndfile does, so in [-1, 1).

        Raises
        ------
        ValueError
            A NaN, an infinity or a number that no sound has, or the recording ended early.
        """

    def blocks(self, block_length: int = BLOCK_LENGTH) -> Iterator[FloatArray]:
        """Yield the recording from its beginning as mono float32 blocks.

        Parameters
        ----------
        block_length : int
            Samples in a block; the last one may be shorter.

        Yields
        ------
        ndarray of float32, shape (up to block_length,)
            The channel of `edge_runtime.audio.downmix`; what is above full scale stays so.

        Raises
        ------
        ValueError
            As for `frames`, or a channel that is not there.
        """
        if block_length < 1:
            raise ValueError(f"block_length is {block_length}; expected samples, at least 1")
        place = self.used_channel()
        for frames in self.frames(block_length):
            self.peak = max(self.peak, float(frames.max()), -float(frames.min()))
            yield to_mono(frames, place)

    def used_channel(self) -> int | None:
        """Return the place of the channel that is used, None where all are averaged.

        A file of several channels is read to its end for that, unless a channel was chosen.
        """
        try:
            place = channel_place(self.channel, self.num_channels)
        except ValueError as error:
            raise self.fault(str(error)) from error
        if place is not None or self.channel == MIX or self.num_channels == 1:
            return place
        measured = self.cancellation()
        return measured.loudest if measured.mostly else None

    def cancellation(self) -> Cancellation:
        """Return how far the channels cancel when they are averaged; the recording is read once for it."""
        if self._cancellation is None:
            meter = CancellationMeter(self.num_channels, self.sample_rate)
            if self.num_channels > 1:
                for frames in self.frames(BLOCK_LENGTH):
                    meter.add(frames)
            self._cancellation = meter.result()
        return self._cancellation

    def fault(self, text: str) -> ValueError:
        """Return an error that names the file."""
        return ValueError(f"{self.path} {text}")

    @property
    def overshoot_db(self) -> float:
        """By how much the samples that were read go beyond full scale, 0 where they do not."""
        return 20.0 * float(np.log10(self.peak)) if self.peak > 1.0 else 0.0

    def remarks(self, as_shorts: bool = False) -> list[str]:
        """Return the notes on the recording after it was read, each a sentence without its name.

        Parameters
        ----------
        as_shorts : bool
            Whether it was read as a microphone's 16-bit integers, which end at full scale.
        """
        notes = []
        if self.num_channels > 1 and self.channel == AUTO and (measured := self.cancellation()).describe():
            channels = (
                f"channel {measured.loudest + 1}, the loudest, is used instead"
                if measured.mostly
                else "all are averaged"
            )
            notes.append(f"{measured.describe()}; {channels} (--channel chooses)")
        if self.overshoot_db >= OVERSHOOT_DB:
            peaks = (
                "clipped there, as a microphone does" if as_shorts else "used as they are: a microphone would clip them"
            )
            notes.append(f"its samples go {self.overshoot_db:.1f} dB above full scale and are {peaks}")
        return notes

"""Several channels made one: the one rule of all readers, and the measure of channels that cancel when averaged.

Axis order: samples first, channels second.

Notes
-----
Channels are averaged. Where they are in opposite phase, as behind a cable with swapped wires or a balanced signal
recorded as stereo, that leaves silence. So the pieces of a second are measured, offsets aside: a piece cancels where
its average has less than a quarter of the power that channels with nothing in common would leave. Of two equally
loud channels that is a correlation below -0.75. A file at least half of whose pieces cancel is read through its
loudest channel, from its beginning to its end. The choice is never changed within a file: a step in the sound would
be worse than either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
AUTO, MIX = "auto", "mix"
CHANNEL_HELP = "auto (average, or the loudest where they cancel), mix (average), left, right, or a number from 1 on"
PIECE_SECONDS = 1.0
LEAST_SECONDS = 0.1  # of the last piece, to be judged: a few samples have no phase
CANCELLED_POWER = 0.25  # share of what channels with nothing in common leave when they are averaged
MOSTLY_CANCELLED = 0.5  # share of the pieces from which on the loudest channel is used
SOME_CANCELLED = 0.1  # share from which on a note says so
_SOUND_POWER = 1e-6  # -60 dBFS: in what is quieter, the phase is that of noise
_NAMED = {"left": 1, "right": 2}


def check_channel(channel: str) -> str:
    """Return a choice of channel after checking it.

    Raises
    ------
    ValueError
        None of `CHANNEL_HELP`.
    """
    if channel not in (AUTO, MIX, *_NAMED) and not re.fullmatch("[1-9][0-9]{0,3}", channel):
        raise ValueError(f"channel is {channel!r}; expected {CHANNEL_HELP}")
    return channel


def channel_place(channel: str, num_channels: int) -> int | None:
    """Return the place of the channel that was chosen, None where channels are averaged or the sound decides.

    Raises
    ------
    ValueError
        A channel that is not there; the text goes on after a file's name.
    """
    if check_channel(channel) in (AUTO, MIX):
        return None
    place = _NAMED.get(channel) or int(channel)
    if place > num_channels:
        raise ValueError(f"has {num_channels} channel{'s' if num_channels > 1 else ''}; --channel asks for {channel}")
    return place - 1


def to_mono(frames: FloatArray, place: int | None = None) -> FloatArray:
    """Return one channel, float32 (n_samples,), of frames of shape (n_samples, n_channels).

    Parameters
    ----------
    frames : ndarray of float32
    place : int, optional
        Of the channel; without it the channels are averaged, in float64.
    """
    if place is None and frames.shape[1] > 1:
        return _mean_of_channels(frames).astype(np.float32)
    return np.ascontiguousarray(frames[:, place or 0])


def _mean_of_channels(frames: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """The mean of all channels in float64; column by column, which is several times as fast as row by row."""
    total = frames[:, 0].astype(np.float64)
    for place in range(1, frames.shape[1]):
        total += frames[:, place]
    total /= frames.shape[1]
    return total


@dataclass(frozen=True)
class Cancellation:
    """How far the channels of a recording cancel when they are averaged.

    Attributes
    ----------
    pieces, cancelled : int
        Of a second each: those with sound, and those of them that cancel.
    lost_db : float
        By how much the average of all is weaker than the loudest channel.
    loudest : int
        Place of that channel.
    """

    pieces: int
    cancelled: int
    lost_db: float
    loudest: int

    @property
    def share(self) -> float:
        """Of the pieces with sound."""
        return self.cancelled / self.pieces if self.pieces else 0.0

    @property
    def mostly(self) -> bool:
        """Whether the average is not what the recording sounds like."""
        return self.share >= MOSTLY_CANCELLED

    def describe(self) -> str:
        """Return what was measured, in words; empty where it is not worth telling."""
        if self.share < SOME_CANCELLED:
            return ""
        return (
            f"its channels cancel when averaged, in {self.cancelled} of {self.pieces} s with sound "
            f"({self.lost_db:.0f} dB below the loudest channel)"
        )


class CancellationMeter:
    """Measures a recording that comes in blocks.

    Parameters
    ----------
    num_channels : int
    sample_rate : int
        Hz.
    """

    def __init__(self, num_channels: int, sample_rate: int) -> None:
        self._length = max(1, round(PIECE_SECONDS * sample_rate))
        self._least = max(1, round(LEAST_SECONDS * sample_rate))
        self._begin_piece(num_channels)
        self._power, self._mixed_power = np.zeros(num_channels), 0.0
        self._pieces = self._cancelled = 0

    def add(self, frames: FloatArray) -> None:
        """Take the next frames, float32 (n_samples, n_channels)."""
        first = 0
        while first < len(frames):
            part = frames[first : first + self._length - self._count].astype(np.float64)
            first += len(part)
            mixed = _mean_of_channels(part)
            for place, channel in enumerate(part.T):
                self._sums[place] += channel.sum()
                self._squares[place] += np.einsum("i,i->", channel, channel)
            self._mixed_squares += float(np.einsum("i,i->", mixed, mixed))
            self._count += len(part)
            if self._count == self._length:
                self._end_piece()

    def result(self) -> Cancellation:
        """Return what was measured of a recording that is over; a last piece that is not full counts too."""
        self._end_piece()
        return self.measured()

    def measured(self) -> Cancellation:
        """Return what was measured so far, in whole pieces."""
        loudest = int(self._power.argmax())
        lost = 0.0
        if self._power[loudest] > 0.0:
            lost = 10.0 * float(np.log10(self._power[loudest] / max(self._mixed_power, 1e-12 * self._power[loudest])))
        return Cancellation(self._pieces, self._cancelled, lost, loudest)

    def _begin_piece(self, num_channels: int) -> None:
        """Forget the sums of the last piece."""
        self._count, self._mixed_squares = 0, 0.0
        self._sums, self._squares = np.zeros(num_channels), np.zeros(num_channels)

    def _end_piece(self) -> None:
        """Judge a piece, and begin the next one."""
        count = self._count
        if count >= self._least:
            power = self._squares - self._sums**2 / count
            mixed = max(0.0, self._mixed_squares - self._sums.mean() ** 2 / count)
            if power.max() >= _SOUND_POWER * count:
                self._pieces += 1
                self._cancelled += int(mixed < CANCELLED_POWER * power.sum() / power.size**2)
            self._power += power
            self._mixed_power += mixed
        self._begin_piece(self._sums.size)

"""The channels of a stream on their way to one: nobody can look ahead, so the rule is settled beforehand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge_runtime.audio.downmix import CancellationMeter, channel_place, to_mono

FloatArray = npt.NDArray[np.float32]
EARLY_SECONDS = 10.0  # after which a note says that channels cancel, where the stream still goes on


class StreamChannels:
    """Makes one channel of a pipe's or a microphone's, and measures whether anything is lost.

    The channels are averaged, or the one that was chosen is taken: what a recording's whole would decide
    (`edge_runtime.audio.downmix`) a stream cannot, so a note says so instead.

    Parameters
    ----------
    num_channels : int
    sample_rate : int
        Hz.
    channel : str

    Raises
    ------
    ValueError
        A channel that is not there.
    """

    def __init__(self, num_channels: int, sample_rate: int, channel: str) -> None:
        self._place = channel_place(channel, num_channels)
        self._meter = CancellationMeter(num_channels, sample_rate) if num_channels > 1 and self._place is None else None
        self._early, self._num_samples, self._is_noted = round(EARLY_SECONDS * sample_rate), 0, False

    def take(self, frames: FloatArray) -> FloatArray:
        """Return the next samples, float32 (n_samples,), of frames of shape (n_samples, n_channels)."""
        self._num_samples += len(frames)
        if self._meter is not None:
            self._meter.add(frames)
        return to_mono(frames, self._place)

    def remark(self, ended: bool) -> str:
        """Return once that the channels cancel, as soon as 10 s were read or the stream has ended; else nothing."""
        if self._meter is None or self._is_noted or not (ended or self._num_samples >= self._early):
            return ""
        measured = self._meter.measured()
        if not measured.describe():
            return ""
        self._is_noted = True
        return f"{measured.describe()}; all are averaged: --channel {measured.loudest + 1} takes the loudest alone"

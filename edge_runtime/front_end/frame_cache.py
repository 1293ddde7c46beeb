"""Frames of overlapping windows, computed once: the input of a spectrogram-form model tick after tick.

Notes
-----
Frame t of a window that begins at sample s of the stream is centred on sample s + t * hop_length. Where
windows begin a multiple of hop_length apart, their frames fall on the same samples, and a frame that
reaches beyond neither end of its window holds the same numbers in both. Frames at the ends reach into the
padding, which is a reflection of the window's own samples, so they are computed anew in every window.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge_runtime.front_end.frames import compute_frames, pad_ends
from edge_runtime.front_end.mel import check_window, model_input, outside_front_end
from metadata.spec import MelFrontEnd, ModelSpec, StftFrontEnd, frame_count, frame_padding

FloatArray = npt.NDArray[np.float32]


class FrameCache:
    """Makes the model's input of windows of one stream, and keeps the frames that the next window shares.

    Parameters
    ----------
    spec : ModelSpec

    Attributes
    ----------
    computed_frames, reused_frames : int
        So far; both stay 0 for a model that takes the waveform.
    """

    def __init__(self, spec: ModelSpec) -> None:
        self.spec = spec
        self.computed_frames = self.reused_frames = 0
        self._features: FloatArray | None = None  # of the last window, frames first
        self._start = 0  # of the last window in the stream

    def model_input(self, window: npt.ArrayLike, start: int) -> FloatArray:
        """Return what the model takes, bit for bit as `edge_runtime.front_end.mel.model_input` does.

        Parameters
        ----------
        window : array_like of float, shape (window_length,)
        start : int
            Position of its first sample in the stream, maybe negative. Where windows overlap in the
            stream, their samples must be the same.

        Raises
        ------
        ValueError
            As for `edge_runtime.front_end.mel.model_input`.
        """
        if self.spec.input_is_waveform:
            return model_input(window, self.spec)
        samples = check_window(window, self.spec)
        if self._features is not None and start == self._start:  # another model hears the same window
            return np.ascontiguousarray(self._features.T)
        front_end, slopes = outside_front_end(self.spec)
        count = frame_count(front_end, samples.size)
        shared, shift = self._shared_frames(start, count, front_end)
        new = np.concatenate([np.arange(shared.start), np.arange(shared.stop, count)])
        made = compute_frames(pad_ends(samples, front_end), new, front_end, slopes)
        features = np.empty((count, made.shape[1]), np.float32)
        features[new] = made
        if self._features is not None:
            features[shared] = self._features[shared.start + shift : shared.stop + shift]
        self._features, self._start = features, start
        self.computed_frames += new.size
        self.reused_frames += count - new.size
        return np.ascontiguousarray(features.T)

    def _shared_frames(self, start: int, count: int, front_end: StftFrontEnd | MelFrontEnd) -> tuple[slice, int]:
        """Return which frames the last window holds too, and how many places further back they lie there."""
        shift, remainder = divmod(start - self._start, front_end.hop_length)
        if self._features is None or remainder or shift < 0:
            return slice(0, 0), 0
        if front_end.pad_mode == "none":  # no frame hears anything beyond the ends
            return slice(0, max(0, count - shift)), shift
        before, after = frame_padding(front_end)
        first = -(-before // front_end.hop_length)  # the first frame that begins inside the window
        stop = (self.spec.window_length - after) // front_end.hop_length + 1  # after the last that ends inside
        return slice(first, max(first, min(stop, count) - shift)), shift

"""The magnitude STFT as a Keras layer: the model takes samples, and the transform ships inside its graph.

Axis order: waveform (batch, n_samples); magnitudes (batch, n_frames, 1 + n_fft // 2), time first.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from edge_runtime.front_end.frames import hann_window
from metadata.spec import StftFrontEnd, frame_count
from train.layers.fourier import bin_places, factored_fourier
from train.layers.overlapping_frames import overlapping_frames
from train.layers.saved_names import saved_by_name


@saved_by_name
class StftMagnitude(keras.layers.Layer):
    """Turn a waveform into its magnitudes, equal to `abs(librosa.stft(waveform)).T` with `pad_mode` as given.

    Parameters
    ----------
    n_fft, hop_length, win_length, pad_mode
        As in `metadata.StftFrontEnd` (which is librosa's meaning of the words).

    Raises
    ------
    ValueError
        A transform that `train.layers.fourier` leaves to the runtime's own operator.

    Notes
    -----
    Built from `keras.ops` that TFLite has as built-in operators, as `train.layers.mel_layers.MelSpectrogram` is. The
    window and the transform are constants, not weights: they do not count as parameters.
    """

    def __init__(self, n_fft: int, hop_length: int, win_length: int, pad_mode: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.settings: dict[str, Any] = {
            "n_fft": n_fft,
            "hop_length": hop_length,
            "win_length": win_length,
            "pad_mode": pad_mode,
        }
        self.front_end = StftFrontEnd(power=1.0, **self.settings)
        fourier = factored_fourier(n_fft)
        if fourier is None:
            raise ValueError(f"n_fft is {n_fft}; expected one that factors into two sides, such as 2048 or 400")
        self._fourier = fourier
        self._window = hann_window(win_length, n_fft).astype(np.float32)
        self._places = bin_places(n_fft)

    def call(self, waveform: Any) -> Any:
        """Return the magnitudes, float32 (batch, n_frames, 1 + n_fft // 2)."""
        frames = overlapping_frames(waveform, self.front_end)
        power = self._fourier.power(ops.multiply(frames, self._window))
        power = ops.reshape(power, (-1, frames.shape[1], power.shape[2] * power.shape[3]))
        return ops.sqrt(ops.take(power, self._places, axis=2))

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """(batch, n_frames, 1 + n_fft // 2)."""
        return (input_shape[0], frame_count(self.front_end, input_shape[1]), 1 + self.front_end.n_fft // 2)

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), **self.settings}


def stft_layer(front_end: StftFrontEnd, name: str = "stft") -> StftMagnitude:
    """Return the layer that computes this front end; its power is 1.0."""
    settings = {key: getattr(front_end, key) for key in ("n_fft", "hop_length", "win_length", "pad_mode")}
    return StftMagnitude(name=name, **settings)

"""The mel front end as a Keras layer: the model takes samples, and the features ship inside its graph.

Axis order: waveform (batch, n_samples); mel spectrogram (batch, n_mels, n_frames), mel-major as JLibrosa lays it out.
"""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from edge_runtime.front_end.frames import hann_window
from edge_runtime.front_end.mel_filters import mel_filter_bank
from metadata.spec import MelFrontEnd, frame_count
from train.layers.fourier import factored_fourier, grouped_filters
from train.layers.overlapping_frames import overlapping_frames
from train.layers.saved_names import saved_by_name


@saved_by_name
class MelSpectrogram(keras.layers.Layer):
    """Turn a waveform into its mel spectrogram, equal to librosa with `pad_mode` as given.

    Parameters
    ----------
    sample_rate : int
        Hz.
    n_fft, hop_length, win_length, power, pad_mode, n_mels, fmin, fmax, mel_scale, mel_norm
        As in `metadata.MelFrontEnd` (which is librosa's meaning of the words).

    Notes
    -----
    Built from `keras.ops` that TFLite has as built-in operators.
    The transform is two matrix products (see `train.layers.fourier`): LiteRT's own operator computes in double
    precision without vector instructions, takes twice as long and knows powers of two only.
    The window and the filter bank are constants, not weights: they do not count as parameters.
    """

    def __init__(
        self,
        sample_rate: int,
        n_fft: int,
        hop_length: int,
        win_length: int,
        power: float,
        pad_mode: str,
        n_mels: int,
        fmin: float,
        fmax: float,
        mel_scale: str,
        mel_norm: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sample_rate = sample_rate
        self.settings: dict[str, Any] = {
            "n_fft": n_fft,
            "hop_length": hop_length,
            "win_length": win_length,
            "power": power,
            "pad_mode": pad_mode,
            "n_mels": n_mels,
            "fmin": fmin,
            "fmax": fmax,
            "mel_scale": mel_scale,
            "mel_norm": mel_norm,
        }
        self.front_end = MelFrontEnd(**self.settings)
        self._window = hann_window(win_length, n_fft).astype(np.float32)
        filters = mel_filter_bank(self.front_end, sample_rate).T
        self._fourier = factored_fourier(n_fft)
        self._filters = np.ascontiguousarray(filters) if self._fourier is None else grouped_filters(filters, n_fft)

    def call(self, waveform: Any) -> Any:
        """Return the mel spectrogram, float32 (batch, n_mels, n_frames)."""
        settings = self.settings
        frames = overlapping_frames(waveform, self.front_end)
        magnitude = self._power(ops.multiply(frames, self._window))
        if settings["power"] == 1.0:
            magnitude = ops.sqrt(magnitude)  # a vector instruction, where a power is a call for each bin
        elif settings["power"] != 2.0:
            magnitude = ops.power(magnitude, settings["power"] / 2.0)
        return ops.transpose(self._filtered(magnitude), (0, 2, 1))

    def _filtered(self, magnitude: Any) -> Any:
        """Return what passes each filter, (batch, n_frames, n_mels)."""
        if self._fourier is None:
            return ops.matmul(magnitude, self._filters)
        return ops.concatenate([group.apply(magnitude) for group in self._filters], axis=2)

    def _power(self, frames: Any) -> Any:
        """Return the power of each bin as the filters take it: (batch, n_frames, n_bins) or as it is transformed."""
        if self._fourier is not None:
            return self._fourier.power(frames)
        real, imag = ops.rfft(frames)
        return ops.add(ops.multiply(real, real), ops.multiply(imag, imag))

    def compute_output_shape(self, input_shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """(batch, n_mels, n_frames)."""
        return (input_shape[0], self.front_end.n_mels, frame_count(self.front_end, input_shape[1]))

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "sample_rate": self.sample_rate, **self.settings}


@saved_by_name
class LogCompression(keras.layers.Layer):
    """Compress power to its decimal logarithm, with a fixed floor so that no window depends on its neighbours."""

    def __init__(self, log_floor: float = 1e-10, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.log_floor = log_floor

    def call(self, power: Any) -> Any:
        """Return log10(max(power, log_floor)), same shape."""
        # TFLite has a natural logarithm only; the factor is one multiplication by a constant.
        return ops.multiply(ops.log(ops.maximum(power, self.log_floor)), float(1.0 / np.log(10.0)))

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "log_floor": self.log_floor}


@saved_by_name
class NaturalLog(keras.layers.Layer):
    """Compress magnitudes to the natural logarithm of what they and an offset add up to."""

    def __init__(self, offset: float = 1e-3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.offset = offset

    def call(self, magnitudes: Any) -> Any:
        """Return ln(magnitudes + offset), same shape."""
        return ops.log(ops.add(magnitudes, self.offset))

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "offset": self.offset}


@saved_by_name
class PowerAsAmplitudeDecibels(keras.layers.Layer):
    """Return 20 log10 of powers, cut off a number of decibels below the highest value of each window.

    Parameters
    ----------
    floor : float
        Smallest power that enters the logarithm.
    range_db : float
        How far below the highest value of the window the lowest lies.

    Notes
    -----
    `librosa.amplitude_to_db(power, ref=1.0, amin=floor, top_db=range_db)`: the decibels of a power would be half of it.
    """

    def __init__(self, floor: float = 1e-5, range_db: float = 80.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.floor, self.range_db = floor, range_db

    def call(self, power: Any) -> Any:
        """Return the decibels of powers (batch, n_values), same shape."""
        # TFLite has a natural logarithm only; the factor is one multiplication by a constant.
        decibels = ops.multiply(ops.log(ops.maximum(power, self.floor)), float(20.0 / np.log(10.0)))
        return ops.maximum(decibels, ops.subtract(ops.max(decibels, axis=1, keepdims=True), self.range_db))

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "floor": self.floor, "range_db": self.range_db}


@saved_by_name
class EvenLevel(keras.layers.Layer):
    """Divide each window by its own RMS level, so that distance and gain fill the same number range.

    A window of level `target` stays as it is; one far below `floor` stays far below the others, so that near-digital
    silence is not blown up.

    Parameters
    ----------
    target, floor : float
        RMS values: of samples amplitudes, full scale 1; of a spectrogram laid out in a row, in its own unit.
    """

    def __init__(self, target: float = 0.1, floor: float = 3e-4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target, self.floor = target, floor

    def call(self, waveform: Any) -> Any:
        """Return the waveform at its new level, same shape."""
        level = ops.sqrt(_mean(ops.multiply(waveform, waveform)))
        return ops.multiply(waveform, ops.divide(self.target, ops.add(level, self.floor)))

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "target": self.target, "floor": self.floor}


@saved_by_name
class WindowStandardization(keras.layers.Layer):
    """Take each window's own mean off its values and divide them by their own standard deviation.

    Nothing is taken from other windows of the batch: a window's scores are the same alone and in company.

    Parameters
    ----------
    floor : float
        Added to the standard deviation, in the values' unit: a window without any contrast becomes zeros.
    """

    def __init__(self, floor: float = 1e-3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.floor = floor

    def call(self, values: Any) -> Any:
        """Return the values (batch, n_values) with mean 0 and standard deviation 1, same shape."""
        centred = ops.subtract(values, _mean(values))
        deviation = ops.sqrt(_mean(ops.multiply(centred, centred)))
        return ops.multiply(centred, ops.divide(1.0, ops.add(deviation, self.floor)))

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "floor": self.floor}


def _mean(values: Any) -> Any:
    """Return the mean of each row of (batch, n_values), (batch, 1), taken over blocks and then over their means.

    The kernels of older runtimes add up one value after the other in float32. Over 32,000 samples that rounds
    enough to move scores by 1e-5; over blocks it does not.
    """
    num_values = values.shape[1]
    num_blocks = max(count for count in range(1, math.isqrt(num_values) + 1) if num_values % count == 0)
    blocks = ops.reshape(values, (-1, num_blocks, num_values // num_blocks))
    return ops.mean(ops.mean(blocks, axis=2), axis=1, keepdims=True)


def mel_layer(front_end: MelFrontEnd, sample_rate: int, name: str = "mel_spectrogram") -> MelSpectrogram:
    """Return the layer that computes this front end (without its logarithm)."""
    settings = {
        key: getattr(front_end, key)
        for key in (
            "n_fft",
            "hop_length",
            "win_length",
            "power",
            "pad_mode",
            "n_mels",
            "fmin",
            "fmax",
            "mel_scale",
            "mel_norm",
        )
    }
    return MelSpectrogram(sample_rate=sample_rate, name=name, **settings)

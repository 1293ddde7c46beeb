"""The 1-D CNN on raw samples, after Abdoli, Cardinal and Koerich 2019 (arXiv 1904.08990).

`android` is the form that a published Android app carries, `level` the same with the window's level evened out
before the first layer: so a whisper across the room and a shout at the microphone use the same 8 bits. The others are
the six input lengths of the paper's table 1. Parameter counts and layer widths are those of the publication; the
tests hold them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from metadata import WaveformFrontEnd
from train.layers.gammatone import gammatone_filters
from train.models.small_data import NORM_MOMENTUM, SETTINGS
from train.settings import TrainingSettings
from train.tasks.task import OneLabel, Task

NAME = "waveform_cnn"
DEFAULT_VARIANT = "level"
SAMPLE_RATE = 16_000  # Hz


@dataclass(frozen=True, kw_only=True)
class WaveformStack:
    """Layer sizes of one variant: tuples run over the convolutions."""

    window_length: int  # samples
    filters: tuple[int, ...]
    kernels: tuple[int, ...]  # taps
    strides: tuple[int, ...]  # samples
    pools: tuple[int, ...]  # size and stride after each convolution, 1 for none
    dense: tuple[int, ...]
    dropout: float = 0.0
    relu_after_pool: bool = False
    even_level: bool = False  # divide each window by its own level first (no parameters)
    gammatone: bool = False  # first convolution starts as a gammatone filter bank and stays so


_FIVE: dict[str, Any] = {
    "filters": (16, 32, 64, 128, 256),
    "kernels": (64, 32, 16, 8, 4),
    "strides": (2, 2, 2, 2, 2),
    "pools": (8, 8, 1, 1, 4),
}
_FOUR: dict[str, Any] = {
    "filters": (16, 32, 64, 128),
    "kernels": (64, 32, 16, 8),
    "strides": (2, 2, 2, 2),
    "pools": (8, 8, 1, 1),
}
_PAPER_HEAD: dict[str, Any] = {"dense": (128, 64), "dropout": 0.25}

VARIANTS: dict[str, WaveformStack] = {
    "level": WaveformStack(window_length=32_000, **_FIVE, dense=(64,), relu_after_pool=True, even_level=True),
    "android": WaveformStack(window_length=32_000, **_FIVE, dense=(64,), relu_after_pool=True),
    "abdoli_50999": WaveformStack(window_length=50_999, **_FIVE, **_PAPER_HEAD),
    "abdoli_32000": WaveformStack(window_length=32_000, **_FIVE, **_PAPER_HEAD),
    "abdoli_16000": WaveformStack(window_length=16_000, **_FOUR, **_PAPER_HEAD),
    "abdoli_16000_gammatone": WaveformStack(
        window_length=16_000,
        filters=(64, 32, 64, 128),
        kernels=(512, 32, 16, 8),
        strides=(1, 2, 2, 2),
        pools=(8, 8, 1, 1),
        gammatone=True,
        **_PAPER_HEAD,
    ),
    "abdoli_8000": WaveformStack(
        window_length=8_000,
        filters=(16, 32, 64),
        kernels=(64, 32, 16),
        strides=(2, 2, 2),
        pools=(8, 8, 1),
        **_PAPER_HEAD,
    ),
    "abdoli_1600": WaveformStack(
        window_length=1_600,
        filters=(16, 32, 64),
        kernels=(32, 16, 8),
        strides=(2, 2, 2),
        pools=(2, 2, 1),
        **_PAPER_HEAD,
    ),
}

PUBLISHED = TrainingSettings(
    loss="mean_squared_logarithmic_error", optimizer="adadelta", learning_rate=1.0, batch_size=100, epochs=100
)
DEFAULT = SETTINGS


def task(variant: str) -> Task:
    """Return what the model is trained to tell."""
    return OneLabel()


def sample_rate(variant: str) -> int:
    """Return the Hz of the input."""
    return SAMPLE_RATE


def window_length(variant: str) -> int:
    """Return the samples in one input of this variant."""
    return VARIANTS[variant].window_length


def front_end(variant: str) -> WaveformFrontEnd:
    """Return the front end of this variant: none, the network takes samples."""
    return WaveformFrontEnd()


def build(num_labels: int, variant: str = DEFAULT_VARIANT, keras: Any = None) -> Any:
    """Build the untrained network: input (batch, window_length) in [-1, 1], output softmax (batch, num_labels).

    Parameters
    ----------
    num_labels : int
        Width of the output.
    variant : str
        A key of `VARIANTS`.
    keras : module, optional
        Namespace to build with: Keras 3 (the default) or tf_keras, which has no `keras.ops` layers: there the input
        of the variant `level` is the window at its even level.
    """
    if keras is None:
        import keras as keras_3

        keras = keras_3
    layers, stack = keras.layers, VARIANTS[variant]
    audio = layers.Input((stack.window_length,), name="audio")
    samples = audio
    if stack.even_level and keras.__name__ == "keras":
        from train.layers.mel_layers import EvenLevel

        samples = EvenLevel(name="even_level")(audio)
    x = layers.Reshape((stack.window_length, 1), name="samples")(samples)
    sizes = zip(stack.filters, stack.kernels, stack.strides, stack.pools, strict=True)
    for number, (filters, kernel, stride, pool) in enumerate(sizes, start=1):
        frozen = stack.gammatone and number == 1
        x = layers.Conv1D(
            filters, kernel, strides=stride, activation="relu", trainable=not frozen, name=f"conv_{number}"
        )(x)
        x = layers.BatchNormalization(momentum=NORM_MOMENTUM, name=f"norm_{number}")(x)  # after the ReLU, as published
        if pool > 1:
            x = layers.MaxPooling1D(pool, name=f"pool_{number}")(x)
            if stack.relu_after_pool:
                x = layers.ReLU(name=f"pool_relu_{number}")(x)
    x = layers.Flatten(name="flat")(x)
    for number, units in enumerate(stack.dense, start=1):
        x = layers.Dense(units, activation="relu", name=f"dense_{number}")(x)
        if stack.dropout:
            x = layers.Dropout(stack.dropout, name=f"dropout_{number}")(x)
    scores = layers.Dense(num_labels, activation="softmax", name="scores")(x)
    model = keras.Model(audio, scores, name=NAME)
    if stack.gammatone:
        first = gammatone_filters(stack.filters[0], stack.kernels[0], SAMPLE_RATE)
        _, bias = model.get_layer("conv_1").get_weights()
        model.get_layer("conv_1").set_weights([first.T[:, None, :], bias])
    return model

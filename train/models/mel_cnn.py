"""The 2-D CNN on mel spectrograms, after Mushtaq, Su and Tran 2021 as a published Android app uses it.

`power` is the published stack on raw power mel. `log` is the same stack on log mel, standardised per mel band and
with batch normalization before each ReLU: it trains on quiet and loud recordings alike and survives 8 bits.
Axis order: (batch, n_mels, n_frames, 1).
"""

from __future__ import annotations

from typing import Any

from metadata import MelFrontEnd
from train.models.small_data import NORM_MOMENTUM, SETTINGS
from train.settings import TrainingSettings
from train.tasks.task import OneLabel, Task

NAME = "mel_cnn"
DEFAULT_VARIANT = "log"
SAMPLE_RATE = 16_000  # Hz
WINDOW_LENGTH = 32_000  # samples
VARIANTS = ("log", "power")
FILTERS = (24, 48, 48, 60, 72)
KERNELS = (6, 5, 5, 4, 4)
POOLED = (True, True, False, False, False)  # 4 x 2, stride 2
DENSE = 84
DROPOUT = 0.5

PUBLISHED = TrainingSettings(optimizer="adam", learning_rate=1e-3, batch_size=64, epochs=50)
DEFAULT = SETTINGS


def task(variant: str) -> Task:
    """Return what the model is trained to tell."""
    return OneLabel()


def sample_rate(variant: str) -> int:
    """Return the Hz of the input."""
    return SAMPLE_RATE


def window_length(variant: str) -> int:
    """Return the samples in one input: 2 s at 16 kHz."""
    return WINDOW_LENGTH


def front_end(variant: str) -> MelFrontEnd:
    """Return the mel settings of JLibrosa and librosa 0.8.1: 128 x 63 for 32,000 samples."""
    return MelFrontEnd(log="log10" if variant == "log" else "none")


def build(num_labels: int, variant: str = DEFAULT_VARIANT, keras: Any = None) -> Any:
    """Build the untrained network: input (batch, 32000) in [-1, 1], output softmax (batch, num_labels).

    Parameters
    ----------
    num_labels : int
        Width of the output.
    variant : str
        One of `VARIANTS`.
    keras : module, optional
        Namespace to build with. With tf_keras, which has no `keras.ops` layers, the front end is left out and the
        input is the mel spectrogram, (batch, 128, 63, 1): power, or for the variant `log` its logarithm.
    """
    if keras is None:
        import keras as keras_3

        keras = keras_3
    layers = keras.layers
    settings = front_end(variant)
    num_frames = 1 + WINDOW_LENGTH // settings.hop_length
    if keras.__name__ == "keras":
        from train.layers.mel_layers import LogCompression, mel_layer

        inputs = layers.Input((WINDOW_LENGTH,), name="audio")
        mel = mel_layer(settings, SAMPLE_RATE)(inputs)
        x = layers.Reshape((settings.n_mels, num_frames, 1), name="mel")(mel)
        if variant == "log":
            x = LogCompression(settings.log_floor, name="log_compression")(x)
    else:
        inputs = x = layers.Input((settings.n_mels, num_frames, 1), name="mel")
    if variant == "log":
        x = layers.BatchNormalization(axis=1, momentum=NORM_MOMENTUM, name="band_norm")(x)
    for number, (filters, kernel, pooled) in enumerate(zip(FILTERS, KERNELS, POOLED, strict=True), start=1):
        x = _convolution(layers, x, filters, kernel, number, normalize=variant == "log")
        if pooled:
            x = layers.MaxPooling2D((4, 2), strides=2, name=f"pool_{number}")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(DENSE, activation="relu", name="dense_1")(x)
    x = layers.Dropout(DROPOUT, name="dropout_1")(x)
    scores = layers.Dense(num_labels, activation="softmax", name="scores")(x)
    return keras.Model(inputs, scores, name=NAME)


def _convolution(layers: Any, x: Any, filters: int, kernel: int, number: int, normalize: bool) -> Any:
    """One convolution with its ReLU, normalized before it where asked (that folds into the weights on export)."""
    if not normalize:
        return layers.Conv2D(filters, kernel, activation="relu", name=f"conv_{number}")(x)
    x = layers.Conv2D(filters, kernel, use_bias=False, name=f"conv_{number}")(x)
    x = layers.BatchNormalization(momentum=NORM_MOMENTUM, name=f"norm_{number}")(x)
    return layers.ReLU(name=f"relu_{number}")(x)

"""The classifier of mixed sounds, as published with ISOCC 2021 for ESC-10: the labels of five seconds, one or two.

`mixed` hears single sounds and mixtures of two and puts out a score for every label. `single` and `pair` are the same
network for windows that are known to hold one sound or two: the audio source counter chooses between them.

Rebuilt as published: four 5 x 5 convolutions of 16, 32, 64 and 64 filters without padding, each with ReLU, batch
normalization (before the pool in the first block, after it in the others), pool 2 x 2 and dropout 0.2; dense 1024 and
512 with dropout 0.5; on 177 x 120 points of a mel spectrogram. Mended: the published input is a picture of the
spectrogram in a colour map of three channels, its decibels counted from the loudest point of the whole file, its mel
bands computed for half the true sample rate; here the network hears samples, its level evened out, and the mel
spectrogram, 177 bands and 120 frames, is a layer inside. One channel instead of three leaves 800 weights fewer.
Axis order: (batch, n_mels, n_frames, 1).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from metadata import MelFrontEnd
from train.models.small_data import MIXED_SETTINGS, NORM_MOMENTUM
from train.settings import TrainingSettings
from train.tasks.task import LabelSet, OneLabel, Task

NAME = "isocc"
DEFAULT_VARIANT = "mixed"
SAMPLE_RATE = 16_000  # Hz
WINDOW_LENGTH = 80_000  # samples
HOP_LENGTH = 672  # samples: 120 frames in a window, as many as the published picture has columns
NUM_MELS = 177  # as many as it has rows
TASKS: dict[str, Task] = {"mixed": LabelSet((1, 2)), "single": OneLabel(), "pair": LabelSet((2,))}
VARIANTS = tuple(TASKS)
FILTERS = (16, 32, 64, 64)
KERNEL = 5
DENSE = (1024, 512)
CONV_DROPOUT, DENSE_DROPOUT = 0.2, 0.5
# Mel powers of a window come to an RMS of 1; 1e-5 is that of noise with an RMS amplitude of 3e-4.
LEVEL_TARGET, LEVEL_FLOOR = 1.0, 1e-5

PUBLISHED = TrainingSettings(
    loss="binary_crossentropy", optimizer="adam", learning_rate=1e-3, batch_size=32, epochs=60, stop_exact_match=0.85
)
# The validation loss of ESC-10 is lowest in the 51st epoch, while the exact match of validation mixtures rises to the
# end: 39 % after 30 epochs, 48 % after 60, 50 % after 80 (docs/results.md). So patience never ends it.
DEFAULT = replace(
    MIXED_SETTINGS,
    loss="binary_crossentropy",
    label_smoothing=0.0,
    epochs=80,
    patience=80,
    stop_exact_match=0.85,
)
VARIANT_SETTINGS = {
    "single": {"loss": "categorical_crossentropy", "stop_exact_match": 0.0},
}


def task(variant: str) -> Task:
    """Return what a variant is trained to tell."""
    return TASKS[variant]


def sample_rate(variant: str) -> int:
    """Return the Hz of the input."""
    return SAMPLE_RATE


def window_length(variant: str) -> int:
    """Return the samples in one input: 5 s at 16 kHz."""
    return WINDOW_LENGTH


def front_end(variant: str) -> MelFrontEnd:
    """Return the mel settings: 177 x 120 for 80,000 samples, the floor 60 dB below the window's level."""
    return MelFrontEnd(n_fft=2048, hop_length=HOP_LENGTH, n_mels=NUM_MELS, log="log10", log_floor=1e-6)


def build(num_labels: int, variant: str = DEFAULT_VARIANT, keras: Any = None) -> Any:
    """Build the untrained network: input (batch, 80000) in [-1, 1], output (batch, num_labels).

    Parameters
    ----------
    num_labels : int
        Width of the output: sigmoid, for the variant `single` softmax.
    variant : str
        One of `VARIANTS`.
    keras : module, optional
        Namespace to build with. With tf_keras, which has no `keras.ops` layers, the front end is left out and the
        input is the logarithm of the mel spectrogram, (batch, 177, 120, 1).
    """
    if keras is None:
        import keras as keras_3

        keras = keras_3
    layers = keras.layers
    settings = front_end(variant)
    shape = (NUM_MELS, 1 + WINDOW_LENGTH // HOP_LENGTH, 1)
    if keras.__name__ == "keras":
        inputs = layers.Input((WINDOW_LENGTH,), name="audio")
        x = _log_mel(inputs, settings, shape)
    else:
        inputs = x = layers.Input(shape, name="mel")
    x = layers.BatchNormalization(axis=1, momentum=NORM_MOMENTUM, name="band_norm")(x)
    for number, filters in enumerate(FILTERS, start=1):
        x = _block(layers, x, filters, number)
    x = layers.Flatten(name="flat")(x)
    for number, units in enumerate(DENSE, start=1):
        x = layers.Dense(units, activation="relu", name=f"dense_{number}")(x)
        x = layers.Dropout(DENSE_DROPOUT, name=f"dense_dropout_{number}")(x)
    scores = layers.Dense(num_labels, activation=task(variant).activation, name="scores")(x)
    return keras.Model(inputs, scores, name=NAME)


def _log_mel(audio: Any, settings: MelFrontEnd, shape: tuple[int, ...]) -> Any:
    """Return the log mel spectrogram, (batch, n_mels, n_frames, 1), its level evened out.

    The level step stands behind the mel filters: so the form of the model that is fed with mel has it too.
    """
    from keras import layers

    from train.layers.mel_layers import EvenLevel, LogCompression, mel_layer

    x = mel_layer(settings, SAMPLE_RATE)(audio)
    x = layers.Reshape((math.prod(shape),), name="values")(x)
    x = EvenLevel(LEVEL_TARGET, LEVEL_FLOOR, name="even_level")(x)
    x = LogCompression(settings.log_floor, name="log_compression")(x)
    return layers.Reshape(shape, name="mel")(x)


def _block(layers: Any, x: Any, filters: int, number: int) -> Any:
    """One convolution with its pool; the first one normalizes before it pools, the others after."""
    x = layers.Conv2D(filters, KERNEL, activation="relu", name=f"conv_{number}")(x)
    norm = layers.BatchNormalization(momentum=NORM_MOMENTUM, name=f"norm_{number}")
    pool = layers.MaxPooling2D(2, name=f"pool_{number}")
    x = pool(norm(x)) if number == 1 else norm(pool(x))
    return layers.Dropout(CONV_DROPOUT, name=f"dropout_{number}")(x)

"""Time stamps of music, noise and speech: the label of one second.

`published` is the network of a public repository, after Jang et al. 2019 (EURASIP JASMP): three 3 x 3 convolutions of
32, 64 and 128 filters with a 2 x 2 pool each, dropout 0.4, dense 2048 and 1024, on a log mel of 64 bands and 101
frames. Its logarithm is that of `librosa.amplitude_to_db` of powers: a factor of 10 counts 20 dB. That is kept.
Mended: its fragments of one recording lay on both sides of the split, and its rate was taken for 16 kHz unseen.

`small` hears the same mel at an even level, standardised by band, with batch normalization before each ReLU. The last
convolution is averaged over time, so dense layers see bands and no frames: a 160th of the weights.
`overlapping` is the same network with a score for each label of its own, for seconds in which speech stands on music.
Axis order: (batch, n_mels, n_frames, 1).
"""

from __future__ import annotations

import math
from typing import Any

from metadata import MelFrontEnd
from train.models.small_data import MIXED_SETTINGS, NORM_MOMENTUM, SETTINGS
from train.settings import TrainingSettings
from train.tasks.task import LabelSet, OneLabel, Task

NAME = "timeline"
DEFAULT_VARIANT = "small"
SAMPLE_RATE = 16_000  # Hz
WINDOW_LENGTH = 16_000  # samples
# Parts of a mixture are up to 20 dB apart: music is quiet under speech, and noise under both.
TASKS: dict[str, Task] = {
    "small": OneLabel(),
    "published": OneLabel(),
    "overlapping": LabelSet((1, 2), part_gain_range_db=(-10.0, 10.0)),
}
VARIANTS = tuple(TASKS)
HOP_LENGTH, NUM_MELS = 160, 64  # samples, bands
SHAPE = (NUM_MELS, 1 + WINDOW_LENGTH // HOP_LENGTH, 1)

FILTERS = (24, 48, 64, 96)
POOLS = ((2, 2), (2, 2), (2, 2), (1, 12))  # bands, frames; the last one averages
KERNEL = 3
DENSE, DROPOUT = 96, 0.3
# Mel powers of a window come to an RMS of 1; 5e-7 is that of noise with an RMS amplitude of 3e-4.
LEVEL_TARGET, LEVEL_FLOOR = 1.0, 5e-7
LOG_FLOOR = 1e-6  # 60 dB below the window's level

PUBLISHED_FILTERS, PUBLISHED_DENSE, PUBLISHED_DROPOUT = (32, 64, 128), (2048, 1024), 0.4
PUBLISHED_FLOOR, PUBLISHED_RANGE_DB = 1e-5, 80.0

PUBLISHED = TrainingSettings(optimizer="adam", learning_rate=1e-3, batch_size=20, epochs=10)
# No background: with noise under half of the music and speech, 83.7 % of 209 validation seconds were right, and without
# it 86.1 %. Of the noise alone that was 72 and 76 %: labels that hold noise take more of it.
DEFAULT = SETTINGS
_OVERLAPPING = {
    "loss": "binary_crossentropy",
    "label_smoothing": 0.0,
    "epoch_windows": MIXED_SETTINGS.epoch_windows,
}
VARIANT_SETTINGS = {"overlapping": _OVERLAPPING}


def task(variant: str) -> Task:
    """Return what a variant is trained to tell."""
    return TASKS[variant]


def sample_rate(variant: str) -> int:
    """Return the Hz of the input."""
    return SAMPLE_RATE


def window_length(variant: str) -> int:
    """Return the samples in one input: 1 s at 16 kHz."""
    return WINDOW_LENGTH


def front_end(variant: str) -> MelFrontEnd:
    """Return the mel settings: 64 x 101 for 16,000 samples; the published logarithm is a layer of its network."""
    log: dict[str, Any] = {} if variant == "published" else {"log": "log10", "log_floor": LOG_FLOOR}
    return MelFrontEnd(n_fft=512, hop_length=HOP_LENGTH, win_length=400, n_mels=NUM_MELS, **log)


def build(num_labels: int, variant: str = DEFAULT_VARIANT, keras: Any = None) -> Any:
    """Build the untrained network: input (batch, 16000) in [-1, 1], output (batch, num_labels).

    Parameters
    ----------
    num_labels : int
        Width of the output: softmax, for the variant `overlapping` sigmoid.
    variant : str
        One of `VARIANTS`.
    keras : module, optional
        Namespace to build with. With tf_keras, which has no `keras.ops` layers, the front end is left out and the
        input is the logarithm of the mel spectrogram, (batch, 64, 101, 1).
    """
    if keras is None:
        import keras as keras_3

        keras = keras_3
    layers = keras.layers
    if keras.__name__ == "keras":
        inputs = layers.Input((WINDOW_LENGTH,), name="audio")
        x = _log_mel(inputs, variant)
    else:
        inputs = x = layers.Input(SHAPE, name="mel")
    x = _published_body(layers, x) if variant == "published" else _small_body(layers, x)
    scores = layers.Dense(num_labels, activation=task(variant).activation, name="scores")(x)
    return keras.Model(inputs, scores, name=NAME)


def _log_mel(audio: Any, variant: str) -> Any:
    """Return the log mel spectrogram, (batch, n_mels, n_frames, 1).

    The level is evened out behind the mel filters: so the form of the model that is fed with mel does that too.
    """
    from keras import layers

    from train.layers.mel_layers import EvenLevel, LogCompression, PowerAsAmplitudeDecibels, mel_layer

    x = mel_layer(front_end(variant), SAMPLE_RATE)(audio)
    x = layers.Reshape((math.prod(SHAPE),), name="values")(x)
    if variant == "published":
        x = PowerAsAmplitudeDecibels(PUBLISHED_FLOOR, PUBLISHED_RANGE_DB, name="decibels")(x)
    else:
        x = EvenLevel(LEVEL_TARGET, LEVEL_FLOOR, name="even_level")(x)
        x = LogCompression(LOG_FLOOR, name="log_compression")(x)
    return layers.Reshape(SHAPE, name="mel")(x)


def _published_body(layers: Any, x: Any) -> Any:
    """The published convolutions and dense layers."""
    for number, filters in enumerate(PUBLISHED_FILTERS, start=1):
        x = layers.Conv2D(filters, KERNEL, padding="same", activation="relu", name=f"conv_{number}")(x)
        x = layers.MaxPooling2D(2, name=f"pool_{number}")(x)
    x = layers.Dropout(PUBLISHED_DROPOUT, name="dropout_1")(x)
    x = layers.Flatten(name="flat")(x)
    for number, units in enumerate(PUBLISHED_DENSE, start=1):
        x = layers.Dense(units, activation="relu", name=f"dense_{number}")(x)
    return x


def _small_body(layers: Any, x: Any) -> Any:
    """Convolutions normalized before their ReLU (that folds into the weights on export), averaged over time."""
    x = layers.BatchNormalization(axis=1, momentum=NORM_MOMENTUM, name="band_norm")(x)
    for number, (filters, pool) in enumerate(zip(FILTERS, POOLS, strict=True), start=1):
        x = layers.Conv2D(filters, KERNEL, padding="same", use_bias=False, name=f"conv_{number}")(x)
        x = layers.BatchNormalization(momentum=NORM_MOMENTUM, name=f"norm_{number}")(x)
        x = layers.ReLU(name=f"relu_{number}")(x)
        kind = layers.AveragePooling2D if number == len(FILTERS) else layers.MaxPooling2D
        x = kind(pool, name=f"pool_{number}")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dropout(DROPOUT, name="dropout_1")(x)
    x = layers.Dense(DENSE, activation="relu", name="dense_1")(x)
    return layers.Dropout(DROPOUT, name="dropout_2")(x)

"""A small CNN for mixed sounds: what is heard in five seconds, one sound or two, learned from few recordings.

Not published: the published network for this (`isocc`) lays the whole spectrogram before dense layers, and can learn
the recordings of a small data set by heart. Here 3 x 3 convolutions look at 3.4 s at a time, the same wherever a sound
is. Every 0.32 s they score each label; the scores of the window are pooled from these, and while the network trains, it
is told when each label sounds (`train.activity`).
Axis order from `rows` on: (batch, time, mel, channels).
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

from metadata import MelFrontEnd
from train.activity import ActivitySteps
from train.models.standardized_mel import FRONT_END, HOP_LENGTH, WINDOW_LENGTH, input_and_rows
from train.models.standardized_mel import SAMPLE_RATE as SAMPLE_RATE
from train.settings import TrainingSettings
from train.task import LabelSet, Task

NAME = "mixed_cnn"
DEFAULT_VARIANT = "labels"
NORM_MOMENTUM = 0.9  # the usual 0.99 still remembers its start after the few hundred steps of a small data set
TASKS: dict[str, Task] = {"labels": LabelSet((1, 2))}
VARIANTS = tuple(TASKS)

FILTERS = (16, 32, 64, 128)  # each twice
POOLS = ((2, 2), (2, 2), (2, 2), (1, 2))  # frames, mel bands
KERNEL = 3
STEP_KERNEL = 3  # steps that the last convolution sees
LOGITS_LAYER = "step_logits"
CONV_DROPOUT, STEP_DROPOUT = 0.2, 0.3

DEFAULT = TrainingSettings(
    loss="binary_crossentropy",
    optimizer="adam",
    learning_rate=1e-3,
    cosine_decay=True,
    weight_decay=0.01,
    batch_size=32,
    epochs=40,
    patience=40,
    augment=True,
    epoch_windows=3200,
    normalization="both",
    activity_weight=1.0,
)
PUBLISHED = None


def task(variant: str) -> Task:
    """Return what a variant is trained to tell."""
    return TASKS[variant]


def window_length(variant: str) -> int:
    """Return the samples in one input: 5 s at 16 kHz."""
    return WINDOW_LENGTH


def front_end(variant: str) -> MelFrontEnd:
    """Return the mel settings: 80 HTK bands of magnitudes, 126 frames for 5 s."""
    return FRONT_END


def build(num_labels: int, variant: str = DEFAULT_VARIANT, keras: ModuleType | None = None) -> Any:
    """Build the untrained network: input (batch, 80000) in [-1, 1], output (batch, num_labels).

    Parameters
    ----------
    num_labels : int
        Width of the output, sigmoid.
    variant : str
        One of `VARIANTS`.
    keras : module, optional
        Namespace to build with. With tf_keras the input is the standardized log mel, (batch, 126, 80, 1).
    """
    if keras is None:
        import keras
    layers = keras.layers
    inputs, x = input_and_rows(keras)
    for number, (filters, pool) in enumerate(zip(FILTERS, POOLS, strict=True), start=1):
        for half in "ab":
            x = layers.Conv2D(filters, KERNEL, padding="same", use_bias=False, name=f"conv_{number}{half}")(x)
            x = layers.BatchNormalization(momentum=NORM_MOMENTUM, name=f"norm_{number}{half}")(x)
            x = layers.ReLU(name=f"relu_{number}{half}")(x)
        x = layers.AveragePooling2D(pool, name=f"pool_{number}")(x)
        x = layers.Dropout(CONV_DROPOUT, name=f"dropout_{number}")(x)
    bands = (1, x.shape[2])
    strongest = layers.MaxPooling2D(bands, name="strongest_band")(x)
    x = layers.Add(name="bands_in_one")([strongest, layers.AveragePooling2D(bands, name="mean_band")(x)])
    x = layers.Dropout(STEP_DROPOUT, name="step_dropout")(x)
    x = layers.Conv2D(FILTERS[-1], (STEP_KERNEL, 1), padding="same", activation="relu", name="conv_5")(x)
    steps = layers.Reshape((x.shape[1], FILTERS[-1]), name="steps")(x)
    logits = layers.Dense(num_labels, name=LOGITS_LAYER)(steps)
    scores = layers.Activation(task(variant).activation, name="scores")(_pooled(layers, logits))
    return keras.Model(inputs, scores, name=NAME)


def activity(model: Any) -> tuple[Any, ActivitySteps]:
    """Return the scores of each label in each step of a built model, and the stretches that the steps stand for.

    Returns
    -------
    keras.KerasTensor
        (batch, 15, num_labels) in [0, 1]; what the model's own scores are pooled from.
    ActivitySteps
    """
    from keras import layers

    logits = model.get_layer(LOGITS_LAYER).output
    length = math.prod(frames for frames, _ in POOLS) * HOP_LENGTH
    steps = ActivitySteps(num_steps=logits.shape[1], first=-HOP_LENGTH // 2, hop=length, length=length)
    return layers.Activation("sigmoid", name="activity")(logits), steps


def _pooled(layers: Any, logits: Any) -> Any:
    """Return logits for the window, (batch, num_labels): a mean over the steps, most of those that hear a label best.

    The weights are the softmax of the logits over time, as in McFee, Salamon and Bello 2018 (arXiv 1804.10070) at
    alpha 1: between the mean, which a short sound would be lost in, and the maximum, which learns from one step only.
    """
    num_steps = logits.shape[1]
    logits = layers.Permute((2, 1), name="label_steps")(logits)
    weights = layers.Softmax(name="step_weights")(logits)
    weighed = layers.Multiply(name="weighed_steps")([weights, logits])
    mean = layers.GlobalAveragePooling1D(data_format="channels_first", name="mean_step")(weighed)
    return layers.Rescaling(float(num_steps), name="pooled")(mean)

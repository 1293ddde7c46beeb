"""A small CNN for mixed sounds: what is heard in five seconds, or how many sounds, from few recordings.

Not published: the two published networks (`isocc`, `source_counter`) lay the whole spectrogram before dense layers, or
run along it, and so learn the recordings of a small data set by heart. Here 3 x 3 convolutions look at 3.4 s at a time,
the same wherever a sound is. Every 0.32 s they score each label; the scores of the window are pooled from these, and
while the network trains, it is told when each label sounds (`train.activity`).
Axis order from `rows` on: (batch, time, mel, channels).
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

from metadata import MelFrontEnd
from train.activity import ActivitySteps
from train.models.standardized_mel import FRONT_END, HOP_LENGTH, WINDOW_LENGTH, input_and_rows
from train.settings import TrainingSettings
from train.task import LabelSet, SourceCount, Task

NAME = "mixed_cnn"
DEFAULT_VARIANT = "labels"
SAMPLE_RATE = 16_000  # Hz
NORM_MOMENTUM = 0.9  # the usual 0.99 still remembers its start after the few hundred steps of a small data set
TASKS: dict[str, Task] = {"labels": LabelSet((1, 2)), "two": SourceCount(2), "three": SourceCount(3)}
VARIANTS = tuple(TASKS)

FILTERS = (16, 32, 64, 128)  # each twice
POOLS = ((2, 2), (2, 2), (2, 2), (1, 2))  # frames, mel bands
KERNEL = 3
STEP_KERNEL = 3  # steps that the last convolution sees
STEPS_LAYER, LOGITS_LAYER = "steps", "step_logits"
COUNT_DENSE = 64
CONV_DROPOUT, STEP_DROPOUT, HEAD_DROPOUT = 0.2, 0.3, 0.4

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
_COUNT = {"loss": "categorical_crossentropy", "label_smoothing": 0.05}
VARIANT_SETTINGS = {"two": _COUNT, "three": _COUNT}


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
        Width of the output: sigmoid, for the variants that count softmax.
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
    steps = layers.Reshape((x.shape[1], FILTERS[-1]), name=STEPS_LAYER)(x)
    head = _counted if isinstance(task(variant), SourceCount) else _pooled
    scores = head(layers, steps, num_labels)
    return keras.Model(inputs, scores, name=NAME)


def activity(model: Any, num_labels: int) -> tuple[Any, ActivitySteps]:
    """Return the scores of each label in each step of a built model, and the stretches that the steps stand for.

    Returns
    -------
    keras.KerasTensor
        (batch, 15, num_labels) in [0, 1]. Of a model that tells labels they are what its own scores are pooled from.
    ActivitySteps
    """
    from keras import layers

    names = {layer.name for layer in model.layers}
    steps = model.get_layer(STEPS_LAYER).output
    logits = model.get_layer(LOGITS_LAYER).output if LOGITS_LAYER in names else _step_logits(layers, steps, num_labels)
    length = math.prod(frames for frames, _ in POOLS) * HOP_LENGTH
    stretches = ActivitySteps(num_steps=steps.shape[1], first=-HOP_LENGTH // 2, hop=length, length=length)
    return layers.Activation("sigmoid", name="activity")(logits), stretches


def _step_logits(layers: Any, steps: Any, num_labels: int) -> Any:
    """Return how each label is heard in each step, (batch, 15, num_labels)."""
    return layers.Dense(num_labels, name=LOGITS_LAYER)(steps)


def _pooled(layers: Any, steps: Any, num_labels: int) -> Any:
    """Return the scores of the labels: a mean over the steps in which those count most that hear the label best.

    The weights are the softmax of the logits over time, as in McFee, Salamon and Bello 2018 (arXiv 1804.10070) at
    alpha 1: between the mean, which a short sound would be lost in, and the maximum, which learns from one step only.
    """
    logits = layers.Permute((2, 1), name="label_steps")(_step_logits(layers, steps, num_labels))
    weights = layers.Softmax(name="step_weights")(logits)
    weighed = layers.Multiply(name="weighed_steps")([weights, logits])
    pooled = layers.GlobalAveragePooling1D(data_format="channels_first", name="mean_step")(weighed)
    pooled = layers.Rescaling(float(steps.shape[1]), name="pooled")(pooled)
    return layers.Activation("sigmoid", name="scores")(pooled)


def _counted(layers: Any, steps: Any, num_labels: int) -> Any:
    """Return the scores of the numbers."""
    strongest = layers.GlobalMaxPooling1D(name="strongest_step")(steps)
    x = layers.Concatenate(name="heard")([strongest, layers.GlobalAveragePooling1D(name="mean_step")(steps)])
    x = layers.Dropout(HEAD_DROPOUT, name="head_dropout")(x)
    x = layers.Dense(COUNT_DENSE, activation="relu", name="dense_1")(x)
    x = layers.Dropout(STEP_DROPOUT, name="dense_dropout")(x)
    return layers.Dense(num_labels, activation="softmax", name="scores")(x)

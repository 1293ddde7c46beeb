"""A small CNN for mixed sounds: the labels of five seconds, or how many sounds, learned from few recordings.

Not published: the published network for this (`isocc`) lays the whole spectrogram before dense layers, and can learn
the recordings of a small data set by heart. Here a first convolution reads frames of 10 ms and puts out a row every
40 ms; 3 x 3 convolutions of these look at 3.3 s at a time, the same wherever a sound is. Every 0.32 s they score each
label; the scores of the window are pooled from these, and while the network trains, it is told when each label sounds
(`train.batches.activity`). The variants that tell a number learn the labels beside it, and when they sound, with
layers that are taken away when the training ends (`train.tasks.auxiliary_outputs`).
Axis order from `rows` on: (batch, time, mel, channels).
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from metadata import MelFrontEnd
from train.batches.activity import ActivitySteps
from train.models.small_data import MIXED_SETTINGS, NORM_MOMENTUM
from train.models.standardized_mel import FRONT_END as COUNTER_FRONT_END
from train.models.standardized_mel import SAMPLE_RATE, WINDOW_LENGTH, input_and_rows
from train.tasks.auxiliary_outputs import AuxiliaryOutputs
from train.tasks.task import LabelSet, SourceCount, Task

NAME = "mixed_cnn"
DEFAULT_VARIANT = "labels"
TASKS: dict[str, Task] = {"labels": LabelSet((1, 2)), "two": SourceCount(2), "three": SourceCount(3)}
VARIANTS = tuple(TASKS)

# The published counter's front end with frames of 32 ms every 10 ms in place of 64 every 40: by validation loss the
# number and the labels are recognised better.
HOP_LENGTH = 160  # samples
FRONT_END = replace(COUNTER_FRONT_END, n_fft=512, win_length=512, hop_length=HOP_LENGTH, n_mels=64)
LEVEL_FLOOR = 0.01  # the RMS of mel magnitudes of noise with an RMS amplitude of 1.7e-4

FIRST_FILTERS, FIRST_KERNEL = 24, (9, 3)  # frames, mel bands: 112 ms of sound
FIRST_STRIDE = 4  # frames; what follows has the rows of a front end with a hop of 40 ms
FILTERS = (16, 32, 64, 128)
CONVS = (1, 2, 2, 2)  # of each; a second one at full resolution costs a quarter more time and hardly wins
POOLS = ((2, 2), (2, 2), (2, 2), (1, 2))  # frames, mel bands
KERNEL = 3
STEP_KERNEL = 3  # steps that the last convolution sees
STEPS_LAYER, LOGITS_LAYER = "steps", "step_logits"
NUMBER_UNITS = 64
CONV_DROPOUT, STEP_DROPOUT = 0.2, 0.3
NUMBER_DROPOUT = (0.4, 0.3)  # before and behind the units that tell the number

DEFAULT = replace(
    MIXED_SETTINGS,
    loss="binary_crossentropy",
    label_smoothing=0.0,
    batch_size=16,  # with 32, half as many steps, fewer validation mixtures were ranked right after 5, 10 and 15 epochs
    epochs=50,
    patience=50,
    activity_weight=1.0,
)
# The number counts half of what the labels and their times do, as it was tried.
NUMBER_SETTINGS = {
    "loss": "categorical_crossentropy",
    "label_smoothing": 0.05,
    "label_weight": 2.0,
    "activity_weight": 2.0,
}
VARIANT_SETTINGS = {"two": NUMBER_SETTINGS, "three": NUMBER_SETTINGS}
PUBLISHED = None


def task(variant: str) -> Task:
    """Return the task of a variant: which labels are present, or how many sources."""
    return TASKS[variant]


def sample_rate(variant: str) -> int:
    """Return the Hz of the input."""
    return SAMPLE_RATE


def window_length(variant: str) -> int:
    """Return the samples in one input: 5 s at 16 kHz."""
    return WINDOW_LENGTH


def front_end(variant: str) -> MelFrontEnd:
    """Return the mel settings: 64 HTK bands of magnitudes, 501 frames for 5 s."""
    return FRONT_END


def build(num_labels: int, variant: str = DEFAULT_VARIANT, keras: Any = None) -> Any:
    """Build the untrained network: input (batch, 80000) in [-1, 1], output (batch, num_labels).

    Parameters
    ----------
    num_labels : int
        Width of the output: sigmoid, for the variants that tell a number softmax.
    variant : str
        One of `VARIANTS`.
    keras : module, optional
        Namespace to build with. With tf_keras the input is the standardized log mel, (batch, 501, 64, 1).
    """
    if keras is None:
        import keras as keras_3

        keras = keras_3
    layers = keras.layers
    inputs, x = input_and_rows(keras, FRONT_END, LEVEL_FLOOR)
    stride = (FIRST_STRIDE, 1)
    x = layers.Conv2D(FIRST_FILTERS, FIRST_KERNEL, stride, padding="same", use_bias=False, name="conv_0")(x)
    x = layers.BatchNormalization(momentum=NORM_MOMENTUM, name="norm_0")(x)
    x = layers.ReLU(name="relu_0")(x)
    for number, (filters, convs, pool) in enumerate(zip(FILTERS, CONVS, POOLS, strict=True), start=1):
        for letter in "ab"[:convs]:
            x = layers.Conv2D(filters, KERNEL, padding="same", use_bias=False, name=f"conv_{number}{letter}")(x)
            x = layers.BatchNormalization(momentum=NORM_MOMENTUM, name=f"norm_{number}{letter}")(x)
            x = layers.ReLU(name=f"relu_{number}{letter}")(x)
        x = layers.AveragePooling2D(pool, name=f"pool_{number}")(x)
        x = layers.Dropout(CONV_DROPOUT, name=f"dropout_{number}")(x)
    bands = (1, x.shape[2])
    strongest = layers.MaxPooling2D(bands, name="strongest_band")(x)
    x = layers.Add(name="bands_in_one")([strongest, layers.AveragePooling2D(bands, name="mean_band")(x)])
    x = layers.Dropout(STEP_DROPOUT, name="step_dropout")(x)
    x = layers.Conv2D(FILTERS[-1], (STEP_KERNEL, 1), padding="same", activation="relu", name="conv_5")(x)
    steps = layers.Reshape((x.shape[1], FILTERS[-1]), name=STEPS_LAYER)(x)
    activation = task(variant).activation
    if isinstance(task(variant), LabelSet):
        logits = layers.Dense(num_labels, name=LOGITS_LAYER)(steps)
        scores = layers.Activation(activation, name="scores")(pooled_logits(layers, logits))
    else:
        scores = layers.Dense(num_labels, activation=activation, name="scores")(_number_units(layers, steps))
    return keras.Model(inputs, scores, name=NAME)


def auxiliary(model: Any, num_labels: int) -> AuxiliaryOutputs:
    """Return what a built model can learn beside its scores, labels by number and time.

    Parameters
    ----------
    model : keras.Model
        Of any variant. Where its scores are the labels, they are pooled from the very steps that are returned here;
        otherwise a layer for them is added.
    num_labels : int
        How many labels the clips have.
    """
    from keras import layers

    row = FIRST_STRIDE * HOP_LENGTH  # samples from the middle of what a row behind conv_0 looks at to that of the next
    length = math.prod(frames for frames, _ in POOLS) * row
    if LOGITS_LAYER in {layer.name for layer in model.layers}:
        logits, labels = model.get_layer(LOGITS_LAYER).output, model.outputs[0]
    else:
        logits = layers.Dense(num_labels, name=LOGITS_LAYER)(model.get_layer(STEPS_LAYER).output)
        labels = layers.Activation("sigmoid", name="labels")(pooled_logits(layers, logits))
    return AuxiliaryOutputs(
        labels=labels,
        activity=layers.Activation("sigmoid", name="activity")(logits),
        steps=ActivitySteps(num_steps=logits.shape[1], first=-row // 2, hop=length, length=length),
    )


def _number_units(layers: Any, steps: Any) -> Any:
    """Return what the number is computed from, (batch, 64): maximum and mean of the features over all steps."""
    most = layers.GlobalMaxPooling1D(name="strongest_step")(steps)
    both = layers.Concatenate(name="steps_in_one")([most, layers.GlobalAveragePooling1D(name="mean_of_steps")(steps)])
    x = layers.Dropout(NUMBER_DROPOUT[0], name="number_dropout_1")(both)
    x = layers.Dense(NUMBER_UNITS, activation="relu", name="number_units")(x)
    return layers.Dropout(NUMBER_DROPOUT[1], name="number_dropout_2")(x)


def pooled_logits(layers: Any, logits: Any) -> Any:
    """Return logits for the window, (batch, num_labels): a mean over the steps, weighted to the highest.

    The weights are the softmax of the logits over time, as in McFee, Salamon and Bello 2018 (arXiv 1804.10070) at
    alpha 1: between the mean, which a short sound would be lost in, and the maximum, which learns from one step only.
    """
    num_steps = logits.shape[1]
    logits = layers.Permute((2, 1), name="label_steps")(logits)
    weights = layers.Softmax(name="step_weights")(logits)
    weighed = layers.Multiply(name="weighed_steps")([weights, logits])
    mean = layers.GlobalAveragePooling1D(data_format="channels_first", name="mean_step")(weighed)
    return layers.Rescaling(float(num_steps), name="pooled")(mean)

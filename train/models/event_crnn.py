"""A small CNN and GRU for sound events: which labels are present in five seconds, and in which frames of 40 ms.

Not published: the published network for this (seven convolutions of up to 1024 filters and a GRU on the magnitudes of
one second) needs 27 billion multiplications a second of sound. Here a first convolution reads frames of 10 ms and puts
out a row every 40 ms; convolutions pool the mel bands alone, so that every row keeps its time; a GRU in both directions
scores each label in each row. The scores of the window are pooled from these. Both are outputs of the model.
Axis order from `rows` on: (batch, time, mel, channels).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from metadata import FrameScores, MelFrontEnd
from train.batches.activity import ActivitySteps
from train.models import mixed_cnn
from train.models.mixed_cnn import FRONT_END, HOP_LENGTH, LEVEL_FLOOR, pooled_logits
from train.models.small_data import NORM_MOMENTUM
from train.models.standardized_mel import SAMPLE_RATE, WINDOW_LENGTH, input_and_rows
from train.settings import TrainingSettings
from train.tasks.auxiliary_outputs import AuxiliaryOutputs
from train.tasks.task import LabelSet, Task

NAME = "event_crnn"
DEFAULT_VARIANT = "small"
VARIANTS = (DEFAULT_VARIANT,)

FIRST_FILTERS, FIRST_KERNEL, FIRST_STRIDE = 16, (9, 3), 4  # frames, mel bands; one row every 40 ms
FILTERS = (16, 32, 64, 64)
KERNEL = 3
BAND_POOL = (1, 2)  # time is not pooled
CONV_DROPOUT = 0.2
GRU_UNITS = 48  # in each direction
FRAME_LENGTH = FIRST_STRIDE * HOP_LENGTH  # samples
NUM_FRAMES = WINDOW_LENGTH // FRAME_LENGTH

DEFAULT = replace(mixed_cnn.DEFAULT, activity_weight=1.0)
PUBLISHED: TrainingSettings | None = None


def task(variant: str) -> Task:
    """Return the task: which labels are present, alone and in mixtures."""
    return LabelSet((1, 2))


def sample_rate(variant: str) -> int:
    """Return the Hz of the input."""
    return SAMPLE_RATE


def window_length(variant: str) -> int:
    """Return the samples in one input: 5 s at 16 kHz."""
    return WINDOW_LENGTH


def front_end(variant: str) -> MelFrontEnd:
    """Return the mel settings, those of `mixed_cnn`: 64 HTK bands of magnitudes, 501 frames for 5 s."""
    return FRONT_END


def frames(variant: str) -> FrameScores:
    """Return what the frame scores stand for: 125 frames of 40 ms."""
    return FrameScores(NUM_FRAMES, FRAME_LENGTH)


def build(num_labels: int, variant: str = DEFAULT_VARIANT, keras: Any = None) -> Any:
    """Build the untrained network: input (batch, 80000) in [-1, 1], outputs `scores` and `frame_scores`, sigmoid.

    Parameters
    ----------
    num_labels : int
        Scores are (batch, num_labels), frame scores (batch, 125 * num_labels), frame by frame.
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
    x = _convolution(layers, x, FIRST_FILTERS, FIRST_KERNEL, 0, (FIRST_STRIDE, 1))
    for number, filters in enumerate(FILTERS, start=1):
        x = layers.AveragePooling2D(BAND_POOL, name=f"pool_{number}")(_convolution(layers, x, filters, KERNEL, number))
        x = layers.Dropout(CONV_DROPOUT, name=f"dropout_{number}")(x)
    x = layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]), name="steps")(x)
    x = layers.Cropping1D((0, x.shape[1] - NUM_FRAMES), name="frames_of_window")(
        x
    )  # the last row is centred on its end
    gru = layers.GRU(GRU_UNITS, return_sequences=True, name="gru")
    x = layers.Bidirectional(gru, name="both_ways")(x)
    logits = layers.Dense(num_labels, name="step_logits")(x)
    scores = layers.Activation("sigmoid", name="scores")(pooled_logits(layers, logits))
    activity = layers.Activation("sigmoid", name="activity")(logits)
    frame_scores = layers.Reshape((NUM_FRAMES * num_labels,), name="frame_scores")(activity)
    return keras.Model(inputs, [scores, frame_scores], name=NAME)


def auxiliary(model: Any, num_labels: int) -> AuxiliaryOutputs:
    """Return what a built model learns beside its scores: when each label sounds, its frame scores themselves."""
    return AuxiliaryOutputs(
        labels=model.outputs[0],
        activity=model.get_layer("activity").output,
        steps=ActivitySteps(num_steps=NUM_FRAMES, first=0, hop=FRAME_LENGTH, length=FRAME_LENGTH),
    )


def _convolution(layers: Any, x: Any, filters: int, kernel: Any, number: int, strides: Any = 1) -> Any:
    """One convolution, normalized before its ReLU (that folds into the weights on export)."""
    x = layers.Conv2D(filters, kernel, strides, padding="same", use_bias=False, name=f"conv_{number}")(x)
    x = layers.BatchNormalization(momentum=NORM_MOMENTUM, name=f"norm_{number}")(x)
    return layers.ReLU(name=f"relu_{number}")(x)

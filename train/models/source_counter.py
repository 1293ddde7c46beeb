"""The source counter: how many sounds a window holds, by the attention RNN of arXiv 1808.08929 at its published size.

The published source counter (one or two sounds in 5 s) names that network as its model and departs from it: it turns
(frequency, time) into (time, frequency) with a reshape, which scrambles both axes; its three LSTM layers run over the
batch axis, so that a window's answer depends on its neighbours; it has no attention, but a dense head of 353 million
parameters, 1.4 GB. Rebuilt here is the network it meant, of 0.2 million, which a phone can hold: convolutions along
time, two bidirectional LSTM layers over time, and attention with the last time step as the query.

Of the attention RNN itself what it hears is mended (`train.models.standardized_mel`). Its batch normalizations have
their means of training at inference, as ever.
Axis order from `rows` on: (batch, time, mel, channels).
"""

from __future__ import annotations

from typing import Any

from metadata import MelFrontEnd
from train.models.small_data import MIXED_SETTINGS, NORM_MOMENTUM
from train.models.standardized_mel import FRONT_END, NUM_FRAMES, NUM_MELS, SAMPLE_RATE, WINDOW_LENGTH, input_and_rows
from train.settings import TrainingSettings
from train.tasks.task import LabelSet, SourceCount, Task

NAME = "source_counter"
DEFAULT_VARIANT = "two"
TASKS: dict[str, Task] = {"two": SourceCount(2), "three": SourceCount(3), "labels": LabelSet((1, 2))}
VARIANTS = tuple(TASKS)

FILTERS = (10, 1)
KERNEL = (5, 1)  # frames, mel bands
LSTM_UNITS = 64  # in each direction
NUM_LSTM_LAYERS = 2
DENSE = (64, 32)

# The publication multiplies the rate by 0.4 every 15 epochs down to 4e-5, and its early stop looks at the accuracy.
PUBLISHED = TrainingSettings(optimizer="adam", learning_rate=1e-3, batch_size=32, epochs=60, patience=10)
DEFAULT = MIXED_SETTINGS
VARIANT_SETTINGS = {"labels": {"loss": "binary_crossentropy", "label_smoothing": 0.0}}


def task(variant: str) -> Task:
    """Return the task of a variant: a number, or with `labels` the labels, as a start for the others."""
    return TASKS[variant]


def sample_rate(variant: str) -> int:
    """Return the Hz of the input."""
    return SAMPLE_RATE


def window_length(variant: str) -> int:
    """Return the samples in one input: 5 s at 16 kHz."""
    return WINDOW_LENGTH


def front_end(variant: str) -> MelFrontEnd:
    """Return the mel settings: 80 HTK bands of magnitudes, 126 frames for 5 s."""
    return FRONT_END


def build(num_labels: int, variant: str = DEFAULT_VARIANT, keras: Any = None) -> Any:
    """Build the untrained network: input (batch, 80000) in [-1, 1], output (batch, num_labels).

    Parameters
    ----------
    num_labels : int
        Width of the output: softmax, for the variant `labels` sigmoid. With 36 the network has the 201,247 parameters
        of the publication.
    variant : str
        One of `VARIANTS`.
    keras : module, optional
        Namespace to build with. With tf_keras, which has no `keras.ops` layers, the front end is left out and the
        input is the standardized log mel, (batch, 126, 80, 1).
    """
    if keras is None:
        import keras as keras_3

        keras = keras_3
    layers = keras.layers
    inputs, x = input_and_rows(keras)
    for number, filters in enumerate(FILTERS, start=1):
        x = layers.Conv2D(filters, KERNEL, padding="same", activation="relu", name=f"conv_{number}")(x)
        x = layers.BatchNormalization(momentum=NORM_MOMENTUM, name=f"norm_{number}")(x)  # after the ReLU, as published
    x = layers.Reshape((NUM_FRAMES, NUM_MELS), name="steps")(x)
    for number in range(1, NUM_LSTM_LAYERS + 1):
        lstm = layers.LSTM(LSTM_UNITS, return_sequences=True, name=f"lstm_{number}")
        x = layers.Bidirectional(lstm, name=f"both_ways_{number}")(x)
    x = _attended(layers, x)
    x = layers.Dense(DENSE[0], activation="relu", name="dense_1")(x)
    x = layers.Dense(DENSE[1], name="dense_2")(x)  # linear, as published
    scores = layers.Dense(num_labels, activation=task(variant).activation, name="scores")(x)
    return keras.Model(inputs, scores, name=NAME)


def _attended(layers: Any, steps: Any) -> Any:
    """Return the time steps (batch, time, 128) weighed by how they fit the last one, (batch, 128)."""
    num_steps, width = steps.shape[1:]
    last = layers.Cropping1D((num_steps - 1, 0), name="last_step")(steps)
    query = layers.Dense(width, name="query")(last)
    fit = layers.Dot(axes=(2, 2), name="fit")([query, steps])  # (batch, 1, time)
    weights = layers.Softmax(name="attention")(fit)
    heard = layers.Dot(axes=(2, 1), name="attended")([weights, steps])  # (batch, 1, 128)
    return layers.Reshape((width,), name="heard")(heard)

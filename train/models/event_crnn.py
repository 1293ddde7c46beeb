"""A CNN and GRU for sound events: which labels are present in a window, and in which of its frames.

`published` is the network of a public repository (TensorFlow 1). It hears magnitudes of one second at 44.1 kHz, 44 rows
of 1025 bins, without a logarithm. Six 3 x 3 convolutions of up to 1024 filters follow, and one 1 x 1 of one filter.
Behind the first five an average pool halves the bins. A GRU of 128 runs over the rows, with ReLU for its candidate.
The last row gives the scores. A second of sound takes 27 billion multiplications.
Mended: the state of its GRU was drawn anew in every run, inference included. Here it begins at zero.
Kept: its batch normalization never computes mean or variance, even in training: it is a factor and a shift a channel.
Added: it has no frame scores. The dense layer behind the last row scores every row here, without further parameters.
Rows are centred on multiples of 1024 samples, and the 43 frames lie between them. A frame's score is the mean of the
rows at its two ends. The last 68 samples, 1.5 ms, have no frame. A row knows all rows before it, and six behind it.
With `--published` the window alone is learned (`activity_weight` 0): a row then scores what sounded up to it.

`small` is ours. A first convolution reads frames of 10 ms and puts out a row every 40 ms; convolutions pool the mel
bands alone, so that every row keeps its time; a GRU in both directions scores each label in each row. The scores of the
window are pooled from these.
Axis order from `rows` on: (batch, time, mel bands or bins, channels).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from metadata import FrameScores, MelFrontEnd, StftFrontEnd
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
PUBLISHED_VARIANT = "published"
VARIANTS = (DEFAULT_VARIANT, PUBLISHED_VARIANT)

FIRST_FILTERS, FIRST_KERNEL, FIRST_STRIDE = 16, (9, 3), 4  # frames, mel bands; one row every 40 ms
FILTERS = (16, 32, 64, 64)
KERNEL = 3
BAND_POOL = (1, 2)  # time is not pooled
CONV_DROPOUT = 0.2
GRU_UNITS = 48  # in each direction
FRAME_LENGTH = FIRST_STRIDE * HOP_LENGTH  # samples
NUM_FRAMES = WINDOW_LENGTH // FRAME_LENGTH

PUBLISHED_RATE = PUBLISHED_WINDOW = 44_100  # Hz, samples
PUBLISHED_FRONT_END = StftFrontEnd(n_fft=2048, hop_length=1024, win_length=1536, power=1.0, pad_mode="reflect")
PUBLISHED_ROWS = 1 + PUBLISHED_WINDOW // PUBLISHED_FRONT_END.hop_length
PUBLISHED_FILTERS = (64, 128, 256, 512, 1024)
PUBLISHED_NORMS = (2, 5)  # behind the pool of these
PUBLISHED_LAST_FILTERS, PUBLISHED_UNITS = 128, 128

_FRAMES = {
    DEFAULT_VARIANT: FrameScores(NUM_FRAMES, FRAME_LENGTH),
    PUBLISHED_VARIANT: FrameScores(PUBLISHED_ROWS - 1, PUBLISHED_FRONT_END.hop_length),
}

DEFAULT = replace(mixed_cnn.DEFAULT, activity_weight=1.0)
PUBLISHED = TrainingSettings(loss="binary_crossentropy", optimizer="adam", learning_rate=1e-4, batch_size=32)
# 100,000 batches are published; one takes some 42 s on two cores, these 120 some 90 minutes. Windows are as recorded.
VARIANT_SETTINGS = {
    PUBLISHED_VARIANT: {
        "learning_rate": 1e-4,
        "batch_size": 32,
        "cosine_decay": False,
        "weight_decay": 0.0,
        "augment": False,
        "epochs": 4,
        "epoch_windows": 960,
    }
}


def task(variant: str) -> Task:
    """Return the task: which labels are present, alone and in mixtures."""
    return LabelSet((1, 2))


def sample_rate(variant: str) -> int:
    """Return the Hz of the input."""
    return PUBLISHED_RATE if variant == PUBLISHED_VARIANT else SAMPLE_RATE


def window_length(variant: str) -> int:
    """Return the samples in one input: 5 s at 16 kHz, of `published` 1 s at 44.1 kHz."""
    return PUBLISHED_WINDOW if variant == PUBLISHED_VARIANT else WINDOW_LENGTH


def front_end(variant: str) -> MelFrontEnd | StftFrontEnd:
    """Return the mel settings of `mixed_cnn`, 64 bands and 501 frames for 5 s; of `published` 44 x 1025 magnitudes."""
    return PUBLISHED_FRONT_END if variant == PUBLISHED_VARIANT else FRONT_END


def frames(variant: str) -> FrameScores:
    """Return what the frame scores stand for: 125 frames of 40 ms, of `published` 43 of 23.2 ms."""
    return _FRAMES[variant]


def build(num_labels: int, variant: str = DEFAULT_VARIANT, keras: Any = None) -> Any:
    """Build the untrained network: input (batch, n_samples) in [-1, 1], outputs `scores` and `frame_scores`, sigmoid.

    Parameters
    ----------
    num_labels : int
        Scores are (batch, num_labels), frame scores (batch, num_frames * num_labels), frame by frame.
    variant : str
        One of `VARIANTS`.
    keras : module, optional
        Namespace to build with. With tf_keras the input is the standardized log mel, (batch, 501, 64, 1), or the
        magnitudes, (batch, 44, 1025, 1).
    """
    if keras is None:
        import keras as keras_3

        keras = keras_3
    network = _published if variant == PUBLISHED_VARIANT else _small
    inputs, pooled, activity = network(keras, num_labels)
    scores = keras.layers.Activation("sigmoid", name="scores")(pooled)
    frame_scores = keras.layers.Reshape((activity.shape[1] * num_labels,), name="frame_scores")(activity)
    return keras.Model(inputs, [scores, frame_scores], name=NAME)


def auxiliary(model: Any, num_labels: int) -> AuxiliaryOutputs:
    """Return what a built model learns beside its scores: when each label sounds, its frame scores themselves."""
    activity = model.get_layer("activity").output
    found = next(one for one in _FRAMES.values() if one.num_frames == activity.shape[1])
    steps = ActivitySteps(num_steps=found.num_frames, first=0, hop=found.hop_length, length=found.hop_length)
    return AuxiliaryOutputs(labels=model.outputs[0], activity=activity, steps=steps)


def _small(keras: Any, num_labels: int) -> tuple[Any, Any, Any]:
    """Return input, logits of the window (batch, num_labels) and scores of frames (batch, 125, num_labels)."""
    layers = keras.layers
    inputs, x = input_and_rows(keras, FRONT_END, LEVEL_FLOOR)
    x = _convolution(layers, x, FIRST_FILTERS, FIRST_KERNEL, 0, (FIRST_STRIDE, 1))
    for number, filters in enumerate(FILTERS, start=1):
        x = layers.AveragePooling2D(BAND_POOL, name=f"pool_{number}")(_convolution(layers, x, filters, KERNEL, number))
        x = layers.Dropout(CONV_DROPOUT, name=f"dropout_{number}")(x)
    x = layers.Reshape((x.shape[1], x.shape[2] * x.shape[3]), name="steps")(x)
    last = x.shape[1] - NUM_FRAMES  # rows that are centred on the window's end
    x = layers.Cropping1D((0, last), name="frames_of_window")(x)
    gru = layers.GRU(GRU_UNITS, return_sequences=True, name="gru")
    x = layers.Bidirectional(gru, name="both_ways")(x)
    logits = layers.Dense(num_labels, name="step_logits")(x)
    pooled = pooled_logits(layers, logits)
    return inputs, pooled, layers.Activation("sigmoid", name="activity")(logits)


def _published(keras: Any, num_labels: int) -> tuple[Any, Any, Any]:
    """Return input, logits of the window (batch, num_labels) and scores of frames (batch, 43, num_labels)."""
    layers = keras.layers
    inputs, x = _magnitudes(keras)
    for number, filters in enumerate(PUBLISHED_FILTERS, start=1):
        x = layers.Conv2D(filters, KERNEL, padding="same", activation="relu", name=f"conv_{number}")(x)
        x = layers.AveragePooling2D((1, 2), padding="same", name=f"pool_{number}")(x)
        if number in PUBLISHED_NORMS:  # a factor and a shift a channel, as the published normalization is one
            x = layers.DepthwiseConv2D(1, depthwise_initializer="ones", name=f"norm_{number}")(x)
    x = layers.Conv2D(PUBLISHED_LAST_FILTERS, KERNEL, padding="same", activation="relu", name="conv_6")(x)
    x = layers.Conv2D(1, 1, activation="relu", name="conv_7")(x)
    x = layers.Reshape(x.shape[1:3], name="steps")(x)
    gru = layers.GRU(PUBLISHED_UNITS, activation="relu", reset_after=False, return_sequences=True, name="gru")
    logits = layers.Dense(num_labels, name="step_logits")(gru(x))
    last = layers.Cropping1D((PUBLISHED_ROWS - 1, 0), name="last_step")(logits)
    rows = layers.Activation("sigmoid", name="row_scores")(logits)
    between = layers.AveragePooling1D(2, 1, name="activity")(rows)
    return inputs, layers.Reshape((num_labels,), name="window_logits")(last), between


def _magnitudes(keras: Any) -> tuple[Any, Any]:
    """Return the input and the magnitudes (batch, 44, 1025, 1); with tf_keras the magnitudes are the input."""
    shape = (PUBLISHED_ROWS, 1 + PUBLISHED_FRONT_END.n_fft // 2, 1)
    if keras.__name__ != "keras":
        rows = keras.layers.Input(shape, name="rows")
        return rows, rows
    from train.layers.stft_layer import stft_layer

    audio = keras.layers.Input((PUBLISHED_WINDOW,), name="audio")
    return audio, keras.layers.Reshape(shape, name="rows")(stft_layer(PUBLISHED_FRONT_END)(audio))


def _convolution(layers: Any, x: Any, filters: int, kernel: Any, number: int, strides: Any = 1) -> Any:
    """One convolution, normalized before its ReLU (that folds into the weights on export)."""
    x = layers.Conv2D(filters, kernel, strides, padding="same", use_bias=False, name=f"conv_{number}")(x)
    x = layers.BatchNormalization(momentum=NORM_MOMENTUM, name=f"norm_{number}")(x)
    return layers.ReLU(name=f"relu_{number}")(x)

"""Make the small sound models in `sound/` that the tests damage: one for each way in which converters write them.

    python tests/damaged_files/make_sound_files.py [networks | operators]

Random weights by seed, windows of 256 samples, three labels. Needs the train extra. The files are kept in the
repository because what is damaged must be the same bytes everywhere; made again by another version of a converter they
differ, and the damage that `crashed.json` lists hits other places.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import keras
import numpy as np
import tensorflow as tf
import tf_keras
import tiny_operators
from tiny_operators import lstm, lstm_both_ways, svdf, with_flat_input
from tiny_tflite import TINY_LABELS, tiny_classifier, tiny_spec

from convert import choose_calibration, export_float, find_recipe, quantize
from metadata import MelFrontEnd, pack_model, read_tensors

FOLDER = Path(__file__).resolve().parent
LENGTH = 256  # samples of a window
STEPS, FEATURES = 8, 32
LABELS = 3
NO_SOFTMAX = ("image", "svdf", "lstm-int8", "lstm-hybrid", "bilstm-merged")  # beginnings of names


def waveform_network() -> keras.Model:
    """Convolutions and pools over the samples."""
    layers = keras.layers
    x = audio = layers.Input((LENGTH,), name="audio")
    x = layers.Reshape((LENGTH, 1))(x)
    for filters, kernel in ((4, 8), (8, 4)):
        x = layers.Conv1D(filters, kernel, strides=2, activation="relu")(x)
        x = layers.BatchNormalization()(x)
        x = layers.MaxPooling1D(2)(x)
    x = layers.Dense(8, activation="relu")(layers.Flatten()(x))
    return keras.Model(audio, layers.Dense(LABELS, activation="softmax", name="scores")(x), name="waveform")


def image_network() -> keras.Model:
    """What a spectrogram network may hold besides: branches, transposed and depthwise convolutions, norms, paddings."""
    layers = keras.layers
    x = audio = layers.Input((LENGTH,), name="audio")
    x = layers.Reshape((16, 16, 1))(x)
    x = layers.ZeroPadding2D(1)(x)
    left = layers.Conv2D(4, 3, dilation_rate=2, padding="same", activation="relu")(x)
    right = layers.DepthwiseConv2D(3, depth_multiplier=4, padding="same")(x)
    x = layers.Add()([left, layers.PReLU(shared_axes=[1, 2])(right)])
    x = layers.Concatenate()([x, layers.AveragePooling2D(3, strides=1, padding="same")(x)])
    x = layers.Conv2DTranspose(4, 3, strides=2)(layers.MaxPooling2D()(x))
    x = layers.UpSampling2D(2, interpolation="bilinear")(x)
    x = layers.LayerNormalization()(x)
    x = layers.Permute((3, 1, 2))(x)
    x = layers.GlobalMaxPooling2D(data_format="channels_first")(x)
    x = layers.Dense(6, activation="gelu")(x)
    return keras.Model(audio, layers.Dense(LABELS, activation="sigmoid", name="scores")(x), name="image")


def recurrent_network() -> keras.Model:
    """An LSTM, which earproof writes out step by step."""
    layers = keras.layers
    x = audio = layers.Input((LENGTH,), name="audio")
    x = layers.LSTM(3)(layers.Reshape((4, LENGTH // 4))(x))
    return keras.Model(audio, layers.Dense(LABELS, activation="softmax", name="scores")(x), name="recurrent")


def attention_network() -> keras.Model:
    """Matrix products of what is computed with what is computed."""
    layers = keras.layers
    x = audio = layers.Input((LENGTH,), name="audio")
    x = layers.Dense(8)(layers.Reshape((STEPS, FEATURES))(x))
    x = layers.GlobalAveragePooling1D()(layers.MultiHeadAttention(2, 4)(x, x))
    return keras.Model(audio, layers.Dense(LABELS, activation="softmax", name="scores")(x), name="attention")


def fused(layer) -> bytes:
    """A recurrent layer as TensorFlow's own converter writes it: one operator, or a loop with graphs of its own."""
    model = tf_keras.Sequential(
        [
            tf_keras.layers.Input((LENGTH,), batch_size=1),
            tf_keras.layers.Reshape((STEPS, FEATURES)),
            layer,
            tf_keras.layers.Dense(LABELS, activation="softmax"),
        ]
    )
    return tf.lite.TFLiteConverter.from_keras_model(model).convert()


def traced(function, module=None, resources: bool = False, batch: int | None = 1) -> bytes:
    """A function of a window as TensorFlow's own converter writes it."""
    wrapped = tf.function(function, input_signature=[tf.TensorSpec((batch, LENGTH), tf.float32)])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([wrapped.get_concrete_function()], module)
    converter.experimental_enable_resource_variables = resources
    return converter.convert()


def integers_of_tensorflow(model: keras.Model, windows: np.ndarray) -> bytes:
    """A network as TensorFlow's own converter quantizes it, integers from the input to the scores."""
    with tempfile.TemporaryDirectory() as folder:
        signature = [tf.TensorSpec((1, LENGTH), tf.float32)]
        model.export(folder, format="tf_saved_model", input_signature=signature, verbose=False)
        return _integers(tf.lite.TFLiteConverter.from_saved_model(folder), windows)


def _integers(converter, windows: np.ndarray) -> bytes:
    """Convert with integers throughout."""
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([window[np.newaxis]] for window in windows)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def network_models() -> dict[str, bytes]:
    """Return networks as converters write them, without metadata, by the name of their file."""
    rng = np.random.default_rng(0)
    windows = rng.normal(0, 0.3, (24, LENGTH)).astype(np.float32)
    calibration = choose_calibration(windows, np.arange(24) % LABELS)
    float_model = export_float(waveform_network())
    models = {"float32": float_model}
    for name in ("float16", "dynamic_int8", "int8", "int8_io", "int16x8"):
        models[name] = quantize(float_model, find_recipe(name), calibration)
    image = image_network()
    models["image"] = export_float(image)
    models["image-int8"] = quantize(models["image"], find_recipe("int8"), calibration)
    models["image-tensorflow_int8"] = integers_of_tensorflow(image, windows)
    models["lstm-unrolled"] = export_float(recurrent_network())
    models["attention"] = export_float(attention_network())
    models["lstm-fused"] = fused(tf_keras.layers.LSTM(3))
    models["bilstm-fused"] = fused(tf_keras.layers.Bidirectional(tf_keras.layers.LSTM(2)))
    models["gru-loop"] = fused(tf_keras.layers.GRU(3))
    weights = tf.constant(rng.normal(0, 0.2, (LENGTH // 2 + 1, LABELS)), tf.float32)

    def stft(audio):
        power = tf.abs(tf.signal.rfft(audio))
        return tf.nn.softmax(tf.matmul(tf.math.log(power + 1e-6), weights))

    def branch(audio):
        level = tf.reduce_mean(tf.abs(audio))
        half = audio[:, : LENGTH // 2 + 1]
        scores = tf.cond(level > 0.05, lambda: tf.matmul(half / level, weights), lambda: tf.matmul(half, weights) * 2.0)
        return tf.nn.softmax(scores)

    memory = tf.Module()
    memory.last = tf.Variable(tf.zeros((1, LABELS)))

    def remember(audio):
        memory.last.assign(memory.last * 0.5 + tf.matmul(audio[:, : LENGTH // 2 + 1], weights))
        return tf.nn.softmax(memory.last)

    models["stft"] = traced(stft)
    models["branch"] = traced(branch)
    models["variable"] = traced(remember, memory, resources=True)
    models["tiny"] = tiny_classifier(LENGTH)
    return models


def operator_models() -> dict[str, bytes]:
    """Return models of single operators, and of small groups of them, by the name of their file."""
    steps = {"features": LENGTH // tiny_operators.STEPS, "units": 2}
    return {
        "stft-open": traced(spectrum_network(), batch=None),
        "volume": traced(volume_network()),
        "places": traced(places_network()),
        "svdf-int8": svdf("int8", whole=True, features=LENGTH, units=LABELS),
        "svdf-hybrid": svdf("int8", features=LENGTH, units=LABELS),
        "lstm-int8": with_flat_input(lstm(weights="int8", whole=True, projection=3, peepholes=True, **steps)),
        "lstm-int8-norms": with_flat_input(lstm(weights="int8", whole=True, norms=True, gated=False, **steps)),
        "lstm-hybrid": with_flat_input(lstm(weights="int8", peepholes=True, norms=True, **steps)),
        "bilstm-merged": with_flat_input(lstm_both_ways(**steps)),
    }


def spectrum_network():
    """Frames of a window, their spectra, and scores of their mean."""
    weights = tf.constant(np.random.default_rng(1).normal(0, 0.2, (33, LABELS)), tf.float32)

    def run(audio):
        power = tf.abs(tf.signal.stft(audio, 64, 32))
        return tf.nn.softmax(tf.reduce_mean(tf.matmul(power, weights), 1))

    return run


def volume_network():
    """Convolutions over three axes."""
    rng = np.random.default_rng(2)
    first, second = (tf.constant(rng.normal(0, 0.3, shape), tf.float32) for shape in ((2, 2, 2, 1, 3), (2, 2, 2, 2, 3)))

    def run(audio):
        x = tf.nn.conv3d(tf.reshape(audio, (1, 4, 8, 8, 1)), first, (1, 1, 2, 2, 1), "SAME")
        x = tf.nn.conv3d_transpose(x, second, (1, 4, 8, 8, 2), (1, 1, 2, 2, 1), "SAME")
        return tf.nn.softmax(tf.reduce_mean(tf.reshape(x, (1, -1, 2)), 1) @ tf.ones((2, LABELS)))

    return run


def places_network():
    """Operators whose results depend on places: segments, diagonals, positions, distinct values."""

    def run(audio):
        rows = tf.reshape(audio, (16, 16))
        sums = tf.math.segment_sum(rows, np.repeat(np.arange(4), 4))
        highest = tf.math.unsorted_segment_max(rows, np.arange(16) % 4, 4)
        matrix = tf.linalg.set_diag(sums, tf.reduce_mean(highest, 1)) + tf.linalg.diag(sums[:, 0]) @ sums
        loud = tf.cast(tf.size(tf.where(audio > 0.1)), tf.float32)
        kinds = tf.cast(tf.size(tf.unique(tf.cast(audio[0] * 4.0, tf.int32)).y), tf.float32)
        level = tf.reduce_mean(matrix) + (loud + kinds) / LENGTH
        return tf.nn.softmax(tf.reshape(tf.stack([level, tf.reduce_max(highest), tf.reduce_min(sums)]), (1, LABELS)))

    return run


def main() -> None:
    """Write the files, or one group of them."""
    groups = {"networks": network_models, "operators": operator_models}
    keras.utils.set_random_seed(1)
    tf_keras.utils.set_random_seed(1)
    for group in sys.argv[1:] or groups:
        for name, model in groups[group]().items():
            _write(name, model)
    if sys.argv[1:] == ["operators"]:
        return
    mel = MelFrontEnd(inside_model=False, n_fft=64, hop_length=32, win_length=64, n_mels=8)
    spec = tiny_spec(window_length=LENGTH, name="spectrogram", front_end=mel)
    packed = pack_model(tiny_classifier(input_shape=(1, 8, 9, 1)), spec)
    (FOLDER / "sound" / "spectrogram.tflite").write_bytes(packed)


def _write(name: str, model: bytes) -> None:
    """Pack a model and write it."""
    activation = "sigmoid" if name.startswith(NO_SOFTMAX) else "softmax"
    count = read_tensors(model).outputs[0].size
    labels = TINY_LABELS if count == LABELS else tuple(f"label {number}" for number in range(count))
    packed = pack_model(model, tiny_spec(window_length=LENGTH, name=name, activation=activation, labels=labels))
    (FOLDER / "sound" / f"{name}.tflite").write_bytes(packed)
    print(f"{name}: {len(packed):,} bytes")


if __name__ == "__main__":
    main()

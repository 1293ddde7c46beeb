"""The form that is exported: the same scores as the trained model, whatever its normalizations learned."""

from __future__ import annotations

import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from convert.export.fast_form import check_fast_form, fast_form  # noqa: E402
from convert.export.float_export import export_float  # noqa: E402
from convert.graph.model_graph import read_graph  # noqa: E402
from edge_runtime.model.interpreter import open_interpreter  # noqa: E402
from train.models import mel_cnn, waveform_cnn  # noqa: E402

TOLERANCE = 1e-5


def as_if_trained(model: keras.Model, negative: bool, seed: int = 5) -> keras.Model:
    """Give every normalization statistics of its own, scales below zero among them if asked."""
    generator = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.gamma.shape
            gamma = generator.uniform(-1.5 if negative else 0.3, 1.5, shape)
            gamma.flat[0] = 0.0 if negative else gamma.flat[0]  # a channel that puts out a constant
            moments = [generator.uniform(low, high, shape) for low, high in ((-0.5, 0.5), (-0.2, 0.4), (0.2, 1.5))]
            layer.set_weights([gamma, *moments])
    return model


def _windows(length: int) -> np.ndarray:
    generator = np.random.default_rng(8)
    return (np.array([[0.3], [0.003]]) * generator.normal(size=(2, length))).astype(np.float32)


def _scores(content: bytes, windows: np.ndarray) -> np.ndarray:
    interpreter = open_interpreter(content)
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    scores = []
    for window in windows:
        interpreter.set_tensor(source, window[np.newaxis])
        interpreter.invoke()
        scores.append(interpreter.get_tensor(target)[0].copy())
    return np.array(scores)


def _names(content: bytes) -> list[str]:
    return [operation.name for operation in read_graph(content).operations]


def _stack(*layers: keras.layers.Layer, length: int = 48, channels: int = 4) -> keras.Model:
    audio = x = keras.Input((length, channels), name="audio")
    for layer in layers:
        x = layer(x)
    return keras.Model(audio, x, name="stack")


def _block(pool: bool, relu: bool, behind: str, padding: str = "valid") -> keras.Model:
    layers = keras.layers
    between = [layers.MaxPooling1D(2)] * pool + [layers.ReLU()] * relu
    tail = {
        "convolution": [layers.Conv1D(5, 4, padding=padding)],
        "dense": [layers.Flatten(), layers.Dense(5)],
        "nothing": [],
    }[behind]
    return _stack(layers.Conv1D(6, 3, activation="relu"), layers.BatchNormalization(), *between, *tail)


@pytest.mark.parametrize(
    ("variant", "negative"),
    [*((variant, True) for variant in waveform_cnn.VARIANTS), ("level", False), ("abdoli_8000", False)],
)
def test_every_waveform_model_exports_with_the_scores_of_keras(variant, negative):
    keras.utils.set_random_seed(2)
    model = as_if_trained(waveform_cnn.build(3, variant), negative)
    windows = _windows(waveform_cnn.window_length(variant))
    content = export_float(model)
    assert np.abs(_scores(content, windows) - np.asarray(model(windows))).max() <= TOLERANCE
    first = next(item for item in read_graph(content).operations if item.name == "CONV_2D")
    shapes = {tensor.name: tensor.shape for tensor in read_graph(content).tensors}
    assert shapes[first.inputs[0]][-1] == 8


def test_with_positive_scales_no_normalization_is_left_in_the_graph():
    keras.utils.set_random_seed(2)
    model = as_if_trained(waveform_cnn.build(3, "android"), negative=False)
    assert not {"MUL", "ADD", "MINIMUM"} & set(_names(export_float(model)))
    assert "MUL" in _names(export_float(model, fast=False))


@pytest.mark.parametrize("behind", ["convolution", "dense", "nothing"])
@pytest.mark.parametrize("pool", [False, True])
@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("negative", [False, True])
def test_a_normalization_behind_a_relu_is_taken_out_exactly(behind, pool, relu, negative):
    keras.utils.set_random_seed(4)
    model = as_if_trained(_block(pool, relu, behind), negative)
    fast, _ = fast_form(model)
    window = np.random.default_rng(1).normal(size=(3, 48, 4)).astype(np.float32)
    np.testing.assert_allclose(np.asarray(fast(window)), np.asarray(model(window)), atol=1e-5)
    left = [layer for layer in fast.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert bool(left) == (behind == "nothing" or (pool and negative and not relu))


def test_a_shift_does_not_pass_a_convolution_that_pads_and_the_normalization_that_stays_is_named():
    model = as_if_trained(_block(True, True, "convolution", padding="same"), negative=False)
    same, note = fast_form(model)
    name = next(layer.name for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))
    assert same is model
    assert note == f"1 of 1 normalization stay a product and a sum of their own: {name}"


def test_a_normalization_without_scale_and_shift_of_its_own_is_taken_out_too():
    layers = keras.layers
    norm = layers.BatchNormalization(scale=False, center=False)
    model = _stack(layers.Conv1D(6, 3, activation="relu", use_bias=False), norm, layers.Conv1D(2, 2, use_bias=False))
    norm.set_weights([np.linspace(-1, 1, 6), np.linspace(0.5, 2, 6)])
    fast, _ = fast_form(model)
    window = np.random.default_rng(1).normal(size=(3, 48, 4)).astype(np.float32)
    assert len(fast.layers) == len(model.layers) - 1
    np.testing.assert_allclose(np.asarray(fast(window)), np.asarray(model(window)), atol=1e-5)


def test_a_sequential_model_is_a_chain_as_well():
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((48, 4)), layers.Conv1D(6, 3, activation="relu"), layers.BatchNormalization(), layers.Conv1D(2, 2)]
    )
    assert len(fast_form(model)[0].layers) == 3


def test_a_model_with_a_branch_is_left_alone():
    audio = keras.Input((48, 4))
    x = keras.layers.Conv1D(4, 3, activation="relu", padding="same")(audio)
    model = keras.Model(audio, keras.layers.Add()([x, audio]))
    assert fast_form(model) == (model, "")


def test_a_model_without_such_layers_is_left_alone():
    model = mel_cnn.build(3, "power")
    assert fast_form(model) == (model, "")


def test_a_fast_form_that_did_not_reach_the_file_is_refused():
    keras.utils.set_random_seed(4)
    layers = keras.layers
    model = _stack(layers.Conv1D(6, 3, activation="relu"), layers.BatchNormalization(), layers.Conv1D(2, 2))
    as_if_trained(model, negative=False)
    fast, _ = fast_form(model)
    assert check_fast_form(model, fast, export_float(fast, fast=False)) == ""
    other = _stack(layers.Conv1D(6, 3, activation="relu"), layers.Conv1D(2, 2))
    with pytest.raises(RuntimeError, match="2 of 2 layers are not in the file in their fast form"):
        check_fast_form(model, fast, export_float(other, fast=False))


def test_the_export_says_what_it_could_not_regroup():
    audio = keras.Input((64, 1), name="audio")
    x = keras.layers.Conv1D(2, 16, padding="same", name="conv_1")(audio)
    model = keras.Model(audio, keras.layers.Flatten()(x), name="padded")
    said: list[str] = []
    export_float(model, tell=said.append)
    assert len(said) == 1
    assert said[0].startswith("conv_1 stays as it is")


def test_the_same_model_gives_the_same_bytes_every_time():
    keras.utils.set_random_seed(2)
    model = waveform_cnn.build(3, "abdoli_1600")
    assert export_float(model) == export_float(model)

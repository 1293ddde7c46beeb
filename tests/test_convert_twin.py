"""The tf_keras twin: the same weights, the same scores, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras")
pytest.importorskip("tf_keras")

import train.layers.mel_layers  # noqa: E402  registers our layers
from convert.compression.tf_keras_twin import (  # noqa: E402
    build_twin,
    keras_weights,
    prove_twin,
    read_twin_weights,
    with_weights,
    write_twin_weights,
)
from train.models import mel_cnn, waveform_cnn  # noqa: E402


def _shaken(model):
    """The model with statistics and biases that are not their neutral start."""
    rng = np.random.default_rng(3)
    model.set_weights(
        [values + rng.uniform(0, 0.1, values.shape).astype(values.dtype) for values in model.get_weights()]
    )
    return model


def _small(window_length: int = 96, name: str = "small"):
    keras.utils.set_random_seed(1)
    audio = keras.Input((window_length,), name="audio")
    x = train.layers.mel_layers.EvenLevel(name="even_level")(audio)
    x = keras.layers.Reshape((window_length, 1), name="samples")(x)
    x = keras.layers.Conv1D(4, 5, strides=2, activation="relu", name="conv_1")(x)
    x = keras.layers.BatchNormalization(axis=2, name="norm_1")(x)
    x = keras.layers.MaxPooling1D(2, name="pool_1")(x)
    x = keras.layers.Conv1D(6, 3, padding="same", use_bias=False, name="conv_2")(x)
    x = keras.layers.BatchNormalization(name="norm_2")(x)
    x = keras.layers.ReLU(name="relu_2")(x)
    x = keras.layers.GlobalAveragePooling1D(name="mean")(x)
    x = keras.layers.Dropout(0.2, name="drop")(x)
    return _shaken(keras.Model(audio, keras.layers.Dense(3, activation="softmax", name="scores")(x), name=name))


def _read(twin):
    return read_twin_weights(twin.network, twin.rows)


@pytest.fixture(scope="module")
def small():
    return _small()


@pytest.fixture
def windows() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, (4, 96)).astype(np.float32)


@pytest.mark.parametrize(
    ("module", "variant"), [(waveform_cnn, "level"), (waveform_cnn, "android"), (mel_cnn, "log"), (mel_cnn, "power")]
)
def test_the_twins_of_the_published_models_have_their_scores(module, variant):
    keras.utils.set_random_seed(2)
    model = module.build(3, variant)
    heard = np.random.default_rng(1).normal(0, 0.1, (3, 32_000)).astype(np.float32)
    twin = build_twin(model)
    assert prove_twin(model, twin, heard) <= 1e-5
    assert [layer.name for layer in twin.network.layers[1:]] == [
        layer.name for layer in model.layers if layer.name in {one.name for one in twin.network.layers}
    ]


def test_every_kind_of_layer_keeps_its_scores(small, windows):
    assert prove_twin(small, build_twin(small), windows) <= 1e-6


def test_one_dimensional_convolutions_become_rows_that_quantization_aware_training_takes(small):
    network = build_twin(small).network
    assert [type(layer).__name__ for layer in network.layers if layer.name.startswith("conv")] == ["Conv2D", "Conv2D"]
    assert network.get_layer("conv_1").kernel.shape == (1, 5, 1, 4)


def test_weights_go_to_the_twin_and_back_unchanged(small):
    back = with_weights(small, _read(build_twin(small)))
    for ours, theirs in zip(small.get_weights(), back.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)
    assert back is not small


def test_a_twin_whose_weights_do_not_match_is_refused_with_the_weight_named(small, windows):
    twin = build_twin(small)
    layer = twin.network.get_layer("conv_2")
    layer.set_weights([layer.get_weights()[0] + 0.001])
    with pytest.raises(ValueError, match=r"conv_2/kernel differs from the model's by up to 0\.001"):
        prove_twin(small, twin, windows)


def test_a_twin_with_a_nan_weight_is_refused(small, windows):
    twin = build_twin(small)
    layer = twin.network.get_layer("scores")
    layer.set_weights([np.full_like(values, np.nan) for values in layer.get_weights()])
    with pytest.raises(ValueError, match="scores/kernel differs"):
        prove_twin(small, twin, windows)


def test_a_twin_that_computes_something_else_with_the_same_weights_is_refused(small, windows):
    twin = build_twin(small)
    twin.network.get_layer("norm_1").epsilon = 0.5
    twin.network.predict_function = None
    with pytest.raises(ValueError, match="has the same weights, but its scores differ by"):
        prove_twin(small, twin, windows)


def test_weights_of_another_shape_are_refused(small):
    weights = keras_weights(small)
    weights["conv_1"]["kernel"] = weights["conv_1"]["kernel"][:3]
    with pytest.raises(ValueError, match=r"conv_1/kernel have the shape \(3, 1, 4\); expected \(5, 1, 4\)"):
        with_weights(small, weights)
    with pytest.raises(ValueError, match=r"conv_1/kernel have the shape \(1, 3, 1, 4\); expected \(1, 5, 1, 4\)"):
        write_twin_weights(build_twin(small), weights)


def test_weights_that_lack_a_layer_are_refused(small):
    weights = keras_weights(small)
    del weights["norm_1"]
    with pytest.raises(ValueError, match="the weights for norm_1 lack gamma, beta"):
        with_weights(small, weights)


def test_a_layer_that_has_no_twin_is_named():
    audio = keras.Input((8,), name="audio")
    x = keras.layers.Dense(4, name="dense_1")(audio)
    x = keras.layers.UnitNormalization(name="odd_one")(x)
    model = keras.Model(audio, keras.layers.Dense(2, name="scores")(x), name="strange")
    with pytest.raises(ValueError, match=r"odd_one \(UnitNormalization\) has no form in tf_keras here"):
        build_twin(model)


def test_causal_padding_is_refused():
    audio = keras.Input((8, 1), name="audio")
    model = keras.Model(audio, keras.layers.Conv1D(2, 3, padding="causal", name="past")(audio))
    with pytest.raises(ValueError, match="past pads causally"):
        build_twin(model)


def test_a_model_that_branches_is_refused():
    audio = keras.Input((8,), name="audio")
    left = keras.layers.Dense(4, name="left")(audio)
    right = keras.layers.Dense(4, name="right")(audio)
    model = keras.Model(audio, keras.layers.Add(name="sum")([left, right]), name="fork")
    with pytest.raises(ValueError, match="fork is no chain"):
        build_twin(model)


def test_a_layer_whose_weights_share_a_name_is_refused():
    audio = keras.Input((6, 4))
    model = keras.Model(audio, keras.layers.Bidirectional(keras.layers.LSTM(3), name="both_ways")(audio))
    with pytest.raises(ValueError, match=r"both_ways \(Bidirectional\) has several weights named bias, kernel"):
        keras_weights(model)

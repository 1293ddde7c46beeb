"""Recurrent layers: built-in operators only, the scores of Keras, and a gate that catches a file which is wrong."""

from __future__ import annotations

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from convert.float_export import export_float  # noqa: E402
from convert.model_graph import read_graph, read_model_object, write_model_object  # noqa: E402
from convert.recurrent import unrolled  # noqa: E402
from edge_runtime.interpreter import open_interpreter  # noqa: E402
from edge_runtime.parity import score_parity  # noqa: E402

STEPS, FEATURES = 9, 5
layers = keras.layers


def _network(*recurrent, steps: int | None = STEPS, name: str = "recurrent"):
    keras.utils.set_random_seed(4)
    x = audio = keras.Input((steps, FEATURES), name="audio")
    for layer in recurrent:
        x = layer(x)
    return keras.Model(audio, layers.Dense(3, activation="softmax", name="scores")(x), name=name)


def _shake(model):
    """Large weights, so that the scores depend on every step."""
    rng = np.random.default_rng(5)
    model.set_weights([values + rng.normal(0, 0.5, values.shape).astype(np.float32) for values in model.get_weights()])
    return model


@pytest.fixture
def windows() -> np.ndarray:
    return np.random.default_rng(6).normal(size=(8, STEPS, FEATURES)).astype(np.float32)


def _scores(content: bytes, windows: np.ndarray, reset: bool = False) -> np.ndarray:
    interpreter = open_interpreter(content)
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    found = []
    for window in windows:
        if reset:
            interpreter.reset_all_variables()
        interpreter.set_tensor(source, window[np.newaxis])
        interpreter.invoke()
        found.append(interpreter.get_tensor(target)[0].copy())
    return np.stack(found)


def test_a_recurrent_model_exports_with_built_in_operators_and_the_scores_of_keras(windows):
    both = layers.Bidirectional(layers.LSTM(4, return_sequences=True), name="both")
    model = _shake(_network(both, layers.GRU(3, name="gru")))
    content = export_float(model)
    names = {operation.name for operation in read_graph(content).operations}
    assert names.isdisjoint({"WHILE", "UNIDIRECTIONAL_SEQUENCE_LSTM"})
    result = score_parity(model.predict(windows, verbose=0), _scores(content, windows))
    assert result.passed, result
    assert not both.forward_layer.unroll  # the trained model stays as it was


def test_a_recurrent_layer_in_a_model_inside_the_model_is_unrolled_too(windows):
    inner = _shake(_network(layers.LSTM(4, name="lstm")))
    audio = keras.Input((STEPS, FEATURES), name="audio")
    outer = keras.Model(audio, inner(audio), name="outer")
    np.testing.assert_allclose(
        _scores(export_float(outer), windows), inner.predict(windows, verbose=0), rtol=0, atol=1e-5
    )


def test_a_model_without_recurrent_layers_is_left_alone():
    model = _network(layers.Flatten(name="flat"))
    assert unrolled(model) is model


def test_a_layer_that_keeps_its_state_is_refused():
    audio = keras.Input(batch_shape=(1, STEPS, FEATURES), name="audio")
    model = keras.Model(audio, layers.LSTM(4, stateful=True, name="memory")(audio))
    with pytest.raises(ValueError, match=r"memory \(LSTM\) keeps its state from window to window"):
        unrolled(model)


def test_an_open_number_of_steps_is_refused():
    with pytest.raises(ValueError, match=r"gru \(GRU\) runs over an open number of steps"):
        unrolled(_network(layers.GRU(4, name="gru"), steps=None))


def test_a_convolutional_recurrent_layer_is_refused():
    video = keras.Input((4, 6, 2), name="video")
    model = keras.Model(video, layers.ConvLSTM1D(2, 3, name="moving")(video))
    with pytest.raises(ValueError, match=r"moving \(ConvLSTM1D\) cannot be unrolled"):
        unrolled(model)


@pytest.fixture(scope="module")
def fused():
    """What TensorFlow's converter makes of a tf_keras Bidirectional LSTM, and that model's scores on eight windows."""
    tf_keras = pytest.importorskip("tf_keras")
    import tensorflow as tf

    tf_keras.utils.set_random_seed(4)
    audio = tf_keras.Input((STEPS, FEATURES), batch_size=1, name="audio")
    both = tf_keras.layers.Bidirectional(tf_keras.layers.LSTM(4), name="both")(audio)
    model = _shake(tf_keras.Model(audio, tf_keras.layers.Dense(3, activation="softmax", name="scores")(both)))
    heard = np.random.default_rng(6).normal(size=(8, STEPS, FEATURES)).astype(np.float32)
    traced = tf.function(lambda values: model(values)).get_concrete_function(tf.TensorSpec((1, STEPS, FEATURES)))
    content = tf.lite.TFLiteConverter.from_concrete_functions([traced], model).convert()
    return content, heard, np.concatenate([model(window[np.newaxis]).numpy() for window in heard])


def test_parity_fails_the_file_that_tensorflow_makes_of_a_bidirectional_lstm(fused):
    content, heard, expected = fused
    assert "UNIDIRECTIONAL_SEQUENCE_LSTM" in [operation.name for operation in read_graph(content).operations]
    result = score_parity(expected, _scores(content, heard))
    assert not result.passed
    assert result.measures["max_abs_error"] > 0.05


def test_that_file_is_wrong_because_it_remembers_the_window_before(fused):
    content, heard, expected = fused
    assert score_parity(expected[:1], _scores(content, heard[:1])).passed  # one window would not have caught it
    assert score_parity(expected, _scores(content, heard, reset=True)).passed  # but no player of models resets


def test_parity_fails_a_file_with_one_wrong_recurrent_weight(windows):
    model = _shake(_network(layers.LSTM(4, name="lstm")))
    expected = model.predict(windows, verbose=0)
    content = read_model_object(export_float(model))
    kernel = model.get_layer("lstm").get_weights()[1].T.astype(np.float32)
    holders = [one for one in content.buffers if one.data is not None and bytes(one.data) == kernel.tobytes()]
    assert holders
    kernel[0, 0] += 0.01
    for one in holders:
        one.data = np.frombuffer(kernel.tobytes(), np.uint8)
    result = score_parity(expected, _scores(write_model_object(content), windows))
    assert not result.passed

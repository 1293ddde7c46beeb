"""Recurrent layers: built-in operators only, the scores of Keras, and a gate that catches a file which is wrong."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from convert.export.float_export import export_float  # noqa: E402
from convert.export.recurrent import unrolled  # noqa: E402
from convert.graph.float_scope import WEIGHTED, layer_groups  # noqa: E402
from convert.graph.layer_name import layer_name  # noqa: E402
from convert.graph.model_graph import read_graph, read_model_object, write_model_object  # noqa: E402
from convert.graph.recurrences import recurrences  # noqa: E402
from convert.quantization.calibration import choose_calibration  # noqa: E402
from convert.quantization.layer_drift import compare_layers  # noqa: E402
from convert.quantization.quantize import quantize  # noqa: E402
from convert.recipes import find_recipe  # noqa: E402
from edge_runtime.model.interpreter import open_interpreter  # noqa: E402
from edge_runtime.parity.levels import score_parity  # noqa: E402

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


def _drawn(model):
    """Weights that are the same in every run; layers that are made before a seed is set begin with others each time."""
    rng = np.random.default_rng(5)
    model.set_weights([rng.normal(0, 0.6, values.shape).astype(np.float32) for values in model.get_weights()])
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


@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.parametrize("use_bias", [True, False])
def test_both_directions_of_an_lstm_share_their_operators_and_give_the_scores_of_keras(
    windows, return_sequences, use_bias
):
    lstm = layers.LSTM(4, return_sequences=return_sequences, use_bias=use_bias, name="lstm")
    rest = [layers.Flatten(name="flat")] if return_sequences else []
    model = _shake(_network(layers.Bidirectional(lstm, name="both"), *rest))
    content = export_float(model)
    result = score_parity(model.predict(windows, verbose=0), _scores(content, windows))
    assert result.passed, result
    names = [operation.name for operation in read_graph(content).operations]
    # A step: one product a direction; then for both one product of gates and cell, and two tanh.
    assert names.count("FULLY_CONNECTED") == 2 + 2 * (STEPS - 1) + 1
    assert names.count("TANH") == 2 * STEPS


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("return_sequences", [True, False])
@pytest.mark.parametrize("both_ways", [True, False])
def test_a_gru_is_written_out_with_few_operators_and_gives_the_scores_of_keras(
    windows, activation, reset_after, return_sequences, both_ways
):
    gru = layers.GRU(4, activation=activation, reset_after=reset_after, return_sequences=return_sequences, name="gru")
    layer = layers.Bidirectional(gru, name="both") if both_ways else gru
    rest = [layers.Flatten(name="flat")] if return_sequences else []
    model = _drawn(_network(layer, *rest))
    content = export_float(model)
    result = score_parity(model.predict(windows, verbose=0), _scores(content, windows))
    assert result.passed, result
    names = [operation.name for operation in read_graph(content).operations]
    directions, products = 1 + both_ways, 1 if reset_after else 2
    assert names.count("FULLY_CONNECTED") == directions * (1 + products * (STEPS - 1)) + 1
    assert names.count("TANH") == (STEPS if activation == "tanh" else 0)


@pytest.mark.parametrize("use_bias", [True, False])
def test_a_gru_whose_state_did_not_begin_at_zero_or_was_not_handed_on_fails_parity(windows, use_bias, monkeypatch):
    from convert.export.written_gru import WrittenGru

    model = _drawn(_network(layers.GRU(4, use_bias=use_bias, name="gru")))
    expected = model.predict(windows, verbose=0)
    assert score_parity(expected, _scores(export_float(model), windows)).passed
    step, first = WrittenGru._step, WrittenGru._first_step
    monkeypatch.setattr(
        WrittenGru, "_step", lambda self, gates, hidden, weights: step(self, gates, 0 * hidden, weights)
    )
    assert not score_parity(expected, _scores(export_float(model), windows)).passed
    monkeypatch.setattr(WrittenGru, "_step", step)
    monkeypatch.setattr(WrittenGru, "_first_step", lambda self, gates: first(self, gates) + 0.1)
    assert not score_parity(expected, _scores(export_float(model), windows)).passed


def test_two_bidirectional_lstms_and_an_attention_that_branches_give_the_scores_of_keras(windows):
    keras.utils.set_random_seed(4)
    x = audio = keras.Input((STEPS, FEATURES), name="audio")
    for number in (1, 2):
        x = layers.Bidirectional(layers.LSTM(4, return_sequences=True), name=f"both_{number}")(x)
    last = layers.Cropping1D((STEPS - 1, 0), name="last")(x)
    weights = layers.Softmax(name="weights")(layers.Dot((2, 2), name="fit")([last, x]))
    heard = layers.Flatten(name="flat")(layers.Dot((2, 1), name="heard")([weights, x]))
    model = _shake(keras.Model(audio, layers.Dense(3, activation="softmax", name="scores")(heard)))
    before = model.get_weights()
    expected = model.predict(windows, verbose=0)
    assert score_parity(expected, _scores(export_float(model), windows)).passed
    assert all(np.array_equal(one, other) for one, other in zip(before, model.get_weights(), strict=True))
    assert np.array_equal(model.predict(windows, verbose=0), expected)  # the trained model stays as it was


def test_the_weights_of_all_steps_are_stored_once():
    units = 16
    model = _shake(_network(layers.Bidirectional(layers.LSTM(units), name="both")))
    content = read_model_object(export_float(model))
    sizes = [len(one.data) for one in content.buffers if one.data is not None]
    assert sizes.count(4 * units * 4 * units) == 2  # the recurrent kernels of both directions, in bytes
    assert sum(sizes) < 4 * model.count_params() * 1.2


@pytest.mark.parametrize(
    "both",
    [
        layers.Bidirectional(layers.LSTM(4), merge_mode="sum"),
        layers.Bidirectional(layers.LSTM(4, activation="relu")),
        layers.Bidirectional(layers.GRU(4, activation="sigmoid")),
    ],
    ids=["summed", "relu", "gru"],
)
def test_what_has_no_shorter_form_is_unrolled_by_keras_and_has_its_scores(windows, both):
    model = _shake(_network(both))
    assert type(unrolled(model).layers[1]) is layers.Bidirectional
    assert score_parity(model.predict(windows, verbose=0), _scores(export_float(model), windows)).passed


def test_steps_that_are_masked_are_skipped_as_in_keras(windows):
    windows[:, 6:] = 0.0
    model = _shake(_network(layers.Masking(name="mask"), layers.Bidirectional(layers.LSTM(4), name="both")))
    model.get_layer("scores").set_weights([values / 4 for values in model.get_layer("scores").get_weights()])
    assert type(unrolled(model).get_layer("both")) is layers.Bidirectional
    assert score_parity(model.predict(windows, verbose=0), _scores(export_float(model), windows)).passed


def test_a_gru_over_masked_steps_has_the_scores_of_keras(windows):
    windows[:, 6:] = 0.0
    model = _drawn(_network(layers.Masking(name="mask"), layers.GRU(4, name="gru")))
    assert type(unrolled(model).get_layer("gru")) is layers.GRU
    assert score_parity(model.predict(windows, verbose=0), _scores(export_float(model), windows)).passed


def test_the_written_out_form_refuses_several_windows_at_once(windows):
    model = _network(layers.Bidirectional(layers.LSTM(4), name="both"))
    with pytest.raises(ValueError, match="both is written out for one window"):
        unrolled(model).get_layer("both")(windows)


@pytest.mark.parametrize("recurrent", [layers.Bidirectional(layers.LSTM(6), name="both"), layers.GRU(6, name="gru")])
def test_a_recurrent_layer_has_8_bit_weights_and_a_float_state_under_int8(windows, recurrent):
    model = _drawn(
        _network(
            layers.Dense(5, activation="relu", name="before"),
            recurrent,
            layers.Dense(8, activation="relu", name="after"),
        )
    )
    content = export_float(model)
    calibration = choose_calibration(windows, np.arange(len(windows)) % 3, len(windows), seed=0)
    quantized = quantize(content, find_recipe("int8"), calibration)
    graph = read_graph(quantized)
    dtype = {tensor.name: tensor.dtype for tensor in graph.tensors}
    products = [item for item in graph.operations if item.name == "FULLY_CONNECTED"]
    uses = Counter(item.inputs[1] for item in products)
    shared = [item for item in products if uses[item.inputs[1]] > 1]
    directions = 2 if recurrent.name == "both" else 1
    assert len(shared) >= directions * (STEPS - 1)  # of all steps; no step has weights of its own
    assert {dtype[item.inputs[1]] for item in shared} == {"INT8"}
    state = [item for item in graph.operations if item.name in ("ADD", "MUL", "TANH", "LOGISTIC", "FULLY_CONNECTED")]
    assert {dtype[item.outputs[0]] for item in (*shared, *state[1:-2])} == {"FLOAT32"}
    after = products[-2]
    assert (dtype[after.inputs[0]], dtype[after.inputs[1]]) == ("INT8", "INT8")
    agreed = (_scores(quantized, windows).argmax(axis=1) == _scores(content, windows).argmax(axis=1)).mean()
    assert agreed == 1.0


def test_the_steps_of_a_recurrent_layer_are_one_layer_to_the_search():
    model = _network(
        layers.Dense(5, name="before"), layers.Bidirectional(layers.LSTM(6), name="both"), layers.Dense(4, name="after")
    )
    graph = read_graph(export_float(model))
    groups = layer_groups(graph, graph.operations)
    heads = [layer_name(group[0]) for group in groups if group[0].name == "FULLY_CONNECTED"]
    assert heads.count("both") == 1
    assert sum(len(group) for group in groups) == len(graph.operations)


def test_the_comparison_of_layers_shows_of_a_recurrent_layer_what_it_hands_on(windows):
    model = _shake(
        _network(
            layers.Bidirectional(layers.LSTM(6, return_sequences=True), name="both"),
            layers.Flatten(name="flat"),
            layers.Dense(5, name="after"),
        )
    )
    content = export_float(model)
    drifts = compare_layers(content, content, windows)
    shown = [drift for drift in drifts if drift.layer == "both"]
    assert 0 < len(shown) < 4
    assert not any(drift.operation == "TANH" for drift in drifts)


def test_a_network_without_steps_has_no_recurrences():
    graph = read_graph(export_float(_network(layers.Flatten(name="flat"), layers.Dense(4, name="dense"))))
    assert recurrences(graph, WEIGHTED) == ()


def test_a_recurrent_layer_in_a_model_inside_the_model_is_unrolled_too(windows):
    inner = _shake(_network(layers.Bidirectional(layers.LSTM(4), name="both"), layers.Reshape((2, 4)), layers.LSTM(3)))
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

"""The float export: what it refuses, and that nothing is printed."""

from __future__ import annotations

import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from convert.export.float_export import converted, export_float  # noqa: E402
from convert.graph.model_graph import read_graph, read_model_object, write_model_object  # noqa: E402
from edge_runtime.model.interpreter import open_interpreter  # noqa: E402


class Foreign(keras.layers.Layer):
    """A layer whose operator LiteRT has not built in."""

    def __init__(self, operator, **kwargs):
        super().__init__(**kwargs)
        self.operator = operator

    def call(self, values):
        return self.operator(0.5 * values)


class Broken(keras.layers.Layer):
    """A layer that builds and then cannot be traced."""

    def call(self, values):
        if keras.backend.is_keras_tensor(values) or values.shape[0] != 1:
            return values
        raise TypeError("no tracing of this layer")


def _network(*between: keras.layers.Layer, length: int | None = 8, name: str = "tiny") -> keras.Model:
    audio = keras.Input((length,), name="audio")
    x = audio
    for layer in between:
        x = layer(x)
    return keras.Model(audio, keras.layers.Dense(2, activation="softmax", name="scores")(x), name=name)


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(1)
    return _network(keras.layers.Dense(4, activation="relu", name="dense_1"))


@pytest.fixture(scope="module")
def exported(network) -> bytes:
    return export_float(network)


def test_the_graph_is_static_float32_with_a_batch_of_one(exported):
    graph = read_graph(exported)
    assert (graph.input.shape, graph.input.dtype) == ((1, 8), "FLOAT32")
    assert (graph.output.shape, graph.output.dtype) == ((1, 2), "FLOAT32")
    assert [operation.name for operation in graph.operations] == ["FULLY_CONNECTED", "FULLY_CONNECTED", "SOFTMAX"]
    assert not any(tensor.is_dynamic for tensor in graph.tensors)


def test_the_same_model_gives_the_same_bytes(network, exported):
    assert export_float(network) == exported


def test_the_scores_are_those_of_keras(network, exported):
    windows = np.random.default_rng(2).normal(size=(5, 8)).astype(np.float32)
    interpreter = open_interpreter(exported)
    for window, expected in zip(windows, network.predict(windows, verbose=0), strict=True):
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window[np.newaxis])
        interpreter.invoke()
        scores = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
        np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_nothing_is_printed_not_even_past_python(network, capfd):
    capfd.readouterr()
    export_float(network)
    assert capfd.readouterr() == ("", "")


def test_output_works_again_after_an_export(network, capfd):
    export_float(network)
    capfd.readouterr()
    os.write(1, b"to stdout")
    os.write(2, b"to stderr")
    assert capfd.readouterr() == ("to stdout", "to stderr")


@pytest.mark.parametrize(("operator", "found"), [("sinh", "FlexSinh"), ("erfinv", "Erfinv")])
def test_an_operator_that_is_not_built_in_is_named_with_its_layer(operator, found):
    with pytest.raises(ValueError, match=rf"not built in: {found} \(\S*odd_one\S*\)\."):
        export_float(_network(Foreign(getattr(keras.ops, operator), name="odd_one")))


def test_a_failure_of_the_converter_shows_what_it_said():
    with pytest.raises(RuntimeError, match=r"failed on stubborn: [\s\S]*no tracing of this layer"):
        export_float(_network(Broken(name="broken"), name="stubborn"))


def test_an_open_window_length_is_refused():
    audio = keras.Input((None, 1), name="audio")
    pooled = keras.layers.GlobalAveragePooling1D(name="mean")(audio)
    with pytest.raises(ValueError, match=r"shape \(None, 1\); expected every size but the batch to be known"):
        export_float(keras.Model(audio, pooled, name="open"))


def test_two_inputs_are_refused():
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    both = keras.layers.Add(name="sum")([left, right])
    with pytest.raises(ValueError, match="pair has 2 inputs; expected one"):
        export_float(keras.Model([left, right], both, name="pair"))


def test_two_outputs_are_refused(network):
    both = keras.Model(network.input, [network.output, network.get_layer("dense_1").output], name="twins")
    with pytest.raises(ValueError, match="twins has 2 outputs; expected one"):
        export_float(both)


def test_a_graph_written_again_computes_the_same(exported):
    again = write_model_object(read_model_object(exported))
    window = np.linspace(-1, 1, 8, dtype=np.float32)[np.newaxis]
    scores = []
    for model in (exported, again):
        interpreter = open_interpreter(model)
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window)
        interpreter.invoke()
        scores.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    np.testing.assert_array_equal(scores[0], scores[1])


def test_a_quantized_division_opens_and_reports_a_divisor_of_zero():
    """TensorFlow's own conversion divides in 8 bits; the kernel looks at the divisor, so the file is no danger."""
    tf = pytest.importorskip("tensorflow")
    audio = keras.Input((8,), name="audio")
    model = keras.Model(audio, audio[:, :4] / audio[:, 4:], name="ratio")
    heard = np.random.default_rng(0).uniform(0, 2, (50, 1, 8)).astype(np.float32)
    content = converted(
        model,
        (1, 8),
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=lambda: ([window] for window in heard),
    )
    assert "DIV" in {operation.name for operation in read_graph(content).operations}
    interpreter = open_interpreter(content)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.zeros((1, 8), np.float32))
    with pytest.raises(RuntimeError, match="zero_point"):
        interpreter.invoke()

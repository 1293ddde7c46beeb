"""When the first layer may be quantized: with a levelled window and enough channels, not otherwise."""

from __future__ import annotations

import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")
pytest.importorskip("ai_edge_quantizer")

from convert import choose_calibration, export_float, find_recipe, quantize  # noqa: E402
from convert.graph.float_scope import body_operations  # noqa: E402
from convert.graph.model_graph import read_graph  # noqa: E402
from edge_runtime.model.interpreter import open_interpreter  # noqa: E402
from train.layers.mel_layers import EvenLevel  # noqa: E402

WINDOW_LENGTH = 600  # samples


def _network(levelled: bool) -> keras.Model:
    layers = keras.layers
    keras.utils.set_random_seed(6)
    x = audio = layers.Input((WINDOW_LENGTH,), name="audio")
    if levelled:
        x = EvenLevel(name="even_level")(x)
    x = layers.Reshape((WINDOW_LENGTH, 1), name="samples")(x)
    for number, taps in ((1, 32), (2, 8)):
        x = layers.Conv1D(8, taps, strides=2, activation="relu", name=f"conv_{number}")(x)
        x = layers.MaxPooling1D(4, name=f"pool_{number}")(x)
    x = layers.Dense(6, activation="relu", name="dense_1")(layers.Flatten(name="flat")(x))
    return keras.Model(audio, layers.Dense(3, activation="softmax", name="scores")(x), name="tiny")


def _windows(level: float) -> np.ndarray:
    return (level * np.random.default_rng(2).normal(size=(30, WINDOW_LENGTH))).astype(np.float32)


def _scores(content: bytes, windows: np.ndarray) -> np.ndarray:
    interpreter = open_interpreter(content)
    scores = []
    for window in windows:
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window[np.newaxis])
        interpreter.invoke()
        scores.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0].copy())
    return np.array(scores)


@pytest.fixture(scope="module")
def levelled() -> bytes:
    return export_float(_network(levelled=True))


def _first_convolution_is_quantized(content: bytes) -> bool:
    graph = read_graph(content)
    first = next(item for item in graph.operations if item.name == "CONV_2D")
    return any(item is first for item in body_operations(graph))


def test_a_levelled_window_with_a_regrouped_first_layer_enters_8_bits(levelled):
    assert _first_convolution_is_quantized(levelled)


def test_the_level_itself_is_computed_in_float(levelled):
    names = {item.name for item in body_operations(read_graph(levelled))}
    assert not names & {"MEAN", "SQRT", "DIV"}


def test_a_window_at_its_own_level_stays_float_in_the_first_layer():
    assert not _first_convolution_is_quantized(export_float(_network(levelled=False)))


def test_a_first_layer_over_one_channel_stays_float():
    assert not _first_convolution_is_quantized(export_float(_network(levelled=True), fast=False))


def test_a_quiet_window_keeps_its_scores_in_8_bits(levelled):
    calibration = choose_calibration(_windows(0.1), np.arange(30) % 3, num_windows=20, seed=0)
    small = quantize(levelled, find_recipe("int8"), calibration)
    for level in (0.1, 0.003):  # the same sound, 30 dB apart
        assert np.abs(_scores(small, _windows(level)) - _scores(levelled, _windows(level))).max() < 0.03

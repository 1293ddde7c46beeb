"""A detector's two outputs through the conversion: their order in the file, and every recipe."""

from __future__ import annotations

import os

import numpy as np
import pytest
from tiny_tflite import tiny_spec

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from convert.export.float_export import OUTPUT_NAMES, export_float  # noqa: E402
from convert.graph.model_graph import read_graph, read_model_object, write_model_object  # noqa: E402
from convert.quantization.calibration import choose_calibration  # noqa: E402
from convert.quantization.quantize import quantize  # noqa: E402
from convert.recipes import find_recipe  # noqa: E402
from edge_runtime.model.classifier import Classifier  # noqa: E402
from edge_runtime.parity.levels import score_parity  # noqa: E402
from metadata import FrameScores, pack_model  # noqa: E402

FRAMES, HOP, LABELS = 10, 16, 3
WINDOW = FRAMES * HOP
layers = keras.layers


@pytest.fixture(scope="module")
def detector():
    """Convolutions, a GRU both ways, scores of frames, and of the window their maximum."""
    keras.utils.set_random_seed(3)
    x = audio = keras.Input((WINDOW,), name="audio")
    x = layers.Reshape((FRAMES, HOP, 1), name="rows")(x)
    for number, filters in enumerate((8, 8, 16), start=1):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"conv_{number}")(x)
    x = layers.Reshape((FRAMES, HOP * 16), name="steps")(layers.AveragePooling2D((1, 1), name="pool")(x))
    x = layers.Bidirectional(layers.GRU(8, return_sequences=True, name="gru"), name="both_ways")(x)
    logits = layers.Dense(LABELS, name="step_logits")(x)
    strongest = layers.GlobalMaxPooling1D(name="strongest")(logits)
    scores = layers.Activation("sigmoid", name="scores")(strongest)
    frames = layers.Reshape((FRAMES * LABELS,), name="frame_scores")(
        layers.Activation("sigmoid", name="steps_0")(logits)
    )
    model = keras.Model(audio, [scores, frames], name="detector")
    rng = np.random.default_rng(5)
    model.set_weights([one + rng.normal(0, 0.1, one.shape).astype(np.float32) for one in model.get_weights()])
    return model


@pytest.fixture(scope="module")
def exported(detector):
    return export_float(detector)


@pytest.fixture(scope="module")
def windows():
    return np.random.default_rng(7).uniform(-1, 1, (24, WINDOW)).astype(np.float32)


def _classifier(model, recipe="float32"):
    frames = FrameScores(FRAMES, HOP)
    spec = tiny_spec(window_length=WINDOW, activation="sigmoid", frames=frames, recipe=recipe)
    return Classifier(pack_model(model, spec))


def _heard(classifier, windows):
    scores, frames = [], []
    for window in windows:
        scores.append(classifier.scores(window))
        frames.append(classifier.read_frame_scores())
    return np.stack(scores), np.concatenate(frames)


def test_the_scores_stand_before_the_frame_scores_and_both_are_those_of_keras(detector, exported, windows):
    assert tuple(detector.output_names) == OUTPUT_NAMES
    assert [one.shape for one in read_graph(exported).outputs] == [(1, LABELS), (1, FRAMES * LABELS)]
    expected = detector.predict(windows, verbose=0)
    found = _heard(_classifier(exported), windows)
    assert score_parity(expected[0], found[0], thresholds=(0.5,) * LABELS).passed
    assert score_parity(expected[1].reshape(-1, LABELS), found[1], thresholds=(0.5,) * LABELS).passed


def test_outputs_that_the_converter_turned_round_are_put_in_order(detector, exported):
    from convert.export.float_export import _in_order

    tree = read_model_object(exported)
    tree.subgraphs[0].outputs = tree.subgraphs[0].outputs[::-1]
    turned = write_model_object(tree)
    assert [one.shape[1] for one in read_graph(turned).outputs] == [FRAMES * LABELS, LABELS]
    assert [one.shape[1] for one in read_graph(_in_order(turned, detector)).outputs] == [LABELS, FRAMES * LABELS]


def test_a_file_whose_recurrence_is_wrong_fails_parity_by_its_frames(detector, windows, monkeypatch):
    from convert.export.written_gru import WrittenGru

    step = WrittenGru._step
    monkeypatch.setattr(WrittenGru, "_step", lambda self, gates, hidden, weights: step(self, gates, -hidden, weights))
    expected = detector.predict(windows, verbose=0)[1].reshape(-1, LABELS)
    found = _heard(_classifier(export_float(detector)), windows)[1]
    assert not score_parity(expected, found, thresholds=(0.5,) * LABELS).passed


@pytest.mark.parametrize("name", ["float16", "dynamic_int8", "int8", "int8_io", "int16x8"])
def test_every_recipe_keeps_both_outputs_in_order_and_near_to_float(exported, windows, name):
    calibration = choose_calibration(windows, np.arange(24) % LABELS, 24, 0)
    recipe = find_recipe(name)
    content = quantize(exported, recipe, calibration if recipe.needs_calibration else None)
    graph = read_graph(content)
    assert [one.shape for one in graph.outputs] == [(1, LABELS), (1, FRAMES * LABELS)]
    assert {one.dtype for one in graph.outputs} == ({"INT8"} if recipe.integer_io else {"FLOAT32"})
    float_scores, float_frames = _heard(_classifier(exported), windows)
    scores, frames = _heard(_classifier(content, name), windows)
    assert np.abs(scores - float_scores).max() < 0.1
    assert np.abs(frames - float_frames).max() < 0.1
    assert not np.array_equal(frames, float_frames)

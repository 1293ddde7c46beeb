"""A detector's two outputs through the conversion: their order in the file, and every recipe."""

from __future__ import annotations

import os

import numpy as np
import pytest
from tiny_tflite import tiny_spec

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from keras import ops  # noqa: E402

from convert.export.float_export import OUTPUT_NAMES, export_float  # noqa: E402
from convert.graph.model_graph import read_graph, read_model_object, write_model_object  # noqa: E402
from convert.quantization.calibration import choose_calibration  # noqa: E402
from convert.quantization.quantize import quantize  # noqa: E402
from convert.recipes import find_recipe  # noqa: E402
from edge_runtime.model.classifier import Classifier  # noqa: E402
from edge_runtime.parity.levels import score_parity  # noqa: E402
from metadata import FrameScores, pack_model  # noqa: E402
from train.models import event_crnn  # noqa: E402

FRAMES, HOP, LABELS = 10, 16, 3
WINDOW = FRAMES * HOP
SHORT = 12_000  # samples of a window of the published detector, made shorter for the test: 12 rows
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
def published():
    """The published detector with few filters and rows, its weights so large that scores depend on every row."""
    keras.utils.set_random_seed(3)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(event_crnn, "PUBLISHED_FILTERS", (2, 2, 4, 4, 4))
        patched.setattr(event_crnn, "PUBLISHED_LAST_FILTERS", 4)
        patched.setattr(event_crnn, "PUBLISHED_UNITS", 8)
        patched.setattr(event_crnn, "PUBLISHED_WINDOW", SHORT)
        patched.setattr(event_crnn, "PUBLISHED_ROWS", 1 + SHORT // 1024)
        model = event_crnn.build(LABELS, "published")
    rng = np.random.default_rng(5)
    for layer in (model.get_layer("conv_7"), model.get_layer("gru"), model.get_layer("step_logits")):
        layer.set_weights([rng.normal(0.1, 0.4, one.shape).astype(np.float32) for one in layer.get_weights()])
    return model


def _published_scores(content, windows, recipe="float32"):
    spec = tiny_spec(
        sample_rate=44_100,
        window_length=SHORT,
        activation="sigmoid",
        front_end=event_crnn.front_end("published"),
        frames=FrameScores(SHORT // 1024, 1024),
        recipe=recipe,
    )
    return _heard(Classifier(pack_model(content, spec)), windows)


@pytest.fixture(scope="module")
def bursts():
    rng = np.random.default_rng(8)
    levels = np.repeat(rng.uniform(0.0, 0.3, (6, 10)), SHORT // 10, axis=1)
    return (levels * rng.normal(size=(6, SHORT))).astype(np.float32)


def test_the_published_detector_has_built_in_operators_and_the_scores_of_keras_and_a_wrong_step_fails_parity(
    published, bursts, monkeypatch
):
    from convert.export.written_gru import WrittenGru

    thresholds = (0.5,) * LABELS
    expected = published.predict(bursts, verbose=0)
    rows = expected[1].reshape(-1, LABELS)
    assert rows.std(axis=0).min() > 0.02
    content = export_float(published)
    assert not {operation.name for operation in read_graph(content).operations} & {"WHILE", "RFFT2D"}
    found = _published_scores(content, bursts)
    assert score_parity(expected[0], found[0], thresholds=thresholds).passed
    assert score_parity(rows, found[1], thresholds=thresholds).passed

    def reset_behind(self, gates, hidden, weights):
        """The reset gate behind the product in place of before it."""
        units = self._units
        recurred = self._product(hidden, [one[0] for one in weights])
        update, reset = ops.split(ops.sigmoid(gates[:, : 2 * units] + recurred), 2, axis=1)
        behind = reset * self._product(hidden, [one[1] for one in weights])
        candidate = self._activated(gates[:, 2 * units :] + behind)
        return candidate + update * (hidden - candidate)

    monkeypatch.setattr(WrittenGru, "_step", reset_behind)
    wrong = _published_scores(export_float(published), bursts)
    assert not score_parity(rows, wrong[1], thresholds=thresholds).passed


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

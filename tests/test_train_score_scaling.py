"""Scores brought to validation data: a known distortion is found and undone, and folded into the last layer."""

import numpy as np
import pytest
from scipy.special import softmax

from train.evaluation.score_scaling import SCALE_RANGE, SHIFT_RANGE, ScoreScaling, fit_scaling, scale_last_layer
from train.fitting.backend import load_keras

NUM_WINDOWS = 4000


def _drawn(num_labels, seed=0):
    """Logits, and labels drawn with just the probabilities that the logits stand for."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0.0, 1.5, (NUM_WINDOWS, num_labels))
    probabilities = softmax(logits, axis=1)
    truth = (rng.random((NUM_WINDOWS, 1)) > probabilities.cumsum(axis=1)).sum(axis=1)
    return logits, np.minimum(truth, num_labels - 1)


@pytest.mark.parametrize("num_labels", [2, 3])
def test_scores_that_lean_to_one_label_are_set_upright(num_labels):
    logits, truth = _drawn(num_labels)
    lean = np.arange(num_labels) * 0.9
    scaling = fit_scaling(softmax(2.0 * logits + lean, axis=1), truth)
    assert scaling.scale == pytest.approx(0.5, rel=0.1)
    assert scaling.shifts == pytest.approx(-0.5 * lean, abs=0.12)


def test_labels_weigh_the_same_however_many_windows_they_have():
    logits, truth = _drawn(2)
    few = np.concatenate([np.flatnonzero(truth == 0), np.flatnonzero(truth == 1)[::5]])
    all_windows, fewer = (fit_scaling(softmax(logits[rows], axis=1), truth[rows]) for rows in (slice(None), few))
    assert fewer.shifts[1] == pytest.approx(all_windows.shifts[1], abs=0.15)


def test_scores_that_are_all_right_keep_a_bounded_scaling():
    truth = np.repeat([0, 1], 20)
    scores = np.where(truth[:, None] == np.arange(2), 1.0 - 1e-9, 1e-9)
    scaling = fit_scaling(scores, truth)
    assert SCALE_RANGE[0] <= scaling.scale <= SCALE_RANGE[1]
    assert all(SHIFT_RANGE[0] <= shift <= SHIFT_RANGE[1] for shift in scaling.shifts)
    assert (scaling.apply(scores).argmax(axis=1) == truth).all()


def test_a_label_without_windows_is_refused():
    with pytest.raises(ValueError, match=r"\[3, 0\] windows"):
        fit_scaling(np.full((3, 2), 0.5), np.zeros(3, int))


def test_the_last_layer_gives_the_scaled_scores():
    keras = load_keras()
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3, activation="softmax")])
    windows = np.random.default_rng(1).normal(size=(16, 4)).astype(np.float32)
    scaling = ScoreScaling(0.7, (0.0, -1.1, 0.4))
    expected = scaling.apply(model.predict(windows, verbose=0))
    scale_last_layer(model, scaling)
    np.testing.assert_allclose(model.predict(windows, verbose=0), expected, atol=1e-6)

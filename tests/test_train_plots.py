import numpy as np
import pytest

from train.evaluation.evaluate import evaluate_decisions
from train.evaluation.label_sets import evaluate_label_sets
from train.pictures.plots import plot_evaluation

PNG = b"\x89PNG"


@pytest.mark.parametrize("never", [False, True])
def test_sets_of_labels_have_a_picture_of_each_label(tmp_path, never):
    rng = np.random.default_rng(0)
    truth = rng.random((60, 3)) < 0.4
    truth[:, 2] &= not never
    scores = np.clip(truth * 0.4 + rng.random(truth.shape) * 0.6, 0, 1)
    found = evaluate_label_sets(truth, scores, np.arange(60), ("dog", "rain", "bell"), (0.5, 0.4, 0.6))
    path = plot_evaluation(found, truth, scores, tmp_path, "isocc")
    assert path == tmp_path / "labels.png"
    assert path.read_bytes().startswith(PNG)


def test_single_labels_have_a_confusion_matrix(tmp_path):
    truth, scores = np.array([0, 1]), np.eye(2)
    found = evaluate_decisions(truth, np.array([0, 1]), np.array(["a", "b"]), ("dog", "rain"))
    path = plot_evaluation(found, truth, scores, tmp_path, "cnn")
    assert path == tmp_path / "confusion.png"
    assert path.read_bytes().startswith(PNG)

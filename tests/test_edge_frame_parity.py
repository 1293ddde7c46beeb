"""Parity holds the frame scores too: golden vectors that carry them, and files that differ in frames alone."""

import re

import numpy as np
import pytest
from tiny_tflite import tiny_classifier, tiny_detector, tiny_spec

from edge_runtime.model.classifier import Classifier
from edge_runtime.parity.file_parity import parity_of_file
from edge_runtime.parity.frame_parity import frame_parity
from edge_runtime.parity.golden_vectors import Golden, golden_content, read_golden
from edge_runtime.parity.level_text import format_results
from metadata import FrameScores, pack_model

FRAMES = FrameScores(125, 256)


def _spec(recipe="float32"):
    return tiny_spec(activation="sigmoid", frames=FRAMES, recipe=recipe)


@pytest.fixture(scope="module")
def golden():
    windows = np.random.default_rng(0).uniform(-0.5, 0.5, (3, 32_000)).astype(np.float32)
    classifier = Classifier(pack_model(tiny_detector(), _spec()))
    scores = np.stack([classifier.scores(window) for window in windows])
    frames = np.stack([classifier.frame_scores(window).reshape(-1) for window in windows])
    return Golden(windows=windows, scores=scores, frame_scores=frames)


def test_a_file_with_frame_scores_is_compared_by_windows_and_by_frames(golden, tmp_path):
    (tmp_path / "golden.npz").write_bytes(golden_content(golden))
    results = parity_of_file(Classifier(pack_model(tiny_detector(), _spec())), read_golden(tmp_path / "golden.npz"))
    assert [(one.level, one.num_windows) for one in results] == [(2, 3), (2, 375), (5, 3), (5, 375)]
    assert all(one.passed for one in results)
    assert "frames" in results[1].name
    assert [one.unit for one in results] == ["window", "frame", "window", "frame"]
    lines = [line for line in format_results(results).splitlines() if line.startswith("level 2")]
    assert [re.search(r"\(([^()]*)\): max", line)[1] for line in lines] == ["3 windows", "375 frames"]


@pytest.mark.parametrize("recipe", ["float32", "int8"])
def test_frames_of_one_and_the_same_decision_are_not_called_windows(recipe):
    flat = np.full((2, 375), 0.9, np.float32)
    tolerance = None if recipe == "float32" else {"decision_agreement": 0.98, "accuracy_loss": 0.005}
    result = frame_parity(flat, flat, _spec(recipe), tolerance, "one")
    assert (result.num_windows, result.unit) == (250, "frame")
    assert "agreement says nothing: both always decide" in result.detail
    assert "window" not in format_results([result])
    assert result.as_dict()["unit"] == "frame"


@pytest.mark.parametrize("recipe", ["float32", "int8"])
def test_frames_that_differ_fail_though_the_scores_of_the_windows_are_equal(golden, recipe):
    turned = 1.0 - np.asarray(golden.frame_scores)
    other = Golden(windows=golden.windows, scores=golden.scores, frame_scores=turned)
    results = parity_of_file(Classifier(pack_model(tiny_detector(), _spec(recipe))), other)
    assert [one.passed for one in results] == [True, False, True, False]


def test_golden_vectors_without_frame_scores_are_those_of_another_model(golden):
    bare = Golden(windows=golden.windows, scores=golden.scores)
    with pytest.raises(ValueError, match="have 0 frame scores a window; tiny classifier gives 375"):
        parity_of_file(Classifier(pack_model(tiny_detector(), _spec())), bare)
    plain = Classifier(pack_model(tiny_classifier(activation="sigmoid"), tiny_spec(activation="sigmoid")))
    with pytest.raises(ValueError, match="have 375 frame scores a window; tiny classifier gives 0"):
        parity_of_file(plain, golden)


def test_one_frame_on_the_other_side_of_its_threshold_fails_level_2_and_is_one_of_a_thousand_at_level_3():
    reference = np.full((8, 375), 0.5, np.float32)
    candidate = reference.copy()
    candidate[2, 7] -= 1e-6
    strict = frame_parity(reference, candidate, _spec(), None, "one")
    assert not strict.passed
    assert strict.measures["decision_agreement"] == pytest.approx(0.999)
    tolerance = {"decision_agreement": 0.98, "accuracy_loss": 0.005}
    assert frame_parity(reference, candidate, _spec("int8"), tolerance, "one").passed

"""Sigmoid models on the device: what decides is the set of labels, in parity, streams, bundles, bench and listen."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from tiny_run import make_tiny_run
from tiny_tflite import tiny_classifier, tiny_spec

import earproof
from edge_runtime.audio.sample_format import to_shorts
from edge_runtime.bench.test_signal import speech_like
from edge_runtime.model.classifier import Classifier
from edge_runtime.parity.file_parity import parity_of_file
from edge_runtime.parity.golden_stream import record_stream, stream_parity
from edge_runtime.parity.golden_vectors import Golden
from metadata import pack_model

WINDOWS = np.stack([speech_like(2.0, 16_000, seed) for seed in range(8)]).astype(np.float32)
TRUTH_GROUPS = np.array([["a", "b"], ["a", ""], ["b", ""], ["c", "d"], ["c", ""], ["d", ""], ["a", "c"], ["b", "d"]])


def _thresholds() -> tuple[float, ...]:
    """Thresholds in the widest gap of each label's scores: some windows reach them, others do not."""
    free = Classifier(pack_model(tiny_classifier(activation="sigmoid"), tiny_spec(activation="sigmoid")))
    scores = np.sort(np.stack([free.scores(window) for window in WINDOWS]), axis=0)
    widest = np.diff(scores, axis=0).argmax(axis=0)
    return tuple(float(scores[place : place + 2, label].mean()) for label, place in enumerate(widest))


def _classifier(recipe="float32") -> Classifier:
    spec = tiny_spec(activation="sigmoid", thresholds=_thresholds(), recipe=recipe)
    return Classifier(pack_model(tiny_classifier(activation="sigmoid"), spec))


@pytest.fixture(scope="module")
def golden() -> Golden:
    classifier = _classifier()
    scores = np.stack([classifier.scores(window) for window in WINDOWS])
    truth = scores >= np.float32(classifier.spec.thresholds)
    assert truth.any()
    assert not truth.all()
    return Golden(windows=WINDOWS, scores=scores, truth=truth, groups=TRUTH_GROUPS)


def _crossed(scores: np.ndarray, thresholds: tuple[float, ...]) -> np.ndarray:
    """The scores, that of a label which is not the highest of the first window moved across its threshold."""
    moved = scores.copy()
    label = int(scores[0].argmin())
    limit = np.float32(thresholds[label])
    moved[0, label] = limit + 1e-4 if scores[0, label] < limit else limit - 1e-4
    return moved


def test_a_file_is_compared_with_golden_sets_of_labels_of_mixtures(golden):
    for recipe in ("float32", "int8"):
        results = parity_of_file(_classifier(recipe), golden)
        assert [result.passed for result in results] == [True, True]
        assert results[0].measures["decision_agreement"] == 1.0
    assert results[0].measures["accuracy"] == 1.0
    assert "accuracy_loss_lower" in results[0].measures


def test_a_label_that_crosses_its_threshold_is_another_decision_whatever_the_highest_score(golden):
    classifier = _classifier("int8")
    moved = replace(golden, scores=_crossed(golden.scores, classifier.spec.thresholds))
    result = parity_of_file(classifier, moved)[0]
    assert result.measures["decision_agreement"] == 7 / 8


def test_a_truth_of_positions_does_not_fit_a_file_that_tells_sets(golden):
    with pytest.raises(ValueError, match="the truth has shape"):
        parity_of_file(_classifier("int8"), replace(golden, truth=np.zeros(8, np.int64)))


@pytest.fixture
def built(golden, tmp_path):
    """A model file with its golden vectors beside it, as a build leaves them."""
    path = tmp_path / "sets.tflite"
    path.write_bytes(_classifier().model)
    (tmp_path / "golden").mkdir()
    arrays = {name: value for name, value in vars(golden).items() if value is not None}
    np.savez_compressed(tmp_path / "golden" / "tiny classifier.npz", **arrays)
    return path


def test_golden_sets_of_labels_go_through_a_file_and_the_command(built, capsys):
    assert earproof.main(["parity", str(built), "--json"]) == 0
    levels = [result["level"] for result in json.loads(capsys.readouterr().out)["files"][0]["results"]]
    assert levels == [2, 5, 4]


def test_a_golden_stream_is_compared_by_sets_of_labels():
    classifier = _classifier("int8")
    recorded = record_stream(classifier, to_shorts(WINDOWS.reshape(-1)), classifier.spec.sample_rate)
    assert stream_parity(classifier, recorded)[0].measures["decision_agreement"] == 1.0
    moved = replace(recorded, scores=_crossed(recorded.scores, classifier.spec.thresholds))
    ticks = len(moved.scores)
    assert stream_parity(classifier, moved)[0].measures["decision_agreement"] == pytest.approx(1 - 1 / ticks)


def test_a_bundle_of_sigmoid_models_holds_what_it_promises(tmp_path, capsys):
    run = make_tiny_run(tmp_path / "run" / "tiny", activation="sigmoid", thresholds=(0.3, 0.5, 0.7))
    assert earproof.main(["bundle", str(run), "--out", str(tmp_path / "b.tar.gz")]) == 0
    subprocess.run(["tar", "-xzf", tmp_path / "b.tar.gz", "-C", tmp_path], check=True)
    capsys.readouterr()
    assert earproof.main(["parity", str(tmp_path / "b-bundle"), "--json"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert len(files) == 4
    assert all(result["passed"] for file in files for result in file["results"])


def test_a_sigmoid_model_is_timed_and_two_results_of_it_compared(built, tmp_path, capsys):
    for name in ("a", "b"):
        out = str(tmp_path / f"{name}.json")
        command = ["bench", str(built), "--num-runs", "12", "--warmup-runs", "1", "--cold-runs", "1", "--out", out]
        assert earproof.main(command) == 0
    capsys.readouterr()
    assert earproof.main(["bench", "compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")]) == 0
    assert "sets.tflite" in capsys.readouterr().out

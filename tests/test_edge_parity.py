import json
import math
from dataclasses import replace

import numpy as np
import pytest
from tiny_tflite import tiny_classifier, tiny_spec

from edge_runtime.front_end.mel import loudest_bands, mel_spectrogram
from edge_runtime.model.classifier import Classifier
from edge_runtime.parity.levels import front_end_parity, phone_parity, recipe_parity, score_parity
from metadata import MelFrontEnd
from metadata.packing.packed_model import pack_model

TOLERANCE = {"decision_agreement": 0.75, "accuracy_loss": 0.25}
FLOAT = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]], np.float32)


def test_spectrograms_within_a_millionth_of_their_peak_pass():
    reference = np.random.default_rng(0).uniform(0.1, 1.0, (3, 4, 5))
    result = front_end_parity(reference, reference * (1 + 9e-7), "scaled")

    assert result.passed
    assert result.level == 1
    assert result.num_windows == 3
    assert result.measures["relative_error"] == pytest.approx(9e-7, rel=0.01)


def test_a_loud_window_excuses_no_quiet_one():
    reference = np.ones((2, 4, 5))
    reference[1] = 1e-8
    candidate = reference.copy()
    candidate[1, 0, 0] = 2e-8

    assert not front_end_parity(reference, candidate, "quiet").passed


@pytest.mark.parametrize(("error", "passed"), [(0.0, True), (9.9e-6, True), (1.1e-5, False)])
def test_scores_pass_up_to_one_in_a_hundred_thousand(error, passed):
    assert score_parity(FLOAT.astype(np.float64), FLOAT + np.float64(error)).passed is passed


def test_one_other_decision_fails_however_small_the_error():
    reference = np.array([[0.500001, 0.499999]])
    result = score_parity(reference, reference[:, ::-1])

    assert result.measures["max_abs_error"] < 1e-5
    assert not result.passed


@pytest.mark.parametrize("level", [front_end_parity, score_parity])
def test_a_nan_fails_and_is_named(level):
    shape = (2, 3, 4) if level is front_end_parity else (2, 3)
    candidate = np.ones(shape)
    candidate[0, 0] = math.nan
    result = level(np.ones(shape), candidate, "broken")

    assert not result.passed
    assert result.measures == {}
    assert "of the candidate are NaN" in result.detail


def test_a_nan_in_a_recipe_fails_too():
    candidate = FLOAT.copy()
    candidate[1, 1] = np.nan

    assert not recipe_parity(FLOAT, candidate, None, None, TOLERANCE).passed


def test_a_recipe_that_changes_one_decision_of_four_agrees_in_three():
    candidate = FLOAT.copy()
    candidate[3] = [0.6, 0.4]
    result = recipe_parity(FLOAT, candidate, [0, 1, 0, 1], list("aabb"), TOLERANCE)

    assert result.passed
    assert result.measures["decision_agreement"] == 0.75
    assert result.measures["float_accuracy"] == 1.0
    assert result.measures["accuracy_loss"] == 0.25
    assert result.measures["accuracy_loss_lower"] == 0.0
    assert result.measures["accuracy_loss_upper"] == 0.5


@pytest.mark.parametrize(
    "tolerance",
    [{"decision_agreement": 0.76, "accuracy_loss": 1.0}, {"decision_agreement": 0.0, "accuracy_loss": 0.24}],
)
def test_each_limit_of_a_recipe_can_fail_alone(tolerance):
    candidate = FLOAT.copy()
    candidate[[1, 3]] = [0.6, 0.4]

    assert not recipe_parity(FLOAT, candidate, [0, 1, 0, 1], list("aabb"), tolerance).passed


def test_a_limit_finer_than_one_window_is_taken_as_one_window():
    candidate, strict = FLOAT.copy(), {"decision_agreement": 0.99, "accuracy_loss": 0.0}
    candidate[3] = [0.6, 0.4]
    assert recipe_parity(FLOAT, candidate, [0, 1, 0, 1], list("aabb"), strict).passed
    candidate[1] = [0.6, 0.4]
    assert not recipe_parity(FLOAT, candidate, [0, 1, 0, 1], list("aabb"), strict).passed


@pytest.mark.parametrize(("lost", "passed"), [(1, True), (2, True), (3, False)])
def test_a_limit_counts_in_whole_windows_rounded_up(lost, passed):
    """Half a percent of 380 windows is 1.9 of them."""
    scores = np.tile(np.float32([[0.7, 0.3]]), (380, 1))
    candidate = scores.copy()
    candidate[:lost] = [0.3, 0.7]
    limits = {"decision_agreement": 0.98, "accuracy_loss": 0.005}
    assert recipe_parity(scores, candidate, np.zeros(380, int), None, limits).passed == passed


def test_what_could_not_be_compared_is_said():
    assert "no truth" in recipe_parity(FLOAT, FLOAT, None, None, TOLERANCE).detail
    assert "fewer than two groups" in recipe_parity(FLOAT, FLOAT, [0, 1, 0, 1], list("aaaa"), TOLERANCE).detail


def test_sigmoid_truth_is_a_decision_for_every_label():
    truth = np.array([[True, False], [False, True], [True, False], [False, True]])
    result = recipe_parity(FLOAT, FLOAT, truth, list("abcd"), TOLERANCE, thresholds=(0.5, 0.5))

    assert result.measures["accuracy"] == 1.0


def test_an_unknown_tolerance_is_refused():
    with pytest.raises(ValueError, match=r"tolerance names \['snr'\]"):
        recipe_parity(FLOAT, FLOAT, None, None, {"snr": 1.0})


def test_a_truth_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"truth has shape \(3,\); expected \(4,\)"):
        recipe_parity(FLOAT, FLOAT, [0, 1, 0], list("abcd"), TOLERANCE)


def test_an_infinite_snr_is_null_in_json():
    result = recipe_parity(FLOAT, FLOAT, None, None, TOLERANCE)

    assert result.measures["snr_db"] == math.inf
    assert json.loads(json.dumps(result.as_dict(), allow_nan=False))["measures"]["snr_db"] is None


@pytest.fixture(scope="module")
def classifier():
    return Classifier(pack_model(tiny_classifier(16_000), tiny_spec(window_length=16_000)))


def test_the_phone_path_passes_bit_for_bit(classifier):
    recordings = [np.random.default_rng(size).integers(-9999, 9999, size).astype(np.int16) for size in (40_001, 9000)]
    result = phone_parity(classifier, recordings)

    assert result.passed
    assert result.level == 4
    assert result.measures == {"max_abs_error": 0.0, "unequal_windows": 0, "unequal_scores": 0, "lost_samples": 0}
    assert result.num_windows > 2 * (7 + 3)


def test_without_recordings_nothing_was_proven(classifier):
    with pytest.raises(ValueError, match="no recordings"):
        phone_parity(classifier, [])


def test_a_window_too_short_for_the_tick_fails_with_its_reason():
    short = Classifier(pack_model(tiny_classifier(1600), tiny_spec(window_length=1600)))
    result = phone_parity(short, [np.ones(20_000, np.int16)])

    assert not result.passed
    assert "AudioRecord buffer ran over" in result.detail


def test_a_magnitude_under_loud_low_frequencies_is_as_exact_as_float32_can_be():
    front_end = MelFrontEnd(inside_model=True, n_fft=512, hop_length=160, win_length=400, power=1.0, pad_mode="none")
    front_end = replace(front_end, n_mels=64, fmin=125.0, fmax=7500.0, mel_scale="htk", mel_norm="none")
    hum = 0.5 * np.sin(2 * np.pi * 40 * np.arange(15_600) / 16_000)[np.newaxis]
    mel = mel_spectrogram(hum[0], front_end, 16_000)[np.newaxis]
    rounded = mel + 3e-6 * mel.max()
    assert not front_end_parity(mel, rounded, "relative to its bands").passed
    least = loudest_bands(hum, front_end, 16_000)
    assert least[0] == pytest.approx(0.5 * 400 / 4, rel=0.02)  # half the amplitude times the sum of the window
    assert least[0] > 3 * mel.max()
    assert front_end_parity(mel, rounded, "relative to the hum", least).passed
    assert not loudest_bands(hum, replace(front_end, power=2.0), 16_000).any()

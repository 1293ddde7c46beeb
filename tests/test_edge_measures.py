import math

import numpy as np
import pytest

from edge_runtime.scoring.measures import (
    cosine_similarity,
    decision_agreement,
    decisions,
    max_abs_error,
    relative_error,
    snr_db,
)

MEASURES = [max_abs_error, relative_error, snr_db, cosine_similarity, decision_agreement]


def test_the_largest_difference_counts_in_either_direction():
    assert max_abs_error([1.0, 2.0, 3.0], [1.5, 2.0, 1.0]) == 2.0


def test_int8_differences_do_not_wrap_around():
    high, low = np.array([[127, 0]], np.int8), np.array([[-128, 0]], np.int8)

    assert max_abs_error(high, low) == 255.0
    assert snr_db(high, low) == pytest.approx(20 * math.log10(127 / 255))


def test_the_relative_error_is_taken_from_the_peak_of_the_reference():
    assert relative_error([0.0, -4.0], [1.0, -4.0]) == 0.25
    assert relative_error([0.0, 0.0], [0.0, 0.0]) == 0.0
    assert relative_error([0.0, 0.0], [0.0, 1e-9]) == math.inf


@pytest.mark.parametrize(
    ("reference", "candidate", "expected"),
    [
        ([1.0, 1.0], [1.1, 0.9], 20.0),
        ([1.0, 0.0], [0.0, 0.0], 0.0),
        ([1.0, 2.0], [1.0, 2.0], math.inf),
        ([0.0, 0.0], [0.0, 0.0], math.inf),
        ([0.0, 0.0], [0.0, 1.0], -math.inf),
    ],
)
def test_snr_is_signal_over_difference_in_decibel(reference, candidate, expected):
    assert snr_db(reference, candidate) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("reference", "candidate", "expected"),
    [
        ([1.0, 0.0], [2.0, 0.0], 1.0),
        ([1.0, 0.0], [0.0, 3.0], 0.0),
        ([1.0, 1.0], [-1.0, -1.0], -1.0),
        ([0.0, 0.0], [0.0, 0.0], 1.0),
        ([0.0, 0.0], [1.0, 0.0], 0.0),
    ],
)
def test_cosine_compares_directions(reference, candidate, expected):
    assert cosine_similarity(reference, candidate) == pytest.approx(expected)


def test_softmax_decides_for_the_highest_and_for_the_first_of_equal_ones():
    assert decisions([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2]]).tolist() == [1, 0]


def test_sigmoid_decides_label_by_label_from_the_threshold_on():
    scores = np.array([[0.3, 0.29999998, 0.9]], np.float32)

    assert decisions(scores, (0.3, 0.3, 0.95)).tolist() == [[True, False, False]]


def test_agreement_is_the_share_of_equal_decisions():
    reference, candidate = [[0.6, 0.4], [0.2, 0.8], [0.9, 0.1]], [[0.9, 0.1], [0.7, 0.3], [0.6, 0.4]]

    assert decision_agreement(reference, candidate) == pytest.approx(2 / 3)
    assert decision_agreement(reference, candidate, (0.5, 0.9)) == pytest.approx(2 / 3)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", [0, 1])
def test_a_nan_is_an_error_in_every_measure(measure, bad, where):
    pair = [np.array([[0.5, 0.5]]), np.array([[0.5, 0.5]])]
    pair[where][0, 1] = bad
    owner = ("reference", "candidate")[where]
    with pytest.raises(ValueError, match=f"1 of 2 values of the {owner} are NaN or infinite"):
        measure(*pair)


@pytest.mark.parametrize("measure", MEASURES)
def test_shapes_must_be_equal_and_not_empty(measure):
    with pytest.raises(ValueError, match=r"\(2, 3\), the candidate \(3, 2\)"):
        measure(np.zeros((2, 3)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="nothing to compare"):
        measure(np.zeros((0, 3)), np.zeros((0, 3)))


def test_scores_of_one_window_need_both_axes():
    with pytest.raises(ValueError, match=r"\(3,\); expected \(n_windows, n_labels\)"):
        decisions([0.1, 0.2, 0.7])


def test_there_is_one_threshold_a_label():
    with pytest.raises(ValueError, match="2 thresholds for 3 labels"):
        decisions([[0.1, 0.2, 0.7]], (0.5, 0.5))

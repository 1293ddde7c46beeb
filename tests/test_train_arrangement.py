"""Two recordings one after the other, sample by sample."""

import numpy as np
import pytest
from conftest import SAMPLE_RATE, tone

from train.mixtures.arrangement import ARRANGEMENTS, TOGETHER, arrange
from train.recordings.loudness import PEAK_LIMIT

RATE = 10  # Hz: 5 s are 50 samples


def _steady(value, count=50):
    return np.full(count, value, np.float32)


def test_the_published_test_sets_are_8_10_and_12_seconds():
    assert [chosen.length_s for chosen in ARRANGEMENTS.values()] == [8.0, 10.0, 12.0]


def test_eight_seconds_have_two_in_common():
    arranged = arrange(_steady(0.25), _steady(0.5), "overlap", RATE)
    expected = np.r_[_steady(0.25, 30), _steady(0.75, 20), _steady(0.5, 30)]
    np.testing.assert_allclose(arranged.waveform, expected, rtol=1e-6)
    assert arranged.spans == ((0.0, 5.0), (3.0, 8.0))
    assert arranged.gains == (1.0, 1.0)


def test_ten_seconds_are_end_to_end():
    arranged = arrange(_steady(0.25), _steady(0.5), "adjacent", RATE)
    np.testing.assert_allclose(arranged.waveform, np.r_[_steady(0.25), _steady(0.5)])
    assert arranged.spans == ((0.0, 5.0), (5.0, 10.0))


def test_twelve_seconds_have_two_of_silence_between_parts_at_three_quarters():
    arranged = arrange(_steady(0.25), _steady(0.5), "gap", RATE)
    expected = np.r_[_steady(0.1875), _steady(0.0, 20), _steady(0.375)]
    np.testing.assert_allclose(arranged.waveform, expected, rtol=1e-6)
    assert arranged.spans == ((0.0, 5.0), (7.0, 12.0))
    assert arranged.gains == pytest.approx((0.75, 0.75))


def test_an_overlap_that_would_clip_is_turned_down_as_a_whole():
    arranged = arrange(_steady(0.9), _steady(0.9), "overlap", RATE)
    assert arranged.waveform.max() == pytest.approx(PEAK_LIMIT)
    assert arranged.gains == pytest.approx((PEAK_LIMIT / 1.8,) * 2)
    assert arranged.waveform[0] == pytest.approx(PEAK_LIMIT / 2)


def test_a_short_part_ends_in_zeros_that_are_not_counted_and_a_long_one_is_cut():
    arranged = arrange(_steady(0.5, 20), _steady(0.25, 90), "adjacent", RATE)
    np.testing.assert_allclose(arranged.waveform, np.r_[_steady(0.5, 20), _steady(0.0, 30), _steady(0.25)])
    assert arranged.spans == ((0.0, 2.0), (5.0, 10.0))


def test_parts_can_be_brought_to_one_peak():
    arranged = arrange(_steady(0.5), _steady(0.1), "gap", RATE, "pair")
    assert arranged.waveform[0] == pytest.approx(0.075)
    assert arranged.waveform[-1] == pytest.approx(0.075)
    assert arranged.gains == pytest.approx((0.15, 0.75))


def test_together_keeps_the_whole_of_both():
    arranged = arrange(tone(300, 7.0), tone(500, 2.0), TOGETHER, SAMPLE_RATE, "pair")
    assert arranged.waveform.size == 7 * SAMPLE_RATE
    assert arranged.spans == ((0.0, 7.0), (0.0, 2.0))


def test_an_unknown_arrangement_is_refused():
    with pytest.raises(ValueError, match="expected together, overlap, adjacent, gap"):
        arrange(_steady(0.1), _steady(0.1), "reversed", RATE)

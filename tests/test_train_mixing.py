"""Adding recordings: what becomes of peaks, lengths and silence, known by hand."""

import numpy as np
import pytest
from conftest import tone

from train.mixtures.mixing import mix, mix_parts
from train.recordings.loudness import PEAK_LIMIT, SILENT_PEAK, SilentClipError, is_silent, peak


def _impulses(*values):
    return np.array(values, np.float32)


def test_of_the_pair_the_louder_part_comes_down_to_the_peak_of_the_softer():
    mixed = mix_parts([_impulses(0.5, 0.1, 0.0, 0.0), _impulses(0.0, 0.0, 0.25, 0.05)], "pair")
    np.testing.assert_allclose(mixed.waveform, [0.25, 0.05, 0.25, 0.05], rtol=1e-6)
    assert mixed.gains == (0.5, 1.0)


def test_of_the_set_every_part_comes_to_the_highest_peak_of_the_data():
    mixed = mix_parts([_impulses(0.5, 0.1, 0.0), _impulses(0.0, 0.0, 0.2)], "set", set_peak=0.8)
    np.testing.assert_allclose(mixed.waveform, [0.8, 0.16, 0.8], rtol=1e-6)
    assert mixed.gains == pytest.approx((1.6, 4.0))


def test_a_peak_is_the_largest_absolute_sample_also_below_zero():
    assert peak(_impulses(0.2, -0.8)) == pytest.approx(0.8)
    np.testing.assert_allclose(mix([_impulses(0.2, -0.8), _impulses(0.4, 0.0)]), [0.5, -0.4], rtol=1e-6)


def test_without_normalization_the_parts_stay_as_they_are():
    np.testing.assert_allclose(mix([_impulses(0.1, 0.2), _impulses(0.3, 0.0)], "none"), [0.4, 0.2], rtol=1e-6)


def test_two_full_scale_recordings_in_phase_neither_wrap_nor_clip():
    loud = tone(440, 0.1, amplitude=1.0)
    mixed = mix_parts([loud, loud], "set", set_peak=1.0)
    assert peak(mixed.waveform) == pytest.approx(PEAK_LIMIT, abs=1e-6)
    np.testing.assert_allclose(mixed.waveform, loud * PEAK_LIMIT / peak(loud), atol=1e-6)
    assert mixed.gains == pytest.approx((PEAK_LIMIT / 2, PEAK_LIMIT / 2), rel=1e-4)


def test_a_sum_at_the_limit_is_not_turned_down():
    assert mix([_impulses(0.5, 0.0), _impulses(0.4, 0.0)], "none")[0] == pytest.approx(0.9)
    assert mix([_impulses(0.9), _impulses(0.9)], "none")[0] == pytest.approx(PEAK_LIMIT)


def test_the_shorter_part_ends_in_zeros():
    short, long = tone(300, 0.1), tone(500, 0.3)
    mixed = mix([short, long], "none")
    assert mixed.size == long.size
    np.testing.assert_array_equal(mixed[short.size :], long[short.size :])
    assert mixed.dtype == np.float32


def test_the_gains_that_are_told_make_the_sum():
    parts = [tone(300, 0.2, 0.9), tone(500, 0.3, 0.4), tone(700, 0.1, 0.6)]
    mixed = mix_parts(parts, "set", set_peak=0.95, gains_db=(3.0, -2.0, 0.0))
    expected = np.zeros(parts[1].size)
    for part, gain in zip(parts, mixed.gains, strict=True):
        expected[: part.size] += gain * part
    np.testing.assert_allclose(mixed.waveform, expected, atol=1e-6)


def test_a_gain_is_in_decibels_over_the_normalized_part():
    mixed = mix([_impulses(0.4, 0.0), _impulses(0.0, 0.1)], "pair", gains_db=(0.0, 20 * np.log10(2)))
    np.testing.assert_allclose(mixed, [0.1, 0.2], rtol=1e-6)


def test_a_silent_part_is_refused_by_its_number():
    with pytest.raises(SilentClipError, match="part 2 of 2 is silent"):
        mix([_impulses(0.5, 0.1), np.zeros(2, np.float32)])
    with pytest.raises(SilentClipError, match="part 1 and 2 of 3"):
        mix([_impulses(0.0), _impulses(0.0), _impulses(0.1)], "set", set_peak=0.5)
    np.testing.assert_allclose(mix([_impulses(0.5), _impulses(0.0)], "none"), [0.5])


@pytest.mark.parametrize(("steps", "silent"), [(0.0, True), (1.0, True), (1.99, True), (2.0, False)])
def test_one_step_of_16_bits_is_dither_and_two_are_sound(steps, silent):
    assert is_silent(_impulses(0.0, -steps / 32768)) == silent
    assert SILENT_PEAK == 2 / 32768


def test_the_ringing_of_a_resampler_never_sets_the_volume_of_a_mixture():
    with pytest.raises(SilentClipError):
        mix([tone(440, 0.1), tone(440, 0.1, amplitude=1e-7)])


def test_a_set_peak_above_full_scale_is_what_resampling_makes():
    assert peak(mix([_impulses(0.5, 0.0), _impulses(0.0, 0.5)], "set", set_peak=1.02)) == pytest.approx(PEAK_LIMIT)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (([],), "nothing to mix"),
        (([_impulses(0.1)], "loudest"), "expected pair, set, none"),
        (([_impulses(0.1)], "set"), "highest peak of the data set"),
        (([_impulses(0.1)], "set", float("nan")), "highest peak of the data set"),
    ],
)
def test_what_cannot_be_mixed_is_refused(arguments, reason):
    with pytest.raises(ValueError, match=reason):
        mix(*arguments)

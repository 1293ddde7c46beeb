import numpy as np
import pytest

from train.layers.gammatone import erb_space, gammatone_filters


def test_centre_frequencies_rise_from_fmin_and_stay_below_fmax():
    frequencies = erb_space(100.0, 8000.0, 64)
    assert frequencies[0] == pytest.approx(100.0)
    assert np.all(np.diff(frequencies) > 0)
    assert frequencies[-1] < 8000.0


def test_each_filter_passes_its_centre_frequency_with_gain_one():
    filters = gammatone_filters(64, 512, 16_000)
    seconds = np.arange(512) / 16_000
    for frequency, taps in zip(erb_space(100.0, 8000.0, 64), filters, strict=True):
        assert np.abs(np.sum(taps * np.exp(2j * np.pi * frequency * seconds))) == pytest.approx(1.0, rel=1e-4)


def test_a_filter_answers_its_own_frequency_most():
    filters = gammatone_filters(64, 512, 16_000)
    response = np.abs(np.fft.rfft(filters, 16_384))
    peaks = response.argmax(axis=1) * 16_000 / 16_384
    centres = erb_space(100.0, 8000.0, 64)
    assert np.all(np.abs(peaks[5:-2] - centres[5:-2]) < 0.05 * centres[5:-2])


@pytest.mark.parametrize("changes", [{"fmin": 0.0}, {"fmin": 9000.0}, {"fmax": 9000.0}])
def test_impossible_filters_are_refused(changes):
    with pytest.raises(ValueError, match="gammatone filters"):
        gammatone_filters(**{"num_filters": 4, "num_taps": 64, "sample_rate": 16_000, **changes})

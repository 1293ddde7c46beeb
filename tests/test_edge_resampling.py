from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.audio.resampling import Resampler, resample, resampled_length
from edge_runtime.audio.wav_file import read_wav
from edge_runtime.scoring.measures import snr_db

RECORDINGS = Path(__file__).parents[1] / "../shared/data/android_app"
RATES = [(44_100, 16_000), (48_000, 16_000), (22_050, 16_000), (8_000, 16_000), (16_000, 44_100)]


def sine(hertz, rate, seconds=0.5):
    return np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate).astype(np.float32)


def inner(samples, edge=400):
    return samples[edge:-edge]


@pytest.mark.parametrize(("from_rate", "to_rate"), RATES)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_a_sine_below_the_lower_nyquist_is_the_same_sine_at_the_new_rate(from_rate, to_rate, share):
    hertz = share * min(from_rate, to_rate) / 2
    result = resample(sine(hertz, from_rate), from_rate, to_rate)

    assert np.abs(inner(result) - inner(sine(hertz, to_rate))).max() < 2e-5


@pytest.mark.parametrize(("from_rate", "to_rate"), [(44_100, 16_000), (48_000, 16_000), (22_050, 16_000)])
@pytest.mark.parametrize("share", [1.0, 1.1, 1.3])
def test_a_sine_above_the_new_nyquist_is_80_decibels_down(from_rate, to_rate, share):
    result = resample(sine(share * to_rate / 2 + 1, from_rate), from_rate, to_rate)

    assert np.abs(inner(result)).max() < 1e-4


def test_a_constant_stays_that_constant():
    result = resample(np.full(4000, 0.5, np.float32), 44_100, 16_000)

    np.testing.assert_allclose(inner(result), 0.5, atol=1e-7)


def test_equal_rates_return_the_samples_untouched():
    samples = sine(440, 16_000)

    assert np.array_equal(resample(samples, 16_000, 16_000), samples)


@pytest.mark.parametrize(
    ("num_samples", "from_rate", "to_rate", "expected"),
    [(1, 44_100, 16_000, 1), (44_100, 44_100, 16_000, 16_000), (44_101, 44_100, 16_000, 16_001), (3, 8000, 16_000, 6)],
)
def test_the_length_is_rounded_up(num_samples, from_rate, to_rate, expected):
    assert resampled_length(num_samples, from_rate, to_rate) == expected
    assert resample(np.zeros(num_samples, np.float32), from_rate, to_rate).size == expected


@settings(max_examples=30, deadline=None)
@given(
    rates=st.sampled_from([*RATES, (16_000, 16_000), (7, 3)]),
    num_samples=st.integers(0, 3000),
    cuts=st.lists(st.integers(0, 3000), max_size=6),
    seed=st.integers(0, 1000),
)
def test_blocks_of_any_size_give_bit_for_bit_what_one_call_gives(rates, num_samples, cuts, seed):
    samples = np.random.default_rng(seed).normal(0, 0.3, num_samples).astype(np.float32)
    resampler = Resampler(*rates)
    pieces = [resampler.push(block) for block in np.split(samples, sorted(min(cut, num_samples) for cut in cuts))]

    streamed = np.concatenate([*pieces, resampler.finish()])

    assert streamed.dtype == np.float32
    assert streamed.tobytes() == resample(samples, *rates).tobytes()


def test_a_long_stream_is_not_kept_in_memory():
    resampler = Resampler(44_100, 16_000)
    for _ in range(50):
        resampler.push(np.zeros(4410, np.float32))

    assert resampler._kept.size < 4410


@pytest.mark.parametrize("rates", [(0, 16_000), (16_000, -1)])
def test_a_rate_below_one_is_refused(rates):
    with pytest.raises(ValueError, match="expected at least 1"):
        Resampler(*rates)


def test_integers_are_refused():
    with pytest.raises(ValueError, match="int16"):
        resample(np.zeros(10, np.int16), 8000, 16_000)


def test_band_limited_recordings_agree_with_soxr():
    soxr = pytest.importorskip("soxr", reason="soxr comes with the train extra")
    paths = [path for path in sorted(RECORDINGS.glob("*/*.wav")) if read_wav(path)[1] == 44_100]
    if not paths:
        pytest.skip("the real recordings are not beside this checkout")
    for path in paths:
        waveform, rate = read_wav(path)
        spectrum = np.fft.rfft(waveform.astype(np.float64))
        spectrum[np.fft.rfftfreq(waveform.size, 1 / rate) > 6800] = 0  # where the two pass bands are flat
        limited = np.fft.irfft(spectrum, waveform.size).astype(np.float32)
        expected = soxr.resample(limited, rate, 16_000, quality="HQ")

        assert snr_db(inner(expected), inner(resample(limited, rate, 16_000)[: expected.size])) > 60.0


def test_a_ratio_whose_filters_would_fill_the_memory_is_refused():
    with pytest.raises(ValueError, match=r"ratio 16000 to 1999999, which takes filters of .* GB; resample"):
        Resampler(1_999_999, 16_000)
    assert resample(np.zeros(4410, np.float32), 44_101, 16_000).size == 1600

import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE, tone

from train.checks.bandwidth import bandwidth
from train.checks.clip_measures import SILENCE_FLOOR_DBFS, count_clipped, measure_clip, to_dbfs


def _noise(seconds=1.0, sample_rate=SAMPLE_RATE, amplitude=0.1, seed=0):
    return (amplitude * np.random.default_rng(seed).standard_normal(int(seconds * sample_rate))).astype(np.float32)


def _measured(tmp_path, samples, sample_rate=SAMPLE_RATE):
    soundfile.write(tmp_path / "clip.wav", samples, sample_rate)
    return measure_clip(tmp_path / "clip.wav")


def test_level_peak_and_offset_of_a_sine_are_as_by_hand(tmp_path):
    measured = _measured(tmp_path, tone(1000, 1.0, amplitude=0.5) + np.float32(0.25))
    assert measured.peak_dbfs == pytest.approx(-6.02, abs=0.01)
    assert measured.rms_dbfs == pytest.approx(-9.03, abs=0.01)
    assert measured.dc == pytest.approx(0.25, abs=1e-4)
    assert (measured.seconds, measured.sample_rate, measured.channels) == (1.0, SAMPLE_RATE, 1)


def test_nothing_at_all_has_the_lowest_level_and_no_bandwidth(tmp_path):
    measured = _measured(tmp_path, np.zeros(SAMPLE_RATE, np.float32))
    assert (measured.rms_dbfs, measured.peak_dbfs) == (SILENCE_FLOOR_DBFS, SILENCE_FLOOR_DBFS)
    assert measured.bandwidth_hz == 0.0


@pytest.mark.parametrize(
    ("samples", "count"),
    [
        ([1.0, 1.0, 1.0], 3),
        ([1.0, 1.0, 0.5, 1.0, 1.0], 0),  # two in a row can be an honest maximum
        ([0.0, -1.0, -1.0, -1.0, -1.0, 0.0], 4),
        ([1.0, -1.0, 1.0, -1.0], 0),
        ([0.99] * 9, 0),
        ([], 0),
    ],
)
def test_only_rows_of_three_at_full_scale_are_clipped(samples, count):
    assert count_clipped(np.array(samples, np.float32)[:, None]) == count


def test_each_channel_is_looked_at_for_clipping():
    stereo = np.zeros((100, 2), np.float32)
    stereo[10:15, 1] = 1.0
    assert count_clipped(stereo) == 5


def test_white_noise_reaches_half_the_sample_rate():
    assert bandwidth(_noise(), SAMPLE_RATE) == SAMPLE_RATE / 2


@pytest.mark.parametrize("rate", [8_000, 11_025])
def test_a_recording_from_a_lower_rate_ends_at_half_of_that_rate(rate):
    import soxr

    upsampled = soxr.resample(_noise(2.0, rate), rate, SAMPLE_RATE, quality="HQ")
    sixteen_bits = np.round(upsampled * 32768) / 32768
    assert bandwidth(sixteen_bits.astype(np.float32), SAMPLE_RATE) == pytest.approx(rate / 2, abs=260)


def test_a_loud_bass_does_not_seem_to_reach_the_top():
    assert bandwidth(tone(100, 2.0, amplitude=0.9), SAMPLE_RATE) < 500


def test_the_same_samples_in_another_format_have_the_same_digest_and_at_another_rate_not(tmp_path):
    samples = np.round(_noise() * 32768) / 32768
    soundfile.write(tmp_path / "a.wav", samples, SAMPLE_RATE)
    soundfile.write(tmp_path / "b.flac", samples, SAMPLE_RATE)
    soundfile.write(tmp_path / "c.wav", samples, 22_050)
    one, same, other = (measure_clip(tmp_path / name).digest for name in ("a.wav", "b.flac", "c.wav"))
    assert one == same != other


def test_a_clip_of_a_few_samples_can_be_measured(tmp_path):
    measured = _measured(tmp_path, np.array([0.5, -0.5, 0.5], np.float32))
    assert measured.fingerprint.words.size == 0
    assert measured.seconds == pytest.approx(3 / SAMPLE_RATE)


def test_amplitudes_in_db():
    assert to_dbfs(1.0) == 0.0
    assert to_dbfs(0.1) == pytest.approx(-20.0)
    assert to_dbfs(0.0) == SILENCE_FLOOR_DBFS

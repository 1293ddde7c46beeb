import hashlib

import numpy as np
import pytest
import soundfile
import soxr
from conftest import SAMPLE_RATE, tone

from train.checks.bandwidth import BandwidthMeter, bandwidth
from train.checks.clip_measures import SILENCE_FLOOR_DBFS, ClippingMeter, count_clipped, measure_clip, to_dbfs
from train.checks.fingerprint import fingerprint
from train.recordings.decoding.decoded_blocks import DecodedBlocks


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


@pytest.mark.parametrize("seconds", [0.02, 3.0, 9.7])
def test_measures_in_blocks_are_those_of_the_whole(tmp_path, monkeypatch, seconds):
    """Against the plain formulas over all samples at once, with blocks far shorter than the recording."""
    stereo = np.stack([_noise(seconds, seed=1) + 0.03, 0.5 * _noise(seconds, seed=2)], axis=1)
    stereo[-200:-100, 0] = 1.0
    stereo[5:17, 1] = -1.0
    soundfile.write(tmp_path / "a.wav", stereo, SAMPLE_RATE)
    stored, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    monkeypatch.setattr(DecodedBlocks.frames, "__defaults__", (37,) if seconds < 1 else (4001,))
    measured = measure_clip(tmp_path / "a.wav")

    mono = stored.mean(axis=1, dtype=np.float64).astype(np.float32)
    swing = mono - mono.mean(dtype=np.float64)
    assert measured.dc == pytest.approx(mono.mean(dtype=np.float64), abs=1e-9)
    assert measured.peak_dbfs == pytest.approx(20 * np.log10(np.abs(swing).max()), abs=1e-5)
    assert measured.rms_dbfs == pytest.approx(10 * np.log10(np.mean(swing**2)), abs=1e-5)
    assert measured.clipped_samples == 112
    assert measured.digest == hashlib.sha256(f"{SAMPLE_RATE}:".encode() + mono.tobytes()).hexdigest()
    assert measured.bandwidth_hz == bandwidth(swing.astype(np.float32), SAMPLE_RATE)
    expected = fingerprint(soxr.resample(mono, SAMPLE_RATE, 8_000, quality="HQ"))
    assert np.array_equal(measured.fingerprint.words, expected.words)
    assert np.array_equal(measured.fingerprint.telling, expected.telling)
    assert measured.windows == max(1, int(seconds / 2))


def test_a_row_at_full_scale_that_two_blocks_share_is_counted_once_and_whole(tmp_path):
    meter = ClippingMeter(1)
    for block in ([0.0, 1.0], [1.0], [1.0, 0.0, 1.0], [1.0, 0.5]):
        meter.add(np.array(block, np.float32)[:, None])

    assert meter.result() == 3


def test_an_offset_that_only_the_end_shows_does_not_widen_the_band(tmp_path):
    steady = np.r_[np.zeros(20_000), np.full(60_000, 0.1)].astype(np.float32)
    meter = BandwidthMeter(SAMPLE_RATE)
    for block in np.array_split(steady[20_000:] - 0.0, 9):
        meter.add(block)

    assert meter.result(0.1) == 0.0

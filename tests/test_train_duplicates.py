import io

import numpy as np
import pytest
import soundfile
import soxr
from conftest import tone

from train.checks.duplicates import Duplicate, find_duplicates, groups_with_duplicates
from train.checks.fingerprint import HOP_LENGTH, SAMPLE_RATE, aligned_correlation, bit_error_rate, fingerprint
from train.checks.fingerprint_meetings import meetings

CD_RATE = 44_100  # Hz


def _recording(seed, seconds=4.0, sample_rate=CD_RATE):
    """Bursts of noise of random colour and level, as of a busy kitchen, float32."""
    rng = np.random.default_rng(seed)
    samples = np.zeros(int(seconds * sample_rate), np.float32)
    for _ in range(40):
        length = int(rng.uniform(0.05, 0.4) * sample_rate)
        start = int(rng.integers(samples.size - length))
        burst = rng.standard_normal(length) * np.hanning(length)
        burst *= np.sin(2 * np.pi * rng.uniform(300, 3000) * np.arange(length) / sample_rate)
        samples[start : start + length] += (rng.uniform(0.02, 0.15) * burst).astype(np.float32)
    return samples


def _as_heard(samples, sample_rate):
    return soxr.resample(samples, sample_rate, SAMPLE_RATE, quality="HQ").astype(np.float32)


def _through(format_name, subtype):
    def code(samples):
        file = io.BytesIO()
        soundfile.write(file, samples, CD_RATE, format=format_name, subtype=subtype)
        file.seek(0)
        return soundfile.read(file, dtype="float32")

    return code


COPIES = {
    "quieter, in 16 bits": lambda samples: ((np.round(samples * 0.1 * 32768) / 32768).astype(np.float32), CD_RATE),
    "at 22.05 kHz": lambda samples: (soxr.resample(samples, CD_RATE, 22_050), 22_050),
    "at 16 kHz, upside down": lambda samples: (soxr.resample(-samples, CD_RATE, 16_000), 16_000),
    "as Ogg Vorbis": _through("OGG", "VORBIS"),
    "as MP3": _through("MP3", "MPEG_LAYER_III"),
    "cut at both ends": lambda samples: (samples[int(0.37 * CD_RATE) : int(3.2 * CD_RATE)], CD_RATE),
}


def _found(waveforms):
    digests = [str(place) for place in range(len(waveforms))]
    return find_duplicates(digests, [fingerprint(one) for one in waveforms], lambda place, a, b: waveforms[place][a:b])


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_is_found_and_two_other_recordings_are_not(copy):
    original = _recording(1)
    waveforms = [_as_heard(*COPIES[copy](original)), *(_as_heard(_recording(seed), CD_RATE) for seed in (1, 2, 3))]
    assert [(pair.first, pair.second, pair.exact) for pair in _found(waveforms)] == [(0, 1, False)]


def test_a_copy_says_how_alike_and_how_long_it_is():
    waveform = _as_heard(_recording(4), CD_RATE)
    (pair,) = _found([waveform, waveform[SAMPLE_RATE:]])
    assert pair.correlation > 0.9
    assert 1.5 < pair.seconds <= 3.0


def test_forty_recordings_have_no_pair():
    assert _found([_as_heard(_recording(seed, 2.0, 16_000), 16_000) for seed in range(40)]) == []


def test_the_same_hum_in_two_recordings_is_no_copy():
    rng = np.random.default_rng(5)
    hum = sum(tone(50 * k, 4.0, 0.2 / k, SAMPLE_RATE) for k in range(6, 40))
    waveforms = [hum + 0.01 * rng.standard_normal(hum.size).astype(np.float32) for _ in range(2)]
    assert _found(waveforms) == []


def test_silence_and_steady_tones_are_not_compared():
    for waveform in (np.zeros(4 * SAMPLE_RATE, np.float32), tone(700, 4.0, sample_rate=SAMPLE_RATE)):
        assert fingerprint(waveform).telling_seconds < 0.2
        assert _found([waveform, waveform.copy()]) == []


def test_equal_samples_are_exact_whatever_their_structure_and_are_named_once_with_the_first():
    print_of = fingerprint(np.zeros(100, np.float32))
    found = find_duplicates(["a", "b", "a", "a"], [print_of] * 4, lambda place: pytest.fail("nothing to compare"))
    assert found == [Duplicate(0, 2, True), Duplicate(0, 3, True)]


def test_nothing_has_no_duplicates():
    assert find_duplicates([], [], lambda place: np.zeros(0)) == []


def test_unrelated_recordings_differ_in_half_of_their_bits():
    one, other = (fingerprint(_as_heard(_recording(seed), CD_RATE)) for seed in (6, 7))
    errors, frames = bit_error_rate(one, other, 0)
    assert frames > 90
    assert errors == pytest.approx(0.5, abs=0.05)
    assert bit_error_rate(one, one, 0)[0] == 0.0


def test_a_shift_counts_frames_from_the_first_to_the_second():
    waveform = _as_heard(_recording(8), CD_RATE)
    late = np.concatenate([np.zeros(10 * HOP_LENGTH, np.float32), waveform])
    assert bit_error_rate(fingerprint(waveform), fingerprint(late), 10)[0] < 0.05
    assert aligned_correlation(waveform, late, 10) > 0.9
    assert aligned_correlation(late, waveform, -10) > 0.9
    assert aligned_correlation(waveform, late, -10) < 0.3


@pytest.mark.parametrize("shift", [-10_000, 10_000])
def test_recordings_that_do_not_meet_have_nothing_in_common(shift):
    one = fingerprint(_as_heard(_recording(9), CD_RATE))
    assert bit_error_rate(one, one, shift) == (1.0, 0)


def test_groups_that_share_audio_become_one_through_others_too():
    pairs = [Duplicate(3, 1, True), Duplicate(1, 0, False), Duplicate(4, 5, True)]
    pairs = [Duplicate(min(p.first, p.second), max(p.first, p.second), p.exact) for p in pairs]
    assert groups_with_duplicates(list("abcdef"), pairs) == ["a", "a", "c", "a", "e", "e"]
    assert groups_with_duplicates(["x", "x", "y"], [Duplicate(1, 2, True)]) == ["x", "x", "x"]


def test_many_near_copies_are_all_joined_without_each_being_compared_with_each(monkeypatch):
    monkeypatch.setattr("train.checks.duplicates._MOST_PAIRS", 2)
    rng = np.random.default_rng(6)
    quiet = 0.1 * rng.standard_normal(2 * SAMPLE_RATE) * (1 + 0.8 * np.sin(np.arange(2 * SAMPLE_RATE) / 900))
    copies = [(quiet + 1e-3 * rng.standard_normal(quiet.size)).astype(np.float32) for _ in range(30)]
    prints = [fingerprint(copy) for copy in copies]
    loaded = []

    def load(place, first, last):
        loaded.append(place)
        return copies[place][first:last]

    pairs = find_duplicates([str(place) for place in range(30)], prints, load)
    assert len(meetings(prints)) > 150
    assert len(loaded) == 2 * len(pairs) < 2 * 90
    assert len(set(groups_with_duplicates([str(place) for place in range(30)], pairs))) == 1

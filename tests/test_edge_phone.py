import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_tflite import tiny_classifier, tiny_spec

from edge_runtime.audio.resampling import resample
from edge_runtime.model.classifier import Classifier
from edge_runtime.phone.audio_record import BlockRecording
from edge_runtime.phone.harness import AudioRecord, PhoneHarness, TensorAudio, displayed, offline_windows, to_shorts
from edge_runtime.phone.offline_check import compare_with_offline
from metadata.packing.packed_model import pack_model

RATE = 16_000
WINDOW = 16_000


def shorts(num_samples, seed=0):
    return np.random.default_rng(seed).integers(-32768, 32768, num_samples).astype(np.int16)


def floats(*values):
    return np.array(values, np.float32)


@pytest.fixture(scope="module")
def classifier():
    return Classifier(pack_model(tiny_classifier(WINDOW), tiny_spec(window_length=WINDOW)))


def test_the_ring_is_zero_before_anything_was_loaded():
    assert TensorAudio(4).window().tolist() == [0, 0, 0, 0]


def test_the_ring_keeps_the_newest_samples_oldest_first():
    audio = TensorAudio(4)
    seen = []
    for block in (floats(1), floats(2, 3), floats(4, 5), floats(), floats(6, 7, 8, 9, 10, 11), floats(12, 13, 14, 15)):
        audio.load_float(block)
        seen.append(audio.window().tolist())

    assert seen == [
        [0, 0, 0, 1],
        [0, 1, 2, 3],
        [2, 3, 4, 5],
        [2, 3, 4, 5],
        [8, 9, 10, 11],
        [12, 13, 14, 15],
    ]


@settings(deadline=None)
@given(length=st.integers(1, 20), blocks=st.lists(st.integers(0, 50), max_size=12))
def test_the_ring_is_always_the_end_of_everything_loaded(length, blocks):
    audio, everything = TensorAudio(length), np.zeros(length, np.float32)
    for number, size in enumerate(blocks):
        block = np.arange(size, dtype=np.float32) + 100 * number + 1
        audio.load_float(block)
        everything = np.concatenate([everything, block])

    assert np.array_equal(audio.window(), everything[-length:])


def test_shorts_are_divided_by_32767_and_microphone_floats_by_32768():
    recording = np.array([-32768, 16384, 32767], np.int16)
    audio = TensorAudio(3)
    audio.load_short(recording)
    record = AudioRecord(recording, RATE, 10)

    assert audio.window().tolist() == [
        np.float32(-32768 / 32767),
        np.float32(16384 / 32767),
        1.0,
    ]
    assert record.read(1.0).tolist() == [-1.0, 0.5, 32767 / 32768]


@pytest.mark.parametrize(
    ("times", "sizes", "lost"),
    [
        ([0.0, 0.5, 1.0], [0, 50, 50], 0),
        ([0.2, 0.2, 0.21], [20, 0, 1], 0),
        ([0.8], [80], 0),
        ([0.81, 1.0], [80, 19], 1),
        ([1.0, 2.0], [80, 80], 40),
        ([9.0], [80], 120),
    ],
)
def test_the_microphone_gives_what_arrived_and_counts_what_its_buffer_lost(times, sizes, lost):
    record = AudioRecord(np.arange(200, dtype=np.int16), 100, 80, pcm="int16")
    pieces = [record.read(time) for time in times]

    assert [piece.size for piece in pieces] == sizes
    assert record.lost_samples == lost


def test_a_full_buffer_keeps_what_it_has():
    record = AudioRecord(np.arange(200, dtype=np.int16), 100, 80, pcm="int16")

    assert record.read(1.0).tolist() == list(range(80))
    assert record.read(1.5).tolist() == list(range(100, 150))


def test_a_read_cannot_go_back_in_time():
    record = AudioRecord(shorts(100), 100, 80)
    record.read(0.5)
    with pytest.raises(ValueError, match="time went back"):
        record.read(0.4)


def test_sixteen_bit_recordings_survive_the_way_through_floats():
    everything = np.arange(-32768, 32768).astype(np.int16)

    assert np.array_equal(to_shorts(everything.astype(np.float32) / 32768), everything)


def test_floats_beyond_full_scale_are_clipped_and_halves_rounded():
    assert to_shorts(floats(1.0, 2.0, -2.0, 0.6 / 32768)).tolist() == [32767, 32767, -32768, 1]


def test_nan_never_becomes_a_sample():
    with pytest.raises(ValueError, match="NaN"):
        to_shorts(floats(0.0, np.nan))


@pytest.mark.parametrize(
    ("num_samples", "times"),
    [
        (1, [0.0, 0.5]),
        (7999, [0.0, 0.5]),
        (8000, [0.0, 0.5]),
        (8001, [0.0, 0.5, 1.0]),
        (40_000, [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]),
    ],
)
def test_ticks_begin_at_once_and_end_when_the_last_sample_was_heard(classifier, num_samples, times):
    recording = shorts(num_samples)
    run = PhoneHarness(classifier=classifier).run(recording, RATE, keep_windows=True)

    assert run.times_seconds.tolist() == times
    assert run.scores.shape == (len(times), 3)
    assert len(run.decisions) == len(times)
    assert not run.windows[0].any()
    heard = min(num_samples, WINDOW)
    assert np.array_equal(run.windows[-1][-heard:], (recording / 32768).astype(np.float32)[-heard:])
    assert not run.windows[-1][: WINDOW - heard].any()


@pytest.mark.parametrize("pcm", ["float", "int16"])
@pytest.mark.parametrize("late", [0.0, 0.9])
@pytest.mark.parametrize("num_samples", [1, 5000, 16_000, 53_211])
def test_the_phone_hears_bit_for_bit_what_is_cut_offline(classifier, pcm, late, num_samples):
    recording = shorts(num_samples)
    harness = PhoneHarness(classifier=classifier, pcm=pcm, max_late_seconds=late)
    run = harness.run(recording, RATE, np.random.default_rng(5), keep_windows=True)
    windows = offline_windows(recording, run.times_seconds, RATE, WINDOW, pcm)

    assert run.lost_samples == 0
    assert run.windows.tobytes() == windows.tobytes()
    assert run.scores.tobytes() == np.stack([classifier.scores(window) for window in windows]).tobytes()


@settings(max_examples=40, deadline=None)
@given(num_samples=st.integers(1, 4000), ticks=st.floats(0.01, 0.7), late=st.floats(0.0, 0.5), seed=st.integers(0, 99))
def test_windows_are_equal_for_any_length_and_tick(num_samples, ticks, late, seed):
    rate, window = 1000, 600  # the buffer lasts 1.2 s
    harness = PhoneHarness(classifier=_Echo(rate, window), tick_seconds=ticks, max_late_seconds=late)
    run = harness.run(shorts(num_samples, seed), rate, np.random.default_rng(seed), keep_windows=True)
    windows = offline_windows(shorts(num_samples, seed), run.times_seconds, rate, window)

    assert run.lost_samples == 0
    assert run.times_seconds[-1] >= num_samples / rate - 1e-9
    assert run.windows.tobytes() == windows.tobytes()


def test_ticks_later_than_the_buffer_lasts_lose_samples_and_say_how_many():
    recording = shorts(10_000)
    harness = PhoneHarness(classifier=_Echo(1000, 600), tick_seconds=1.5)
    run = harness.run(recording, 1000, keep_windows=True)

    assert run.lost_samples == 6 * 300  # six ticks of 1.5 s over a buffer of 1.2 s; the seventh brings 1 s
    assert not np.array_equal(run.windows, offline_windows(recording, run.times_seconds, 1000, 600))


def test_a_window_shorter_than_half_a_tick_fails_the_comparison():
    comparison = compare_with_offline(_Echo(1000, 200), shorts(3000), 1000)

    assert comparison.lost_samples > 0
    assert comparison.unequal_windows > 0


def test_late_ticks_need_a_generator(classifier):
    with pytest.raises(ValueError, match="without a generator"):
        PhoneHarness(classifier=classifier, max_late_seconds=0.1).run(shorts(100), RATE)


@pytest.mark.parametrize("recording", [np.zeros(0, np.int16), np.zeros(10, np.float32), np.zeros((2, 10), np.int16)])
def test_what_no_microphone_delivers_is_refused(classifier, recording):
    with pytest.raises(ValueError, match="expected int16 samples"):
        PhoneHarness(classifier=classifier).run(recording, RATE)


@pytest.mark.parametrize("settings", [{"tick_seconds": 0.0}, {"tick_seconds": math.nan}, {"max_late_seconds": -0.1}])
def test_impossible_ticks_are_refused(classifier, settings):
    with pytest.raises(ValueError, match="expected a positive tick"):
        PhoneHarness(classifier=classifier, **settings)


def test_the_app_shows_the_highest_first_and_leaves_out_what_is_next_to_nothing():
    scores = floats(1e-8, 0.25, 0.5, 0.25)

    assert displayed(scores, ("a", "b", "c", "d")) == [("c", 0.5), ("b", 0.25), ("d", 0.25)]


class _Echo(Classifier):
    """Stands for a classifier whose scores are the ends of its window."""

    def __init__(self, sample_rate, window_length):
        self.spec = tiny_spec(sample_rate=sample_rate, window_length=window_length, labels=("first", "last"))

    def load_input(self, features):
        self._window = features.reshape(-1)

    def invoke(self):
        pass

    def read_scores(self):
        return self._window[[0, -1]]


def test_a_recording_of_another_rate_is_resampled_as_the_microphone_of_the_model_hears_it(classifier):
    tone = (10_000 * np.sin(2 * np.pi * 440 * np.arange(2 * 44_100) / 44_100)).astype(np.int16)
    harness = PhoneHarness(classifier=classifier)
    heard = harness.run(tone, 44_100, keep_windows=True)
    expected = harness.run(to_shorts(resample(tone / np.float32(32768), 44_100, RATE)), RATE, keep_windows=True)

    assert np.array_equal(heard.times_seconds, expected.times_seconds)
    assert np.array_equal(heard.windows, expected.windows)
    blocks = BlockRecording(np.array_split(tone, 7), tone.size, 44_100)
    ticks = [tick.window for tick in harness.ticks(blocks)]
    assert np.array_equal(np.stack(ticks), expected.windows)


def test_a_recording_without_its_rate_is_refused(classifier):
    harness = PhoneHarness(classifier=classifier)
    with pytest.raises(TypeError, match="sample_rate"):
        harness.run(shorts(100))
    with pytest.raises(ValueError, match="sample rate of the recording is missing"):
        list(harness.ticks(shorts(100)))
    with pytest.raises(ValueError, match="sample_rate is 8000 Hz and the recording has 16000 Hz"):
        list(harness.ticks(BlockRecording([shorts(100)], 100, 16_000), 8_000))

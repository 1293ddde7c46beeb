import json

import numpy as np
import pytest
from tiny_tflite import tiny_classifier, tiny_spec

from edge_runtime.bench.sustained import SystemClock, endless_microphone, run_sustained
from edge_runtime.model.classifier import Classifier
from metadata.packing.packed_model import pack_model

STATE = {"temperature_celsius": 50.0, "throttled": None}


@pytest.fixture(scope="module")
def classifier():
    return Classifier(pack_model(tiny_classifier(), tiny_spec()))


class FakeClock:
    """Time that passes only while somebody waits or works."""

    def __init__(self):
        self.time = 1000.0

    def now(self):
        return self.time

    def sleep_until(self, seconds):
        self.time = max(self.time, seconds)


class Working:
    """A classifier that takes as long as it is told, tick by tick; the last time goes on."""

    def __init__(self, classifier, clock, seconds):
        self._classifier, self._clock, self._seconds = classifier, clock, list(seconds)
        self.heard = []

    def __getattr__(self, name):
        return getattr(self._classifier, name)

    def scores(self, window):
        self.heard.append(np.array(window))
        self._clock.time += self._seconds.pop(0) if len(self._seconds) > 1 else self._seconds[0]
        return self._classifier.scores(window)


def run(classifier, seconds, work, recording=None):
    clock = FakeClock()
    working = Working(classifier, clock, work)
    shorts = np.arange(1, 48_001, dtype=np.int16) if recording is None else recording
    return run_sustained(
        working, shorts, working.spec.sample_rate, seconds, clock=clock, read_state=lambda: STATE
    ), working


def test_a_quick_model_misses_no_tick(classifier):
    found, _ = run(classifier, 60.0, [0.1])

    assert (found.num_ticks, found.missed_ticks, found.skipped_ticks, found.lost_samples) == (120, 0, 0, 0)
    assert found.tick_times_seconds[:3] == (0.5, 1.0, 1.5)
    assert found.end_to_end.p50_ms == pytest.approx(100.0)
    assert found.start_delay.max_ms == pytest.approx(0.0, abs=1e-6)


def test_a_label_after_the_next_tick_was_due_is_missed_and_puts_off_no_other(classifier):
    # Tick 2 (due at 1.0 s) is done at 1.6: late. Tick 3 begins 0.1 s late and is in time, tick 4 on time.
    found, _ = run(classifier, 2.0, [0.1, 0.6, 0.1, 0.1])

    assert (found.num_ticks, found.missed_ticks, found.skipped_ticks) == (4, 1, 0)
    assert found.tick_times_seconds == (0.5, 1.0, 1.5, 2.0)
    assert found.start_delay.samples_ms == pytest.approx((0.0, 0.0, 100.0, 0.0), abs=1e-6)


def test_ticks_that_pass_while_the_model_works_are_skipped_and_missed(classifier):
    # Tick 1 (0.5 s) is done at 2.2: late, ticks 2 (1.0) and 3 (1.5) are passed over, tick 4 (2.0) begins at 2.2.
    found, _ = run(classifier, 3.0, [1.7, 0.1])

    assert found.tick_times_seconds == (0.5, 2.0, 2.5, 3.0)
    assert (found.num_ticks, found.missed_ticks, found.skipped_ticks) == (6, 3, 2)


def test_a_model_slower_than_the_tick_misses_all_and_no_tick_behind_the_end_counts(classifier):
    found, _ = run(classifier, 5.0, [20.0])

    assert (found.num_ticks, found.missed_ticks, found.skipped_ticks) == (10, 10, 9)
    assert found.tick_times_seconds == (0.5,)


def test_a_label_exactly_when_the_next_tick_is_due_is_too_late(classifier):
    assert run(classifier, 1.0, [0.5])[0].missed_ticks == 2
    assert run(classifier, 1.0, [0.4375])[0].missed_ticks == 0


def test_the_model_hears_the_newest_samples_of_the_ring_buffer_and_the_recording_again_from_its_beginning(classifier):
    recording = np.arange(1, 24_001, dtype=np.int16)  # 1.5 s
    _, working = run(classifier, 2.5, [0.1], recording)
    played = np.tile(recording, 2)[: int(2.5 * 16_000)].astype(np.float32) / 32768

    assert np.array_equal(working.heard[0], np.concatenate([np.zeros(24_000, np.float32), played[:8_000]]))
    assert np.array_equal(working.heard[4], played[8_000:40_000])


def test_the_state_of_the_machine_is_noted_every_ten_seconds_and_only_where_there_is_time(classifier):
    found, _ = run(classifier, 31.0, [0.1])
    busy, _ = run(classifier, 31.0, [0.45])

    assert [state["seconds"] for state in found.states] == pytest.approx([0.6, 10.6, 20.6, 30.6])
    assert found.states[0]["temperature_celsius"] == 50.0
    assert busy.states == ()


def test_what_the_buffer_cannot_hold_is_lost():
    microphone = endless_microphone(np.arange(1, 101, dtype=np.int16), 1000, buffer_length=300)

    assert microphone.read(0.05).size == 50
    assert microphone.read(0.55).tolist() == [(1 + place % 100) / 32768 for place in range(50, 350)]
    assert microphone.lost_samples == 200
    assert microphone.read(0.551)[0] == np.float32(51 / 32768)  # time has gone on meanwhile


@pytest.mark.parametrize("seconds", [0.0, 0.4, -1.0, float("nan"), float("inf")])
def test_a_run_without_a_tick_is_refused(classifier, seconds):
    with pytest.raises(ValueError, match="expected at least one tick"):
        run(classifier, seconds, [0.1])


def test_a_recording_that_is_not_int16_is_refused(classifier):
    with pytest.raises(ValueError, match="expected int16"):
        run(classifier, 1.0, [0.1], np.zeros(100, np.float32))


def test_the_machines_own_clock_waits():
    clock = SystemClock()
    until = clock.now() + 0.01
    clock.sleep_until(until)

    assert clock.now() >= until


def test_real_time_ticks_run_and_are_a_json_document(classifier):
    found = run_sustained(classifier, np.ones(100, np.int16), classifier.spec.sample_rate, 0.2, tick_seconds=0.05)

    assert found.num_ticks == 4
    assert len(found.end_to_end.samples_ms) == 4 - found.skipped_ticks
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["num_ticks"] == 4

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_tflite import tiny_classifier, tiny_spec

from edge_runtime.listen.listener import Listener, ListenSettings
from edge_runtime.model.classifier import Classifier
from edge_runtime.phone.harness import PhoneHarness
from metadata import MelFrontEnd
from metadata.packing.packed_model import pack_model

RATE = 16_000
MEL = MelFrontEnd(inside_model=False, n_fft=512, hop_length=250, win_length=512, n_mels=20)


def shorts(num_samples, seed=0):
    return np.random.default_rng(seed).integers(-32768, 32768, num_samples).astype(np.int16)


def packed(window_length=16_000, **changes):
    spec = tiny_spec(window_length=window_length, **changes)
    activation = spec.activation
    if spec.input_is_waveform:
        return Classifier(pack_model(tiny_classifier(window_length, len(spec.labels), activation=activation), spec))
    shape = (1, spec.front_end.n_mels, 1 + window_length // spec.front_end.hop_length, 1)
    return Classifier(pack_model(tiny_classifier(input_shape=shape, activation=activation), spec))


@pytest.fixture(scope="module")
def waveform_model():
    return packed()


@pytest.fixture(scope="module")
def spectrogram_model():
    return packed(front_end=MEL)


def listen(listener, recording, cuts=()):
    ticks = [
        tick
        for block in np.split(recording, cuts)
        for tick in listener.push(block, listener.classifier.spec.sample_rate)
    ]
    last, events = listener.finish()
    return [*ticks, *last], events


class Scripted(Classifier):
    """Stands for a classifier whose scores at each tick are written down, with a window of two seconds."""

    def __init__(self, scores, labels=("a", "b"), activation="softmax"):
        self.spec = tiny_spec(window_length=32_000, labels=labels, activation=activation)
        self._scores = iter(scores)

    def load_input(self, window):
        pass

    def invoke(self):
        pass

    def read_scores(self):
        return np.array(next(self._scores), np.float32)


def events_of(scores, num_samples=None, activation="softmax", **changes):
    """Events as (label, start, end) of a stream whose ticks have these scores."""
    settings = ListenSettings(**{"smooth_seconds": 0.0, "min_duration_seconds": 0, "min_gap_seconds": 0, **changes})
    listener = Listener(Scripted(scores, activation=activation), settings)
    ticks, events = listen(listener, np.zeros(num_samples or 8000 * len(scores), np.int16))
    found = [event for tick in ticks for event in tick.events] + events
    return [(event.label, event.start_seconds, event.end_seconds) for event in found]


@settings(max_examples=25, deadline=None)
@given(
    num_samples=st.integers(1, 60_000),
    cuts=st.lists(st.integers(0, 60_000), max_size=6),
    pcm=st.sampled_from(["float", "int16"]),
    tick=st.sampled_from([0.5, 0.25, 0.3]),
    outside=st.booleans(),
)
def test_a_listener_hears_bit_for_bit_what_the_phone_does(
    waveform_model, spectrogram_model, num_samples, cuts, pcm, tick, outside
):
    classifier = spectrogram_model if outside else waveform_model
    recording = shorts(num_samples)
    listener = Listener(classifier, ListenSettings(pcm=pcm, tick_seconds=tick))
    ticks, _ = listen(listener, recording, sorted(min(cut, num_samples) for cut in cuts))
    phone = PhoneHarness(classifier=classifier, pcm=pcm, tick_seconds=tick).run(recording, classifier.spec.sample_rate)

    assert [tick.number for tick in ticks] == list(range(1, len(phone.scores)))
    assert np.stack([tick.scores for tick in ticks]).tobytes() == phone.scores[1:].tobytes()


def test_frames_of_a_spectrogram_model_are_reused_from_tick_to_tick(spectrogram_model):
    listener = Listener(spectrogram_model)
    listen(listener, shorts(80_000))

    assert listener.num_ticks == 10
    assert listener.frames.reused_frames > listener.frames.computed_frames / 2


@pytest.mark.parametrize(
    ("num_samples", "seconds"),
    [(0, []), (1, [1 / RATE]), (7999, [7999 / RATE]), (8000, [0.5]), (8001, [0.5, 8001 / RATE])],
)
def test_a_tick_falls_due_with_its_last_sample_and_one_hears_what_is_left(waveform_model, num_samples, seconds):
    ticks, _ = listen(Listener(waveform_model), shorts(num_samples))

    assert [tick.seconds for tick in ticks] == seconds


def test_an_event_is_where_the_sound_is_not_where_the_tick_told_of_it():
    """A window of 2 s that half holds the sound is where the scores turn, and so is its middle."""
    a, b = (0.9, 0.1), (0.1, 0.9)
    # 10 s of a, then b, as a model would score them that turns when half of its window is the other.
    scores = [a] * 22 + [b] * 10  # the tick at 11.0 s is the last with half of its window before 10 s

    assert events_of(scores) == [("a", 0.0, 10.25), ("b", 10.25, 16.0)]


def test_the_delay_of_smoothing_is_taken_off():
    a, b = (0.9, 0.1), (0.1, 0.9)
    scores = [a] * 22 + [b] * 10

    assert events_of(scores, smooth_seconds=1.5) == [("a", 0.0, 10.25), ("b", 10.25, 16.0)]


def test_events_at_the_beginning_follow_each_other_without_overlap():
    found = events_of([(0.9, 0.1), (0.1, 0.9), (0.9, 0.1), (0.1, 0.9)], smooth_seconds=0)
    ends = [end for _, _, end in found]

    assert found[0][1] == 0.0
    assert [start for _, start, _ in found[1:]] == ends[:-1]
    assert ends == sorted(ends)
    assert ends[-1] == 2.0


def test_an_open_event_lasts_until_the_stream_ends():
    assert events_of([(0.9, 0.1)] * 3, num_samples=17_000) == [("a", 0.0, 17_000 / RATE)]


def test_a_sigmoid_model_has_events_that_overlap_with_thresholds_from_its_spec():
    scores = [(0.0, 0.0)] * 6 + [(0.9, 0.0)] * 2 + [(0.9, 0.6)] * 2 + [(0.39, 0.45)] + [(0.0, 0.0)] * 3
    found = events_of(scores, activation="sigmoid")

    assert [label for label, _, _ in found] == ["a", "b"]
    (_, a_start, a_end), (_, b_start, b_end) = found
    assert a_start < b_start < a_end < b_end  # 0.39 is below four fifths of 0.5, 0.45 is not


def test_times_are_turned_into_ticks():
    settings = ListenSettings(tick_seconds=0.5, min_duration_seconds=1.2, min_gap_seconds=1.0)
    rules = settings.rules((0.5,), (0.4,), tiny_spec(activation="sigmoid"))

    assert (rules.min_ticks, rules.gap_ticks, rules.is_exclusive) == (3, 2, False)


@pytest.mark.parametrize(
    "changes",
    [
        {"tick_seconds": 0.0},
        {"tick_seconds": float("nan")},
        {"pcm": "int8"},
        {"smoothing": "median"},
        {"smooth_seconds": -1.0},
        {"min_duration_seconds": -0.1},
        {"min_gap_seconds": float("inf")},
    ],
)
def test_settings_that_make_no_sense_are_refused(changes):
    with pytest.raises(ValueError, match="expected"):
        ListenSettings(**changes)


def test_a_tick_below_one_sample_is_refused(waveform_model):
    with pytest.raises(ValueError, match="at least one sample"):
        Listener(waveform_model, ListenSettings(tick_seconds=1e-5))


def test_settings_do_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ListenSettings().pcm = "int16"


SILENCE, SPEECH = (0.9, 0.1), (0.1, 0.9)


@pytest.mark.parametrize("smooth_seconds", [0.0, 1.5])
@pytest.mark.parametrize("num_quiet", [1, 2])
def test_the_zeros_that_a_ring_buffer_begins_with_are_no_silence(smooth_seconds, num_quiet):
    """Speech from the first sample on: at 0.5 s and at 1 s zeros fill most of the window, and the model says so."""
    scores = [SILENCE] * num_quiet + [SPEECH] * 12
    found = events_of(scores, smooth_seconds=smooth_seconds, min_duration_seconds=1.0, min_gap_seconds=1.0)

    assert [label for label, _, _ in found] == ["b"]
    assert found[0][1] == pytest.approx(0.0, abs=0.75)
    assert found[0][2] == 0.5 * len(scores)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([SILENCE, SPEECH, (0.4, 0.6)]), min_size=1, max_size=24),
    st.sampled_from([0.0, 1.0, 1.5, 3.0]),
    st.sampled_from([0.0, 0.5, 1.0, 2.0]),
    st.sampled_from(["mean", "exponential"]),
    st.integers(0, 7999),
)
def test_no_event_is_shorter_than_was_asked_for_nor_outside_the_stream(scores, smooth, least, kind, cut):
    num_samples = 8000 * len(scores) - cut
    found = events_of(
        scores, num_samples, smooth_seconds=smooth, smoothing=kind, min_duration_seconds=least, min_gap_seconds=1.0
    )

    for _, start, end in found:
        assert end - start >= least - 1 / RATE
        assert 0.0 <= start <= end <= num_samples / RATE


def test_silence_that_is_there_from_the_beginning_is_an_event():
    found = events_of([SILENCE] * 8 + [SPEECH] * 8, smooth_seconds=1.5, min_duration_seconds=1.0, min_gap_seconds=1.0)

    assert [label for label, _, _ in found] == ["a", "b"]
    assert found[0][1] == 0.0
    assert found[0][2] == pytest.approx(found[1][1], abs=0.51)


def test_a_stream_of_less_than_half_a_window_is_still_heard():
    assert events_of([SPEECH], 7000) == [("b", 0.0, 7000 / RATE)]
    assert events_of([SPEECH, SPEECH], 15_000) == [("b", 0.0, 15_000 / RATE)]


def test_a_long_window_over_short_ticks_begins_with_no_false_event():
    """Five seconds of window: eight ticks of half a second hear more zeros than sound, or as many."""

    class Long(Scripted):
        def __init__(self, scores):
            super().__init__(scores)
            self.spec = tiny_spec(window_length=80_000, labels=("a", "b"))

    listener = Listener(Long([SILENCE] * 5 + [SPEECH] * 15), ListenSettings())
    ticks, events = listen(listener, np.zeros(160_000, np.int16))
    found = [event for tick in ticks for event in tick.events] + events

    assert [(event.label, event.end_seconds) for event in found] == [("b", 10.0)]
    assert len(ticks) == 20

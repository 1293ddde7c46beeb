import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.listen.event_detector import EventDetector, EventRules


def rules(num_labels=1, on=0.6, off=0.4, exclusive=False, min_ticks=1, gap_ticks=1):
    return EventRules(
        on=(on,) * num_labels,
        off=(off,) * num_labels,
        is_exclusive=exclusive,
        min_ticks=min_ticks,
        gap_ticks=gap_ticks,
    )


def detect(rules, scores):
    """Return (label, first, last) of every event, in the order they were given out."""
    detector = EventDetector(rules)
    found = [event for tick in scores for event in detector.push(tick)]
    return [(event.label, event.first, event.last) for event in found + detector.finish()]


def one(*scores, **settings):
    return [(first, last) for _, first, last in detect(rules(**settings), [[score] for score in scores])]


def winners(text, **settings):
    """Events of softmax scores in which the letter of each tick wins; a dot is nobody."""
    labels = "abc"
    scores = [[0.9 if letter == label else 0.05 for label in labels] for letter in text]
    return [(labels[label], first, last) for label, first, last in detect(rules(3, exclusive=True, **settings), scores)]


def test_an_event_begins_at_the_upper_threshold_and_ends_below_the_lower_one():
    assert one(0.5, 0.6, 0.5, 0.4, 0.39, 0.5, 0.59) == [(2, 4)]


def test_scores_between_the_thresholds_begin_nothing():
    assert one(0.59, 0.5, 0.41) == []


def test_a_score_of_float32_reaches_the_threshold_of_the_same_digits():
    assert one(np.float32(0.7), on=0.7, off=0.7) == [(1, 1)]


def test_an_event_that_is_open_when_the_stream_ends_is_given_out():
    assert one(0.0, 0.9, 0.9) == [(2, 3)]


@pytest.mark.parametrize(("min_ticks", "events"), [(0, [(2, 2), (4, 5)]), (2, [(4, 5)]), (3, [])])
def test_short_events_do_not_count(min_ticks, events):
    assert one(0, 1, 0, 1, 1, 0, min_ticks=min_ticks) == events


@pytest.mark.parametrize(("gap_ticks", "events"), [(0, [(1, 1), (3, 3), (6, 6)]), (2, [(1, 3), (6, 6)]), (3, [(1, 6)])])
def test_short_gaps_do_not_end_an_event(gap_ticks, events):
    assert one(1, 0, 1, 0, 0, 1, 0, 0, 0, gap_ticks=gap_ticks) == events


def test_gaps_are_closed_before_events_are_found_too_short():
    assert one(1, 0, 1, 0, 0, min_ticks=3, gap_ticks=2) == [(1, 3)]


def test_peak_and_mean_are_those_of_the_ticks_that_were_on():
    detector = EventDetector(rules(gap_ticks=2))
    for score in (0.7, 0.1, 0.9):
        detector.push([score])
    (event,) = detector.finish()

    assert (event.peak, event.mean, event.num_ticks) == (pytest.approx(0.9), pytest.approx(0.8), 2)


def test_an_event_is_given_out_as_soon_as_its_gap_is_over():
    detector = EventDetector(rules(gap_ticks=3))
    given = [len(detector.push([score])) for score in (1, 0, 0, 0, 0)]

    assert given == [0, 0, 0, 1, 0]
    assert detector.active == ()


def test_labels_of_a_sigmoid_model_overlap_and_have_thresholds_of_their_own():
    detector_rules = EventRules(on=(0.6, 0.2), off=(0.5, 0.1), is_exclusive=False)
    scores = [(0.5, 0.2), (0.6, 0.15), (0.5, 0.05), (0.4, 0.19)]

    assert sorted(detect(detector_rules, scores)) == [(0, 2, 3), (1, 1, 2)]


def test_labels_of_a_softmax_model_take_over_from_each_other():
    assert winners("aabb.cc") == [("a", 1, 2), ("b", 3, 4), ("c", 6, 7)]


def test_a_softmax_label_goes_on_below_its_threshold_while_no_other_wins():
    scores = [(0.7, 0.3), (0.45, 0.55), (0.3, 0.5), (0.2, 0.8)]

    assert detect(rules(2, exclusive=True), scores) == [(0, 1, 2), (1, 4, 4)]


def test_a_flicker_into_another_label_does_not_divide_an_event():
    assert winners("aabaa...", min_ticks=2, gap_ticks=2) == [("a", 1, 5)]


def test_a_long_enough_event_of_another_label_does_divide_it():
    assert winners("aabbaa....", min_ticks=2, gap_ticks=4) == [("a", 1, 2), ("b", 3, 4), ("a", 5, 6)]


def test_labels_that_flicker_into_each_other_never_overlap():
    assert winners("abababab....", min_ticks=3, gap_ticks=3) == [("a", 1, 7)]


def offline(states, min_ticks, gap_ticks):
    """Runs of true, short gaps closed, short runs dropped: the plain way, with everything at hand."""
    runs = []
    for tick, is_on in enumerate(states, 1):
        if is_on and runs and tick - runs[-1][1] - 1 < max(gap_ticks, 1):
            runs[-1][1] = tick
        elif is_on:
            runs.append([tick, tick])
    return [tuple(run) for run in runs if run[1] - run[0] + 1 >= min_ticks]


def hysteresis(scores, on, off):
    states, state = [], False
    for score in scores:
        state = score >= on or (state and score >= off)
        states.append(state)
    return states


score_lists = st.lists(st.lists(st.sampled_from([0.0, 0.3, 0.5, 0.8]), min_size=3, max_size=3), max_size=40)


@settings(max_examples=200, deadline=None)
@given(scores=score_lists, min_ticks=st.integers(0, 4), gap_ticks=st.integers(0, 4))
def test_tick_by_tick_finds_what_is_found_with_everything_at_hand(scores, min_ticks, gap_ticks):
    found = detect(rules(3, min_ticks=min_ticks, gap_ticks=gap_ticks), scores)
    for label in range(3):
        states = hysteresis([tick[label] for tick in scores], 0.6, 0.4)

        assert [event[1:] for event in found if event[0] == label] == offline(states, min_ticks, gap_ticks)


@settings(max_examples=200, deadline=None)
@given(text=st.text("abc.", max_size=40), min_ticks=st.integers(0, 4), gap_ticks=st.integers(0, 4))
def test_events_of_a_softmax_model_never_overlap(text, min_ticks, gap_ticks):
    found = sorted(winners(text, min_ticks=min_ticks, gap_ticks=gap_ticks), key=lambda event: event[1])

    assert all(before[2] < after[1] for before, after in itertools.pairwise(found))
    assert all(last - first + 1 >= min_ticks for _, first, last in found)
    for label, first, last in found:
        assert text[first - 1] == text[last - 1] == label


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"on": (0.5,), "off": ()}, "one a label"),
        ({"on": (), "off": ()}, "one a label"),
        ({"on": (0.5,), "off": (0.6,)}, "off <= on"),
        ({"on": (1.5,), "off": (0.6,)}, "on <= 1"),
        ({"on": (float("nan"),), "off": (0.6,)}, "off <= on"),
        ({"on": (0.5,), "off": (0.5,), "gap_ticks": -1}, "0 or more"),
    ],
)
def test_rules_that_make_no_sense_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        EventRules(is_exclusive=False, **fields)


@pytest.mark.parametrize("scores", [[0.1], [0.1, float("nan")], [0.1, 0.2, 0.3]])
def test_scores_that_fit_no_rules_are_refused(scores):
    with pytest.raises(ValueError, match="expected 2 numbers"):
        EventDetector(rules(2)).push(scores)

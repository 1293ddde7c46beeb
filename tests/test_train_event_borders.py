"""Seconds, borders and programmes."""

import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.scoring.intervals import group_bootstrap_interval, resampled_weights, spread_of
from edge_runtime.segments.segment import Segment
from train.event_scores.borders import border_errors
from train.event_scores.programmes import make_programmes
from train.event_scores.seconds import judge_seconds
from train.recordings.clip import Clip
from train.recordings.clip_index import ClipIndex
from train.recordings.store.clip_store import LoadedClips

GOLDEN = Path(__file__).parent / "event_references" / "golden.jsonl"
RATE = 100  # Hz


def _segments(*rows):
    return [Segment(onset=onset, offset=offset, label=label) for onset, offset, label in rows]


def _clips(lengths, labels=("music", "noise", "speech"), split="test"):
    clips = [
        Clip(f"{label}{number}.wav", (label,), f"{label}{number}", split) for label in labels for number in range(4)
    ]
    waveforms = [np.full(lengths[place % len(lengths)], place, np.float32) for place in range(len(clips))]
    index = ClipIndex(root=Path(), clips=tuple(clips), labels=tuple(labels), source="made by code")
    return LoadedClips(index, waveforms, [str(place) for place in range(len(clips))], [])


def test_a_second_has_the_label_that_covers_most_of_it():
    reference = {"a": _segments((0.0, 1.6, "music"), (1.6, 3.0, "speech"))}
    judged = judge_seconds(reference, {"a": _segments((0.0, 1.3, "music"), (1.3, 1.9, "speech"))})
    assert [judged.labels[place] for place in judged.truth] == ["music", "music", "speech"]
    assert [judged.labels[place] for place in judged.found] == ["music", "speech", "no label"]
    assert judged.confusion.tolist() == [[1, 1, 0], [0, 0, 1], [0, 0, 0]]
    assert judged.right.mean() == pytest.approx(1 / 3)


def test_a_last_second_counts_from_its_half_on():
    events = {"a": _segments((0.0, 2.0, "music"))}
    counts = [judge_seconds(events, events, {"a": seconds}).truth.size for seconds in (1.4, 1.5, 2.4)]
    assert counts == [1, 2, 2]


def test_the_interval_of_the_accuracy_draws_whole_recordings():
    events = {name: _segments((0.0, 10.0, "music")) for name in "abcd"}
    judged = judge_seconds(events, {"a": events["a"], "b": events["b"]})
    share, interval = judged.accuracy(list("abcd"))
    assert (share, interval) == (0.5, group_bootstrap_interval(judged.right, judged.owners))
    assert interval.upper - interval.lower > 0.7  # 40 seconds that hang together are 4 recordings


def test_a_border_is_as_far_as_the_nearest_one_of_the_same_change():
    reference = {"a": _segments((0, 10, "music"), (10, 20, "speech"), (20, 30, "music"))}
    found = {"a": _segments((0, 10.2, "music"), (10.2, 19.5, "speech"), (19.5, 30, "music"))}
    errors = border_errors(reference, found)
    assert errors.changes == ("music to speech", "speech to music")
    np.testing.assert_allclose(errors.distances, [0.2, 0.5])
    assert errors.quantile(0.5) == pytest.approx(0.35)


def test_a_border_without_a_found_one_of_its_change_is_missed():
    reference = {"a": _segments((0, 10, "music"), (10, 20, "speech"))}
    errors = border_errors(reference, {"a": _segments((0, 10, "noise"), (10, 20, "speech"))})
    assert (errors.num_missed, errors.quantile(0.5)) == (1, math.inf)


def test_beginning_and_end_of_a_recording_are_no_borders():
    events = {"a": _segments((0, 10, "music"))}
    assert border_errors(events, events).distances.size == 0
    assert border_errors(events, events, {"a": 12.0}).changes == ("music to no label",)


@pytest.mark.parametrize("number", range(4))
def test_the_median_border_error_is_the_deviation_of_mir_eval(number):
    one = json.loads(GOLDEN.read_text(encoding="utf-8").splitlines()[number])
    for recording, expected in zip(one["case"]["recordings"].values(), one["expected"]["border_medians"], strict=True):
        both = [
            {"x": [part for time in recording[kind] for part in _segments((time, time + 0.001, "a"))]}
            for kind in ("one_change", "one_change_found")
        ]
        errors = border_errors(*both, {"x": recording["seconds"]})
        onsets = [change == "no label to a" for change in errors.changes]
        assert np.median(errors.distances[onsets]) == pytest.approx(expected, abs=1e-9)


def test_resampled_weights_are_the_draws_of_the_bootstrap_over_groups():
    groups, values = np.array(list("aabbcd")), np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0])
    weights = resampled_weights(groups, num_resamples=500)
    lower, upper = spread_of((weights @ values) / weights.sum(axis=1))
    expected = group_bootstrap_interval(values, groups, num_resamples=500)
    assert (float(lower), float(upper)) == pytest.approx(tuple(expected), abs=0.01)
    assert (weights[:, 0] == weights[:, 1]).all()


def test_a_measure_that_is_mostly_undefined_has_no_interval():
    lower, upper = spread_of([[1.0, np.nan], [2.0, np.nan], [3.0, 4.0]])
    assert (lower[0], upper[0]) == (1.0, 3.0)
    assert math.isnan(lower[1])


def test_programmes_have_their_borders_where_the_samples_change():
    clips = _clips([300, 700, 1200])
    programmes = make_programmes(clips, RATE, count=5)
    for programme in programmes:
        waveform = programme.waveform(clips)
        borders = np.flatnonzero(np.diff(waveform)) + 1
        np.testing.assert_allclose([one.offset for one in programme.segments[:-1]], borders / RATE)
        assert 60.0 <= programme.seconds <= 180.0
        assert waveform.size == round(programme.seconds * RATE)
        labels = [one.label for one in programme.segments]
        assert all(one != other for one, other in pairwise(labels))


def test_the_same_seed_makes_the_same_programmes_and_another_other_ones():
    clips = _clips([300, 700])
    first, again, other = (make_programmes(clips, RATE, count=2, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_programmes_of_one_label_are_refused():
    with pytest.raises(ValueError, match="expected two labels at least, or there is no border"):
        make_programmes(_clips([300], labels=("music",)), RATE)

"""Segment-based, event-based, PSDS and time errors: answers known by hand, and those of public libraries.

`event_references/golden.jsonl` is written by `benchmarks/event_references.py --golden`.
"""

import json
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edge_runtime.segments.segment import Segment
from train.event_scores.event_based import event_counts
from train.event_scores.matching import largest_matching
from train.event_scores.psds import SCENARIO_1, SCENARIOS, psds_counts
from train.event_scores.segment_based import segment_counts
from train.event_scores.time_error import segment_error_rate, time_errors

GOLDEN = Path(__file__).parent / "event_references" / "golden.jsonl"
SAME = 1e-12


def _segments(*rows):
    return [Segment(onset=onset, offset=offset, label=label) for onset, offset, label in rows]


def _read_golden():
    return [json.loads(line) for line in GOLDEN.read_text(encoding="utf-8").splitlines()]


def _case(one):
    recordings = one["case"]["recordings"]
    both = [{name: _segments(*each[kind]) for name, each in recordings.items()} for kind in ("reference", "estimated")]
    return tuple(one["case"]["labels"]), *both


def _frames(hop_seconds, labels, scores):
    return SimpleNamespace(hop_seconds=hop_seconds, labels=labels, scores=np.asarray(scores, np.float64))


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize(("kind", "count"), [("segment", segment_counts), ("event", event_counts)])
def test_precision_recall_f1_and_error_rate_are_those_of_sed_eval(number, kind, count):
    one = _read_golden()[number]
    labels, reference, estimated = _case(one)
    found = count(reference, estimated, labels).measures()
    for ours, theirs in (("precision",) * 2, ("recall",) * 2, ("f1", "f_measure"), ("error_rate",) * 2):
        np.testing.assert_allclose(found[ours], one["expected"][kind][theirs], atol=SAME)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_psds_is_that_of_sed_scores_eval(number, scenario):
    one = _read_golden()[number]
    labels, reference, _ = _case(one)
    recordings, hop = one["case"]["recordings"], one["case"]["hop_seconds"]
    frames = {name: _frames(hop, labels, np.array(each["hundredths"]) / 100) for name, each in recordings.items()}
    seconds = {name: each["psds_seconds"] for name, each in recordings.items()}
    score = psds_counts(reference, frames, seconds, SCENARIOS[scenario]).score()
    assert score == pytest.approx(one["expected"][scenario], abs=SAME)


@pytest.mark.parametrize("number", range(4))
def test_the_segment_error_rate_is_the_identification_error_rate_of_pyannote(number):
    one = _read_golden()[number]
    _, reference, estimated = _case(one)
    rate = segment_error_rate(time_errors(reference, estimated))
    assert rate == pytest.approx(one["expected"]["time_error_rate"], abs=SAME)


def test_a_segment_that_an_event_only_touches_is_active():
    reference, found = {"a": _segments((0.9, 2.1, "dog"))}, {"a": _segments((1.0, 2.0, "dog"))}
    measures = segment_counts(reference, found).measures()
    assert measures["recall"][0] == pytest.approx(1 / 3)  # seconds 0, 1 and 2 are annotated, second 1 is found
    assert measures["precision"][0] == 1.0


def test_another_label_in_the_same_segment_is_one_substitution():
    counts = segment_counts({"a": _segments((0, 1, "dog"))}, {"a": _segments((0, 1, "cat"))})
    assert [one.tolist() for one in (counts.substituted, counts.deleted, counts.inserted)] == [[1.0], [0.0], [0.0]]
    assert counts.measures()["error_rate"][-2] == 1.0  # micro


def test_an_onset_at_the_collar_counts_and_one_behind_it_does_not():
    reference = {"a": _segments((1.0, 2.0, "dog"))}
    hits = [
        event_counts(reference, {"a": _segments((onset, 2.0, "dog"))}).true_positives.sum() for onset in (1.1875, 1.25)
    ]
    assert hits == [1.0, 0.0]


def test_the_offset_of_a_long_event_may_be_off_by_a_fifth_of_its_length():
    reference = {"a": _segments((0.0, 5.0, "dog"))}
    hits = [event_counts(reference, {"a": _segments((0.0, end, "dog"))}).true_positives.sum() for end in (5.9, 6.1)]
    assert hits == [1.0, 0.0]


def test_a_label_that_is_never_found_has_f1_0_in_the_macro_average_and_one_that_is_not_annotated_has_none():
    reference = {"a": _segments((0, 1, "dog"), (3, 4, "cat"))}
    measures = event_counts(reference, {"a": _segments((0, 1, "dog"), (6, 7, "owl"))}, ("cat", "dog", "owl")).measures()
    assert measures["f1"][:2].tolist() == [0.0, 1.0]
    assert math.isnan(measures["f1"][2])
    assert measures["f1"][-1] == 0.5


def test_recordings_count_as_often_as_their_weights_say():
    reference = {"a": _segments((0, 1, "dog")), "b": _segments((0, 1, "dog"))}
    counts = event_counts(reference, {"a": _segments((0, 1, "dog"))})
    recall = counts.measures(np.array([[1.0, 1.0], [3.0, 1.0], [0.0, 2.0]]))["recall"][:, 0]
    assert recall.tolist() == [0.5, 0.75, 0.0]


def test_the_largest_matching_moves_a_pair_to_make_room():
    allowed = np.array([[True, True], [True, False]])
    assert largest_matching(allowed).tolist() == [[0, 1], [1, 0]]


def test_predictions_of_a_recording_that_is_not_annotated_are_refused():
    with pytest.raises(ValueError, match="1 recording of the predictions are not in the reference, the first is b"):
        segment_counts({"a": []}, {"b": _segments((0, 1, "dog"))})


def test_scores_that_follow_the_annotation_have_a_psds_of_1_and_level_ones_of_0():
    reference = {"a": _segments((1.0, 2.0, "dog")), "b": _segments((0.0, 1.0, "dog"))}
    seconds = {"a": 3.0, "b": 3.0}
    right = {"a": _frames(1.0, ("dog",), [[0], [1], [0]]), "b": _frames(1.0, ("dog",), [[1], [0], [0]])}
    level = {name: _frames(1.0, ("dog",), [[0.5]] * 3) for name in reference}
    assert psds_counts(reference, right, seconds, SCENARIO_1).score() == 1.0
    assert psds_counts(reference, level, seconds, SCENARIO_1).score() == 0.0


def test_psds_without_an_event_of_a_label_is_refused():
    with pytest.raises(ValueError, match="no recording has an event of cat"):
        psds_counts(
            {"a": _segments((0, 1, "dog"))}, {"a": _frames(1.0, ("cat", "dog"), [[0, 1]])}, {"a": 1}, SCENARIO_1
        )


def test_missed_confused_and_needless_time_are_told_apart():
    reference = {"a": _segments((0, 4, "music"), (4, 6, "speech"))}
    found = {"a": _segments((0, 3, "music"), (3, 5, "speech"), (6, 7, "noise"))}
    assert time_errors(reference, found).tolist() == [[1.0, 1.0, 1.0, 6.0]]
    assert segment_error_rate(time_errors(reference, found)) == 0.5

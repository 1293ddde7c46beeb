import json

import numpy as np
import pytest

from edge_runtime.scoring.measures import decisions
from train.evaluation.label_sets import average_precision, evaluate_label_sets

LABELS = ("dog", "rain", "bell")
THRESHOLDS = (0.5, 0.5, 0.7)
# Right, dog missed, rain too much, right.
SCORES = np.array([[0.9, 0.1, 0.1], [0.4, 0.8, 0.6], [0.7, 0.6, 0.2], [0.2, 0.9, 0.8]], np.float32)
TRUTH = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0], [0, 1, 1]], bool)


def _evaluate(groups=("a", "b", "c", "d"), **changes):
    given = {"truth": TRUTH, "scores": SCORES, "groups": np.array(groups)} | changes
    return evaluate_label_sets(
        given.pop("truth"), given.pop("scores"), given.pop("groups"), LABELS, THRESHOLDS, **given
    )


def test_every_measure_is_the_one_counted_by_hand():
    found = _evaluate()
    assert (found.exact_match, found.accuracy) == (0.5, 0.5)
    assert found.hamming_loss == pytest.approx(2 / 12)
    assert (found.micro_precision, found.micro_recall, found.micro_f1) == pytest.approx((5 / 6, 5 / 6, 5 / 6))
    assert [one.f1 for one in found.labels] == pytest.approx([0.8, 0.8, 1.0])
    assert found.macro_f1 == pytest.approx(2.6 / 3)
    assert (found.macro_precision, found.macro_recall) == pytest.approx(((1 + 2 / 3 + 1) / 3, (2 / 3 + 1 + 1) / 3))
    assert [one.average_precision for one in found.labels] == pytest.approx([1.0, 1.0, 1.0])
    assert [(one.label, one.threshold, one.support) for one in found.labels] == [
        ("dog", 0.5, 3),
        ("rain", 0.5, 2),
        ("bell", 0.7, 1),
    ]


def test_the_exact_match_is_told_apart_by_the_number_of_labels():
    single, pair = _evaluate().sizes
    assert (single.size, single.exact_match, single.num_decisions) == (1, 0.5, 2)
    assert (pair.size, pair.exact_match, pair.num_decisions, pair.num_groups) == (2, 0.5, 2, 2)


def test_average_precision_is_the_one_by_hand():
    # Found at ranks 1 and 3 of 4: (1/1 + 2/3) / 2.
    assert average_precision(np.array([1, 0, 1, 0], bool), np.array([0.9, 0.8, 0.7, 0.6])) == pytest.approx(5 / 6)
    # Equal scores count together: one of two.
    assert average_precision(np.array([1, 0], bool), np.array([0.5, 0.5])) == pytest.approx(0.5)


@pytest.mark.parametrize("seed", range(8))
def test_measures_are_those_counted_one_by_one(seed):
    rng = np.random.default_rng(seed)
    truth = rng.random((200, 3)) < rng.choice([0.02, 0.3, 0.9])
    scores = np.round(np.clip(truth * 0.3 + rng.random(truth.shape) * 0.7, 0, 1), 2).astype(np.float32)  # with ties
    found = evaluate_label_sets(truth, scores, np.arange(200), LABELS, THRESHOLDS)
    decided = scores >= np.float32(THRESHOLDS)
    assert found.hamming_loss == pytest.approx((truth != decided).mean(), abs=1e-12)
    assert found.micro_f1 == pytest.approx(_f1(truth, decided), abs=1e-12)
    for place, one in enumerate(found.labels):
        assert one.f1 == pytest.approx(_f1(truth[:, place], decided[:, place]), abs=1e-12)
        assert one.average_precision == pytest.approx(_average_precision(truth[:, place], scores[:, place]), abs=1e-12)


def _f1(truth, decided):
    return 2 * (truth & decided).sum() / (truth.sum() + decided.sum())


def _average_precision(truth, scores):
    steps = np.unique(scores)[::-1]
    hits = np.array([(truth & (scores >= step)).sum() for step in steps])
    return np.diff(hits, prepend=0) @ (hits / [(scores >= step).sum() for step in steps]) / hits[-1]


def test_a_label_that_never_occurs_has_no_average_precision_and_no_say_in_the_mean():
    truth = TRUTH.copy()
    truth[3, 2] = False
    found = _evaluate(truth=truth)
    assert found.labels[2].average_precision is None
    assert found.mean_average_precision == pytest.approx(1.0)
    assert (found.labels[2].precision, found.labels[2].recall, found.labels[2].f1) == (0.0, 0.0, 0.0)


def test_windows_without_any_label_are_right_where_nothing_is_decided():
    found = evaluate_label_sets(np.zeros((3, 3), bool), SCORES[:3] / 10, np.arange(3), LABELS, THRESHOLDS)
    assert (found.exact_match, found.mean_average_precision, found.macro_f1) == (1.0, None, 0.0)
    assert found.sizes[0].size == 0


def test_mixtures_hang_together_by_both_their_groups():
    truth = np.tile(TRUTH, (30, 1))
    scores = np.tile(SCORES, (30, 1))
    firsts, seconds = np.divmod(np.arange(120), 12)
    apart = evaluate_label_sets(truth, scores, np.arange(120).astype(str), LABELS, THRESHOLDS)
    pairs = np.stack([np.char.add("a", firsts.astype(str)), np.char.add("b", seconds.astype(str))], axis=1)
    together = evaluate_label_sets(truth, scores, pairs, LABELS, THRESHOLDS)
    assert together.num_groups == 22
    assert together.interval[1] - together.interval[0] > apart.interval[1] - apart.interval[0]


def test_a_faultless_model_is_as_sure_as_its_groups_allow():
    found = _evaluate(truth=decisions(SCORES, THRESHOLDS))
    assert (found.exact_match, found.interval) == (1.0, (pytest.approx(0.51, abs=0.01), 1.0))


def test_the_evaluation_is_json_with_an_accuracy():
    found = json.loads(json.dumps(_evaluate().as_dict()))
    assert found["accuracy"] == found["exact_match"] == 0.5
    assert found["labels"][0]["label"] == "dog"
    assert found["sizes"][1]["size"] == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scores": SCORES[:, :2]}, "expected bool"),
        ({"truth": TRUTH.astype(int)}, "of int64"),
        ({"scores": np.where(SCORES > 0.85, np.nan, SCORES)}, "2 windows have scores that are not finite"),
        ({"groups": list("abc")}, "groups 3"),
        ({"truth": TRUTH[:0], "scores": SCORES[:0], "groups": []}, "no windows to judge"),
    ],
)
def test_what_cannot_be_judged_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        _evaluate(**changes)


def test_thresholds_of_another_model_are_refused():
    with pytest.raises(ValueError, match="2 thresholds for 3 labels"):
        evaluate_label_sets(TRUTH, SCORES, np.arange(4), LABELS, (0.5, 0.5))

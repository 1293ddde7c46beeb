import numpy as np
import pytest
from tiny_tflite import tiny_spec

from edge_runtime.scoring.measures import decisions
from train.evaluation.evaluate import TestWindows, cut_split, evaluate_decisions, evaluate_scores

LABELS = ("a", "b")
SPEC = tiny_spec(labels=LABELS)
SIGMOID = tiny_spec(labels=LABELS, activation="sigmoid", thresholds=(0.5, 0.3))


def _cut(truth, clips, groups=None):
    truth, clips = np.array(truth), np.array(clips)
    groups = np.array(groups if groups is not None else [f"g{clip}" for clip in clips])
    return TestWindows(np.zeros((truth.size, 4), np.float32), truth, clips, groups)


def test_precision_recall_and_f1_are_those_counted_by_hand():
    truth = np.array([0, 0, 0, 1, 1])
    decisions = np.array([0, 0, 1, 1, 0])
    found = evaluate_decisions(truth, decisions, np.array(list("vwxyz")), LABELS)
    assert found.accuracy == pytest.approx(3 / 5)
    assert found.confusion == [[2, 1], [1, 1]]
    first, second = found.labels
    assert (first.precision, first.recall, first.support) == (pytest.approx(2 / 3), pytest.approx(2 / 3), 3)
    assert (second.precision, second.recall, second.f1, second.support) == (0.5, 0.5, 0.5, 2)
    assert found.macro_f1 == pytest.approx((2 / 3 + 0.5) / 2)


@pytest.mark.parametrize("seed", range(8))
def test_measures_are_those_counted_one_by_one(seed):
    truth, decisions = np.random.default_rng(seed).integers(0, 5, (2, 80))
    found = evaluate_decisions(truth, decisions, np.arange(80), list("vwxyz"))
    expected = np.zeros((5, 5), int)
    np.add.at(expected, (truth, decisions), 1)
    assert found.confusion == expected.tolist()
    f1 = 2 * expected.diagonal() / (expected.sum(axis=0) + expected.sum(axis=1))
    assert [one.f1 for one in found.labels] == pytest.approx(f1, abs=1e-12)


def test_a_label_that_is_never_decided_scores_zero_and_not_nan():
    found = evaluate_decisions(np.array([0, 1]), np.array([0, 0]), np.array(["x", "y"]), LABELS)
    assert (found.labels[1].precision, found.labels[1].recall, found.labels[1].f1) == (0.0, 0.0, 0.0)


def test_windows_of_one_group_widen_the_interval():
    truth, decisions = np.zeros(40, int), np.array([0] * 20 + [1] * 20)
    apart = evaluate_decisions(truth, decisions, np.arange(40), LABELS)
    together = evaluate_decisions(truth, decisions, np.repeat([0, 1, 2, 3], 10), LABELS)
    assert apart.interval[1] - apart.interval[0] < together.interval[1] - together.interval[0]
    assert together.wilson == apart.wilson


def test_no_mistake_in_six_groups_is_no_certainty():
    found = evaluate_decisions(np.zeros(60, int), np.zeros(60, int), np.repeat(np.arange(6), 10), LABELS)
    assert found.accuracy == 1.0
    assert found.interval == (pytest.approx(0.610, abs=0.001), 1.0)


def test_a_single_group_falls_back_to_wilson():
    found = evaluate_decisions(np.array([0, 0]), np.array([0, 1]), np.array(["x", "x"]), LABELS)
    assert found.interval == found.wilson


def test_clips_are_judged_by_mean_score_and_by_vote():
    # Two narrow votes for b against one sure one for a: the mean says a, the majority says b.
    scores = np.array([[0.45, 0.55], [0.45, 0.55], [1.0, 0.0], [0.2, 0.8]], np.float32)
    found = evaluate_scores(scores, _cut([0, 0, 0, 1], [7, 7, 7, 9]), SPEC)
    assert found["window"].accuracy == pytest.approx(0.5)
    assert found["clip_mean_score"].accuracy == 1.0
    assert found["clip_majority"].accuracy == 0.5


def test_a_tie_of_votes_goes_to_the_higher_mean_score():
    scores = np.array([[0.9, 0.1], [0.4, 0.6]], np.float32)
    found = evaluate_scores(scores, _cut([0, 0], [3, 3]), SPEC)
    assert found["clip_majority"].accuracy == 1.0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_scores_that_are_not_finite_are_refused(value):
    with pytest.raises(ValueError, match="1 window has scores that are not finite"):
        evaluate_scores(np.array([[value, 0.0], [0.5, 0.5]]), _cut([0, 1], [0, 1]), SPEC)


def test_scores_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="expected \\(2, 2\\)"):
        evaluate_scores(np.zeros((2, 3)), _cut([0, 1], [0, 1]), SPEC)


@pytest.mark.parametrize("decisions", [[], [0, 2], [0, -1]])
def test_decisions_that_cannot_be_judged_are_refused(decisions):
    with pytest.raises(ValueError, match="expected"):
        evaluate_decisions(np.zeros(len(decisions), int), np.array(decisions), np.zeros(len(decisions)), LABELS)


def test_a_window_that_ends_with_the_clip_is_kept(make_folder, tmp_path):
    from conftest import SAMPLE_RATE

    from train.recordings.clip_index import find_clips
    from train.recordings.split import split_clips
    from train.recordings.store.clip_store import load_clips

    clips = load_clips(split_clips(find_clips(make_folder(6, seconds=2.0)), 0), SAMPLE_RATE, tmp_path / "cache")
    exact = [place for place in clips.places("test") if clips.waveforms[place].size == 32_000]
    cut = cut_split(clips, "test", 32_000, 32_000)
    assert set(cut.clips) == set(clips.places("test"))
    assert all((cut.clips == place).sum() == 1 for place in exact)


# Two windows of one clip with both labels, one of a clip with b alone.
SET_SCORES = np.array([[0.8, 0.1], [0.1, 0.4], [0.2, 0.9]], np.float32)
SET_TRUTH = [[True, True], [True, True], [False, True]]


def _set_cut(groups=(("x", "y"), ("x", "y"), ("z", ""))):
    return _cut(SET_TRUTH, [4, 4, 8], groups)


def test_a_sigmoid_model_is_judged_by_its_sets_of_labels():
    found = evaluate_scores(SET_SCORES, _set_cut(), SIGMOID)
    assert list(found) == ["window", "clip_mean_score", "clip_union"]
    assert found["window"].exact_match == pytest.approx(1 / 3)
    assert found["window"].num_groups == 3
    assert [one.threshold for one in found["window"].labels] == [0.5, 0.3]


def test_the_union_of_the_windows_finds_what_no_window_holds_alone_and_the_mean_does_not():
    found = evaluate_scores(SET_SCORES, _set_cut(), SIGMOID)
    assert found["clip_union"].exact_match == 1.0
    assert found["clip_mean_score"].exact_match == 0.5  # means 0.45 and 0.25 of the first clip
    union = [
        decisions(SET_SCORES[:2], SIGMOID.thresholds).any(axis=0),
        decisions(SET_SCORES[2:], SIGMOID.thresholds)[0],
    ]
    assert np.array_equal(union, [[True, True], [False, True]])
    assert found["clip_union"].num_decisions == 2


def test_a_clip_is_truly_what_any_of_its_windows_is():
    cut = _cut([[True, False], [False, True]], [1, 1], ["x", "x"])
    found = evaluate_scores(np.array([[0.9, 0.0], [0.0, 0.9]]), cut, SIGMOID)
    assert found["clip_union"].exact_match == 1.0
    assert found["clip_union"].sizes[0].size == 2


@pytest.mark.parametrize(("spec", "truth"), [(SPEC, SET_TRUTH), (SIGMOID, [0, 1, 1])])
def test_a_truth_of_the_other_activation_is_refused(spec, truth):
    with pytest.raises(ValueError, match=f"model with {spec.activation} scores"):
        evaluate_scores(SET_SCORES, _cut(truth, [4, 4, 8]), spec)

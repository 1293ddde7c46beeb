import numpy as np
import pytest

from train.evaluate import TestWindows, cut_split, evaluate_decisions, evaluate_scores

LABELS = ("a", "b")


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
    found = evaluate_scores(scores, _cut([0, 0, 0, 1], [7, 7, 7, 9]), LABELS)
    assert found["window"].accuracy == pytest.approx(0.5)
    assert found["clip_mean_score"].accuracy == 1.0
    assert found["clip_majority"].accuracy == 0.5


def test_a_tie_of_votes_goes_to_the_higher_mean_score():
    scores = np.array([[0.9, 0.1], [0.4, 0.6]], np.float32)
    found = evaluate_scores(scores, _cut([0, 0], [3, 3]), LABELS)
    assert found["clip_majority"].accuracy == 1.0


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_scores_that_are_not_finite_are_refused(value):
    with pytest.raises(ValueError, match="1 windows have scores that are not finite"):
        evaluate_scores(np.array([[value, 0.0], [0.5, 0.5]]), _cut([0, 1], [0, 1]), LABELS)


def test_scores_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="expected \\(2, 2\\)"):
        evaluate_scores(np.zeros((2, 3)), _cut([0, 1], [0, 1]), LABELS)


@pytest.mark.parametrize("decisions", [[], [0, 2], [0, -1]])
def test_decisions_that_cannot_be_judged_are_refused(decisions):
    with pytest.raises(ValueError, match="expected"):
        evaluate_decisions(np.zeros(len(decisions), int), np.array(decisions), np.zeros(len(decisions)), LABELS)


def test_a_window_that_ends_with_the_clip_is_kept(make_folder, tmp_path):
    from conftest import SAMPLE_RATE

    from train.clip_index import find_clips
    from train.clip_store import load_clips
    from train.split import split_clips

    clips = load_clips(split_clips(find_clips(make_folder(6, seconds=2.0)), 0), SAMPLE_RATE, tmp_path / "cache")
    exact = [place for place in clips.places("test") if clips.waveforms[place].size == 32_000]
    cut = cut_split(clips, "test", 32_000, 32_000)
    assert set(cut.clips) == set(clips.places("test"))
    assert all((cut.clips == place).sum() == 1 for place in exact)

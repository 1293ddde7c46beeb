import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge_runtime.scoring.measures import decisions
from train.evaluation.evaluate import TestWindows
from train.evaluation.threshold_search import ascend_exact_match, best_f1_thresholds, exact_match
from train.evaluation.thresholds import COMMON_GRID, choose_thresholds, sweep_common_threshold

LABELS = ("dog", "rain")


def _column(scores, truth):
    return np.array(scores, np.float32)[:, None], np.array(truth, bool)[:, None]


def _f1(scores, truth, threshold):
    decided = scores >= np.float32(threshold)
    return 2 * (decided & truth).sum() / (decided.sum() + truth.sum())


def _exact(scores, truth, thresholds):
    return (decisions(scores, thresholds) == truth).all(axis=1).mean()


def test_separable_scores_are_cut_in_the_middle_of_the_gap():
    scores, truth = _column([0.1, 0.2, 0.6, 0.9], [0, 0, 1, 1])
    assert best_f1_thresholds(scores, truth, ["dog"]) == pytest.approx((0.4,))


def test_of_two_cuts_of_equal_f1_the_one_in_the_wider_gap_is_taken():
    # One of two found, none wrong: F1 2/3. Both found and one wrong: 4/5. All four: 2/3.
    scores, truth = _column([0.9, 0.8, 0.5, 0.4], [1, 0, 1, 0])
    assert best_f1_thresholds(scores, truth, ["dog"]) == pytest.approx((0.45,))
    # The first alone (1 of 2 found) and all four (2 wrong) both give 2/3: the wider of their two gaps decides.
    scores, truth = _column([0.9, 0.6, 0.3, 0.2], [1, 0, 0, 1])
    assert best_f1_thresholds(scores, truth, ["dog"]) == pytest.approx((0.75,))
    scores, truth = _column([0.9, 0.8, 0.3, 0.2], [1, 0, 0, 1])
    assert best_f1_thresholds(scores, truth, ["dog"]) == pytest.approx((0.1,))


def test_a_label_of_a_single_window_gets_a_threshold_below_it():
    scores, truth = _column([0.3, 0.02, 0.01, 0.02], [1, 0, 0, 0])
    assert best_f1_thresholds(scores, truth, ["dog"]) == pytest.approx((0.16,))


def test_a_label_that_every_window_has_counts_from_below_all_scores_on():
    scores, truth = _column([0.3, 0.7], [1, 1])
    assert best_f1_thresholds(scores, truth, ["dog"]) == pytest.approx((0.15,))


def test_scores_of_one_and_of_zero_leave_thresholds_within_zero_and_one():
    scores, truth = _column([1.0, 1.0, 0.0, 0.0], [1, 0, 1, 0])
    (found,) = best_f1_thresholds(scores, truth, ["dog"])
    assert 0.0 <= found <= 1.0
    assert _f1(scores[:, 0], truth[:, 0], found) == pytest.approx(2 / 3)


def test_between_neighbours_of_float32_the_upper_one_is_in_and_the_lower_one_out():
    upper = np.nextafter(np.float32(0.5), np.float32(1))
    scores, truth = _column([0.5, upper], [0, 1])
    thresholds = best_f1_thresholds(scores, truth, ["dog"])
    assert decisions(scores, thresholds).tolist() == [[False], [True]]


@settings(deadline=None, max_examples=60)
@given(
    arrays(np.float32, st.tuples(st.integers(1, 12), st.just(1)), elements=st.floats(0, 1, width=32)),
    st.randoms(use_true_random=False),
)
def test_no_threshold_whatever_has_a_higher_f1(scores, random):
    truth = np.array([[random.random() < 0.5] for _ in scores])
    truth[0] = True
    (found,) = best_f1_thresholds(scores, truth, ["dog"])
    tried = [0.0, 1.0, *scores[:, 0].tolist(), *np.nextafter(scores[:, 0], np.float32(1)).tolist()]
    assert _f1(scores, truth, found) == pytest.approx(max(_f1(scores, truth, one) for one in tried))


def test_the_ascent_never_loses_and_wins_where_f1_and_exact_match_disagree():
    rng = np.random.default_rng(0)
    truth = rng.random((300, 4)) < 0.3
    scores = np.clip(0.5 * truth + rng.normal(0.25, 0.2, truth.shape), 0, 1).astype(np.float32)
    begin = best_f1_thresholds(scores, truth, "abcd")
    found = ascend_exact_match(scores, truth, begin)
    assert exact_match(scores, truth, found) > exact_match(scores, truth, begin)
    assert exact_match(scores, truth, found) == pytest.approx(_exact(scores, truth, found))
    assert found == choose_thresholds(scores, truth, "abcd")


def test_a_window_that_another_label_gets_wrong_has_no_say():
    # The last two windows are wrong in rain, whatever its threshold: only the first two place the threshold of dog.
    scores = np.array([[0.2, 0.1], [0.8, 0.1], [0.5, 1.0], [0.6, 1.0]], np.float32)
    truth = np.array([[0, 0], [1, 0], [1, 0], [0, 0]], bool)
    assert ascend_exact_match(scores[:, :1], truth[:, :1], [0.45]) == pytest.approx((0.35,))
    found = ascend_exact_match(scores, truth, [0.9, 0.5])
    assert found[0] == pytest.approx(0.5)


def test_where_nothing_can_be_right_the_ascent_stays():
    scores = np.array([[0.2, 0.2, 0.9]], np.float32)
    truth = np.array([[True, True, True]])
    assert ascend_exact_match(scores, truth, [0.5, 0.5, 1.0]) == (0.5, 0.5, 1.0)


def test_under_the_weights_of_single_clips_and_mixtures_the_objective_is_the_mean_of_their_exact_matches():
    scores = np.array([[0.9, 0.1]] * 3 + [[0.4, 0.9]], np.float32)
    truth = np.array([[1, 0]] * 3 + [[1, 1]], bool)
    cut = TestWindows(np.zeros((4, 8)), truth, np.arange(4), np.array(list("abcd")))
    weights = cut.weights()
    assert exact_match(scores, truth, [0.5, 0.5], weights) == pytest.approx((1.0 + 0.0) / 2)
    assert exact_match(scores, truth, [0.5, 0.5]) == pytest.approx(3 / 4)


def test_weights_decide_which_set_a_threshold_serves():
    # Three singles need a threshold above 0.6, one mixture one below 0.4.
    scores, truth = _column([0.6, 0.6, 0.6, 0.4], [0, 0, 0, 1])
    assert ascend_exact_match(scores, truth, [0.5])[0] > 0.6
    assert ascend_exact_match(scores, truth, [0.5], np.array([0.1, 0.1, 0.1, 0.7]))[0] < 0.4


def test_windows_without_weight_do_not_count_as_support():
    scores, truth = _column([0.6, 0.2], [1, 0])
    with pytest.raises(ValueError, match="no validation window has dog"):
        best_f1_thresholds(scores, truth, ["dog"], np.array([0.0, 1.0]))


def test_the_sweep_finds_the_middle_of_the_longest_best_stretch():
    scores, truth = _column([0.195, 0.395, 0.705, 0.9], [0, 0, 1, 1])
    found = sweep_common_threshold(scores, truth)
    assert found.exact_match == 1.0
    assert found.threshold == pytest.approx(0.55)


def test_the_sweep_stays_on_its_grid():
    scores, truth = _column([0.2, 0.3], [0, 1])
    assert (COMMON_GRID[0], COMMON_GRID[-1], len(COMMON_GRID)) == (0.01, 0.99, 99)
    found = sweep_common_threshold(scores, truth, grid=(0.7, 0.8, 0.9))
    assert (found.exact_match, found.threshold) == (0.5, 0.8)


@pytest.mark.parametrize("grid", [[], [0.5, 0.5], [0.5, 0.4], [-0.1, 0.5], [0.5, 1.1]])
def test_a_grid_that_does_not_rise_in_zero_to_one_is_refused(grid):
    with pytest.raises(ValueError, match="expected rising thresholds"):
        sweep_common_threshold(*_column([0.2, 0.3], [0, 1]), grid=grid)


@pytest.mark.parametrize(
    ("scores", "truth", "message"),
    [
        ([[0.1, np.nan]], [[True, True]], "1 window has scores that are not finite"),
        ([[0.1, 1.5]], [[True, True]], "expected 0 to 1"),
        ([[0.1, 0.5]], [[1, 1]], "a truth of bool"),
        ([[0.1, 0.5]], [[True]], "expected \\(n, n_labels\\)"),
        (np.zeros((0, 2)), np.zeros((0, 2), bool), "at least one window"),
        ([[0.1, 0.5], [0.2, 0.3]], [[True, False], [True, False]], "no validation window has rain"),
    ],
)
def test_scores_that_cannot_place_a_threshold_are_refused(scores, truth, message):
    with pytest.raises(ValueError, match=message):
        choose_thresholds(np.array(scores), np.array(truth), LABELS)


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [0.0, 0.0], [np.nan, 1.0]])
def test_weights_that_weigh_nothing_are_refused(weights):
    with pytest.raises(ValueError, match="weights have shape"):
        exact_match(*_column([0.2, 0.3], [0, 1]), [0.5], np.array(weights))


@pytest.mark.parametrize("thresholds", [[0.5], [0.5, 1.2]])
def test_thresholds_that_do_not_fit_are_refused(thresholds):
    with pytest.raises(ValueError, match="expected 2 numbers in 0 to 1"):
        ascend_exact_match(np.zeros((1, 2), np.float32), np.zeros((1, 2), bool), thresholds)


def _grouped(num_groups, spread, seed=0):
    """Scores of two labels whose best thresholds are `spread` apart, 4 windows a group, one label or both in each."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(rng.random((num_groups, 2)) < 0.5, 4, axis=0)
    truth[:4], truth[4:8] = True, False
    centre = np.array([0.5 - spread / 2, 0.5 + spread / 2])
    noise = np.repeat(rng.normal(0, 0.06, (num_groups, 2)), 4, axis=0) + rng.normal(0, 0.03, truth.shape)
    scores = np.clip(centre + np.where(truth, 0.1, -0.1) + noise, 0, 1)
    return scores.astype(np.float32), truth, np.repeat(np.arange(num_groups), 4).astype(str)


def test_labels_keep_thresholds_of_their_own_where_held_out_groups_gain_by_them():
    scores, truth, groups = _grouped(60, 0.4)
    found = choose_thresholds(scores, truth, LABELS, groups=groups)
    assert found[0] < 0.45 < 0.55 < found[1]
    common = sweep_common_threshold(scores, truth)
    assert exact_match(scores, truth, found) > common.exact_match + 0.1


def _alike(num_groups, seed):
    """Noisy scores of eight labels whose best threshold is the same, 4 windows a group."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(rng.random((num_groups, 8)) < 0.25, 4, axis=0)
    truth[::9] |= np.eye(8, dtype=bool)[np.arange(len(truth[::9])) % 8]
    noise = np.repeat(rng.normal(0, 0.1, (num_groups, 8)), 4, axis=0) + rng.normal(0, 0.06, truth.shape)
    return np.clip(0.5 + np.where(truth, 0.12, -0.12) + noise, 0, 1), truth, np.repeat(np.arange(num_groups), 4)


def test_where_held_out_groups_gain_nothing_by_them_unheard_ones_are_spared():
    unheard, expected, _ = _alike(500, 99)
    own, found = [], []
    for seed in range(4):
        scores, truth, groups = _alike(20, seed)
        for chosen, told in ((own, None), (found, groups)):
            thresholds = choose_thresholds(scores, truth, "abcdefgh", groups=told)
            chosen.append(exact_match(unheard, expected, thresholds))
    assert np.mean(found) > np.mean(own) + 0.01


def test_mixtures_are_held_out_by_both_their_groups():
    scores, truth, groups = _grouped(40, 0.4)
    pairs = np.stack([groups, np.where(np.arange(160) % 2 == 0, np.roll(groups, 4), "")], axis=1)
    found = choose_thresholds(scores, truth, LABELS, np.ones(160), pairs)
    assert found[0] < 0.45 < 0.55 < found[1]


def test_the_same_windows_give_the_same_thresholds():
    scores, truth, groups = _grouped(20, 0.1)
    assert choose_thresholds(scores, truth, LABELS, groups=groups) == choose_thresholds(
        scores, truth, LABELS, groups=groups
    )


def test_a_label_of_a_single_group_cannot_be_held_out_and_the_common_threshold_stays():
    scores = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.6], [0.2, 0.7]], np.float32)
    truth = scores > 0.5
    found = choose_thresholds(scores, truth, LABELS, groups=np.array(["a", "a", "b", "b"]))
    assert found[0] == found[1]
    assert exact_match(scores, truth, found) == 1.0

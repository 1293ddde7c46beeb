import numpy as np

from train.evaluation.group_folds import group_folds


def test_every_group_is_held_out_once_a_deal_and_never_fitted_with_at_the_same_time():
    groups = np.repeat(np.array(list("abcdefgh")), 3)
    truth = np.repeat(np.eye(2, dtype=bool)[[0, 0, 0, 0, 1, 1, 1, 1]], 3, axis=0)
    folds = list(group_folds(groups, truth, 4))
    assert len(folds) == 4
    assert sum(held_out for _, held_out in folds).tolist() == [1] * 24
    for fit, held_out in folds:
        assert not set(groups[fit]) & set(groups[held_out])
        assert truth[held_out].any(axis=0).all()  # a group of either label in each fold


def test_a_mixture_over_two_folds_is_used_in_neither_way_there():
    groups = np.array([["a", ""], ["b", ""], ["a", "b"]])
    truth = np.array([[True, False], [False, True], [True, True]])
    folds = list(group_folds(groups, truth, 2))
    assert len(folds) == 2
    for fit, held_out in folds:
        assert fit.sum() == held_out.sum() == 1
        assert not fit[2]
        assert not held_out[2]


def test_a_mixture_within_one_fold_is_judged_there():
    groups = np.array([["a", "b"], ["a", ""], ["b", ""], ["c", "d"]])
    truth = np.array([[True], [True], [True], [True]])
    seen = np.zeros((2, 4), int)
    for fit, held_out in group_folds(groups, truth, 2, num_deals=20):
        seen += [fit, held_out]
    assert (seen[:, [0, 3]] > 0).all()


def test_windows_without_a_name_of_their_group_are_a_group_where_there_is_one_column():
    folds = list(group_folds(np.array(["", "a"]), np.ones((2, 1), bool), 2))
    assert [held_out.tolist() for _, held_out in folds] in (
        [[True, False], [False, True]],
        [[False, True], [True, False]],
    )


def test_other_deals_are_other_folds_and_the_same_seed_the_same():
    groups, truth = np.arange(40).astype(str), np.ones((40, 1), bool)
    one, same = (list(group_folds(groups, truth, 4, 2, seed=3)) for _ in range(2))
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(one, same, strict=True))
    assert not np.array_equal(one[0][1], one[4][1])

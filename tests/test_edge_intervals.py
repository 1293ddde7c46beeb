import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.scoring.intervals import (
    count_groups,
    group_bootstrap_interval,
    median_interval,
    paired_bootstrap_interval,
    share_interval,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("successes", "total", "expected"),
    [
        (0, 10, (0.0, 0.2775)),  # z^2 / (10 + z^2)
        (0, 20, (0.0, 0.1611)),  # this and the next two: Newcombe 1998, table I
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (10, 10, (0.7225, 1.0)),
    ],
)
def test_wilson_gives_the_published_values(successes, total, expected):
    assert wilson_interval(successes, total) == pytest.approx(expected, abs=5e-5)


@settings(deadline=None)
@given(total=st.integers(1, 5000), data=st.data())
def test_wilson_holds_the_share_and_stays_between_zero_and_one(total, data):
    successes = data.draw(st.integers(0, total))
    lower, upper = wilson_interval(successes, total)

    assert 0.0 <= lower <= successes / total <= upper <= 1.0


@pytest.mark.parametrize(("successes", "total"), [(0, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(successes, total):
    with pytest.raises(ValueError, match="expected 0 to total"):
        wilson_interval(successes, total)


def test_equal_values_have_an_interval_without_width():
    assert group_bootstrap_interval([0.25] * 6, list("aabbcc")) == (0.25, 0.25)


def test_the_bootstrap_of_independent_windows_agrees_with_the_normal_interval():
    values = np.random.default_rng(3).normal(2.0, 1.0, 400)
    half = 1.96 * values.std() / 20

    interval = group_bootstrap_interval(values, np.arange(400))

    assert interval == pytest.approx((values.mean() - half, values.mean() + half), abs=0.01)


def test_windows_of_one_group_do_not_count_as_independent():
    right = np.repeat([1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0], 50)
    by_window = group_bootstrap_interval(right, np.arange(400))
    by_group = group_bootstrap_interval(right, np.repeat(np.arange(8), 50))

    assert by_group.upper - by_group.lower > 4 * (by_window.upper - by_window.lower)


def test_large_groups_weigh_as_many_windows_as_they_have():
    lower, upper = group_bootstrap_interval([1.0] * 9 + [0.0], ["a"] * 9 + ["b"])

    assert (lower, upper) == (0.0, 1.0)


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    values, groups = np.random.default_rng(0).normal(size=60), np.arange(60) % 12

    assert group_bootstrap_interval(values, groups, seed=7) == group_bootstrap_interval(values, groups, seed=7)
    assert group_bootstrap_interval(values, groups, seed=7) != group_bootstrap_interval(values, groups, seed=8)


def test_a_paired_difference_that_never_changes_sign_excludes_zero():
    interval = paired_bootstrap_interval([-1.0, 0.0, -1.0, -1.0, -1.0, -1.0] * 5, np.arange(30))

    assert interval.upper < 0.0


@pytest.mark.parametrize(
    ("values", "groups", "message"),
    [
        ([1.0, 0.0], ["a", "a"], "1 group; expected at least 2"),
        ([], [], "0 groups"),
        ([1.0, np.nan], ["a", "b"], "NaN"),
        ([1.0], ["a", "b"], r"shape \(1,\), groups \(2,\)"),
    ],
)
def test_values_that_cannot_give_an_interval_are_refused(values, groups, message):
    with pytest.raises(ValueError, match=message):
        group_bootstrap_interval(values, groups)


def test_a_second_column_of_empties_gives_what_one_column_does():
    values, groups = np.random.default_rng(0).normal(size=60), np.char.add("g", (np.arange(60) % 12).astype(str))
    alone = np.stack([groups, np.full(60, "")], axis=1)

    assert group_bootstrap_interval(values, alone) == group_bootstrap_interval(values, groups)
    assert group_bootstrap_interval(values, alone[:, ::-1]) == group_bootstrap_interval(values, groups)


def test_mixtures_weigh_the_product_of_how_often_their_groups_are_drawn():
    values = np.array([1.0, 0.0, 3.0, 2.0, 5.0])
    groups = np.array([["a", "b"], ["b", "c"], ["c", ""], ["a", "c"], ["b", "b"]])
    generator, means = np.random.default_rng(4), []
    for _ in range(300):
        a, b, c = generator.multinomial(3, [1 / 3] * 3)
        weights = np.array([a * b, b * c, c, a * c, b], float)
        if weights.any():  # three times a leaves no window
            means.append(weights @ values / weights.sum())

    assert len(means) < 300
    found = group_bootstrap_interval(values, groups, seed=4, num_resamples=300)

    assert found == pytest.approx(tuple(np.percentile(means, (2.5, 97.5))))


def test_a_mixture_of_three_weighs_the_product_of_its_different_groups():
    values = np.array([1.0, 0.0, 4.0])
    groups = np.array([["a", "b", "c"], ["b", "c", "b"], ["c", "", ""]])
    generator, means = np.random.default_rng(2), []
    for _ in range(200):
        a, b, c = generator.multinomial(3, [1 / 3] * 3)
        weights = np.array([a * b * c, b * c, c], float)
        if weights.any():
            means.append(weights @ values / weights.sum())

    found = group_bootstrap_interval(values, groups, seed=2, num_resamples=200)

    assert found == pytest.approx(tuple(np.percentile(means, (2.5, 97.5))))


def test_the_order_of_the_parts_of_a_mixture_does_not_matter():
    rng = np.random.default_rng(1)
    groups, values = rng.integers(0, 9, (200, 2)).astype(str), rng.random(200)

    assert group_bootstrap_interval(values, groups) == group_bootstrap_interval(values, groups[:, ::-1])


def test_mixtures_of_independent_parts_agree_with_the_variance_of_their_sums():
    # The mean over all pairs of a_i + b_j is mean(a) + mean(b): its variance is that of two independent means.
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=40), rng.normal(size=40)
    groups = np.array([[f"a{i}", f"b{j}"] for i in range(40) for j in range(40)])
    values = (a[:, None] + b[None, :]).ravel()
    half = 1.96 * np.sqrt(a.var() / 40 + b.var() / 40)

    lower, upper = group_bootstrap_interval(values, groups, num_resamples=4000)

    assert upper - lower == pytest.approx(2 * half, rel=0.15)
    assert (lower + upper) / 2 == pytest.approx(values.mean(), abs=0.05)


def test_many_mixtures_are_resampled_in_blocks_of_bounded_memory():
    import tracemalloc

    groups = np.array([[f"a{i}", f"b{j}"] for i in range(200) for j in range(200)])
    values = np.random.default_rng(0).random(len(groups))
    tracemalloc.start()
    group_bootstrap_interval(values, groups, num_resamples=200)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 150e6


def test_the_share_of_right_decisions_is_bounded_where_nothing_can_be_resampled():
    assert share_interval([True] * 60, np.repeat(np.arange(6), 10)) == wilson_interval(6, 6)
    assert share_interval([False] * 4, [["a", "b"], ["a", "c"], ["c", ""], ["b", "c"]]) == wilson_interval(0, 3)
    assert share_interval([True, False], ["a", "a"]) == wilson_interval(1, 2)
    assert share_interval([True, False, True], list("abc")) == group_bootstrap_interval([1, 0, 1], list("abc"))


def test_groups_are_counted_in_both_columns_without_the_empty_one():
    assert count_groups([["a", "b"], ["c", ""], ["b", "a"]]) == 3
    assert count_groups(["a", "", "a"]) == 2


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([["a", "b"], ["", ""]], "1 window has no group, the first is number 1"),
        ([["a", "b", "c"]], r"groups \(1, 3\)"),
        ([[["a"]], [["b"]]], r"groups have shape \(2, 1, 1\)"),
        ([["a", "a"], ["a", ""]], "1 group"),
    ],
)
def test_groups_that_say_nothing_are_refused(groups, message):
    with pytest.raises(ValueError, match=message):
        group_bootstrap_interval([1.0, 0.0], groups)


def test_very_many_groups_have_the_interval_that_their_draws_one_by_one_give(monkeypatch):
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(1_200), rng.integers(1, 4, 1_200))
    right = rng.random(groups.size) < 0.8
    together = group_bootstrap_interval(right, groups, num_resamples=2_000)
    monkeypatch.setattr("edge_runtime.scoring.intervals._MOST_DRAWN_SINGLY", 1_200)
    singly = group_bootstrap_interval(right, groups, num_resamples=2_000)
    assert together == pytest.approx(singly, abs=2e-3)
    assert together.upper - together.lower == pytest.approx(2 * 1.96 * np.sqrt(0.16 / groups.size), rel=0.15)


def test_a_hundred_thousand_groups_cost_little_memory():
    tracemalloc.start()
    group_bootstrap_interval(np.arange(100_000) % 5 > 0, np.arange(100_000))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 50e6  # one draw of all groups 500 times over would be 400 MB


def test_the_median_of_a_few_values_may_be_any_of_them_and_of_many_only_near_the_middle():
    assert median_interval([3.0, 1.0, 2.0, 5.0, 4.0]) == (1.0, 5.0)
    assert median_interval([7.0]) == (7.0, 7.0)
    # Ranks 86 and 115 of 200, as in tables of the sign test.
    assert median_interval(np.arange(1, 201)) == (86.0, 115.0)


def test_of_no_values_there_is_no_median():
    with pytest.raises(ValueError, match="no values"):
        median_interval([])

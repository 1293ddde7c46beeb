import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_runtime.intervals import group_bootstrap_interval, paired_bootstrap_interval, wilson_interval


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
        ([1.0, 0.0], ["a", "a"], "1 groups; expected at least 2"),
        ([], [], "0 groups"),
        ([1.0, np.nan], ["a", "b"], "NaN"),
        ([1.0], ["a", "b"], r"shape \(1,\), groups \(2,\)"),
    ],
)
def test_values_that_cannot_give_an_interval_are_refused(values, groups, message):
    with pytest.raises(ValueError, match=message):
        group_bootstrap_interval(values, groups)

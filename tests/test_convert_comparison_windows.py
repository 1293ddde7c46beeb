"""Windows heard again: how many, which, and that only where a window begins is another."""

from __future__ import annotations

import numpy as np
import pytest

from convert.comparison_windows import ComparisonWindows, heard_again


def counted(num_windows: int, window_length: int = 50) -> ComparisonWindows:
    """Windows of which each sample tells its window and place."""
    samples = np.arange(num_windows * window_length, dtype=np.float32).reshape(num_windows, window_length)
    groups = np.array([f"clip {number}" for number in range(num_windows)])
    return ComparisonWindows(windows=samples, truth=np.arange(num_windows), groups=groups, thresholds=(0.5,))


@pytest.mark.parametrize(("given", "asked"), [(7, 30), (7, 28), (7, 8), (1, 5)])
def test_as_many_as_asked_for_those_given_first(given, asked):
    windows = counted(given)
    heard = heard_again(windows, asked)
    assert len(heard.windows) == len(heard.truth) == len(heard.groups) == asked
    assert np.array_equal(heard.windows[:given], windows.windows)
    assert heard.thresholds == (0.5,)


def test_none_is_heard_much_more_often_than_another():
    heard = heard_again(counted(7), 33)
    times = np.bincount(heard.truth, minlength=7)
    assert times.min() >= times.max() - 1


def test_each_begins_elsewhere_and_keeps_its_samples_its_truth_and_its_group():
    heard = heard_again(counted(7), 70)
    begins = set()
    for window, truth, group in zip(heard.windows, heard.truth, heard.groups, strict=True):
        begin = int(np.argmin(window))
        begins.add(begin)
        assert np.array_equal(np.roll(window, -begin), np.arange(50) + 50 * truth)
        assert group == f"clip {truth}"
    assert len(begins) > 20


def test_sets_of_labels_and_groups_of_mixtures_come_along():
    sets, groups = np.eye(3, dtype=bool), np.array([["a", "b"], ["c", ""], ["d", "e"]])
    windows = np.random.default_rng(1).normal(size=(3, 9)).astype(np.float32)
    heard = heard_again(ComparisonWindows(windows=windows, truth=sets, groups=groups), 6)
    assert np.array_equal(heard.truth, np.concatenate([sets, sets]))
    assert np.array_equal(heard.groups, np.concatenate([groups, groups]))


def test_enough_windows_stay_as_they_are():
    given = counted(7)
    assert np.array_equal(heard_again(given, 7).windows, given.windows)
    assert len(heard_again(given, 3).windows) == 7


def test_the_same_windows_are_heard_again_at_the_same_places():
    assert np.array_equal(heard_again(counted(7), 40).windows, heard_again(counted(7), 40).windows)


@pytest.mark.parametrize("shape", [(0, 50), (4, 10, 10)])
def test_what_is_no_audio_is_refused(shape):
    windows = np.zeros(shape, np.float32)
    with pytest.raises(ValueError, match="expected \\(n_windows, window_length\\), at least one"):
        heard_again(ComparisonWindows(windows=windows, truth=np.zeros(shape[0]), groups=np.zeros(shape[0])))

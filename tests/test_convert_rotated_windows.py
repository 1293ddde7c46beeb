"""Rotated windows: how many, which, and that only where a window begins is another."""

from __future__ import annotations

import numpy as np
import pytest

from train.evaluation.evaluate import TestWindows
from train.evaluation.rotated_windows import MOST_TIMES, with_rotated_windows

WINDOW_LENGTH = 50  # samples


def counted(num_windows: int) -> TestWindows:
    """Windows of which each sample tells its window and its place in it."""
    samples = np.arange(num_windows * WINDOW_LENGTH, dtype=np.float32).reshape(num_windows, WINDOW_LENGTH)
    numbers = np.arange(num_windows)
    groups = np.array([f"group {number}" for number in numbers])
    return TestWindows(windows=samples, truth=numbers, clips=numbers + 100, groups=groups)


@pytest.mark.parametrize(("num_given", "asked"), [(7, 30), (7, 28), (7, 8), (1, 5)])
def test_as_many_as_asked_for_those_given_first(num_given, asked):
    given = counted(num_given)
    heard = with_rotated_windows(given, asked)
    assert len(heard.windows) == len(heard.truth) == len(heard.clips) == len(heard.groups) == asked
    assert np.array_equal(heard.windows[:num_given], given.windows)


def test_none_is_heard_much_more_often_than_another():
    times = np.bincount(with_rotated_windows(counted(7), 33).truth, minlength=7)
    assert times.min() >= times.max() - 1


def test_none_is_heard_more_often_than_says_something_new():
    heard = with_rotated_windows(counted(3), 800)
    assert np.bincount(heard.truth).tolist() == [MOST_TIMES] * 3


def test_each_begins_elsewhere_and_keeps_its_samples_its_truth_its_clip_and_its_group():
    heard = with_rotated_windows(counted(7), 70)
    begins = [int(np.argmin(window)) for window in heard.windows]
    assert len(set(begins)) > 20
    for place, number in enumerate(heard.truth):
        assert np.array_equal(
            np.roll(heard.windows[place], -begins[place]), np.arange(WINDOW_LENGTH) + WINDOW_LENGTH * number
        )
        assert (heard.clips[place], heard.groups[place]) == (number + 100, f"group {number}")


def test_sets_of_labels_and_groups_of_mixtures_come_along():
    sets, groups = np.eye(3, dtype=bool), np.array([["a", "b"], ["c", ""], ["d", "e"]])
    windows = np.random.default_rng(1).normal(size=(3, 9)).astype(np.float32)
    heard = with_rotated_windows(TestWindows(windows=windows, truth=sets, clips=np.arange(3), groups=groups), 6)
    assert np.array_equal(heard.truth, np.concatenate([sets, sets]))
    assert np.array_equal(heard.groups, np.concatenate([groups, groups]))


@pytest.mark.parametrize("enough", [7, 3])
def test_enough_windows_stay_as_they_are(enough):
    assert np.array_equal(with_rotated_windows(counted(7), enough).windows, counted(7).windows)


def test_the_same_windows_are_rotated_to_the_same_places():
    assert np.array_equal(with_rotated_windows(counted(7), 40).windows, with_rotated_windows(counted(7), 40).windows)

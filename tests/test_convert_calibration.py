"""Which windows ranges are measured on."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from convert.quantization.calibration import check_window_shape, choose_calibration, windows_sha256
from train.batches.window_rows import WindowRows


def _windows(count: int, length: int = 4) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, length)).astype(np.float32)


def test_every_label_gets_the_same_share():
    labels = np.repeat([0, 1, 2], [50, 20, 30])
    chosen = choose_calibration(_windows(100), labels, num_windows=30, seed=3)
    assert np.bincount(labels[chosen.indices]).tolist() == [10, 10, 10]


def test_a_label_with_few_windows_gives_all_and_the_others_fill_its_place():
    labels = np.array(["speech"] * 50 + ["song"] * 2 + ["silence"] * 50)
    chosen = choose_calibration(_windows(102), labels, num_windows=22, seed=3)
    names, counts = np.unique(labels[chosen.indices], return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {"silence": 10, "song": 2, "speech": 10}


def test_the_windows_are_those_at_the_indices_in_ascending_order():
    windows = _windows(20)
    chosen = choose_calibration(windows, np.arange(20) % 2, num_windows=7, seed=1)
    assert np.all(np.diff(chosen.indices) > 0)
    np.testing.assert_array_equal(chosen.windows, windows[chosen.indices])
    assert len(chosen) == 7


def test_more_windows_than_there_are_means_all():
    chosen = choose_calibration(_windows(5), np.array([0, 0, 1, 1, 1]), num_windows=200)
    assert chosen.indices.tolist() == [0, 1, 2, 3, 4]


def test_the_seed_decides():
    arguments = (_windows(100), np.arange(100) % 2, 10)
    first, again, other = (choose_calibration(*arguments, seed=seed) for seed in (4, 4, 5))
    assert first.indices.tolist() == again.indices.tolist()
    assert first.sha256 == again.sha256
    assert first.indices.tolist() != other.indices.tolist()
    assert first.sha256 != other.sha256


def test_the_hash_is_of_the_samples_as_little_endian_float32():
    windows = np.array([[0.5, -1.0]])
    assert windows_sha256(windows) == hashlib.sha256(bytes.fromhex("0000003f000080bf")).hexdigest()
    assert windows_sha256(windows.astype(">f8")) == windows_sha256(windows)
    assert choose_calibration(windows, np.array([0])).sha256 == windows_sha256(windows)


def test_digital_silence_beside_other_windows_is_kept():
    windows = np.stack([np.zeros(4), np.array([0.0, 0.1, 0.0, 0.0])])
    assert len(choose_calibration(windows, np.array([0, 1]))) == 2


_BROKEN = np.array([[0.0, 1.0], [np.nan, 0.0], [0.0, np.inf]])


@pytest.mark.parametrize(
    ("windows", "labels", "num_windows", "message"),
    [
        (np.zeros((0, 4)), np.zeros(0), 5, "at least one window"),
        (np.zeros((3, 0)), np.zeros(3), 5, "at least one window"),
        (np.ones(4), np.zeros(4), 5, r"shape \(4,\); expected \(n_windows, window_length\)"),
        (np.zeros((3, 4)), np.arange(3), 5, "all 3 calibration windows are constant"),
        (np.full((3, 4), 0.25), np.arange(3), 5, r"constant \(value 0.25\)"),
        (_BROKEN, np.arange(3), 5, "2 of 3 windows hold NaN or infinite samples, the first is number 1"),
        (_windows(3), np.arange(2), 5, r"3 windows and labels of shape \(2,\)"),
        (_windows(3), np.zeros((3, 2)), 5, r"labels of shape \(3, 2\)"),
        (_windows(3), np.arange(3), 0, "num_windows is 0"),
    ],
)
def test_what_cannot_calibrate_is_refused(windows, labels, num_windows, message):
    with pytest.raises(ValueError, match=message):
        choose_calibration(windows, labels, num_windows)


@pytest.mark.parametrize("length", [3, 5])
def test_windows_one_sample_off_do_not_fit(length):
    chosen = choose_calibration(_windows(2, length), np.arange(2))
    with pytest.raises(ValueError, match=f"{length} values each; the model takes 4"):
        check_window_shape(chosen, (4,))


def test_windows_fit_a_model_that_takes_the_same_values_in_another_shape():
    chosen = choose_calibration(_windows(2, 6), np.arange(2))
    check_window_shape(chosen, (3, 2, 1))
    assert chosen.windows.shape == (2, 6)


def test_sets_of_labels_are_chosen_from_evenly_and_none_is_favoured_by_its_place():
    sets = np.array([[bool(number & bit) for bit in (1, 2, 4)] for number in range(8)]).repeat(5, axis=0)
    windows = _windows(40)
    all_sets = choose_calibration(windows, sets, 16)
    assert sorted(np.bincount(all_sets.indices // 5).tolist()) == [2] * 8
    few = [tuple(sorted(choose_calibration(windows, sets, 3, seed).indices // 5)) for seed in range(20)]
    assert len({number for chosen in few for number in chosen}) == 8
    assert np.array_equal(
        choose_calibration(windows, sets, 3, 4).windows, choose_calibration(windows, sets, 3, 4).windows
    )


def test_of_windows_that_are_made_when_read_only_the_chosen_ones_are_made():
    values = np.random.default_rng(0).uniform(-1, 1, (90, 40)).astype(np.float32)
    labels = np.arange(90) % 3
    made: list[int] = []

    def make(place: int) -> np.ndarray:
        made.append(place)
        return values[place]

    of_array = choose_calibration(values, labels, 12, seed=1)
    of_rows = choose_calibration(WindowRows(90, (40,), make), labels, 12, seed=1)
    assert made == of_array.indices.tolist()
    assert of_rows.sha256 == of_array.sha256
    values[of_array.indices[3], 5] = np.nan
    with pytest.raises(ValueError, match=f"the first is number {of_array.indices[3]}"):
        choose_calibration(WindowRows(90, (40,), make), labels, 12, seed=1)

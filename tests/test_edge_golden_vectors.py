"""Golden vectors: what is written is read back, windows heard again, and the few that a bundle takes along."""

import numpy as np
import pytest

from edge_runtime.parity.golden_vectors import Golden, golden_content, read_golden


def golden(num_windows=4, num_again=3, on_grid=True, **changes):
    rng = np.random.default_rng(0)
    shorts = rng.integers(-32768, 32768, (num_windows, 50)).astype(np.int16)
    windows = shorts.astype(np.float32) / 32768 if on_grid else rng.normal(0, 0.2, shorts.shape).astype(np.float32)
    again = np.stack([rng.integers(0, num_windows, num_again), rng.integers(0, 50, num_again)], axis=1)
    arrays = {
        "windows": windows,
        "scores": rng.random((num_windows + num_again, 2), np.float32),
        "truth": np.arange(num_windows) % 2,
        "groups": np.array([f"g{place}" for place in range(num_windows)]),
        "again": again.astype(np.int32),
    }
    return Golden(**{**arrays, **changes})


@pytest.mark.parametrize(("on_grid", "dtype"), [(True, np.int16), (False, np.float32)])
def test_what_is_written_is_read_back_bit_for_bit_in_16_bits_where_they_suffice(tmp_path, on_grid, dtype):
    made = golden(on_grid=on_grid)
    (tmp_path / "g.npz").write_bytes(golden_content(made))
    found = read_golden(tmp_path / "g.npz")

    assert np.load(tmp_path / "g.npz")["windows"].dtype == dtype
    for name in ("windows", "scores", "truth", "groups", "again"):
        assert np.array_equal(getattr(found, name), getattr(made, name)), name
    assert found.windows.dtype == np.float32


def test_a_window_is_heard_again_from_its_sample_on_and_what_came_before_follows():
    made = golden(again=np.array([[1, 10], [0, 0], [3, 49]], np.int32))
    first, second, third = made.heard_again()

    assert np.array_equal(first, np.concatenate([made.windows[1][10:], made.windows[1][:10]]))
    assert np.array_equal(second, made.windows[0])
    assert np.array_equal(third, np.concatenate([made.windows[3][49:], made.windows[3][:49]]))
    assert made.places().tolist() == [0, 1, 2, 3, 1, 0, 3]
    assert made.num_heard == 7


def test_the_first_windows_keep_the_scores_of_those_of_them_that_are_heard_again():
    made = golden(again=np.array([[1, 10], [3, 5], [0, 7]], np.int32))
    few = made.first(2)

    assert few.again.tolist() == [[1, 10], [0, 7]]
    assert np.array_equal(few.scores, made.scores[[0, 1, 4, 6]])
    assert few.truth.tolist() == [0, 1]
    assert made.first(99).num_heard == 7


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"again": np.array([[4, 0]] * 3, np.int32)}, "a window or a sample that is not there"),
        ({"again": np.array([[0, 50]] * 3, np.int32)}, "a window or a sample that is not there"),
        ({"again": np.array([[-1, 0]] * 3, np.int32)}, "a window or a sample that is not there"),
        ({"again": np.zeros((3, 3), np.int32)}, r"expected integers \(n_again, 2\)"),
        ({"again": np.zeros((3, 2), np.float32)}, r"expected integers \(n_again, 2\)"),
        ({"again": np.zeros((2, 2), np.int32)}, "2 of them heard again"),
        ({"truth": np.zeros(3)}, "golden truth holds 3 entries for 4 windows"),
        ({"mel": np.zeros((5, 2, 2), np.float32)}, "golden mel holds 5 entries for 4 windows"),
        ({"mel": np.zeros((0, 2, 2), np.float32)}, "golden mel holds 0 entries"),
    ],
)
def test_what_does_not_fit_is_refused(changes, reason):
    with pytest.raises(ValueError, match=reason):
        golden(**changes)

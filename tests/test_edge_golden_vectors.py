"""Golden vectors: what is written is read back, rotated windows, and the few that a bundle takes along."""

import io
import wave

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


def test_a_rotated_window_begins_at_its_sample_and_what_came_before_follows():
    made = golden(again=np.array([[1, 10], [0, 0], [3, 49]], np.int32))
    first, second, third = made.rotated_windows()

    assert np.array_equal(first, np.concatenate([made.windows[1][10:], made.windows[1][:10]]))
    assert np.array_equal(second, made.windows[0])
    assert np.array_equal(third, np.concatenate([made.windows[3][49:], made.windows[3][:49]]))
    assert made.places().tolist() == [0, 1, 2, 3, 1, 0, 3]
    assert made.num_compared == 7


def test_the_first_windows_keep_the_scores_of_their_rotated_copies():
    made = golden(again=np.array([[1, 10], [3, 5], [0, 7]], np.int32))
    few = made.first(2)

    assert few.again.tolist() == [[1, 10], [0, 7]]
    assert np.array_equal(few.scores, made.scores[[0, 1, 4, 6]])
    assert few.truth.tolist() == [0, 1]
    assert made.first(99).num_compared == 7


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"again": np.array([[4, 0]] * 3, np.int32)}, "a window or a sample that is not there"),
        ({"again": np.array([[0, 50]] * 3, np.int32)}, "a window or a sample that is not there"),
        ({"again": np.array([[-1, 0]] * 3, np.int32)}, "a window or a sample that is not there"),
        ({"again": np.zeros((3, 3), np.int32)}, r"expected integers \(n_again, 2\)"),
        ({"again": np.zeros((3, 2), np.float32)}, r"expected integers \(n_again, 2\)"),
        ({"again": np.zeros((2, 2), np.int32)}, "2 of them rotated"),
        ({"truth": np.zeros(3)}, "golden truth holds 3 entries for 4 windows"),
        ({"mel": np.zeros((5, 2, 2), np.float32)}, "golden mel holds 5 entries for 4 windows"),
        ({"mel": np.zeros((0, 2, 2), np.float32)}, "golden mel holds 0 entries"),
    ],
)
def test_what_does_not_fit_is_refused(changes, reason):
    with pytest.raises(ValueError, match=reason):
        golden(**changes)


def _with_stream(folder, samples, **changes):
    """Write golden vectors that take 4 windows of 50 samples from a WAV file of so many samples."""
    with wave.open(str(folder / "s.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(np.arange(samples, dtype="<i2").tobytes())
    arrays = dict(np.load(io.BytesIO(golden_content(golden(), "s.wav"))))
    np.savez(folder / "g.npz", **{**arrays, **changes})
    return folder / "g.npz"


def test_windows_are_cut_from_the_stream_beside_them(tmp_path):
    found = read_golden(_with_stream(tmp_path, 200))

    assert np.array_equal(found.windows * 32768, np.arange(200).reshape(4, 50))


def test_windows_that_16_bits_do_not_hold_stay_in_the_file_though_there_is_a_stream(tmp_path):
    made = golden(on_grid=False)
    (tmp_path / "g.npz").write_bytes(golden_content(made, "s.wav"))

    assert np.array_equal(read_golden(tmp_path / "g.npz").windows, made.windows)


@pytest.mark.parametrize(
    ("samples", "changes", "error", "reason"),
    [
        (199, {}, ValueError, r"shape \[4, 50\] from s.wav, which holds 199 samples"),
        (200, {"shape": np.array([-4, -50])}, ValueError, "were both made together"),
        (200, {"shape": np.array(200)}, ValueError, "were both made together"),
        (200, {"shape": np.array([1, 2, 100])}, ValueError, "were both made together"),
        (200, {"shape": np.array([0.5, 400])}, ValueError, "were both made together"),
        (200, {"stream": np.array("../s.wav")}, ValueError, "expected the name of a WAV file beside it"),
        (200, {"stream": np.array("t.wav")}, FileNotFoundError, "t.wav, which is not beside it; copy both"),
        (200, {"windows": np.zeros((4, 50), np.int16)}, ValueError, "expected windows, scores"),
    ],
)
def test_a_stream_that_does_not_fit_is_refused(tmp_path, samples, changes, error, reason):
    with pytest.raises(error, match=reason):
        read_golden(_with_stream(tmp_path, samples, **changes))

import numpy as np
import pytest

from edge_runtime.audio.windows import TAILS, cut_windows
from train.batches.window_rows import WindowRows
from train.evaluation.evaluate import cut_split
from train.evaluation.predict import predict
from train.recordings.clip_index import ClipIndex
from train.recordings.store.clip_store import LoadedClips
from train.recordings.store.packed_store import PackedStore

LENGTHS = (1, 99, 100, 101, 150, 350)


def rows_of(values: np.ndarray) -> WindowRows:
    return WindowRows(len(values), values.shape[1:], values.__getitem__)


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("hop", [0, 30, 100, 170])
def test_windows_of_a_side_are_those_cut_from_whole_clips(tmp_path, tail, hop):
    from pathlib import Path

    from train.recordings.clip import Clip

    rng = np.random.default_rng(0)
    sounds = [rng.uniform(-1, 1, length).astype(np.float32) for length in LENGTHS]
    clips = tuple(Clip(f"{place}", ("ab"[place % 2],), f"g{place}", "val") for place in range(len(sounds)))
    with PackedStore(tmp_path) as store:
        packed = [store.get(clip.path, 16_000, lambda sound=sound: [sound]) for clip, sound in zip(clips, sounds)]  # noqa: B905
    loaded = LoadedClips(ClipIndex(Path(), ("a", "b"), clips), packed, [one.digest for one in packed], [])
    cut = cut_split(loaded, "val", 100, hop, tail)
    whole = [cut_windows(sound, 100, hop or 100, tail) for sound in sounds]
    np.testing.assert_array_equal(cut.windows, np.concatenate(whole))
    owners = np.repeat(range(len(sounds)), [len(windows) for windows in whole])
    np.testing.assert_array_equal(cut.clips, owners)
    np.testing.assert_array_equal(cut.truth, owners % 2)
    assert cut.groups.tolist() == [f"g{owner}" for owner in owners]


def test_rows_are_read_as_those_of_an_array():
    values = np.random.default_rng(0).uniform(-1, 1, (20, 7)).astype(np.float32)
    rows = rows_of(values)
    assert (rows.shape, rows.ndim, rows.size, len(rows), rows.dtype) == ((20, 7), 2, 140, 20, np.float32)
    for key in (3, -1, np.int64(4), slice(None), slice(5, 50), slice(9, 2), [4, 4, 1], np.arange(20) % 3 == 0):
        np.testing.assert_array_equal(rows[key], values[key])
    np.testing.assert_array_equal(np.stack(list(rows)), values)
    with pytest.raises(IndexError):
        rows[20]


def test_a_row_is_made_only_when_it_is_read():
    made: list[int] = []

    def make(place: int) -> np.ndarray:
        made.append(place)
        return np.zeros(3, np.float32)

    rows = WindowRows(10**9, (3,), make)
    rows[-1]
    next(iter(rows))
    assert made == [10**9 - 1, 0]


@pytest.mark.parametrize("count", [1, 64, 65, 200])
def test_scores_of_many_windows_are_those_of_one_call(count, monkeypatch):
    asked: list[int] = []

    class Model:
        def predict(self, windows, batch_size, verbose):
            asked.append(len(windows))
            return windows[:, :2] * 2.0

    monkeypatch.setattr("train.evaluation.predict.BYTES_AT_ONCE", 64 * 5 * 4)  # one batch of rows of five
    values = np.random.default_rng(0).uniform(-1, 1, (count, 5)).astype(np.float32)
    np.testing.assert_array_equal(predict(Model(), rows_of(values)), values[:, :2] * np.float32(2.0))
    assert all(number == 64 for number in asked[:-1])
    assert sum(asked) == count

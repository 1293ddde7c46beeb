from collections import Counter

import numpy as np
import pytest
from conftest import SAMPLE_RATE
from many_tones import tones

from train.batches.augment import change_speed, vary_window
from train.batches.clip_draw import ClipDraw
from train.batches.training_windows import TrainingWindows
from train.recordings.clip_index import find_clips
from train.recordings.split import split_clips
from train.recordings.store.clip_store import load_clips
from train.settings import TrainingSettings


@pytest.fixture
def clips(make_folder, tmp_path):
    return load_clips(split_clips(find_clips(make_folder(6)), 0), SAMPLE_RATE, tmp_path / "cache")


def _windows(clips, epoch=0, **settings):
    chosen = TrainingSettings(**{"batch_size": 8, "epoch_windows": 32, **settings})
    return TrainingWindows(clips, SAMPLE_RATE, 16_000, chosen, epoch)


def test_every_label_is_drawn_equally_often(clips):
    windows = _windows(clips)
    counts = sum((Counter(windows[batch][1].argmax(axis=1).tolist()) for batch in range(len(windows))), Counter())
    assert counts == {0: 16, 1: 16}


def test_the_same_seed_gives_the_same_batches_and_another_seed_others(clips):
    one, same, other = (_windows(clips, seed=seed, augment=True)[1] for seed in (3, 3, 4))
    assert np.array_equal(one[0], same[0])
    assert np.array_equal(one[1], same[1])
    assert not np.array_equal(one[0], other[0])


def test_a_training_begun_at_a_later_epoch_draws_what_it_would_have_drawn(clips):
    through, resumed = _windows(clips, augment=True), _windows(clips, epoch=2, augment=True)
    through.on_epoch_end()
    through.on_epoch_end()
    assert np.array_equal(through[3][0], resumed[3][0])


def test_windows_are_float32_in_range_with_one_hot_targets(clips):
    windows, targets = _windows(clips, augment=True)[0]
    assert windows.shape == (8, 16_000)
    assert windows.dtype == np.float32
    assert np.abs(windows).max() < 1.0
    assert np.array_equal(targets.sum(axis=1), np.ones(8))


def test_only_clips_of_the_training_side_are_drawn(clips):
    windows = _windows(clips)
    heard = {label for batch in range(len(windows)) for label in windows[batch][0].std(axis=1).round(3).tolist()}
    assert len(windows._clips.waveforms) == len(clips.places("train"))
    assert heard


def test_a_clip_shorter_than_a_window_is_padded(make_folder, tmp_path):
    index = split_clips(find_clips(make_folder(6, seconds=0.3)), 0)
    clips = load_clips(index, SAMPLE_RATE, tmp_path / "cache")
    windows, _ = _windows(clips)[0]
    assert windows.shape == (8, 16_000)
    assert not windows[:, 15_000:].any()


def test_an_epoch_of_few_clips_still_has_several_steps(clips):
    assert len(_windows(clips, epoch_windows=0, batch_size=32)) >= 10


def test_a_variation_keeps_length_and_range_and_is_repeatable():
    window = np.random.default_rng(0).normal(0, 0.2, 8000).astype(np.float32)
    one, same = (vary_window(window, SAMPLE_RATE, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one, same)
    assert one.shape == window.shape
    assert np.abs(one).max() < 1.0
    assert not np.array_equal(one, window)


def test_digital_silence_stays_silent_and_finite():
    varied = vary_window(np.zeros(8000, np.float32), SAMPLE_RATE, np.random.default_rng(0))
    assert not varied.any()


def test_playing_faster_raises_the_tone():
    seconds = np.arange(9000) / SAMPLE_RATE
    faster = change_speed(np.sin(2 * np.pi * 400 * seconds).astype(np.float32), 8000)
    peak = np.abs(np.fft.rfft(faster)).argmax() * SAMPLE_RATE / 8000
    assert peak == pytest.approx(450, abs=2)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"loss": "hinge"}, "loss"),
        ({"optimizer": "sgd"}, "optimizer"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"epochs": 0}, "epochs"),
        ({"patience": 0}, "patience"),
        ({"label_smoothing": 1.0}, "label_smoothing"),
        ({"weight_decay": -0.1}, "weight_decay"),
        ({"seed": -1}, "seed"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(changes, named):
    with pytest.raises(ValueError, match=named):
        TrainingSettings(**changes)


def test_clips_are_drawn_as_numpy_draws_by_shares(clips):
    drawn = ClipDraw(clips, 16_000)
    ours, theirs = np.random.default_rng(5), np.random.default_rng(5)
    own = np.flatnonzero(drawn.label_of == 1)
    lengths = np.array([drawn.waveforms[place].size for place in own], np.float64)
    shares = np.sqrt(lengths)  # every clip is a group: its length over the root of it
    for count in (1, 3, 500):
        expected = theirs.choice(own, count, p=shares / shares.sum())
        np.testing.assert_array_equal(drawn.draw(1, count, ours), expected)


def test_the_loudest_window_lies_around_the_first_of_the_highest_peaks(monkeypatch):
    clips = tones("ab", {"train": 2, "val": 1, "test": 1}, seconds=2.0)
    clips.waveforms[0] = np.zeros(32_000, np.float32)
    clips.waveforms[0][[5_000, 20_001, 30_000]] = [0.5, -0.9, 0.9]
    monkeypatch.setattr("train.batches.clip_draw.BLOCK_LENGTH", 1_000)
    monkeypatch.setattr("train.recordings.store.packed_waveform.BLOCK_LENGTH", 1_000)
    expected = clips.waveforms[0][20_001 - 500 : 20_001 + 500]
    np.testing.assert_array_equal(ClipDraw(clips, 1_000).cut_loudest(0), expected)

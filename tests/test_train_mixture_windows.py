"""Training windows mixed as they are drawn: each label is a tone, so that a window tells what was mixed."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import SAMPLE_RATE
from many_tones import LABEL_STEP_HZ, SIDE_STEP_HZ, WINDOW_LENGTH, heard, tones

from train.batches.activity import ActivitySteps, AuxiliaryTargets
from train.batches.mixture_windows import MixtureWindows
from train.recordings.loudness import SilentClipError
from train.settings import TrainingSettings


def _windows(clips=None, sources=(1, 2), target="labels", epoch=0, **settings):
    chosen = TrainingSettings(**{"batch_size": 8, "epoch_windows": 32, **settings})
    return MixtureWindows(clips or tones(), SAMPLE_RATE, WINDOW_LENGTH, chosen, sources, target, epoch)


def _batches(windows):
    return [windows[batch] for batch in range(len(windows))]


def test_targets_are_the_labels_that_are_heard():
    for batch, targets in _batches(_windows(tones("abcd"), sources=(1, 2, 3))):
        for window, target in zip(batch, targets, strict=True):
            assert {found // LABEL_STEP_HZ - 1 for found in heard(window)} == set(np.flatnonzero(target).tolist())


def test_only_clips_of_the_training_side_are_mixed():
    for batch, _ in _batches(_windows()):
        assert {found % LABEL_STEP_HZ // SIDE_STEP_HZ for window in batch for found in heard(window)} == {0}


def test_one_source_and_two_come_equally_often_in_every_batch():
    for _, targets in _batches(_windows()):
        assert sorted(targets.sum(axis=1).tolist()) == [1.0] * 4 + [2.0] * 4
    counts = [sorted(targets.sum(axis=1).tolist()) for _, targets in _batches(_windows(batch_size=5))]
    assert {counted.count(1.0) for counted in counts} <= {2, 3}


def test_the_labels_of_mixtures_come_equally_often():
    targets = np.concatenate([targets for _, targets in _batches(_windows(epoch_windows=1200))])
    np.testing.assert_allclose(targets.sum(axis=0), 600, rtol=0.12)


def test_the_number_of_sources_can_be_the_target():
    for batch, targets in _batches(_windows(sources=(1, 2, 3), target="count")):
        assert targets.sum(axis=1).tolist() == [1.0] * 8
        assert [len(heard(window)) - 1 for window in batch] == targets.argmax(axis=1).tolist()


@pytest.mark.parametrize(("normalization", "amplitude"), [("pair", None), ("set", 0.5)])
def test_parts_are_normalized_as_set(normalization, amplitude):
    for batch, _ in _batches(_windows(sources=(2,), normalization=normalization)):
        for window in batch:
            levels = sorted(2 * np.abs(np.fft.rfft(window))[list(heard(window))] / window.size)
            assert levels[0] == pytest.approx(levels[1], rel=0.02)
            if amplitude:
                assert levels[0] == pytest.approx(amplitude, rel=0.02)


def test_both_normalizations_come_where_both_are_asked_for():
    levels = {
        round(float(np.abs(np.fft.rfft(window)).max()) * 2 / window.size, 1)
        for batch, _ in _batches(_windows(sources=(2,), normalization="both", epoch_windows=160))
        for window in batch
    }
    assert {0.2, 0.3, 0.4} & levels
    assert 0.5 in levels


def test_the_same_seed_gives_the_same_batches_and_another_seed_others():
    one, same, other = (_batches(_windows(seed=seed, augment=True)) for seed in (3, 3, 4))
    for (windows, targets), (windows_again, targets_again) in zip(one, same, strict=True):
        assert np.array_equal(windows, windows_again)
        assert np.array_equal(targets, targets_again)
    assert not np.array_equal(one[0][0], other[0][0])


def test_a_batch_does_not_depend_on_those_drawn_before_it():
    forward = _batches(_windows(augment=True))
    windows = _windows(augment=True)
    backward = [windows[batch] for batch in reversed(range(len(windows)))][::-1]
    for (one, _), (other, _) in zip(forward, backward, strict=True):
        assert np.array_equal(one, other)


def test_a_training_begun_at_a_later_epoch_draws_what_it_would_have_drawn():
    through, resumed = _windows(augment=True), _windows(augment=True, epoch=2)
    first = through[3][0]
    through.on_epoch_end()
    through.on_epoch_end()
    assert np.array_equal(through[3][0], resumed[3][0])
    assert not np.array_equal(first, resumed[3][0])


def test_varied_windows_are_float32_in_range():
    for windows, targets in _batches(_windows(augment=True, normalization="both")):
        assert (windows.shape, windows.dtype) == ((8, WINDOW_LENGTH), np.float32)
        assert targets.dtype == np.float32
        assert np.abs(windows).max() < 1.0


def test_loud_clips_do_not_wrap_when_they_are_added():
    clips = tones("ab")
    loud = replace(clips, waveforms=[waveform / np.abs(waveform).max() for waveform in clips.waveforms])
    for windows, _ in _batches(_windows(loud, sources=(2,))):
        assert np.abs(windows).max() <= 0.9991
        assert np.abs(np.diff(windows, axis=1)).max() < 1.0  # a wrap would jump by 2


def test_a_clip_of_silence_is_refused_rather_than_learnt():
    clips = tones("ab")
    silent = replace(clips, waveforms=[np.zeros_like(waveform) for waveform in clips.waveforms])
    with pytest.raises(SilentClipError, match="every training clip of a, b is silent"):
        _windows(silent)


def test_a_silent_clip_among_others_is_not_drawn():
    clips = tones("ab")
    first = clips.places("train")[0]
    waveforms = [np.zeros_like(w) if place == first else w for place, w in enumerate(clips.waveforms)]
    windows = _windows(replace(clips, waveforms=waveforms), sources=(1, 2))
    assert first not in windows._clips.places
    for batch, _ in _batches(windows):
        assert np.abs(batch).max(axis=1).min() > 0.0


def test_of_a_clip_that_is_silent_for_long_its_sound_is_taken():
    clips = tones("ab")
    long = np.zeros(4_000 * WINDOW_LENGTH, np.float32)
    long[3_000 * WINDOW_LENGTH + 5] = 0.5
    first = clips.places("train")[0]
    waveforms = [long if place == first else w for place, w in enumerate(clips.waveforms)]
    windows = _windows(replace(clips, waveforms=waveforms))
    part = windows._part(list(windows._clips.places).index(first), np.random.default_rng(0), vary=False)
    assert np.flatnonzero(part).size == 1


def test_more_sources_than_labels_and_unknown_targets_are_refused():
    with pytest.raises(ValueError, match="3 sources of different labels need as many labels; there are 2"):
        _windows(tones("ab"), sources=(3,))
    with pytest.raises(ValueError, match="expected labels or count"):
        _windows(target="loudness")


@pytest.mark.parametrize("target", ["labels", "count"])
def test_what_is_given_beside_targets_fits_them_and_changes_nothing_else(target):
    steps = ActivitySteps(num_steps=4, first=0, hop=WINDOW_LENGTH // 4, length=WINDOW_LENGTH // 4)
    settings = TrainingSettings(batch_size=8, epoch_windows=32, augment=True)
    plain, told, labels_alone = (
        MixtureWindows(tones("abc"), SAMPLE_RATE, WINDOW_LENGTH, settings, (1, 2), target, beside=beside)
        for beside in (
            AuxiliaryTargets(),
            AuxiliaryTargets(labels=True, steps=steps),
            AuxiliaryTargets(labels=True),
        )
    )
    for (windows, targets), (their_windows, further), (_, alone) in zip(plain, told, labels_alone, strict=True):
        their_targets, labels, activity = further
        assert np.array_equal(windows, their_windows)
        assert np.array_equal(targets, their_targets)
        assert activity.shape == (8, 4, 3)
        assert np.array_equal(activity.any(axis=1), labels > 0)
        assert np.array_equal(labels.sum(axis=1), targets.sum(axis=1) if target == "labels" else 1 + targets.argmax(1))
        assert [np.array_equal(*both) for both in zip(alone, (targets, labels), strict=True)] == [True, True]

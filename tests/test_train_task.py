"""What a training is judged on: held-out windows of one side, with labels and groups known by hand."""

from dataclasses import replace

import numpy as np
import pytest
from many_tones import LABEL_STEP_HZ, SIDE_STEP_HZ, WINDOW_LENGTH, clip_index, heard, tones

from train.mixtures.mixing import mix
from train.recordings.clip import Clip
from train.settings import TrainingSettings
from train.tasks.task import LabelSet, OneLabel, SourceCount, draw_parts, mixture_windows, part_groups

SETTINGS = TrainingSettings()
ALL_TASKS = (OneLabel(), LabelSet(), SourceCount())


def _held_out(task, clips=None, split="val", **settings):
    return task.held_out(clips or tones(), split, WINDOW_LENGTH, TrainingSettings(**settings))


@pytest.mark.parametrize("task", [LabelSet(), SourceCount(), LabelSet((2,)), SourceCount(3), OneLabel()])
@pytest.mark.parametrize(("split", "side"), [("val", 1), ("test", 2)])
def test_held_out_windows_are_of_their_side_alone(task, split, side):
    for window in _held_out(task, split=split).windows:
        assert {found % LABEL_STEP_HZ // SIDE_STEP_HZ for found in heard(window)} == {side}


def test_a_label_set_is_judged_on_all_single_clips_and_all_mixtures():
    cut = _held_out(LabelSet())
    assert cut.truth.sum(axis=1).tolist() == [1] * 6 + [2] * 12  # 3 labels of 2 clips; 3 label pairs of 2 x 2
    assert cut.groups.shape == (18, 2)
    assert [bool(second) for _, second in cut.groups] == [False] * 6 + [True] * 12
    for window, truth in zip(cut.windows, cut.truth, strict=True):
        assert {found // LABEL_STEP_HZ - 1 for found in heard(window)} == set(np.flatnonzero(truth).tolist())


def test_single_clips_and_mixtures_weigh_equally_together():
    cut = _held_out(LabelSet())
    weights = cut.weights()
    assert weights[:6].sum() == pytest.approx(weights[6:].sum())
    assert weights.mean() == pytest.approx(1.0)


def test_pairs_alone_have_the_groups_of_both_parts():
    cut = _held_out(LabelSet((2,)))
    assert len(cut.truth) == 12
    assert {group.split("-")[0] for group in cut.groups.ravel()} == set("abc")
    for groups, truth in zip(cut.groups, cut.truth, strict=True):
        assert {group[0] for group in groups} == set(np.array(list("abc"))[truth])


def test_mixtures_are_720_at_most_and_the_same_every_time():
    clips = tones("abcdefghij", {"train": 1, "val": 5, "test": 1})
    one, other = (_held_out(LabelSet((2,)), clips) for _ in range(2))
    assert len(one.truth) == 720  # of 45 x 25
    assert np.array_equal(one.windows, other.windows)
    _, counts = np.unique(one.truth, axis=0, return_counts=True)
    assert counts.tolist() == [16] * 45


def test_a_counter_is_judged_on_each_number_equally_often():
    cut = _held_out(SourceCount(3), tones("abcd", {"train": 1, "val": 4, "test": 1}))
    assert np.bincount(cut.truth)[:2].tolist() == [16, 16]
    assert 12 <= np.bincount(cut.truth)[2] <= 16  # drawn with replacement, each combination kept once
    assert [len(heard(window)) - 1 for window in cut.windows] == cut.truth.tolist()
    assert cut.groups.shape[1] == 3


def test_one_label_is_judged_on_its_clips():
    cut = _held_out(OneLabel())
    assert cut.truth.tolist() == [0, 0, 1, 1, 2, 2]
    assert cut.groups.tolist() == [f"{label}-val{number}" for label in "abc" for number in range(2)]


def test_clips_without_sound_are_left_out_of_what_is_judged():
    clips = tones()
    places = clips.places("val")
    waveforms = list(clips.waveforms)
    waveforms[places[0]] = np.zeros(WINDOW_LENGTH, np.float32)
    waveforms[places[2]] = np.r_[np.full(WINDOW_LENGTH, 1e-6), np.ones(100)].astype(np.float32)
    drawn = draw_parts(replace(clips, waveforms=waveforms), "val", 1, WINDOW_LENGTH, 99)
    assert [place for (place,) in drawn] == [place for place in places if place not in (places[0], places[2])]
    pairs = draw_parts(replace(clips, waveforms=waveforms), "val", 2, WINDOW_LENGTH, 99)
    assert not {places[0], places[2]} & {place for pair in pairs for place in pair}
    assert len(pairs) == 1 + 2 + 2


def test_held_out_mixtures_are_what_mixing_makes_of_their_parts():
    clips = tones()
    drawn = draw_parts(clips, "test", 2, WINDOW_LENGTH, 99)
    loudest = max(float(np.abs(waveform).max()) for waveform in clips.waveforms)
    for number, (window, parts) in enumerate(
        zip(mixture_windows(clips, drawn, WINDOW_LENGTH, "both"), drawn, strict=True)
    ):
        expected = mix([clips.waveforms[place] for place in parts], ("pair", "set")[number % 2], loudest)
        np.testing.assert_array_equal(window, expected)


def test_a_short_clip_is_padded_in_a_mixture():
    cut = _held_out(LabelSet(), tones(seconds=0.25))
    assert cut.windows.shape == (18, WINDOW_LENGTH)
    assert not np.asarray(cut.windows)[:, 4000:].any()


def test_groups_of_single_clips_alone_are_one_column():
    clips = tones()
    assert part_groups(clips, [(0,), (1,)]).tolist() == ["a-train0", "a-train1"]
    assert part_groups(clips, [(0,), (0, 8)]).tolist() == [["a-train0", ""], ["a-train0", "b-train0"]]


def test_mixtures_of_three_are_all_different_and_as_many_as_there_can_be():
    drawn = draw_parts(tones(), "val", 3, WINDOW_LENGTH, 6)
    assert len(drawn) == len(set(drawn)) == 6  # of the 2 x 2 x 2 there are
    assert all(len(set(parts)) == 3 for parts in drawn)
    assert drawn == draw_parts(tones(), "val", 3, WINDOW_LENGTH, 6)


def test_labels_of_the_output():
    index = clip_index("abc", {"train": 1})
    assert OneLabel().labels(index) == LabelSet().labels(index) == ("a", "b", "c")
    assert SourceCount(2).labels(index) == ("one", "two")
    assert SourceCount(3).labels(index) == ("one", "two", "three")


def test_scenes_of_several_labels_teach_none_of_the_tasks():
    index = clip_index("ab", {"train": 2})
    scene = index.with_clips([*index.clips, Clip("scene.wav", ("a", "b"), "scene", "train")])
    for task in ALL_TASKS:
        with pytest.raises(ValueError, match=r"scene\.wav has several labels \(1 clip does\)"):
            task.check(scene)
        task.check(index)


def test_fewer_labels_than_sources_are_refused():
    index = clip_index("ab", {"train": 2})
    for task in (LabelSet((1, 3)), SourceCount(3)):
        with pytest.raises(ValueError, match="3 sources of different labels need as many labels; there are a, b"):
            task.check(index)


def test_training_windows_of_a_task_have_its_targets():
    clips = tones()
    for task, width in ((OneLabel(), 3), (LabelSet(), 3), (SourceCount(), 2)):
        settings = replace(SETTINGS, batch_size=4, epoch_windows=8)
        windows, targets = task.training_windows(clips, 16_000, WINDOW_LENGTH, settings)[0]
        assert (windows.shape, targets.shape) == ((4, WINDOW_LENGTH), (4, width))

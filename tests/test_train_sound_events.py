"""Detectors learn from recordings with annotations: windows, their targets, and the choice of the task."""

from dataclasses import replace

import numpy as np
import pytest

from edge_runtime.segments.segment import Segment
from metadata import FrameScores
from train.annotations.frame_targets import window_labels
from train.batches import event_windows
from train.batches.activity import ActivitySteps, AuxiliaryTargets
from train.batches.event_windows import EventWindows
from train.data.prepare import find_data
from train.evaluation.frame_thresholds import choose_frame_thresholds
from train.models import event_crnn, mel_cnn
from train.recordings.clip import Clip
from train.recordings.clip_index import ClipIndex, combine
from train.recordings.store.clip_store import LoadedClips
from train.settings import TrainingSettings
from train.tasks.sound_events import SoundEvents
from train.tasks.task import LabelSet
from train.tasks.task_choice import task_for

RATE, WINDOW = 1_000, 1_000
STEPS = ActivitySteps(num_steps=20, first=0, hop=50, length=50)
LABELS = ("high", "low")
EVENTS = {
    "a": (Segment(onset=0.5, offset=1.1, label="low"), Segment(onset=2.3, offset=2.9, label="low")),
    "b": (Segment(onset=1.0, offset=3.0, label="high"),),
}


def _clips(events=EVENTS, sides=("train", "train"), groups=("a", "b")) -> LoadedClips:
    """Recordings of 3 s that are 0.5 where "low" sounds, -0.25 where "high" does, and else 0."""
    waveforms = []
    for name in ("a", "b"):
        samples = np.zeros(3 * RATE, np.float32)
        for one in events[name]:
            samples[round(one.onset * RATE) : round(one.offset * RATE)] = 0.5 if one.label == "low" else -0.25
        waveforms.append(samples)
    clips = tuple(
        Clip(name, tuple(dict.fromkeys(one.label for one in events[name])), group, side)
        for name, group, side in zip(("a", "b"), groups, sides, strict=True)
    )
    return LoadedClips(ClipIndex(None, LABELS, clips, events=events), waveforms, ["0", "1"], [])


def _windows(**settings) -> EventWindows:
    chosen = TrainingSettings(batch_size=16, epoch_windows=64, **settings)
    return EventWindows(_clips(), RATE, WINDOW, chosen, beside=AuxiliaryTargets(steps=STEPS))


def _sounding(window: np.ndarray) -> np.ndarray:
    """In which steps each label fills most of the step, by the samples themselves, (20, 2)."""
    steps = window.reshape(STEPS.num_steps, STEPS.length)
    return np.stack([(steps < -0.1).mean(axis=1), (steps > 0.1).mean(axis=1)], axis=1)


@pytest.mark.parametrize("augment", [False, True])
def test_the_targets_of_a_window_stand_where_its_samples_sound_also_where_it_is_played_faster(augment, monkeypatch):
    monkeypatch.setattr(event_windows, "LAID_OVER_SHARE", 0.0)
    monkeypatch.setattr(event_windows, "VARIED_SHARE", 0.0)
    windows, (labels, activity) = _windows(augment=augment)[0]
    sounding = np.stack([_sounding(window) for window in windows])
    clear = abs(sounding - 0.5) > 0.1  # a border that cuts a step in the middle may fall on either side
    assert clear.mean() > 0.9
    np.testing.assert_array_equal(activity[clear], sounding[clear] > 0.5)
    shares = activity.sum(axis=1) * STEPS.length / RATE
    np.testing.assert_array_equal(labels[shares > 0.3], 1.0)
    np.testing.assert_array_equal(labels[shares == 0.0], 0.0)


def test_three_quarters_of_the_windows_hold_events_the_labels_in_equal_shares():
    windows = _windows()
    held = np.concatenate([windows[number][1][0] for number in range(len(windows))])
    assert held.any(axis=1).mean() >= 0.75
    assert held.sum(axis=0).min() >= 24  # of 64


def test_a_window_laid_over_another_brings_its_labels_and_steps(monkeypatch):
    monkeypatch.setattr(event_windows, "LAID_OVER_SHARE", 1.0)
    monkeypatch.setattr(event_windows, "VARIED_SHARE", 0.0)
    monkeypatch.setattr(event_windows, "LAID_OVER_RANGE_DB", (0.0, 0.0))
    windows, (labels, activity) = _windows(augment=True)[0]
    both = labels.all(axis=1)
    assert both.any()
    assert abs(windows).max() <= 0.999
    together = activity[both].all(axis=2)
    levels = windows[both].reshape(-1, STEPS.num_steps, STEPS.length).mean(axis=2)[together]
    assert together.any()
    assert np.median(levels) == pytest.approx(0.25, abs=0.01)  # 0.5 - 0.25


def test_what_is_drawn_depends_on_seed_epoch_and_batch_alone():
    first, second = _windows(augment=True), _windows(augment=True)
    second[1]  # another batch before
    np.testing.assert_array_equal(first[0][0], second[0][0])
    second.on_epoch_end()
    assert (first[0][0] != second[0][0]).any()
    assert (first[0][0] != _windows(augment=True, seed=1)[0][0]).any()


def test_a_recording_shorter_than_a_window_is_padded():
    short = _clips()
    short.waveforms[0] = short.waveforms[0][:700]
    windows = EventWindows(short, RATE, WINDOW, TrainingSettings(batch_size=16, epoch_windows=64))
    assert windows[0][0].shape == (16, WINDOW)


def test_without_events_on_the_train_side_there_is_nothing_to_learn():
    with pytest.raises(ValueError, match="no recording of the train side has an event"):
        EventWindows(_clips({"a": (), "b": ()}), RATE, WINDOW, TrainingSettings())


def test_a_label_counts_in_a_window_from_a_fifth_of_a_second_or_half_of_a_short_event():
    events = [Segment(onset=0.9, offset=2.0, label="low"), Segment(onset=0.85, offset=1.05, label="high")]
    assert window_labels(events, LABELS, 0.0, 1.0).tolist() == [True, False]  # 0.15 of 0.2 s, 0.1 of 1.1 s
    assert window_labels(events, LABELS, 0.1, 1.0).tolist() == [True, True]


def test_held_out_windows_lie_one_after_the_other_and_the_last_is_padded():
    task, clips = SoundEvents(RATE), _clips(sides=("train", "test"))
    cut = task.held_out(clips, "test", 2 * WINDOW, TrainingSettings())
    assert cut.starts.tolist() == [0, 2000]
    assert cut.truth.tolist() == [[True, False], [True, False]]
    assert cut.windows[1][1000:].max() == cut.windows[1][1000:].min() == 0.0
    truth = task.frame_truth(clips, cut, FrameScores(4, 500))
    assert truth[:, :, 0].tolist() == [[0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0]]
    assert not truth[:, :, 1].any()


def test_windows_of_a_composed_scene_carry_all_its_groups():
    cut = SoundEvents(RATE).held_out(_clips(groups=("a|c", "b")), "train", WINDOW, TrainingSettings())
    assert cut.groups[0].tolist() == ["a", "c"]
    assert cut.groups[-1].tolist() == ["b", ""]


def test_annotations_decide_the_task_of_a_model_of_several_labels_and_are_refused_for_one_label():
    assert isinstance(task_for(event_crnn, "small", is_annotated=False), LabelSet)
    assert task_for(event_crnn, "small", is_annotated=True) == SoundEvents(16_000)
    with pytest.raises(ValueError, match=r"mel_cnn .* tells one label or number a window"):
        task_for(mel_cnn, mel_cnn.DEFAULT_VARIANT, is_annotated=True)


def test_thresholds_of_frames_part_them_and_a_label_without_frames_keeps_a_half_and_it_is_said():
    truth = np.zeros((2, 4, 3), np.float32)
    truth[0, :2, 0], truth[1, 3, 1] = 1.0, 1.0
    scores = np.where(truth > 0, np.float32([0.3, 0.9, 0.0]), np.float32([0.1, 0.7, 0.2])).astype(np.float32)
    said = []
    found = choose_frame_thresholds(scores, truth, ("a", "b", "c"), said.append)
    assert found == pytest.approx((0.2, 0.8, 0.5))
    assert said == ["no validation frame has c: the threshold of its frames stays 0.5"]


def test_data_of_both_kinds_are_refused_together_and_annotated_ones_are_joined(tmp_path):
    index = replace(_clips().index, root=tmp_path / "one", events=EVENTS)
    with pytest.raises(ValueError, match=r"has annotations and .* has none"):
        combine([index, replace(index, root=tmp_path / "two", events=None)])
    both = combine([index, replace(index, root=tmp_path / "two")])
    assert both.events["two/b"] == EVENTS["b"]
    assert len(both.events) == 4


def test_a_folder_with_annotations_is_read_with_its_events(tmp_path, make_folder):
    folder = make_folder()
    (folder / "annotations.csv").write_text("filename,onset,offset,event_label\nhigh/0.wav,0,1,beep\n")
    recording = sorted(folder.rglob("*.wav"))[0]
    name = recording.relative_to(folder).as_posix()
    (folder / "annotations.csv").write_text(f"filename,onset,offset,event_label\n{name},0,1,beep\n")
    assert find_data(folder).events[name] == (Segment(onset=0.0, offset=1.0, label="beep"),)
    assert find_data(folder, dataset="none").events is None

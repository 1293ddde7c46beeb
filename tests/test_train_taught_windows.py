"""What a student is fed: targets between truth and teachers, and windows without labels, known by hand."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from conftest import SAMPLE_RATE

from train.batches.activity import ActivitySteps, AuxiliaryTargets
from train.batches.lesson import RecordingLesson, ScoreTrack, WindowLesson
from train.batches.mixture_windows import MixtureWindows
from train.batches.taught_windows import TaughtWindows
from train.batches.training_windows import TrainingWindows
from train.fitting import fit
from train.models import mixed_cnn
from train.recordings.clip_index import find_clips
from train.recordings.split import split_clips
from train.recordings.store.clip_store import load_clips
from train.settings import TrainingSettings
from train.tasks.auxiliary_outputs import Learner

LENGTH = 4_000  # samples
SETTINGS = TrainingSettings(batch_size=4, epoch_windows=8, teacher_weight=0.25)


def _track(scores, middles=(0.0,), window_seconds=1.0):
    return ScoreTrack(middles=np.array(middles), scores=np.float32(scores), window_seconds=window_seconds)


@pytest.mark.parametrize(
    ("first", "last", "score"),
    [
        (0.5, 1.5, 0.2),  # as the first window
        (1.0, 2.0, 0.3),  # half way
        (1.25, 2.25, 0.35),
        (0.0, 1.0, 0.2),  # before the first middle
        (8.0, 9.0, 0.9),  # behind the last
    ],
)
def test_a_stretch_has_the_scores_between_the_windows_around_its_middle(first, last, score):
    track = _track([[0.2], [0.4], [0.9]], middles=(1.0, 2.0, 3.0))
    np.testing.assert_allclose(track.over(first, last), [score], rtol=1e-6)


def test_of_short_windows_a_stretch_has_the_mean_of_those_in_it():
    track = _track([[0.2], [0.4], [0.9], [0.1]], middles=(0.5, 1.0, 1.5, 2.0), window_seconds=1.0)
    np.testing.assert_allclose(track.over(0.4, 2.4), [0.4], rtol=1e-6)
    np.testing.assert_allclose(track.over(0.4, 2.3), [0.75], rtol=1e-6)  # shorter than two of them: at 1.35 s


@pytest.fixture
def clips(make_folder, tmp_path):
    return load_clips(split_clips(find_clips(make_folder(6, seconds=0.5)), 0), SAMPLE_RATE, tmp_path / "cache")


def test_a_labelled_window_has_the_weighted_mean_of_truth_and_of_all_teachers(clips):
    plain = TrainingWindows(clips, SAMPLE_RATE, LENGTH, SETTINGS)
    tracks = {place: (_track([[0.6, 0.4]]), _track([[0.2, 0.8]])) for place in clips.places("train")}
    lesson = RecordingLesson(weight=0.25, sample_rate=SAMPLE_RATE, tracks=tracks)
    samples, targets = TaughtWindows(plain, lesson, LENGTH, SETTINGS)[1]
    windows, truth = plain[1]
    np.testing.assert_array_equal(samples, windows)
    np.testing.assert_allclose(targets, 0.75 * truth + 0.25 * np.array([0.4, 0.6]), rtol=1e-6)
    assert targets.dtype == np.float32


def test_each_window_has_the_scores_of_its_own_stretch(clips):
    plain = TrainingWindows(clips, SAMPLE_RATE, LENGTH, SETTINGS)
    *_, stretches = plain.cut(0)
    assert {stretch.place for stretch in stretches} <= set(clips.places("train"))
    tracks = {
        place: (_track([[place + 0.0, 0.0], [place + 1.0, 0.0]], middles=(0.0, 1.0)),)
        for place in clips.places("train")
    }
    _, _, scores = RecordingLesson(weight=1.0, sample_rate=SAMPLE_RATE, tracks=tracks).batch(plain, 0)
    expected = [one.place + (one.start + LENGTH / 2) / SAMPLE_RATE for one in stretches]
    np.testing.assert_allclose(scores[:, 0], expected, rtol=1e-6)


def test_windows_without_labels_follow_and_have_the_scores_alone(clips):
    plain = TrainingWindows(clips, SAMPLE_RATE, LENGTH, SETTINGS)
    tracks = {place: (_track([[0.5, 0.5]]),) for place in clips.places("train")}
    silent = [np.full(LENGTH, 0.5, np.float32)] * 4  # half as many windows as an epoch has
    lesson = RecordingLesson(
        weight=0.25,
        sample_rate=SAMPLE_RATE,
        tracks=tracks,
        unlabelled=silent,
        unlabelled_tracks=[(_track([[0.9, 0.1]]),)] * 4,
    )
    taught = TaughtWindows(plain, lesson, LENGTH, SETTINGS)
    assert (len(taught), taught.num_unlabelled) == (len(plain), 2)
    samples, targets = taught[0]
    np.testing.assert_array_equal(samples[:4], plain[0][0])
    np.testing.assert_array_equal(samples[4:], np.full((2, LENGTH), 0.5))
    np.testing.assert_allclose(targets[4:], [[0.9, 0.1]] * 2, rtol=1e-6)
    again = TaughtWindows(
        plain, replace(lesson, unlabelled=silent * 50, unlabelled_tracks=[()] * 200), LENGTH, SETTINGS
    )
    assert again.num_unlabelled == 4  # at most as many as labelled ones


def test_mixtures_are_scored_as_they_are_and_nobody_says_when_an_unlabelled_sound_is_there(clips):
    steps = ActivitySteps(num_steps=2, first=0, hop=2_000, length=2_000)
    settings = replace(mixed_cnn.DEFAULT, batch_size=4, epoch_windows=8, augment=False, teacher_weight=0.25)
    beside = AuxiliaryTargets(steps=steps)
    plain = MixtureWindows(clips, SAMPLE_RATE, LENGTH, settings, (1, 2), "labels", 0, beside)

    def score(windows):
        level = np.abs(windows).max(axis=1)
        return np.stack([level, 1.0 - level], axis=1)

    lesson = WindowLesson(weight=0.25, sample_rate=SAMPLE_RATE, score=score, unlabelled=[np.ones(2 * LENGTH, "f4")])
    samples, (targets, activity), (of_scores, of_activity) = TaughtWindows(plain, lesson, LENGTH, settings)[0]
    windows, (truth, sounds) = plain[0]
    np.testing.assert_array_equal(samples[:4], windows)
    np.testing.assert_allclose(targets[:4], 0.75 * truth + 0.25 * score(windows), rtol=1e-6)
    np.testing.assert_allclose(targets[4:], [[1.0, 0.0]])
    np.testing.assert_array_equal(activity[:4], sounds)
    np.testing.assert_array_equal(of_scores, np.ones(5))
    np.testing.assert_allclose(of_activity, [[1.25]] * 4 + [[0.0]])


def test_the_next_epoch_has_other_windows_and_a_resumed_one_the_same(clips):
    def taught(first_epoch):
        plain = TrainingWindows(clips, SAMPLE_RATE, LENGTH, SETTINGS, first_epoch)
        tracks = {place: (_track([[0.5, 0.5]]),) for place in clips.places("train")}
        noise = [np.random.default_rng(0).uniform(-1, 1, 20 * LENGTH).astype("f4")]
        more = {"unlabelled": noise, "unlabelled_tracks": [(_track([[0.9, 0.1]]),)]}
        lesson = RecordingLesson(weight=0.25, sample_rate=SAMPLE_RATE, tracks=tracks, **more)
        return TaughtWindows(plain, lesson, LENGTH, SETTINGS, first_epoch)

    through = taught(0)
    first = through[0][0]
    through.on_epoch_end()
    np.testing.assert_array_equal(through[0][0], taught(1)[0][0])
    assert not np.array_equal(first[4:], through[0][0][4:])


def test_windows_of_which_a_further_output_knows_nothing_leave_its_loss_as_it_was():
    audio = keras.Input((3,))
    scores = keras.layers.Dense(2, "sigmoid", name="scores")(audio)
    steps = keras.layers.Reshape((2, 1))(keras.layers.Dense(2, "sigmoid")(audio))
    activity = keras.layers.Dense(2, "sigmoid", name="activity")(steps)
    model = keras.Model(audio, [scores, activity])
    settings = TrainingSettings(loss="binary_crossentropy", activity_weight=1.0)
    learner = Learner(model=model, weights=(1.0,), targets=AuxiliaryTargets())
    fit.compile_model(keras.Model(audio, scores), settings, 1, learner)
    windows, targets = np.eye(3, dtype="f4")[[0, 1, 2, 2, 0]], np.ones((5, 2), "f4")
    sounds = np.eye(2, dtype="f4")[np.zeros((5, 2), int)]
    weights = np.ones(5, "f4"), np.float32([[1.25]] * 4 + [[0.0]])
    with_more = model.test_on_batch(windows, (targets, sounds), weights, return_dict=True)
    without = model.test_on_batch(windows[:4], (targets[:4], sounds[:4]), return_dict=True)
    np.testing.assert_allclose(with_more["activity_loss"], without["activity_loss"], rtol=1e-5)
    assert not np.isclose(with_more["scores_loss"], without["scores_loss"])

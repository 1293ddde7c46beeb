"""Teachers and students: which scores are learned, from which recordings, and what a teacher must not have heard."""

import json
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE, tone
from tiny_tflite import tiny_classifier, tiny_spec

import earproof
from convert.report.data_report import data_notes, describe_data
from metadata import ModelSpec, pack_model
from metadata.spec import Provenance, replace_spec
from train.data.prepare import find_and_split
from train.fitting import fit
from train.fitting.finished_run import open_recordings
from train.recordings.clip_index import find_clips, read_index, write_index
from train.recordings.split import LeakError, split_clips
from train.recordings.store.clip_store import load_clips
from train.settings import TrainingSettings
from train.tasks.task import LabelSet, OneLabel, SourceCount
from train.teaching.heard_before import check_heard_before
from train.teaching.score_tracks import score_tracks
from train.teaching.teach import describe_lesson, teach
from train.teaching.teacher import Teacher, check_teacher, check_teachers, open_teacher

QUICK = {"batch_size": 4, "epoch_windows": 8, "epochs": 2, "variant": "abdoli_1600", "augment": False}


def _teacher(labels=("a", "b"), score=None, **changes):
    spec = replace_spec(tiny_spec(), labels=labels, thresholds=(0.5,) * len(labels), **changes)
    return Teacher(path="teacher", spec=spec, sha256="00", score=score)


def _tones(root, label, numbers, lowest):
    (root / label).mkdir(parents=True)
    for number in numbers:
        soundfile.write(root / label / f"{number}.wav", tone(lowest + 17 * number, 0.5), SAMPLE_RATE)


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    """Tones with labels, tones without, and a teacher that was trained on the first."""
    root = tmp_path_factory.mktemp("school")
    for place, label in enumerate(("low", "high")):
        _tones(root / "data", label, range(6), 200 * 6**place)
    _tones(root / "more", "anything", range(20, 23), 200)
    earproof.train("waveform_cnn", root / "data", out=root / "teacher", cache=root / "cache", **QUICK)
    tested = next(clip for clip in read_index(root / "teacher" / "split.csv").clips if clip.split == "test")
    shutil.copy(root / "teacher" / tested.path, root / "more" / "tested.wav")
    return root


def _student(root, out, **changes):
    words = {"out": root / out, "cache": root / "cache", "teacher": root / "teacher", **QUICK, **changes}
    return earproof.train("waveform_cnn", root / "data", **words)


@pytest.fixture(scope="module")
def student(school):
    """A student that was taught with recordings without labels."""
    return school / "student", _student(school, "student", unlabelled=school / "more")


def test_recordings_without_labels_are_marked_in_the_index_and_stand_in_no_count(student):
    rows = (student[0] / "split.csv").read_text().splitlines()
    assert rows[0] == "path,labels,group,split,label_source"
    marked = [row.split(",") for row in rows if row.endswith(",teacher")]
    assert [row[0] for row in marked] == [f"../more/anything/{number}.wav" for number in (20, 21, 22)]
    assert {row[3] for row in marked} == {"train"}
    index = read_index(student[0] / "split.csv")
    assert (len(index.clips), len(index.taught)) == (12, 3)
    assert {clip.label_source for clip in index.clips} == {""}


def test_a_recording_of_the_test_side_is_no_recording_without_a_label(student):
    assert "tested.wav" not in (student[0] / "split.csv").read_text()
    assert student[1]["taught"]["unlabelled"] == {"recordings": 3, "seconds": 1.5}


def test_a_student_says_who_taught_it(school, student):
    taught = student[1]["taught"]
    (teacher,) = taught["teachers"]
    assert (taught["weight"], teacher["name"]) == (0.5, "waveform_cnn")
    assert (teacher["heard_of_test_side"], teacher["heard_of_validation_side"]) == (0, 2)
    training = ModelSpec.from_json((student[0] / "spec.json").read_bytes()).provenance.training
    assert training["teacher_sha256"] == teacher["sha256"] == open_teacher(school / "teacher").sha256
    assert (training["teacher"], training["teacher_weight"], training["unlabelled"]) == ("waveform_cnn 1", 0.5, 3)
    assert json.loads((student[0] / "training.json").read_text())["teacher_sha256"] == teacher["sha256"]


def test_the_digests_of_data_and_split_are_those_of_what_a_person_labelled(school, student):
    plain, taught = (
        ModelSpec.from_json((folder / "spec.json").read_bytes()).provenance
        for folder in (school / "teacher", student[0])
    )
    assert (plain.data_sha256, plain.split_sha256) == (taught.data_sha256, taught.split_sha256)


def test_a_later_training_leaves_the_labels_of_a_teacher_aside_and_says_so(student, capsys):
    index = find_and_split(student[0] / "split.csv", None, 0)
    assert (len(index.clips), index.taught) == (12, ())
    (told,) = [line for line in capsys.readouterr().err.splitlines() if "teacher" in line]
    assert told.startswith("a teacher labelled 3 recordings to train on (")
    assert told.endswith("), and no person did: in no other count, and no truth to judge by")


def test_a_report_tells_the_labels_of_a_teacher_apart(student, school):
    clips = open_recordings(student[0], school / "cache")[1]
    data = describe_data(clips)
    assert data["clips"] == 12
    (line,) = data_notes(data)
    assert line.startswith("Data: a teacher labelled 3 recordings to train on (")


def test_an_interrupted_student_resumes_to_the_same_weights_with_the_same_teacher_only(school, student, monkeypatch):
    keep = fit._keep

    def interrupt(model, average, history, folder):
        keep(model, average, history, folder)
        if len(history) == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(fit, "_keep", interrupt)
        with pytest.raises(KeyboardInterrupt):
            _student(school, "stopped", unlabelled=school / "more")
    other = {"teacher": [school / "teacher", student[0]], "unlabelled": school / "more", "resume": True}
    with pytest.raises(
        ValueError, match="was begun with other settings: teacher 'waveform_cnn 1', now 'waveform_cnn 1"
    ):
        _student(school, "stopped", **other)
    _student(school, "stopped", unlabelled=school / "more", resume=True)
    weights = [
        keras.saving.load_model(folder / "model.keras", compile=False).get_weights()
        for folder in (student[0], school / "stopped")
    ]
    for through, stopped in zip(*weights, strict=True):
        np.testing.assert_array_equal(through, stopped)


def test_a_teacher_that_heard_the_test_side_is_refused_before_the_folder_is_made(school):
    with pytest.raises(LeakError, match="of the test side shaped the teacher"):
        _student(school, "leaked", seed=3)
    assert not (school / "leaked").exists()


def _loaded(school):
    return load_clips(split_clips(find_clips(school / "data"), 0), SAMPLE_RATE, school / "cache")


def test_a_file_is_judged_by_the_digests_of_its_data_and_split(school):
    clips, told = _loaded(school), []

    def known(**digests):
        return check_heard_before(_teacher(provenance=Provenance(**digests)), clips, SAMPLE_RATE, None, told.append)

    own = known(data_sha256=clips.data_sha256(), split_sha256=clips.split_sha256())
    assert own.as_dict() == {"heard_of_test_side": 0, "heard_of_validation_side": 2}
    with pytest.raises(LeakError, match="another split of these recordings"):
        known(data_sha256=clips.data_sha256(), split_sha256="0")
    assert known().as_dict() == {"heard_of_test_side": None, "heard_of_validation_side": None}
    assert "does not say which recordings it was trained on" in told[-1]


def test_a_group_that_shaped_the_teacher_is_heard_though_its_recordings_are_gone(school, tmp_path):
    table = tmp_path / "split.csv"
    table.write_text("path,labels,group,split\ngone.wav,low,anna,train\n")
    clips = _loaded(school)
    place = clips.places("test")[0]
    owned = [replace(clip, group="anna") if at == place else clip for at, clip in enumerate(clips.index.clips)]
    clips = replace(clips, index=clips.index.with_clips(owned))
    teacher = replace(_teacher(), split_file=table)
    with pytest.raises(LeakError, match="1 recording of the test side shaped"):
        check_heard_before(teacher, clips, SAMPLE_RATE, school / "cache", print)


def test_labels_are_mapped_by_name_and_missing_or_further_ones_are_listed():
    teacher = _teacher(("b", "a"))
    check_teacher(teacher, ("a", "b"), OneLabel())
    np.testing.assert_array_equal(teacher.in_order(np.array([[0.9, 0.1]]), ("a", "b")), [[0.1, 0.9]])
    with pytest.raises(ValueError, match="it does not tell c; it tells b besides; expected the same labels"):
        check_teacher(teacher, ("a", "c"), OneLabel())
    with pytest.raises(ValueError, match="tells one label a window, and the student every label that is present"):
        check_teacher(teacher, ("a", "b"), LabelSet())


def test_a_model_that_cannot_be_a_student_is_refused():
    with pytest.raises(ValueError, match="source_counter tells a number"):
        check_teachers([_teacher()], "source_counter", SourceCount(), TrainingSettings(), ("a", "b"))
    with pytest.raises(ValueError, match="transfer has a fixed backbone"):
        check_teachers([_teacher()], "transfer", OneLabel(), TrainingSettings(backbone="yamnet_256"), ("a", "b"))
    trained = TrainingSettings(backbone="yamnet_256", fine_tune="all")
    assert check_teachers([_teacher()], "transfer", OneLabel(), trained, ("a", "b")) is None


@pytest.mark.parametrize("words", [["--unlabelled", "more"], ["--teacher-weight", "0.3"]])
def test_what_only_a_teacher_makes_use_of_is_refused_without_one(words, capsys):
    assert earproof.main(["train", "mel_cnn", "nothing", "--out", "out", *words]) == 2
    assert f"{words[0]} is for a training with a teacher; expected --teacher RUN_OR_FILE too" in capsys.readouterr().err


def test_a_file_without_a_spec_is_no_teacher_and_one_with_it_is(tmp_path):
    (tmp_path / "own.tflite").write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    teacher = open_teacher(tmp_path / "own.tflite")
    scores = teacher.score(np.zeros((2, teacher.spec.window_length), np.float32))
    assert scores.shape == (2, 3)
    assert teacher.split_file is None


def _loudness(windows):
    """Scores of two labels, known by hand: the level of the window, and what it lacks to 1."""
    level = np.abs(np.asarray(windows)).mean(axis=1)
    return np.stack([level, 1.0 - level], axis=1)


def test_a_recording_is_scored_in_windows_that_begin_every_half_window_and_once(tmp_path):
    calls = []

    def score(windows):
        calls.append(len(windows))
        return _loudness(windows)

    teacher = _teacher(("b", "a"), score, window_length=SAMPLE_RATE)
    ramp = np.repeat(np.float32([0.1, 0.3, 0.5, 0.7]), SAMPLE_RATE // 2)  # 2 s, half a second each
    for _ in range(2):
        (track,) = score_tracks(teacher, [ramp], ["ramp"], ("a", "b"), tmp_path, "recordings")
    assert calls == [3]
    np.testing.assert_array_equal(track.middles, [0.5, 1.0, 1.5])
    np.testing.assert_allclose(track.scores, [[0.8, 0.2], [0.6, 0.4], [0.4, 0.6]], atol=1e-6)


def test_a_teacher_hears_a_longer_window_in_parts_at_its_own_rate_and_the_highest_score_counts():
    teacher = _teacher(score=_loudness, sample_rate=8_000, window_length=8_000, activation="sigmoid")
    window = np.repeat(np.float32([0.2, 0.6]), SAMPLE_RATE)  # 2 s at 16 kHz
    heard = teacher.hear(window[np.newaxis], SAMPLE_RATE, ("a", "b"))
    np.testing.assert_allclose(heard, [[0.6, 0.8]], atol=0.01)


def _teach(school, teacher, task, unlabelled=None, window_length=4_000):
    settings = TrainingSettings(teacher_weight=0.5)
    words = {"sample_rate": SAMPLE_RATE, "window_length": window_length, "unlabelled": unlabelled}
    return teach(_loaded(school), [teacher], task, settings, **words, cache=school / "cache")


def test_recordings_are_decoded_at_the_rate_of_a_teacher_that_has_another(school, capsys):
    teacher = _teacher(("low", "high"), _loudness, sample_rate=8_000, window_length=2_000, name="at 8 kHz")
    clips, lesson = _teach(school, teacher, OneLabel())
    told = capsys.readouterr().err
    assert "teacher hears 8000 Hz and the student 16000 Hz: decoded for both" in told
    assert "does not say which recordings it was trained on" in told
    assert sorted(lesson.tracks) == clips.places("train")
    (track,) = lesson.tracks[clips.places("train")[0]]
    np.testing.assert_allclose(track.middles, [0.125, 0.25, 0.375])  # of half a second, in windows of a quarter
    np.testing.assert_allclose(track.scores[:, 1], 0.6 / np.pi, atol=0.01)  # "low": mean of a sine of amplitude 0.3


def test_a_sigmoid_teacher_gives_a_recording_every_label_that_reaches_its_threshold(school):
    score = lambda windows: np.tile(np.float32([0.7, 0.2]), (len(windows), 1))  # noqa: E731
    kind = {"activation": "sigmoid", "window_length": 4_000}
    teacher = replace(_teacher(("low", "high"), score, **kind), sha256="sigmoid")
    clips, lesson = _teach(school, teacher, LabelSet(), school / "more")
    assert [clip.labels for clip in clips.index.taught] == [("low",)] * 3
    np.testing.assert_allclose(lesson.score(np.zeros((2, 4_000), np.float32)), [[0.2, 0.7]] * 2, rtol=1e-6)


def test_a_mixture_is_too_short_for_a_teacher_with_longer_windows(school):
    teacher = _teacher(("low", "high"), _loudness, activation="sigmoid", window_length=SAMPLE_RATE)
    with pytest.raises(ValueError, match="hears windows of 1 s, and a mixture for the student is "):
        _teach(school, teacher, LabelSet())


def test_a_lesson_is_told_in_one_line(school, student):
    from train.batches.lesson import WindowLesson

    lesson = WindowLesson(weight=0.5, sample_rate=1, report=student[1]["taught"], score=_loudness)
    assert describe_lesson(lesson) == (
        "taught by 1 teacher: 0.5 of the target of a labelled window, and alone on 3 recordings without labels"
    )


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("low/0.wav,low,g,test,teacher", "a label of a teacher on the side 'test'; expected train"),
        ("low/0.wav,low,g,train,model", "label_source 'model'; expected teacher or nothing"),
    ],
)
def test_a_teachers_label_is_on_the_train_side_alone(school, row, fault):
    table = school / "data" / "faulty.csv"
    table.write_text(f"path,labels,group,split,label_source\n{row}\n")
    with pytest.raises(ValueError, match=fault):
        read_index(table)
    table.unlink()


def test_an_index_with_a_teachers_labels_is_written_back_with_them(student, tmp_path):
    write_index(tmp_path / "again.csv", read_index(student[0] / "split.csv"))
    assert len(read_index(tmp_path / "again.csv").taught) == 3

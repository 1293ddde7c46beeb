"""From teachers and recordings to the lesson of a student.

When a teacher is asked, is a matter of time. "A good teacher is patient and consistent" (Beyer et al. 2022, arXiv
2106.05237): it hears what the student hears, however long that takes. Here that would cost more than the student does:
a window of YAMNet-1024 takes 30 ms of processor time, a step of `mel_cnn` 20 ms a window.

- Where a window is cut from one recording, the teacher hears the recordings once, as they are, in windows of its own
  length that begin every half window, and its scores are kept. The student's window, varied as ever, has the scores
  of where it was cut. So a teacher with longer windows hears around it.
- Where a window is a mixture, it exists once it is drawn: then the teacher hears each of them, and its network has to
  be a quick one.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import replace
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np

from metadata.plural import counted
from train.batches.lesson import Lesson, RecordingLesson, ScoreTrack, WindowLesson
from train.data.prepare import load_with_progress
from train.progress import note
from train.recordings.clip import TEACHER
from train.recordings.store.clip_store import LoadedClips
from train.settings import TrainingSettings
from train.tasks.task import OneLabel, Task
from train.teaching.heard_before import HeardBefore, check_heard_before
from train.teaching.score_tracks import score_tracks
from train.teaching.teacher import Teacher
from train.teaching.unlabelled import labelled_by, load_unlabelled


def teach(
    clips: LoadedClips,
    teachers: Sequence[Teacher],
    task: Task,
    settings: TrainingSettings,
    *,
    sample_rate: int,
    window_length: int,
    unlabelled: str | Path | None = None,
    sides: Sequence[str] = ("train",),
    cache: str | Path | None = None,
    strict: bool = False,
) -> tuple[LoadedClips, Lesson]:
    """Return the clips with the recordings that a teacher labels in their index, and what the student is taught.

    Parameters
    ----------
    clips : LoadedClips
        Of the student, each on a side, at `sample_rate`.
    teachers : sequence of Teacher
        At least one, checked by `check_teacher`; their scores are averaged.
    task : Task
        Of the student, checked by `check_student`.
    settings : TrainingSettings
        With the weight of the teachers.
    sample_rate, window_length : int
        Of the student, Hz and samples.
    unlabelled : str or Path, optional
        A folder of recordings without labels.
    sides : sequence of str
        Whose recordings the student may be trained on; of most models the training side alone.
    cache, strict
        As for `load_clips`.

    Raises
    ------
    LeakError
        The test side trained a teacher.
    ValueError
        A teacher's window is longer than a mixture, or no recording without labels is new.
    """
    room = _Room(clips, sample_rate, None if cache is None else Path(cache))
    known = []
    for teacher in teachers:
        heard = clips if teacher.split_file else room.at_rate_of(teacher, clips, "recordings with labels")
        rate = sample_rate if teacher.split_file else teacher.spec.sample_rate
        known.append(check_heard_before(teacher, heard, rate, room.cache, note))
        _tell_length(teacher, task, sample_rate, window_length)
    more = None if unlabelled is None else load_unlabelled(unlabelled, clips, sample_rate, cache, strict)
    tracks_of_more = [] if more is None else room.tracks(teachers, more, "recordings without labels")
    taught = () if more is None else labelled_by(more, _labels_by(teachers, tracks_of_more, clips), clips.index.root)
    common: dict[str, Any] = {
        "weight": settings.teacher_weight,
        "sample_rate": sample_rate,
        "unlabelled": () if more is None else more.waveforms,
        "recorded": _recorded(teachers, more),
        "report": _report(teachers, known, settings, more, sample_rate),
    }
    lesson: Lesson
    if isinstance(task, OneLabel):
        places = [place for side in sides for place in clips.places(side)]
        found = room.tracks(teachers, clips.chosen(places), "what is trained on")
        tracks = dict(zip(places, found, strict=True))
        lesson = RecordingLesson(tracks=tracks, unlabelled_tracks=tracks_of_more, **common)
    else:
        lesson = WindowLesson(score=_mean_of(teachers, sample_rate, clips.index.labels), **common)
    return replace(clips, index=replace(clips.index, taught=taught)), lesson


class _Room:
    """Recordings at the rates of teachers, decoded once a rate."""

    def __init__(self, clips: LoadedClips, sample_rate: int, cache: Path | None) -> None:
        self.cache = cache
        self._labels, self._sample_rate = clips.index.labels, sample_rate
        self._loaded: dict[tuple[str, int], LoadedClips] = {}

    def at_rate_of(self, teacher: Teacher, clips: LoadedClips, what: str) -> LoadedClips:
        """The same recordings as a teacher hears them."""
        rate = teacher.spec.sample_rate
        if rate == self._sample_rate:
            return clips
        if (what, rate) not in self._loaded:
            note(f"{teacher.path} hears {rate} Hz and the student {self._sample_rate} Hz: decoded for both, {what}")
            self._loaded[what, rate] = load_with_progress(
                replace(clips.index, full_sides=()), rate, self.cache, strict=True
            )
        return self._loaded[what, rate]

    def tracks(self, teachers: Sequence[Teacher], clips: LoadedClips, what: str) -> list[list[ScoreTrack]]:
        """What each teacher says of each clip: one list a clip."""
        found = []
        for teacher in teachers:
            heard = self.at_rate_of(teacher, clips, what)
            found.append(score_tracks(teacher, heard.waveforms, heard.digests, self._labels, self.cache, what))
        return [list(of_clip) for of_clip in zip(*found, strict=True)]


def _tell_length(teacher: Teacher, task: Task, sample_rate: int, window_length: int) -> None:
    """Tell where a teacher hears other windows than the student; refuse one that a mixture is too short for."""
    own, seconds, rate = teacher.spec.window_seconds, window_length / sample_rate, teacher.spec.sample_rate
    if isinstance(task, OneLabel):
        if own != seconds:
            how = "around each window of the student" if own > seconds else "and those in a window of the student count"
            note(f"{teacher.path} hears windows of {own:g} s, {how}, which has {seconds:g} s")
        return
    if own > seconds:
        raise ValueError(
            f"the teacher {teacher.path} hears windows of {own:g} s, and a mixture for the student is {seconds:g} s "
            f"long; expected a teacher whose windows have {seconds:g} s or less"
        )
    if own < seconds or rate != sample_rate:
        note(
            f"{teacher.path} hears windows of {own:g} s at {rate} Hz: the student's, {seconds:g} s at {sample_rate} "
            "Hz, are brought to that, and the highest score of each label counts"
        )


def _mean_of(teachers: Sequence[Teacher], sample_rate: int, labels: Sequence[str]) -> Any:
    """Return the function from windows of the student to the mean scores of the teachers."""
    lock = threading.Lock()  # beside an accelerator several threads make windows

    def score(windows: np.ndarray) -> np.ndarray:
        with lock:
            heard = [teacher.hear(windows, sample_rate, labels) for teacher in teachers]
        return np.asarray(np.mean(heard, axis=0), np.float32)

    return score


def _labels_by(
    teachers: Sequence[Teacher], tracks: Sequence[Sequence[ScoreTrack]], clips: LoadedClips
) -> list[tuple[str, ...]]:
    """Which labels the teachers together give each recording: that of the highest mean, or all that reach a threshold.

    The threshold of a label is the mean of the teachers' own, and the highest score of a window counts.
    """
    labels = clips.index.labels
    if teachers[0].spec.activation == "softmax":
        means = [np.mean([track.scores.mean(axis=0) for track in of_clip], axis=0) for of_clip in tracks]
        return [(labels[int(scores.argmax())],) for scores in means]
    limits = np.mean([teacher.in_order(np.array(teacher.spec.thresholds), labels) for teacher in teachers], axis=0)
    highest = [np.mean([track.scores.max(axis=0) for track in of_clip], axis=0) for of_clip in tracks]
    return [tuple(compress(labels, scores >= limits)) for scores in highest]


def _recorded(teachers: Sequence[Teacher], more: LoadedClips | None) -> dict[str, Any]:
    """What the provenance says: flat, so that a resumed training can be compared."""
    recorded: dict[str, Any] = {
        TEACHER: " and ".join(f"{one.spec.name} {one.spec.version}" for one in teachers),
        "teacher_sha256": " ".join(one.sha256 for one in teachers),
    }
    if more is not None:
        recorded["unlabelled"] = len(more.digests)
        recorded["unlabelled_sha256"] = hashlib.sha256("\n".join(sorted(more.digests)).encode()).hexdigest()
    return recorded


def _report(
    teachers: Sequence[Teacher],
    known: Sequence[HeardBefore],
    settings: TrainingSettings,
    more: LoadedClips | None,
    sample_rate: int,
) -> dict[str, Any]:
    """What the metrics say."""
    report: dict[str, Any] = {
        "weight": settings.teacher_weight,
        "teachers": [
            {"path": str(one.path), "name": one.spec.name, "sha256": one.sha256, **heard.as_dict()}
            for one, heard in zip(teachers, known, strict=True)
        ],
    }
    if more is not None:
        seconds = sum(waveform.size for waveform in more.waveforms) / sample_rate
        report["unlabelled"] = {"recordings": len(more.digests), "seconds": round(seconds, 2)}
    return report


def describe_lesson(lesson: Lesson) -> str:
    """Return in one line what a student is taught."""
    names = counted(len(lesson.report["teachers"]), "teacher")
    more = lesson.report.get("unlabelled")
    beside = f", and alone on {counted(more['recordings'], 'recording')} without labels" if more else ""
    return f"taught by {names}: {lesson.weight:g} of the target of a labelled window{beside}"

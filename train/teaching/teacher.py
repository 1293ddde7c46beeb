"""A trained model that says what a student learns: a run folder, or a `.tflite` file with its spec."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.audio.resampling import resample
from edge_runtime.audio.windows import cut_windows
from edge_runtime.model.classifier import Classifier
from metadata.labels import listed
from metadata.spec import ModelSpec
from train.batches.window_rows import WindowRows
from train.evaluation.predict import predict
from train.fitting.finished_run import require_files
from train.fitting.training_run import MODEL_FILE_NAME, SPEC_RUN_FILE_NAME, SPLIT_FILE_NAME
from train.settings import TrainingSettings
from train.tasks.task import LabelSet, OneLabel, Task

Windows = np.ndarray | WindowRows
DEFAULT_WEIGHT = 0.5  # of the teachers against the truth, in the target of a labelled window


@dataclass(frozen=True, kw_only=True, eq=False)
class Teacher:
    """One teacher.

    Attributes
    ----------
    path : Path
    spec : ModelSpec
    sha256 : str
        Of its model file.
    score : callable
        Windows at its own rate, float32 (n, window_length), to float32 (n, n_labels) in the order of its labels.
    split_file : Path or None
        Which recordings it was trained on, where that is known.
    """

    path: Path
    spec: ModelSpec
    sha256: str
    score: Callable[[Windows], np.ndarray]
    split_file: Path | None = None

    def in_order(self, scores: np.ndarray, labels: Sequence[str]) -> np.ndarray:
        """Return its scores in the order of these labels."""
        ordered: np.ndarray = scores[..., [self.spec.labels.index(label) for label in labels]]
        return ordered

    def hear(self, windows: np.ndarray, sample_rate: int, labels: Sequence[str]) -> np.ndarray:
        """Return what it says of windows of a student, float32 (n, n_labels) in the order of `labels`.

        They are resampled to its rate. Of a window that is longer than its own it hears one after the other, and the
        highest score of each label counts: a label is in the window where it is in a part of it.
        """
        length = self.spec.window_length
        parts = [
            cut_windows(resample(window, sample_rate, self.spec.sample_rate), length, length, "align")
            for window in windows
        ]
        scores = self.score(np.concatenate(parts))
        ends = np.cumsum([len(part) for part in parts])[:-1]
        highest = np.stack([part.max(axis=0) for part in np.split(scores, ends)])
        return self.in_order(highest, labels)


def open_teachers(paths: Sequence[Path], settings: dict[str, Any]) -> list[Teacher]:
    """Return the teachers of a training, and give its settings their weight where they have none."""
    if paths:
        settings.setdefault("teacher_weight", DEFAULT_WEIGHT)
    return [open_teacher(path) for path in paths]


def open_teacher(path: str | Path) -> Teacher:
    """Return the teacher in a run folder or a file; the network of a run is read when it is first asked.

    Raises
    ------
    FileNotFoundError
        No such file, or a folder without a finished training.
    ValueError
        A file that does not say what its scores stand for.
    """
    path = Path(path)
    return _of_run(path) if path.is_dir() else _of_file(path)


def check_teachers(
    teachers: Sequence[Teacher], name: str, task: Task, settings: TrainingSettings, labels: Sequence[str]
) -> None:
    """Raise ValueError where a student cannot be taught, or a teacher does not tell what it shall learn.

    Parameters
    ----------
    teachers : sequence of Teacher
        Without any, nothing is refused.
    name : str
        Of the student's model.
    task : Task
        What the student is trained to tell.
    settings : TrainingSettings
        With what the student begins with, and how much of that is trained.
    labels : sequence of str
        Of the recordings; a teacher has the same, in any order.
    """
    if teachers and settings.backbone and not settings.fine_tune:
        raise ValueError(
            f"{name} has a fixed backbone and a head that is solved, not stepped; a teacher needs a student that is "
            "trained step by step: --fine-tune all trains the backbone too"
        )
    if teachers and not isinstance(task, OneLabel | LabelSet):
        raise ValueError(
            f"{name} tells a number, or when labels sound, and no teacher is asked about that; expected a model that "
            "tells labels: mel_cnn, waveform_cnn, mixed_cnn (labels) or timeline"
        )
    for teacher in teachers:
        check_teacher(teacher, labels, task)


def check_teacher(teacher: Teacher, labels: Sequence[str], task: Task) -> None:
    """Raise ValueError where a teacher does not tell what the student shall learn: the kind of scores, and the labels.

    The order of the labels does not matter.
    """
    kinds = {"softmax": "one label a window", "sigmoid": "every label that is present"}
    if teacher.spec.activation != task.activation:
        raise ValueError(
            f"the teacher {teacher.path} tells {kinds[teacher.spec.activation]}, and the student "
            f"{kinds[task.activation]}; expected a teacher of the same kind"
        )
    lacking = [label for label in labels if label not in teacher.spec.labels]
    more = [label for label in teacher.spec.labels if label not in labels]
    if lacking or more:
        told = [f"it does not tell {', '.join(listed(lacking))}"] if lacking else []
        told += [f"it tells {', '.join(listed(more))} besides"] if more else []
        raise ValueError(
            f"the teacher {teacher.path} has other labels than the recordings: {'; '.join(told)}; expected the same "
            "labels, in any order"
        )


def _of_run(folder: Path) -> Teacher:
    """The model of a training."""
    require_files(folder, MODEL_FILE_NAME, SPEC_RUN_FILE_NAME, SPLIT_FILE_NAME)
    model_file = folder / MODEL_FILE_NAME

    @functools.cache
    def model() -> object:
        from train.fitting.backend import load_keras

        keras = load_keras()
        import train.layers.registered  # noqa: F401

        return keras.saving.load_model(model_file, compile=False)

    return Teacher(
        path=folder,
        spec=ModelSpec.from_json((folder / SPEC_RUN_FILE_NAME).read_bytes()),
        sha256=hashlib.sha256(model_file.read_bytes()).hexdigest(),
        score=lambda windows: predict(model(), windows),
        split_file=folder / SPLIT_FILE_NAME,
    )


def _of_file(path: Path) -> Teacher:
    """A file of ours."""
    classifier = Classifier(path)
    if classifier.foreign_spec is not None:
        raise ValueError(
            f"the teacher {path} has no model_spec.json, so that its scores may be anything; expected a file of "
            "earproof convert, or one that earproof metadata write described"
        )
    return Teacher(
        path=path,
        spec=classifier.spec,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        score=lambda windows: np.stack([classifier.scores(window) for window in windows]),
    )

"""One fold of one candidate with one seed: a task that any process can do, given the recordings."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
import os
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from metadata.safe_name import safe_part
from train.cross_validation.fold_scores import FoldScores
from train.recordings.clip_index import ClipIndex
from train.recordings.fold_sides import sides_of_fold
from train.settings import TrainingSettings

_ONE_AT_A_TIME = threading.Lock()  # seeds are those of the process


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A model with its settings, as it is judged beside others.

    Attributes
    ----------
    name : str
        For people: the model, and what is special about it.
    model, variant : str
    settings : TrainingSettings
        The seed in it does not count: each task has its own.
    """

    name: str
    model: str
    variant: str
    settings: TrainingSettings


@dataclass(frozen=True, kw_only=True, eq=False)
class FoldTask:
    """What a process needs to train on all folds but one and to score that one.

    Attributes
    ----------
    candidate : Candidate
    index : ClipIndex
        With a fold for every clip; the recordings lie under its root wherever the task is done.
    data_sha256 : str
        Of the recordings and their labels.
    fold : str
    seed : int
    cache : Path, optional
        Of decoded recordings.
    threads : int
        Of the process.
    """

    candidate: Candidate
    index: ClipIndex
    data_sha256: str
    fold: str
    seed: int
    cache: Path | None = None
    threads: int = 1

    @property
    def settings(self) -> TrainingSettings:
        """The settings of this training."""
        return dataclasses.replace(self.candidate.settings, seed=self.seed)

    @property
    def key(self) -> str:
        """A name that no other task has, and that is the same for the same task."""
        folds = [(clip.path, clip.fold) for clip in self.index.clips]
        backbone = getattr(_module(self.candidate), "backbone", None)
        begun_with = backbone.sha256 if backbone else ""  # another file may have taken its name
        made = [self.candidate.variant, self.settings.as_dict(), begun_with, self.data_sha256, folds]
        digest = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:12]
        return safe_part(f"{self.candidate.model}-{digest}-seed-{self.seed}-fold-{self.fold}")


def run_fold(task: FoldTask) -> FoldScores:
    """Train on all folds but one, and return the scores of that one. Two tasks of one process take turns.

    Raises
    ------
    ValueError
        As for `earproof train`.
    """
    with _ONE_AT_A_TIME:
        _limit_threads(task.threads)
        with contextlib.redirect_stderr(io.StringIO()), tempfile.TemporaryDirectory() as folder:  # progress bars
            return _scores_of(task, Path(folder))


def _scores_of(task: FoldTask, folder: Path) -> FoldScores:
    """Train in a folder and score the test side."""
    from train.evaluation.evaluate import score_thresholds
    from train.evaluation.predict import predict
    from train.fitting.training_run import train_model
    from train.recordings.store.clip_store import load_clips

    began = time.monotonic()
    candidate, notes = task.candidate, list[str]()
    module = _module(candidate)
    clips = load_clips(sides_of_fold(task.index, task.fold), module.sample_rate(candidate.variant), task.cache)
    metrics = train_model(
        clips, candidate.model, folder, task.settings, variant=candidate.variant, cache=task.cache, tell=notes.append
    )
    model, spec = _finished(folder)
    cut = module.task(candidate.variant).held_out(clips, "test", spec.window_length, task.settings)
    return FoldScores(
        scores=predict(model, cut.windows),
        truth=cut.truth,
        clips=np.asarray(cut.clips),
        groups=cut.groups,
        thresholds=score_thresholds(spec),
        kept_epoch=metrics["kept_epoch"],
        seconds=time.monotonic() - began,
        notes=tuple(notes),
    )


def _module(candidate: Candidate) -> Any:
    """The functions of the candidate's model."""
    from train.models import begun_with, model_module

    return begun_with(model_module(candidate.model), candidate.settings.backbone)


def _finished(folder: Path) -> tuple[Any, Any]:
    """The trained model and its contract."""
    import keras

    import train.layers.registered  # noqa: F401
    from metadata import ModelSpec
    from train.fitting.training_run import MODEL_FILE_NAME, SPEC_RUN_FILE_NAME

    model = keras.saving.load_model(folder / MODEL_FILE_NAME, compile=False)
    return model, ModelSpec.from_json((folder / SPEC_RUN_FILE_NAME).read_bytes())


def _limit_threads(threads: int) -> None:
    """Let the backend use so many threads, where it is not imported yet: workers share the processor."""
    if "tensorflow" not in sys.modules:
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(threads))

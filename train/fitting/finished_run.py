"""A finished training, opened again from its run folder: the model, its contract and its recordings."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metadata import ModelSpec
from metadata.joined_names import split_names
from train.annotations.event_file import EVENTS_FILE_NAME, with_events
from train.evaluation.evaluate import TestWindows
from train.fitting.backend import load_keras
from train.fitting.training_run import METRICS_FILE_NAME, MODEL_FILE_NAME, SPEC_RUN_FILE_NAME, SPLIT_FILE_NAME
from train.mixtures.mixture_table import MIXTURES_FILE_NAME
from train.models import model_module
from train.recordings.clip import LABEL_SEPARATOR
from train.recordings.clip_index import read_index
from train.recordings.store.clip_store import LoadedClips, load_clips
from train.settings import TrainingSettings
from train.tasks.chosen_mixtures import choose_mixtures
from train.tasks.task import Task
from train.tasks.task_choice import task_for

Load = Callable[..., LoadedClips]  # called as `load_clips` is, with index, sample rate, cache and strict


@dataclass(frozen=True)
class FinishedRun:
    """What a run folder holds.

    Attributes
    ----------
    folder : Path
    model : keras.Model
    spec : ModelSpec
    clips : LoadedClips
        All clips with their side of the split.
    """

    folder: Path
    model: Any
    spec: ModelSpec
    clips: LoadedClips

    def test_windows(self) -> TestWindows:
        """Return the test windows, cut as the training's settings say."""
        return self.held_out("test")

    def held_out(self, split: str) -> TestWindows:
        """Return the windows of one side with what is right for each, as the model's task cuts or mixes them."""
        return self.task.held_out(self.clips, split, self.spec.window_length, self.settings)

    @property
    def task(self) -> Task:
        """What the model was trained to tell."""
        variant = self.spec.provenance.training["variant"]
        return task_for(model_module(self.spec.name), variant, self.clips.events is not None)

    @property
    def settings(self) -> TrainingSettings:
        """The settings of the training; what an older version did not know is as by default."""
        known = {item.name for item in dataclasses.fields(TrainingSettings)}
        training = self.spec.provenance.training
        return TrainingSettings(**{name: value for name, value in training.items() if name in known})


def open_run(folder: str | Path, cache: str | Path | None = None, load: Load | None = None) -> FinishedRun:
    """Open the folder that `earproof train` filled; parameters as for `open_recordings`.

    Raises
    ------
    FileNotFoundError
        The folder holds no finished training, or its recordings are gone.
    ValueError
        Its recordings are not those it was trained on.
    """
    keras = load_keras()
    import train.layers.registered  # noqa: F401

    folder = Path(folder)
    require_files(folder, METRICS_FILE_NAME, MODEL_FILE_NAME)
    spec, clips = open_recordings(folder, cache, load)
    return FinishedRun(folder, keras.saving.load_model(folder / MODEL_FILE_NAME, compile=False), spec, clips)


def open_recordings(
    folder: str | Path, cache: str | Path | None = None, load: Load | None = None
) -> tuple[ModelSpec, LoadedClips]:
    """Return the contract of a training and its recordings, each on its side, with the mixtures chosen for it.

    Parameters
    ----------
    folder : str or Path
    cache : str or Path, optional
        Of decoded recordings.
    load : callable, optional
        `train.data.prepare.load_with_progress`, which tells of the recordings; else nothing is told.

    Raises
    ------
    FileNotFoundError
        The folder holds no finished training, or its recordings are gone.
    ValueError
        They, or their split, are not those the model was trained on.
    """
    folder = Path(folder)
    require_files(folder, SPEC_RUN_FILE_NAME, SPLIT_FILE_NAME)
    spec = ModelSpec.from_json((folder / SPEC_RUN_FILE_NAME).read_bytes())
    recorded_labels = spec.provenance.training.get("clip_labels")
    labels = split_names(recorded_labels, LABEL_SEPARATOR) if recorded_labels else spec.labels  # those of older runs
    index = read_index(folder / SPLIT_FILE_NAME, labels, is_annotated=(folder / EVENTS_FILE_NAME).is_file())
    clips = (load or load_clips)(index, spec.sample_rate, cache, strict=True)
    if (folder / MIXTURES_FILE_NAME).is_file():
        clips = choose_mixtures(clips, folder / MIXTURES_FILE_NAME)
    if (folder / EVENTS_FILE_NAME).is_file():
        clips = with_events(clips, folder / EVENTS_FILE_NAME)
    recorded = (spec.provenance.data_sha256, spec.provenance.split_sha256)
    if (clips.data_sha256(), clips.split_sha256()) != recorded:
        raise ValueError(
            f"the recordings or the split that {folder / SPLIT_FILE_NAME} lists are not those the model was trained "
            "on; put the same ones back, or train again"
        )
    return spec, clips


def require_files(folder: Path, *names: str) -> None:
    """Raise FileNotFoundError unless the folder holds the files that a finished training leaves."""
    missing = [name for name in names if not (folder / name).is_file()]
    if not missing:
        return
    inside = [path.name for path in sorted(folder.glob("*/")) if (path / METRICS_FILE_NAME).is_file()]
    if inside:
        raise FileNotFoundError(
            f"{folder} is no training itself but holds {len(inside)}: {', '.join(inside)}; name one of them, such as "
            f"{folder / inside[0]}"
        )
    raise FileNotFoundError(
        f"{folder} holds no finished training ({', '.join(missing)} not there); run earproof train MODEL DATA "
        f"--out {folder}, with --resume if it was interrupted"
    )

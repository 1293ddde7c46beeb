"""One training from clips to a run folder, which holds all that the converter needs.

model.keras     the trained model, best weights
spec.json       its contract (`metadata.ModelSpec`)
split.csv       every clip with its group and side; mixtures.csv the pairs of clips, where they were chosen
history.csv     loss and accuracy of every epoch, history.png its picture
training.json   the settings
metrics.json    accuracy on the test side, confusion.png or, of sets of labels, labels.png its picture
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from metadata import FrameScores, ModelSpec, Provenance, replace_spec
from metadata.atomic_file import write_atomically
from metadata.joined_names import join_names
from metadata.plural import counted
from metadata.signed import signed
from metadata.spec import ANNOTATED
from train.annotations.event_file import EVENTS_FILE_NAME, write_events
from train.evaluation.detected_events import judge_events
from train.evaluation.evaluate import TestWindows, evaluate_scores
from train.evaluation.frame_thresholds import choose_frame_thresholds
from train.evaluation.held_out_scores import HeldOutScores, held_out_scores
from train.evaluation.predict import predict, predict_outputs
from train.evaluation.score_scaling import ScoreScaling, fit_scaling, scale_last_layer
from train.evaluation.thresholds import choose_thresholds
from train.fitting.backend import load_keras, seed_everything
from train.fitting.start_weights import check_start_split, start_weights_sha256, take_weights
from train.mixtures.mixture_table import MIXTURES_FILE_NAME, write_mixtures
from train.models import begun_with, choose_variant, model_module
from train.recordings.clip import LABEL_SEPARATOR
from train.recordings.clip_index import write_index
from train.recordings.store.clip_store import LoadedClips, short_clips
from train.recordings.unheard_tails import describe_unheard
from train.settings import TrainingSettings
from train.tasks.auxiliary_outputs import check_auxiliary, learner_of
from train.tasks.sound_events import SoundEvents
from train.tasks.task import OneLabel, Task
from train.tasks.task_choice import task_for

if TYPE_CHECKING:
    from train.batches.lesson import Lesson
    from train.fitting.fine_tune import Learned

MODEL_FILE_NAME = "model.keras"
SPEC_RUN_FILE_NAME = "spec.json"
SPLIT_FILE_NAME = "split.csv"
METRICS_FILE_NAME = "metrics.json"
MODEL_VERSION = "1"
RECORDED_PACKAGES = ("earproof", "keras", "tensorflow", "numpy", "librosa", "soundfile", "soxr", "ai-edge-litert")
DEFAULT_THRESHOLD = 0.5

Tell = Callable[[str], None]


def train_model(
    clips: LoadedClips,
    name: str,
    folder: Path,
    settings: TrainingSettings,
    *,
    variant: str | None = None,
    weights_from: Path | None = None,
    lesson: Lesson | None = None,
    cache: Path | None = None,
    tell: Tell = print,
) -> dict[str, Any]:
    """Train one model on the clips and fill its run folder; go on where an earlier training there stopped.

    Parameters
    ----------
    clips : LoadedClips
        Decoded at the model's sample rate, each on a side of the split.
    name, variant : str
        The model (`train.models.MODEL_NAMES`) and its variant, the model's default if None.
    folder : Path
        Made if need be.
    settings : TrainingSettings
    weights_from : Path, optional
        Run folder of a finished training of the same model to begin with, of this variant or another.
    lesson : Lesson, optional
        What teachers say of the recordings (`train.teaching`).
    cache : Path, optional
        The folder of decoded recordings, where features of a backbone are kept too; the user's own if None.
    tell : callable
        Called with notes for people.

    Returns
    -------
    dict
        What `metrics.json` holds.

    Raises
    ------
    ValueError
        An unknown variant, a run begun with other settings or data, a training that diverges, or weights of a training
        that heard recordings which are held out here.
    """
    load_keras()
    from train.fitting.training_state import check_same_settings, remove_state

    if settings.teacher_weight and lesson is None:
        raise ValueError(f"teacher_weight is {settings.teacher_weight:g}, and there is no teacher; expected 0")
    module = begun_with(model_module(name), settings.backbone)
    variant = choose_variant(module, variant)
    task = task_for(module, variant, clips.events is not None)
    check_auxiliary(module, task, settings)
    folder.mkdir(parents=True, exist_ok=True)
    spec = describe_model(clips, module, variant, settings, weights_from, lesson)
    check_same_settings(folder, {"model": name, "data_sha256": clips.data_sha256(), **spec.provenance.training})
    finished = folder / METRICS_FILE_NAME
    if finished.is_file() and (folder / MODEL_FILE_NAME).is_file():
        tell(f"{name}: already trained in {folder}")
        return json.loads(finished.read_text())
    write_index(folder / SPLIT_FILE_NAME, clips.index)
    if clips.pairs is not None:
        write_mixtures(folder / MIXTURES_FILE_NAME, clips.pairs)
    if clips.events is not None:
        write_events(folder / EVENTS_FILE_NAME, clips)
    too_short = short_clips(clips.waveforms, spec.window_length)
    if too_short:
        tell(
            f"{counted(too_short, 'clip is', 'clips are')} shorter than a window of {spec.window_seconds:g} s: zeros "
            "fill them up"
        )
    silent = clips.silent()
    if silent and not isinstance(task, (OneLabel, SoundEvents)):
        first = clips.index.clips[silent[0]].path
        tell(
            f"{counted(len(silent), 'silent clip is', 'silent clips are')} left out, the first {first}: they have no "
            "volume to be mixed at"
        )
    if settings.background and not (isinstance(task, OneLabel) and settings.background in clips.index.labels):
        tell(f"no recordings of {settings.background!r} are mixed under others: " + _why_no_background(task))
    if isinstance(task, OneLabel):  # the others hear the first window of each clip
        tails = spec.sample_rate, spec.window_length, settings.window_hop, settings.tail
        if unheard := describe_unheard(clips, "val", "validation", *tails):
            tell(f"{unheard}; --tail align takes it in. Training cuts windows anywhere, the test side takes all of it")
    validation = task.held_out(clips, "val", spec.window_length, settings)
    frames = None
    if isinstance(task, SoundEvents) and spec.frames is not None:
        frames = task.frame_truth(clips, validation, spec.frames)
    learned = None
    if settings.backbone:
        model, history, learned = _fit_head(clips, module, variant, settings, folder, cache, lesson, tell)
    else:
        model, history = _fit(clips, validation, frames, module, variant, settings, folder, weights_from, lesson, tell)
    scaling = None
    if task.is_scaled or spec.activation == "sigmoid":
        heard = held_out_scores(model, validation) if learned is None else learned.held_out
        scaling = _scale_scores(model, heard, tell) if task.is_scaled and heard else None
        spec = replace_spec(spec, thresholds=_thresholds(heard, spec))
    if frames is not None:
        spec = replace_spec(spec, frames=_with_thresholds(spec, model, validation, frames, tell))
    write_atomically(folder / SPEC_RUN_FILE_NAME, spec.to_json().encode())
    cut = task.held_out(clips, "test", spec.window_length, settings)
    is_head = learned is not None and learned.is_head
    metrics = _evaluate(model, cut, spec, history, folder, is_head)
    if lesson is not None:
        metrics["taught"] = dict(lesson.report)
    if scaling is not None:
        metrics["scaling"] = dataclasses.asdict(scaling)
    if learned is not None:
        metrics |= learned.record
    if frames is not None:
        metrics["events"] = judge_events(model, clips, spec)
    _save_model(model, folder / MODEL_FILE_NAME)
    text = json.dumps(metrics, indent=2) + "\n"
    write_atomically(finished, text.encode())
    remove_state(folder)
    return json.loads(text)


def describe_model(
    clips: LoadedClips,
    module: Any,
    variant: str,
    settings: TrainingSettings,
    weights_from: Path | None = None,
    lesson: Lesson | None = None,
) -> ModelSpec:
    """Return the contract of a model that is trained on these clips."""
    begun_with = {"weights_from_sha256": start_weights_sha256(weights_from / MODEL_FILE_NAME)} if weights_from else {}
    task = task_for(module, variant, clips.events is not None)
    labels = task.labels(clips.index)
    return ModelSpec(
        name=module.NAME,
        version=MODEL_VERSION,
        description=f"Tells {', '.join(labels[:-1])} and {labels[-1]} apart ({module.NAME}, variant {variant}).",
        sample_rate=module.sample_rate(variant),
        window_length=module.window_length(variant),
        labels=labels,
        activation=task.activation,
        thresholds=(DEFAULT_THRESHOLD,) * len(labels),
        front_end=module.front_end(variant),
        frames=module.frames(variant) if hasattr(module, "frames") else None,
        provenance=Provenance(
            data_sha256=clips.data_sha256(),
            split_sha256=clips.split_sha256(),
            seed=settings.seed,
            training={
                "variant": variant,
                "clip_labels": join_names(clips.index.labels, LABEL_SEPARATOR),
                **({ANNOTATED: True} if clips.events is not None else {}),
                **begun_with,
                **settings.as_dict(),
                **_origin(module),
                **(lesson.recorded if lesson else {}),
            },
            packages=package_versions(),
        ),
    )


def _origin(module: Any) -> dict[str, str]:
    """What a model began with, for its provenance: nothing, or a backbone."""
    backbone = getattr(module, "backbone", None)
    if backbone is None:
        return {}
    return {
        "backbone_sha256": backbone.sha256,
        "backbone_licence": backbone.licence,
        "backbone_source": backbone.source,
    }


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that shape a model, those installed."""
    versions = {}
    for name in RECORDED_PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def _fit(
    clips: LoadedClips,
    held_out: TestWindows,
    frames: np.ndarray | None,
    module: Any,
    variant: str,
    settings: TrainingSettings,
    folder: Path,
    weights_from: Path | None,
    lesson: Lesson | None,
    tell: Tell,
) -> tuple[Any, list[dict[str, float]]]:
    """Build, compile and fit; return the model with its best weights, and the history."""
    seed_everything(settings.seed)  # imports Keras, and so comes before what is built on it
    from train.fitting import fit
    from train.fitting.training_state import finished_epochs

    task = task_for(module, variant, clips.events is not None)
    model = module.build(len(task.labels(clips.index)), variant)
    sample_rate, window_length = module.sample_rate(variant), module.window_length(variant)
    first_epoch = finished_epochs(folder)
    if weights_from and not first_epoch:
        _begin_with(model, weights_from, clips, tell)
    learner = learner_of(model, module, len(clips.index.labels), settings)
    windows = task.training_windows(clips, sample_rate, window_length, settings, first_epoch, learner.targets)
    if lesson is not None:
        from train.batches.taught_windows import TaughtWindows

        windows = TaughtWindows(windows, lesson, window_length, settings, first_epoch)
    fit.compile_model(model, settings, len(windows), learner)
    validation = held_out.windows, held_out.targets(model.outputs[0].shape[-1]), held_out.weights()
    targets = None if frames is None else frames.reshape(len(frames), -1)
    history = fit.fit(model, windows, validation, settings, folder, module.NAME, learner.model, targets)
    return model, history


def _fit_head(
    clips: LoadedClips,
    module: Any,
    variant: str,
    settings: TrainingSettings,
    folder: Path,
    cache: Path | None,
    lesson: Lesson | None,
    tell: Tell,
) -> tuple[Any, list[dict[str, float]], Learned]:
    """Build the model on its backbone and train it; return it with the history and what else was learned."""
    seed_everything(settings.seed)
    from train.fitting.fine_tune import train_further
    from train.fitting.training_state import write_history
    from train.transfer.train_head import train_head

    task = task_for(module, variant, clips.events is not None)
    model = module.build(len(task.labels(clips.index)), variant)
    rate = module.sample_rate(variant)
    sha256 = module.backbone.sha256
    head = train_head(model, clips, task, settings, sample_rate=rate, backbone_sha256=sha256, cache=cache, tell=tell)
    learned = train_further(
        model, head, clips, task, settings, sample_rate=rate, folder=folder, lesson=lesson, tell=tell
    )
    write_history(learned.history, folder)
    return model, learned.history, learned


def _scale_scores(model: Any, heard: HeldOutScores, tell: Tell) -> ScoreScaling:
    """Bring the scores to held-out windows; return how."""
    scaling = fit_scaling(heard.scores, heard.truth)
    scale_last_layer(model, scaling)
    before, after = (
        (found.argmax(axis=1) == heard.truth).mean() for found in (heard.scores, scaling.apply(heard.scores))
    )
    shifts = ", ".join(signed(shift, 2) for shift in scaling.shifts)
    tell(
        f"scores brought to validation data: logits times {scaling.scale:.2f}, plus {shifts}; "
        f"{before:.1%} of it were right, {after:.1%} are"
    )
    return scaling


def _thresholds(heard: HeldOutScores | None, spec: ModelSpec) -> tuple[float, ...]:
    """The score from which each label counts: where several may be present, the best on held-out windows."""
    if spec.activation == "softmax" or heard is None:
        return spec.thresholds
    return choose_thresholds(heard.scores, heard.truth, spec.labels, heard.weights, heard.groups)


def _with_thresholds(
    spec: ModelSpec, model: Any, cut: TestWindows, truth: np.ndarray, tell: Tell
) -> FrameScores | None:
    """The frame scores with the threshold of each label that suits validation frames best."""
    assert spec.frames is not None  # asked before
    scores = predict_outputs(model, cut.windows)[1].reshape(truth.shape)
    thresholds = choose_frame_thresholds(scores, truth, spec.labels, tell)
    return dataclasses.replace(spec.frames, thresholds=thresholds)


def _why_no_background(task: Task) -> str:
    """Say why a training goes without backgrounds."""
    if isinstance(task, OneLabel):
        return "the data have no such label; --background LABEL names one that they have"
    if isinstance(task, SoundEvents):
        return "annotated recordings have backgrounds of their own"
    return "this variant mixes recordings of all labels anyway"


def _begin_with(model: Any, folder: Path, clips: LoadedClips, tell: Tell) -> None:
    """Give the model the weights of a finished training, after checking that they know nothing of the test side."""
    import keras

    import train.layers.registered  # noqa: F401

    check_start_split(folder / SPLIT_FILE_NAME, clips.index)
    kept = take_weights(model, keras.saving.load_model(folder / MODEL_FILE_NAME, compile=False))
    tell(f"begun with the weights of {folder}" + (f"; new: {', '.join(kept)}" if kept else ""))


def _evaluate(
    model: Any, cut: TestWindows, spec: ModelSpec, history: list[dict[str, float]], folder: Path, is_head: bool
) -> dict[str, Any]:
    """Judge the trained model on the test side; draw the pictures. A head that was fitted alone has no epochs."""
    from train.evaluation.kept_epoch import kept_epoch
    from train.pictures.plots import plot_evaluation, plot_history

    scores = predict(model, cut.windows)
    evaluations = evaluate_scores(scores, cut, spec)
    if not is_head:
        plot_history(history, kept_epoch(history), folder / "history.png", spec.name)
    plot_evaluation(evaluations["window"], cut.truth, scores, folder, f"{spec.name}, test windows")
    return {
        "model": spec.name,
        "parameters": int(model.count_params()),
        "epochs": 0 if is_head else len(history),
        "kept_epoch": None if is_head else kept_epoch(history),
        "test": {level: evaluation.as_dict() for level, evaluation in evaluations.items()},
    }


def _save_model(model: Any, path: Path) -> None:
    """Save the model in one step."""
    part = path.with_name(f"part-{path.name}")
    model.save(part)
    os.replace(part, path)

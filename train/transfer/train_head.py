"""The training of a model that begins with a frozen backbone: features once, then its head."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from metadata.plural import counted
from train.evaluation.held_out_scores import HeldOutScores
from train.models.transfer import FEATURES_LAYER
from train.recordings.store.clip_store import LoadedClips
from train.settings import TrainingSettings
from train.tasks.task import LabelSet, OneLabel, SourceCount, Task
from train.transfer.backbone_blocks import give_head
from train.transfer.features import Features, features_of
from train.transfer.head import Head, fit_head, fit_head_at, softmax
from train.transfer.inner_sides import MOST_FOLDS, SIDES, inner_folds
from train.transfer.mixture_head import LEARNING_RATE, MixtureHead, fit_mixture_head, fit_mixture_head_for
from train.transfer.mixtures import DrawnFeatures, MixtureFeatures


@dataclass(frozen=True, eq=False, kw_only=True)
class FittedHead:
    """A head with all that comes of fitting it.

    Attributes
    ----------
    weights : list of np.ndarray
        Layer by layer.
    row : dict
        Of the history: its loss on what it was fitted on, and on held-out windows of the inner folds.
    text : str
        What was fitted on what, for people.
    refit : callable
        Returns the weights of a head for the windows of other groups than these.
    held_out : HeldOutScores, optional
        By which thresholds can be chosen, where there are inner folds and several labels or a number are told.
    """

    weights: list[np.ndarray]
    row: dict[str, float]
    text: str
    refit: Callable[[set[str]], list[np.ndarray]]
    held_out: HeldOutScores | None = None


def train_head(
    model: Any,
    clips: LoadedClips,
    task: Task,
    settings: TrainingSettings,
    *,
    sample_rate: int,
    backbone_sha256: str,
    cache: Path | None,
    tell: Callable[[str], None],
) -> FittedHead:
    """Fit the head of a model on training and validation clips, and leave it in the model.

    All that is chosen is chosen by inner folds over groups of both sides: so both may be trained on.

    Parameters
    ----------
    model : keras.Model
        With the layers `features` and `scores`.
    clips : LoadedClips
    task : Task
    settings : TrainingSettings
        Without a hop of windows those with one label begin every half window.
    sample_rate : int
        Hz.
    backbone_sha256 : str
    cache : Path, optional
        The folder of decoded recordings, the user's own if None.
    tell : callable
    """
    import keras

    body = keras.Model(model.inputs, model.get_layer(FEATURES_LAYER).output, name=FEATURES_LAYER)
    parts = {"backbone": backbone_sha256, "layers": body.to_json()}
    if isinstance(task, OneLabel):
        fitted = _fit_one_label(body, parts, clips, task, settings, cache)
    else:
        assert isinstance(task, LabelSet | SourceCount)  # transfer has no others
        mixtures = MixtureFeatures(
            body=body, parts=parts, task=task, settings=settings, sample_rate=sample_rate, cache=cache
        )
        fitted = _fit_mixtures(mixtures, clips)
    give_head(model, fitted.weights)
    tell(fitted.text)
    return fitted


def _fit_one_label(
    body: Any,
    parts: dict[str, Any],
    clips: LoadedClips,
    task: OneLabel,
    settings: TrainingSettings,
    cache: Path | None,
) -> FittedHead:
    """A head that tells one label a window."""
    num_labels, length = len(task.labels(clips.index)), int(body.inputs[0].shape[1])
    closer = dataclasses.replace(settings, window_hop=settings.window_hop or length // 2)
    sides = {side: task.held_out(clips, side, length, closer) for side in SIDES if clips.places(side)}
    parts = {**parts, "hop": closer.window_hop, "tail": settings.tail}
    features = features_of(body, sides, clips, parts, cache)
    head = fit_head(features, num_labels, settings.seed)
    return FittedHead(
        weights=[head.kernel, head.bias],
        row=_history_row(head, features),
        text=_describe(head, features),
        refit=functools.partial(fit_head_at, features, num_labels, head.strength),
    )


def _fit_mixtures(mixtures: MixtureFeatures, clips: LoadedClips) -> FittedHead:
    """A head that tells which labels a mixture has, or how many sounds."""
    seed, activation = mixtures.settings.seed, mixtures.task.activation
    drawn = mixtures.drawn(clips)
    folds = inner_folds(clips, MOST_FOLDS, seed)
    head = fit_mixture_head(drawn, mixtures.held_out(folds), activation, seed)
    row = {
        "epoch": 1,
        "loss": head.loss,
        "accuracy": head.accuracy,
        "val_loss": head.inner_loss,
        "val_accuracy": head.inner_accuracy,
        "learning_rate": LEARNING_RATE,
    }
    return FittedHead(
        weights=head.weights,
        row=row,
        text=_describe_mixtures(head, drawn),
        refit=functools.partial(fit_mixture_head_for, drawn, activation, seed, head.epochs),
        held_out=head.held_out,
    )


def _describe_mixtures(head: MixtureHead, drawn: DrawnFeatures) -> str:
    """Say what was fitted on what."""
    windows = counted(len(drawn.values), "drawn window", form=",")
    groups = counted(np.unique(drawn.groups[drawn.groups != ""]).size, "group")
    fitted = f"head fitted on {windows} of {groups}, training and validation side, for {counted(head.epochs, 'epoch')}"
    if not head.num_folds:
        return (
            f"{fitted}; a label has a single group, so nothing could be chosen, nor thresholds: they are the usual ones"
        )
    return (
        f"{fitted} by {head.num_folds} inner folds, in which {head.inner_accuracy:.1%} of held-out windows were right"
    )


def _describe(head: Head, features: Features) -> str:
    """Say what was fitted on what."""
    windows = counted(len(features.values), "window", form=",")
    groups = counted(np.unique(features.groups).size, "group")
    fitted = f"head fitted on {windows} of {groups}, training and validation side"
    if not head.num_folds:
        return f"{fitted}; a label has a single group, so its regularization is the usual one, C {head.strength:g}"
    return (
        f"{fitted}; regularization C {head.strength:g} by {head.num_folds} inner folds, in which "
        f"{head.inner_accuracy:.1%} of held-out windows were right"
    )


def _history_row(head: Head, features: Features) -> dict[str, float]:
    """The one row of the history."""
    scores = softmax(features.values @ head.kernel + head.bias)
    of_truth = np.maximum(scores[np.arange(len(scores)), features.truth], np.finfo(np.float32).tiny)
    return {
        "epoch": 1,
        "loss": float(-np.log(of_truth).mean()),
        "accuracy": float((scores.argmax(axis=1) == features.truth).mean()),
        "val_loss": head.inner_loss,
        "val_accuracy": head.inner_accuracy,
        "learning_rate": 0.0,  # solved, not stepped
    }

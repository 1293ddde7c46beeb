"""The training of a model that begins with a frozen backbone: features once, then its head."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from metadata.plural import counted
from train.models.transfer import FEATURES_LAYER, SCORES_LAYER
from train.recordings.store.clip_store import LoadedClips
from train.settings import TrainingSettings
from train.tasks.task import Task
from train.transfer.features import Features, features_of
from train.transfer.head import Head, fit_head, softmax

SIDES = "train", "val"


def train_head(
    model: Any,
    clips: LoadedClips,
    task: Task,
    settings: TrainingSettings,
    backbone_sha256: str,
    cache: Path | None,
    tell: Callable[[str], None],
) -> list[dict[str, float]]:
    """Fit the head of a model on training and validation clips, and leave it in the model.

    Nothing but the regularization is chosen, and that by inner folds over groups of both sides: so both may be
    trained on.

    Parameters
    ----------
    model : keras.Model
        With the layers `features` and `scores`.
    clips : LoadedClips
    task : Task
        Of one label a window.
    settings : TrainingSettings
        Without a hop of windows they begin every half window.
    backbone_sha256 : str
    cache : Path, optional
        The folder of decoded recordings, the user's own if None.
    tell : callable

    Returns
    -------
    list of dict
        The history, one row: the loss of the head on what it was fitted on, and on held-out windows of the inner folds.
    """
    import keras

    length = int(model.inputs[0].shape[1])
    closer = dataclasses.replace(settings, window_hop=settings.window_hop or length // 2)
    sides = {side: task.held_out(clips, side, length, closer) for side in SIDES if clips.places(side)}
    body = keras.Model(model.inputs, model.get_layer(FEATURES_LAYER).output, name=FEATURES_LAYER)
    parts = {"backbone": backbone_sha256, "layers": body.to_json(), "hop": closer.window_hop, "tail": settings.tail}
    features = features_of(body, sides, clips, parts, cache)
    head = fit_head(features, model.outputs[0].shape[1], settings.seed)
    model.get_layer(SCORES_LAYER).set_weights([head.kernel, head.bias])
    tell(_describe(head, features))
    return [_history_row(head, features)]


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

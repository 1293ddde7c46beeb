"""A head with one hidden layer that tells labels of mixtures, or how many there are, from features of drawn ones.

How long it is trained is chosen by inner folds: of mixtures that are held out there, each part is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from train.evaluation.held_out_scores import HeldOutScores, joined_scores
from train.evaluation.kept_epoch import kept_epoch
from train.models.transfer import HIDDEN_DROPOUT, HIDDEN_UNITS
from train.progress import progress_bar
from train.transfer.mixtures import DrawnFeatures, HeldOutFeatures

EPOCHS = 20  # at most
BATCH = 64  # windows
LEARNING_RATE = 1e-3  # falls to nearly zero over `EPOCHS`
WEIGHT_DECAY = 0.1
FEATURE_DROPOUT = 0.3
_LOWEST = 1e-7  # a score of 0 counts as this in the loss


@dataclass(frozen=True, eq=False, kw_only=True)
class MixtureHead:
    """What was fitted.

    Attributes
    ----------
    weights : list of np.ndarray
        Kernel and bias of the hidden layer and of the last one, for features as the backbone gives them.
    epochs, num_folds : int
        How long it was trained, and by how many folds that was chosen; 0 folds where nothing could be.
    loss, accuracy, inner_loss, inner_accuracy : float
        Of what it was fitted on, and of what the folds held out; NaN without folds.
    held_out : HeldOutScores, optional
        Of the folds after so many epochs.
    """

    weights: list[np.ndarray]
    epochs: int
    num_folds: int
    loss: float
    accuracy: float
    inner_loss: float
    inner_accuracy: float
    held_out: HeldOutScores | None


def fit_mixture_head(
    drawn: DrawnFeatures, folds: Sequence[HeldOutFeatures], activation: str, seed: int = 0
) -> MixtureHead:
    """Fit a head on all drawn windows, for as long as inner folds say.

    Parameters
    ----------
    drawn : DrawnFeatures
    folds : sequence of HeldOutFeatures
        None: it is trained for `EPOCHS`.
    activation : str
        sigmoid or softmax.
    seed : int
    """
    courses = []
    with progress_bar(len(folds), "inner folds", "fold") as bar:
        for fold in folds:
            courses.append(_trained(drawn.without(fold.groups), activation, seed, EPOCHS, fold.values)[1])
            bar.update()
    figures = [_figures(scores, folds, activation) for scores in zip(*courses, strict=True)]
    losses = [{"epoch": epoch, "val_loss": loss} for epoch, (loss, _) in enumerate(figures, start=1)]
    epochs = kept_epoch(losses) if losses else EPOCHS
    weights, scores = _trained(drawn, activation, seed, epochs)
    loss, accuracy = _loss(scores[-1], drawn.targets, activation), _accuracy(scores[-1], drawn.targets, activation)
    inner_loss, inner_accuracy = figures[epochs - 1] if figures else (float("nan"), float("nan"))
    told = joined_scores([course[epochs - 1] for course in courses], [fold.cut for fold in folds]) if folds else None
    return MixtureHead(
        weights=weights,
        epochs=epochs,
        num_folds=len(folds),
        loss=float(loss.mean()),
        accuracy=float(accuracy.mean()),
        inner_loss=inner_loss,
        inner_accuracy=inner_accuracy,
        held_out=told,
    )


def fit_mixture_head_for(
    drawn: DrawnFeatures, activation: str, seed: int, epochs: int, without: set[str]
) -> list[np.ndarray]:
    """Return the weights of a head for the windows of other groups than some, trained for so many epochs."""
    return _trained(drawn.without(without), activation, seed, epochs)[0]


def _trained(
    drawn: DrawnFeatures, activation: str, seed: int, epochs: int, judged: np.ndarray | None = None
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The weights after all epochs, and the scores of what is judged after each; without it of the windows, at last."""
    import keras

    keras.utils.set_random_seed(seed)
    mean, deviation = drawn.values.mean(axis=0), drawn.values.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0).astype(np.float32)
    values = (drawn.values - mean) / deviation
    model = _network(values.shape[1], drawn.targets.shape[1], activation, -(-len(values) // BATCH))
    after = []
    for _ in range(epochs):
        model.fit(values, drawn.targets, batch_size=BATCH, verbose=0)
        if judged is not None:
            after.append(model.predict((judged - mean) / deviation, batch_size=1024, verbose=0))
    kernel, bias, *last = model.get_weights()
    kernel = kernel / deviation[:, np.newaxis]
    weights = [kernel, bias - mean @ kernel, *last]
    return weights, after or [model.predict(values, batch_size=1024, verbose=0)]


def _network(num_features: int, num_labels: int, activation: str, steps: int) -> Any:
    """The head as it is trained: with dropout of features too."""
    import keras
    from keras import layers

    features = layers.Input((num_features,))
    x = layers.Dropout(FEATURE_DROPOUT)(features)
    x = layers.Dense(HIDDEN_UNITS, activation="relu")(x)
    x = layers.Dropout(HIDDEN_DROPOUT)(x)
    model = keras.Model(features, layers.Dense(num_labels, activation=activation)(x))
    rate = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, EPOCHS * steps, alpha=0.01)
    loss = "binary_crossentropy" if activation == "sigmoid" else "categorical_crossentropy"
    model.compile(keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY), loss)
    return model


def _figures(scores: Sequence[np.ndarray], folds: Sequence[HeldOutFeatures], activation: str) -> tuple[float, float]:
    """Mean loss and accuracy of the folds; windows of one sound and mixtures weigh alike."""
    rows = []
    for found, fold in zip(scores, folds, strict=True):
        targets, weights = fold.cut.targets(found.shape[1]), fold.cut.weights()
        judged = _loss(found, targets, activation), _accuracy(found, targets, activation)
        rows.append([np.average(one, weights=weights) for one in judged])
    loss, accuracy = np.mean(rows, axis=0)
    return float(loss), float(accuracy)


def _loss(scores: np.ndarray, targets: np.ndarray, activation: str) -> np.ndarray:
    """The cross-entropy of each window."""
    of_truth = np.log(np.maximum(scores, _LOWEST)) * targets
    if activation == "softmax":
        loss: np.ndarray = -of_truth.sum(axis=1)
        return loss
    loss = -(of_truth + np.log(np.maximum(1.0 - scores, _LOWEST)) * (1.0 - targets)).mean(axis=1)
    return loss


def _accuracy(scores: np.ndarray, targets: np.ndarray, activation: str) -> np.ndarray:
    """Whether each window is right: its number, or its whole set of labels at 0.5."""
    right: np.ndarray = scores.argmax(axis=1) == targets.argmax(axis=1)
    if activation == "sigmoid":
        right = ((scores >= 0.5) == (targets >= 0.5)).all(axis=1)
    return right

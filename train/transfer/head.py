"""A dense layer on features, by logistic regression; how strongly it is regularized is chosen by inner folds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from train.evaluation.group_folds import group_folds
from train.progress import progress_bar
from train.transfer.features import Features

STRENGTHS = tuple(
    float(f"{value:.2g}") for value in np.geomspace(1e-4, 10.0**1.5, 12)
)  # C: small is strong regularization
MOST_FOLDS = 5
NUM_DEALS = 2  # of groups into folds: one deal of few groups is a lottery
USUAL_STRENGTH = STRENGTHS[4]  # where one label has a single group, and nothing can be chosen
_LOWEST = 1e-7  # a score of 0 counts as this in the loss
_STEPS = 2000


@dataclass(frozen=True, eq=False)
class Head:
    """What was fitted.

    Attributes
    ----------
    kernel, bias : np.ndarray
        float32 (n_features, n_labels) and (n_labels,): logits of features as the backbone gives them.
    strength : float
        The inverse of the regularization, C.
    num_folds : int
        Of the choice; 0 where there was none.
    inner_loss, inner_accuracy : float
        Of windows that were held out in the choice; NaN where there was none.
    """

    kernel: np.ndarray
    bias: np.ndarray
    strength: float
    num_folds: int
    inner_loss: float
    inner_accuracy: float


def fit_head(features: Features, num_labels: int, seed: int = 0) -> Head:
    """Fit a head on all windows, regularized as inner folds over groups say.

    Parameters
    ----------
    features : Features
        With every label.
    num_labels : int
    seed : int
        Of the folds.
    """
    truth = np.eye(num_labels, dtype=bool)[features.truth]
    groups_a_label = [np.unique(features.groups[of_label]).size for of_label in truth.T]
    num_folds = min(MOST_FOLDS, *groups_a_label)
    if num_folds < 2:
        kernel, bias = _Path(features.values, features.truth, num_labels).fit(USUAL_STRENGTH)
        return Head(kernel, bias, USUAL_STRENGTH, 0, float("nan"), float("nan"))
    folds = list(group_folds(features.groups, truth, num_folds, NUM_DEALS, seed))
    losses, right = np.zeros((2, len(STRENGTHS)))
    with progress_bar(len(folds), "inner folds", "fold") as bar:
        for fit, held_out in folds:
            told = features.truth[held_out]
            path = _Path(features.values[fit], features.truth[fit], num_labels)
            for place, strength in enumerate(STRENGTHS):
                kernel, bias = path.fit(strength)
                scores = softmax(features.values[held_out] @ kernel + bias)
                losses[place] -= np.log(np.maximum(scores[np.arange(told.size), told], _LOWEST)).mean() / len(folds)
                right[place] += (scores.argmax(axis=1) == told).mean() / len(folds)
            bar.update()
    best = int(losses.argmin())
    kernel, bias = _Path(features.values, features.truth, num_labels).fit(STRENGTHS[best])
    return Head(kernel, bias, STRENGTHS[best], num_folds, float(losses[best]), float(right[best]))


def fit_head_at(features: Features, num_labels: int, strength: float, without: Collection[str]) -> list[np.ndarray]:
    """Return kernel and bias of a head for the windows of other groups than some, as strongly regularized as said."""
    kept = ~np.isin(features.groups, sorted(without))
    return [*_Path(features.values[kept], features.truth[kept], num_labels).fit(strength)]


def softmax(logits: np.ndarray) -> np.ndarray:
    """Return scores that add up to 1 in each row."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return scores


class _Path:
    """Heads for some windows, from strong regularization to weak, each begun where the last one ended.

    Features are scaled while fitting, and each label weighs alike. A feature that varies less than most keeps small
    weights: scaled to the deviation of the others, a dead one would let its rounding through 50-fold. They are not
    centred, and the bias is regularized as any weight: otherwise a large bias and the sum of the products nearly cancel
    in float32, and scores of two kernels are 1e-5 apart. Where there are fewer windows than features, the windows are
    rotated into as many coordinates as there are windows: the penalty is the same there, so is the solution, and it is
    found many times faster.
    """

    def __init__(self, values: np.ndarray, truth: np.ndarray, num_labels: int) -> None:
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits

        self.truth, self.num_labels = truth, num_labels
        deviation = values.std(axis=0)
        usual = float(np.sqrt(np.square(deviation).mean())) or 1.0
        self._scale = np.maximum(deviation, usual)
        scaled = np.concatenate([values / self._scale, np.ones((len(values), 1))], axis=1)
        self._rotation: np.ndarray | None = None
        if len(scaled) < scaled.shape[1]:
            with threadpool_limits(1):  # as in `fit`
                self._rotation = np.linalg.qr(scaled.T)[0]
                scaled = scaled @ self._rotation
        self._values = scaled
        self._model = LogisticRegression(max_iter=_STEPS, class_weight="balanced", warm_start=True, fit_intercept=False)

    def fit(self, strength: float) -> tuple[np.ndarray, np.ndarray]:
        """Return kernel and bias for features as they are."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):  # threads of such small products wait for one another: 40 times slower on two cores
            model = self._model.set_params(C=strength).fit(self._values, self.truth)
        found = model.coef_
        if model.classes_.size == 2:  # one logit for both: half of it, once with each sign, makes the same scores
            found = np.concatenate([-found, found]) / 2
        if self._rotation is not None:
            found = found @ self._rotation.T
        kernel = np.zeros((found.shape[1] - 1, self.num_labels))
        bias = np.full(self.num_labels, -np.inf)  # of a label that is not among the windows
        kernel[:, model.classes_], bias[model.classes_] = found[:, :-1].T / self._scale[:, np.newaxis], found[:, -1]
        return kernel.astype(np.float32), bias.astype(np.float32)

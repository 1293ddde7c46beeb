"""Softmax scores brought to validation data: one factor for all logits and a shift for each label.

A network that has learned how many sources its training recordings hold takes much that is new to it for one source
more. Validation data shows by how much; the shift takes it back. It is folded into the last layer, so a file has
nothing to know of it. This is the bias-corrected temperature scaling of Alexandari et al. 2020 (arXiv 1901.06852),
after the vector scaling of Guo et al. 2017 (arXiv 1706.04599).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from metadata.plural import counted

SCALE_RANGE = (0.25, 4.0)  # scores that are all right would have no end
SHIFT_RANGE = (-4.0, 4.0)
LEAST_SCORE = 1e-7  # what float32 softmax leaves of a label


@dataclass(frozen=True)
class ScoreScaling:
    """What becomes of logits: `scale * logits + shifts`.

    Attributes
    ----------
    scale : float
        Above 0.
    shifts : tuple of float
        One a label, the first 0.
    """

    scale: float
    shifts: tuple[float, ...]

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Return softmax scores as they are after scaling, float (n, n_labels)."""
        scaled: np.ndarray = np.exp(log_softmax(self.scale * _logits(scores) + np.asarray(self.shifts), axis=1))
        return scaled


def fit_scaling(scores: np.ndarray, truth: np.ndarray) -> ScoreScaling:
    """Return the scaling under which the truth is most likely, every label with the same weight.

    Parameters
    ----------
    scores : np.ndarray
        float (n, n_labels), softmax, of validation windows.
    truth : np.ndarray
        int (n,).

    Raises
    ------
    ValueError
        A label without any window: its shift would have no end.
    """
    num_labels = scores.shape[1]
    of_label = np.bincount(truth, minlength=num_labels)
    if of_label.size > num_labels or not of_label.all():
        raise ValueError(
            f"there are {of_label.tolist()} windows of each of {counted(num_labels, 'label')}; expected some of each"
        )
    logits, weights = _logits(scores), 1.0 / (num_labels * of_label[truth])
    rows = np.arange(truth.size)

    def cost(values: np.ndarray) -> float:
        scaled = np.exp(values[0]) * logits + np.concatenate([[0.0], values[1:]])
        return -float(weights @ log_softmax(scaled, axis=1)[rows, truth])

    low, high = np.log(SCALE_RANGE)
    found = minimize(cost, np.zeros(num_labels), bounds=[(low, high), *[SHIFT_RANGE] * (num_labels - 1)]).x
    return ScoreScaling(float(np.exp(found[0])), (0.0, *map(float, found[1:])))


def scale_last_layer(model: Any, scaling: ScoreScaling) -> None:
    """Fold a scaling into the last layer, a dense one with softmax, of a Keras model."""
    kernel, bias = model.layers[-1].get_weights()
    model.layers[-1].set_weights([kernel * scaling.scale, bias * scaling.scale + np.asarray(scaling.shifts)])


def _logits(scores: np.ndarray) -> np.ndarray:
    """Logits of softmax scores, but for a constant of each window."""
    return np.log(np.maximum(np.asarray(scores, np.float64), LEAST_SCORE))

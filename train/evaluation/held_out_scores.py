"""Scores of windows that a training held out, to choose thresholds and scalings by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from train.evaluation.evaluate import TestWindows
from train.evaluation.predict import predict


@dataclass(frozen=True, eq=False)
class HeldOutScores:
    """Scores of windows by a model, or by those of several folds, that heard none of their groups.

    Attributes
    ----------
    scores : np.ndarray
        float32 (n, n_labels).
    truth, groups, weights : np.ndarray
        As `TestWindows` has them.
    """

    scores: np.ndarray
    truth: np.ndarray
    groups: np.ndarray
    weights: np.ndarray


def held_out_scores(model: Any, cut: TestWindows) -> HeldOutScores:
    """Return the scores of a model on the windows of one side."""
    return HeldOutScores(predict(model, cut.windows), cut.truth, cut.groups, cut.weights())


def joined_scores(scores: Sequence[np.ndarray], cuts: Sequence[TestWindows]) -> HeldOutScores:
    """Return the scores of all folds as one.

    Parameters
    ----------
    scores : sequence of np.ndarray
        Of each fold's windows.
    cuts : sequence of TestWindows
        The windows of each fold.
    """
    truth = np.concatenate([cut.truth for cut in cuts])
    width = max(1 if cut.groups.ndim == 1 else cut.groups.shape[1] for cut in cuts)
    groups = np.concatenate([_as_wide(cut.groups, width) for cut in cuts])
    rows = np.concatenate(list(scores))
    together = TestWindows(rows, truth, np.arange(len(truth)), groups)
    return HeldOutScores(rows, truth, groups, together.weights())


def _as_wide(groups: np.ndarray, width: int) -> np.ndarray:
    """Groups of parts with empty ones behind; of windows with one part each as they are."""
    if width == 1 and groups.ndim == 1:
        return groups
    columns = groups.reshape(len(groups), -1)
    return np.concatenate([columns, np.full((len(columns), width - columns.shape[1]), "")], axis=1)

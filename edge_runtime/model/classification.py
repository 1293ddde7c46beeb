"""What a model says about a window and about a clip.

Axis order: windows first, labels second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]
Decision = str | tuple[str, ...]
"""One label (softmax), or every label whose score reaches its threshold (sigmoid)."""


class Hearing(NamedTuple):
    """What a model says about a stretch of a stream; the fields are those of `WindowResult`."""

    scores: FloatArray
    decision: Decision | None
    level_dbfs: float
    is_silent: bool


@dataclass(frozen=True)
class Classification:
    """What a model says about a clip.

    Attributes
    ----------
    labels : tuple of str
    starts_seconds : ndarray of float64, shape (n_windows,)
    scores : ndarray of float32, shape (n_windows, n_labels)
        0 in silent windows, for which the model is not run.
    levels_dbfs : ndarray of float64, shape (n_windows,)
        RMS of the samples that are there; padding does not count.
    silent : ndarray of bool, shape (n_windows,)
        Which windows are below the limit.
    merge : {"mean", "union", "maximum"}
        The rule by which windows became the clip, see `edge_runtime.model.clip_merge`.
    clip_scores : ndarray of float32, shape (n_labels,)
    decision : str, tuple of str or None
        For the clip: the label (softmax, mean or maximum), or every label over its threshold (sigmoid, and
        union); where all is silent None or the empty tuple.
    """

    labels: tuple[str, ...]
    starts_seconds: npt.NDArray[np.float64]
    scores: FloatArray
    levels_dbfs: npt.NDArray[np.float64]
    silent: npt.NDArray[np.bool_]
    merge: str
    clip_scores: FloatArray
    decision: Decision | None


@dataclass(frozen=True)
class WindowResult:
    """What a model says about one window.

    Attributes
    ----------
    start_seconds, end_seconds : float
        The end is that of the window or of the clip.
    scores : ndarray of float32, shape (n_labels,)
        0 in a silent window, for which the model is not run.
    decision : str, tuple of str or None
        None (softmax) or the empty tuple (sigmoid) in a silent window.
    level_dbfs : float
        RMS of the samples that are there; padding does not count.
    is_silent : bool
        Whether that is below the limit.
    """

    start_seconds: float
    end_seconds: float
    scores: FloatArray
    decision: Decision | None
    level_dbfs: float
    is_silent: bool

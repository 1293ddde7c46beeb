"""How far a candidate is from its reference: pure measures of arrays.

Scores have shape (n_windows, n_labels). A NaN or an infinity raises and is never repaired.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from metadata.plural import counted

FloatArray = npt.NDArray[np.float64]


def max_abs_error(reference: npt.ArrayLike, candidate: npt.ArrayLike) -> float:
    """Return the largest absolute difference.

    Raises
    ------
    ValueError
        Shapes that differ, nothing to compare, NaN or infinity; so for every measure here.
    """
    expected, found = _pair(reference, candidate)
    return float(np.abs(found - expected).max())


def relative_error(reference: npt.ArrayLike, candidate: npt.ArrayLike, least_peak: float = 0.0) -> float:
    """Return the largest absolute difference over the largest absolute value of the reference, `least_peak` at least.

    Infinite where the reference is all zero and the candidate is not.
    """
    expected, found = _pair(reference, candidate)
    error, peak = np.abs(found - expected).max(), max(np.abs(expected).max(), least_peak)
    if error == 0.0:
        return 0.0
    return float(error / peak) if peak > 0.0 else math.inf


def snr_db(reference: npt.ArrayLike, candidate: npt.ArrayLike) -> float:
    """Return the energy of the reference over that of the difference, in dB; infinite where they are equal."""
    expected, found = _pair(reference, candidate)
    signal, noise = float(np.sum(expected**2)), float(np.sum((found - expected) ** 2))
    if noise == 0.0:
        return math.inf
    return 10.0 * math.log10(signal / noise) if signal > 0.0 else -math.inf


def cosine_similarity(reference: npt.ArrayLike, candidate: npt.ArrayLike) -> float:
    """Return the cosine of the angle between both as flat vectors; 1 where both are zero, 0 where one is."""
    expected, found = (values.ravel() for values in _pair(reference, candidate))
    lengths = float(np.linalg.norm(expected)), float(np.linalg.norm(found))
    if 0.0 in lengths:
        return 1.0 if lengths == (0.0, 0.0) else 0.0
    return float(np.clip((expected / lengths[0]) @ (found / lengths[1]), -1.0, 1.0))


def decisions(scores: npt.ArrayLike, thresholds: Sequence[float] | None = None) -> npt.NDArray[Any]:
    """Return what each window is taken for.

    Parameters
    ----------
    scores : array_like, shape (n_windows, n_labels)
    thresholds : sequence of float, shape (n_labels,), optional
        Given for a sigmoid model.

    Returns
    -------
    ndarray
        Without thresholds the index of the highest score, the first of equal ones, int64, shape
        (n_windows,); with thresholds whether each score reaches its own, bool, (n_windows, n_labels).
    """
    values = _scores(scores)
    if thresholds is None:
        return np.asarray(values.argmax(axis=1))
    if len(thresholds) != values.shape[1]:
        raise ValueError(
            f"there are {counted(len(thresholds), 'threshold')} for {counted(values.shape[1], 'label')}; expected "
            "one a label"
        )
    # Compared in float32, as scores leave the model: 0.3 as float64 is not the 0.3 of a float32 score.
    return np.asarray(np.asarray(scores) >= np.asarray(thresholds, np.float32))


def decision_agreement(
    reference_scores: npt.ArrayLike, candidate_scores: npt.ArrayLike, thresholds: Sequence[float] | None = None
) -> float:
    """Return the share of windows with the same decision, 0 to 1; thresholds as for `decisions`."""
    _pair(reference_scores, candidate_scores)
    same = decisions(reference_scores, thresholds) == decisions(candidate_scores, thresholds)
    return float(same.reshape(len(same), -1).all(axis=1).mean())


def _pair(reference: npt.ArrayLike, candidate: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return both as float64 after checking that they can be measured."""
    expected, found = same_shape(reference, candidate)
    fault = find_fault(expected, found)
    if fault:
        raise ValueError(fault)
    return expected, found


def same_shape(reference: npt.ArrayLike, candidate: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return both as float64: in int8 the difference of 127 and -128 would be -1."""
    expected, found = np.asarray(reference, np.float64), np.asarray(candidate, np.float64)
    if expected.shape != found.shape:
        raise ValueError(f"the reference has shape {expected.shape}, the candidate {found.shape}; expected equal ones")
    if expected.size == 0:
        raise ValueError(f"there is nothing to compare: both have shape {expected.shape}")
    return expected, found


def _scores(scores: npt.ArrayLike) -> FloatArray:
    """Return finite scores of shape (n_windows, n_labels)."""
    if np.ndim(scores) != 2:
        raise ValueError(f"scores have shape {np.shape(scores)}; expected (n_windows, n_labels)")
    return _pair(scores, scores)[0]


def find_fault(reference: FloatArray, candidate: FloatArray) -> str:
    """Say how many values are NaN or infinite; empty where none is."""
    for owner, values in (("reference", reference), ("candidate", candidate)):
        bad = values.size - int(np.isfinite(values).sum())
        if bad:
            return (
                f"{bad} of {counted(values.size, 'value')} of the {owner} are NaN or infinite; expected finite numbers"
            )
    return ""

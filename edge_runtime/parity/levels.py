"""Whether a candidate agrees with its reference: the levels that pass or fail, by `edge_runtime.scoring.measures`.

Scores have shape (n_windows, n_labels). A NaN or an infinity never passes and is never repaired: a
measure raises, a level fails and says where it was.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edge_runtime.scoring.intervals import count_groups, paired_bootstrap_interval
from edge_runtime.scoring.measures import (
    cosine_similarity,
    decision_agreement,
    decisions,
    find_fault,
    max_abs_error,
    relative_error,
    same_shape,
    snr_db,
)
from metadata.recipe import UNKNOWN_TOLERANCE

if TYPE_CHECKING:
    from edge_runtime.model.classifier import Classifier

__all__ = [
    "DEFAULT_RECIPE_TOLERANCE",
    "FRONT_END_TOLERANCE",
    "LEVELS",
    "NO_TRUTH",
    "SAYS_NOTHING",
    "SCORES_TOLERANCE",
    "ParityResult",
    "add_detail",
    "cosine_similarity",
    "decision_agreement",
    "decisions",
    "front_end_parity",
    "max_abs_error",
    "on_other_kernels",
    "phone_parity",
    "recipe_parity",
    "relative_error",
    "same_everywhere",
    "score_parity",
    "snr_db",
]

FloatArray = npt.NDArray[np.float64]
FRONT_END_TOLERANCE = 1e-6  # level 1: relative error of each window's spectrogram
SCORES_TOLERANCE = 1e-5  # level 2: max abs error of the scores
LEVELS = {1: "front end", 2: "float scores", 3: "recipe", 4: "phone path", 5: "other kernels and machines"}
"""What is compared at each level; level 5 is level 2 or 3 on the built-in kernels that other loaders compute with, and
in `edge_runtime.parity.other_machines` the scores of two machines."""
DEFAULT_RECIPE_TOLERANCE = UNKNOWN_TOLERANCE
"""Level 3 where no recipe names a tolerance of its own: shares of windows."""
NO_TRUTH = "no truth given: accuracy not compared"
SAYS_NOTHING = "agreement says nothing"  # how a result says so, whose decision is always the same


@dataclass(frozen=True, kw_only=True)
class ParityResult:
    """What one comparison found.

    Attributes
    ----------
    level : int
        1 to 5, see `LEVELS`.
    name : str
        What was compared.
    passed : bool
    measures : dict of str to float
        Empty where NaN left nothing to measure.
    tolerance : dict of str to float
        The limit of each measure that decides.
    num_windows : int
        Compared; frames where that is the unit.
    detail : str
        Why it failed or what was left out; empty where there is nothing to say.
    unit : str
        What was compared and counted: "window", or "frame" of frame scores.
    """

    level: int
    name: str
    passed: bool
    measures: dict[str, float]
    tolerance: dict[str, float]
    num_windows: int
    detail: str = ""
    unit: str = "window"

    def as_dict(self) -> dict[str, Any]:
        """Return the result for JSON, which knows no infinity: an infinite measure becomes None."""
        values = asdict(self)
        values["measures"] = {name: value if math.isfinite(value) else None for name, value in self.measures.items()}
        return values


def front_end_parity(
    reference: npt.ArrayLike, candidate: npt.ArrayLike, name: str, least_peaks: npt.ArrayLike = 0.0
) -> ParityResult:
    """Compare spectrograms (level 1): the relative error of every window is at most 1e-6.

    Parameters
    ----------
    reference, candidate : array_like, shape (n_windows, n_bands, n_frames)
        The largest value is taken window by window, so that a loud window excuses no quiet one.
    name : str
        What is compared, such as "NumPy against librosa".
    least_peaks : array_like, shape (n_windows,) or ()
        What a difference is taken relative to where the largest value of a window is smaller, see
        `edge_runtime.front_end.mel.loudest_bands`.

    Raises
    ------
    ValueError
        Shapes that differ or are not (n_windows, n_bands, n_frames).
    """
    expected, found = same_shape(reference, candidate)
    if expected.ndim != 3:
        raise ValueError(f"spectrograms have shape {expected.shape}; expected (n_windows, n_bands, n_frames)")
    tolerance = {"relative_error": FRONT_END_TOLERANCE}
    fault = find_fault(expected, found)
    if fault:
        return _failed(1, name, tolerance, len(expected), fault)
    least = np.broadcast_to(np.asarray(least_peaks, np.float64), len(expected))
    worst = max(relative_error(*pair) for pair in zip(expected, found, least, strict=True))
    measures = {"relative_error": worst, "snr_db": snr_db(expected, found)}
    return _judged(1, name, worst <= FRONT_END_TOLERANCE, measures, tolerance, len(expected))


def score_parity(
    reference_scores: npt.ArrayLike,
    candidate_scores: npt.ArrayLike,
    name: str = "float file against its model",
    thresholds: Sequence[float] | None = None,
    labels: Sequence[str] | None = None,
) -> ParityResult:
    """Compare scores (level 2): max abs error at most 1e-5 and every decision equal.

    Parameters
    ----------
    reference_scores, candidate_scores : array_like, shape (n_windows, n_labels)
    name : str
    thresholds : sequence of float, optional
        Given for a sigmoid model, as for `decisions`.
    labels : sequence of str, optional
        What the scores stand for, where the result shall name one.

    Raises
    ------
    ValueError
        Shapes that differ or are not (n_windows, n_labels).
    """
    expected, found = _score_pair(reference_scores, candidate_scores)
    tolerance = {"max_abs_error": SCORES_TOLERANCE, "decision_agreement": 1.0}
    fault = find_fault(expected, found)
    if fault:
        return _failed(2, name, tolerance, len(expected), fault)
    measures = {
        "max_abs_error": max_abs_error(expected, found),
        "decision_agreement": decision_agreement(reference_scores, candidate_scores, thresholds),
    }
    passed = measures["max_abs_error"] <= SCORES_TOLERANCE and measures["decision_agreement"] == 1.0
    result = _judged(2, name, passed, measures, tolerance, len(expected))
    return add_detail(result, same_everywhere(reference_scores, candidate_scores, thresholds, labels))


def recipe_parity(
    float_scores: npt.ArrayLike,
    candidate_scores: npt.ArrayLike,
    truth: npt.ArrayLike | None,
    groups: npt.ArrayLike | None,
    tolerance: Mapping[str, float],
    name: str = "recipe against float",
    thresholds: Sequence[float] | None = None,
    labels: Sequence[str] | None = None,
) -> ParityResult:
    """Compare a quantized file with the float one (level 3).

    Parameters
    ----------
    float_scores, candidate_scores : array_like, shape (n_windows, n_labels)
    truth : array_like or None
        The right decisions as `decisions` gives them: label indices (n_windows,), or for a sigmoid
        model bool (n_windows, n_labels). Without it only the agreement is judged.
    groups : array_like, shape (n_windows,) or (n_windows, k), or None
        Speaker or source recording of each window, for the interval; several of a mixture.
    tolerance : mapping
        `decision_agreement`: at least this share; `accuracy_loss`: at most this much of the float
        file's accuracy may be lost (both 0 to 1). A limit counts in whole windows, rounded up: half
        a percent of 30 windows is one window, of 380 two.
    name : str
    thresholds : sequence of float, optional
        As for `decisions`.
    labels : sequence of str, optional
        As for `score_parity`.

    Returns
    -------
    ParityResult
        With the truth: `accuracy_loss` (positive is worse), and its paired 95 % interval
        `accuracy_loss_lower` and `_upper` where there are two groups or more.

    Raises
    ------
    ValueError
        Shapes that do not fit, or a tolerance that is missing or unknown.
    """
    expected, found = _score_pair(float_scores, candidate_scores)
    limits = _recipe_limits(tolerance)
    fault = find_fault(expected, found)
    if fault:
        return _failed(3, name, limits, len(expected), fault)
    measures = {
        "decision_agreement": decision_agreement(float_scores, candidate_scores, thresholds),
        "max_abs_error": max_abs_error(expected, found),
        "snr_db": snr_db(expected, found),
        "cosine_similarity": cosine_similarity(expected, found),
    }
    detail = NO_TRUTH
    if truth is not None:
        right = [_right(scores, truth, thresholds) for scores in (float_scores, candidate_scores)]
        losses = right[0] - right[1]
        measures |= {"float_accuracy": float(right[0].mean()), "accuracy": float(right[1].mean())}
        measures["accuracy_loss"] = float(losses.mean())
        detail = _add_interval(measures, losses, groups)
    disagreement, loss = 1.0 - measures["decision_agreement"], measures.get("accuracy_loss", 0.0)
    passed = _is_within(disagreement, 1.0 - limits["decision_agreement"], len(expected))
    passed = passed and _is_within(loss, limits["accuracy_loss"], len(expected))
    result = _judged(3, name, passed, measures, limits, len(expected), detail)
    return add_detail(result, same_everywhere(float_scores, candidate_scores, thresholds, labels))


def whole_windows(limit: float, num_windows: int) -> int:
    """Return how many of the windows a limit in 0 to 1 allows: rounded up, and one at least."""
    return max(1, math.ceil(limit * num_windows - 1e-9))


def phone_parity(
    classifier: Classifier,
    recordings: Iterable[npt.ArrayLike],
    name: str = "phone path against windows cut offline",
) -> ParityResult:
    """Replay recordings through the phone harness (level 4): windows and scores equal bit for bit, no sample lost.

    Every recording runs on the float and on the 16-bit path, on time and with late ticks.

    Parameters
    ----------
    classifier : Classifier
    recordings : iterable of int16 arrays, shape (n_samples,)
        At the model's sample rate.
    name : str

    Raises
    ------
    ValueError
        No recordings, or one that is empty or not int16.
    """
    from edge_runtime.phone.offline_check import compare_with_offline

    tolerance = dict.fromkeys(("max_abs_error", "unequal_windows", "unequal_scores", "lost_samples"), 0.0)
    comparisons = [compare_with_offline(classifier, recording, classifier.spec.sample_rate) for recording in recordings]
    if not comparisons:
        raise ValueError("there are no recordings; expected at least one to replay")
    measures = {
        "max_abs_error": max(comparison.max_abs_error for comparison in comparisons),
        "unequal_windows": float(sum(comparison.unequal_windows for comparison in comparisons)),
        "unequal_scores": float(sum(comparison.unequal_scores for comparison in comparisons)),
        "lost_samples": float(sum(comparison.lost_samples for comparison in comparisons)),
    }
    lost = "the AudioRecord buffer ran over between two ticks: the window is too short for them"
    detail = lost if measures["lost_samples"] else ""
    num_windows = sum(comparison.num_windows for comparison in comparisons)
    return _judged(4, name, not any(measures.values()), measures, tolerance, num_windows, detail)


def on_other_kernels(result: ParityResult, kernels: str) -> ParityResult:
    """Return a result of level 2 or 3 whose candidate ran on other kernels than this machine's own, as level 5.

    Parameters
    ----------
    result : ParityResult
    kernels : str
        What computed, for the name, such as "built-in kernels".
    """
    return replace(result, level=5, name=f"{result.name}, on {kernels}")


def add_detail(result: ParityResult, detail: str) -> ParityResult:
    """Return a result that says one thing more; the same where there is nothing to say."""
    if not detail:
        return result
    return replace(result, detail=f"{result.detail}; {detail}" if result.detail else detail)


def same_everywhere(
    reference: npt.ArrayLike,
    candidate: npt.ArrayLike,
    thresholds: Sequence[float] | None,
    labels: Sequence[str] | None,
) -> str:
    """Say that both always decide the same, as any two models of one answer do; empty where that is not so."""
    found = [decisions(scores, thresholds) for scores in (reference, candidate)]
    first = found[0][:1]
    if len(found[0]) < 2 or not all((rows == first).all() for rows in found):
        return ""
    places = np.flatnonzero(first) if thresholds is not None else first
    names = [labels[place] if labels is not None else f"label {place}" for place in places.tolist()]
    told = " and ".join(f"'{name}'" for name in names) or "on no label"
    return f"{SAYS_NOTHING}: both always decide {told}"


def _score_pair(reference: npt.ArrayLike, candidate: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return both as float64 of shape (n_windows, n_labels), NaN let through for the level to judge."""
    expected, found = same_shape(reference, candidate)
    if expected.ndim != 2:
        raise ValueError(f"scores have shape {expected.shape}; expected (n_windows, n_labels)")
    return expected, found


def _right(scores: npt.ArrayLike, truth: npt.ArrayLike, thresholds: Sequence[float] | None) -> FloatArray:
    """Return 1.0 for each window that is decided right, else 0.0."""
    found, expected = decisions(scores, thresholds), np.asarray(truth)
    if found.shape != expected.shape:
        raise ValueError(f"the truth has shape {expected.shape}; expected {found.shape}, as the decisions")
    return np.asarray((found == expected).reshape(len(found), -1).all(axis=1), np.float64)


def _is_within(share: float, limit: float, num_windows: int) -> bool:
    """Whether a share of the windows is at most the limit in whole windows."""
    return round(share * num_windows) <= whole_windows(limit, num_windows)


def _recipe_limits(tolerance: Mapping[str, float]) -> dict[str, float]:
    """Return the two limits of level 3, no other."""
    if set(tolerance) != set(DEFAULT_RECIPE_TOLERANCE):
        raise ValueError(f"tolerance names {sorted(tolerance)}; expected {sorted(DEFAULT_RECIPE_TOLERANCE)}")
    return {name: float(limit) for name, limit in tolerance.items()}


def _add_interval(measures: dict[str, float], losses: FloatArray, groups: npt.ArrayLike | None) -> str:
    """Add the paired interval of the accuracy loss to the measures, or say why there is none."""
    if groups is None or count_groups(groups) < 2:
        return "fewer than two groups: no interval"
    interval = paired_bootstrap_interval(losses, groups)
    measures |= {"accuracy_loss_lower": interval.lower, "accuracy_loss_upper": interval.upper}
    return ""


def _failed(level: int, name: str, tolerance: dict[str, float], num_windows: int, fault: str) -> ParityResult:
    """Return the result of a comparison that NaN made impossible."""
    return _judged(level, name, False, {}, tolerance, num_windows, fault)


def _judged(
    level: int,
    name: str,
    passed: bool,
    measures: dict[str, float],
    tolerance: dict[str, float],
    num_windows: int,
    detail: str = "",
) -> ParityResult:
    """Return a result."""
    return ParityResult(
        level=level,
        name=name,
        passed=passed,
        measures=measures,
        tolerance=tolerance,
        num_windows=num_windows,
        detail=detail,
    )

"""How well sets of labels agree with the truth: exact match, F1, average precision, with 95 % intervals.

For multi-label models. Scores are float (n, n_labels), truth and decisions bool (n, n_labels): which labels are in the
set. A decision is right where its whole set is (exact match, the accuracy of such a model).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge_runtime.scoring.intervals import count_groups, share_interval, wilson_interval
from edge_runtime.scoring.measures import decisions
from metadata.plural import counted


@dataclass(frozen=True)
class LabelSetScores:
    """How well one label is found, in [0, 1]; 0 where nothing could be counted.

    Attributes
    ----------
    label : str
    average_precision : float or None
        Area under precision over recall, whatever the threshold; None where no window has the label.
    precision, recall, f1 : float
        At the threshold.
    threshold : float
    support : int
        How many windows truly have the label.
    """

    label: str
    average_precision: float | None
    precision: float
    recall: float
    f1: float
    threshold: float
    support: int


@dataclass(frozen=True)
class SetSizeScores:
    """Exact match among the windows that truly have `size` labels, with its 95 % interval by the groups."""

    size: int
    exact_match: float
    interval: tuple[float, float]
    num_decisions: int
    num_groups: int


@dataclass(frozen=True)
class LabelSetEvaluation:
    """How well the sets of labels agree with the truth.

    Attributes
    ----------
    exact_match : float
        Share of windows whose set is exactly right.
    interval : tuple of float
        95 %, of the exact match, see `edge_runtime.scoring.intervals.share_interval`.
    wilson : tuple of float
        95 %, as if every decision were independent.
    num_decisions, num_groups : int
    hamming_loss : float
        Share of wrong answers among all windows and labels.
    micro_precision, micro_recall, micro_f1 : float
        Over all answers together.
    macro_precision, macro_recall, macro_f1 : float
        Mean over the labels.
    mean_average_precision : float or None
        mAP: mean over the labels that occur; None where none does.
    labels : list of LabelSetScores
    sizes : list of SetSizeScores
        Exact match by the true number of labels: single sounds, mixtures of two.
    """

    exact_match: float
    interval: tuple[float, float]
    wilson: tuple[float, float]
    num_decisions: int
    num_groups: int
    hamming_loss: float
    micro_precision: float
    micro_recall: float
    micro_f1: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    mean_average_precision: float | None
    labels: list[LabelSetScores]
    sizes: list[SetSizeScores]

    @property
    def accuracy(self) -> float:
        """The exact match, under the name that every evaluation has for its share of right decisions."""
        return self.exact_match

    def as_dict(self) -> dict[str, Any]:
        """Return the evaluation for JSON, `accuracy` included."""
        return {"accuracy": self.accuracy, **asdict(self)}


def evaluate_label_sets(
    truth: np.ndarray,
    scores: np.ndarray,
    groups: np.ndarray,
    labels: Sequence[str],
    thresholds: Sequence[float],
) -> LabelSetEvaluation:
    """Judge scores at their thresholds.

    Parameters
    ----------
    truth : np.ndarray
        bool (n, n_labels).
    scores : np.ndarray
        float (n, n_labels).
    groups : np.ndarray
        str (n,), or (n, k) for mixtures, as `edge_runtime.scoring.intervals` takes them.
    labels : sequence of str
    thresholds : sequence of float
        One a label.

    Raises
    ------
    ValueError
        Nothing to judge, shapes that do not fit, or scores that are not finite.
    """
    from sklearn.metrics import hamming_loss  # takes seconds to load: not before it is needed

    truth, scores = np.asarray(truth), np.asarray(scores)
    _check(truth, scores, groups, labels)
    decided = decisions(scores, thresholds)
    right = (decided == truth).all(axis=1)
    per_label = [
        _label_scores(truth[:, place], scores[:, place], decided[:, place], label, float(thresholds[place]))
        for place, label in enumerate(labels)
    ]
    micro = _precision_recall_f1(truth.ravel(), decided.ravel())
    known = [one.average_precision for one in per_label if one.average_precision is not None]
    return LabelSetEvaluation(
        exact_match=float(right.mean()),
        interval=(*share_interval(right, groups),),
        wilson=(*wilson_interval(int(right.sum()), right.size),),
        num_decisions=int(right.size),
        num_groups=count_groups(groups),
        hamming_loss=float(hamming_loss(truth.ravel(), decided.ravel())),
        micro_precision=micro[0],
        micro_recall=micro[1],
        micro_f1=micro[2],
        macro_precision=float(np.mean([one.precision for one in per_label])),
        macro_recall=float(np.mean([one.recall for one in per_label])),
        macro_f1=float(np.mean([one.f1 for one in per_label])),
        mean_average_precision=float(np.mean(known)) if known else None,
        labels=per_label,
        sizes=_by_size(truth, right, np.asarray(groups)),
    )


def average_precision(truth: np.ndarray, scores: np.ndarray) -> float:
    """Return the average precision of one label: the precision at each score, weighted by the recall it adds.

    Parameters
    ----------
    truth : np.ndarray
        bool (n,).
    scores : np.ndarray
        float (n,).

    Raises
    ------
    ValueError
        No window has the label.

    Notes
    -----
    Windows of equal score count together, nothing is interpolated.
    """
    from sklearn.metrics import average_precision_score

    truth, scores = np.asarray(truth, bool), np.asarray(scores)
    if not truth.any():
        raise ValueError("no window has the label; its average precision is not defined")
    return float(average_precision_score(truth, scores))


def _check(truth: np.ndarray, scores: np.ndarray, groups: np.ndarray, labels: Sequence[str]) -> None:
    """Refuse what cannot be judged."""
    expected = (len(truth), len(labels)) if truth.ndim else ()
    if truth.dtype != bool or truth.shape != expected or scores.shape != expected or len(groups) != len(truth):
        raise ValueError(
            f"truth has shape {truth.shape} of {truth.dtype}, scores {scores.shape}, groups {len(groups)}; "
            f"expected bool (n, {len(labels)}), the same of scores, and n groups"
        )
    if not len(truth):
        raise ValueError("there are no windows to judge; expected at least 1")
    if not np.isfinite(scores).all():
        raise ValueError(
            f"{counted(int((~np.isfinite(scores)).any(axis=1).sum()), 'window has', 'windows have')} scores that are "
            "not finite"
        )


def _label_scores(
    truth: np.ndarray, scores: np.ndarray, decided: np.ndarray, label: str, threshold: float
) -> LabelSetScores:
    """How well one label is found."""
    found = average_precision(truth, scores) if truth.any() else None
    precision, recall, f1 = _precision_recall_f1(truth, decided)
    return LabelSetScores(label, found, precision, recall, f1, threshold, int(truth.sum()))


def _precision_recall_f1(truth: np.ndarray, decided: np.ndarray) -> tuple[float, float, float]:
    """Precision, recall and F1 of yes and no answers, bool (n,); 0 where there is nothing to divide by."""
    from sklearn.metrics import precision_recall_fscore_support

    precision, recall, f1, _ = precision_recall_fscore_support(truth, decided, average="binary", zero_division=0.0)
    return float(precision), float(recall), float(f1)


def _by_size(truth: np.ndarray, right: np.ndarray, groups: np.ndarray) -> list[SetSizeScores]:
    """Exact match by the true number of labels."""
    sizes = truth.sum(axis=1)
    found = []
    for size in np.unique(sizes).tolist():
        those = sizes == size
        lower, upper = share_interval(right[those], groups[those])
        num_groups = count_groups(groups[those])
        found.append(SetSizeScores(size, float(right[those].mean()), (lower, upper), int(those.sum()), num_groups))
    return found

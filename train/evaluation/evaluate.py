"""How well scores agree with the truth: per window, per clip, per label, with 95 % intervals.

Scores are float (n_windows, n_labels). For a softmax model truth is the label's position, int (n_windows,), and in the
confusion matrix the rows are the truth and the columns the decisions. For a sigmoid model truth is bool (n_windows,
n_labels), see `train.evaluation.label_sets`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge_runtime.audio.windows import window_starts
from edge_runtime.scoring.intervals import count_groups, share_interval, wilson_interval
from metadata.plural import counted
from metadata.spec import ModelSpec
from train.batches.window_rows import WindowRows, cut_window
from train.evaluation.label_sets import LabelSetEvaluation, evaluate_label_sets
from train.recordings.store.clip_store import LoadedClips


@dataclass(frozen=True)
class TestWindows:
    """Windows of one side of the split, with what is needed to judge scores on them.

    Attributes
    ----------
    windows : WindowRows or np.ndarray
        float32 (n, window_length); of recordings each is cut when it is read.
    truth : np.ndarray
        int64 (n,), position of the label; where several labels may be heard, bool (n, n_labels).
    clips : np.ndarray
        int64 (n,), which clip a window is from.
    groups : np.ndarray
        str (n,), the clip's group; of mixtures str (n, most parts), empty where one has fewer parts.
    starts : np.ndarray, optional
        int64 (n,), the sample of the clip at which a window begins, where that is known.
    """

    __test__ = False  # its name begins as a test's does

    windows: WindowRows | np.ndarray
    truth: np.ndarray
    clips: np.ndarray
    groups: np.ndarray
    starts: np.ndarray | None = None

    def targets(self, num_labels: int) -> np.ndarray:
        """Return the truth as a model is trained on it, float32 (n, n_labels)."""
        if self.truth.ndim == 2:
            return self.truth.astype(np.float32)
        rows: np.ndarray = np.eye(num_labels, dtype=np.float32)[self.truth]
        return rows

    def weights(self) -> np.ndarray:
        """Return float32 (n,), mean 1: windows of one label, of two, ... weigh equally together."""
        kinds = self.truth.sum(axis=1) if self.truth.ndim == 2 else np.zeros(len(self.truth), int)
        _, kind, counts = np.unique(kinds, return_inverse=True, return_counts=True)
        return (kind.size / (counts.size * counts[kind])).astype(np.float32)


def cut_split(
    clips: LoadedClips, split: str, window_length: int, window_hop: int = 0, tail: str = "drop"
) -> TestWindows:
    """Cut the clips of one side into windows; a clip shorter than a window is padded with zeros.

    Parameters
    ----------
    clips : LoadedClips
    split : str
        train, val or test; of a side without clips there are no windows.
    window_length : int
        Samples.
    window_hop : int
        Samples from window to window; 0: the window length.
    tail : str
        As for `edge_runtime.audio.windows.window_starts`.
    """
    places = clips.places(split)
    window_hop = window_hop or window_length
    starts = [window_starts(clips.waveforms[place].size, window_length, window_hop, tail) for place in places]
    counts = [one.size for one in starts]
    position = {label: number for number, label in enumerate(clips.index.labels)}
    labels = [position[clips.index.clips[place].labels[0]] for place in places]
    groups = [clips.index.clips[place].group for place in places]
    owners, begins = np.repeat(places, counts).astype(np.int64), np.concatenate([np.empty(0, np.int64), *starts])

    def cut(row: int) -> np.ndarray:
        return cut_window(clips.waveforms[owners[row]], int(begins[row]), window_length)

    windows = WindowRows(begins.size, (window_length,), cut)
    truth = np.repeat(np.array(labels, np.int64), counts)
    return TestWindows(windows, truth, owners, np.repeat(np.array(groups, str), counts), begins)


@dataclass(frozen=True)
class LabelScores:
    """Precision, recall and F1 of one label, in [0, 1]; 0 where nothing could be counted."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int  # how many are truly of this label


@dataclass(frozen=True)
class Evaluation:
    """Accuracy of a set of decisions.

    Attributes
    ----------
    accuracy : float
    interval : tuple of float
        95 %, windows of a group hang together: by the bootstrap over groups; where every decision is right, or
        every one wrong, Wilson's for as many decisions as there are groups; for a single group Wilson's.
    wilson : tuple of float
        95 %, as if every decision were independent.
    num_decisions, num_groups : int
    labels : list of LabelScores
    macro_f1 : float
    confusion : list of list of int
        Rows truth, columns decisions.
    """

    accuracy: float
    interval: tuple[float, float]
    wilson: tuple[float, float]
    num_decisions: int
    num_groups: int
    labels: list[LabelScores]
    macro_f1: float
    confusion: list[list[int]]

    def as_dict(self) -> dict[str, Any]:
        """Return the evaluation for JSON."""
        return asdict(self)


Evaluations = dict[str, Evaluation | LabelSetEvaluation]
"""What was judged ("window", "clip_mean_score" and so on), each with its evaluation."""


def evaluate_decisions(
    truth: np.ndarray, decisions: np.ndarray, groups: np.ndarray, labels: Sequence[str]
) -> Evaluation:
    """Judge decisions against the truth.

    Raises
    ------
    ValueError
        Nothing to judge, lengths that differ, or a position outside the labels.
    """
    truth, decisions = np.asarray(truth), np.asarray(decisions)
    if truth.ndim != 1 or truth.size == 0 or truth.shape != decisions.shape or len(groups) != truth.size:
        raise ValueError(
            f"truth has shape {truth.shape}, decisions {decisions.shape}, groups {len(groups)}; "
            "expected the same length, at least 1"
        )
    for name, values in (("truth", truth), ("decisions", decisions)):
        if values.min() < 0 or values.max() >= len(labels):
            raise ValueError(f"{name} reach from {values.min()} to {values.max()}; expected 0 to {len(labels) - 1}")
    right = truth == decisions
    from sklearn.metrics import confusion_matrix  # takes seconds to load: not before it is needed

    per_label = _label_scores(truth, decisions, labels)
    return Evaluation(
        accuracy=float(right.mean()),
        interval=(*share_interval(right, groups),),
        wilson=(*wilson_interval(int(right.sum()), right.size),),
        num_decisions=int(right.size),
        num_groups=count_groups(groups),
        labels=per_label,
        macro_f1=float(np.mean([scores.f1 for scores in per_label])),
        confusion=confusion_matrix(truth, decisions, labels=np.arange(len(labels))).tolist(),
    )


def evaluate_scores(scores: np.ndarray, cut: TestWindows, spec: ModelSpec) -> Evaluations:
    """Judge scores per window and per clip, as the model's activation says.

    Parameters
    ----------
    scores : np.ndarray
        float (n_windows, n_labels).
    cut : TestWindows
        Its truth is int64 (n_windows,) for softmax, bool (n_windows, n_labels) for sigmoid.
    spec : ModelSpec
        Of which labels, activation and thresholds count.

    Returns
    -------
    dict of str to Evaluation or LabelSetEvaluation
        softmax: "window", "clip_mean_score" and "clip_majority". sigmoid: "window", "clip_mean_score" (the mean of the
        scores of a clip's windows, at the thresholds) and "clip_union" (every label that one of its windows has).

    Raises
    ------
    ValueError
        A score that is not finite, not one row a window and one column a label, or a truth of the other activation.
    """
    scores = np.asarray(scores)
    if scores.shape != (len(cut.truth), len(spec.labels)):
        raise ValueError(f"scores have shape {scores.shape}; expected {(len(cut.truth), len(spec.labels))}")
    if not np.isfinite(scores).all():
        raise ValueError(
            f"{counted(int((~np.isfinite(scores)).any(axis=1).sum()), 'window has', 'windows have')} scores that are "
            "not finite"
        )
    is_set = spec.activation == "sigmoid"
    if cut.truth.shape != (scores.shape if is_set else scores.shape[:1]):
        raise ValueError(
            f"the truth has shape {cut.truth.shape}; expected {scores.shape if is_set else scores.shape[:1]} for a "
            f"model with {spec.activation} scores"
        )
    return _evaluate_sets(scores, cut, spec) if is_set else _evaluate_positions(scores, cut, spec.labels)


def score_thresholds(spec: ModelSpec) -> tuple[float, ...] | None:
    """Return the thresholds that decide, as `edge_runtime.scoring.measures.decisions` takes them: those of a sigmoid
    model."""
    return spec.thresholds if spec.activation == "sigmoid" else None


def _evaluate_positions(scores: np.ndarray, cut: TestWindows, labels: Sequence[str]) -> Evaluations:
    """Judge the highest scores: per window, and per clip by mean score and by majority vote."""
    first, of_clip = _clips_of(cut)
    mean_scores = _mean_by_clip(scores, of_clip, first.size)
    votes = _mean_by_clip(np.eye(len(labels))[scores.argmax(axis=1)], of_clip, first.size)
    # A tie of votes goes to the label with the higher mean score among those that tie.
    tied = votes == votes.max(axis=1, keepdims=True)
    majority = np.where(tied, mean_scores, -np.inf).argmax(axis=1)
    clip_truth, clip_groups = cut.truth[first], cut.groups[first]
    return {
        "window": evaluate_decisions(cut.truth, scores.argmax(axis=1), cut.groups, labels),
        "clip_mean_score": evaluate_decisions(clip_truth, mean_scores.argmax(axis=1), clip_groups, labels),
        "clip_majority": evaluate_decisions(clip_truth, majority, clip_groups, labels),
    }


def _evaluate_sets(scores: np.ndarray, cut: TestWindows, spec: ModelSpec) -> Evaluations:
    """Judge sets of labels: per window, and per clip by mean score and by the union of its windows' sets."""
    first, of_clip = _clips_of(cut)
    # In float32, as the device takes the mean of a clip's scores.
    mean_scores = _mean_by_clip(scores, of_clip, first.size).astype(np.float32)
    highest = np.full_like(mean_scores, -np.inf)
    np.maximum.at(highest, of_clip, np.asarray(scores, np.float32))
    truth = np.zeros(mean_scores.shape, bool)
    np.logical_or.at(truth, of_clip, cut.truth)  # what any window of the clip holds
    groups, rest = cut.groups[first], (spec.labels, spec.thresholds)
    return {
        "window": evaluate_label_sets(cut.truth, scores, cut.groups, *rest),
        "clip_mean_score": evaluate_label_sets(truth, mean_scores, groups, *rest),
        # A label is in the union where the highest of its scores reaches the threshold.
        "clip_union": evaluate_label_sets(truth, highest, groups, *rest),
    }


def _clips_of(cut: TestWindows) -> tuple[np.ndarray, np.ndarray]:
    """The first window of each clip, and the number of the clip that each window is of."""
    _, first, of_clip = np.unique(cut.clips, return_index=True, return_inverse=True)
    return first, of_clip


def _mean_by_clip(values: np.ndarray, of_clip: np.ndarray, num_clips: int) -> np.ndarray:
    """Mean of the rows of each clip, (n_clips, n_labels)."""
    sums = np.zeros((num_clips, values.shape[1]))
    np.add.at(sums, of_clip, values)
    return sums / np.bincount(of_clip)[:, None]


def _label_scores(truth: np.ndarray, decisions: np.ndarray, labels: Sequence[str]) -> list[LabelScores]:
    """Precision, recall and F1 of each label."""
    from sklearn.metrics import precision_recall_fscore_support

    places = np.arange(len(labels))
    measures = precision_recall_fscore_support(truth, decisions, labels=places, zero_division=0.0)
    return [LabelScores(label, *row) for label, *row in zip(labels, *(one.tolist() for one in measures), strict=True)]

"""The polyphonic sound detection score (PSDS) from frame scores, over all thresholds at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from edge_runtime.segments.segment import Segment
from metadata.plural import counted
from train.event_scores.recordings import FloatArray, Segments, joined
from train.event_scores.threshold_changes import LabelChanges, Tolerances, label_changes

_SECONDS_PER_HOUR = 3600.0
_LEAST_SECONDS = 1e-12  # of other labels, so that a rate stays finite


class FrameScoresOf(Protocol):
    """The scores of a recording: frame i stands for i * hop_seconds to (i + 1) * hop_seconds."""

    @property
    def hop_seconds(self) -> float:
        """From frame to frame."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the columns."""

    @property
    def scores(self) -> npt.NDArray[np.float32]:
        """Shape (n_frames, n_labels)."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What PSDS rewards.

    Attributes
    ----------
    tolerances : Tolerances
    cross_trigger_weight : float
        alpha_ct: what a false detection on another label costs in addition.
    instability_weight : float
        alpha_st: what the spread of the labels costs, in standard deviations.
    most_false_per_hour : float
        e_max: the score is the area up to here.
    """

    tolerances: Tolerances
    cross_trigger_weight: float
    instability_weight: float
    most_false_per_hour: float = 100.0


SCENARIO_1 = Scenario(
    tolerances=Tolerances(detection=0.7, ground_truth=0.7), cross_trigger_weight=0.0, instability_weight=1.0
)
SCENARIO_2 = Scenario(
    tolerances=Tolerances(detection=0.1, ground_truth=0.1, cross_trigger=0.3),
    cross_trigger_weight=0.5,
    instability_weight=1.0,
)
SCENARIOS = {"psds1": SCENARIO_1, "psds2": SCENARIO_2}


@dataclass(frozen=True, kw_only=True, eq=False)
class PsdsCounts:
    """What each recording adds, from which the score of any weighting of the recordings follows.

    Attributes
    ----------
    scenario : Scenario
    labels : tuple of str
    changes : tuple of LabelChanges
        One a label.
    num_events, event_seconds : np.ndarray
        float64 (n_recordings, n_labels).
    seconds : np.ndarray
        float64 (n_recordings,).
    """

    scenario: Scenario
    labels: tuple[str, ...]
    changes: tuple[LabelChanges, ...]
    num_events: FloatArray
    event_seconds: FloatArray
    seconds: FloatArray

    def score(self, weights: FloatArray | None = None) -> float:
        """Return PSDS, 0 to 1.

        Parameters
        ----------
        weights : np.ndarray, optional
            float64 (n_recordings,): how often each recording counts; once if None. A label that is not annotated in
            those that count is left out.
        """
        curves = self._curves(np.ones(len(self.seconds)) if weights is None else weights)
        if not curves:
            return float("nan")
        rates = np.unique(np.concatenate([rate for rate, _ in curves]))
        found = np.stack([share[np.searchsorted(rate, rates, side="right") - 1] for rate, share in curves])
        effective = np.maximum(found.mean(axis=0) - self.scenario.instability_weight * found.std(axis=0), 0.0)
        most = self.scenario.most_false_per_hour
        return float(effective @ np.diff(np.append(rates, most)) / most)

    def _curves(self, weights: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
        """For each label that is annotated: effective false positives an hour, rising, and true positives' share."""
        num_events, other_seconds = weights @ self.num_events, weights @ self.event_seconds
        seconds = float(weights @ self.seconds)
        curves = []
        for column in np.flatnonzero(num_events > 0):
            hits, false, crossed = self.changes[column].totals(weights)
            rate = false / seconds
            if self.scenario.cross_trigger_weight and len(self.labels) > 1:
                others = np.delete(other_seconds, column)
                rates = crossed / np.maximum(others, _LEAST_SECONDS)
                rate = rate + self.scenario.cross_trigger_weight * rates.mean(axis=1)
            curves.append(self._rising(hits / num_events[column], rate * _SECONDS_PER_HOUR))
        return curves

    def _rising(self, share: FloatArray, rate: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The best share up to each rate, as far as the score looks."""
        order = np.lexsort((share, rate))
        rate, best = rate[order], np.maximum.accumulate(share[order])
        last = np.append(rate[1:] != rate[:-1], True) & (rate <= self.scenario.most_false_per_hour)
        return rate[last], best[last]


def psds_counts(
    reference: Segments, frames: Mapping[str, FrameScoresOf], seconds: Mapping[str, float], scenario: Scenario
) -> PsdsCounts:
    """Return what PSDS is made of.

    Parameters
    ----------
    reference : mapping of str to sequence of Segment
        By recording. Events of one label that overlap or touch are taken as one.
    frames : mapping of str to FrameScoresOf
        The scores of each recording, all with the same labels.
    seconds : mapping of str to float
        The length of each recording.
    scenario : Scenario

    Raises
    ------
    ValueError
        No recording, a recording without scores or length, labels that differ, an annotated label that has no
        scores, a label that is never annotated, or scores that are not finite.

    Notes
    -----
    Bilen, Ferroni, Tuveri, Azcarreta, Krstulovic: A Framework for the Robust Evaluation of Sound Event Detection,
    ICASSP 2020; over all thresholds as Ebbers, Serizel, Haeb-Umbach: Threshold-Independent Evaluation of Sound Event
    Detection Scores, ICASSP 2022. As sed_scores_eval computes it, with times compared at 6 decimals.
    """
    labels = _checked_labels(reference, frames, seconds)
    events = [[joined(segments, label) for label in labels] for segments in reference.values()]
    num_events = np.array([[len(one) for one in row] for row in events], np.float64)
    unheard = [label for label, count in zip(labels, num_events.sum(axis=0), strict=True) if not count]
    if unheard:
        raise ValueError(f"no recording has an event of {', '.join(unheard)}; expected one at least of each label")
    grids = [frames[name] for name in reference]
    changes = tuple(
        label_changes(
            [grid.scores[:, column] for grid in grids],
            [grid.hop_seconds for grid in grids],
            [row[column] for row in events],
            [[*row[:column], *row[column + 1 :]] for row in events],
            scenario.tolerances,
        )
        for column in range(len(labels))
    )
    return PsdsCounts(
        scenario=scenario,
        labels=labels,
        changes=changes,
        num_events=num_events,
        event_seconds=np.array([[(one[:, 1] - one[:, 0]).sum() for one in row] for row in events]),
        seconds=np.array([seconds[name] for name in reference], np.float64),
    )


def _checked_labels(
    reference: Mapping[str, Sequence[Segment]], frames: Mapping[str, FrameScoresOf], seconds: Mapping[str, float]
) -> tuple[str, ...]:
    """The labels of the scores, after checking that all is there."""
    if not reference:
        raise ValueError("the reference has no recording; expected at least one")
    for name in reference:
        if name not in frames or name not in seconds:
            raise ValueError(f"{name} has no {'length' if name in frames else 'frame scores'}; expected both")
        if not np.isfinite(frames[name].scores).all():
            raise ValueError(f"the frame scores of {name} hold NaN or infinity; expected finite numbers")
    labels = frames[next(iter(reference))].labels
    differing = [name for name in reference if frames[name].labels != labels]
    if differing:
        raise ValueError(
            f"the scores of {differing[0]} have the labels {', '.join(frames[differing[0]].labels)}, others "
            f"{', '.join(labels)}; expected the same for {counted(len(reference), 'recording')}"
        )
    strange = sorted({one.label for events in reference.values() for one in events} - set(labels))
    if strange:
        raise ValueError(f"{', '.join(strange)} is annotated and has no scores; expected {', '.join(labels)}")
    return labels

"""Measures of one system with their spread over resampled recordings, and their differences between two systems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from edge_runtime.scoring.intervals import count_groups, resampled_weights, spread_of
from train.event_scores.borders import border_errors
from train.event_scores.event_based import COLLAR_SECONDS, OFFSET_SHARE, event_counts
from train.event_scores.event_counts import EventCounts
from train.event_scores.psds import SCENARIOS, FrameScoresOf, psds_counts
from train.event_scores.recordings import FloatArray, Segments, labels_of
from train.event_scores.seconds import judge_seconds
from train.event_scores.segment_based import SEGMENT_SECONDS, segment_counts
from train.event_scores.time_error import segment_error_rate, time_errors

NUM_RESAMPLES = 1_000
NUM_PSDS_RESAMPLES = 200  # a resample of PSDS takes some milliseconds a label
ALL = "all"
Key = tuple[str, str]  # measure, and label or "micro", "macro", "all"


@dataclass(frozen=True, eq=False)
class Measured:
    """A value, and what it is in each resample of the recordings; without resamples there is no interval."""

    value: float
    resampled: FloatArray

    def interval(self) -> tuple[float, float]:
        """Return the 95 % percentile interval, NaN where there is none."""
        return _ends(self.resampled)

    def above(self, other: Measured) -> tuple[float, tuple[float, float]]:
        """Return by how much this is above another system's, with the interval of the paired difference."""
        number = min(self.resampled.size, other.resampled.size)
        with np.errstate(invalid="ignore"):  # both infinite: not defined
            return self.value - other.value, _ends(self.resampled[:number] - other.resampled[:number])


@dataclass(frozen=True, kw_only=True)
class EventMeasuring:
    """How events are judged.

    Attributes
    ----------
    segment_seconds, collar_seconds, offset_share : float
        As for `segment_counts` and `event_counts`.
    seed, num_resamples, num_psds_resamples : int
        Of the bootstrap.
    """

    segment_seconds: float = SEGMENT_SECONDS
    collar_seconds: float = COLLAR_SECONDS
    offset_share: float = OFFSET_SHARE
    seed: int = 0
    num_resamples: int = NUM_RESAMPLES
    num_psds_resamples: int = NUM_PSDS_RESAMPLES

    def weights(self, groups: npt.ArrayLike) -> FloatArray:
        """Return how often each recording counts in each resample of the groups; none where there is one group."""
        if count_groups(groups) < 2:
            return np.zeros((0, len(np.asarray(groups))))
        return resampled_weights(groups, self.seed, self.num_resamples)

    def measure_events(
        self,
        reference: Segments,
        estimated: Segments,
        weights: FloatArray,
        frames: Mapping[str, FrameScoresOf] | None = None,
        seconds: Mapping[str, float] | None = None,
    ) -> dict[Key, Measured]:
        """Return segment-based and event-based measures by label, micro and macro, and PSDS where there are frames.

        Parameters
        ----------
        reference, estimated : mapping of str to sequence of Segment
        weights : np.ndarray
            Of `weights`; the same for systems that are compared.
        frames, seconds : mapping, optional
            Frame scores and length of each recording.
        """
        labels = labels_of(reference, estimated)
        counts = {
            "segment": segment_counts(reference, estimated, labels, self.segment_seconds),
            "event": event_counts(reference, estimated, labels, self.collar_seconds, self.offset_share),
        }
        found = {key: one for kind, count in counts.items() for key, one in _of_counts(kind, count, weights).items()}
        if frames is not None and seconds is not None:
            few = weights[: self.num_psds_resamples]
            for name, scenario in SCENARIOS.items():
                psds = psds_counts(reference, frames, seconds, scenario)
                found[name, ALL] = Measured(psds.score(), np.array([psds.score(one) for one in few]))
        return found

    def measure_time_stamps(
        self, reference: Segments, estimated: Segments, weights: FloatArray, seconds: Mapping[str, float] | None = None
    ) -> dict[Key, Measured]:
        """Return accuracy by second, segment error rate and border errors; parameters as for `measure_events`."""
        judged = judge_seconds(reference, estimated, seconds)
        number = len(reference)
        right = np.bincount(judged.owners, weights=judged.right, minlength=number)
        length = np.bincount(judged.owners, minlength=number).astype(np.float64)
        errors, borders = time_errors(reference, estimated), border_errors(reference, estimated, seconds)
        found = {
            ("accuracy", ALL): Measured(float(judged.right.mean()), (weights @ right) / (weights @ length)),
            ("segment_error_rate", ALL): Measured(
                float(segment_error_rate(errors)), np.asarray(segment_error_rate(errors, weights))
            ),
        }
        for name, share in (("border_error_median", 0.5), ("border_error_p95", 0.95)):
            resampled = np.array([borders.quantile(share, one) for one in weights])
            found[name, ALL] = Measured(borders.quantile(share), resampled)
        return found


def is_one_label(segments: Segments) -> bool:
    """Whether no two segments of a recording overlap: time stamps, not events that may sound together."""
    ordered = [sorted((one.onset, one.offset) for one in each) for each in segments.values()]
    return all(later[0] >= earlier[1] for each in ordered for earlier, later in pairwise(each))


def _of_counts(kind: str, counts: EventCounts, weights: FloatArray) -> dict[Key, Measured]:
    """The measures of counts, by label, micro and macro."""
    values, resampled = counts.measures(), counts.measures(weights)
    return {
        (f"{kind}_{name}", label): Measured(float(values[name][place]), resampled[name][:, place])
        for name in values
        for place, label in enumerate(counts.columns)
    }


def _ends(resampled: FloatArray) -> tuple[float, float]:
    """The ends of the interval, NaN without resamples."""
    if not resampled.size:
        return float("nan"), float("nan")
    lower, upper = spread_of(resampled)
    return float(lower), float(upper)

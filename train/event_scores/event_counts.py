"""What is counted in each recording, and precision, recall, F1 and error rate of the sums.

Axes: recordings, then labels. The columns of a measure are the labels, then "micro" and "macro".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from train.event_scores.recordings import FloatArray

AVERAGES = ("micro", "macro")
MEASURES = ("precision", "recall", "f1", "error_rate")


@dataclass(frozen=True, kw_only=True, eq=False)
class EventCounts:
    """Counts of segments or of events.

    Attributes
    ----------
    labels : tuple of str
    true_positives, estimated, reference : np.ndarray
        float64 (n_recordings, n_labels): found rightly, found at all, annotated.
    substituted, deleted, inserted : np.ndarray
        float64 (n_recordings,): of all labels together, for the micro error rate.
    """

    labels: tuple[str, ...]
    true_positives: FloatArray
    estimated: FloatArray
    reference: FloatArray
    substituted: FloatArray
    deleted: FloatArray
    inserted: FloatArray

    @property
    def columns(self) -> tuple[str, ...]:
        """What the columns of a measure stand for."""
        return (*self.labels, *AVERAGES)

    def measures(self, weights: FloatArray | None = None) -> dict[str, FloatArray]:
        """Return the measures of all recordings together.

        Parameters
        ----------
        weights : np.ndarray, optional
            float64 (n_recordings,) or (n_resamples, n_recordings): how often each counts; once if None.

        Returns
        -------
        dict of str to np.ndarray
            By `MEASURES`, float64 (n_labels + 2,) or (n_resamples, n_labels + 2). NaN where a measure is not defined:
            all where a label is neither annotated nor found; recall, F1 and error rate where it is not annotated.

        Notes
        -----
        Mesaros, Heittola, Virtanen: Metrics for Polyphonic Sound Event Detection, Applied Sciences 6(6):162, 2016.
        As sed_eval 0.2.1 computes them with `empty_system_output_handling="zero_score"`: the precision and F1 of a
        label that is annotated and never found are 0, not left out. The macro average is the mean of the labels for
        which the measure is defined. An error rate without annotation divides by zero; sed_eval gives 1e16, this NaN.
        """
        once = np.ones(len(self.reference)) if weights is None else weights
        hits, found, there = (once @ counts for counts in (self.true_positives, self.estimated, self.reference))
        errors = once @ (self.substituted + self.deleted + self.inserted)
        all_hits, all_found, all_there = (one.sum(axis=-1, keepdims=True) for one in (hits, found, there))
        by_label = _rates(hits, found, there, _share(found + there - 2 * hits, there))
        micro = _rates(all_hits, all_found, all_there, _share(errors[..., np.newaxis], all_there))
        return {
            name: np.concatenate([by_label[name], micro[name], _mean(by_label[name])], axis=-1) for name in MEASURES
        }


def _rates(hits: FloatArray, found: FloatArray, there: FloatArray, error_rate: FloatArray) -> dict[str, FloatArray]:
    """The four measures of counts of one shape."""
    precision = np.where((found == 0) & (there > 0), 0.0, _share(hits, found))
    f1 = np.where(there > 0, _share(2 * hits, found + there), np.nan)
    return {"precision": precision, "recall": _share(hits, there), "f1": f1, "error_rate": error_rate}


def _share(part: FloatArray, whole: FloatArray) -> FloatArray:
    """One over the other, NaN where the other is 0."""
    share: FloatArray = np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=whole > 0)
    return share


def _mean(values: FloatArray) -> FloatArray:
    """The mean of the labels that have a value, (..., 1); NaN where none has."""
    defined = np.isfinite(values)
    return _share(np.where(defined, values, 0.0).sum(-1, keepdims=True), defined.sum(-1, keepdims=True).astype(float))

"""Thresholds for frame scores, chosen on validation recordings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from metadata.joined_names import join_names
from train.evaluation.threshold_search import best_f1_thresholds

DEFAULT_THRESHOLD = 0.5


def choose_frame_thresholds(
    scores: np.ndarray, truth: np.ndarray, labels: Sequence[str], tell: Callable[[str], None] = print
) -> tuple[float, ...]:
    """Return for each label the threshold with which most of its frames are found, and few others: the best F1.

    Parameters
    ----------
    scores, truth : np.ndarray
        float32 (n_windows, num_frames, n_labels), of validation windows; truth is 0 or 1.
    labels : sequence of str
    tell : callable
        Called with a note where a label keeps 0.5, because none of its events is on the validation side.
    """
    frames, sounds = scores.reshape(-1, len(labels)), truth.reshape(-1, len(labels)) > 0.0
    known = np.flatnonzero(sounds.any(axis=0))
    chosen = np.full(len(labels), DEFAULT_THRESHOLD)
    if known.size:
        chosen[known] = best_f1_thresholds(frames[:, known], sounds[:, known], [labels[int(place)] for place in known])
    unknown = [label for place, label in enumerate(labels) if place not in known]
    if unknown:
        tell(
            f"no validation frame has {join_names(unknown, ', ')}: the threshold of its frames stays "
            f"{DEFAULT_THRESHOLD:g}"
        )
    return tuple(float(one) for one in chosen)

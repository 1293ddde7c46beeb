"""Parity of frame scores: levels 2 and 3 on every frame of every window, as on windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edge_runtime.parity.levels import ParityResult, recipe_parity, score_parity
from metadata.spec import ModelSpec


def frame_parity(
    reference: npt.ArrayLike,
    candidate: npt.ArrayLike,
    spec: ModelSpec,
    tolerance: Mapping[str, float] | None,
    name: str,
) -> ParityResult:
    """Compare the frame scores of a file with those of its reference; the result counts frames, not windows.

    Parameters
    ----------
    reference, candidate : array_like, shape (n_windows, num_frames * n_labels)
        Of equal windows, or of more in the reference, whose first ones are taken.
    spec : ModelSpec
        Of a model with frame scores.
    tolerance : mapping, optional
        As for `recipe_parity` (level 3). None: level 2, a largest error of 1e-5 and every frame decided alike.
    name : str

    Raises
    ------
    ValueError
        Shapes that do not fit.
    """
    found = np.asarray(candidate).reshape(-1, len(spec.labels))
    expected = np.asarray(reference)[: len(np.asarray(candidate))].reshape(-1, len(spec.labels))
    name, thresholds = f"{name}, frames", spec.frame_thresholds
    if tolerance is None:
        result = score_parity(expected, found, name, thresholds, spec.labels)
    else:
        result = recipe_parity(expected, found, None, None, tolerance, name, thresholds, spec.labels)
    return replace(result, unit="frame")

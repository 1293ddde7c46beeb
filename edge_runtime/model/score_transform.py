"""From what a model of others puts out to scores in [0, 1], as its spec says."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


def to_scores(values: FloatArray, transform: str) -> FloatArray:
    """Return the scores, float32, in the shape of the values; a softmax runs over the last axis.

    Raises
    ------
    ValueError
        Another transform than "exp", "softmax" and "sigmoid".
    """
    wide = np.asarray(values, np.float64)
    if transform == "exp":
        scores = np.exp(wide)
    elif transform == "softmax":
        powers = np.exp(wide - wide.max(axis=-1, keepdims=True))
        scores = powers / powers.sum(axis=-1, keepdims=True)
    elif transform == "sigmoid":
        scores = np.exp(-np.logaddexp(0.0, -wide))  # 1 / (1 + exp(-x)) without an overflow
    else:
        raise ValueError(f"transform is {transform!r}; expected exp, softmax or sigmoid")
    return np.asarray(scores, np.float32)

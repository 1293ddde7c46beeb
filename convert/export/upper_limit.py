"""A layer that cuts every channel at a limit of its own."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops


class UpperLimit(keras.layers.Layer):
    """Return the smaller of the input and a constant a channel, which comes last.

    Parameters
    ----------
    limit : np.ndarray
        float32 (n_channels,); infinite where a channel passes untouched.
    """

    def __init__(self, limit: np.ndarray, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Runtimes may compute a range from constants; the largest float is as good as infinity.
        self.limit = np.minimum(limit, np.finfo(np.float32).max).astype(np.float32)

    def call(self, values: Any) -> Any:
        """Return the values, cut, in the same shape."""
        return ops.minimum(values, self.limit)

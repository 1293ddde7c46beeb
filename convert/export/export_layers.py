"""A layer that cuts samples into blocks."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class SampleBlocks(keras.layers.Layer):
    """Lay samples out as steps of several channels: (batch, n_samples, 1) to (batch, num_blocks, block).

    Parameters
    ----------
    num_blocks, block : int
        Samples beyond their product are dropped, missing ones are zeros.
    """

    def __init__(self, num_blocks: int, block: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_blocks, self.block = num_blocks, block

    def call(self, samples: Any) -> Any:
        """Return the blocks."""
        length, needed = samples.shape[1], self.num_blocks * self.block
        flat = ops.reshape(samples, (-1, length))  # cutting rows of one value would copy them one by one
        if length < needed:
            flat = ops.pad(flat, ((0, 0), (0, needed - length)))
        elif length > needed:
            flat = flat[:, :needed]
        return ops.reshape(flat, (-1, self.num_blocks, self.block))

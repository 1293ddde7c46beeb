"""A running mean of a model's weights: steadier on unseen recordings than the weights of any single step."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np

MOMENTUM = 0.99  # of one training step: in the end the mean reaches back some hundred steps


class WeightAverage(keras.callbacks.Callback):
    """Keep the running mean while fitting, and let it be what validation sees.

    Batch normalization's statistics are averaged with the weights they belong to.

    Notes
    -----
    Exponential moving average, after Polyak and Juditsky 1992. After t steps the momentum is (1 + t) / (10 + t) at
    most, so that the mean reaches back over a tenth of the training and the random start is soon forgotten.
    """

    def __init__(self, mean: Sequence[np.ndarray] = (), steps: int = 0):
        super().__init__()
        self.mean = [np.asarray(weights) for weights in mean]
        self.steps = steps  # that the mean has seen
        self._trained: list[np.ndarray] | None = None

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Take one step into the mean."""
        self.steps += 1
        share = max(1.0 - MOMENTUM, 9.0 / (10.0 + self.steps))
        weights = self.model.get_weights()
        if self.steps == 1:
            self.mean = [np.array(values) for values in weights]
        for mean, values in zip(self.mean, weights, strict=True):
            mean += np.float32(share) * (values - mean)

    def on_test_begin(self, logs: dict | None = None) -> None:
        """Lay the mean into the model."""
        if self.steps:
            self._trained = self.model.get_weights()
            self.model.set_weights(self.mean)

    def on_test_end(self, logs: dict | None = None) -> None:
        """Put the trained weights back."""
        if self._trained is not None:
            self.model.set_weights(self._trained)
            self._trained = None

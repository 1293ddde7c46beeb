"""A running mean of a model's weights: steadier on unseen recordings than the weights of any single step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import keras
import numpy as np

MOMENTUM = 0.99  # of one training step: in the end the mean reaches back some hundred steps


class WeightAverage:
    """The running mean of a model's weights over its training steps.

    Batch normalization's statistics are averaged with the weights they belong to.

    Notes
    -----
    Exponential moving average, after Polyak and Juditsky 1992. After t steps the momentum is (1 + t) / (10 + t) at
    most, so that the mean reaches back over a tenth of the training and the random start is soon forgotten.
    """

    def __init__(self, mean: Sequence[np.ndarray] = (), steps: int = 0):
        self.mean = [np.asarray(weights) for weights in mean]
        self.steps = steps  # that the mean has seen

    def take(self, model: keras.Model) -> None:
        """Take one step of the model into the mean."""
        self.steps += 1
        share = max(1.0 - MOMENTUM, 9.0 / (10.0 + self.steps))
        weights = model.get_weights()
        if self.steps == 1:
            self.mean = [np.array(values) for values in weights]
        for mean, values in zip(self.mean, weights, strict=True):
            mean += np.float32(share) * (values - mean)

    @contextmanager
    def laid_into(self, model: keras.Model) -> Iterator[None]:
        """Let the model have the mean for its weights, and its own again afterwards."""
        trained = model.get_weights()
        model.set_weights(self.mean)
        try:
            yield
        finally:
            model.set_weights(trained)

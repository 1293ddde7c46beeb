"""The blocks of a backbone inside a model, the head behind them, and what of both a training may change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from train.models.transfer import FEATURES_LAYER


def backbone_blocks(model: Any) -> list[list[Any]]:
    """Return the layers with weights before the features, block by block: what their names have before the first "_".

    Parameters
    ----------
    model : keras.Model
        Of `train.models.transfer`.
    """
    blocks: dict[str, list[Any]] = {}
    for layer in model.layers:
        if layer.name == FEATURES_LAYER:
            break
        if layer.weights:
            blocks.setdefault(layer.name.partition("_")[0], []).append(layer)
    return list(blocks.values())


def head_layers(model: Any) -> list[Any]:
    """Return the layers with weights behind the features, in their order."""
    names = [layer.name for layer in model.layers]
    return [layer for layer in model.layers[names.index(FEATURES_LAYER) + 1 :] if layer.weights]


def give_head(model: Any, weights: Sequence[np.ndarray]) -> None:
    """Lay the weights of a head, layer by layer, into a model."""
    left = list(weights)
    for layer in head_layers(model):
        count = len(layer.weights)
        layer.set_weights(left[:count])
        left = left[count:]


@contextmanager
def free_blocks(model: Any, count: int) -> Iterator[None]:
    """Let a training change the last blocks of the backbone and the head, but no statistics of a normalization.

    Parameters
    ----------
    model : keras.Model
    count : int
        Blocks.
    """
    import keras

    blocks = backbone_blocks(model)
    fixed = [layer for block in blocks[: len(blocks) - count] for layer in block]
    fixed += [layer for block in blocks for layer in block if isinstance(layer, keras.layers.BatchNormalization)]
    for layer in fixed:
        layer.trainable = False
    try:
        yield
    finally:
        for layer in fixed:
            layer.trainable = True

"""A few more epochs for a network that is already trained, in tf_keras, selected on validation data.

Windows are drawn as in the training (`train.batches.training_windows`), from the training side alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from convert.compression.tf_keras_twin import Twin
from train.batches.window_rows import WindowRows
from train.settings import TrainingSettings

WINDOWS_AT_ONCE = 2_048  # are validated; whole batches of the network's and of its front end


def fine_tune(
    twin: Twin,
    network: Any,
    windows: Any,
    validation: tuple[np.ndarray | WindowRows, np.ndarray, np.ndarray],
    settings: TrainingSettings,
    *,
    callbacks: Sequence[Any] = (),
    first_kept_epoch: int = 1,
    tell: Callable[[str], None] = print,
) -> list[dict[str, float]]:
    """Train a network and leave it with the weights of its best epoch, the one of lowest validation loss.

    Parameters
    ----------
    twin : Twin
        Gives the features.
    network : tf_keras.Model
        The twin's network, or that network with its layers wrapped.
    windows : keras.utils.PyDataset
        Of the model's task.
    validation : tuple of np.ndarray
        Windows float32 (n, window_length), targets float32 (n, n_labels) and weights float32 (n,).
    settings : TrainingSettings
        Of which loss, label smoothing, learning rate and epochs count.
    callbacks : sequence of tf_keras.callbacks.Callback
    first_kept_epoch : int
        Counted from 1: epochs before it are not selected (a pruning schedule that is still under way).
    tell : callable
        Called with a line after each epoch.

    Returns
    -------
    list of dict
        One row an epoch: epoch, loss, val_loss, val_accuracy.

    Raises
    ------
    ValueError
        The loss is no longer finite.
    """
    import tf_keras

    optimizer = tf_keras.optimizers.Adam(settings.learning_rate)
    network.compile(optimizer, _loss(settings), weighted_metrics=[_accuracy(network)])
    hooks = tf_keras.callbacks.CallbackList(list(callbacks), model=network)
    hooks.on_train_begin()
    history: list[dict[str, float]] = []
    judged = _Validation(twin, *validation)
    best, kept = np.inf, None
    for epoch in range(1, settings.epochs + 1):
        loss = _one_epoch(twin, network, windows, hooks, epoch)
        val_loss, val_accuracy = judged.evaluate(network)
        if not np.isfinite([loss, val_loss]).all():
            raise ValueError(
                f"the fine-tuning of {network.name} diverged in epoch {epoch} (loss {loss}); "
                f"lower its learning rate of {settings.learning_rate:g}"
            )
        history.append({"epoch": epoch, "loss": loss, "val_loss": val_loss, "val_accuracy": val_accuracy})
        tell(f"epoch {epoch}/{settings.epochs}: loss {loss:.3f}, validation {val_loss:.3f}, {val_accuracy:.1%}")
        if epoch >= first_kept_epoch and val_loss < best:
            best, kept = val_loss, network.get_weights()
    hooks.on_train_end()
    network.set_weights(kept)
    return history


class _Validation:
    """Validation windows as a network takes them: kept where they are few, made block by block where they are many."""

    def __init__(self, twin: Twin, windows: np.ndarray | WindowRows, targets: np.ndarray, weights: np.ndarray):
        self._twin, self._windows, self._targets, self._weights = twin, windows, targets, weights
        firsts = range(0, len(windows), WINDOWS_AT_ONCE)
        self._blocks = [slice(first, first + WINDOWS_AT_ONCE) for first in firsts]
        self._kept = twin.features(windows[:]) if len(self._blocks) == 1 else None

    def evaluate(self, network: Any) -> tuple[float, float]:
        """Return loss and accuracy over all windows."""
        found = np.array([self._of_block(network, block) for block in self._blocks], np.float64)
        if len(found) == 1:
            return float(found[0, 0]), float(found[0, 1])
        counts = [len(self._weights[block]) for block in self._blocks]  # a loss is a mean over windows,
        weights = [self._weights[block].sum() for block in self._blocks]  # an accuracy one over their weights
        return float(np.average(found[:, 0], weights=counts)), float(np.average(found[:, 1], weights=weights))

    def _of_block(self, network: Any, block: slice) -> Sequence[float]:
        features = self._twin.features(self._windows[block]) if self._kept is None else self._kept
        found: Sequence[float] = network.evaluate(
            features, self._targets[block], sample_weight=self._weights[block], verbose=0
        )
        return found


def _one_epoch(twin: Twin, network: Any, windows: Any, hooks: Any, epoch: int) -> float:
    """Train on every batch once; return the mean loss."""
    hooks.on_epoch_begin(epoch - 1)
    losses = []
    for number in range(len(windows)):
        heard, targets = windows[number]
        hooks.on_train_batch_begin(number)
        losses.append(network.train_on_batch(twin.features(heard), targets)[0])
        hooks.on_train_batch_end(number)
    windows.on_epoch_end()
    hooks.on_epoch_end(epoch - 1)
    return float(np.mean(losses))


def _accuracy(network: Any) -> Any:
    """Return the metric of right decisions: of the highest score, or of the whole set of labels from 0.5 on."""
    import tensorflow as tf
    import tf_keras

    if network.layers[-1].get_config().get("activation") != "sigmoid":
        return "accuracy"

    def exact_match(truth: Any, scores: Any) -> Any:
        return tf.cast(tf.reduce_all((scores >= 0.5) == (truth >= 0.5), axis=-1), tf.float32)

    return tf_keras.metrics.MeanMetricWrapper(exact_match, name="accuracy")


def _loss(settings: TrainingSettings) -> Any:
    """Return the loss that the model was trained with."""
    import tf_keras

    return {
        "categorical_crossentropy": tf_keras.losses.CategoricalCrossentropy(label_smoothing=settings.label_smoothing),
        "mean_squared_logarithmic_error": tf_keras.losses.MeanSquaredLogarithmicError(),
        "binary_crossentropy": tf_keras.losses.BinaryCrossentropy(),
    }[settings.loss]

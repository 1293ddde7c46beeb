"""A few more epochs for a network that is already trained, in tf_keras, selected on validation data.

Windows are drawn as in the training (`train.training_windows`), from the training side alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from convert.twin import Twin
from train.settings import TrainingSettings


def fine_tune(
    twin: Twin,
    network: Any,
    windows: Any,
    validation: tuple[np.ndarray, np.ndarray, np.ndarray],
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
        Features (n, ...), targets float32 (n, n_labels) and weights float32 (n,).
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
    best, kept = np.inf, None
    for epoch in range(1, settings.epochs + 1):
        loss = _one_epoch(twin, network, windows, hooks, epoch)
        val_loss, val_accuracy = network.evaluate(*validation[:2], sample_weight=validation[2], verbose=0)
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

"""Fit a Keras model: progress, mean weights, early stopping on validation data, resume after an interrupt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np

from train.exact_match import ExactMatchStop, exact_match, has_passed
from train.progress import progress_bar
from train.settings import TrainingSettings
from train.training_state import (
    HISTORY_COLUMNS,
    kept_epoch,
    load_best,
    read_history,
    restore_state,
    save_best,
    save_state,
)
from train.weight_average import WeightAverage


def compile_model(model: keras.Model, settings: TrainingSettings, steps_per_epoch: int) -> None:
    """Compile the model with the loss and the optimizer of the settings."""
    rate: Any = settings.learning_rate
    if settings.cosine_decay:
        rate = keras.optimizers.schedules.CosineDecay(rate, settings.epochs * steps_per_epoch, alpha=0.01)
    kinds = {"adam": keras.optimizers.Adam, "adadelta": keras.optimizers.Adadelta}
    optimizer = kinds[settings.optimizer](rate, weight_decay=settings.weight_decay or None)
    losses = {
        "categorical_crossentropy": keras.losses.CategoricalCrossentropy(label_smoothing=settings.label_smoothing),
        "mean_squared_logarithmic_error": keras.losses.MeanSquaredLogarithmicError(),
        "binary_crossentropy": keras.losses.BinaryCrossentropy(),
    }
    several = model.layers[-1].activation is keras.activations.sigmoid
    accuracy = keras.metrics.MeanMetricWrapper(exact_match, name="accuracy") if several else "accuracy"
    model.compile(optimizer, losses[settings.loss], weighted_metrics=[accuracy])


def fit(
    model: keras.Model,
    windows: keras.utils.PyDataset,
    validation: tuple[np.ndarray, np.ndarray, np.ndarray],
    settings: TrainingSettings,
    folder: Path,
    name: str,
) -> list[dict[str, float]]:
    """Train a compiled model from where `folder` says it stands, and leave it with its best weights.

    What is validated and kept is the running mean of the weights (`train.weight_average`).

    Parameters
    ----------
    model : keras.Model
        Compiled; where epochs are finished in `folder` it takes over their state.
    windows : keras.utils.PyDataset
        Of the task (`train.task`), begun at the epoch that `finished_epochs(folder)` says.
    validation : tuple of np.ndarray
        Windows float32 (n, window_length), targets float32 (n, n_labels), weights float32 (n,).
    settings : TrainingSettings
    folder : Path
        Run folder, must exist.
    name : str
        Shown in the progress bar.

    Returns
    -------
    list of dict
        The history, one row an epoch with the keys of `HISTORY_COLUMNS`.

    Raises
    ------
    ValueError
        The loss is no longer finite.
    """
    history = read_history(folder)
    average = restore_state(model, folder, len(history)) if history else WeightAverage()
    keeper = _EpochKeeper(folder, history, settings, name, average)
    callbacks: list[keras.callbacks.Callback] = [average, keeper]
    if settings.stop_exact_match:
        # Before the keeper: an epoch is finished when its history is written, and all must have been judged by then.
        callbacks.insert(1, ExactMatchStop(*validation[:2], settings.stop_exact_match, average, folder))
    try:
        if not keeper.is_over() and not has_passed(folder, settings.stop_exact_match):
            model.fit(
                windows,
                validation_data=validation,
                validation_batch_size=settings.batch_size,
                initial_epoch=len(history),
                epochs=settings.epochs,
                shuffle=False,  # the windows are drawn in random order already
                verbose=0,
                callbacks=callbacks,
            )
    finally:
        keeper.close()
    load_best(model, folder)
    return keeper.history


class _EpochKeeper(keras.callbacks.Callback):
    """After each epoch: one line of history, the state to resume from, the best weights, the decision to stop."""

    def __init__(
        self,
        folder: Path,
        history: list[dict[str, float]],
        settings: TrainingSettings,
        name: str,
        average: WeightAverage,
    ):
        super().__init__()
        self._folder, self.history, self._settings = folder, history, settings
        self._name, self._average = name, average
        self._bar = progress_bar(settings.epochs, name, "epoch", len(history))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = logs or {}
        if not np.isfinite(logs["loss"]) or not np.isfinite(logs["val_loss"]):
            raise ValueError(
                f"the training of {self._name} diverged in epoch {epoch + 1} (loss {logs['loss']}); "
                "lower --learning-rate"
            )
        rate = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        row = {"epoch": epoch + 1, **{key: float(logs[key]) for key in HISTORY_COLUMNS[1:5]}, "learning_rate": rate}
        self.history.append(row)
        if kept_epoch(self.history) == epoch + 1:
            save_best(self._average.mean, self._folder)
        save_state(self.model, self._average, self.history, self._folder)
        self._bar.set_postfix(
            loss=f"{row['loss']:.3f}", val_accuracy=f"{row['val_accuracy']:.3f}", val_loss=f"{row['val_loss']:.3f}"
        )
        self._bar.update()
        if self.is_over():
            self.model.stop_training = True

    def is_over(self) -> bool:
        """Whether all epochs are done, or patience has run out."""
        if not self.history:
            return False
        losses = [row["val_loss"] for row in self.history]
        since_best = len(losses) - 1 - int(np.argmin(losses))
        return len(losses) >= self._settings.epochs or since_best >= self._settings.patience

    def close(self) -> None:
        """End the progress bar."""
        self._bar.close()

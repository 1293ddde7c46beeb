"""Fit a Keras model: progress, early stopping on validation data, the best weights kept, resume after an interrupt.

While it trains, the run folder holds `last.keras` (weights, optimizer and dropout state of the last finished epoch),
`best.weights.h5` and `history.csv`. A training that is resumed from them gives the same weights as one never stopped.
"""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import keras
import numpy as np

from metadata.atomic_file import write_atomically
from train.progress import progress_bar
from train.settings import TrainingSettings
from train.training_windows import TrainingWindows

LAST_FILE_NAME = "last.keras"
BEST_FILE_NAME = "best.weights.h5"
HISTORY_FILE_NAME = "history.csv"
SETTINGS_FILE_NAME = "training.json"
HISTORY_COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")


def prepare_backend(seed: int) -> None:
    """Seed Python, NumPy and the backend, so that two runs on one machine are equal."""
    os.environ.setdefault("TF_DETERMINISTIC_OPS", "1")
    keras.utils.set_random_seed(seed)


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
    model.compile(optimizer, losses[settings.loss], metrics=["accuracy"])


def fit(
    model: keras.Model,
    windows: TrainingWindows,
    validation: tuple[np.ndarray, np.ndarray],
    settings: TrainingSettings,
    folder: Path,
    name: str,
) -> list[dict[str, float]]:
    """Train a compiled model from where `folder` says it stands, and leave it with its best weights.

    Parameters
    ----------
    model : keras.Model
        Compiled; where `last.keras` exists its weights and its optimizer's state are replaced by those.
    windows : TrainingWindows
        Begun at the epoch that `finished_epochs(folder)` says.
    validation : tuple of np.ndarray
        Windows float32 (n, window_length) and one-hot targets float32 (n, n_labels).
    settings : TrainingSettings
    folder : Path
        Run folder, must exist.
    name : str
        Shown in the progress bar.

    Returns
    -------
    list of dict
        The history, one row an epoch with the keys of `HISTORY_COLUMNS`.
    """
    history = read_history(folder)
    if history:
        restore(model, folder / LAST_FILE_NAME)
    keeper = _EpochKeeper(folder, history, settings, name)
    if not keeper.is_over():
        # Keras draws the dropout seeds from state inside the model; nothing else is random while fitting.
        model.fit(
            windows,
            validation_data=validation,
            validation_batch_size=settings.batch_size,
            initial_epoch=len(history),
            epochs=settings.epochs,
            shuffle=False,
            verbose=0,
            callbacks=[keeper],
        )
    keeper.close()
    model.load_weights(folder / BEST_FILE_NAME)
    return keeper.history


def restore(model: keras.Model, path: Path) -> None:
    """Give the model the weights, the optimizer state and the dropout state of a saved copy of itself."""
    saved = keras.saving.load_model(path)
    model.optimizer.build(model.trainable_variables)
    for ours, theirs in zip(model.variables, saved.variables, strict=True):
        ours.assign(theirs)
    for ours, theirs in zip(model.optimizer.variables, saved.optimizer.variables, strict=True):
        ours.assign(theirs)
    for ours, theirs in zip(_seed_states(model), _seed_states(saved), strict=True):
        ours.assign(theirs)


def finished_epochs(folder: Path) -> int:
    """Return how many epochs the run in this folder has finished."""
    return len(read_history(folder))


def read_history(folder: Path) -> list[dict[str, float]]:
    """Return the rows of `history.csv`, none if there is no such file or nothing to go on from."""
    path = folder / HISTORY_FILE_NAME
    if not path.is_file() or not (folder / LAST_FILE_NAME).is_file():
        return []
    with path.open(newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def check_same_settings(folder: Path, settings: dict[str, Any]) -> None:
    """Record the settings of a run, or refuse to resume one that was begun with others."""
    path = folder / SETTINGS_FILE_NAME
    if path.is_file():
        recorded = json.loads(path.read_text())
        changed = sorted(key for key in {*recorded, *settings} if recorded.get(key) != settings.get(key))
        if changed:
            raise ValueError(
                f"{folder} was begun with other settings: "
                + ", ".join(f"{key} {recorded.get(key)!r}, now {settings.get(key)!r}" for key in changed)
                + "; resume with the same, or start again with --force"
            )
    write_atomically(path, (json.dumps(settings, indent=2, sort_keys=True) + "\n").encode())


class _EpochKeeper(keras.callbacks.Callback):
    """After each epoch: one line of history, the state to resume from, the best weights, the decision to stop."""

    def __init__(self, folder: Path, history: list[dict[str, float]], settings: TrainingSettings, name: str):
        super().__init__()
        self._folder, self.history, self._settings = folder, history, settings
        self._name = name
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
        best = min((earlier["val_loss"] for earlier in self.history), default=np.inf)
        self.history.append(row)
        if row["val_loss"] < best:
            self._keep_weights()
        self._keep_state()
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
        return len(losses) >= self._settings.epochs or len(losses) - 1 - int(np.argmin(losses)) >= (
            self._settings.patience
        )

    def close(self) -> None:
        """End the progress bar."""
        self._bar.close()

    def _keep_weights(self) -> None:
        part = self._folder / f"part-{BEST_FILE_NAME}"
        self.model.save_weights(part)
        os.replace(part, self._folder / BEST_FILE_NAME)

    def _keep_state(self) -> None:
        """Save the model, then the history: an interrupt in between repeats one epoch and loses none."""
        part = self._folder / f"part-{LAST_FILE_NAME}"
        self.model.save(part)
        os.replace(part, self._folder / LAST_FILE_NAME)
        text = io.StringIO()
        writer = csv.DictWriter(text, HISTORY_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.history)
        write_atomically(self._folder / HISTORY_FILE_NAME, text.getvalue().encode())


def _seed_states(model: keras.Model) -> list[Any]:
    """The random states of the dropout layers."""
    return [layer.seed_generator.state for layer in model.layers if hasattr(layer, "seed_generator")]

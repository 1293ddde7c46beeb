"""Fit a Keras model: progress, mean weights, early stopping on validation data, resume after an interrupt."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import keras
import numpy as np

from edge_runtime.stop_request import StopRequest
from train.batches.window_rows import WindowRows
from train.evaluation.kept_epoch import kept_epoch
from train.evaluation.predict import predict_outputs
from train.fitting.backend import has_accelerator
from train.fitting.exact_match_stop import ExactMatchStop, exact_match, has_passed
from train.fitting.training_state import (
    load_best,
    read_history,
    restore_state,
    save_best,
    save_state,
)
from train.fitting.weight_average import WeightAverage
from train.progress import progress_bar
from train.settings import TrainingSettings
from train.tasks.auxiliary_outputs import Learner

NOT_VALIDATED = {"val_loss": float("nan"), "val_accuracy": float("nan")}


def compile_model(
    model: keras.Model, settings: TrainingSettings, steps_per_epoch: int, learner: Learner | None = None
) -> None:
    """Compile the model with the loss and the optimizer of the settings, and what learns more than its scores."""
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
    label_sets = has_label_sets(model)
    accuracy = keras.metrics.MeanMetricWrapper(exact_match, name="accuracy") if label_sets else "accuracy"
    model.compile(optimizer, losses[settings.loss], weighted_metrics=[accuracy])
    if learner is not None and learner.model is not model:
        learner.model.compile(
            optimizer,
            [losses[settings.loss], *(keras.losses.BinaryCrossentropy() for _ in learner.weights)],
            loss_weights=[1.0, *learner.weights],
            weighted_metrics=[[accuracy], *([] for _ in learner.weights)],
        )


def fit(
    model: keras.Model,
    windows: keras.utils.PyDataset,
    validation: tuple[np.ndarray | WindowRows, np.ndarray, np.ndarray] | None,
    settings: TrainingSettings,
    folder: Path,
    name: str,
    learner: keras.Model | None = None,
    frame_targets: np.ndarray | None = None,
    seen: Callable[[int, np.ndarray], None] | None = None,
) -> list[dict[str, float]]:
    """Train a compiled model from where `folder` says it stands, and leave it with its best weights.

    What is validated and kept is the running mean of the weights (`train.fitting.weight_average`).

    Parameters
    ----------
    model : keras.Model
        Compiled; where epochs are finished in `folder` it takes over their state.
    windows : keras.utils.PyDataset
        Of the task (`train.tasks.task`), begun at the epoch that `finished_epochs(folder)` says.
    validation : tuple of np.ndarray, or None
        Windows float32 (n, window_length), targets float32 (n, n_labels), weights float32 (n,). Without them nothing
        ends the training early, and the last weights are kept.
    settings : TrainingSettings
    folder : Path
        Run folder, must exist.
    name : str
        Shown in the progress bar.
    learner : keras.Model, optional
        Compiled; what is trained: the model with further outputs (`train.tasks.auxiliary_outputs`), by default the
        model alone.
    frame_targets : np.ndarray, optional
        float32 (n, n_frames * n_labels), what the frame scores of the validation windows should be. Their loss, with
        its weight in the training, is then part of "val_loss".
    seen : callable, optional
        Called after each epoch with its number, from 1, and the scores of the validation windows.

    Returns
    -------
    list of dict
        The history, one row an epoch with the keys of `HISTORY_COLUMNS`.

    Raises
    ------
    ValueError
        The loss is no longer finite.
    KeyboardInterrupt
        Ctrl-C or a polite kill, noticed between two batches.
    """
    learner = model if learner is None else learner
    history = read_history(folder)
    average = restore_state(learner, folder, len(history)) if history else WeightAverage()
    share = settings.stop_exact_match
    judge = ExactMatchStop(validation[1], share, folder) if share and validation else None
    passed = has_passed(folder, share)
    bar = progress_bar(settings.epochs, name, "epoch", len(history))
    with closing(bar), StopRequest() as stop:
        while not passed and not _is_over(history, settings):
            epoch = len(history) + 1
            trained = train_epoch(learner, windows, average, stop)
            scores, validated = np.empty(0), dict(NOT_VALIDATED)
            if validation is not None:
                with average.laid_into(learner):
                    scores, *frames = predict_outputs(model, validation[0], settings.batch_size)
                validated = validate(model, scores, *validation[1:])
                if frame_targets is not None:
                    validated["val_loss"] += settings.activity_weight * binary_loss(frame_targets, frames[0])
            if not np.isfinite([trained["loss"], *([validated["val_loss"]] if validation else [])]).all():
                raise ValueError(
                    f"the training of {name} diverged in epoch {epoch} (loss {trained['loss']}); lower --learning-rate"
                )
            passed = judge is not None and judge.passes(scores, epoch)
            if seen is not None:
                seen(epoch, scores)
            rate = float(keras.ops.convert_to_numpy(learner.optimizer.learning_rate))
            history.append({"epoch": epoch, **trained, **validated, "learning_rate": rate})
            _keep(learner, average, history, folder)
            bar.set_postfix({key: f"{history[-1][key]:.3f}" for key in ("loss", "val_accuracy", "val_loss")})
            bar.update()
    load_best(learner, folder)
    return history


def train_epoch(
    model: keras.Model, windows: keras.utils.PyDataset, average: WeightAverage, stop: StopRequest | None = None
) -> dict[str, float]:
    """Train a compiled model on every batch once, and go on to the windows of the next epoch.

    Parameters
    ----------
    model : keras.Model
    windows : keras.utils.PyDataset
        Batches of one size.
    average : WeightAverage
        Takes the weights of every step.
    stop : StopRequest, optional
        Asked after every batch.

    Returns
    -------
    dict
        Mean "loss" and "accuracy" of the batches, each as it was before its step; of the scores where there are
        further outputs.

    Notes
    -----
    Keras' own `fit` takes the batches from a thread by way of `tf.data`. Where the cores that compute are also those
    that mix, that costs a sixth of the speed against one batch after the other (`benchmarks/mixing.py`).
    """
    steps = []
    with closing(_batches(windows, _threads_beside())) as batches:
        for batch in batches:
            steps.append(model.train_on_batch(*batch, return_dict=True))
            average.take(model)
            if stop is not None:
                stop.check()
    windows.on_epoch_end()
    of_scores = f"{model.output_names[0]}_" if len(model.outputs) > 1 else ""
    return {name: float(np.mean([step[of_scores + name] for step in steps])) for name in ("loss", "accuracy")}


def _threads_beside() -> int:
    """How many threads make windows while the model trains: none where both would share the processor."""
    return (os.cpu_count() or 1) if has_accelerator() else 0


def _batches(windows: keras.utils.PyDataset, num_threads: int) -> Generator[tuple[np.ndarray, ...], None, None]:
    """The batches in their order, as many made ahead as there are threads."""
    if not num_threads:
        yield from (windows[number] for number in range(len(windows)))
        return
    with ThreadPoolExecutor(num_threads) as pool:
        waiting: deque[Future[tuple[np.ndarray, ...]]] = deque()
        try:
            for number in range(len(windows)):
                waiting.append(pool.submit(windows.__getitem__, number))
                if len(waiting) > num_threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def validate(model: keras.Model, scores: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """Return what a compiled model is judged by, as its `evaluate` would but for the rounding of scores near 0 and 1.

    Parameters
    ----------
    model : keras.Model
    scores, targets : np.ndarray
        float32 (n, n_labels).
    weights : np.ndarray
        float32 (n,).

    Returns
    -------
    dict
        "val_loss" and "val_accuracy".
    """
    loss = keras.ops.convert_to_numpy(model.loss(targets, scores, sample_weight=weights))
    right = exact_match(targets, scores) if has_label_sets(model) else targets.argmax(axis=1) == scores.argmax(axis=1)
    accuracy = np.average(keras.ops.convert_to_numpy(right), weights=weights)
    return {"val_loss": float(loss), "val_accuracy": float(accuracy)}


def binary_loss(targets: np.ndarray, scores: np.ndarray) -> float:
    """Return the mean binary cross-entropy of scores in [0, 1], both float32 of one shape."""
    return float(np.mean(keras.ops.convert_to_numpy(keras.losses.binary_crossentropy(targets, scores))))


def has_label_sets(model: keras.Model) -> bool:
    """Whether a model tells a set of labels, by the activation that it ends with."""
    last = model.layers[-1] if len(model.outputs) == 1 else model.get_layer(model.output_names[0])
    return last.activation is keras.activations.sigmoid


def _keep(model: keras.Model, average: WeightAverage, history: Sequence[dict[str, float]], folder: Path) -> None:
    """Keep the weights if they are the best so far, and the state to resume from."""
    if kept_epoch(history) == len(history):
        save_best(average.mean, folder)
    save_state(model, average, history, folder)


def _is_over(history: Sequence[dict[str, float]], settings: TrainingSettings) -> bool:
    """Whether all epochs are done, or patience has run out."""
    if not history:
        return False
    since_best = len(history) - 1 - int(np.argmin([row["val_loss"] for row in history]))
    return len(history) >= settings.epochs or since_best >= settings.patience

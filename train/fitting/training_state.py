"""What a training leaves in its run folder after every epoch, so that it can be stopped anywhere and goes on equal.

`history.csv` says how many epochs N are finished; `epoch-N.keras` holds weights and optimizer after the last of them,
`epoch-N.npz` the mean of the weights and the random state of the dropout layers, `best.npz` the weights to be kept.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from metadata.atomic_file import write_atomically
from metadata.plural import counted
from train.fitting.weight_average import WeightAverage
from train.progress import note
from train.settings import TrainingSettings

HISTORY_FILE_NAME = "history.csv"
SETTINGS_FILE_NAME = "training.json"
BEST_FILE_NAME = "best.npz"
INNER_FOLDER = "inner-folds"  # of trainings that a choice needs
HISTORY_COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")


def read_history(folder: Path) -> list[dict[str, float]]:
    """Return one row an epoch, none if none is finished."""
    path = folder / HISTORY_FILE_NAME
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]


def write_history(history: Sequence[dict[str, float]], folder: Path) -> None:
    """Write one row an epoch."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HISTORY_COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    write_atomically(folder / HISTORY_FILE_NAME, text.getvalue().encode())


def finished_epochs(folder: Path) -> int:
    """Return how many epochs the run in this folder has finished."""
    return len(read_history(folder))


def check_same_settings(folder: Path, settings: dict[str, Any]) -> None:
    """Record the settings of a run, or refuse to resume one that was begun with others.

    Where no epoch is finished nothing is lost by other settings, and a note says which they are.
    """
    path = folder / SETTINGS_FILE_NAME
    if path.is_file():
        # A setting that an older run does not record came later, and the default of all models leaves it off.
        later = {name: value for name, value in TrainingSettings().as_dict().items() if name in settings}
        recorded = {**later, **json.loads(path.read_text())}
        changed = sorted(key for key in {*recorded, *settings} if recorded.get(key) != settings.get(key))
        listed = ", ".join(f"{key} {recorded.get(key)!r}, now {settings.get(key)!r}" for key in changed)
        if changed and (finished_epochs(folder) or "data_sha256" in changed):
            raise ValueError(
                f"{folder} was begun with other settings: {listed}; resume with the same, or start again with --force"
            )
        if changed:
            note(f"{folder} has no finished epoch: its training begins with other settings: {listed}")
    write_atomically(path, (json.dumps(settings, indent=2, sort_keys=True) + "\n").encode())


def save_state(model: keras.Model, average: WeightAverage, history: Sequence[dict[str, float]], folder: Path) -> None:
    """Save everything, the history last: an interrupt before it leaves the epoch before as the last finished one."""
    epoch = len(history)
    saved, state = _state_files(folder, epoch)
    model.save(saved)
    _write_arrays(state, average.mean, [keras.ops.convert_to_numpy(seed) for seed in _seeds(model)], average.steps)
    write_history(history, folder)
    for stale in _state_files(folder, epoch - 1):
        stale.unlink(missing_ok=True)


def restore_state(model: keras.Model, folder: Path, epoch: int) -> WeightAverage:
    """Give a compiled model its state after this many epochs, and return the mean of its weights.

    Raises
    ------
    FileNotFoundError
        The state is not there.
    ValueError
        It is that of a network of another form.
    """
    saved_path, state_path = _state_files(folder, epoch)
    if not saved_path.is_file() or not state_path.is_file():
        raise FileNotFoundError(
            f"{folder} says {counted(epoch, 'epoch is', 'epochs are')} finished, but {saved_path.name} is not there; "
            "start again with --force"
        )
    saved = keras.saving.load_model(saved_path)
    theirs, ours = ([values.shape for values in one.get_weights()] for one in (saved, model))
    if theirs != ours:
        raise ValueError(
            f"{saved_path} holds a network of another form ({counted(len(theirs), 'array')} of weights, "
            f"{saved.count_params():,} "
            f"parameters; this version builds {len(ours)}, {model.count_params():,}); finish it with the version of "
            "earproof that began it, or start again with --force"
        )
    model.set_weights(saved.get_weights())
    model.optimizer.build(model.trainable_variables)
    for ours, theirs in zip(model.optimizer.variables, saved.optimizer.variables, strict=True):
        ours.assign(theirs)
    with np.load(state_path) as arrays:
        mean = [arrays[f"mean_{place}"] for place in range(len(saved.get_weights()))]
        # Keras does not save these, and without them a resumed training would drop other units.
        for place, seed in enumerate(_seeds(model)):
            seed.assign(arrays[f"seed_{place}"])
        return WeightAverage(mean, int(arrays["steps"]))


def save_best(weights: Sequence[np.ndarray], folder: Path) -> None:
    """Keep weights as the best so far."""
    _write_arrays(folder / BEST_FILE_NAME, weights)


def load_best(model: keras.Model, folder: Path) -> None:
    """Lay the best weights into the model."""
    with np.load(folder / BEST_FILE_NAME) as arrays:
        model.set_weights([arrays[f"mean_{place}"] for place in range(len(model.get_weights()))])


def remove_state(folder: Path) -> None:
    """Remove what only an unfinished training needs."""
    for pattern in ("epoch-*.keras", "epoch-*.npz", BEST_FILE_NAME):
        for path in folder.glob(pattern):
            path.unlink()
    if (folder / INNER_FOLDER).is_dir():
        shutil.rmtree(folder / INNER_FOLDER)


def _state_files(folder: Path, epoch: int) -> tuple[Path, Path]:
    """Where the state after this many epochs is kept."""
    return folder / f"epoch-{epoch}.keras", folder / f"epoch-{epoch}.npz"


def _write_arrays(path: Path, weights: Sequence[np.ndarray], seeds: Sequence[np.ndarray] = (), steps: int = 0) -> None:
    """Write weights and random states as .npz."""
    named: dict[str, Any] = {f"mean_{place}": values for place, values in enumerate(weights)}
    named |= {f"seed_{place}": values for place, values in enumerate(seeds)}
    content = io.BytesIO()
    np.savez(content, steps=np.array(steps), **named)
    write_atomically(path, content.getbuffer())


def _seeds(model: keras.Model) -> list[Any]:
    """The random states of the dropout layers."""
    return [layer.seed_generator.state for layer in model.layers if hasattr(layer, "seed_generator")]

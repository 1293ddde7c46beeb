"""How many label sets are exactly right: the metric of a training, and the published rule to end it.

Scores are float (n_windows, n_labels), truth bool of the same shape.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import keras
import numpy as np

from metadata.atomic_file import write_atomically
from train.evaluation.thresholds import sweep_common_threshold
from train.layers.saved_names import saved_by_name

EXACT_MATCH_FILE_NAME = "exact_match.csv"
COLUMNS = ("epoch", "single_threshold", "single", "mixed_threshold", "mixed")


@saved_by_name
def exact_match(truth: Any, scores: Any) -> Any:
    """Return 1.0 for each window whose set of labels at the threshold 0.5 is exactly right (a Keras metric)."""
    agree = keras.ops.equal(keras.ops.greater_equal(scores, 0.5), keras.ops.greater_equal(truth, 0.5))
    return keras.ops.cast(keras.ops.all(agree, axis=-1), "float32")


class ExactMatchStop:
    """After each epoch: the exact match of single sounds and of mixtures, each at its best common threshold.

    The training ends when both pass a share. The figures go to `exact_match.csv` in the run folder.

    Parameters
    ----------
    targets : np.ndarray
        float32 (n, n_labels), of validation windows of one source and of several.
    share : float
        What both have to pass.
    folder : Path
    """

    def __init__(self, targets: np.ndarray, share: float, folder: Path):
        self._truth = targets >= 0.5
        self._share, self._path = share, folder / EXACT_MATCH_FILE_NAME
        self._sets = {"single": self._truth.sum(axis=1) == 1, "mixed": self._truth.sum(axis=1) > 1}

    def passes(self, scores: np.ndarray, epoch: int) -> bool:
        """Judge the scores after an epoch, counted from 1: whether both shares pass."""
        row: dict[str, float] = {"epoch": epoch}
        for name, chosen in self._sets.items():
            if chosen.any():
                swept = sweep_common_threshold(scores[chosen], self._truth[chosen])
                row[f"{name}_threshold"], row[name] = swept.threshold, swept.exact_match
        self._write(row)
        return all(row.get(name, 1.0) > self._share for name in self._sets)

    def _write(self, row: dict[str, float]) -> None:
        """Add a row to the file, replacing what an interrupted run wrote of the same epoch."""
        earlier = []
        if self._path.is_file():
            with self._path.open(newline="") as file:
                earlier = [old for old in csv.DictReader(file) if int(old["epoch"]) < row["epoch"]]
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows([*earlier, {name: f"{value:.4g}" for name, value in row.items()}])
        write_atomically(self._path, text.getvalue().encode())


def has_passed(folder: Path, share: float) -> bool:
    """Whether the last judged epoch of a run passed the share, so that a resumed training has nothing to do."""
    path = folder / EXACT_MATCH_FILE_NAME
    if not share or not path.is_file():
        return False
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return bool(rows) and all(float(rows[-1][name] or 1.0) > share for name in ("single", "mixed"))

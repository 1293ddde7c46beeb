"""A training that begins where another one ended: weights of the same layers, no recording on the wrong side."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from metadata.csv_rows import read_rows
from metadata.plural import counted
from train.recordings.clip_index import ClipIndex
from train.recordings.split import LeakError


def start_weights_sha256(model_file: Path) -> str:
    """Return the SHA-256 of a trained model's file, by which a run records what it began with."""
    if not model_file.is_file():
        raise FileNotFoundError(f"{model_file} is not there; --weights-from takes the folder of a finished training")
    return hashlib.sha256(model_file.read_bytes()).hexdigest()


def check_start_split(split_file: Path, index: ClipIndex) -> None:
    """Raise LeakError where the earlier training used, or was stopped by, what is held out for testing here.

    Parameters
    ----------
    split_file : Path
        `split.csv` of the earlier run.
    index : ClipIndex
        Of the new run, every clip on a side.
    """
    _, rows = read_rows(split_file)
    heard = {row.values["group"] for row in rows if row.values["split"] == "train"}
    chosen_by = {row.values["group"] for row in rows if row.values["split"] == "val"}
    held_out = {split: {clip.group for clip in index.of_split(split)} for split in ("val", "test")}
    shared = sorted((heard & (held_out["val"] | held_out["test"])) | (chosen_by & held_out["test"]))
    if shared:
        raise LeakError(
            f"{counted(len(shared), 'group that is', 'groups that are')} held out here shaped the weights of "
            f"{split_file.parent}: "
            f"{', '.join(shared[:5])}; begin with a training on the same split"
        )


def take_weights(model: Any, earlier: Any) -> list[str]:
    """Give a model the weights of every layer that the earlier one has by the same name and in the same shapes.

    Returns
    -------
    list of str
        Names of the layers with weights that keep their own, such as an output for other labels.

    Raises
    ------
    ValueError
        No layer fits.
    """
    theirs = {layer.name: layer.get_weights() for layer in earlier.layers}
    kept, taken = [], 0
    for layer in model.layers:
        ours = layer.get_weights()
        found = theirs.get(layer.name, [])
        if ours and [np.shape(values) for values in ours] == [np.shape(values) for values in found]:
            layer.set_weights(found)
            taken += 1
        elif ours:
            kept.append(layer.name)
    if not taken:
        raise ValueError(f"no layer of {earlier.name} fits {model.name}; begin with a training of the same model")
    return kept

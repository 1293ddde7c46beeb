"""One builder a system, found by name; nothing is imported before it is asked for."""

from __future__ import annotations

import importlib
from types import ModuleType

from metadata.nearest_name import did_you_mean

ONE_LABEL_NAMES = ("waveform_cnn", "mel_cnn")  # what `earproof build` makes of a folder of labels
MODEL_NAMES = (*ONE_LABEL_NAMES, "isocc", "source_counter", "mixed_cnn")


def model_module(name: str) -> ModuleType:
    """Return the module of a model: NAME, VARIANTS, DEFAULT, PUBLISHED, task, window_length, front_end and build.

    PUBLISHED is None where there are no published settings; `auxiliary` is there where a model can learn
    labels, and when they sound, beside its scores.

    Raises
    ------
    ValueError
        No model of this name; the nearest one is offered.
    """
    if name not in MODEL_NAMES:
        hint = did_you_mean(name, MODEL_NAMES)
        raise ValueError(f"there is no model {name!r}; expected {' or '.join(MODEL_NAMES)}{hint}")
    return importlib.import_module(f"train.models.{name}")

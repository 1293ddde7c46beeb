"""One builder a system, found by name; nothing is imported before it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from types import ModuleType

from metadata.nearest_name import did_you_mean

ONE_LABEL_NAMES = ("waveform_cnn", "mel_cnn")  # what `earproof build` makes of a folder of labels
MODEL_NAMES = (*ONE_LABEL_NAMES, "isocc", "source_counter", "mixed_cnn")


def model_module(name: str) -> ModuleType:
    """Return the module of a model.

    It has NAME, SAMPLE_RATE, VARIANTS, DEFAULT, PUBLISHED, task, window_length, front_end and build.
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


def common_sample_rate(names: Sequence[str]) -> int:
    """Return the sample rate of models in Hz, at which their recordings are decoded.

    Raises
    ------
    ValueError
        The models take different rates.
    """
    rates = {name: int(model_module(name).SAMPLE_RATE) for name in names}
    if len({*rates.values()}) > 1:
        found = ", ".join(f"{name} {rate} Hz" for name, rate in rates.items())
        raise ValueError(f"the models take different sample rates: {found}; build one after the other")
    return rates[names[0]]

"""One builder a system, found by name; nothing is imported before it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from metadata.nearest_name import did_you_mean

ONE_LABEL_NAMES = ("waveform_cnn", "mel_cnn")  # what `earproof build` makes of a folder of labels
TRANSFER_NAME = "transfer"  # beside those, where a backbone is on this machine
DETECTOR_NAMES = ("event_crnn",)  # and of recordings with annotations
MODEL_NAMES = (
    *ONE_LABEL_NAMES,
    "isocc",
    "source_counter",
    "mixed_cnn",
    "timeline",
    "event_crnn",
    TRANSFER_NAME,
)
MODEL_HELP = {  # what a model is for, and its variants, the default first
    "waveform_cnn": "one label, from samples: level, android, abdoli_50999, abdoli_32000, abdoli_16000, abdoli_8000, "
    "abdoli_1600, abdoli_16000_gammatone",
    "mel_cnn": "one label, from mel power: log, power",
    "isocc": "the labels of one sound or two: mixed (either), single (one), pair (two)",
    "source_counter": "how many sources: two (up to two), three; labels (for --weights-from)",
    "mixed_cnn": "the labels of one sound or two, or how many: labels, two, three",
    "timeline": "one label a second, for earproof timeline: small, published; overlapping (several)",
    "event_crnn": "the labels of a window, and in which frames each sounds: small, published",
    "transfer": "on a public network (--backbone): one label 2s, 1s, 5s; of mixtures labels, two",
}


def model_module(name: str) -> ModuleType:
    """Return the module of a model.

    It has NAME, VARIANTS, DEFAULT, PUBLISHED, task, sample_rate, window_length, front_end and build.
    PUBLISHED is None where there are no published settings; `auxiliary` is there where a model can learn
    labels, and when they sound, beside its scores; `frames` where it has frame scores; `needs_validation`
    where not every variant chooses something on a validation side.

    Raises
    ------
    ValueError
        No model of this name; the nearest one is offered.
    """
    check_model(name)
    return importlib.import_module(f"train.models.{name}")


def check_model(name: str) -> None:
    """Raise ValueError, with the nearest name, where there is no model of this one; nothing is imported."""
    if name not in MODEL_NAMES:
        hint = did_you_mean(name, MODEL_NAMES)
        raise ValueError(f"there is no model {name!r}; expected {' or '.join(MODEL_NAMES)}{hint}")


def choose_variant(module: Any, variant: str | None) -> str:
    """Return the variant to build, or raise ValueError naming those there are."""
    chosen = variant or module.DEFAULT_VARIANT
    if chosen not in module.VARIANTS:
        hint = did_you_mean(chosen, module.VARIANTS)
        raise ValueError(f"{module.NAME} has no variant {chosen!r}; expected {', '.join(module.VARIANTS)}{hint}")
    return chosen


def begun_with(module: ModuleType, backbone: str) -> Any:
    """Return the functions of a model for the backbone that its training begins with; of most models the module itself.

    Raises
    ------
    ValueError
        A backbone for a model that takes none, none for one that needs it, or one that is not on this machine.
    """
    if not hasattr(module, "begun_with"):
        if backbone:
            raise ValueError(f"{module.NAME} begins with no backbone; leave --backbone out, or train transfer")
        return module
    from train.backbones.installed import find_backbone, installed_backbones

    if not backbone:
        here = ", ".join(one.name for one in installed_backbones()) or "none; see earproof backbone list"
        raise ValueError(f"{module.NAME} begins with a backbone: --backbone NAME; on this machine: {here}")
    return module.begun_with(find_backbone(backbone))


def needs_validation(module: Any, variant: str | None = None) -> bool:
    """Return whether the training of a variant, by default the first one, chooses something on a validation side."""
    asked = getattr(module, "needs_validation", None)
    return True if asked is None else bool(asked(variant or module.DEFAULT_VARIANT))


def common_sample_rate(backbones: Mapping[str, str]) -> int:
    """Return the sample rate of the default variants of models in Hz, at which their recordings are decoded.

    Parameters
    ----------
    backbones : mapping of str to str
        The models, and the backbone that each begins with, empty for none.

    Raises
    ------
    ValueError
        The models take different rates.
    """
    modules = {name: begun_with(model_module(name), backbone) for name, backbone in backbones.items()}
    rates = {name: int(module.sample_rate(module.DEFAULT_VARIANT)) for name, module in modules.items()}
    if len({*rates.values()}) > 1:
        found = ", ".join(f"{name} {rate} Hz" for name, rate in rates.items())
        raise ValueError(f"the models take different sample rates: {found}; build one after the other")
    return next(iter(rates.values()))

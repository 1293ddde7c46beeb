"""The candidates of a cross-validation: models with every combination of settings that are to be compared."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from typing import Any

from metadata.nearest_name import did_you_mean
from train.api import SETTING_NAMES, model_settings
from train.cross_validation.fold_task import Candidate
from train.models import choose_variant, model_module
from train.settings import TrainingSettings
from train.transfer.unused_settings import describe_unused

_DEFAULTS: dict[str, Any] = {item.name: item.default for item in dataclasses.fields(TrainingSettings)}
_NOT_COMPARED = "seed", "backbone"  # --num-seeds and --backbone say these


def make_candidates(
    models: Sequence[str], settings: Sequence[str] = (), backbone: str | None = None
) -> list[Candidate]:
    """Return the candidates: each model with every combination of settings.

    Parameters
    ----------
    models : sequence of str
        Names, or NAME:VARIANT.
    settings : sequence of str
        NAME=VALUE, or NAME=VALUE,VALUE,...
    backbone : str, optional
        For models that begin with one.

    Raises
    ------
    ValueError
        No such model, variant or setting, a value that is not allowed, a candidate that comes twice, or candidates
        that differ by nothing.
    """
    grid = [_values(text) for text in settings]
    several = [name for name, values in grid if len(values) > 1]
    candidates = []
    for text in models:
        name, _, variant = text.partition(":")
        module = model_module(name)
        variant = choose_variant(module, variant or None)
        chosen: dict[str, Any] = {"backbone": backbone} if backbone and hasattr(module, "begun_with") else {}
        for values in itertools.product(*(values for _, values in grid)):
            changes = dict(zip((name for name, _ in grid), values, strict=True))
            told = [text, *(f"{key}={_text(changes[key])}" for key in several)]
            settled = model_settings(name, variant, **chosen, **changes)
            if unused := describe_unused(several, settled, module.task(variant)):
                raise ValueError(f"{text} would be the same each time: {unused}")
            candidates.append(Candidate(name=" ".join(told), model=name, variant=variant, settings=settled))
    names = [one.name for one in candidates]
    if len(set(names)) < len(names):
        raise ValueError(f"{max(names, key=names.count)} comes twice; name each model once")
    return candidates


def _values(text: str) -> tuple[str, list[Any]]:
    """A setting and its values, each of the setting's kind."""
    name, equals, told = text.partition("=")
    name = name.replace("-", "_")
    if not equals or not told:
        raise ValueError(f"--set is {text!r}; expected NAME=VALUE, or NAME=VALUE,VALUE")
    if name not in SETTING_NAMES or name in _NOT_COMPARED:
        hint = did_you_mean(name, SETTING_NAMES)
        raise ValueError(f"there is no setting {name!r} to be compared; expected {', '.join(SETTING_NAMES)}{hint}")
    return name, [_value(name, one) for one in told.split(",")]


def _value(name: str, text: str) -> Any:
    """One value of a setting."""
    kind: Any = type(_DEFAULTS[name])
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{name} is {text!r}; expected true or false")
        return text.lower() == "true"
    try:
        return kind(text)
    except ValueError as error:
        raise ValueError(f"{name} is {text!r}; expected {'a whole number' if kind is int else 'a number'}") from error


def _text(value: Any) -> str:
    """A value of a setting for people."""
    return f"{value:g}" if isinstance(value, float) else str(value).lower()

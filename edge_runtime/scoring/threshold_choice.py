"""Thresholds that are chosen on the command line instead of those in a model."""

from __future__ import annotations

from collections.abc import Sequence

from metadata.nearest_name import did_you_mean
from metadata.spec import ModelSpec


def chosen_thresholds(given: Sequence[str], default: Sequence[float], spec: ModelSpec) -> tuple[float, ...]:
    """Return a threshold for each label: those given as SCORE for all or LABEL=SCORE for one, else the default.

    Raises
    ------
    ValueError
        Not a number, or a label that the model does not have.
    """
    thresholds = list(default)
    for text in sorted(given, key=lambda text: "=" in text):  # those for one label count more
        label, is_one, score = text.rpartition("=")
        try:
            value = float(score)
        except ValueError:
            raise ValueError(f"a threshold is {text!r}; expected SCORE or LABEL=SCORE, such as 0.7") from None
        for index in [label_place(label, spec)] if is_one else range(len(thresholds)):
            thresholds[index] = value
    return tuple(thresholds)


def label_place(label: str, spec: ModelSpec) -> int:
    """Return the place of a label of the model, or raise ValueError."""
    if label not in spec.labels:
        hint = did_you_mean(label, spec.labels)
        raise ValueError(f"the model has no label {label!r}; expected one of {', '.join(spec.labels)}{hint}")
    return spec.labels.index(label)

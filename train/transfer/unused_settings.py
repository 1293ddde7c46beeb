"""Settings of a training that a head does not go by: it is fitted in one step, or as its inner folds say."""

from __future__ import annotations

from collections.abc import Collection

from train.settings import TrainingSettings
from train.tasks.task import OneLabel, Task

_OF_STEPS = (
    "epochs",
    "patience",
    "learning_rate",
    "cosine_decay",
    "weight_decay",
    "optimizer",
    "loss",
    "label_smoothing",
    "background",
    "stop_exact_match",
)
_OF_DRAWN_WINDOWS = ("batch_size", "augment", "epoch_windows")  # a head of mixtures hears such windows


def describe_unused(given: Collection[str], settings: TrainingSettings, task: Task) -> str:
    """Say which of the given settings a training does not go by; empty where it goes by all.

    Parameters
    ----------
    given : collection of str
        Names of settings that somebody chose.
    settings : TrainingSettings
    task : Task
    """
    if not settings.backbone or settings.fine_tune:
        return ""
    names = (*_OF_STEPS, *(_OF_DRAWN_WINDOWS if isinstance(task, OneLabel) else ()))
    unused = [name for name in names if name in given]
    if not unused:
        return ""
    verb, them = ("does", "it") if len(unused) == 1 else ("do", "them")
    return (
        f"{', '.join(unused)} {verb} nothing here: a head is fitted without epochs and "
        f"steps; --fine-tune trains the backbone by {them}"
    )

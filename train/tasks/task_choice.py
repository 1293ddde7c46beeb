"""Which task a variant of a model is trained on, as the recordings have annotations or not."""

from __future__ import annotations

from types import ModuleType

from train.tasks.sound_events import SoundEvents
from train.tasks.task import Task


def task_for(module: ModuleType, variant: str, is_annotated: bool) -> Task:
    """Return what a model's variant is trained to tell.

    Parameters
    ----------
    module : module
        The model's, of `train.models`.
    variant : str
        One of its variants.
    is_annotated : bool
        The recordings say when each label sounds: then a model that can tell several labels learns the events.

    Raises
    ------
    ValueError
        Annotated recordings for a model that tells one label a window, or a number.
    """
    task: Task = module.task(variant)
    if not is_annotated:
        return task
    if task.activation != "sigmoid" or not getattr(module, "LEARNS_EVENTS", True):
        tells = "tells one label or number a window" if task.activation != "sigmoid" else "learns no events"
        raise ValueError(
            f"{module.NAME} ({variant}) {tells}, and these recordings have annotations of "
            "events that may sound together; expected event_crnn, mixed_cnn, isocc, or timeline --variant overlapping"
        )
    return SoundEvents(module.sample_rate(variant))

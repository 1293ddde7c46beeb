"""What a network learns beside its scores: further outputs with losses of their own, taken away when training ends.

One number a window, or one set of labels, is little to learn from. Windows that are mixed as they are drawn come with
more: which labels they hold, and when each of them sounds. A model that can learn these has a function
`auxiliary(model, num_labels)` (`train.models`); how much each counts is said by `TrainingSettings.label_weight` and
`activity_weight`. The file that is exported has the scores alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from train.batches.activity import ActivitySteps, AuxiliaryTargets
from train.settings import TrainingSettings

if TYPE_CHECKING:
    from train.tasks.task import Task


@dataclass(frozen=True, kw_only=True)
class AuxiliaryOutputs:
    """Further outputs of a built model, each in [0, 1].

    Attributes
    ----------
    labels : keras.KerasTensor
        (batch, n_labels), which labels are heard; of a model whose scores say that already, these scores.
    activity : keras.KerasTensor
        (batch, num_steps, n_labels), when each label sounds.
    steps : ActivitySteps
        The stretches of the window that the steps of `activity` stand for.
    """

    labels: Any
    activity: Any
    steps: ActivitySteps


@dataclass(frozen=True, kw_only=True)
class Learner:
    """What is trained.

    Attributes
    ----------
    model : keras.Model
        Its first output is the scores.
    weights : tuple of float
        Of the losses of the other outputs against that of the scores; empty where there are none.
    targets : AuxiliaryTargets
        What those outputs are told.
    """

    model: Any
    weights: Sequence[float]
    targets: AuxiliaryTargets


def check_auxiliary(module: ModuleType, task: Task, settings: TrainingSettings) -> None:
    """Raise ValueError where the settings ask a model for what it cannot learn, or learns anyway."""
    if settings.activity_weight and not hasattr(module, "auxiliary"):
        raise ValueError(f"{module.NAME} has no steps that could learn when a label sounds; give --activity-weight 0")
    if settings.label_weight and not hasattr(module, "auxiliary"):
        raise ValueError(f"{module.NAME} cannot learn labels beside its scores; give --label-weight 0")
    if settings.label_weight and task.activation == "sigmoid":
        raise ValueError("the scores of this variant are the labels, learned anyway; give --label-weight 0")


def learner_of(model: Any, module: ModuleType, num_labels: int, settings: TrainingSettings) -> Learner:
    """Return the model with the further outputs that the settings give a weight, else with its scores alone.

    Parameters
    ----------
    model : keras.Model
    module : module
        The model's, of `train.models`.
    num_labels : int
        How many labels the clips have.
    settings : TrainingSettings
        Checked by `check_auxiliary`.
    """
    from keras import Model

    if not settings.label_weight and not settings.activity_weight:
        alone = model if len(model.outputs) == 1 else Model(model.inputs, model.outputs[0], name=model.name)
        return Learner(model=alone, weights=(), targets=AuxiliaryTargets())
    outputs: AuxiliaryOutputs = module.auxiliary(model, num_labels)
    tensors, weights = [], []
    for tensor, weight in ((outputs.labels, settings.label_weight), (outputs.activity, settings.activity_weight)):
        if weight:
            tensors.append(tensor)
            weights.append(weight)
    return Learner(
        model=Model(model.inputs, [model.outputs[0], *tensors], name=model.name),
        weights=tuple(weights),
        targets=AuxiliaryTargets(
            labels=settings.label_weight > 0, steps=outputs.steps if settings.activity_weight else None
        ),
    )

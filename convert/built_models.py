"""Which models a build trains on recordings, with which settings, and how it judges between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from metadata.plural import counted
from train.api import model_settings
from train.backbones.backbone import Backbone
from train.backbones.installed import find_backbone, installed_backbones
from train.cross_validation.cross_validate import FoldChoices
from train.models import (
    DETECTOR_NAMES,
    ONE_LABEL_NAMES,
    TRANSFER_NAME,
    begun_with,
    model_module,
    needs_validation,
)
from train.progress import note
from train.recordings.clip_index import ClipIndex
from train.recordings.fold_sides import LEAST_FOLDS, fewest_groups
from train.settings import TrainingSettings
from train.tasks.task import Task
from train.tasks.task_choice import task_for
from train.transfer.unused_settings import describe_unused

HINT = (
    "No backbone is on this machine. Few recordings gain most by one (95.2 % of the clips of ESC-10 right, with 32 "
    "clips a label): `earproof backbone get yamnet_256`, then build again."
)


@dataclass(frozen=True, kw_only=True)
class BuiltModels:
    """What was asked of a build.

    Attributes
    ----------
    models : sequence of str, optional
        None: those that suit the recordings.
    folds : int, optional
        Of the cross-validation; 0: none. None: where a backbone is on this machine.
    backbone : str
        Its name; empty: the smallest on this machine, where there is one.
    settings : mapping
        As `train.api.model_settings` takes them, of all models.
    """

    models: Sequence[str] | None
    folds: int | None
    backbone: str
    settings: Mapping[str, Any]

    def check_settings(self) -> None:
        """Raise ValueError or TypeError where a name, a setting, the backbone or the number of folds is wrong."""
        if self.folds is not None and (self.folds < 0 or self.folds == 1):
            raise ValueError(f"--folds is {self.folds}; expected {LEAST_FOLDS} or more, or 0 for no cross-validation")
        if self.backbone:
            if self.models and TRANSFER_NAME not in self.models:
                raise ValueError(f"--backbone is of {TRANSFER_NAME}, which is not built; add --model {TRANSFER_NAME}")
            find_backbone(self.backbone)
        self.settings_of(self.models or ONE_LABEL_NAMES)

    def settings_of(self, names: Sequence[str]) -> dict[str, TrainingSettings]:
        """Return the settings of models by name."""
        chosen = {}
        for name in names:
            begun: dict[str, Any] = {}
            if hasattr(model_module(name), "begun_with"):
                begun = {"backbone": begun_with(model_module(name), self._backbone_name).backbone.name}
            chosen[name] = model_settings(name, **self.settings, **begun)
        return chosen

    def names(self, index: ClipIndex) -> Sequence[str]:
        """Return the models that are built on these recordings."""
        if self.models:
            return self.models
        if index.events is not None:
            return DETECTOR_NAMES
        if self._backbone is None:
            return ONE_LABEL_NAMES
        return (TRANSFER_NAME,) if self._is_too_small(index) else (*ONE_LABEL_NAMES, TRANSFER_NAME)

    def check(self, index: ClipIndex) -> None:
        """Refuse recordings that cannot teach the models; tell which models are left out."""
        names = self.names(index)
        tasks = {}
        for name in names:
            module = model_module(name)
            tasks[name] = task_for(module, module.DEFAULT_VARIANT, index.events is not None)
            tasks[name].check(index)
        self._tell_unused(tasks)
        if not self.models and self._is_too_small(index):
            note(
                f"{fewest_groups(index)[0]} has two groups: {' and '.join(ONE_LABEL_NAMES)}, which train, validate and "
                "test on groups of their own, are left out"
            )

    def needs_validation(self, index: ClipIndex) -> bool:
        """Return whether a model is built that needs a side to validate on, however few the recordings are."""
        return any(needs_validation(model_module(name)) for name in self.names(index))

    def fold_choices(self, index: ClipIndex, seed: int, own: bool, cache: Path | None) -> FoldChoices | None:
        """Return how the models are cross-validated, None where they are not."""
        if self.folds == 0 or (self.folds is None and TRANSFER_NAME not in self.names(index)):
            return None
        return FoldChoices(num_folds=self.folds or None, own=own, seed=seed, cache=cache)

    def hints(self, index: ClipIndex) -> list[str]:
        """Return what the recordings could gain that this machine has not."""
        if self.models or index.events is not None or self._backbone is not None:
            return []
        return [HINT]

    def _tell_unused(self, tasks: Mapping[str, Task]) -> None:
        """Tell which of the given settings do nothing, where the only model is one that does not go by them."""
        if list(tasks) == [TRANSFER_NAME]:
            (chosen,) = self.settings_of([TRANSFER_NAME]).values()
            if unused := describe_unused(self.settings, chosen, tasks[TRANSFER_NAME]):
                note(unused)

    @property
    def _backbone_name(self) -> str:
        return self._backbone.name if self._backbone else ""

    @cached_property
    def _backbone(self) -> Backbone | None:
        """The backbone that a training begins with."""
        if self.backbone:
            return find_backbone(self.backbone)
        there = [one for one in installed_backbones() if one.path.is_file()]
        fitting = [one for one in there if _fits(one)]
        if there and not fitting:
            note(f"no backbone on this machine hears what {ONE_LABEL_NAMES[0]} hears; {TRANSFER_NAME} is not built")
        found = sorted(fitting, key=lambda one: (one.path.stat().st_size, one.name))
        if len(found) > 1:
            others = counted(len(found) - 1, "other")
            note(f"{TRANSFER_NAME} begins with {found[0].name}; {others} on this machine are larger: --backbone NAME")
        return found[0] if found else None

    def _is_too_small(self, index: ClipIndex) -> bool:
        """Whether a label has too few groups for a side to validate on."""
        return index.events is None and fewest_groups(index)[1] == LEAST_FOLDS


def _fits(backbone: Backbone) -> bool:
    """Whether a backbone takes the rate and the window of the models that are built beside it."""
    begun = model_module(TRANSFER_NAME).begun_with(backbone)
    beside = model_module(ONE_LABEL_NAMES[0])
    try:
        return all(
            getattr(begun, asked)(begun.DEFAULT_VARIANT) == getattr(beside, asked)(beside.DEFAULT_VARIANT)
            for asked in ("sample_rate", "window_length")
        )
    except ValueError:  # it takes longer stretches
        return False

"""A finished run whose model is no published one: its task is given, not found by its name."""

from __future__ import annotations

from dataclasses import dataclass

from convert.convertible import TrainedRun
from train.tasks.task import OneLabel, Task


@dataclass(frozen=True)
class TaskRun(TrainedRun):
    """A run with a task of its own."""

    told: Task = OneLabel()  # noqa: RUF009  frozen

    @property
    def task(self) -> Task:
        """What the model was trained to tell."""
        return self.told

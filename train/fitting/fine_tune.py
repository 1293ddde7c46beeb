"""Training the last blocks of a backbone further, or all of it, from a fitted head on.

How many blocks, how many epochs, and on request whether at all, is what inner folds over groups of the training and
validation side say. Batch normalization keeps its statistics: those of a few hundred recordings are no better ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from metadata.plural import counted
from train.batches.lesson import Lesson
from train.batches.taught_windows import TaughtWindows
from train.evaluation.evaluate import TestWindows
from train.evaluation.held_out_scores import HeldOutScores, joined_scores
from train.evaluation.predict import predict
from train.fitting import fit
from train.fitting.training_state import INNER_FOLDER, finished_epochs, write_history
from train.recordings.store.clip_store import LoadedClips
from train.settings import ALL_BLOCKS, CHOSEN_BLOCKS, TrainingSettings
from train.tasks.task import Task
from train.transfer.backbone_blocks import backbone_blocks, free_blocks, give_head
from train.transfer.fine_tuning import FineTuning, choose_fine_tuning
from train.transfer.inner_sides import MOST_FOLDS, all_to_train, groups_on, inner_folds
from train.transfer.train_head import FittedHead

NUM_FOLDS = 3  # at most, of those dealt: each trains a network for each number of blocks
LAST_BLOCKS = 2  # tried beside all of them where nobody says how many


@dataclass(frozen=True, eq=False, kw_only=True)
class Learned:
    """What was learned on a backbone, beside the weights of the model.

    Attributes
    ----------
    history : list of dict
        Of a head one row; of a backbone that was trained further one row an epoch.
    held_out : HeldOutScores, optional
        Scores of inner folds.
    record : dict
        What was chosen and by what figures, for JSON.
    """

    history: list[dict[str, float]]
    held_out: HeldOutScores | None
    record: dict[str, Any]

    @property
    def is_head(self) -> bool:
        """Whether the backbone stayed as it came: a head was fitted, and no epoch trained."""
        return not self.record.get("fine_tuning", {}).get("epochs")


def train_further(
    model: Any,
    head: FittedHead,
    clips: LoadedClips,
    task: Task,
    settings: TrainingSettings,
    *,
    sample_rate: int,
    folder: Path,
    lesson: Lesson | None,
    tell: Callable[[str], None],
) -> Learned:
    """Train the backbone of a model with a fitted head further, as the settings ask; parameters as of `FineTuner`."""
    learned = Learned(history=[head.row], held_out=head.held_out, record={})
    if not settings.fine_tune:
        return learned
    tuner = FineTuner(
        model=model,
        task=task,
        settings=settings,
        sample_rate=sample_rate,
        folder=folder,
        refit=head.refit,
        lesson=lesson,
    )
    choice, history, held_out = tuner.tune(clips, inner_folds(clips, MOST_FOLDS, settings.seed), tell)
    record = {"fine_tuning": choice.as_dict()}
    if not choice.epochs:
        return dataclasses.replace(learned, record=record)
    return Learned(history=history, held_out=held_out, record=record)


@dataclass(frozen=True, eq=False, kw_only=True)
class FineTuner:
    """What is trained further.

    Attributes
    ----------
    model : keras.Model
        With its head, fitted on both sides.
    task : Task
    settings : TrainingSettings
        Learning rate, epochs at most, and how windows are varied.
    sample_rate : int
        Hz.
    folder : Path
        The run; it keeps what a resumed training needs.
    refit : callable
        Returns the weights of a head for the windows of other groups than these.
    lesson : Lesson, optional
        What teachers say. They may have been trained on what an inner fold holds out: they say nothing of it there.
    """

    model: Any
    task: Task
    settings: TrainingSettings
    sample_rate: int
    folder: Path
    refit: Callable[[set[str]], list[np.ndarray]]
    lesson: Lesson | None = None

    def tune(
        self, clips: LoadedClips, folds: Sequence[LoadedClips], tell: Callable[[str], None]
    ) -> tuple[FineTuning, list[dict[str, float]], HeldOutScores | None]:
        """Choose by inner folds, and train on both sides what was chosen.

        Parameters
        ----------
        clips : LoadedClips
        folds : sequence of LoadedClips
            As `train.transfer.inner_sides.inner_folds` deals them; without any, nothing can be chosen.
        tell : callable

        Returns
        -------
        choice : FineTuning
        history : list of dict
            Of the training on both sides, its validation figures the means of the inner folds; none where the backbone
            stays as it came.
        held_out : HeldOutScores
            As the inner folds have them after so many epochs; None without folds.
        """
        start = self.model.get_weights()
        folds = folds[:NUM_FOLDS]
        cuts = [self._cut(fold) for fold in folds]
        courses = {
            blocks: [
                self._course(start, fold, cut, blocks, number)
                for number, (fold, cut) in enumerate(zip(folds, cuts, strict=True), start=1)
            ]
            for blocks in self._asked()
        }
        choice = self._choose(courses, cuts)
        tell(choice.describe())
        self.model.set_weights(start)
        history = self._train(all_to_train(clips), choice) if choice.epochs else []
        if not folds:
            return choice, history, None
        course = courses[choice.blocks or next(iter(courses))]
        return choice, history, joined_scores([scores[choice.epochs] for scores in course], cuts)

    def _asked(self) -> tuple[int, ...]:
        """How many of the last blocks are tried."""
        every = len(backbone_blocks(self.model))
        if self.settings.fine_tune == CHOSEN_BLOCKS:
            return (min(LAST_BLOCKS, every), every) if every > LAST_BLOCKS else (every,)
        if self.settings.fine_tune == ALL_BLOCKS:
            return (every,)
        asked = int(self.settings.fine_tune)
        if asked > every:
            raise ValueError(
                f"--fine-tune {asked}, and the backbone has {counted(every, 'block')}; expected at most that"
            )
        return (asked,)

    def _cut(self, clips: LoadedClips) -> TestWindows:
        """The windows that a fold holds out."""
        return self.task.held_out(clips, "val", self._length, self.settings)

    @property
    def _length(self) -> int:
        """Samples of a window."""
        return int(self.model.inputs[0].shape[1])

    def _course(
        self, start: list[np.ndarray], fold: LoadedClips, cut: TestWindows, blocks: int, number: int
    ) -> list[np.ndarray]:
        """The scores of what a fold holds out, before and after each epoch."""
        folder = self.folder / INNER_FOLDER / f"{blocks}-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        self.model.set_weights(start)
        give_head(self.model, self.refit(groups_on(fold, "val")))
        before = predict(self.model, cut.windows)
        targets = cut.targets(self.model.outputs[0].shape[1])
        validation = cut.windows, targets, cut.weights()
        settings = dataclasses.replace(self.settings, patience=self.settings.epochs)
        name = f"last {counted(blocks, 'block')}, fold {number}"

        def keep(epoch: int, scores: np.ndarray) -> None:
            np.save(folder / f"scores-{epoch}.npy", scores)

        history = self._fit(fold, blocks, settings, folder, name, validation, keep)
        return [before, *(np.load(folder / f"scores-{epoch}.npy") for epoch in range(1, len(history) + 1))]

    def _fit(
        self,
        clips: LoadedClips,
        blocks: int,
        settings: TrainingSettings,
        folder: Path,
        name: str,
        validation: Any = None,
        seen: Any = None,
    ) -> list[dict[str, float]]:
        """Train on a training side; the rate falls over all epochs that may be, however many there are."""
        first_epoch = finished_epochs(folder)
        windows = self.task.training_windows(clips, self.sample_rate, self._length, self.settings, first_epoch)
        if self.lesson is not None:
            windows = TaughtWindows(windows, self.lesson, self._length, self.settings, first_epoch)
        with free_blocks(self.model, blocks):
            fit.compile_model(self.model, self.settings, len(windows))
            return fit.fit(self.model, windows, validation, settings, folder, name, seen=seen)

    def _train(self, clips: LoadedClips, choice: FineTuning) -> list[dict[str, float]]:
        """Train on both sides for as long as was chosen."""
        settings = dataclasses.replace(self.settings, epochs=choice.epochs, patience=choice.epochs)
        history = self._fit(clips, choice.blocks, settings, self.folder, self.model.name)
        for row, (loss, accuracy) in zip(history, choice.tried.get(choice.blocks, ()), strict=False):
            row["val_loss"], row["val_accuracy"] = loss, accuracy
        write_history(history, self.folder)
        return history

    def _choose(self, courses: dict[int, list[list[np.ndarray]]], cuts: Sequence[TestWindows]) -> FineTuning:
        """What the scores of the folds say."""
        may_stay = self.settings.fine_tune == CHOSEN_BLOCKS
        if not cuts:
            asked = next(iter(courses))
            blocks, epochs = (0, 0) if may_stay else (asked, self.settings.epochs)
            return FineTuning(blocks=blocks, epochs=epochs, num_folds=0, frozen=None, tried={})
        judged = {
            blocks: [self._judge(scores, cuts) for scores in zip(*course, strict=True)]
            for blocks, course in courses.items()
        }
        frozen = next(iter(judged.values()))[0]
        return choose_fine_tuning(frozen, {blocks: rows[1:] for blocks, rows in judged.items()}, len(cuts), may_stay)

    def _judge(self, scores: Sequence[np.ndarray], cuts: Sequence[TestWindows]) -> tuple[float, float]:
        """Mean loss and accuracy of the folds."""
        num_labels = self.model.outputs[0].shape[1]
        rows = [
            fit.validate(self.model, one, cut.targets(num_labels), cut.weights())
            for one, cut in zip(scores, cuts, strict=True)
        ]
        loss, accuracy = (float(np.mean([row[name] for row in rows])) for name in ("val_loss", "val_accuracy"))
        return loss, accuracy

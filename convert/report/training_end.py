"""How a training ended: by patience, as it should, or at its limit of epochs, when more may still help.

And what more training would be: a head that was fitted on a backbone has no epochs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from train.models import model_module


@dataclass(frozen=True, kw_only=True)
class MoreTraining:
    """What to try with a model that has learned too little.

    Attributes
    ----------
    further : str
        How to train it further, as a sentence without its first capital and its end; empty where nothing is known.
    otherwise : str
        What to try in place of that.
    """

    further: str
    otherwise: str


BY_EPOCHS = MoreTraining(further="train longer (--epochs)", otherwise="a --learning-rate of a third, or another model")
BY_FINE_TUNING = MoreTraining(
    further="train its backbone further (--fine-tune auto)", otherwise="another --backbone, or another model"
)
BY_NOTHING = MoreTraining(further="", otherwise="another --backbone, or another model")


def more_training(settings: Mapping[str, Any], metrics: Mapping[str, Any] | None) -> MoreTraining:
    """Return what more training of a model would be.

    Parameters
    ----------
    settings : mapping
        As the file's provenance holds them.
    metrics : mapping, optional
        Of its training, where they are known.
    """
    if not settings.get("backbone"):
        return BY_EPOCHS
    if not settings.get("fine_tune"):
        return BY_FINE_TUNING
    stayed = metrics is not None and not metrics["epochs"]  # --fine-tune auto found nothing better
    return BY_NOTHING if stayed else BY_EPOCHS


@dataclass(frozen=True, kw_only=True)
class ShortTraining:
    """A training that its limit of epochs ended while it may still have gained.

    Attributes
    ----------
    epochs, kept_epoch : int
        All of them, and the one with the lowest validation loss, counted from 1.
    patience : int
        Epochs without a lower validation loss that would have ended it.
    usual_epochs : int
        The model's own limit.
    """

    epochs: int
    kept_epoch: int
    patience: int
    usual_epochs: int

    @property
    def sentence(self) -> str:
        """What is known, as a sentence."""
        ran = f"Its training ended at its limit of {self.epochs} epoch{'' if self.epochs == 1 else 's'} (--epochs)"
        if self.kept_epoch == self.epochs:
            return f"{ran}, the last of which had the lowest validation loss: it may be too short."
        return (
            f"{ran}, before {self.patience} without a lower validation loss (--patience) could end it: it may be too "
            f"short; epoch {self.kept_epoch} was kept."
        )

    @property
    def advice(self) -> str:
        """What to do, as a sentence without its first capital."""
        if self.usual_epochs > self.epochs:
            return f"train longer: without --epochs this model takes up to {self.usual_epochs}"
        return f"train longer: --epochs {2 * self.epochs}"


def find_short_training(metrics: Mapping[str, Any], settings: Mapping[str, Any]) -> ShortTraining | None:
    """Return how a training was too short, None where nothing says so.

    Parameters
    ----------
    metrics : mapping
        Of a finished training: `model`, `epochs` and `kept_epoch`.
    settings : mapping
        As the file's provenance holds them.

    Notes
    -----
    With a learning rate that falls to zero by its limit the last epoch is meant to be the best: that one was kept says
    nothing where the limit is the model's own. A limit below the patience is short whatever was kept.
    """
    if "backbone" in settings:  # its head is fitted without epochs, or inner folds chose their number
        return None
    epochs, kept = int(metrics["epochs"]), int(metrics["kept_epoch"])
    limit, patience = int(settings.get("epochs", 0)), int(settings.get("patience", 0))
    if epochs != limit:
        return None
    usual = int(model_module(str(metrics["model"])).DEFAULT.epochs)
    is_telling = limit < usual or not settings.get("cosine_decay", False)
    if not (limit < patience or (kept == epochs and is_telling)):
        return None
    return ShortTraining(epochs=epochs, kept_epoch=kept, patience=patience, usual_epochs=usual)

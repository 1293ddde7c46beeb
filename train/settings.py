"""How a model is trained: one frozen set of settings, recorded in the run and in the model file."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from edge_runtime.audio.windows import TAILS
from train.mixtures.mixing import NORMALIZATIONS

LOSSES = ("categorical_crossentropy", "mean_squared_logarithmic_error", "binary_crossentropy")
OPTIMIZERS = ("adam", "adadelta")
MIXTURE_NORMALIZATIONS = (*NORMALIZATIONS, "both")
CHOSEN_BLOCKS, ALL_BLOCKS = "auto", "all"  # of a backbone that is trained further
_LATER = ("background", "backbone", "fine_tune", "teacher_weight")  # settings that older runs do not record


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Settings of one training.

    Attributes
    ----------
    loss : str
        One of `LOSSES`.
    optimizer : str
        One of `OPTIMIZERS`.
    learning_rate : float
        At the start; `cosine_decay` lets it fall to nearly zero over `epochs`.
    cosine_decay : bool
    weight_decay : float
        Share of a weight that is taken off at a step of rate 1 (decoupled, as in AdamW); for adam.
    batch_size : int
        Windows.
    epochs : int
        At most this many; `patience` may end the training earlier.
    patience : int
        Epochs without a lower validation loss before the training stops.
    label_smoothing : float
        Share of the target spread over all labels, 0 to 1; for categorical_crossentropy.
    augment : bool
        Whether training windows are varied in level, noise and colour (`train.batches.augment`).
    epoch_windows : int
        Windows drawn in one epoch, the labels in equal shares; 0: as many as the training clips hold, and
        never so few that an epoch is only a step or two.
    window_hop : int
        Samples from one validation or test window to the next; 0: the window length.
    normalization : str
        How the parts of a mixture are brought to one volume, see `train.mixtures.mixing.mix`; both: by turns of the
        pair and of the set.
    stop_exact_match : float
        End the training when the share of exactly right label sets passes this on validation data, single sounds and
        mixtures each with its best threshold; 0: never. For models that tell several labels.
    label_weight : float
        Weight of a further loss, of which labels are heard, against that of the scores; 0: none. For models that tell a
        number (`train.tasks.auxiliary_outputs`).
    activity_weight : float
        Weight of a further loss, of when each label sounds (`train.batches.activity`), against that of the scores; 0:
        none. For models that hear mixtures and have steps in time.
    tail : str
        What happens to samples after the last full window of a clip to validate or calibrate on, see
        `edge_runtime.audio.windows.TAILS`. Test clips are cut as `earproof classify` cuts: `DEFAULT_TAIL`.
    seed : int
        Of weights, shuffling, augmentation and dropout.
    background : str
        Label whose training clips are mixed under half of the windows of the other labels, at a drawn level
        (`train.batches.backgrounds`); empty, or a label that the data have not: none. For models that tell one label.
    backbone : str
        Name of the backbone on this machine that the training begins with (`train.backbones`); for `transfer`.
    fine_tune : str
        How many of the last blocks of the backbone are trained further behind a fitted head: a number, "all", or "auto"
        for what inner folds say (`train.fitting.fine_tune`); empty: none.
    teacher_weight : float
        Of what teachers say in the target of a labelled window, 0 to 1 (`train.teaching`); the truth has the rest.
    """

    loss: str = "categorical_crossentropy"
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    cosine_decay: bool = False
    weight_decay: float = 0.0
    batch_size: int = 64
    epochs: int = 50
    patience: int = 12
    label_smoothing: float = 0.0
    augment: bool = False
    epoch_windows: int = 0
    window_hop: int = 0
    normalization: str = "pair"
    stop_exact_match: float = 0.0
    label_weight: float = 0.0
    activity_weight: float = 0.0
    tail: str = "drop"
    seed: int = 0
    background: str = ""
    backbone: str = ""
    fine_tune: str = ""
    teacher_weight: float = 0.0

    def __post_init__(self) -> None:
        self._require(self.loss in LOSSES, "loss", f"one of {', '.join(LOSSES)}")
        self._require(self.optimizer in OPTIMIZERS, "optimizer", f"one of {', '.join(OPTIMIZERS)}")
        self._require(self.learning_rate > 0, "learning_rate", "a value above 0")
        self._require(0 <= self.label_smoothing < 1, "label_smoothing", "0 up to but not including 1")
        self._require(0 <= self.weight_decay < 1, "weight_decay", "0 up to but not including 1")
        for name in ("batch_size", "epochs", "patience"):
            self._require(getattr(self, name) >= 1, name, "at least 1")
        self._require(self.tail in TAILS, "tail", f"one of {', '.join(TAILS)}")
        self._require(
            self.normalization in MIXTURE_NORMALIZATIONS, "normalization", f"one of {', '.join(MIXTURE_NORMALIZATIONS)}"
        )
        self._require(0 <= self.stop_exact_match < 1, "stop_exact_match", "0 up to but not including 1")
        self._require(0 <= self.teacher_weight <= 1, "teacher_weight", "0 to 1")
        for name in ("label_weight", "activity_weight"):
            self._require(0 <= getattr(self, name) < float("inf"), name, "0 or more")
        for name in ("epoch_windows", "window_hop", "seed"):
            self._require(getattr(self, name) >= 0, name, "0 or more")
        asked = self.fine_tune
        known = asked in ("", CHOSEN_BLOCKS, ALL_BLOCKS) or (asked.isascii() and asked.isdigit() and int(asked) > 0)
        self._require(known, "fine_tune", f"a number of blocks from 1 on, {ALL_BLOCKS} or {CHOSEN_BLOCKS}")
        self._require(not asked or bool(self.backbone), "fine_tune", "none without a backbone (--backbone)")

    def _require(self, condition: bool, name: str, expected: str) -> None:
        """Raise ValueError naming the field unless the condition holds."""
        if not condition:
            raise ValueError(f"{name} is {getattr(self, name)!r}; expected {expected}")

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as a flat dictionary for JSON; those that came later only where they are given."""
        values = dataclasses.asdict(self)
        return {name: value for name, value in values.items() if value or name not in _LATER}

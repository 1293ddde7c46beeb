"""A public network that has heard millions of recordings, and a head that is trained here.

The backbone (`train.backbones`) hears patches, YAMNet of 0.975 s. Its embeddings of a window are pooled by mean and
maximum, and a dense layer tells the labels. Each length of the window needs a head of its own. Which backbone it is, is
a setting of the training: `begun_with` gives the module's functions for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from metadata.spec import FrontEnd
from train.backbones.backbone import Backbone
from train.backbones.embedding_layer import inlined
from train.backbones.front_layers import rows_of
from train.backbones.yamnet import PATCH_SAMPLES, SAMPLE_RATE
from train.settings import TrainingSettings
from train.tasks.task import LabelSet, OneLabel, SourceCount, Task

NAME = "transfer"
TASKS: dict[str, Task] = {
    "2s": OneLabel(),
    "1s": OneLabel(),
    "5s": OneLabel(),
    "labels": LabelSet((1, 2)),
    "two": SourceCount(2),
}
VARIANTS = tuple(TASKS)
SECONDS = {"2s": 2, "1s": 1, "5s": 5, "labels": 5, "two": 5}
NEARLY = 0.1  # a patch that differs by less from a variant's length is its window: 0.975 s
DEFAULT_VARIANT = "2s"  # what Android's app hears
FEATURES_LAYER, SCORES_LAYER = "features", "scores"
HIDDEN_UNITS, HIDDEN_DROPOUT = 256, 0.5  # of the variants that hear mixtures

# A head is fitted in one step. What a backbone is trained further with, if it is:
DEFAULT = TrainingSettings(learning_rate=1e-4, cosine_decay=True, batch_size=16, epochs=10, patience=10, augment=True)
_MIXED = {"epoch_windows": 3200, "normalization": "both"}
VARIANT_SETTINGS = {"labels": {**_MIXED, "loss": "binary_crossentropy"}, "two": _MIXED}
PUBLISHED = None
LEARNS_EVENTS = False  # of recordings with annotations


def task(variant: str) -> Task:
    """Return the task of a variant: one label a window, which labels are present, or how many sources."""
    return TASKS[variant]


def needs_validation(variant: str) -> bool:
    """Return whether something is chosen on a validation side: thresholds, where several labels may be heard."""
    return not isinstance(TASKS[variant], OneLabel)


def sample_rate(variant: str) -> int:
    """Return the Hz of the input."""
    return SAMPLE_RATE


def window_length(variant: str) -> int:
    """Return the samples in one input."""
    return PATCH_SAMPLES if variant == "1s" else SECONDS[variant] * SAMPLE_RATE


@dataclass(frozen=True)
class BegunWith:
    """The functions of this module for one backbone, by the names that `train.models.model_module` speaks of."""

    backbone: Backbone

    def __getattr__(self, name: str) -> Any:
        """Everything that does not depend on the backbone."""
        if name not in globals():
            raise AttributeError(f"{__name__} has no {name}")
        return globals()[name]

    def sample_rate(self, variant: str) -> int:
        """Return the Hz that the backbone was trained on."""
        return self.backbone.sample_rate

    def window_length(self, variant: str) -> int:
        """Return the samples in one input: one patch of the backbone where that is nearly the variant's length.

        Raises
        ------
        ValueError
            The backbone takes longer stretches than the variant has.
        """
        rate, patch = self.backbone.sample_rate, self.backbone.patch_length
        wanted = SECONDS[variant] * rate
        if abs(patch - wanted) <= NEARLY * wanted:
            return patch
        if patch > wanted:
            fitting = ", ".join(one for one in VARIANTS if patch <= (1 + NEARLY) * SECONDS[one] * rate)
            raise ValueError(
                f"{NAME} with windows of {SECONDS[variant]} s cannot begin with {self.backbone.name}, which takes "
                f"{patch / rate:g} s at once; "
                + (f"expected --variant {fitting}" if fitting else "expected a backbone of shorter patches")
            )
        return wanted

    def front_end(self, variant: str) -> FrontEnd:
        """Return what the backbone's training made of samples."""
        return self.backbone.front_end

    def build(self, num_labels: int, variant: str = DEFAULT_VARIANT) -> Any:
        """Build the network with the backbone's weights: input (batch, window_length), output (batch, num_labels)."""
        import keras
        from keras import layers

        from train.layers.patches import Patches, PooledPatches, patch_starts

        length, network = self.window_length(variant), self.backbone.network()
        audio = layers.Input((length,), name="audio")
        rows = rows_of(audio, self.backbone.front_end, self.backbone.sample_rate, self.backbone.log_is_inside)
        patch_rows = network.inputs[0].shape[1]
        starts = patch_starts(rows.shape[1], patch_rows)
        x = inlined(network, Patches(starts, patch_rows, name="patches")(rows))
        x = PooledPatches(len(starts), self.backbone.takes_roots, name=FEATURES_LAYER)(x)
        if not isinstance(task(variant), OneLabel):  # how sounds add up is more than one layer tells
            x = layers.Dense(HIDDEN_UNITS, activation="relu", name="hidden")(x)
            x = layers.Dropout(HIDDEN_DROPOUT, name="hidden_dropout")(x)
        scores = layers.Dense(num_labels, activation=task(variant).activation, name=SCORES_LAYER)(x)
        return keras.Model(audio, scores, name=NAME)


def begun_with(backbone: Backbone) -> BegunWith:
    """Return what `train.models.model_module` speaks of, for one backbone."""
    return BegunWith(backbone)

"""A public network that has heard millions of recordings, and a head that is trained here.

The backbone (`train.backbones`) hears patches of 0.975 s. Its embeddings of a window are pooled by mean and maximum,
and a dense layer tells the labels. Each length of the window needs a head of its own. Which backbone it is, is a
setting of the training: `begun_with` gives the module's functions for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from metadata.spec import MelFrontEnd, frame_count
from train.backbones.installed import Backbone
from train.backbones.yamnet import PATCH_FRAMES, PATCH_SAMPLES, SAMPLE_RATE, embed_patches, give_weights
from train.backbones.yamnet import front_end as mel_front_end
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
WINDOWS = {"2s": 2 * SAMPLE_RATE, "1s": PATCH_SAMPLES}  # samples; the others have 5 s
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
    return WINDOWS.get(variant, 5 * SAMPLE_RATE)


@dataclass(frozen=True)
class BegunWith:
    """The functions of this module for one backbone, by the names that `train.models.model_module` speaks of."""

    backbone: Backbone

    def __getattr__(self, name: str) -> Any:
        """Everything that does not depend on the backbone."""
        if name not in globals():
            raise AttributeError(f"{__name__} has no {name}")
        return globals()[name]

    def front_end(self, variant: str) -> MelFrontEnd:
        """Return the log mel that the backbone was trained on."""
        return mel_front_end(self.backbone.log_offset)

    def build(self, num_labels: int, variant: str = DEFAULT_VARIANT) -> Any:
        """Build the network with the backbone's weights: input (batch, window_length), output (batch, num_labels)."""
        import keras
        from keras import layers

        from train.layers.mel_layers import NaturalLog, mel_layer
        from train.layers.patches import Patches, PooledPatches, patch_starts

        settings, weights = self.front_end(variant), self.backbone.weights()
        starts = patch_starts(frame_count(settings, window_length(variant)), PATCH_FRAMES)
        audio = layers.Input((window_length(variant),), name="audio")
        x = mel_layer(settings, SAMPLE_RATE)(audio)
        x = NaturalLog(settings.log_floor, name="log_compression")(x)
        x = layers.Permute((2, 1), name="rows")(x)
        x = Patches(starts, PATCH_FRAMES, name="patches")(x)
        x = PooledPatches(len(starts), name=FEATURES_LAYER)(embed_patches(x, weights))
        if not isinstance(task(variant), OneLabel):  # how sounds add up is more than one layer tells
            x = layers.Dense(HIDDEN_UNITS, activation="relu", name="hidden")(x)
            x = layers.Dropout(HIDDEN_DROPOUT, name="hidden_dropout")(x)
        scores = layers.Dense(num_labels, activation=task(variant).activation, name=SCORES_LAYER)(x)
        model = keras.Model(audio, scores, name=NAME)
        give_weights(model, weights)
        return model


def begun_with(backbone: Backbone) -> BegunWith:
    """Return what `train.models.model_module` speaks of, for one backbone."""
    return BegunWith(backbone)

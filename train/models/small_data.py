"""What the models here have in common because they learn from hundreds of clips, in a few thousand steps."""

from __future__ import annotations

from dataclasses import replace

from train.settings import TrainingSettings

NORM_MOMENTUM = 0.9  # of batch normalization; the usual 0.99 still remembers its start after a few hundred steps

SETTINGS = TrainingSettings(
    optimizer="adam",
    learning_rate=1e-3,
    cosine_decay=True,
    weight_decay=0.01,
    batch_size=32,
    epochs=40,
    patience=20,
    label_smoothing=0.05,
    augment=True,
)
# Where windows are mixed as they are drawn, an epoch is a number of windows, and both published volumes take turns.
MIXED_SETTINGS = replace(SETTINGS, epoch_windows=3200, normalization="both")

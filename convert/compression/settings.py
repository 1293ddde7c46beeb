"""The kinds of compression and their settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from metadata.nearest_name import did_you_mean

KINDS: dict[str, str] = {
    "qat": "Not where int8 keeps its decisions already: training on costs minutes for nothing then.",
    "prune": "Not for speed or memory: kernels compute with the zeros, only the compressed download is smaller.",
    "cluster": "Not for speed or memory either; beside int8 it saves less than prune does.",
}
"""Each kind with the reason to leave it."""
EPOCHS = {"qat": 6, "prune": 10, "cluster": 6}
LEARNING_RATES = {"qat": 1e-4, "prune": 5e-4, "cluster": 1e-4}  # three quarters of the weights gone need larger steps


@dataclass(frozen=True, kw_only=True)
class CompressionSettings:
    """How a trained model is compressed by training on.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    epochs : int
        Of fine-tuning.
    learning_rate : float
    sparsity : float
        Share of zeros that `prune` ends with in each kernel of the body, 0 to 1.
    clusters : int
        Different values that `cluster` leaves in each kernel of the body.
    epoch_windows : int
        Windows of one epoch; 0: as many as the training drew.
    seed : int
    """

    kind: str
    epochs: int
    learning_rate: float
    sparsity: float = 0.75
    clusters: int = 32
    epoch_windows: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            hint = did_you_mean(self.kind, KINDS)
            raise ValueError(f"there is no compression {self.kind!r}; expected one of {', '.join(KINDS)}{hint}")
        if self.epochs < 1:
            raise ValueError(f"epochs is {self.epochs!r}; expected at least 1")
        if not 0 < self.sparsity < 1:
            raise ValueError(f"sparsity is {self.sparsity!r}; expected a share above 0 and below 1")
        if self.clusters < 2:
            raise ValueError(f"clusters is {self.clusters!r}; expected at least 2")


def compression_settings(kind: str, **changes: Any) -> CompressionSettings:
    """Return the settings of a kind of compression: its own epochs and learning rate but for `changes`."""
    usual = {"epochs": EPOCHS.get(kind, 1), "learning_rate": LEARNING_RATES.get(kind, 1e-4)}
    return CompressionSettings(kind=kind, **{**usual, **changes})

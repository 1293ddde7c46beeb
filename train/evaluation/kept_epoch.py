"""Which epoch of a training is kept, by its validation losses, and what a training comes to in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from metadata.plural import counted

CLOSE_TO_LOWEST = 0.05  # share of the lowest validation loss


def kept_epoch(history: Sequence[dict[str, float]]) -> int:
    """Return the epoch, from 1, whose weights are kept: the latest whose validation loss is close to the lowest.

    Validation sets are small and their loss jitters; of epochs that it cannot tell apart the later one has been
    trained at a lower rate and averaged over more steps.
    """
    lowest = min(row["val_loss"] for row in history)
    # A loss that is no number, of a head without inner folds, is no reason against its only row.
    return max(int(row["epoch"]) for row in history if not row["val_loss"] > lowest * (1.0 + CLOSE_TO_LOWEST))


def describe_end(metrics: Mapping[str, Any]) -> str:
    """Return in words what a training kept: an epoch, or what was fitted or trained on a backbone.

    Parameters
    ----------
    metrics : mapping
        As `metrics.json` holds them.
    """
    if metrics["kept_epoch"] is None:
        return "a head fitted on a backbone, without epochs"
    tuned = metrics.get("fine_tuning")
    if tuned:
        blocks = "block" if tuned["blocks"] == 1 else f"{tuned['blocks']} blocks"
        return f"the last {blocks} of a backbone trained for {counted(tuned['epochs'], 'epoch')}"
    return f"epoch {metrics['kept_epoch']} kept"

"""Which epoch of a training is kept, by its validation losses."""

from __future__ import annotations

from collections.abc import Sequence

CLOSE_TO_LOWEST = 0.05  # share of the lowest validation loss


def kept_epoch(history: Sequence[dict[str, float]]) -> int:
    """Return the epoch, from 1, whose weights are kept: the latest whose validation loss is close to the lowest.

    Validation sets are small and their loss jitters; of epochs that it cannot tell apart the later one has been
    trained at a lower rate and averaged over more steps.
    """
    lowest = min(row["val_loss"] for row in history)
    # A loss that is no number, of a head without inner folds, is no reason against its only row.
    return max(int(row["epoch"]) for row in history if not row["val_loss"] > lowest * (1.0 + CLOSE_TO_LOWEST))

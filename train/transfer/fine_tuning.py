"""Which fine-tuning is done: how many blocks, how many epochs, by what inner folds say of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from metadata.plural import counted

Figures = tuple[float, float]
"""Loss and share of right answers of what folds hold out."""


@dataclass(frozen=True, kw_only=True)
class FineTuning:
    """What was tried, as means over inner folds, and what was chosen.

    Attributes
    ----------
    blocks, epochs : int
        How many of the last blocks are trained, and how long; 0 where the backbone stays as it came.
    num_folds : int
        0 where nothing could be tried.
    frozen : tuple of float, optional
        Loss and accuracy of the head alone.
    tried : dict of int to list of tuple of float
        By the number of blocks, loss and accuracy after each epoch.
    """

    blocks: int
    epochs: int
    num_folds: int
    frozen: Figures | None
    tried: dict[int, list[Figures]]

    def describe(self) -> str:
        """Say what was chosen, and by which figures."""
        chosen = "the backbone stays as it came"
        if self.epochs:
            chosen = f"the last {counted(self.blocks, 'block')} trained for {counted(self.epochs, 'epoch')}"
        if self.frozen is None:
            return f"{chosen}: a label has a single group, so no inner fold can say what is better"
        told = [f"as it came {_shown(self.frozen)}"]
        for blocks, rows in self.tried.items():
            best = _lowest(rows)
            told.append(f"last {counted(blocks, 'block')} after {counted(best, 'epoch')} {_shown(rows[best - 1])}")
        return f"{chosen}; held-out windows of {counted(self.num_folds, 'inner fold')}: {'; '.join(told)}"

    def as_dict(self) -> dict[str, Any]:
        """Return all of it for JSON."""
        return {
            "blocks": self.blocks,
            "epochs": self.epochs,
            "inner_folds": self.num_folds,
            "frozen": _named(self.frozen) if self.frozen else None,
            "tried": {str(blocks): [_named(row) for row in rows] for blocks, rows in self.tried.items()},
        }


def choose_fine_tuning(frozen: Figures, tried: dict[int, list[Figures]], num_folds: int, may_stay: bool) -> FineTuning:
    """Return the blocks and epochs of the lowest loss.

    Parameters
    ----------
    frozen, tried, num_folds
        As `FineTuning` has them.
    may_stay : bool
        The backbone stays as it came, unless the loss is lower and no fewer answers are right.
    """
    candidates = [
        (loss, blocks, epochs)
        for blocks, rows in tried.items()
        for epochs, (loss, accuracy) in enumerate(rows, start=1)
        if not may_stay or (loss < frozen[0] and accuracy >= frozen[1])
    ]
    _, blocks, epochs = min(candidates, default=(0.0, 0, 0))
    return FineTuning(blocks=blocks, epochs=epochs, num_folds=num_folds, frozen=frozen, tried=tried)


def _lowest(rows: list[Figures]) -> int:
    """The epoch with the lowest loss, from 1."""
    return 1 + min(range(len(rows)), key=lambda place: rows[place][0])


def _shown(figures: Figures) -> str:
    """Figures as text."""
    loss, accuracy = figures
    return f"{accuracy:.1%} right, loss {loss:.3f}"


def _named(figures: Figures) -> dict[str, float]:
    """Figures for JSON."""
    loss, accuracy = figures
    return {"loss": loss, "accuracy": accuracy}

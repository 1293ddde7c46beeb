"""When each label sounds: a target beside the labels while a network trains on mixtures.

Windows are mixed as they are drawn, so each part is at hand alone, and with it when it sounds. A second output from
inside the network learns that for a few steps in time, and is taken away when the training ends. It asks of the layers
below that they tell a label wherever it sounds, and not the recordings that it was heard in.
Axis order: time, then labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BLOCK_LENGTH = 320  # samples that one level is measured over, 20 ms at 16 kHz
ACTIVE_WITHIN_DB = 35.0  # of the loudest block of the part: a bark and its echo, not the room after it


@dataclass(frozen=True, kw_only=True)
class ActivitySteps:
    """The stretches of a window that the steps of a second output stand for, in samples.

    Attributes
    ----------
    num_steps : int
    first : int
        Where the stretch of the first step begins; it may lie before the window.
    hop : int
        From the beginning of a stretch to that of the next.
    length : int
        Of each stretch.
    """

    num_steps: int
    first: int
    hop: int
    length: int


def part_activity(part: np.ndarray, steps: ActivitySteps) -> np.ndarray:
    """Return in which steps a part sounds.

    Parameters
    ----------
    part : np.ndarray
        float32 (n_samples,), one recording as it goes into the mixture. Its volume does not matter.
    steps : ActivitySteps

    Returns
    -------
    np.ndarray
        float32 (num_steps,), 1 where a block of the stretch is at most 35 dB softer than the loudest block of the part.
        Silence sounds nowhere.
    """
    blocks = part[: part.size // BLOCK_LENGTH * BLOCK_LENGTH].reshape(-1, BLOCK_LENGTH)
    power = np.einsum("ij,ij->i", blocks, blocks)
    limit = power.max(initial=0.0) * 10.0 ** (-ACTIVE_WITHIN_DB / 10.0)
    sounds = np.concatenate([[0], np.cumsum((power >= limit) & (power > 0.0))])
    begins = steps.first + steps.hop * np.arange(steps.num_steps)
    first = np.clip(begins // BLOCK_LENGTH, 0, power.size)
    past = np.clip(-(-(begins + steps.length) // BLOCK_LENGTH), 0, power.size)
    return (sounds[past] > sounds[first]).astype(np.float32)


def window_activity(
    parts: Sequence[np.ndarray], labels: Sequence[int] | np.ndarray, num_labels: int, steps: ActivitySteps
) -> np.ndarray:
    """Return when each label sounds in a mixture of parts, float32 (num_steps, num_labels)."""
    activity = np.zeros((steps.num_steps, num_labels), np.float32)
    for part, label in zip(parts, labels, strict=True):
        activity[:, label] = np.maximum(activity[:, label], part_activity(part, steps))
    return activity


@dataclass(frozen=True, kw_only=True)
class AuxiliaryTargets:
    """What is given with each window behind its target, in this order.

    Attributes
    ----------
    labels : bool
        Which labels are heard, float32 (batch, n_labels).
    steps : ActivitySteps or None
        When each label sounds, float32 (batch, num_steps, n_labels); None: not.
    """

    labels: bool = False
    steps: ActivitySteps | None = None

    def __bool__(self) -> bool:
        return self.labels or self.steps is not None

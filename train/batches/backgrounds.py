"""Backgrounds under training windows: recordings of one label, such as noise, quietly under those of the others.

Noise of a street is heard with a voice in it more often than without. A model that never trained on both takes the
noise's sources for the label.
"""

from __future__ import annotations

import numpy as np

from train.batches.augment import PEAK_LIMIT
from train.batches.clip_draw import ClipDraw

BACKGROUND_PROBABILITY = 0.5
BACKGROUND_SNR_RANGE_DB = (5.0, 30.0)  # of the window over its background; below, the label would be a matter of taste


class Backgrounds:
    """Mixes clips of one label under windows of the others.

    Parameters
    ----------
    clips : ClipDraw
        The clips of the training side.
    label : int
        Number of the label whose clips are the backgrounds.
    """

    def __init__(self, clips: ClipDraw, label: int) -> None:
        self._clips, self._label = clips, label

    def under(self, window: np.ndarray, place: int, rng: np.random.Generator, vary: bool) -> np.ndarray:
        """Return a window with a background under it, or as it is: by chance, and where either has no sound.

        Parameters
        ----------
        window : np.ndarray
            float32 (window_length,), cut from the clip at `place`; one of the backgrounds' label stays as it is.
        place : int
        rng : np.random.Generator
        vary : bool
            Whether the background is varied in speed.

        Returns
        -------
        np.ndarray
            float32 (window_length,), turned down where the peak would pass 0.999.
        """
        if self._clips.label_of[place] == self._label or rng.random() >= BACKGROUND_PROBABILITY:
            return window
        background = self._clips.cut(int(self._clips.draw(self._label, 1, rng)[0]), rng, vary)
        ratio = float(np.linalg.norm(window)) / max(float(np.linalg.norm(background)), 1e-30)
        if not background.any() or ratio == 0.0:
            return window
        gain = ratio * 10.0 ** (-rng.uniform(*BACKGROUND_SNR_RANGE_DB) / 20.0)
        mixed: np.ndarray = window + background * np.float32(gain)
        peak = float(np.abs(mixed).max())
        return mixed * np.float32(PEAK_LIMIT / peak) if peak > PEAK_LIMIT else mixed

"""Patches of a spectrogram, which a network hears one by one, and what they say together.

Axis order: rows (batch, frames, bands); patches (batch * patches, frames, bands, 1), those of a window side by side.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from train.layers.saved_names import saved_by_name


def patch_starts(num_frames: int, patch_frames: int) -> tuple[int, ...]:
    """Return where patches begin that cover the frames, evenly spread, about as many as fit side by side.

    Raises
    ------
    ValueError
        Fewer frames than one patch has.
    """
    spare = num_frames - patch_frames
    if spare < 0:
        raise ValueError(f"a window has {num_frames} frames; expected at least the {patch_frames} of a patch")
    count = 1 + round(spare / patch_frames)
    return tuple(int(start) for start in np.linspace(0, spare, count).round())


FLATTEST = 1e-3  # below this feature the slope of its root no longer rises in training: at 0 it would have no end


@saved_by_name
class Patches(keras.layers.Layer):
    """Cut patches and lay them into the batch.

    Parameters
    ----------
    starts : sequence of int
        Frames.
    patch_frames : int
    """

    def __init__(self, starts: Any, patch_frames: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.starts, self.patch_frames = tuple(starts), patch_frames

    def call(self, rows: Any) -> Any:
        """Return (batch * patches, patch_frames, bands, 1) of (batch, frames, bands), and of samples likewise."""
        cut = [rows[:, start : start + self.patch_frames] for start in self.starts]
        side_by_side = cut[0] if len(cut) == 1 else ops.concatenate(cut, axis=1)
        return ops.reshape(side_by_side, (-1, self.patch_frames, *rows.shape[2:], 1))

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "starts": self.starts, "patch_frames": self.patch_frames}


@saved_by_name
class PooledPatches(keras.layers.Layer):
    """Take mean and maximum of what the patches of a window give, of a single patch that itself, and their roots.

    Features behind a ReLU are many small values and a few large ones. Their square roots tell labels apart better: on
    ESC-10 1.6 points more windows of inner folds are right.

    Parameters
    ----------
    num_patches : int
    roots : bool
        Take roots; without them values may be below 0.
    """

    def __init__(self, num_patches: int, roots: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_patches, self.roots = num_patches, roots

    def call(self, embeddings: Any, training: bool | None = None) -> Any:
        """Return (batch, 2 * channels), the means first, of (batch * patches, channels)."""
        pooled = embeddings
        if self.num_patches > 1:
            of_window = ops.reshape(embeddings, (-1, self.num_patches, embeddings.shape[1]))
            pooled = ops.concatenate([ops.mean(of_window, axis=1), ops.max(of_window, axis=1)], axis=1)
        return _roots(pooled, training) if self.roots else pooled

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "num_patches": self.num_patches, "roots": self.roots}


def _roots(features: Any, training: bool | None) -> Any:
    """Square roots; while training with slopes that have an end."""
    if not training:
        return ops.sqrt(features)
    smooth = ops.sqrt(features + FLATTEST)
    return smooth + ops.stop_gradient(ops.sqrt(features) - smooth)

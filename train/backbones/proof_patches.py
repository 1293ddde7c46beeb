"""What a translated network is tried on: patches of made sounds, as the file takes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from train.backbones.patch_input import PatchInput

_SEED = 20
_RISE = 3.0  # by how much a tone's frequency grows over a patch


def proof_patches(takes: PatchInput) -> npt.NDArray[np.float32]:
    """Return patches float32 (6, *takes.shape): loud and quiet noise, a rising tone, a click, silence, random numbers.

    All but the last are sounds, through the front end of the network.
    """
    import keras

    from train.backbones.front_layers import rows_of
    from train.layers.patches import Patches

    rng = np.random.default_rng(_SEED)
    count = takes.patch_length
    seconds = np.arange(count) / takes.sample_rate
    click = np.zeros(count)
    click[count // 3] = 0.9
    tone = 0.4 * np.sin(2 * np.pi * 220.0 * seconds * (1 + _RISE * np.linspace(0, 1, count)))
    sounds = [0.3 * rng.standard_normal(count), 0.003 * rng.standard_normal(count), tone, click, np.zeros(count)]
    audio = keras.Input((count,))
    rows = rows_of(audio, takes.front_end, takes.sample_rate, takes.log_is_inside)
    cut: Any = Patches((0,), takes.patch_shape[0])(rows)
    laid = keras.Model(audio, takes.laid_out(cut)).predict_on_batch(np.clip(sounds, -1, 1).astype(np.float32))
    laid = np.asarray(laid)
    spread = rng.uniform(laid.min(), laid.max(), takes.shape).astype(np.float32)
    return np.concatenate([laid, spread[np.newaxis]])

"""Keras' backend for a training: seeded so that runs are equal, and what it computes on."""

from __future__ import annotations

import os

from train.backend import load_keras, native_output_to

__all__ = ["has_accelerator", "load_keras", "native_output_to", "seed_everything"]


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and the backend, so that two runs on one machine are equal."""
    os.environ.setdefault("TF_DETERMINISTIC_OPS", "1")
    load_keras().utils.set_random_seed(seed)


def has_accelerator() -> bool:
    """Whether the backend computes on something else than the processor, as far as Keras knows: not under torch."""
    keras = load_keras()
    if keras.backend.backend() == "torch":
        return False
    return any(not device.startswith("cpu") for device in keras.distribution.list_devices())

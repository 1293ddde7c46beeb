"""What is left of a compression in a file: its kernels, read from its bytes."""

from __future__ import annotations

from typing import Any

import numpy as np

from convert.compression.settings import CompressionSettings
from convert.graph.float_scope import RecipeUnfitError
from convert.graph.rewrite_check import Rewrite
from convert.graph.weight_statistics import KernelStatistics, find_kernels, kernel_statistics


def kernels_rewrite(content: bytes, kernels: dict[str, np.ndarray], settings: CompressionSettings) -> Rewrite:
    """Return in how many layers the compression is found in a file; parameters as for `held_kernels`.

    Raises
    ------
    RecipeUnfitError
        In none.
    """
    held = held_kernels(content, kernels, settings)
    left = tuple(kernel["layer"] for kernel in held if not kernel["held"])
    what = {"qat": "kernels as trained with roundings", "prune": "kernels pruned", "cluster": "kernels clustered"}
    found = Rewrite(what=what[settings.kind], done=len(held) - len(left), total=len(held), left=left)
    if not found.done:
        raise RecipeUnfitError(
            f"nothing of the compression is in the file ({found.sentence()}); convert without --compress"
        )
    return found


def held_kernels(content: bytes, kernels: dict[str, np.ndarray], settings: CompressionSettings) -> list[dict[str, Any]]:
    """Return, for each compressed layer, what its kernel is like in a file, and whether the compression held there.

    Parameters
    ----------
    content : bytes
        The `.tflite`.
    kernels : dict of str to np.ndarray
        Of the compressed Keras layers by name, output channels last.
    settings : CompressionSettings
    """
    found = find_kernels(kernel_statistics(content), kernels)
    return [_held(layer, kernel, found.get(layer), settings) for layer, kernel in kernels.items()]


def _held(
    layer: str, kernel: np.ndarray, shown: KernelStatistics | None, settings: CompressionSettings
) -> dict[str, Any]:
    """Judge what a file has of a layer's kernel."""
    rows = np.moveaxis(kernel, -1, 0).reshape(kernel.shape[-1], -1)
    held = shown is not None
    if shown is not None and settings.kind == "prune":
        held = not shown.values[rows == 0].any()
    elif shown is not None and settings.kind == "cluster":
        held = shown.distinct <= settings.clusters
    return {
        "layer": layer,
        "held": held,
        "sparsity": 0.0 if shown is None else shown.sparsity,
        "distinct": 0 if shown is None else shown.distinct,
    }

"""What a compression cost and bought: accuracy against the model it began with, and the kernels of the files."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from convert.compression.compress import CompressedRun, CompressionSettings
from convert.compression.tf_keras_twin import keras_weights
from convert.graph.float_scope import RecipeUnfitError
from convert.graph.rewrite_check import Rewrite
from convert.graph.weight_statistics import KernelStatistics, find_kernels, gzip_size, kernel_statistics
from edge_runtime.parity.levels import DEFAULT_RECIPE_TOLERANCE, recipe_parity
from metadata.plural import counted
from train.evaluation.evaluate import score_thresholds
from train.evaluation.evaluation_text import SHARE_NAMES
from train.evaluation.predict import predict
from train.evaluation.rotated_windows import heard_again


def describe_compression(run: CompressedRun, files: Sequence[Path]) -> dict[str, Any]:
    """Return what was measured, ready for JSON.

    Parameters
    ----------
    run : CompressedRun
    files : sequence of Path
        What was converted from it.

    Returns
    -------
    dict
        settings and history; measure: what the share of right windows is called; parity: the compressed against the
        original Keras model on the test windows, heard again where they are few, at the same thresholds (level 3);
        files: per file its size, the size gzip makes of it, and its compressed kernels; passed: whether the parity and
        every kernel holds.
    """
    cut = heard_again(run.test_windows())
    before, after = predict(run.begun_with.model, cut.windows), predict(run.model, cut.windows)
    name, thresholds = f"{run.spec.name} against the model it was made from", score_thresholds(run.spec)
    parity = recipe_parity(before, after, cut.truth, cut.groups, DEFAULT_RECIPE_TOLERANCE, name, thresholds)
    described = [_describe_file(run, path) for path in files]
    return {
        "settings": dataclasses.asdict(run.compression),
        "measure": SHARE_NAMES[run.spec.activation],
        "history": run.history,
        "parity": parity.as_dict(),
        "files": described,
        "passed": parity.passed and all(kernel["held"] for file in described for kernel in file["kernels"]),
    }


def compression_notes(compression: dict[str, Any] | None) -> list[str]:
    """Return lines for people; none where nothing was compressed."""
    if compression is None:
        return []
    measures, kind = compression["parity"]["measures"], compression["settings"]["kind"]
    lines = [
        "",
        f"{kind}, {counted(compression['settings']['epochs'], 'epoch')}: Keras window {compression['measure']} "
        f"{measures['float_accuracy']:.1%} before and {measures['accuracy']:.1%} after, "
        f"{measures['decision_agreement']:.1%} of {counted(compression['parity']['num_windows'], 'decision')} equal.",
    ]
    for file in compression["files"]:
        kernels = file["kernels"]
        found = {
            "qat": "trained with 8-bit roundings",
            "prune": f"{min(kernel['sparsity'] for kernel in kernels):.1%} zeros or more",
            "cluster": f"{counted(max(kernel['distinct'] for kernel in kernels), 'value')} a channel at most",
        }
        sizes = f"{file['size_bytes'] / 1000:.0f} kB, {file['gzip_bytes'] / 1000:.0f} kB by gzip"
        lines.append(f"{file['file']}: {sizes}; {counted(len(kernels), 'kernel')}, {found[kind]}.")
        lines += [f"FAIL {kernel['layer']} is not compressed in it" for kernel in kernels if not kernel["held"]]
    if not compression["parity"]["passed"]:
        lines.append(f"FAIL {compression['parity']['name']}: tolerance {compression['parity']['tolerance']}")
    return lines


def compression_rewrite(run: CompressedRun, content: bytes) -> Rewrite:
    """Return in how many layers the compression is found in a file.

    Raises
    ------
    RecipeUnfitError
        In none.
    """
    weights = keras_weights(run.model)
    kernels = held_kernels(content, {layer: weights[layer]["kernel"] for layer in run.layers}, run.compression)
    left = tuple(kernel["layer"] for kernel in kernels if not kernel["held"])
    what = {"qat": "kernels as trained with roundings", "prune": "kernels pruned", "cluster": "kernels clustered"}
    found = Rewrite(what=what[run.compression.kind], done=len(kernels) - len(left), total=len(kernels), left=left)
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


def _describe_file(run: CompressedRun, path: Path) -> dict[str, Any]:
    """Everything about one file."""
    content, weights = path.read_bytes(), keras_weights(run.model)
    kernels = {layer: weights[layer]["kernel"] for layer in run.layers}
    return {
        "file": path.name,
        "size_bytes": len(content),
        "gzip_bytes": gzip_size(content),
        "kernels": held_kernels(content, kernels, run.compression),
    }


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

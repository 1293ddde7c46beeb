"""What a compression cost and bought: accuracy against the model it began with, and the kernels of the files."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from convert.compression.compressed_kernels import held_kernels
from convert.compression.compressed_run import CompressedRun
from convert.graph.weight_statistics import gzip_size
from edge_runtime.parity.level_text import shortfalls
from edge_runtime.parity.levels import DEFAULT_RECIPE_TOLERANCE, recipe_parity
from metadata.plural import counted
from train.evaluation.evaluate import score_thresholds
from train.evaluation.evaluation_text import SHARE_NAMES
from train.evaluation.predict import predict
from train.evaluation.rotated_windows import with_rotated_windows


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
        original Keras model on the test windows, rotated ones too where they are few, at the same thresholds (level 3);
        files: per file its size, the size gzip makes of it, and its compressed kernels; passed: whether the parity and
        every kernel holds.
    """
    cut = with_rotated_windows(run.test_windows())
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
        lines.append(
            f"FAIL {compression['parity']['name']}: {'; '.join(shortfalls(compression['parity']))}. It decides "
            "differently: compress a model whose training is finished, or give --compress-epochs more"
        )
    return lines


def _describe_file(run: CompressedRun, path: Path) -> dict[str, Any]:
    """Everything about one file."""
    content = path.read_bytes()
    return {
        "file": path.name,
        "size_bytes": len(content),
        "gzip_bytes": gzip_size(content),
        "kernels": held_kernels(content, run.kernels(), run.compression),
    }

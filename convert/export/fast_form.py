"""The form of a trained model that is exported: the same scores from fewer and better shaped operations."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from convert.export.layer_chain import Link, build_chain, read_chain
from convert.export.norm_folding import fold_norms
from convert.export.polyphase import regroup_first_layer
from convert.graph.weight_statistics import find_kernels, kernel_statistics
from metadata.plural import counted

WITH_KERNEL = ("Conv1D", "Conv2D", "Dense")
TRAINING_ONLY = ("Dropout", "SpatialDropout1D", "SpatialDropout2D")


def fast_form(model: Any) -> tuple[Any, str]:
    """Return an equal model that runs faster, and what could not be made faster.

    Parameters
    ----------
    model : keras.Model

    Returns
    -------
    keras.Model
        `model` itself where nothing changes, as for any model that is not one chain of layers.
    str
        Sentences for people; empty where there is nothing to say.

    Notes
    -----
    Scores agree to rounding (1e-5, parity level 2). Layers that did not change are those of `model` themselves.
    """
    links = read_chain(model)
    if links is None:
        return model, ""
    folded = fold_norms([link for link in links if link.kind not in TRAINING_ONLY])
    regrouped, note = regroup_first_layer(folded)
    kept = {id(link) for link in links}
    changed = any(id(link) not in kept for link in regrouped)
    notes = [one for one in (note, _unfolded(links, regrouped)) if one]
    return (build_chain(model, regrouped) if changed else model), "; ".join(notes)


def check_fast_form(model: Any, fast: Any, content: bytes) -> str:
    """Check that what the fast form changed is in the file that was exported from it.

    Parameters
    ----------
    model, fast : keras.Model
        Given to `fast_form`, and what it returned.
    content : bytes
        The float `.tflite`.

    Returns
    -------
    str
        Which layers of it are not found there; empty where all are.

    Raises
    ------
    RuntimeError
        Not one of them is there.
    """
    own = {id(layer) for layer in model.layers}
    changed = [layer for layer in fast.layers if id(layer) not in own and type(layer).__name__ in WITH_KERNEL]
    kernels = {layer.name: np.asarray(layer.kernel) for layer in changed}
    missing = sorted(kernels.keys() - find_kernels(kernel_statistics(content), kernels).keys())
    if not missing:
        return ""
    told = (
        f"{len(missing)} of {counted(len(kernels), 'layer')} are not in the file in their fast form: "
        f"{', '.join(missing)}"
    )
    if len(missing) == len(kernels):
        raise RuntimeError(f"{told}; expected the export of {fast.name}")
    return told


def _unfolded(links: Sequence[Link], after: Sequence[Link]) -> str:
    """Return which normalizations behind a ReLU stay, where a converter cannot fold them either."""
    left = {id(link.layer) for link in after}
    behind = [
        norm.layer
        for convolution, norm in itertools.pairwise(links)
        if norm.kind == "BatchNormalization" and convolution.layer.get_config().get("activation") == "relu"
    ]
    names = [layer.name for layer in behind if id(layer) in left]
    if not names:
        return ""
    return (
        f"{len(names)} of {counted(len(behind), 'normalization')} stay a product and a sum of their own: "
        f"{', '.join(names)}"
    )

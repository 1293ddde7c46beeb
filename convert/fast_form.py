"""The form of a trained model that is exported: the same scores from fewer and better shaped operations."""

from __future__ import annotations

from typing import Any

from convert.layer_chain import build_chain, read_chain
from convert.norm_folding import fold_norms
from convert.polyphase import regroup_first_layer

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
        A sentence for people; empty where there is nothing to say.

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
    return (build_chain(model, regrouped) if changed else model), note

"""The layer of a Keras model whose values are an embedding: found by name, cut out, and what is known of its values."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence
from typing import Any

from train.backbones.patch_input import PatchInput

PREFIX = "backbone_"  # of the layers' names in what is trained on it, so that none is called as one of ours
_FEWEST, _MOST_SHOWN = 8, 12  # values of an embedding that is worth naming; names in a message


def embedding_tensor(model: Any, name: str | None) -> Any:
    """Return the output of the layer that is an embedding.

    Raises
    ------
    ValueError
        No name, or no layer of that name; the nearest ones, and those that could be an embedding, are listed.
    """
    layers = {layer.name: layer for layer in model.layers}
    if name is None:
        raise ValueError(f"name the layer of its embedding: --embedding LAYER; {_candidates(model)}")
    if name not in layers:
        raise ValueError(f"it has no layer {name!r}{nearest_names(name, layers)}; {_candidates(model)}")
    output = layers[name].output
    if isinstance(output, (list, tuple, dict)) or None in output.shape[1:] or len(output.shape) < 2:
        raise ValueError(f"the layer {name} puts out no map of fixed size; {_candidates(model)}")
    return output


def nearest_names(name: str, names: Iterable[str]) -> str:
    """Return "; the nearest are A, B" for a name that is not there; empty where none is near."""
    near = difflib.get_close_matches(name, list(names), n=3)
    return f"; the nearest are {', '.join(near)}" if near else ""


def listed_candidates(found: Sequence[tuple[str, int]]) -> str:
    """Return names with the number of values of each, the last first, as a message lists them."""
    shown = ", ".join(f"{name} ({count})" for name, count in list(found)[::-1][:_MOST_SHOWN])
    return f"what could be one, and how many values it has, the last first: {shown or 'nothing'}"


def embedding_network(start: Any, embedding: Any, takes: PatchInput, name: str) -> Any:
    """Return a Keras model from patches to embeddings; a map of several positions is averaged over them.

    Parameters
    ----------
    start, embedding : Keras tensors
        Of one model: what the network takes, and what it says.
    takes : PatchInput
    name : str

    Returns
    -------
    keras.Model
        Its layers are copies with names of their own.
    """
    import keras

    found = keras.Model(start, embedding)
    copy = keras.models.clone_model(found, clone_function=_renamed)
    copy.set_weights(found.get_weights())
    patches = keras.Input(takes.patch_shape, name="patch")
    x = inlined(copy, takes.laid_out(patches))
    if len(x.shape) > 2:
        x = keras.layers.Reshape((math.prod(x.shape[1:-1]), x.shape[-1]), name="positions")(x)
        x = keras.layers.GlobalAveragePooling1D(name="embedding")(x)
    return keras.Model(patches, x, name=name)


def inlined(network: Any, x: Any) -> Any:
    """Return what the layers of a Keras model make of a Keras tensor, each a layer of the model that is being built."""
    import keras

    return keras.Function.call(network, x)  # network.call puts an operation before them: that is no chain of layers


def _renamed(layer: Any) -> Any:
    """A copy of a layer under a name that none of ours has."""
    return type(layer).from_config({**layer.get_config(), "name": PREFIX + layer.name})


def _candidates(model: Any) -> str:
    """Which layers could be an embedding: those with one row of values, else maps."""
    import keras

    rows: list[tuple[str, int]] = []
    maps: list[tuple[str, int]] = []
    for layer in model.layers:
        shape: tuple[int | None, ...] = tuple(getattr(getattr(layer, "output", None), "shape", ()))
        if isinstance(layer, keras.layers.InputLayer) or len(shape) < 2 or None in shape[1:]:
            continue
        sizes = [int(size or 0) for size in shape[1:]]
        if sizes[-1] >= _FEWEST:
            (rows if math.prod(sizes) == sizes[-1] else maps).append((layer.name, sizes[-1]))
    return listed_candidates(rows or maps)

"""A Keras model as a chain of layers, for rewriting it into an equal one that runs faster.

Layers that stay are used again, not copied; a rewritten one is a new layer with weights of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Shape = tuple[int | None, ...]  # batch included


@dataclass(frozen=True)
class Link:
    """One layer in its place."""

    layer: Any
    input_shape: Shape

    @property
    def kind(self) -> str:
        """Class name of a layer that Keras itself brings, an empty text for any other."""
        return type(self.layer).__name__ if type(self.layer).__module__.startswith("keras.") else ""

    def changed(self, weights: Sequence[Any], **changes: Any) -> Link:
        """Return a new layer in the same place: its settings but for `changes`, with `weights`."""
        fresh = type(self.layer).from_config({**self.layer.get_config(), **changes})
        fresh.build(self.input_shape)
        fresh.set_weights(list(weights))
        return Link(fresh, self.input_shape)


def read_chain(model: Any) -> list[Link] | None:
    """Return the layers from input to output, without the input layer; None where the model is no simple chain."""
    import keras

    if len(model.inputs) != 1 or len(model.outputs) != 1:
        return None
    flow = model.inputs[0]
    links = []
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        if layer.input is not flow:
            return None
        links.append(Link(layer, tuple(flow.shape)))
        flow = layer.output
    return links if flow is model.outputs[0] else None


def build_chain(model: Any, links: Sequence[Link]) -> Any:
    """Return a model with the name and input of `model` and the layers of `links`."""
    import keras

    audio = model.inputs[0]
    start = x = keras.Input(batch_shape=audio.shape, dtype=audio.dtype, name=audio.name)
    for link in links:
        x = link.layer(x)
    return keras.Model(start, x, name=model.name)

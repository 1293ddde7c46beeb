"""Which layers of a twin the training-time compressions change: those between the first and the last with weights.

The same rule as for the 8-bit recipes (`convert.graph.float_scope`): the first layer reads samples or decades of power
and the last one gives the scores; both are small and both lose most.
"""

from __future__ import annotations

from typing import Any

from metadata.plural import counted

WEIGHTED_KINDS = ("Conv2D", "DepthwiseConv2D", "Dense")


def body_span(network: Any) -> tuple[int, int]:
    """Return the positions in `network.layers` of the body's first layer and of the one behind its end.

    Raises
    ------
    ValueError
        The network has fewer than three layers with a kernel.
    """
    weighted = [place for place, layer in enumerate(network.layers) if type(layer).__name__ in WEIGHTED_KINDS]
    if len(weighted) < 3:
        raise ValueError(
            f"{network.name} has {counted(len(weighted), 'layer')} with a kernel; the first and the last are left as "
            "they are, "
            f"so expected at least 3"
        )
    return weighted[1], weighted[-1]


def compressed_layers(network: Any) -> list[str]:
    """Return the names of the layers whose kernel is pruned, clustered or quantized."""
    first, end = body_span(network)
    return [layer.name for layer in network.layers[first:end] if type(layer).__name__ in WEIGHTED_KINDS]

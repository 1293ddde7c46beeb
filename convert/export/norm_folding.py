"""Batch normalizations behind a ReLU, taken out of the graph exactly.

A converter folds a normalization into the convolution before it, which the ReLU between them forbids: the published
waveform CNN then multiplies and adds 255,000 values behind its first convolution alone. With g the normalization's
scale and b its shift, a channel puts out g * relu(y) + b, and:

- g >= 0: g * relu(y) = relu(g * y), so g goes into the convolution before. A max pooling does not disturb that.
- g < 0: g * relu(y) = -relu(-g * y): -g goes into the convolution before, the sign into the layer behind.
- The shift goes through the pooling into the bias of the next layer with weights, if that pads nothing.
- A ReLU behind the pooling, g >= 0: relu(p + b) with p >= 0 is c + relu(p' - (c - b)), c = relu(b): the difference goes
  into the bias before (max(y, 0) moves with it), c into the bias behind.
- A ReLU behind it, g < 0: relu(b + min(v, 0)), v = g * y pooled, is min(relu(v + b), relu(b)): one minimum.

What fits none of these stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convert.export.layer_chain import Link

CONVOLUTIONS = ("Conv1D", "Conv2D")
POOLS = ("MaxPooling1D", "MaxPooling2D")
Array = np.ndarray


@dataclass(frozen=True)
class Folded:
    """What takes the place of a normalization, channel by channel."""

    scale: Array  # of the weights and the bias before
    shift: Array  # added to the bias before, after scaling
    sign: Array  # of the weights behind, 1 or -1
    constant: Array  # what the layer behind receives in addition
    limit: Array | None  # smallest value that may pass, None where nothing is cut


def fold_norms(links: Sequence[Link]) -> list[Link]:
    """Return a chain that computes the same with as few normalizations as possible.

    Parameters
    ----------
    links : sequence of Link
        From `read_chain`.
    """
    done = list(links)
    for position in range(len(done)):
        done[position:] = _fold_at(done[position:])
    return done


def _fold_at(links: list[Link]) -> list[Link]:
    """Fold the normalization behind the first of these layers, if all stand in the one order that is known."""
    if len(links) < 3 or not (_is_convolution(links[0]) and _normalizes_channels(links[1])):
        return links
    convolution, norm, *rest = links
    if convolution.layer.get_config()["activation"] != "relu":
        return links
    pools = _first(rest, lambda link: link.kind in POOLS)
    relus = _first(rest[len(pools) :], _is_plain_relu)
    flats = _first(rest[len(pools) + len(relus) :], lambda link: link.kind == "Flatten")
    behind = rest[len(pools) + len(relus) + len(flats) :]
    folded = _split(*_scale_and_shift(norm.layer), bool(pools), bool(relus))
    if folded is None or not behind or not _takes_constants(behind[0], bool(flats)):
        return links
    limits = [] if folded.limit is None else [_upper_limit(norm, folded.limit)]
    return [_before(convolution, folded), *pools, *limits, *flats, _behind(behind[0], folded), *behind[1:]]


def _split(scale: Array, shift: Array, pooled: bool, relu_behind: bool) -> Folded | None:
    """Return where a normalization's scale and shift go; None where they must stay."""
    negative, zeros = scale < 0, np.zeros_like(shift)
    if not relu_behind:
        if pooled and negative.any():
            return None  # the largest value would come from the smallest before
        return Folded(np.abs(scale), zeros, np.where(negative, -1.0, 1.0), shift, None)
    ceiling = np.maximum(shift, 0.0)
    constant = np.where(negative, 0.0, ceiling)
    limit = np.where(negative, ceiling, np.inf) if negative.any() else None
    return Folded(scale, shift - constant, np.ones_like(scale), constant, limit)


def _scale_and_shift(norm: Any) -> tuple[Array, Array]:
    """Return what a trained normalization multiplies with and adds, float64 (n_channels,)."""
    weights = [np.asarray(one, np.float64) for one in norm.get_weights()]
    gamma = weights.pop(0) if norm.scale else 1.0
    beta = weights.pop(0) if norm.center else 0.0
    mean, variance = weights
    scale = gamma / np.sqrt(variance + norm.epsilon)
    return scale, beta - mean * scale


def _before(convolution: Link, folded: Folded) -> Link:
    """Return the convolution whose output is scaled and shifted."""
    kernel, bias = _kernel_and_bias(convolution.layer)
    return convolution.changed([kernel * folded.scale, bias * folded.scale + folded.shift], use_bias=True)


def _behind(link: Link, folded: Folded) -> Link:
    """Return the layer behind, its input's sign and constant taken into its weights."""
    kernel, bias = _kernel_and_bias(link.layer)
    places = kernel.shape[-2] // len(folded.sign)  # a flattened input repeats its channels
    sign, constant = np.tile(folded.sign, places), np.tile(folded.constant, places)
    added = (kernel * constant[:, None]).reshape(-1, kernel.shape[-1]).sum(axis=0)
    return link.changed([kernel * sign[:, None], bias + added], use_bias=True)


def _kernel_and_bias(layer: Any) -> tuple[Array, Array]:
    """Return the weights of a layer, float64; its bias is 0 where it has none."""
    kernel, *bias = [np.asarray(one, np.float64) for one in layer.get_weights()]
    return kernel, bias[0] if bias else np.zeros(kernel.shape[-1])


def _upper_limit(norm: Link, limit: Array) -> Link:
    """Return the layer that cuts each channel at its limit."""
    from convert.export.upper_limit import UpperLimit

    return Link(UpperLimit(limit, name=norm.layer.name), norm.input_shape)


def _is_convolution(link: Link) -> bool:
    """Whether a layer is a plain convolution over all its input channels, channels last."""
    return link.kind in CONVOLUTIONS and link.layer.groups == 1 and link.layer.data_format == "channels_last"


def _normalizes_channels(link: Link) -> bool:
    """Whether a layer is a batch normalization over the last axis."""
    return link.kind == "BatchNormalization" and link.layer.axis in (-1, len(link.input_shape) - 1)


def _is_plain_relu(link: Link) -> bool:
    """Whether a layer is a ReLU without slope, threshold or cap."""
    if link.kind != "ReLU":
        return False
    settings = link.layer.get_config()
    return not settings["negative_slope"] and not settings["threshold"] and settings["max_value"] is None


def _takes_constants(link: Link, flattened: bool) -> bool:
    """Whether a constant in each channel of the input only moves the bias: no padding adds zeros beside it."""
    if flattened:
        return link.kind == "Dense"
    return _is_convolution(link) and link.layer.padding == "valid"


def _first(links: Sequence[Link], belongs: Callable[[Link], bool]) -> list[Link]:
    """Return the first layer as a list, empty if it does not belong."""
    return [link for link in links[:1] if belongs(link)]

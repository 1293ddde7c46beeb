"""A convolution over one channel, regrouped into a faster one with the same result.

Kernels of LiteRT work on several channels of a tap at once; with one channel, int8 kernels do eight times the work.
So the samples are cut into blocks of B, which become B channels of one step. R = B / stride outputs fall into a step:
they become R phases of each filter, side by side among the output channels, and every phase is the same kernel moved by
one stride within ceil(((R - 1) * stride + taps) / B) blocks, zeros around it. The result, read row by row, is the
result of the plain convolution in its order, so that a pooling behind it needs no change.

    y[R * j + r] = sum over k of w[k] * x[B * j + stride * r + k]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convert.export.layer_chain import Link

LANES = 8  # channels that an int8 kernel pads each tap to
MAX_PHASES = 16
POINTWISE = ("BatchNormalization", "ReLU")  # may stand between a convolution and its pooling
MAX_GROWTH = 1.5  # times the multiplications: more would cost the float kernels what the 8-bit ones gain


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """How one convolution is regrouped.

    Attributes
    ----------
    taps, stride : int
        Samples, of the plain convolution.
    phases : int
        Outputs a step, R.
    """

    taps: int
    stride: int
    phases: int

    @property
    def block(self) -> int:
        """Samples a step: the channels of the regrouped input."""
        return self.phases * self.stride

    @property
    def block_taps(self) -> int:
        """Steps that the regrouped kernel spans."""
        return -(-((self.phases - 1) * self.stride + self.taps) // self.block)

    @property
    def growth(self) -> float:
        """Multiplications over those of the plain convolution."""
        return self.block_taps * self.block / self.taps

    @property
    def lane_cost(self) -> int:
        """Multiplications an output of one filter, the padding to whole lanes included."""
        return self.block_taps * -(-self.block // LANES) * LANES


def choose_grouping(taps: int, stride: int) -> Grouping | None:
    """Return the grouping that costs the fewest multiplications, padding included; None where none pays.

    Parameters
    ----------
    taps, stride : int
        Samples, of a convolution over one channel.

    Notes
    -----
    64 taps at stride 2 give blocks of 8 samples, four phases, nine taps: 1.125 times the multiplications.
    """
    candidates = [Grouping(taps=taps, stride=stride, phases=phases) for phases in range(2, MAX_PHASES + 1)]
    best = min(candidates, key=lambda one: (one.lane_cost, one.phases))
    return best if best.growth <= MAX_GROWTH else None


def regroup_kernel(kernel: np.ndarray, grouping: Grouping) -> np.ndarray:
    """Return the regrouped kernel.

    Parameters
    ----------
    kernel : np.ndarray
        (taps, 1, n_filters).
    grouping : Grouping

    Returns
    -------
    np.ndarray
        (block_taps, block, phases * n_filters), filters of one phase side by side.
    """
    taps, _, filters = kernel.shape
    spread = np.zeros((grouping.block_taps * grouping.block, grouping.phases, filters), kernel.dtype)
    for phase in range(grouping.phases):
        begin = phase * grouping.stride
        spread[begin : begin + taps, phase] = kernel[:, 0]
    return spread.reshape(grouping.block_taps, grouping.block, -1)


def regroup_first_layer(links: Sequence[Link]) -> tuple[list[Link], str]:
    """Return a chain with its first convolution regrouped, and why it is not, if so.

    Parameters
    ----------
    links : sequence of Link
        From `read_chain`.

    Returns
    -------
    list of Link
        The same layers where there is nothing to regroup.
    str
        Empty where it was regrouped, or where no Conv1D over one channel comes first.
    """
    links = list(links)
    place = next((number for number, link in enumerate(links) if link.layer.weights), None)
    if place is None or links[place].kind != "Conv1D" or links[place].input_shape[-1] != 1:
        return links, ""
    layer = links[place].layer
    taps, stride = layer.kernel_size[0], layer.strides[0]
    reason = _obstacle(layer)
    grouping = choose_grouping(taps, stride)
    if reason or grouping is None:
        reason = reason or f"{taps} taps at stride {stride} are too few to gain"
        return links, f"{layer.name} stays as it is, not regrouped: {reason}"
    return [*links[:place], *_regrouped(links[place], grouping, _pool(links[place + 1 :])), *links[place + 1 :]], ""


def _obstacle(layer: Any) -> str:
    """Return what stands in the way of regrouping a layer, empty if nothing does."""
    if layer.dilation_rate[0] != 1:
        return f"its taps are {layer.dilation_rate[0]} samples apart"
    if layer.data_format != "channels_last":
        return f"its channels come first ({layer.data_format})"
    if layer.padding != "valid":
        return f"its padding is {layer.padding}, which adds zeros to the samples; expected valid"
    return ""


def _pool(links: Sequence[Link]) -> int:
    """Return how many outputs the next pooling takes into one without overlap or padding, 1 if it does not."""
    behind = [link for link in links if link.kind not in POINTWISE]
    if not behind or behind[0].kind != "MaxPooling1D":
        return 1
    layer = behind[0].layer
    disjoint = layer.pool_size == layer.strides and layer.padding == "valid"
    return int(layer.pool_size[0]) if disjoint else 1


def _regrouped(link: Link, grouping: Grouping, pool: int) -> list[Link]:
    """Return the layers that take the place of a convolution.

    What a pooling would drop is not computed. Rows beyond the last output are cut off, unless the pooling drops them.
    """
    import keras

    from convert.export.export_layers import SampleBlocks

    layer, num_samples = link.layer, link.input_shape[1]
    assert num_samples is not None  # only windows of a fixed length are grouped
    outputs = ((num_samples - grouping.taps) // grouping.stride + 1) // pool * pool
    steps = -(-outputs // grouping.phases)
    blocks, filters, surplus = steps + grouping.block_taps - 1, layer.filters, steps * grouping.phases - outputs
    kernel, *bias = layer.get_weights()
    cut = SampleBlocks(blocks, grouping.block, name=f"{layer.name}_blocks")
    fast = Link(layer, (None, blocks, grouping.block)).changed(
        [regroup_kernel(kernel, grouping), *[np.tile(one, grouping.phases) for one in bias]],
        filters=filters * grouping.phases,
        kernel_size=grouping.block_taps,
        strides=1,
    )
    rows = keras.layers.Reshape((steps * grouping.phases, filters), name=f"{layer.name}_phases")
    row_links = [Link(rows, (None, steps, filters * grouping.phases))]
    if surplus >= pool:
        ends = keras.layers.Cropping1D((0, surplus), name=f"{layer.name}_surplus")
        row_links.append(Link(ends, (None, steps * grouping.phases, filters)))
    return [Link(cut, link.input_shape), fast, *row_links]

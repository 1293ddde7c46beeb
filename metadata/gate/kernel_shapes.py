"""The shapes that convolutions, pools and matrix products put out, and what their weights must be.

Each function takes an `OperatorCall` and returns the shapes of the outputs, None where they are known only when the
model runs. Convolutions are in TFLite's order: batch, height, width, channels; filters output channels first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from metadata.gate.operator_call import OperatorCall
from metadata.plural import counted
from metadata.tflite_file.model_content import Shape

Shapes = Sequence[Shape | None] | None  # a shape is None where the values decide it

MAX_SIZE = 2**29  # values of a tensor, far below what an int holds
_VALID = 1  # padding
_MAX_STEP = 4096  # of a stride, a dilation, a filter: their product stays far below what an int holds


def convolution(call: OperatorCall) -> Shapes:
    """CONV_2D: a filter [outputs, height, width, inputs / groups]."""
    image, filters = _ranks(call, 4, 4)
    groups = _parts(call, image[3], filters[3])
    call.require(filters[0] % groups == 0, f"{filters[0]} filters in {counted(groups, 'group')}")
    _check_bias(call, filters[0])
    height, width = _slide(call, image[1:3], filters[1:3])
    return [(image[0], height, width, filters[0])]


def depthwise_convolution(call: OperatorCall) -> Shapes:
    """DEPTHWISE_CONV_2D: a filter [1, height, width, channels * multiplier]."""
    image, filters = _ranks(call, 4, 4)
    multiplier = call.number("depth_multiplier")
    call.require(
        filters[0] == 1 and multiplier >= 1 and filters[3] == image[3] * multiplier,
        f"filters [{', '.join(map(str, filters))}] and depth multiplier {multiplier}",
    )
    _check_bias(call, filters[3])
    height, width = _slide(call, image[1:3], filters[1:3])
    return [(image[0], height, width, filters[3])]


def transposed_convolution(call: OperatorCall) -> Shapes:
    """TRANSPOSE_CONV: output shape, filter [outputs, height, width, inputs], image."""
    filters, image = call.shapes[1], call.shapes[2]
    call.require(len(filters) == len(image) == 4 and filters[3] == image[3], "filters that do not fit")
    _check_bias(call, filters[0], 3)
    shape = call.integers(0)
    if shape is None:
        return None
    call.require(len(shape) == 4 and shape[0] == image[0] and shape[3] == filters[0], f"the output shape {shape}")
    call.require(_slide(call, shape[1:3], filters[1:3]) == image[1:3], f"the output shape {shape}")
    return [shape]


def volume_convolution(call: OperatorCall) -> Shapes:
    """CONV_3D: a filter [depth, height, width, inputs, outputs]."""
    volume, filters = _ranks(call, 5, 5)
    call.require(volume[4] == filters[3] and min(*volume[1:], *filters) > 0, "filters that do not fit")
    _check_bias(call, filters[4])
    sizes = _slide(call, volume[1:4], filters[:3])
    call.require(math.prod((volume[0], *sizes, *filters[:4])) <= MAX_SIZE, "patches of gigabytes")
    return [(volume[0], *sizes, filters[4])]


def transposed_volume_convolution(call: OperatorCall) -> Shapes:
    """CONV_3D_TRANSPOSE: output shape, filter [depth, height, width, outputs, inputs], volume."""
    filters, volume = call.shapes[1], call.shapes[2]
    fits = len(filters) == len(volume) == 5 and filters[4] == volume[4] and min(*volume[1:], *filters) > 0
    call.require(fits and call.shapes[0] == (5,), "filters that do not fit")
    _check_bias(call, filters[3], 3)
    call.require(math.prod((*volume[1:4], *filters[:4])) <= MAX_SIZE, "patches of gigabytes")
    shape = call.integers(0)
    if shape is None:
        return None
    call.require(shape[0] == volume[0] and shape[4] == filters[3], f"the output shape {shape}")
    call.require(_slide(call, shape[1:4], filters[:3]) == volume[1:4], f"the output shape {shape}")
    return [shape]


def pool(call: OperatorCall) -> Shapes:
    """AVERAGE_POOL_2D, MAX_POOL_2D, L2_POOL_2D."""
    image = call.shapes[0]
    call.require(len(image) == 4, "an input of another rank than 4")
    height, width = _slide(call, image[1:3], (call.number("filter_height"), call.number("filter_width")))
    return [(image[0], height, width, image[3])]


def fully_connected(call: OperatorCall) -> Shapes:
    """FULLY_CONNECTED: weights [outputs, inputs]."""
    source, weights = call.shapes[0], call.shapes[1]
    call.require(len(weights) == 2 and weights[1] > 0 and source, "weights that are no matrix")
    call.support(call.number("weights_format") == 0, "shuffled weights")
    _check_bias(call, weights[0])
    size = _product(source)
    call.require(size % weights[1] == 0, f"{size} values for weights of {weights[1]}")
    if call.flag("keep_num_dims"):
        call.require(source[-1] == weights[1], f"rows of {source[-1]} for weights of {weights[1]}")
        return [(*source[:-1], weights[0])]
    return [(size // weights[1], weights[0])]


def batch_matmul(call: OperatorCall) -> Shapes:
    """BATCH_MATMUL: the last two axes are matrices, the others are broadcast."""
    left, right = call.shapes[0], call.shapes[1]
    call.require(2 <= len(left) <= 5 and 2 <= len(right) <= 5, "matrices of another rank than 2 to 5")
    rows, inner = left[-2:] if not call.flag("adj_x") else left[:-3:-1]
    other, columns = right[-2:] if not call.flag("adj_y") else right[:-3:-1]
    call.require(inner == other, f"matrices of {inner} columns and {counted(other, 'row')}")
    return [(*broadcast(call, left[:-2], right[:-2]), rows, columns)]


def broadcast(call: OperatorCall, left: Shape, right: Shape) -> Shape:
    """Return the shape that two shapes take together: lengths of 1 are repeated."""
    short, long = sorted((left, right), key=len)
    padded = (1,) * (len(long) - len(short)) + short
    call.require(
        all(ours == theirs or 1 in (ours, theirs) for ours, theirs in zip(padded, long, strict=True)),
        "shapes that do not go together",
    )
    return tuple(theirs if ours == 1 else ours for ours, theirs in zip(padded, long, strict=True))


def _slide(call: OperatorCall, lengths: Shape, sizes: Shape) -> Shape:
    """Return the lengths of an image or a volume after a filter slid over it."""
    padding = call.number("padding")
    call.require(padding in (0, _VALID), f"padding {padding}")
    found = []
    for letter, length, size in zip("dhw"[-len(lengths) :], lengths, sizes, strict=True):
        stride, dilation = call.number(f"stride_{letter}"), call.number(f"dilation_{letter}_factor", 1)
        call.require(
            1 <= stride <= _MAX_STEP and 1 <= dilation <= _MAX_STEP and 1 <= size <= _MAX_STEP * 16,
            f"a filter of {size} with stride {stride} and dilation {dilation}",
        )
        reach = (size - 1) * dilation if padding == _VALID else 0
        call.require(length > reach, f"a filter that reaches {reach + 1} over {length}")
        found.append(-(-(length - reach) // stride))
    return tuple(found)


def _parts(call: OperatorCall, channels: int, channels_of_a_filter: int) -> int:
    """Number of groups that the channels of a convolution fall into."""
    call.require(
        channels_of_a_filter > 0 and channels > 0 and channels % channels_of_a_filter == 0,
        f"filters over {channels_of_a_filter} of {channels} channels",
    )
    return channels // channels_of_a_filter


def _check_bias(call: OperatorCall, length: int, place: int = 2) -> None:
    """Check that there is one bias an output."""
    if call.has(place):
        call.require(_product(call.shapes[place]) == length, f"{_product(call.shapes[place])} biases for {length}")


def _ranks(call: OperatorCall, *ranks: int) -> tuple[Shape, ...]:
    """Return the first shapes after checking their ranks."""
    for shape, rank in zip(call.shapes, ranks, strict=False):
        call.require(len(shape) == rank, f"an input of another rank than {rank}")
    return call.shapes[: len(ranks)]


def _product(shape: Shape) -> int:
    """Number of values."""
    product = 1
    for length in shape:
        product *= length
    return product

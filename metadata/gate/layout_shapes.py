"""The shapes that come out where values are only moved: reshaped, cut, joined, padded, repeated.

Each function takes an `OperatorCall` and returns the shapes of the outputs, None where they are known only when the
model runs.
"""

from __future__ import annotations

import math

from metadata.gate.kernel_shapes import MAX_SIZE, Shapes, broadcast
from metadata.gate.operator_call import OperatorCall


def reshape(call: OperatorCall) -> Shapes:
    """A shape with at most one open length, from the second input or the options."""
    wanted = call.integers(1) if call.has(1) else tuple(call.operator.options.get("new_shape", ()))
    if wanted is None:
        return None
    size = math.prod(call.shapes[0])
    if wanted == (0,) and size == 1 and not call.has(1):
        return [()]  # how old converters write a scalar
    fixed = math.prod(length for length in wanted if length != -1)
    call.require(wanted.count(-1) <= 1 and all(length >= -1 for length in wanted), f"the new shape {list(wanted)}")
    if -1 in wanted:
        call.require(fixed > 0 and size % fixed == 0, f"the new shape {list(wanted)}")
        return [tuple(size // fixed if length == -1 else length for length in wanted)]
    call.require(fixed == size, f"the new shape {list(wanted)}")
    return [wanted]


def transpose(call: OperatorCall) -> Shapes:
    """The axes in another order."""
    shape, order = call.shapes[0], call.integers(1)
    if order is None:
        return None
    axes = [call.axis(axis, len(shape)) for axis in order] if shape else []
    call.require(sorted(axes) == list(range(len(shape))) and len(order) == len(shape), f"the order {list(order)}")
    return [tuple(shape[axis] for axis in axes)]


def expand_dims(call: OperatorCall) -> Shapes:
    """One more axis of length 1."""
    shape, places = call.shapes[0], call.integers(1)
    if places is None:
        return None
    call.require(len(places) == 1, "several new axes")
    place = call.axis(places[0], len(shape) + 1)
    return [(*shape[:place], 1, *shape[place:])]


def squeeze(call: OperatorCall) -> Shapes:
    """Axes of length 1 fall away: those named, or all."""
    shape = call.shapes[0]
    axes = {call.axis(axis, len(shape)) for axis in call.operator.options.get("squeeze_dims", ())}
    call.require(all(shape[axis] == 1 for axis in axes), "an axis longer than 1 to leave out")
    return [
        tuple(length for axis, length in enumerate(shape) if (axis not in axes if axes else length != 1)),
    ]


def pad(call: OperatorCall) -> Shapes:
    """As many values before and behind each axis as the second input says."""
    shape, amounts = call.shapes[0], call.integers(1)
    call.require(call.shapes[1] == (len(shape), 2), "not two amounts an axis")
    if amounts is None:
        return None
    pairs = list(zip(amounts[::2], amounts[1::2], strict=True))
    call.require(all(0 <= amount <= MAX_SIZE for amount in amounts), f"the amounts {list(amounts)}")
    if call.operator.name == "MIRROR_PAD":
        edge = 1 - min(call.number("mode"), 1)  # reflection leaves the outermost value out
        fits = all(max(pair) <= length - edge for pair, length in zip(pairs, shape, strict=True))
        call.require(fits and call.number("mode") in (0, 1), "more to mirror than there is")
    return [tuple(length + sum(pair) for pair, length in zip(pairs, shape, strict=True))]


def slice_of(call: OperatorCall) -> Shapes:
    """From the second input on, as many as the third says, -1 for all."""
    shape, begins, sizes = call.shapes[0], call.integers(1), call.integers(2)
    call.require(call.shapes[1] == call.shapes[2] == (len(shape),), "not one begin and one size an axis")
    if begins is None or sizes is None:
        return None
    found = tuple(
        length - begin if size == -1 else size for length, begin, size in zip(shape, begins, sizes, strict=True)
    )
    fits = all(
        begin >= 0 and size >= 0 and begin + size <= length
        for length, begin, size in zip(shape, begins, found, strict=True)
    )
    call.require(fits, f"begins {list(begins)} and sizes {list(sizes)} beyond the input")
    return [found]


def strided_slice(call: OperatorCall) -> Shapes:
    """Begin, end and stride an axis, as Python slices, with masks for what is left open or dropped."""
    shape = call.shapes[0]
    begins, ends, strides = (call.integers(place) for place in (1, 2, 3))
    call.require(call.shapes[1] == call.shapes[2] == call.shapes[3], "begins, ends and strides of different number")
    call.require(len(call.shapes[1]) == 1, "begins that are no vector")
    if strides is not None:
        call.require(all(strides), "a stride of 0")
    plain = not (call.number("ellipsis_mask") or call.number("new_axis_mask") or call.flag("offset"))
    call.require(not plain or call.shapes[1][0] <= len(shape), "more begins than axes")
    if begins is None or ends is None or strides is None or not plain:
        return None
    found = []
    for axis, length in enumerate(shape):
        if axis >= len(begins):
            found.append(length)
            continue
        bit = 1 << axis
        begin = None if call.number("begin_mask") & bit else begins[axis]
        if call.number("shrink_axis_mask") & bit:
            begin = 0 if begin is None else begin
            call.require(-length <= begin < length and strides[axis] > 0, f"the place {begin} of {length}")
            continue
        end = None if call.number("end_mask") & bit else ends[axis]
        found.append(len(range(length)[slice(begin, end, strides[axis])]))
    return [tuple(found)]


def concatenate(call: OperatorCall) -> Shapes:
    """Inputs one behind the other along an axis."""
    first = call.shapes[0]
    axis = call.axis(call.number("axis"), len(first))
    rest = {(*shape[:axis], *shape[axis + 1 :]) for shape in call.shapes}
    call.require(len(rest) == 1 and len({len(shape) for shape in call.shapes}) == 1, "inputs of different shapes")
    return [(*first[:axis], sum(shape[axis] for shape in call.shapes), *first[axis + 1 :])]


def pack(call: OperatorCall) -> Shapes:
    """Inputs of one shape along a new axis."""
    call.require(call.number("values_count") == len(call.shapes), "another number of inputs than it says")
    call.require(len(set(call.shapes)) == 1, "inputs of different shapes")
    shape = call.shapes[0]
    axis = call.axis(call.number("axis"), len(shape) + 1)
    return [(*shape[:axis], len(call.shapes), *shape[axis:])]


def unpack(call: OperatorCall) -> Shapes:
    """An axis taken apart."""
    shape = call.shapes[0]
    axis = call.axis(call.number("axis"), len(shape))
    call.require(
        call.number("num") == len(call.outputs) == shape[axis], f"{len(call.outputs)} outputs of {shape[axis]}"
    )
    return [(*shape[:axis], *shape[axis + 1 :])] * len(call.outputs)


def split(call: OperatorCall) -> Shapes:
    """An axis in equal parts."""
    shape, axes, count = call.shapes[1], call.integers(0), len(call.outputs)
    call.require(call.number("num_splits") == count, "another number of outputs than it says")
    if axes is None:
        return None
    call.require(len(axes) == 1, "several axes")
    axis = call.axis(axes[0], len(shape))
    call.require(shape[axis] % count == 0, f"{count} parts of {shape[axis]}")
    return [(*shape[:axis], shape[axis] // count, *shape[axis + 1 :])] * count


def split_by_sizes(call: OperatorCall) -> Shapes:
    """An axis in parts of given sizes, one of them -1 for what is left."""
    shape, sizes, axes, count = call.shapes[0], call.integers(1), call.integers(2), len(call.outputs)
    call.require(call.number("num_splits") == count, "another number of outputs than it says")
    call.require(call.shapes[1] == (count,), "not one size an output")
    if sizes is None or axes is None:
        return None
    call.require(len(axes) == 1, "several axes")
    axis = call.axis(axes[0], len(shape))
    left = shape[axis] - sum(size for size in sizes if size != -1)
    found = [left if size == -1 else size for size in sizes]
    call.require(min(found) >= 0 and sum(found) == shape[axis] and sizes.count(-1) < 2, f"the sizes {list(sizes)}")
    return [(*shape[:axis], size, *shape[axis + 1 :]) for size in found]


def tile(call: OperatorCall) -> Shapes:
    """Each axis repeated."""
    counts = call.integers(1)
    call.require(call.shapes[1] == (len(call.shapes[0]),), "not one count an axis")
    if counts is None:
        return None
    call.require(all(0 <= count <= MAX_SIZE for count in counts), f"the counts {list(counts)}")
    return [tuple(length * count for length, count in zip(call.shapes[0], counts, strict=True))]


def broadcast_to(call: OperatorCall) -> Shapes:
    """Repeated until it has the shape of the second input."""
    wanted = call.integers(1)
    if wanted is None:
        return None
    call.require(all(0 <= length <= MAX_SIZE for length in wanted), f"the shape {list(wanted)}")
    call.require(broadcast(call, call.shapes[0], wanted) == wanted, f"the shape {list(wanted)}")
    return [wanted]


def space_to_batch(call: OperatorCall) -> Shapes:
    """Blocks of the inner axes become batches, or the other way round."""
    shape, blocks, amounts = call.shapes[0], call.integers(1), call.integers(2)
    count = math.prod(call.shapes[1])
    call.require(3 <= len(shape) <= 4 and count == len(shape) - 2, "not one block an inner axis")
    call.require(call.shapes[2] == (count, 2), "not two amounts an inner axis")
    if blocks is None or amounts is None:
        return None
    call.require(all(1 <= block <= 2**15 for block in blocks), f"the blocks {list(blocks)}")
    call.require(all(0 <= amount <= MAX_SIZE for amount in amounts), f"the amounts {list(amounts)}")
    sums = [sum(amounts[place : place + 2]) for place in range(0, 2 * count, 2)]
    area = math.prod(blocks)
    if call.operator.name == "SPACE_TO_BATCH_ND":
        padded = [length + extra for length, extra in zip(shape[1:-1], sums, strict=True)]
        fits = all(length % block == 0 for length, block in zip(padded, blocks, strict=True))
        call.require(fits, f"blocks {list(blocks)} of {padded}")
        inner = [length // block for length, block in zip(padded, blocks, strict=True)]
        return [(shape[0] * area, *inner, shape[-1])]
    inner = [length * block - cut for length, block, cut in zip(shape[1:-1], blocks, sums, strict=True)]
    call.require(shape[0] % area == 0 and min(inner) >= 0, f"blocks {list(blocks)} of {list(shape)}")
    return [(shape[0] // area, *inner, shape[-1])]


def space_to_depth(call: OperatorCall) -> Shapes:
    """Blocks of an image become channels, or the other way round."""
    shape, block = call.shapes[0], call.number("block_size")
    call.require(len(shape) == 4 and 1 <= block <= 2**15, f"no image, or blocks of {block}")
    batch, height, width, channels = shape
    if call.operator.name == "SPACE_TO_DEPTH":
        call.require(height % block == 0 and width % block == 0, f"blocks of {block} in {list(shape)}")
        return [(batch, height // block, width // block, channels * block**2)]
    call.require(channels % block**2 == 0, f"blocks of {block} from {channels} channels")
    return [(batch, height * block, width * block, channels // block**2)]

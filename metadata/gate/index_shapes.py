"""The shapes that come out where places and amounts are numbers of the model: lookups, filling, sizes of images.

Each function takes an `OperatorCall` and returns the shapes of the outputs, None where they are known only when the
model runs.
"""

from __future__ import annotations

import math

from metadata.gate.kernel_shapes import MAX_SIZE, Shapes
from metadata.gate.operator_call import OperatorCall

_SHORT = ("int8", "uint8", "int4")  # of a table whose rows are turned into floats


def gather(call: OperatorCall) -> Shapes:
    """Slices of the first input at the places of the second."""
    shape, places = call.shapes
    axis = call.axis(call.number("axis"), len(shape))
    batch = call.number("batch_dims")
    call.require(0 <= batch <= min(axis, len(places)) and shape[:batch] == places[:batch], f"{batch} batch dimensions")
    indices = call.integers(1)
    if indices is not None:
        call.require(all(0 <= index < shape[axis] for index in indices), f"a place outside {shape[axis]}")
    return [(*shape[:axis], *places[batch:], *shape[axis + 1 :])]


def gather_nd(call: OperatorCall) -> Shapes:
    """Slices at places given by several numbers each."""
    shape, places = call.shapes
    call.require(places and places[-1] <= len(shape), "places of more numbers than axes")
    indices, width = call.integers(1), places[-1] if places else 0
    if indices is not None and width:
        fits = all(0 <= index < shape[number % width] for number, index in enumerate(indices))
        call.require(fits, "a place outside the input")
    return [(*places[:-1], *shape[width:])]


def embedding(call: OperatorCall) -> Shapes:
    """Rows of a table."""
    places, table = call.shapes
    call.require(len(places) == 1 and len(table) >= 2, "no table, or places that are no vector")
    stored, made = call.inputs[1].dtype if call.inputs[1] else "", call.outputs[0].dtype
    call.require(made == stored or (made == "float32" and stored in _SHORT), f"a table of {stored} for {made}")
    return [(*places, *table[1:])]


def scatter(call: OperatorCall) -> Shapes:
    """Updates placed in zeros."""
    places, updates, wanted = call.shapes[0], call.shapes[1], call.integers(2)
    call.require(len(places) >= 1 and len(call.shapes[2]) == 1, "places or a shape that are no vectors")
    if wanted is None:
        return None
    call.require(all(0 <= length <= MAX_SIZE for length in wanted), f"the shape {list(wanted)}")
    width = places[-1]
    call.require(1 <= width <= len(wanted) and updates == (*places[:-1], *wanted[width:]), "updates that do not fit")
    indices = call.integers(0)
    if indices is not None:
        fits = all(0 <= index < wanted[number % width] for number, index in enumerate(indices))
        call.require(fits, "a place outside the output")
    return [wanted]


def update_slice(call: OperatorCall) -> Shapes:
    """A part of the first input replaced."""
    shape, update, places = call.shapes
    fits = len(update) == len(shape) and all(theirs <= ours for ours, theirs in zip(shape, update, strict=False))
    call.require(fits and places == (len(shape),), "an update that does not fit")
    return [call.shapes[0]]


def one_hot(call: OperatorCall) -> Shapes:
    """A new axis with one value set."""
    shape, depths = call.shapes[0], call.integers(1)
    call.require(all(math.prod(other) == 1 for other in call.shapes[1:]), "a depth that is no single number")
    axis = call.axis(call.number("axis"), len(shape) + 1)
    if depths is None:
        return None
    call.require(0 <= depths[0] <= MAX_SIZE, f"the depth {depths[0]}")
    return [(*shape[:axis], depths[0], *shape[axis:])]


def arg_max(call: OperatorCall) -> Shapes:
    """An axis falls away."""
    axes = call.integers(1)
    if axes is None:
        return None
    call.require(len(axes) == 1, "several axes")
    shape = call.shapes[0]
    axis = call.axis(axes[0], len(shape))
    call.require(shape[axis] > 0, "an empty axis")
    return [(*shape[:axis], *shape[axis + 1 :])]


def largest(call: OperatorCall) -> Shapes:
    """The largest values of each row and their places."""
    shape, counts = call.shapes[0], call.integers(1)
    call.require(shape and math.prod(call.shapes[1]) == 1, "no rows, or several counts")
    if counts is None:
        return None
    call.require(0 <= counts[0] <= shape[-1], f"the largest {counts[0]} of {shape[-1]}")
    return [(*shape[:-1], counts[0])] * 2


def cumsum(call: OperatorCall) -> Shapes:
    """Sums along an axis."""
    axes = call.integers(1)
    if axes is not None:
        call.require(len(axes) == 1, "several axes")
        call.axis(axes[0], len(call.shapes[0]))
    return [call.shapes[0]]


def reverse(call: OperatorCall) -> Shapes:
    """Axes the other way round."""
    axes = call.integers(1)
    if axes is not None:
        places = sorted(call.axis(axis, len(call.shapes[0])) for axis in axes)
        call.require(places and places == list(range(places[0], places[0] + len(places))), f"the axes {list(axes)}")
    return [call.shapes[0]]


def reverse_sequence(call: OperatorCall) -> Shapes:
    """Each row reversed up to a length of its own."""
    shape, lengths = call.shapes[0], call.integers(1)
    sequence, batch = call.number("seq_dim"), call.number("batch_dim")
    fits = 0 <= sequence < len(shape) and 0 <= batch < len(shape) and sequence != batch
    call.require(fits and call.shapes[1] == (shape[batch],), f"the axes {sequence} and {batch}")
    if lengths is not None:
        call.require(all(0 <= length <= shape[sequence] for length in lengths), "a length beyond the input")
    return [call.shapes[0]]


def resize(call: OperatorCall) -> Shapes:
    """Height and width from the second input."""
    shape, sizes = call.shapes[0], call.integers(1)
    call.require(len(shape) == 4 and call.shapes[1] == (2,) and min(shape) > 0, "no image, or no two sizes")
    if sizes is None:
        return None
    call.require(all(1 <= size <= 2**15 for size in sizes), f"the sizes {list(sizes)}")
    return [(shape[0], *sizes, shape[3])]


def fill(call: OperatorCall) -> Shapes:
    """One value in the shape of the first input."""
    wanted = call.integers(0)
    call.require(len(call.shapes[0]) == 1 and math.prod(call.shapes[1]) == 1, "a shape that is no vector")
    if wanted is not None:
        call.require(all(0 <= length <= MAX_SIZE for length in wanted), f"the shape {list(wanted)}")
    return None if wanted is None else [wanted]


def number_range(call: OperatorCall) -> Shapes:
    """Numbers from one to another."""
    call.require(all(math.prod(shape) == 1 for shape in call.shapes), "limits that are no single numbers")
    first, limit, step = (call.integers(place) for place in range(3))
    if step is not None:
        call.require(step[0] != 0, "a step of 0")
    if first is None or limit is None or step is None:
        return None
    return [(len(range(first[0], limit[0], step[0])),)]


def fourier(call: OperatorCall) -> Shapes:
    """RFFT2D: the last two axes, of a length that is a power of two; the last has half the bins and one more."""
    shape, lengths = call.shapes[0], call.integers(1)
    call.require(len(shape) >= 2 and call.shapes[1] == (2,), "no two lengths")
    if lengths is None:
        return None
    powers = all(1 <= length <= 2**24 and length & (length - 1) == 0 for length in lengths)
    fits = powers and lengths[0] <= shape[-2] and lengths[1] <= shape[-1]
    call.require(fits, f"the lengths {list(lengths)}; expected powers of two that the input covers")
    return [(*shape[:-2], lengths[0], lengths[1] // 2 + 1)]

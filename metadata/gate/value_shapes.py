"""The shapes that come out where values are sorted into places: diagonals, segments, positions, random numbers.

Each function takes an `OperatorCall` and returns the shapes of the outputs, None where they are known only when the
model runs.
"""

from __future__ import annotations

import math

from metadata.gate.kernel_shapes import MAX_SIZE, Shapes
from metadata.gate.operator_call import OperatorCall
from metadata.tflite_file.model_content import BITS

_RANDOM = ("float32",)
_MAX_PLACES = 4  # axes of what SPARSE_TO_DENSE fills


def positions(call: OperatorCall) -> Shapes:
    """WHERE: a row for each value that holds, which only the values tell."""
    call.require(call.shapes[0], "a condition that is a single value")
    call.require(call.outputs[0].dtype == "int64", f"{call.outputs[0]}; expected int64")
    return [None]


def unique(call: OperatorCall) -> Shapes:
    """UNIQUE: as many values as there are different ones, and the place of each."""
    call.require(len(call.shapes[0]) == 1, "values that are no vector")
    kinds = {2: "int32", 4: "int64"}  # numbers of types in the schema
    expected = kinds.get(call.number("idx_out_type", 2))
    call.require(call.outputs[1].dtype == expected, f"{call.outputs[1]}; expected {expected}")
    return [None, call.shapes[0]]


def bitcast(call: OperatorCall) -> Shapes:
    """BITCAST: the same bytes as another type, with an axis more or less where its values are smaller or larger."""
    shape, source, target = call.shapes[0], BITS[call.inputs[0].dtype], BITS[call.outputs[0].dtype]  # type: ignore[union-attr]
    call.require(min(source, target) >= 8, "values of less than a byte")
    if source >= target:
        return [(*shape, source // target) if source > target else shape]
    call.require(shape and shape[-1] * source == target, f"the type {call.outputs[0].dtype}")
    return [shape[:-1]]


def diagonal(call: OperatorCall) -> Shapes:
    """MATRIX_DIAG: each row becomes the diagonal of a matrix."""
    shape = call.shapes[0]
    call.require(shape, "a single value for a diagonal")
    return [(*shape, shape[-1])]


def with_diagonal(call: OperatorCall) -> Shapes:
    """MATRIX_SET_DIAG: matrices with another diagonal each."""
    shape, values = call.shapes
    fits = len(shape) >= 2 and values == (*shape[:-2], min(shape[-2:]))
    call.require(fits, "diagonals that do not fit")
    return [shape]


def segments(call: OperatorCall) -> Shapes:
    """SEGMENT_SUM: rows added that have the same number; the numbers rise by one at most."""
    shape, numbers = call.shapes[0], call.integers(1)
    call.require(shape and call.shapes[1] == shape[:1], "not one number a row")
    if numbers is None:
        return [None]
    rises = [after - before for before, after in zip((-1, *numbers), numbers, strict=False)]
    call.require(rises[:1] in ([], [1]) and set(rises) <= {0, 1}, "numbers of segments that do not rise by one")
    return [(max(numbers, default=-1) + 1, *shape[1:])]


def unsorted_segments(call: OperatorCall) -> Shapes:
    """UNSORTED_SEGMENT_SUM and its like: rows that have the same number; negative ones are left out."""
    shape, places = call.shapes[0], call.shapes[1]
    call.require(places and places == shape[: len(places)], "not one number a row")
    call.require(math.prod(call.shapes[2]) == 1, "several counts of segments")
    numbers, counts = call.integers(1), call.integers(2)
    if counts is None:
        return [None]
    call.require(0 <= counts[0] <= MAX_SIZE, f"{counts[0]} segments")
    call.require(numbers is None or max(numbers, default=-1) < counts[0], f"a number beyond {counts[0]} segments")
    return [(counts[0], *shape[len(places) :])]


def random_numbers(call: OperatorCall) -> Shapes:
    """RANDOM_UNIFORM, RANDOM_STANDARD_NORMAL: as many as the input says."""
    wanted = call.integers(0)
    call.require(len(call.shapes[0]) == 1, "a shape that is no vector")
    call.require(call.outputs[0].dtype in _RANDOM, f"{call.outputs[0]}; expected {', '.join(_RANDOM)}")
    if wanted is None:
        return [None]
    call.require(all(0 <= length <= MAX_SIZE for length in wanted), f"the shape {list(wanted)}")
    return [wanted]


def draws(call: OperatorCall) -> Shapes:
    """MULTINOMIAL: places drawn from each row of log-probabilities."""
    shape, counts = call.shapes[0], call.integers(1)
    call.require(len(shape) == 2 and shape[1] > 0, "no rows of log-probabilities")
    call.require(math.prod(call.shapes[1]) == 1, "several counts")
    if counts is None:
        return [None]
    call.require(0 <= counts[0] <= MAX_SIZE, f"{counts[0]} draws")
    return [(shape[0], counts[0])]


def buckets(call: OperatorCall) -> Shapes:
    """BUCKETIZE: between which boundaries each value lies."""
    boundaries = call.operator.options.get("boundaries", ())
    call.require(list(boundaries) == sorted(boundaries), "boundaries that do not rise")
    return [call.shapes[0]]


def dense(call: OperatorCall) -> Shapes:
    """SPARSE_TO_DENSE: values put at places, one value everywhere else."""
    places, values = call.shapes[0], call.shapes[2]
    rank = places[1] if len(places) == 2 else 1
    count = math.prod(places[:1])
    call.require(len(places) < 3 and 1 <= rank <= _MAX_PLACES and call.shapes[1] == (rank,), "places that do not fit")
    call.require(values in ((), (count,)) and math.prod(call.shapes[3]) == 1, "not one value a place")
    numbers, wanted = call.integers(0), call.integers(1)
    call.support(numbers is not None and wanted is not None, "places or a shape that are computed")
    numbers, wanted = numbers or (), wanted or ()
    call.require(all(0 <= length <= MAX_SIZE for length in wanted), f"the shape {list(wanted)}")
    fits = all(0 <= index < wanted[number % rank] for number, index in enumerate(numbers))
    call.require(fits, "a place outside the output")
    return [wanted]

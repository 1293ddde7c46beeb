"""Convolutions of a float model in an equal form that needs half the multiplications.

Along one axis of the image, rows or columns, four outputs of a kernel are computed from fewer products than plain
(`convert.winograd.minimal_filtering`): eight in place of twenty for five taps, seven of sixteen for four, six of
twelve for three. A product is a convolution over the other axis and all channels. So a CONV_2D becomes

    n DEPTHWISE_CONV_2D  with the constants of the input side, at a stride of four: the input at n points
    n CONV_2D            one row or column of taps each
    CONCATENATION        of their outputs, along the axis
    4 DEPTHWISE_CONV_2D  with the constants of the output side, the bias and the activation: every fourth output each
    CONCATENATION        that interleaves them, between two RESHAPE

which all are operators that XNNPACK has. Only float files take this form: the input at the points spans a larger
range than the input, for which 8 bits have no digits to spare. On one core of an x86 machine with AVX-512 (medians of
300 runs in turn) the mel CNN's second convolution takes 0.39 ms in place of 0.72, its third 0.10 in place of 0.20.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from convert.graph.graph_writer import GraphWriter
from convert.graph.model_graph import read_model_object, write_model_object
from convert.graph.rewrite_check import Rewrite
from convert.recipes import Recipe
from convert.winograd.fast_operators import COLUMNS, OUTPUTS, ROWS, TAPS, Convolution, write_fast
from convert.winograd.fast_pattern import fast_runs, widen_constants
from metadata.plural import counted

FLOAT_RECIPES = ("float32", "float16")
AXES = (ROWS, COLUMNS)
# Multiplications that must be saved for each value that is written and read in between. Of 36 shapes on an x86 core
# with 2 MiB of cache those above 100 ran 1.20 to 2.02 times as fast, those from 40 to 100 0.71 to 1.59 times.
MIN_SAVED_A_VALUE = 100
# And for each weight that the file gains, so that it stays small: a layer that is computed at few places is not worth
# it. The last two of the mel CNN would lengthen its file by a fifth for a fiftieth of its time.
MIN_SAVED_A_WEIGHT = 100


def with_fast_convolutions(float_model: bytes, choose: Callable[[Convolution], int | None] | None = None) -> bytes:
    """Return a float model whose convolutions have the fast form where it pays.

    Parameters
    ----------
    float_model : bytes
        A float `.tflite` of static shapes, without metadata.
    choose : callable, optional
        Says along which axis a convolution is to be made fast, 1 for rows, 2 for columns, None to leave it as it is;
        `choose_axis` by default.

    Returns
    -------
    bytes
        The same bytes for the same model; `float_model` itself where nothing changes. Scores agree to rounding.
    """
    content = read_model_object(float_model)
    writer = GraphWriter(content)
    operators = content.subgraphs[0].operators
    before = fast_runs(writer, operators)
    fast_already = {place for run in before for place in range(run.start, run.end)}
    changed = 0
    for place, operator in enumerate(operators):
        convolution = None if place in fast_already else _read(writer, operator)
        axis = None if convolution is None else (choose or choose_axis)(convolution)
        if convolution is None or axis is None:
            writer.operators.append(operator)
            continue
        write_fast(writer, convolution, axis)
        changed += 1
    if not changed:
        return float_model
    writer.finish()
    result = write_model_object(content)
    _check_written(result, len(before) + changed)
    return result


def fast_rewrite(float_model: bytes, result: bytes) -> Rewrite:
    """Return how many convolutions of a model a file holds in the fast form, read from the file.

    Parameters
    ----------
    float_model : bytes
        With plain convolutions.
    result : bytes
        What `with_fast_convolutions` made of it, or the file that was written of that.
    """
    content = read_model_object(float_model)
    writer = GraphWriter(content)
    total = sum(_read(writer, operator) is not None for operator in content.subgraphs[0].operators)
    return Rewrite(
        what="convolutions of stride 1 have the Winograd form, where it saves multiplications",
        done=_num_fast(result),
        total=total,
    )


def _num_fast(model: bytes) -> int:
    """Return how many fast convolutions a file holds."""
    content = read_model_object(model)
    widen_constants(content)
    return len(fast_runs(GraphWriter(content), content.subgraphs[0].operators))


def _check_written(result: bytes, expected: int) -> None:
    """Refuse a result that has not the fast convolutions that were written."""
    found = _num_fast(result)
    if found != expected:
        raise RuntimeError(
            f"{counted(expected, 'convolution was', 'convolutions were')} to take their fast form and {found} are "
            "found in it; this is a fault of "
            "earproof: the plain ones serve as well (--recipe int8)"
        )


def stored_form(float_model: bytes, recipe: Recipe) -> bytes:
    """Return a float model as a recipe is to store it: with fast convolutions where all is computed in float.

    Parameters
    ----------
    float_model : bytes
        From `export_float`.
    recipe : Recipe
    """
    return with_fast_convolutions(float_model) if recipe.name in FLOAT_RECIPES else float_model


def choose_axis(convolution: Convolution) -> int | None:
    """Return the axis along which the fast form pays more, 1 for rows or 2 for columns; None where it pays nowhere."""
    worth = {axis: _saved_a_value(convolution, axis) for axis in AXES if convolution.weights.shape[axis - 1] in TAPS}
    best = max(worth, key=lambda axis: worth[axis], default=None)
    return best if best is not None and worth[best] >= MIN_SAVED_A_VALUE else None


def _saved_a_value(plain: Convolution, axis: int) -> float:
    """Return the multiplications saved for each value in between; 0 where they are too few for the weights added."""
    taps, other_taps = plain.weights.shape[axis - 1], plain.weights.shape[ROWS + COLUMNS - axis - 1]
    channels, filters = plain.weights.shape[2:]
    size, other_size = plain.output_size[axis - 1], plain.output_size[ROWS + COLUMNS - axis - 1]
    num_products = taps + OUTPUTS - 1
    places = num_products * math.ceil(size / OUTPUTS) * other_size
    saved = (size * other_size * taps - places) * other_taps * channels * filters
    added_weights = (num_products - taps) * other_taps * channels * filters
    values = places * filters + places // other_size * (other_size + other_taps - 1) * channels
    return saved / values if saved >= MIN_SAVED_A_WEIGHT * added_weights else 0.0


def _read(writer: GraphWriter, operator: Any) -> Convolution | None:
    """Return a convolution that has a fast form; None for everything else."""
    from ai_edge_litert import schema_py_generated as schema

    options = operator.builtinOptions
    if writer.kind(operator) != schema.BuiltinOperator.CONV_2D or len(operator.inputs) != 3:
        return None
    source, kernel, bias, target = (int(index) for index in (*operator.inputs, *operator.outputs))
    image, filters, output = (writer.shape(tensor) for tensor in (source, kernel, target))
    steps = {options.strideH, options.strideW, options.dilationHFactor, options.dilationWFactor}
    is_plain = steps == {1} and len(image) == 4 and image[0] == 1 and image[3] == filters[3]
    if not is_plain or not all(map(writer.is_float, (source, kernel, target))) or not writer.is_constant(kernel):
        return None
    same = options.padding == schema.Padding.SAME
    return Convolution(
        source=source,
        kernel=kernel,
        bias=bias,
        target=target,
        weights=np.moveaxis(writer.values(kernel), 0, 3),
        output_size=(output[1], output[2]),
        padding=(_same(filters[1]), _same(filters[2])) if same else ((0, 0), (0, 0)),
        activation=options.fusedActivationFunction,
    )


def _same(taps: int) -> tuple[int, int]:
    """Return the zeros before and after that keep the size at a stride of 1."""
    return (taps - 1) // 2, taps // 2

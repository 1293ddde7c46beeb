"""Fast convolutions of a float model made plain again, so that it can be quantized and compared layer by layer.

A float file that `convert.fast_convolution` has been at may come back as somebody's model. A kernel is recovered from
its products, which are more than its taps, to the digits of float32.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from convert.fast_operators import COLUMNS, OUTPUTS, ROWS, SCOPE
from convert.graph_writer import GraphWriter
from convert.minimal_filtering import minimal_filtering
from convert.model_graph import read_model_object, write_model_object

# Every operator of a fast convolution has a second input of a name of its own.
_PART = re.compile(rf"(.*)/{SCOPE}/([a-z_]+)\d*(/weights|/shape|)")
_WEIGHTS = ("point", "product", "output")
_AROUND = ("padding", "begin")  # operators that a plain convolution needs as well


def with_plain_convolutions(float_model: bytes) -> bytes:
    """Return a float model with the convolutions that it had before `with_fast_convolutions`.

    Parameters
    ----------
    float_model : bytes
        A float `.tflite`, without metadata.

    Returns
    -------
    bytes
        `float_model` itself where it has no fast convolutions. Padding stays an operator of its own where there was
        some.
    """
    content = read_model_object(float_model)
    writer = GraphWriter(content)
    parts: dict[str, list[Any]] = {name: [] for name in _WEIGHTS}
    changed = False
    for operator in content.subgraphs[0].operators:
        scope, part, kind = _part(writer, operator)
        if not scope or part in _AROUND:
            writer.operators.append(operator)
        elif kind == "/weights":
            parts[part].append(operator)
        elif part == "shaped":  # the last of them
            _write_plain(writer, scope, parts, int(operator.outputs[0]))
            parts, changed = {name: [] for name in _WEIGHTS}, True
    if not changed:
        return float_model
    writer.finish()
    return write_model_object(content)


def _part(writer: GraphWriter, operator: Any) -> tuple[str, str, str]:
    """Return to which kernel an operator belongs and as what; empty texts where it is none of a fast convolution."""
    inputs = [] if operator.inputs is None else operator.inputs
    found = _PART.fullmatch(writer.name(int(inputs[1]))) if len(inputs) > 1 and inputs[1] >= 0 else None
    return (found[1], found[2], found[3]) if found else ("", "", "")


def _write_plain(writer: GraphWriter, name: str, parts: dict[str, list[Any]], target: int) -> None:
    """Write the convolution that the parts stand for."""
    from ai_edge_litert import schema_py_generated as schema

    first, last = parts["point"][0], parts["output"][0]
    axis = ROWS if writer.shape(int(first.inputs[1]))[ROWS] > 1 else COLUMNS
    products = np.stack([writer.values(int(item.inputs[1])) for item in parts["product"]]).astype(np.float64)
    filtering = minimal_filtering(OUTPUTS, len(products) - OUTPUTS + 1)
    kernel = np.tensordot(
        np.linalg.pinv(filtering.kernel_side), products, 1
    )  # (taps, filters, height, width, channels)
    weights = np.moveaxis(kernel, 0, axis).squeeze(axis + 1)
    options = schema.Conv2DOptionsT()
    options.padding = schema.Padding.VALID
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    options.fusedActivationFunction = last.builtinOptions.fusedActivationFunction
    inputs = [int(first.inputs[0]), writer.constant(name, weights), int(last.inputs[2])]
    writer.run("CONV_2D", inputs, target, options)

"""Fast convolutions of a float model made plain again, so that it can be quantized and compared layer by layer.

A float file that `convert.winograd.fast_convolution` has been at may come back as somebody's model. A kernel is
recovered from its products, which are more than its taps, to the digits of float32.
"""

from __future__ import annotations

import numpy as np

from convert.graph.float_scope import SCOPE
from convert.graph.graph_writer import GraphWriter
from convert.graph.model_graph import read_model_object, write_model_object
from convert.winograd.fast_operators import OUTPUTS
from convert.winograd.fast_pattern import FastRun, fast_runs
from convert.winograd.minimal_filtering import minimal_filtering


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
    operators = content.subgraphs[0].operators
    done = 0
    for run in fast_runs(writer, operators):
        writer.operators += operators[done : run.start]
        _write_plain(writer, run)
        done = run.end
    if not done:
        return float_model
    writer.operators += operators[done:]
    writer.finish()
    return write_model_object(content)


def _write_plain(writer: GraphWriter, run: FastRun) -> None:
    """Write the convolution that a run of operators stands for."""
    from ai_edge_litert import schema_py_generated as schema

    products = np.stack([writer.values(kernel) for kernel in run.products]).astype(np.float64)
    filtering = minimal_filtering(OUTPUTS, len(products) - OUTPUTS + 1)
    kernel = np.tensordot(
        np.linalg.pinv(filtering.kernel_side), products, 1
    )  # (taps, filters, height, width, channels)
    weights = np.moveaxis(kernel, 0, run.axis).squeeze(run.axis + 1)
    options = schema.Conv2DOptionsT()
    options.padding = schema.Padding.VALID
    options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
    options.fusedActivationFunction = run.activation
    named = writer.name(run.products[0])
    kernel_name = named.rpartition(f"/{SCOPE}/")[0] or named
    writer.run("CONV_2D", [run.source, writer.constant(kernel_name, weights), run.bias], run.target, options)

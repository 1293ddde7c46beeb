"""How many multiplications a file needs for one window, counted from the shapes in it."""

from __future__ import annotations

import math

from metadata.tflite_file.model_content import ModelContent, TensorInfo, parse_model

_WEIGHTED = ("CONV_2D", "CONV_3D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "BATCH_MATMUL")


def multiply_accumulates(model: bytes | ModelContent) -> int:
    """Return the products that one window takes in convolutions, dense layers and matrix products, each added to a sum.

    Parameters
    ----------
    model : bytes or ModelContent
        With one window at a time; of a dimension that is not known, 1 is taken.

    Notes
    -----
    The front end counts where it is inside the file. Elementwise operators, pools, activations and recurrences with an
    operator of their own (such as UNIDIRECTIONAL_SEQUENCE_LSTM) do not. A float file whose convolutions have Winograd's
    form needs fewer than the network that it was made of.
    """
    graph = parse_model(model).graphs[0]
    total = 0
    for operator in graph.operators:
        if operator.name in _WEIGHTED:
            inputs = [graph.tensors[place] for place in operator.inputs if place >= 0]
            total += _products(operator.name, inputs, graph.tensors[operator.outputs[0]])
    return total


def _products(name: str, inputs: list[TensorInfo], output: TensorInfo) -> int:
    """Products of one operator; weights have the schema's order of axes."""
    if name == "BATCH_MATMUL":
        left = inputs[0].shape
        return output.size * (left[-1] * left[-2] // output.shape[-2])  # whichever of the two axes is summed over
    if name == "TRANSPOSE_CONV":  # output shape, weights (out, height, width, in), input
        return inputs[2].size * math.prod(inputs[1].shape[:3])
    weights = inputs[1].shape
    if name == "DEPTHWISE_CONV_2D":  # (1, height, width, out)
        return output.size * math.prod(weights[1:3])
    if name == "CONV_3D":  # (depth, height, width, in, out)
        return output.size * math.prod(weights[:4])
    return output.size * math.prod(weights[1:])  # (out, height, width, in), or (out, in)

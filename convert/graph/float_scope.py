"""Which operations of a graph a recipe may quantize, found from the graph itself.

The rule, in the order of execution:

front end
    Everything before the first convolution stays float32 in every recipe. Its constants are a window, a Fourier
    matrix and mel filters, whose rounding would raise a noise floor above quiet bins, and mel power spans more
    decades than 8 bits hold. A network without convolutions begins at its first FULLY_CONNECTED after the last
    operation of a front end (a Fourier transform, a square or a logarithm). Where nothing but the shape changes before
    the first layer, there is no front end, and the integer recipes begin at the input.
first layer
    The first convolution, and what follows it up to the next layer with weights, stays float32 in the 8-bit
    recipes. It reads samples, power or log-power: 8 bits cannot hold a quiet room beside a loud voice. Nor would
    it gain: LiteRT's int8 kernels pad each tap's channels to 8, so with one input channel they do eight times the
    work. Values enter 8 bits after the first pooling, where there are fewest.
    It belongs to the body where both reasons are gone: the window is multiplied by a level taken from itself, so
    that quiet and loud rooms fill the same 8 bits, and `convert.export.polyphase` has given the layer 8 channels or
    more.
    Samples beyond the calibrated range are cut then, as a limiter would: a single click counts for less than it does
    in float.
body
    The layers between. An ADD, SUB, MUL or DIV with a constant vector (a BatchNormalization behind its ReLU, which
    no convolution can absorb) stays float32 there too, since int8 has one scale for the constants of all channels.
    So does a convolution with one output channel, and what follows it: all that is heard passes there through the 8
    bits of one scale, and the kernels, which compute 8 channels at once, would gain nothing.
recurrent layers
    A state that is rounded to 8 bits at every step adds up its errors over the steps. Written-out recurrent layers (see
    `convert.graph.recurrences`) are therefore `dynamic_int8` under `int8` and `auto`: their weights have 8 bits, what
    flows between the steps is float32.
last layer
    The last layer with weights and everything after it stay float32 in the 8-bit recipes: an int8 softmax puts out
    steps of 1/256, int8 logits of a confident model steps of some tenths. It costs a few hundred multiplications.

`int8_io` and `int16x8` take everything behind the front end, as integer hardware asks; that is where they lose.
"""

from __future__ import annotations

import math

from convert.graph.model_graph import ModelGraph, Operation
from convert.graph.recurrences import recurrences
from metadata.plural import counted

SCOPE = "fast"  # in the names of what is written

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D", "TRANSPOSE_CONV")
WEIGHTED = (*CONVOLUTIONS, "FULLY_CONNECTED", "BATCH_MATMUL")
FRONT_END_OPERATIONS = ("RFFT2D", "COMPLEX_ABS", "SQUARE", "LOG")
INT8_LANES = 8  # channels that a tap is padded to
ELEMENTWISE = ("ADD", "SUB", "MUL", "DIV")
MOVING = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "TRANSPOSE", "CONCATENATION", "SLICE", "STRIDED_SLICE", "PAD")


class RecipeUnfitError(ValueError):
    """A model has not the layers that a recipe works on; another recipe serves it."""


def network_operations(graph: ModelGraph) -> tuple[Operation, ...]:
    """Return the operations behind the front end, the first convolution and the output included.

    Raises
    ------
    RecipeUnfitError
        The graph has no layer with weights.
    """
    return graph.operations[_first_layer(graph) :]


def integer_operations(graph: ModelGraph) -> tuple[Operation, ...]:
    """Return what the integer recipes rewrite: the network, and what leads to it where that only moves samples.

    Raises
    ------
    RecipeUnfitError
        The graph has no layer with weights.
    """
    before = graph.operations[: _first_layer(graph)]
    return graph.operations if all(item.name in MOVING for item in before) else network_operations(graph)


def recurrent_operations(graph: ModelGraph) -> frozenset[str]:
    """Return the operations of written-out recurrent layers, by their first output."""
    return frozenset().union(*recurrences(graph, WEIGHTED))


def layer_groups(graph: ModelGraph, operations: tuple[Operation, ...]) -> tuple[tuple[Operation, ...], ...]:
    """Return operations in groups of a layer with weights and what follows it, in the order of execution.

    The steps of a recurrent layer are one group.
    """
    layer = {name: number for number, names in enumerate(recurrences(graph, WEIGHTED)) for name in names}
    groups: list[list[Operation]] = []
    steps: dict[int, list[Operation]] = {}
    for operation in operations:
        number = layer.get(operation.outputs[0])
        if number in steps:
            steps[number].append(operation)
            continue
        if number is not None or operation.name in WEIGHTED or not groups:
            groups.append([])
        if number is not None:
            steps[number] = groups[-1]
        groups[-1].append(operation)
    return tuple(tuple(group) for group in groups)


def body_operations(graph: ModelGraph) -> tuple[Operation, ...]:
    """Return the operations of the body: between the first and the last layer, the first itself where it may.

    Raises
    ------
    RecipeUnfitError
        The graph has fewer than three layers with weights: nothing would be left to quantize.
    """
    start = _first_layer(graph)
    weighted = [index for index, operation in enumerate(graph.operations) if operation.name in WEIGHTED]
    weighted = [index for index in weighted if index >= start]
    if len(weighted) < 3:
        raise RecipeUnfitError(
            f"the network has {counted(len(weighted), 'layer')} with weights; the 8-bit recipes keep the first and "
            "the last in "
            f"float and need at least 3. Take float16 for this model"
        )
    begin = weighted[0] if _first_layer_fits_8_bits(graph, weighted[0]) else weighted[1]
    body = layer_groups(graph, graph.operations[begin : weighted[-1]])
    kept = [operation for group in body if not _is_bottleneck(graph, group[0]) for operation in group]
    return tuple(operation for operation in kept if not _scales_channels(graph, operation))


def _first_layer(graph: ModelGraph) -> int:
    """Return the position of the first layer of the network proper."""
    names = [operation.name for operation in graph.operations]
    convolutions = [index for index, name in enumerate(names) if name in CONVOLUTIONS]
    if convolutions:
        return convolutions[0]
    front_end = max((index for index, name in enumerate(names) if name in FRONT_END_OPERATIONS), default=-1)
    dense = [index for index, name in enumerate(names) if name == "FULLY_CONNECTED" and index > front_end]
    if not dense:
        raise RecipeUnfitError(
            f"the graph has no layer with weights behind its front end; its operations: {', '.join(names)}"
        )
    return dense[0]


def _first_layer_fits_8_bits(graph: ModelGraph, first: int) -> bool:
    """Whether the first layer reads a levelled window and has channels enough for the int8 kernels."""
    tensors = {tensor.name: tensor for tensor in graph.tensors}
    layer = graph.operations[first]
    if layer.name != "CONV_2D" or tensors[layer.inputs[0]].shape[-1] < INT8_LANES:
        return False
    levelled = [tensors[name] for item in graph.operations[:first] if item.name == "MUL" for name in item.inputs]
    return any(not tensor.is_constant and math.prod(tensor.shape) == 1 for tensor in levelled)


def _is_bottleneck(graph: ModelGraph, layer: Operation) -> bool:
    """Whether a layer is a convolution whose output is a single channel."""
    shape = next(tensor.shape for tensor in graph.tensors if tensor.name == layer.outputs[0])
    return layer.name == "CONV_2D" and shape[-1] == 1


def _scales_channels(graph: ModelGraph, operation: Operation) -> bool:
    """Whether an elementwise operation has a constant vector as one operand."""
    if operation.name not in ELEMENTWISE:
        return False
    constants = {tensor.name for tensor in graph.tensors if tensor.is_constant and max(tensor.shape, default=1) > 1}
    return any(name in constants for name in operation.inputs)

"""What to call an operation: the Keras layer that it came from, as far as its tensors' names tell."""

from __future__ import annotations

from collections.abc import Mapping

from convert.graph.float_scope import ELEMENTWISE, WEIGHTED
from convert.graph.model_graph import Operation

_NUMBER = "_1"
_INPUT, _OUTPUT = "serving_default_", "StatefulPartitionedCall"  # how the exporter begins the names of a graph's ends


def named_layer(operation: Operation, before: Mapping[str, str]) -> str:
    """Return the layer's name, of a graph's end, to which the exporter gives its own, that of the layer in front of it.

    Parameters
    ----------
    operation : Operation
    before : mapping of str to str
        Layers by the tensors that they put out.
    """
    name = layer_name(operation)
    if name.startswith(_INPUT):
        return name.removeprefix(_INPUT).split(":")[0]
    if name.startswith(_OUTPUT):
        return next((before[tensor] for tensor in operation.inputs if tensor in before), name)
    return name


def layer_name(operation: Operation) -> str:
    """Return the name of the Keras layer that an operation came from, as far as its tensors tell; else the tensor's.

    A convolution or a normalization is named by its weights, everything else by its output, because the exporter joins
    the names of all that it fuses: `net_1/relu_2_1/Relu;net_1/conv_2_1/convolution` is put out by `conv_2`.
    """
    by_weights = operation.name in (*WEIGHTED, *ELEMENTWISE) and len(operation.inputs) > 1
    named = operation.inputs[1] if by_weights else operation.outputs[0]
    if "/" not in named:
        named = operation.outputs[0]
    scopes = named.split(";")[0].split("/")[:-1]
    # Keras' exporter numbers every layer once more (conv_2 becomes conv_2_1); what lies inside it has no number.
    numbered = [scope[: -len(_NUMBER)] for scope in scopes[1:] if scope.endswith(_NUMBER)]
    return numbered[-1] if numbered else (scopes[-1] if scopes else named)

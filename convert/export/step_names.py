"""Short names for the tensors between the steps of a recurrent layer.

A written-out layer has thousands, and the converter gives each the names of its model, its layer and its operator: a
sixth of a file in 8 bits. What others look up by name, the layer's products and what it hands on, keeps it.
"""

from __future__ import annotations

from convert.graph.float_scope import WEIGHTED
from convert.graph.model_graph import read_graph, read_model_object, write_model_object
from convert.graph.recurrences import inner_steps


def with_short_step_names(model: bytes) -> bytes:
    """Return the model with inner tensors of recurrent layers named by number; itself where it has none."""
    graph = read_graph(model)
    steps = inner_steps(graph, WEIGHTED)
    if not steps:
        return model
    inner = {
        name
        for item in graph.operations
        if item.outputs[0] in steps and item.name not in WEIGHTED
        for name in item.outputs
    }
    content = read_model_object(model)
    for number, tensor in enumerate(content.subgraphs[0].tensors):
        if tensor.name.decode() in inner:
            tensor.name = f"step_{number}".encode()
    return write_model_object(content)

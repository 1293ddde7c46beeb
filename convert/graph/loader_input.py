"""A model's input as the loaders of apps take it: one window of a known length, in one row."""

from __future__ import annotations

from typing import Any

import numpy as np

from convert.graph.graph_writer import GraphWriter
from convert.graph.model_graph import read_model_object, write_model_object
from convert.graph.static_shapes import pin_batch
from metadata.tflite_file.model_content import read_tensors

_MOST_DIMENSIONS = 2  # that MediaPipe takes


def fit_input(model: bytes) -> tuple[bytes, list[str]]:
    """Return a model whose waveform comes in one row of a known length, and what was changed for that.

    Parameters
    ----------
    model : bytes
        Without metadata. One whose input is no waveform comes back as it is.

    Raises
    ------
    ModelContractError
        The input is open in another dimension than the first.
    """
    steps = []
    (audio, *others) = read_tensors(model).inputs
    if audio.is_open and not others:
        model = pin_batch(model)
        (audio,) = read_tensors(model).inputs
        steps.append(f"the batch was open; the model now takes one window, {audio}")
    if not others and len(audio.shape) > _MOST_DIMENSIONS and max(audio.shape) == audio.size:
        model = _in_one_row(model)
        steps.append(f"the input was {audio}; it is [1, {audio.size}] now, and a RESHAPE gives the graph what it had")
    return model, steps


def _in_one_row(model: bytes) -> bytes:
    """Put a RESHAPE in front of the graph."""
    content = read_model_object(model)
    graph = content.subgraphs[0]
    (place,) = (int(index) for index in graph.inputs)
    inner, writer = graph.tensors[place], GraphWriter(content)
    row = writer.tensor("audio_row", [1, int(np.prod(inner.shape))])
    graph.tensors[row].type, graph.tensors[row].quantization = inner.type, inner.quantization
    wanted = writer.constant("audio_shape", np.asarray(inner.shape, np.int32))
    writer.run("RESHAPE", [row, wanted], place)
    graph.operators = [*writer.operators, *graph.operators]
    graph.inputs = np.array([row], np.int32)
    for signature in content.signatureDefs or []:
        _point_to(signature.inputs, place, row)
    return write_model_object(content)


def _point_to(ends: list[Any], place: int, row: int) -> None:
    """Let a signature name another tensor."""
    for end in ends:
        end.tensorIndex = row if end.tensorIndex == place else end.tensorIndex

"""A model file that puts out what its last dense layer takes, in place of scores: an embedding of the window."""

from __future__ import annotations

import struct

from edge_runtime.model.classifier import Classifier
from metadata.errors import ModelContractError
from metadata.spec import replace_spec
from metadata.tflite_file.flat_model import SUBGRAPHS, ModelFlatBuffer
from metadata.tflite_file.model_content import ModelContent, TensorInfo, parse_model
from metadata.tflite_file.score_operator import score_path

_GRAPH_OUTPUTS = 2  # slot of a SubGraph
_DENSE = "FULLY_CONNECTED"


def embedding_classifier(classifier: Classifier) -> Classifier:
    """Return the model with its embedding as its output.

    Parameters
    ----------
    classifier : Classifier
        Its `read_output` gives scores; that of the one returned gives the embedding, integers as the numbers that they
        stand for.

    Raises
    ------
    ModelContractError
        The scores are not made by a dense layer of a single vector a window.
    """
    content = parse_model(classifier.model)
    tensor = _embedding(content, classifier.spec.name)
    names = tuple(map(str, range(tensor.size)))  # with a threshold each; nothing reads them
    spec = replace_spec(classifier.spec, labels=names, thresholds=(0.0,) * len(names), frames=None)
    return Classifier(_with_output(content, tensor), classifier.num_threads, classifier.use_xnnpack, spec)


def _embedding(content: ModelContent, name: str) -> TensorInfo:
    """The tensor that the last dense layer takes."""
    graph = content.graphs[0]
    dense = next((operator for operator in score_path(graph) if operator.name == _DENSE), None)
    tensor = graph.tensors[dense.inputs[0]] if dense else None
    if tensor is None or len(content.tensors.outputs) != 1 or tensor.size != tensor.shape[-1] or tensor.data:
        raise ModelContractError(
            f"{name} makes its scores {f'of {tensor}' if tensor else 'without a dense layer'}; expected one output, by "
            "a dense layer of a single vector a window, as transfer, mel_cnn and waveform_cnn have it"
        )
    return tensor


def _with_output(content: ModelContent, tensor: TensorInfo) -> bytes:
    """The file with another tensor as its output; not a byte else is changed."""
    flat = ModelFlatBuffer(content.model)
    start, _ = flat.root.tables(SUBGRAPHS)[0].span(_GRAPH_OUTPUTS, 4)
    changed = bytearray(content.model)
    struct.pack_into("<i", changed, start, tensor.place)
    graph, before = parse_model(bytes(changed)).graphs[0], content.graphs[0]
    if graph != before._replace(outputs=(tensor.place,)):  # a vector that the graph's output shares with an operator
        raise ModelContractError("the model stores its output where an operator reads it; convert it again")
    return bytes(changed)

"""Model files as other tools write them: standard metadata alone, whole or broken, over any ending of the graph."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from tiny_tflite import _Net, pack_aligned, tiny_spec

from metadata.packing.metadata_codec import encode_metadata
from metadata.packing.rewrite import add_metadata_buffer
from metadata.tflite_file.associated_files import append_files

LABELS = b"silence\nsong\nspeech\n"
ENDINGS = ("SOFTMAX", "LOGISTIC", "LOG_SOFTMAX", "LOG", "DB", "TANH", "LOGITS", "MEAN")


class _EndingNet(_Net):
    """A network that ends as it is told."""

    ending = "SOFTMAX"

    def activate(self, logits: int, scores: int, activation: str) -> None:
        shape, builtin = tuple(self.graph.tensors[scores].shape), schema.BuiltinOperator
        if self.ending == "LOGITS":
            self.graph.operators[-1].outputs = np.array([scores], np.int32)
        elif self.ending in ("LOG", "DB", "MEAN"):
            inner = self.tensor("probabilities", shape)
            super().activate(logits, inner, "softmax")
            self._after(inner, scores, shape)
        elif self.ending in ("TANH", "LOG_SOFTMAX"):
            kind = schema.BuiltinOptions.LogSoftmaxOptions if self.ending == "LOG_SOFTMAX" else 0
            options = schema.LogSoftmaxOptionsT() if kind else None
            self.operator(getattr(builtin, self.ending), [logits], scores, kind, options)
        else:
            super().activate(logits, scores, "sigmoid" if self.ending == "LOGISTIC" else "softmax")

    def _after(self, inner: int, scores: int, shape: tuple[int, ...]) -> None:
        """Logarithms, dB, or the mean over one frame of probabilities."""
        builtin = schema.BuiltinOperator
        if self.ending == "MEAN":
            frames = self.reshape(inner, "frames", (1, *shape))
            axis = self.tensor("axis", (1,), np.zeros(1, np.int32))
            options = schema.ReducerOptionsT()
            self.operator(builtin.MEAN, [frames, axis], scores, schema.BuiltinOptions.ReducerOptions, options)
            return
        logarithm = scores if self.ending == "LOG" else self.tensor("logarithm", shape)
        self.operator(builtin.LOG, [inner], logarithm)
        if self.ending == "DB":
            ten = self.tensor("ten", (1,), np.full(1, 4.342945, np.float32))
            kind, options = schema.BuiltinOptions.MulOptions, schema.MulOptionsT()
            self.operator(builtin.MUL, [logarithm, ten], scores, kind, options)


def ending_in(ending: str, shape: Sequence[int] = (1, 16_000), num_labels: int = 3, seed: int = 0) -> bytes:
    """Return a classifier without metadata whose graph ends in one of `ENDINGS`."""
    net = _EndingNet(np.random.default_rng(seed))
    net.ending = ending
    return net.build(tuple(shape), num_labels, "softmax", 0)


def constant_model(num_labels: int = 3, length: int = 16_000) -> bytes:
    """Return a classifier whose scores do not depend on what it hears: all its weights are 0."""
    net = _EndingNet(np.random.default_rng(0))
    net.build((1, length), num_labels, "softmax", 0)
    for buffer in net.model.buffers:
        if buffer.data is not None and len(buffer.data) > 16:
            buffer.data = np.zeros_like(buffer.data)
    return pack_aligned(net.model)


STATED: dict[str, Any] = {
    "name": "clap detector",
    "description": "tells claps",
    "version": "v3",
    "author": "Somebody Else",
    "license": "Apache-2.0",
    "subgraph_metadata": [
        {
            "input_tensor_metadata": [
                {
                    "name": "audio",
                    "content": {
                        "content_properties_type": "AudioProperties",
                        "content_properties": {"sample_rate": 44_100, "channels": 1},
                    },
                }
            ],
            "output_tensor_metadata": [
                {"name": "scores", "associated_files": [{"name": "labels.txt", "type": "TENSOR_AXIS_LABELS"}]}
            ],
        }
    ],
    "min_parser_version": "1.3.0",
}


def with_metadata(
    model: bytes,
    change: Callable[[dict[str, Any]], Any] | None = None,
    files: dict[str, bytes] | None = None,
) -> bytes:
    """Return a model described as `STATED` after a change, with files behind it: `LABELS` by default."""
    values = copy.deepcopy(STATED)
    if change:
        change(values)
    described = add_metadata_buffer(model, encode_metadata(values))
    return append_files(described, {"labels.txt": LABELS} if files is None else files)


def audio_of(values: dict[str, Any]) -> dict[str, Any]:
    """The content of the input in a description."""
    return values["subgraph_metadata"][0]["input_tensor_metadata"][0]["content"]


def output_of(values: dict[str, Any]) -> dict[str, Any]:
    """The output in a description."""
    return values["subgraph_metadata"][0]["output_tensor_metadata"][0]


def own_spec(**changes: Any) -> Any:
    """A spec of ours for `ending_in`."""
    return tiny_spec(**{"window_length": 16_000, **changes})

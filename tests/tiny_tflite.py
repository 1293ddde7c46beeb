"""Tiny `.tflite` classifiers made by code, so that tests need neither TensorFlow nor binary files.

The network: the input cut into blocks, a dense layer a block with ReLU, the mean over the blocks,
a dense layer, softmax or sigmoid. Random weights by seed; a few kB; about 0.1 ms to run. The tensors are named
`audio` and `scores`, there is one signature, and the metadata entry `min_runtime_version` as the
converter writes it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from metadata import ModelSpec, WaveformFrontEnd

TINY_LABELS = ("silence", "song", "speech")
_HIDDEN = 8  # outputs of the dense layer that runs over each block
_MAX_BLOCK = 256  # samples in a block, at most


def tiny_spec(**changes: object) -> ModelSpec:
    """Return the spec of `tiny_classifier()`, with some fields changed."""
    fields: dict[str, object] = {
        "name": "tiny classifier",
        "version": "1.0.0",
        "description": "Blocks, a mean and two dense layers with random weights.",
        "sample_rate": 16_000,
        "window_length": 32_000,
        "labels": TINY_LABELS,
        "activation": "softmax",
        "front_end": WaveformFrontEnd(),
    }
    fields |= changes
    fields.setdefault("thresholds", (0.5,) * len(fields["labels"]))  # type: ignore[arg-type]
    return ModelSpec(**fields)  # type: ignore[arg-type]


def tiny_classifier(
    window_length: int = 32_000,
    num_labels: int = 3,
    seed: int = 0,
    *,
    activation: str = "softmax",
    input_shape: Sequence[int] | None = None,
    extra_weights: int = 0,
) -> bytes:
    """Return a classifier without metadata: float32 `[1, window_length]` in, float32 `[1, num_labels]` out.

    Parameters
    ----------
    window_length : int
        Samples in the input.
    num_labels : int
        Scores in the output.
    seed : int
        Of the random weights.
    activation : {"softmax", "sigmoid"}
        What makes the scores.
    input_shape : sequence of int, optional
        Another input, such as (1, 128, 63, 1) for a spectrogram; `window_length` is ignored then.
    extra_weights : int
        Bytes of a buffer that nothing uses, to make a large file.
    """
    shape = tuple(input_shape or (1, window_length))
    return _Net(np.random.default_rng(seed)).build(shape, num_labels, activation, extra_weights)


def tiny_detector(window_length: int = 32_000, num_labels: int = 3, *, frames_first: bool = False) -> bytes:
    """Return a classifier with frame scores too: outputs `[1, num_labels]` and `[1, num_frames * num_labels]`.

    A frame is a block of the network: 256 samples, 125 of them, in 32,000 samples. `frames_first` turns the outputs
    round.
    """
    net = _Net(np.random.default_rng(0))
    net.build((1, window_length), num_labels, "sigmoid", 0)
    names = [tensor.name for tensor in net.graph.tensors]
    features = names.index(b"features")
    num_frames = int(net.graph.tensors[features].shape[0])
    logits = net.dense(features, "frame_logits", (num_frames, num_labels), 4.0)
    frames = net.tensor("frames", (num_frames, num_labels))
    net.activate(logits, frames, "sigmoid")
    flat = net.reshape(frames, "frame_scores", (1, num_frames * num_labels))
    outputs = [names.index(b"scores"), flat]
    net.graph.outputs = np.array(outputs[::-1] if frames_first else outputs, np.int32)
    net.model.signatureDefs[0].outputs.append(_tensor_map("frame_scores", flat))
    return pack_aligned(net.model)


class _Net:
    """Collects the tensors, buffers and operators of one model."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.description = b"tiny classifier"
        self.model.operatorCodes = []
        self.model.buffers = [schema.BufferT()]
        self.graph = schema.SubGraphT()
        self.graph.name = b"main"
        self.graph.tensors, self.graph.operators = [], []

    def build(self, shape: tuple[int, ...], num_labels: int, activation: str, extra_weights: int) -> bytes:
        size = math.prod(shape)
        block = max(length for length in range(1, min(size, _MAX_BLOCK) + 1) if size % length == 0)
        audio = self.tensor("audio", shape)
        blocks = self.reshape(audio, "blocks", (size // block, block))
        features = self.dense(blocks, "features", (size // block, _HIDDEN), 4.0 / math.sqrt(block), relu=True)
        pooled = self.mean_of_rows(features, "pooled", (1, _HIDDEN))
        logits = self.dense(pooled, "logits", (1, num_labels), 4.0)
        scores = self.tensor("scores", (1, num_labels))
        self.activate(logits, scores, activation)
        self.graph.inputs, self.graph.outputs = np.array([audio], np.int32), np.array([scores], np.int32)
        self.model.subgraphs = [self.graph]
        self.model.signatureDefs = [self.signature(audio, scores)]
        if extra_weights:
            self.buffer(self.rng.integers(0, 256, extra_weights, dtype=np.uint8))
        self.model.metadata = [self.metadata("min_runtime_version", b"1.13.0".ljust(16, b"\0"))]
        return pack_aligned(self.model)

    def buffer(self, values: np.ndarray) -> int:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        self.model.buffers.append(buffer)
        return len(self.model.buffers) - 1

    def tensor(self, name: str, shape: tuple[int, ...], values: np.ndarray | None = None) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.shape = name.encode(), np.array(shape, np.int32)
        tensor.type = schema.TensorType.FLOAT32
        if values is not None:
            tensor.type = schema.TensorType.INT32 if values.dtype == np.int32 else schema.TensorType.FLOAT32
            tensor.buffer = self.buffer(values)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def operator(self, builtin: int, inputs: list[int], output: int, kind: int = 0, options: object = None) -> None:
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = builtin
        code.version = 1
        self.model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self.model.operatorCodes) - 1
        operator.inputs, operator.outputs = np.array(inputs, np.int32), np.array([output], np.int32)
        operator.builtinOptionsType, operator.builtinOptions = kind, options
        self.graph.operators.append(operator)

    def reshape(self, source: int, name: str, shape: tuple[int, ...]) -> int:
        target = self.tensor(name, shape)
        new_shape = self.tensor(f"{name}/shape", (len(shape),), np.array(shape, np.int32))
        self.operator(schema.BuiltinOperator.RESHAPE, [source, new_shape], target)
        return target

    def dense(self, source: int, name: str, shape: tuple[int, int], spread: float, relu: bool = False) -> int:
        inputs = int(self.graph.tensors[source].shape[-1])
        weights = (self.rng.standard_normal((shape[1], inputs)) * spread).astype(np.float32)
        bias = (self.rng.standard_normal(shape[1]) * 0.1).astype(np.float32)
        parts = [
            source,
            self.tensor(f"{name}/weights", weights.shape, weights),
            self.tensor(f"{name}/bias", bias.shape, bias),
        ]
        target = self.tensor(name, shape)
        options = schema.FullyConnectedOptionsT()
        options.fusedActivationFunction = (
            schema.ActivationFunctionType.RELU if relu else schema.ActivationFunctionType.NONE
        )
        self.operator(
            schema.BuiltinOperator.FULLY_CONNECTED, parts, target, schema.BuiltinOptions.FullyConnectedOptions, options
        )
        return target

    def mean_of_rows(self, source: int, name: str, shape: tuple[int, int]) -> int:
        target = self.tensor(name, shape)
        axis = self.tensor(f"{name}/axis", (1,), np.zeros(1, np.int32))
        options = schema.ReducerOptionsT()
        options.keepDims = True
        self.operator(
            schema.BuiltinOperator.MEAN, [source, axis], target, schema.BuiltinOptions.ReducerOptions, options
        )
        return target

    def activate(self, logits: int, scores: int, activation: str) -> None:
        if activation == "sigmoid":
            self.operator(schema.BuiltinOperator.LOGISTIC, [logits], scores)
            return
        options = schema.SoftmaxOptionsT()
        options.beta = 1.0
        self.operator(schema.BuiltinOperator.SOFTMAX, [logits], scores, schema.BuiltinOptions.SoftmaxOptions, options)

    def signature(self, audio: int, scores: int) -> schema.SignatureDefT:
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = b"serving_default", 0
        signature.inputs, signature.outputs = [_tensor_map("audio", audio)], [_tensor_map("scores", scores)]
        return signature

    def metadata(self, name: str, content: bytes) -> schema.MetadataT:
        entry = schema.MetadataT()
        entry.name, entry.buffer = name.encode(), self.buffer(np.frombuffer(content, np.uint8))
        return entry


def _tensor_map(name: str, index: int) -> schema.TensorMapT:
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name.encode(), index
    return entry


def pack_aligned(model: schema.ModelT) -> bytes:
    """Return the file of a `ModelT`, with every buffer aligned to 16 bytes, as the schema's force_align asks.

    The generated `BufferT.Pack` ignores force_align, and a kernel may read weights with aligned loads.
    """
    builder = flatbuffers.Builder(1024)
    buffers = model.buffers
    model.buffers = [_AlignedBuffer(buffer) for buffer in buffers]
    try:
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    finally:
        model.buffers = buffers
    return bytes(builder.Output())


class _AlignedBuffer:
    """A `BufferT` whose data begins at a multiple of 16."""

    def __init__(self, buffer: schema.BufferT) -> None:
        self.data = buffer.data

    def Pack(self, builder: flatbuffers.Builder) -> int:
        vector = None
        if self.data is not None:
            builder.Prep(16, len(self.data))
            vector = builder.CreateNumpyVector(np.asarray(self.data, np.uint8))
        schema.BufferStart(builder)
        if vector is not None:
            schema.BufferAddData(builder, vector)
        return schema.BufferEnd(builder)

"""A small convolutional classifier written operator by operator, so that tests need no TensorFlow to alter a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from convert.graph.graph_writer import GraphWriter
from convert.graph.model_graph import read_model_object, write_model_object

WINDOW_LENGTH = 256  # samples
NUM_LABELS = 3


def hand_made_classifier(between: str = "", computed_kernel: bool = False) -> bytes:
    """Return a float model: four convolutions along the samples, a dense layer, softmax.

    Parameters
    ----------
    between : str
        An elementwise operator behind the second convolution, such as ELU.
    computed_kernel : bool
        Whether the kernel of the third convolution is the sum of two constants, made while the model runs.
    """
    content = schema.ModelT()
    content.version, content.operatorCodes, content.buffers = 3, [], [schema.BufferT()]
    graph = schema.SubGraphT()
    graph.tensors, graph.name, content.subgraphs = [], b"main", [graph]
    net = _Net(GraphWriter(content))
    audio = net.writer.tensor("audio", (1, WINDOW_LENGTH))
    x = net.reshaped("samples", audio, (1, 1, WINDOW_LENGTH, 1))
    x = net.convolved("conv_1", x, taps=8, stride=4)
    x = net.convolved("conv_2", x, taps=3, stride=2)
    if between:
        x = net.writer.run(between, [x], ("between", net.writer.shape(x)))
    x = net.convolved("conv_3", x, taps=3, stride=2, computed=computed_kernel)
    x = net.convolved("conv_4", x, taps=3, stride=2)
    x = net.reshaped("flat", x, (1, int(np.prod(net.writer.shape(x)))))
    x = net.dense("dense_1", x, NUM_LABELS)
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    scores = net.writer.run("SOFTMAX", [x], ("scores", (1, NUM_LABELS)), options)
    graph.inputs, graph.outputs = np.array([audio], np.int32), np.array([scores], np.int32)
    net.writer.finish()
    return write_model_object(content)


def altered(model: bytes, change: Callable[[Any], None]) -> bytes:
    """Return a model file whose object tree was changed; the writer adds nothing of its own."""
    content = read_model_object(model)
    change(content)
    return write_model_object(content)


def with_old_codes(content: Any) -> None:
    """Store operator codes as TensorFlow 2.3 and older did."""
    for code in content.operatorCodes:
        code.deprecatedBuiltinCode, code.builtinCode = max(code.builtinCode, code.deprecatedBuiltinCode), 0


def named(name: str | None) -> Callable[[Any], None]:
    """Return what gives every tensor one name, or none."""

    def rename(content: Any) -> None:
        for tensor in content.subgraphs[0].tensors:
            tensor.name = name if name is None else name.encode()

    return rename


class _Net:
    """Writes layers with random weights."""

    def __init__(self, writer: GraphWriter) -> None:
        self.writer = writer
        self._rng = np.random.default_rng(6)

    def convolved(self, name: str, source: int, *, taps: int, stride: int, computed: bool = False) -> int:
        channels = self.writer.shape(source)[3]
        values = self._rng.normal(size=(8, 1, taps, channels)) / np.sqrt(taps * channels)
        kernel = self.writer.constant(f"net/{name}/kernel", values)
        if computed:  # of the input, so that nobody can compute it beforehand
            mean = self._mean(f"net/{name}/mean", source)
            options = schema.MulOptionsT()
            kernel = self.writer.run("MUL", [kernel, mean], (f"net/{name}/computed", values.shape), options)
        bias = self.writer.constant(f"net/{name}/bias", self._rng.normal(size=8) * 0.1)
        options = schema.Conv2DOptionsT()
        options.padding = schema.Padding.VALID
        options.strideH, options.strideW = 1, stride
        options.dilationHFactor = options.dilationWFactor = 1
        options.fusedActivationFunction = schema.ActivationFunctionType.RELU
        length = (self.writer.shape(source)[2] - taps) // stride + 1
        return self.writer.run(
            "CONV_2D", [source, kernel, bias], (f"net/{name}/output", (1, 1, length, 8)), options, version=1
        )

    def dense(self, name: str, source: int, size: int) -> int:
        width = self.writer.shape(source)[1]
        kernel = self.writer.constant(f"net/{name}/kernel", self._rng.normal(size=(size, width)) / np.sqrt(width))
        bias = self.writer.constant(f"net/{name}/bias", self._rng.normal(size=size) * 0.1)
        options = schema.FullyConnectedOptionsT()
        return self.writer.run("FULLY_CONNECTED", [source, kernel, bias], (f"net/{name}/output", (1, size)), options)

    def reshaped(self, name: str, source: int, shape: tuple[int, ...]) -> int:
        sizes = self.writer.constant(f"net/{name}/shape", np.array(shape))
        return self.writer.run("RESHAPE", [source, sizes], (f"net/{name}/output", shape))

    def _mean(self, name: str, source: int) -> int:
        axes = self.writer.constant(f"{name}/axes", np.array([1, 2]))
        options = schema.ReducerOptionsT()
        options.keepDims = True
        return self.writer.run("MEAN", [source, axes], (name, (1, 1, 1, self.writer.shape(source)[3])), options)

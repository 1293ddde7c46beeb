"""The operators that take the place of one convolution in its fast form (see `convert.winograd.fast_convolution`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convert.graph.float_scope import SCOPE
from convert.graph.graph_writer import GraphWriter
from convert.winograd.minimal_filtering import minimal_filtering

ROWS, COLUMNS = 1, 2  # axes of an image (1, height, width, channels)
OUTPUTS = 4  # of a step
TAPS = (3, 4, 5)  # that have a fast form: fewer gain nothing, more lose digits
MAX_JOINED = 5  # inputs that XNNPACK's concatenation takes
DILATED_VERSION = 2  # of DEPTHWISE_CONV_2D, from TensorFlow Lite 1.14 on
Padding = tuple[tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Convolution:
    """A plain convolution of stride 1 as it stands in a graph.

    Attributes
    ----------
    source, kernel, bias, target : int
        Numbers of tensors.
    weights : np.ndarray
        float32 (height, width, channels, filters).
    output_size : (int, int)
        Height and width.
    padding : ((int, int), (int, int))
        Zeros above and below, left and right of the image.
    activation : int
        The schema's number.
    """

    source: int
    kernel: int
    bias: int
    target: int
    weights: np.ndarray
    output_size: tuple[int, int]
    padding: Padding
    activation: int


def write_fast(writer: GraphWriter, plain: Convolution, axis: int) -> None:
    """Write the fast form of a convolution along rows or columns; it puts out the same tensor."""
    _FastForm(writer, plain, axis).write()


class _FastForm:
    """One convolution along one axis."""

    def __init__(self, writer: GraphWriter, plain: Convolution, axis: int):
        self._writer, self._plain, self._axis = writer, plain, axis
        self._scope = f"{writer.name(plain.kernel)}/{SCOPE}"
        self._filtering = minimal_filtering(OUTPUTS, plain.weights.shape[axis - 1])
        size = plain.output_size[axis - 1]
        self._steps = math.ceil(size / OUTPUTS)
        self._surplus = self._steps * OUTPUTS - size

    def write(self) -> None:
        """Write all operators."""
        weights = self._plain.weights.astype(np.float64)
        kernels = np.tensordot(self._filtering.kernel_side, weights, (1, self._axis - 1))
        image = self._padded()
        silent = self._constant("no_bias", np.zeros(weights.shape[3]))
        no_offset = self._constant("no_offset", np.zeros(weights.shape[2]))
        products = []
        for number, taps in enumerate(self._filtering.input_side):
            point = self._weighed(f"point{number}", image, taps, no_offset, stride=OUTPUTS)
            products.append(self._convolved(f"product{number}", point, kernels[number], silent))
        joined = self._joined(products)
        outputs = [
            self._weighed(f"output{number}", joined, taps, self._plain.bias, steps=self._steps)
            for number, taps in enumerate(self._filtering.output_side)
        ]
        self._interleave(outputs)

    def _padded(self) -> int:
        """Return the image with the zeros of the plain convolution and those that fill the last step."""
        amounts = [(0, 0), *self._plain.padding, (0, 0)]
        amounts[self._axis] = (amounts[self._axis][0], amounts[self._axis][1] + self._surplus)
        if not np.any(amounts):
            return self._plain.source
        image = self._writer.shape(self._plain.source)
        shape = [size + sum(amount) for size, amount in zip(image, amounts, strict=True)]
        zeros = self._constant("padding", np.array(amounts))
        return self._writer.run("PAD", [self._plain.source, zeros], self._new("padded", shape))

    def _weighed(self, name: str, source: int, taps: np.ndarray, bias: int, *, stride: int = 1, steps: int = 0) -> int:
        """Weigh what lies along the axis alike in every channel.

        Neighbours at a stride; or, with `steps`, what lies so far apart, which is then the output: the activation
        follows.
        """
        from ai_edge_litert import schema_py_generated as schema

        shape, dilation = self._writer.shape(source), steps or 1
        side = self._along(len(taps))
        kernel = np.broadcast_to(taps.reshape(1, *side, 1), (1, *side, shape[3]))
        shape[self._axis] = (shape[self._axis] - (len(taps) - 1) * dilation - 1) // stride + 1
        options = schema.DepthwiseConv2DOptionsT()
        options.padding, options.depthMultiplier = schema.Padding.VALID, 1
        options.strideH, options.strideW = self._along(stride)
        options.dilationHFactor, options.dilationWFactor = self._along(dilation)
        options.fusedActivationFunction = self._plain.activation if steps else schema.ActivationFunctionType.NONE
        inputs = [source, self._constant(f"{name}/weights", kernel), bias]
        version = DILATED_VERSION if dilation > 1 else 1
        return self._writer.run("DEPTHWISE_CONV_2D", inputs, self._new(name, shape), options, version)

    def _convolved(self, name: str, source: int, kernel: np.ndarray, bias: int) -> int:
        """Convolve over the other axis and the channels; the kernel is (taps, channels, filters)."""
        from ai_edge_litert import schema_py_generated as schema

        shape = self._writer.shape(source)
        other = ROWS + COLUMNS - self._axis
        shape[other], shape[3] = shape[other] - len(kernel) + 1, kernel.shape[2]
        options = schema.Conv2DOptionsT()
        options.padding = schema.Padding.VALID
        options.strideH = options.strideW = options.dilationHFactor = options.dilationWFactor = 1
        weights = np.expand_dims(np.moveaxis(kernel, 2, 0), self._axis)
        inputs = [source, self._constant(f"{name}/weights", weights), bias]
        return self._writer.run("CONV_2D", inputs, self._new(name, shape), options)

    def _joined(self, parts: list[int]) -> int:
        """Return the parts one behind the other along the axis; the first ones apart where XNNPACK takes no more."""
        surplus = len(parts) - MAX_JOINED
        if surplus > 0:
            parts = [self._concatenated("some_products", parts[: surplus + 1], self._axis), *parts[surplus + 1 :]]
        return self._concatenated("products", parts, self._axis)

    def _interleave(self, outputs: Sequence[int]) -> None:
        """Put the outputs of each step side by side, without what the last step has too many, as the plain output."""
        from ai_edge_litert import schema_py_generated as schema

        shape = self._writer.shape(outputs[0])
        before, behind = math.prod(shape[: self._axis + 1]), math.prod(shape[self._axis + 1 :])
        flat = [self._reshaped(f"flat{number}", one, [before, 1, behind]) for number, one in enumerate(outputs)]
        mixed = self._concatenated("interleaved", flat, 1)
        shape[self._axis] *= OUTPUTS
        if not self._surplus:
            self._reshaped("shaped", mixed, shape, self._plain.target)
            return
        full = self._reshaped("shaped", mixed, shape)
        begin = self._constant("begin", np.zeros(4, int))
        size = self._constant("size", np.array(self._writer.shape(self._plain.target)))
        self._writer.run("SLICE", [full, begin, size], self._plain.target, schema.SliceOptionsT())

    def _concatenated(self, name: str, parts: Sequence[int], axis: int) -> int:
        """Return the parts one behind the other."""
        from ai_edge_litert import schema_py_generated as schema

        options = schema.ConcatenationOptionsT()
        options.axis = axis
        shape = self._writer.shape(parts[0])
        shape[axis] = sum(self._writer.shape(part)[axis] for part in parts)
        return self._writer.run("CONCATENATION", parts, self._new(name, shape), options)

    def _reshaped(self, name: str, source: int, shape: Sequence[int], target: int | None = None) -> int:
        """Return the same values in another shape, as a new tensor or as one that is there."""
        sizes = self._constant(f"{name}/shape", np.array(shape))
        return self._writer.run("RESHAPE", [source, sizes], self._new(name, shape) if target is None else target)

    def _constant(self, name: str, values: np.ndarray) -> int:
        """Add a constant of this convolution."""
        return self._writer.constant(f"{self._scope}/{name}", values)

    def _new(self, name: str, shape: Sequence[int]) -> tuple[str, Sequence[int]]:
        """Return name and shape of a new tensor of this convolution."""
        return f"{self._scope}/{name}", shape

    def _along(self, size: int) -> tuple[int, int]:
        """Return a height and width: a size along the axis and 1 along the other."""
        return (size, 1) if self._axis == ROWS else (1, size)

"""Operators of a float `.tflite` graph as Keras layers: what each becomes, and what is refused.

Axis order of maps: (batch, height, width, channels), as the schema has it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metadata.tflite_file.model_content import Operator
from train.backbones.graph_reading import GraphReading

SAME = 0  # the schema's number of the padding
_ACTIVATIONS = {1: "relu", 3: "relu6", 4: "tanh"}  # by the schema's number
_PADDINGS = {0: "reflect", 1: "symmetric"}


@dataclass(frozen=True)
class Step:
    """One operator in its graph, and what was computed before it.

    Attributes
    ----------
    reading : GraphReading
    operator : Operator
    values : dict of int to Keras tensors
        By tensor.
    """

    reading: GraphReading
    operator: Operator
    values: dict[int, Any]

    @property
    def name(self) -> str:
        """Of the layer."""
        return f"{self.operator.name.lower()}_{self.operator.place}"

    @property
    def out_shape(self) -> tuple[int, ...]:
        """What comes out, batch included."""
        return self.reading.tensor(self.operator.outputs[0]).shape

    def shape(self, place: int = 0) -> tuple[int, ...]:
        """What an input has, batch included."""
        return self.reading.tensor(self.operator.inputs[place]).shape

    def constant(self, place: int) -> Any:
        """The constant that an input is, None where it is computed or left out."""
        inputs = self.operator.inputs
        return None if place >= len(inputs) or inputs[place] < 0 else self.reading.constant(inputs[place])

    def needed(self, place: int) -> np.ndarray:
        """The constant that an input must be."""
        found = self.constant(place)
        if found is None:
            raise self.refusal(f"computes its input {place}; expected a constant")
        return np.asarray(found)

    def option(self, name: str, default: Any = 0) -> Any:
        """What the operator is set to."""
        return self.operator.options.get(name, default)

    def refusal(self, why: str) -> ValueError:
        """The error for what is not taken."""
        return ValueError(
            f"{self.operator} {why}; name a tensor before it, or take the Keras model that the file was made of"
        )

    def input(self, place: int = 0) -> Any:
        """What was computed for an input."""
        return self.values[self.operator.inputs[place]]

    def made(self, layer: Any, x: Any, *weights: np.ndarray | None) -> Any:
        """Apply a layer with these weights, and the activation that is fused with the operator."""
        x = layer(x)
        if weights:
            layer.set_weights([one for one in weights if one is not None])
        return self.activated(x)

    def activated(self, x: Any) -> Any:
        """Apply the fused activation."""
        from keras import layers

        number = self.option("fused_activation_function")
        if number and number not in _ACTIVATIONS:
            raise self.refusal(f"has the fused activation {number}; expected none, RELU, RELU6 or TANH")
        return layers.Activation(_ACTIVATIONS[number], name=f"{self.name}_activation")(x) if number else x

    def step(self, operator: str = "", **settings: Any) -> Any:
        """Apply the operator as a `GraphStep`, constants among its inputs where nothing is set."""
        from train.layers.graph_step import GraphStep

        operator = operator or self.operator.name
        if settings and operator != "CONCATENATION" and operator != "BATCH_MATMUL":
            return self.activated(GraphStep(operator, settings, name=self.name)(self.input()))
        constants = {
            place: found for place in range(len(self.operator.inputs)) if (found := self.constant(place)) is not None
        }
        self._check_rows(constants)
        layer = GraphStep(
            operator, settings, [(place, found.shape) for place, found in constants.items()], name=self.name
        )
        given = [self.input(place) for place in range(len(self.operator.inputs)) if place not in constants]
        return self.made(layer, given if len(given) > 1 else given[0], *constants.values())

    def _check_rows(self, constants: dict[int, np.ndarray]) -> None:
        """Refuse what would treat the rows of a batch differently."""
        shapes = [self.shape(place) for place in range(len(self.operator.inputs))]
        rank = max(map(len, shapes))
        computed = {shape[0] for place, shape in enumerate(shapes) if place not in constants}
        stretched = any(len(shape) < rank for place, shape in enumerate(shapes) if place not in constants)
        fixed = any(len(one.shape) == rank and one.shape[0] != 1 for one in constants.values())
        if len(computed) != 1 or stretched or (fixed and self.operator.name != "BATCH_MATMUL"):
            raise self.refusal(f"mixes rows of {' and '.join(map(str, shapes))}; expected one window a row")


def _convolution(step: Step) -> Any:
    """A convolution: kernels (filters, height, width, channels)."""
    from keras import layers

    kernel, offset = step.needed(1), step.constant(2)
    filters, height, width, channels = kernel.shape
    layer = layers.Conv2D(
        filters,
        (height, width),
        strides=_strides(step),
        padding=_padding(step),
        dilation_rate=_dilation(step),
        groups=step.shape()[-1] // channels,
        use_bias=offset is not None,
        name=step.name,
    )
    return step.made(layer, step.input(), np.moveaxis(kernel, 0, -1), offset)


def _depthwise(step: Step) -> Any:
    """A depthwise convolution: kernels (1, height, width, channels * multiplier)."""
    from keras import layers

    kernel, offset = step.needed(1), step.constant(2)
    _, height, width, _ = kernel.shape
    channels, strides, x = step.shape()[-1], _strides(step), step.input()
    even = strides[0] == strides[1]
    if not even and _padding(step) == "same":  # TensorFlow's kernel steps evenly: padded here, thinned out below
        pads = [_same_pads(*one) for one in zip(step.shape()[1:3], (height, width), strides, strict=True)]
        x = layers.ZeroPadding2D(pads, name=f"{step.name}_padded")(x)
    layer = layers.DepthwiseConv2D(
        (height, width),
        strides=strides if even else 1,
        padding=_padding(step) if even else "valid",
        dilation_rate=_dilation(step),
        depth_multiplier=kernel.shape[-1] // channels,
        use_bias=offset is not None,
        name=step.name,
    )
    x = layer(x)
    layer.set_weights([kernel.reshape(height, width, channels, -1), *([] if offset is None else [offset])])
    if not even:
        from train.layers.graph_step import GraphStep

        slices = [[None, None, stride] for stride in strides]
        thin = GraphStep("STRIDED_SLICE", {"slices": slices, "shape": step.out_shape[1:]}, name=f"{step.name}_thinned")
        x = thin(x)
    return step.activated(x)


def _dense(step: Step) -> Any:
    """A fully connected layer: kernel (units, inputs)."""
    from keras import layers

    kernel, offset, x = step.needed(1), step.constant(2), step.input()
    if not step.option("keep_num_dims", False) and len(x.shape) > 2:
        x = _rows(x, (kernel.shape[1],), f"{step.name}_rows")
    layer = layers.Dense(kernel.shape[0], use_bias=offset is not None, name=step.name)
    return step.made(layer, x, np.ascontiguousarray(kernel.T), offset)


def _pool(step: Step) -> Any:
    """The mean or the maximum of small fields."""
    from keras import layers

    kind = layers.MaxPooling2D if step.operator.name == "MAX_POOL_2D" else layers.AveragePooling2D
    size = step.option("filter_height"), step.option("filter_width")
    return step.activated(kind(size, _strides(step), _padding(step), name=step.name)(step.input()))


def _activation(step: Step) -> Any:
    """An activation that Keras has by name."""
    from keras import layers

    name = {"LOGISTIC": "sigmoid"}.get(step.operator.name, step.operator.name.lower())
    return layers.Activation(name, name=step.name)(step.input())


def _reshape(step: Step) -> Any:
    """Another shape of the same values."""
    return _rows(step.input(), step.out_shape[1:], step.name)


def _transpose(step: Step) -> Any:
    """Another order of the axes behind the batch."""
    axes = step.needed(1).tolist()
    if axes[0] != 0:
        raise step.refusal("moves the axis of the batch")
    return step.step(axes=axes)


def _reduce(step: Step) -> Any:
    """A mean, a sum or an extreme over axes behind the batch."""
    return step.step(axes=_axes(step), keepdims=bool(step.option("keep_dims", False)))


def _reverse(step: Step) -> Any:
    """The other way round along axes behind the batch."""
    return step.step(axes=_axes(step))


def _pad(step: Step) -> Any:
    """Values around a map."""
    paddings = step.needed(1).tolist()
    if paddings[0] != [0, 0]:
        raise step.refusal("pads the batch")
    value = step.constant(2)
    mode = _PADDINGS[step.option("mode")] if step.operator.name == "MIRROR_PAD" else "constant"
    return step.step("PAD", paddings=paddings, mode=mode, value=0.0 if value is None else float(value.ravel()[0]))


def _concatenate(step: Step) -> Any:
    """Several maps side by side."""
    axis = step.option("axis") % len(step.out_shape)
    if axis == 0:
        raise step.refusal("joins along the batch")
    if any(step.constant(place) is not None for place in range(len(step.operator.inputs))):
        raise step.refusal("joins a constant to a map")
    return step.step(axis=axis)


def _strided_slice(step: Step) -> Any:
    """A part of a map."""
    shape = step.shape()
    if step.option("ellipsis_mask") or step.option("new_axis_mask") or step.option("offset", False):
        raise step.refusal("is set to an ellipsis, a new axis or an offset")
    begins, ends, strides = (step.needed(place).tolist() for place in (1, 2, 3))
    if not (strides[0] == 1 and _whole(step, shape[0], begins[0], ends[0])):
        raise step.refusal("cuts the batch")
    slices = []
    for axis in range(1, len(begins)):
        begin = None if step.option("begin_mask") >> axis & 1 else begins[axis]
        end = None if step.option("end_mask") >> axis & 1 else ends[axis]
        if step.option("shrink_axis_mask") >> axis & 1:
            place = begins[axis] % shape[axis]
            begin, end = place, place + 1
        slices.append([begin, end, strides[axis]])
    return step.step(slices=slices, shape=step.out_shape[1:])


def _slice(step: Step) -> Any:
    """A part of a map, by its beginning and its sizes."""
    begins, sizes = (step.needed(place).tolist() for place in (1, 2))
    if begins[0] != 0 or sizes[0] not in (-1, step.shape()[0]):
        raise step.refusal("cuts the batch")
    slices = [[begin, None if size < 0 else begin + size, 1] for begin, size in zip(begins, sizes, strict=True)]
    return step.step("STRIDED_SLICE", slices=slices[1:], shape=step.out_shape[1:])


def _matmul(step: Step) -> Any:
    """Matrix products."""
    return step.step(adj_x=bool(step.option("adj_x", False)), adj_y=bool(step.option("adj_y", False)))


def _plain(step: Step) -> Any:
    """What needs no settings."""
    return step.step()


def _softmax(step: Step) -> Any:
    """Scores that add up to 1."""
    return step.step(beta=float(step.option("beta", 1.0))) if step.option("beta", 1.0) != 1.0 else _activation(step)


def _leaky(step: Step) -> Any:
    """A ReLU with a slope."""
    return step.step(slope=float(step.option("alpha", 0.0)))


def _rows(x: Any, shape: Sequence[int], name: str) -> Any:
    """Values in rows of another shape."""
    from train.layers.graph_step import GraphStep

    return GraphStep("RESHAPE", {"shape": [int(size) for size in shape]}, name=name)(x)


def _axes(step: Step) -> list[int]:
    """Axes behind the batch."""
    axes = sorted({int(axis) % len(step.shape()) for axis in np.ravel(step.needed(1))})
    if 0 in axes:
        raise step.refusal("works along the batch")
    return axes


def _whole(step: Step, size: int, begin: int, end: int) -> bool:
    """Whether a slice takes the whole first axis and keeps it."""
    if step.option("shrink_axis_mask") & 1:
        return False
    begins = bool(step.option("begin_mask") & 1) or begin in (0, -size)
    return begins and (bool(step.option("end_mask") & 1) or end >= size)


def _strides(step: Step) -> tuple[int, int]:
    """Rows and columns from one field to the next."""
    return step.option("stride_h", 1), step.option("stride_w", 1)


def _dilation(step: Step) -> tuple[int, int]:
    """Rows and columns from one value of a kernel to the next."""
    return step.option("dilation_h_factor", 1), step.option("dilation_w_factor", 1)


def _padding(step: Step) -> str:
    """In the word of Keras."""
    return "same" if step.option("padding") == SAME else "valid"


def _same_pads(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """How many zeros TensorFlow puts before and behind."""
    total = max(0, (math.ceil(size / stride) - 1) * stride + kernel - size)
    return total // 2, total - total // 2


RULES: dict[str, Callable[[Step], Any]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    **dict.fromkeys(("MAX_POOL_2D", "AVERAGE_POOL_2D"), _pool),
    **dict.fromkeys(("RELU", "RELU6", "TANH", "LOGISTIC"), _activation),
    **dict.fromkeys(("RESHAPE", "SQUEEZE", "EXPAND_DIMS"), _reshape),
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN"), _reduce),
    **dict.fromkeys(("PAD", "PADV2", "MIRROR_PAD"), _pad),
    **dict.fromkeys(("ADD", "SUB", "MUL", "DIV", "MAXIMUM", "MINIMUM", "POW", "SQUARED_DIFFERENCE", "PRELU"), _plain),
    **dict.fromkeys(("SQRT", "RSQRT", "SQUARE", "EXP", "LOG", "ABS", "NEG", "ELU", "HARD_SWISH"), _plain),
    "SOFTMAX": _softmax,
    "LEAKY_RELU": _leaky,
    "TRANSPOSE": _transpose,
    "REVERSE_V2": _reverse,
    "CONCATENATION": _concatenate,
    "STRIDED_SLICE": _strided_slice,
    "SLICE": _slice,
    "BATCH_MATMUL": _matmul,
}

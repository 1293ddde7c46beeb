"""One operator of a `.tflite` graph as a Keras layer, for those that Keras has no layer of its own for.

The first axis is the batch, or the batch times what the graph folded into it: no operator here mixes its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from train.layers.saved_names import saved_by_name

Rule = Callable[..., Any]


@saved_by_name
class GraphStep(keras.layers.Layer):
    """Do what an operator of the schema does.

    Parameters
    ----------
    operator : str
        Its name in the schema, one of `STEPS`.
    settings : dict
        Keyword arguments of its rule.
    constants : sequence of (int, sequence of int)
        Which of its inputs are constants, and the shape of each; they are weights that are not trained.
    """

    def __init__(self, operator: str, settings: dict[str, Any], constants: Sequence[Any] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.operator, self.settings = operator, settings
        self.constants = [(int(place), tuple(int(size) for size in shape)) for place, shape in constants]
        self._values: list[Any] = []

    def build(self, *shapes: Any) -> None:
        """Make room for the constants."""
        for place, shape in self.constants:
            name = f"constant_{place}"
            self._values.append(self.add_weight(shape=shape, initializer="zeros", trainable=False, name=name))

    def call(self, inputs: Any) -> Any:
        """Return what the operator makes of one tensor, or of a list of them."""
        given = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        for (place, _), value in zip(self.constants, self._values, strict=True):
            given.insert(place, ops.convert_to_tensor(value))
        return STEPS[self.operator](*given, **self.settings)

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        made = {"operator": self.operator, "settings": self.settings, "constants": self.constants}
        return {**super().get_config(), **made}


def _reshape(x: Any, *, shape: Sequence[int]) -> Any:
    """Rows of another shape."""
    return ops.reshape(x, (-1, *shape))


def _slice(x: Any, *, slices: Sequence[Sequence[int]], shape: Sequence[int]) -> Any:
    """A part of each row."""
    return _reshape(x[(slice(None), *(slice(*one) for one in slices))], shape=shape)


def _pad(x: Any, *, paddings: Sequence[Sequence[int]], mode: str, value: float) -> Any:
    """Rows with values around them."""
    pairs = [tuple(pair) for pair in paddings]
    return ops.pad(x, pairs, mode, value) if mode == "constant" else ops.pad(x, pairs, mode)


def _matmul(x: Any, y: Any, *, adj_x: bool, adj_y: bool) -> Any:
    """Matrix products."""
    return ops.matmul(*(ops.swapaxes(one, -1, -2) if turned else one for one, turned in ((x, adj_x), (y, adj_y))))


STEPS: dict[str, Rule] = {
    "ADD": ops.add,
    "SUB": ops.subtract,
    "MUL": ops.multiply,
    "DIV": ops.divide,
    "MAXIMUM": ops.maximum,
    "MINIMUM": ops.minimum,
    "POW": ops.power,
    "SQUARED_DIFFERENCE": lambda x, y: ops.square(ops.subtract(x, y)),
    "PRELU": lambda x, alpha: ops.maximum(x, 0.0) + alpha * ops.minimum(x, 0.0),
    "BATCH_MATMUL": _matmul,
    "SQRT": ops.sqrt,
    "RSQRT": ops.rsqrt,
    "SQUARE": ops.square,
    "EXP": ops.exp,
    "LOG": ops.log,
    "ABS": ops.abs,
    "NEG": ops.negative,
    "ELU": ops.elu,
    "HARD_SWISH": ops.hard_silu,
    "LEAKY_RELU": lambda x, *, slope: ops.leaky_relu(x, slope),
    "SOFTMAX": lambda x, *, beta: ops.softmax(ops.multiply(x, beta)),
    "RESHAPE": _reshape,
    "STRIDED_SLICE": _slice,
    "TRANSPOSE": lambda x, *, axes: ops.transpose(x, axes),
    "REVERSE_V2": lambda x, *, axes: ops.flip(x, axes),
    "PAD": _pad,
    "CONCATENATION": lambda *parts, axis: ops.concatenate(parts, axis),
    "MEAN": lambda x, *, axes, keepdims: ops.mean(x, axes, keepdims=keepdims),
    "SUM": lambda x, *, axes, keepdims: ops.sum(x, axes, keepdims=keepdims),
    "REDUCE_MAX": lambda x, *, axes, keepdims: ops.max(x, axes, keepdims=keepdims),
    "REDUCE_MIN": lambda x, *, axes, keepdims: ops.min(x, axes, keepdims=keepdims),
}

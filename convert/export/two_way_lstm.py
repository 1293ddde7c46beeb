"""A bidirectional LSTM written out for one window, both directions in the same small operators.

Keras' own unrolling makes a matrix product of each step's input, and each direction a chain by itself. Here the inputs
of all steps pass one product a direction, and a step is then, for both directions together: two products with the
recurrent weights, one sum, one split into gates, and nine elementwise operators. For two layers of 64 units over 126
steps these are half the operators, in half the time (`benchmarks/recurrent_forms.py`).
Axis order within: (direction, values), the backward direction's steps in the order it takes them.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

NUM_GATES = 4  # in Keras' order: input, forget, cell, output
NUM_DIRECTIONS = 2


class TwoWayLstm(keras.layers.Layer):
    """Compute what `Bidirectional(LSTM)` does with merge_mode "concat", for a batch of 1.

    Parameters
    ----------
    forward, backward : sequence of np.ndarray
        Of each direction the kernel (n_features, 4 * units), the recurrent kernel (units, 4 * units) and, where it
        has one, the bias (4 * units,). They are constants here, not weights.
    return_sequences : bool
        Whether to return every step or each direction's last one.
    """

    def __init__(self, forward: Any, backward: Any, return_sequences: bool, **kwargs: Any):
        super().__init__(**kwargs)
        self._directions = [tuple(np.asarray(one, np.float32) for one in weights) for weights in (forward, backward)]
        self._return_sequences = return_sequences
        self._units = self._directions[0][1].shape[0]

    def call(self, steps: Any, mask: None = None) -> Any:
        """Return float32 (1, n_steps, 2 * units), or (1, 2 * units) of the last steps.

        Raises
        ------
        ValueError
            Another batch than 1.
        """
        if steps.shape[0] != 1:
            raise ValueError(f"{self.name} is written out for one window; expected a batch of 1, not {steps.shape[0]}")
        # One constant each for all steps: the converter stores what it meets once.
        recurrent = [ops.convert_to_tensor(weights[1]) for weights in self._directions]
        first, *others = self._projected(ops.squeeze(steps, axis=0))
        hidden, cell = _first_step(first, self._units)
        outputs = [hidden]
        for gates in others:
            hidden, cell = _step(ops.add(gates, self._recurred(hidden, recurrent)), cell)
            outputs.append(hidden)
        return self._in_order(outputs) if self._return_sequences else ops.reshape(outputs[-1], (1, -1))

    def _projected(self, steps: Any) -> list[Any]:
        """Return of each step what its input adds to the gates, (2, 4 * units)."""
        num_steps, width = steps.shape[0], NUM_GATES * self._units
        projections = []
        for heard, (kernel, _, *bias) in zip((steps, ops.flip(steps, axis=0)), self._directions, strict=True):
            product = ops.matmul(heard, kernel)
            projections.append(ops.reshape(ops.add(product, bias[0]) if bias else product, (num_steps, 1, width)))
        both = ops.reshape(ops.concatenate(projections, axis=1), (num_steps * NUM_DIRECTIONS, width))
        return list(ops.split(both, num_steps, axis=0))

    def _recurred(self, hidden: Any, recurrent: list[Any]) -> Any:
        """Return what the step before adds to the gates, (2, 4 * units)."""
        states = ops.split(hidden, NUM_DIRECTIONS, axis=0)
        return ops.concatenate(
            [ops.matmul(one, weights) for one, weights in zip(states, recurrent, strict=True)], axis=0
        )

    def _in_order(self, outputs: list[Any]) -> Any:
        """Return the steps of both directions in the order of time, (1, n_steps, 2 * units)."""
        both = ops.reshape(ops.concatenate(outputs, axis=1), (NUM_DIRECTIONS, len(outputs), self._units))
        forward, backward = ops.split(both, NUM_DIRECTIONS, axis=0)
        return ops.concatenate([forward, ops.flip(backward, axis=1)], axis=2)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Spares Keras writing out the steps to find the shape."""
        width = NUM_DIRECTIONS * self._units
        return (*input_shape[:2], width) if self._return_sequences else (input_shape[0], width)


def _first_step(gates: Any, units: int) -> tuple[Any, Any]:
    """Return the hidden and the cell state behind the first step, which has no cell state to forget."""
    # Cut one by one: a split would leave the forget gate without a reader, which the quantizer takes for float32.
    enter, candidate, leave = (gates[:, gate * units : (gate + 1) * units] for gate in (0, 2, 3))
    cell = ops.multiply(ops.sigmoid(enter), ops.tanh(candidate))
    return ops.multiply(ops.sigmoid(leave), ops.tanh(cell)), cell


def _step(gates: Any, cell: Any) -> tuple[Any, Any]:
    """Return the hidden and the cell state behind one step."""
    enter, forget, candidate, leave = ops.split(gates, NUM_GATES, axis=1)
    cell = ops.add(ops.multiply(ops.sigmoid(forget), cell), ops.multiply(ops.sigmoid(enter), ops.tanh(candidate)))
    return ops.multiply(ops.sigmoid(leave), ops.tanh(cell)), cell


def two_way_lstm(layer: Any) -> TwoWayLstm | None:
    """Return the written-out form of a trained layer; None where it is no bidirectional LSTM of the usual kind."""
    if type(layer) is not keras.layers.Bidirectional or layer.merge_mode != "concat":
        return None
    if isinstance(layer.input, list):  # a mask or a first state beside the steps
        return None
    parts = (layer.forward_layer, layer.backward_layer)
    if not all(_is_usual(part) for part in parts) or parts[0].go_backwards or parts[0].units != parts[1].units:
        return None
    weights = [part.get_weights() for part in parts]
    return TwoWayLstm(weights[0], weights[1], return_sequences=parts[0].return_sequences, name=layer.name)


def _is_usual(part: Any) -> bool:
    """Whether a direction is an LSTM as Keras makes it by default, whatever its size."""
    if type(part) is not keras.layers.LSTM or part.return_state:
        return False
    return part.activation is keras.activations.tanh and part.recurrent_activation is keras.activations.sigmoid

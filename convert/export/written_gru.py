"""A GRU written out for one window, one direction or both in the same small operators; its state begins at zero.

As for the LSTM (`convert.export.two_way_lstm`), the inputs of all steps pass one product a direction. A step is then
one product a direction with the recurrent weights (two where the reset gate stands before the candidate's product) and
a few elementwise operators for all directions together.
Axis order within: (direction, values), the backward direction's steps in the order it takes them.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

NUM_GATES = 3  # in Keras' order: update, reset, candidate
ACTIVATIONS = ("tanh", "relu")  # of the candidate; relu as the published event detector has it


class WrittenGru(keras.layers.Layer):
    """Compute what `GRU`, or `Bidirectional(GRU)` with merge_mode "concat", does for a batch of 1.

    Parameters
    ----------
    directions : sequence of sequence of np.ndarray
        Of the forward and, where there is one, the backward direction: the kernel (n_features, 3 * units), the
        recurrent kernel (units, 3 * units) and maybe the bias, (2, 3 * units) with `reset_after`, else (3 * units,).
        They are constants here, not weights.
    candidate : str
        Activation of the candidate, one of `ACTIVATIONS`.
    reset_after : bool
        Whether the reset gate comes behind the product of the state with the candidate's weights.
    return_sequences : bool
        Whether to return every step or each direction's last one.
    """

    def __init__(self, directions: Any, candidate: str, reset_after: bool, return_sequences: bool, **kwargs: Any):
        super().__init__(**kwargs)
        self._directions = [tuple(np.asarray(one, np.float32) for one in weights) for weights in directions]
        self._candidate, self._reset_after = candidate, reset_after
        self._return_sequences = return_sequences
        self._units = self._directions[0][1].shape[0]

    def call(self, steps: Any, mask: None = None) -> Any:
        """Return float32 (1, n_steps, n_directions * units), or (1, n_directions * units) of the last steps.

        Raises
        ------
        ValueError
            Another batch than 1.
        """
        if steps.shape[0] != 1:
            raise ValueError(f"{self.name} is written out for one window; expected a batch of 1, not {steps.shape[0]}")
        weights = self._recurrent_weights()
        first, *others = self._projected(ops.squeeze(steps, axis=0))
        hidden = self._first_step(first)
        outputs = [hidden]
        for gates in others:
            hidden = self._step(gates, hidden, weights)
            outputs.append(hidden)
        return self._in_order(outputs) if self._return_sequences else ops.reshape(outputs[-1], (1, -1))

    def _recurrent_weights(self) -> list[list[Any]]:
        """Return of each direction the constants of a step's products, one of each for all steps."""
        cut = NUM_GATES * self._units if self._reset_after else (NUM_GATES - 1) * self._units
        return [
            [ops.convert_to_tensor(part) for part in (weights[1][:, :cut], weights[1][:, cut:]) if part.size]
            for weights in self._directions
        ]

    def _bias(self, row: int) -> np.ndarray:
        """Return the bias of the inputs (0) or of the recurrent product (1), (n_directions, 3 * units)."""
        zeros = np.zeros(NUM_GATES * self._units, np.float32)
        if row and not self._reset_after:
            return np.stack([zeros] * len(self._directions))
        biases = [weights[2] if len(weights) > 2 else zeros for weights in self._directions]
        return np.stack([bias[row] if bias.ndim == 2 else bias for bias in biases])

    def _projected(self, steps: Any) -> list[Any]:
        """Return of each step what its input adds to the gates, (n_directions, 3 * units)."""
        num_steps, width, count = steps.shape[0], NUM_GATES * self._units, len(self._directions)
        heard = [steps, ops.flip(steps, axis=0)][:count]
        added = self._bias(0)
        if self._reset_after:  # the gates' recurrent bias too, which is added to the same sum
            added[:, : 2 * self._units] += self._bias(1)[:, : 2 * self._units]
        products = [
            ops.reshape(ops.add(ops.matmul(one, weights[0]), bias), (num_steps, 1, width))
            for one, weights, bias in zip(heard, self._directions, added, strict=True)
        ]
        both = products[0] if count == 1 else ops.concatenate(products, axis=1)
        return list(ops.split(ops.reshape(both, (num_steps * count, width)), num_steps, axis=0))

    def _first_step(self, gates: Any) -> Any:
        """Return the state behind the first step, before which it is zero."""
        units = self._units
        # Cut one by one, as a gate without a reader would be taken for float32 by the quantizer.
        update, enter = gates[:, :units], gates[:, 2 * units :]
        if self._reset_after:
            reset = ops.sigmoid(gates[:, units : 2 * units])
            enter = ops.add(enter, ops.multiply(reset, self._bias(1)[:, 2 * units :]))
        candidate = self._activated(enter)
        return ops.subtract(candidate, ops.multiply(ops.sigmoid(update), candidate))

    def _step(self, gates: Any, hidden: Any, weights: list[list[Any]]) -> Any:
        """Return the state behind one step."""
        units = self._units
        recurred = self._product(hidden, [one[0] for one in weights])
        both = ops.sigmoid(ops.add(gates[:, : 2 * units], recurred[:, : 2 * units]))
        update, reset = ops.split(both, 2, axis=1)
        if self._reset_after:
            behind = ops.multiply(reset, ops.add(recurred[:, 2 * units :], self._bias(1)[:, 2 * units :]))
        else:
            behind = self._product(ops.multiply(reset, hidden), [one[1] for one in weights])
        candidate = self._activated(ops.add(gates[:, 2 * units :], behind))
        return ops.add(candidate, ops.multiply(update, ops.subtract(hidden, candidate)))

    def _product(self, states: Any, weights: list[Any]) -> Any:
        """Return each direction's state times its weights, (n_directions, n)."""
        if len(weights) == 1:
            return ops.matmul(states, weights[0])
        rows = ops.split(states, len(weights), axis=0)
        return ops.concatenate([ops.matmul(one, kernel) for one, kernel in zip(rows, weights, strict=True)], axis=0)

    def _activated(self, values: Any) -> Any:
        """Return the candidate."""
        return ops.relu(values) if self._candidate == "relu" else ops.tanh(values)

    def _in_order(self, outputs: list[Any]) -> Any:
        """Return the steps of all directions in the order of time, (1, n_steps, n_directions * units)."""
        if len(self._directions) == 1:
            return ops.expand_dims(ops.concatenate(outputs, axis=0), axis=0)
        both = ops.reshape(ops.concatenate(outputs, axis=1), (2, len(outputs), self._units))
        forward, backward = ops.split(both, 2, axis=0)
        return ops.concatenate([forward, ops.flip(backward, axis=1)], axis=2)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Spares Keras writing out the steps to find the shape."""
        width = len(self._directions) * self._units
        return (*input_shape[:2], width) if self._return_sequences else (input_shape[0], width)


def written_gru(layer: Any) -> WrittenGru | None:
    """Return the written-out form of a trained layer; None where it is no GRU of a kind that is known here."""
    two_way = type(layer) is keras.layers.Bidirectional
    if two_way and layer.merge_mode != "concat":
        return None
    if isinstance(layer.input, list):  # a mask or a first state beside the steps
        return None
    parts = (layer.forward_layer, layer.backward_layer) if two_way else (layer,)
    if not all(_is_known(part) for part in parts) or parts[0].go_backwards:
        return None
    first = parts[0]
    if len({(part.units, part.reset_after, part.activation) for part in parts}) > 1:
        return None
    return WrittenGru(
        [part.get_weights() for part in parts],
        first.activation.__name__,
        bool(first.reset_after),
        first.return_sequences,
        name=layer.name,
    )


def _is_known(part: Any) -> bool:
    """Whether a direction is a GRU with one of the activations that are written out."""
    if type(part) is not keras.layers.GRU or part.return_state:
        return False
    known = [getattr(keras.activations, name) for name in ACTIVATIONS]
    return part.activation in known and part.recurrent_activation is keras.activations.sigmoid

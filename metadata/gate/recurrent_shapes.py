"""The shapes that recurrent layers put out, and what their weights and states must be for that.

Each function takes an `OperatorCall` and returns the shapes of the outputs. Weights have their outputs as rows: those
that take the input have its length as columns, those that take the state the state's.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from metadata.gate.kernel_shapes import Shapes
from metadata.gate.operator_call import OperatorCall
from metadata.tflite_file.model_content import Shape


class _Places(NamedTuple):
    """Where an LSTM of one direction has its tensors among an operator's inputs."""

    first: (
        int  # of 17: four weights of the input, four of the state, three peepholes, four biases, the projection's two
    )
    output_state: int
    cell_state: int
    norms: int = 0  # of 4, 0 where the operator knows none


_ONE_WAY = _Places(1, 18, 19, 20)
_FORWARDS, _BACKWARDS = _Places(1, 35, 36), _Places(18, 37, 38)
_AUXILIARY_LSTM, _AUXILIARY_RNN = range(39, 48), range(9, 12)  # a second input, and weights for it


def lstm(call: OperatorCall) -> Shapes:
    """LSTM: a single step, or UNIDIRECTIONAL_SEQUENCE_LSTM: as many as the input has."""
    source = call.shapes[0]
    is_step = call.operator.name == "LSTM"
    call.require(len(source) == (2 if is_step else 3), "an input of another rank")
    batch = source[0] if is_step or not call.flag("time_major") else source[1]
    return [(*source[:-1], _lstm_outputs(call, _ONE_WAY, batch, source[-1]))]


def lstm_both_ways(call: OperatorCall) -> Shapes:
    """BIDIRECTIONAL_SEQUENCE_LSTM: outputs of both directions, side by side in one tensor or in two."""
    source = call.shapes[0]
    call.require(len(source) == 3, "an input of another rank than 3")
    call.support(not any(map(call.has, _AUXILIARY_LSTM)), "a second input")
    batch = source[1] if call.operator.options.get("time_major", True) else source[0]
    sizes = [_lstm_outputs(call, places, batch, source[2]) for places in (_FORWARDS, _BACKWARDS)]
    return _joined(call, source[:2], sizes)


def rnn(call: OperatorCall) -> Shapes:
    """RNN: a single step, or UNIDIRECTIONAL_SEQUENCE_RNN: as many as the input has."""
    source = call.shapes[0]
    is_step = call.operator.name == "RNN"
    call.require(len(source) == (2 if is_step else 3), "an input of another rank")
    batch = source[0] if is_step or not call.flag("time_major") else source[1]
    return [(*source[:-1], _rnn_outputs(call, 1, batch, source[-1]))]


def rnn_both_ways(call: OperatorCall) -> Shapes:
    """BIDIRECTIONAL_SEQUENCE_RNN: as the LSTM."""
    source = call.shapes[0]
    call.require(len(source) == 3, "an input of another rank than 3")
    call.support(not any(map(call.has, _AUXILIARY_RNN)), "a second input")
    batch = source[1] if call.flag("time_major") else source[0]
    return _joined(call, source[:2], [_rnn_outputs(call, first, batch, source[2]) for first in (1, 5)])


def svdf(call: OperatorCall) -> Shapes:
    """SVDF: input [batch, inputs], feature weights [filters, inputs], time weights [filters, memory], bias, state."""
    source, features, times = (*call.shapes[:3],)
    rank = call.number("rank")
    call.require(
        len(source) == len(features) == len(times) == 2
        and source[1] == features[1]
        and features[0] == times[0]
        and times[1] >= 1
        and rank >= 1
        and features[0] % rank == 0
        and call.shapes[4] == (source[0], times[1] * features[0]),
        f"weights that do not fit, or rank {rank}",
    )
    units = features[0] // rank
    call.require(not call.has(3) or call.shapes[3] == (units,), f"biases {call.shapes[3]} for {units}")
    return [(source[0], units)]


def _lstm_outputs(call: OperatorCall, places: _Places, batch: int, num_features: int) -> int:
    """Check the weights and states of one direction and return how many values it puts out."""
    inputs, states = (range(places.first + start, places.first + start + 4) for start in (0, 4))
    peepholes, biases = range(places.first + 8, places.first + 11), range(places.first + 11, places.first + 15)
    projection = places.first + 15
    call.support(len(call.shapes[states[3]]) != 1, "weights of the state that are a diagonal")
    cells, outputs = (*call.shapes[inputs[1]], -1)[0], (*call.shapes[states[3]], -1, -1)[1]
    _check_gates(call, inputs, states, peepholes, biases, projection)
    call.require(call.has(projection) or outputs == cells, f"{outputs} outputs of {cells} cells without a projection")
    expected: dict[int, Shape] = {}
    expected |= dict.fromkeys(inputs, (cells, num_features)) | dict.fromkeys(states, (cells, outputs))
    expected |= dict.fromkeys((*peepholes, *biases), (cells,))
    expected |= {projection: (outputs, cells), projection + 1: (outputs,)}
    if places.norms:
        norms = range(places.norms, places.norms + 4)
        expected |= dict.fromkeys(norms, (cells,))
        given = {call.has(place) for place in norms[1:]} | ({call.has(norms[0])} if call.has(inputs[0]) else set())
        call.require(len(given) == 1, "some of the weights of its layer normalization")
        call.require(call.has(inputs[0]) or not call.has(norms[0]), "a norm of an input gate that is not there")
    _check_shapes(call, expected)
    for place, size in ((places.output_state, outputs), (places.cell_state, cells)):
        call.require(math.prod(call.shapes[place]) == batch * size, f"a state {place} that does not fit")
    return outputs


def _check_gates(
    call: OperatorCall, inputs: range, states: range, peepholes: range, biases: range, projection: int
) -> None:
    """Check that weights which belong together are there together."""
    gates = (call.has(inputs[0]), call.has(states[0]), call.has(biases[0]))
    call.require(len(set(gates)) == 1, "some of the weights of its input gate")
    call.require(call.has(peepholes[1]) == call.has(peepholes[2]), "some of its peephole weights")
    first = call.has(peepholes[1]) and gates[0]
    call.require(call.has(peepholes[0]) == first, "some of its peephole weights")
    call.require(call.has(projection) or not call.has(projection + 1), "the bias of a projection that is not there")


def _rnn_outputs(call: OperatorCall, first: int, batch: int, num_features: int) -> int:
    """Check the weights, biases and state of one direction and return how many values it puts out."""
    units = (*call.shapes[first], -1)[0]
    shapes: list[Shape] = [(units, num_features), (units, units), (units,), (batch, units)]
    _check_shapes(call, dict(zip(range(first, first + 4), shapes, strict=True)))
    return units


def _check_shapes(call: OperatorCall, expected: dict[int, Shape]) -> None:
    """Compare the shapes of the inputs that are there."""
    for place, shape in expected.items():
        if call.has(place):
            call.require(call.shapes[place] == shape, f"weights {place} that do not fit")


def _joined(call: OperatorCall, steps: Shape, sizes: list[int]) -> Shapes:
    """The outputs of two directions."""
    if call.flag("merge_outputs"):
        return [(*steps, sum(sizes))]
    return [(*steps, size) for size in sizes]

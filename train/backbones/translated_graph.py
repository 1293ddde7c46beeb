"""A float `.tflite` graph as a Keras model with its weights, up to one tensor, and the proof that both say the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_runtime.model.interpreter import open_interpreter
from metadata.plural import counted
from metadata.tflite_file.model_content import Operator
from train.backbones.embedding_layer import listed_candidates, nearest_names
from train.backbones.graph_reading import FLOATS, GraphReading
from train.backbones.translated_operators import RULES, Step
from train.backend import load_keras

MOST_DIFFERENCE = 1e-4  # of the largest value, between the layers and the file
MOST_DIFFERENCE_8_BITS = 0.05  # where weights have 8 bits: there the file rounds activations while it runs


def find_tensor(reading: GraphReading, name: str | None) -> int:
    """Return which tensor is called so; a number is the place of one.

    Raises
    ------
    ValueError
        No name, none that there is, several of one name, or a tensor that is not computed.
    """
    candidates = listed_candidates([(f"{place}: {tensor.name}", tensor.size) for place, tensor in reading.candidates()])
    if name is None:
        raise ValueError(f"name the tensor of its embedding, or its number: --embedding TENSOR; {candidates}")
    places = [place for place, tensor in enumerate(reading.graph.tensors) if tensor.name == name]
    if not places and name.isdecimal() and int(name) < len(reading.graph.tensors):
        places = [int(name)]
    if not places:
        near = nearest_names(name, [tensor.name for tensor in reading.graph.tensors if tensor.data is None])
        raise ValueError(f"it has no tensor {name!r}{near}; {candidates}")
    if len(places) > 1:
        raise ValueError(f"it has {len(places)} tensors {name!r}; give the number: one of {places}")
    if not any(places[0] in operator.outputs for operator in reading.graph.operators):
        raise ValueError(f"the tensor {name} is not computed; {candidates}")
    return places[0]


def translated(reading: GraphReading, target: int) -> Any:
    """Return a Keras model from the file's input to one of its tensors.

    Raises
    ------
    ValueError
        An operator that is not taken, activations of integers, or several inputs.
    """
    keras = load_keras()
    if len(reading.graph.inputs) != 1:
        raise ValueError(f"it has {counted(len(reading.graph.inputs), 'input')}; expected one")
    entry = reading.tensor(reading.graph.inputs[0])
    if entry.dtype != "float32" or len(entry.shape) < 2 or entry.shape[0] != 1:
        raise ValueError(f"its input is {entry}; expected float32 with a batch of 1 first, such as [1, samples]")
    operators = reading.up_to(target)
    for operator in operators:
        _check(reading, operator)
    start = keras.Input(entry.shape[1:], name="input")
    values = {reading.graph.inputs[0]: start}
    for operator in operators:
        missing = [place for place in operator.inputs if place >= 0 and place not in values]
        if any(reading.constant(place) is None for place in missing):
            raise ValueError(f"{operator} reads a tensor that is not computed from the input")
        values[operator.outputs[0]] = RULES[operator.name](Step(reading, operator, values))
    return keras.Model(start, values[target])


def prove(reading: GraphReading, target: int, model: Any, patches: np.ndarray) -> float:
    """Return by how much layers and file differ at most, as a share of the file's largest value.

    Parameters
    ----------
    reading : GraphReading
    target : int
        The tensor.
    model : keras.Model
        From `translated`.
    patches : np.ndarray
        float32 (n, ...) as the file takes them; the layers get them all at once, the file one by one.

    Raises
    ------
    ValueError
        They differ by more than is allowed.
    """
    interpreter = open_interpreter(reading.content, use_xnnpack=False, keep_all=True)
    expected = []
    for patch in patches:
        interpreter.set_tensor(reading.graph.inputs[0], patch[np.newaxis])
        interpreter.invoke()
        expected.append(interpreter.get_tensor(target).ravel())
    found = np.asarray(model.predict_on_batch(patches)).reshape(len(patches), -1)
    if found.shape != np.shape(expected):
        raise ValueError(f"its layers put out {found.shape}, the file {np.shape(expected)}: the translation is wrong")
    largest = float(np.abs(expected).max())
    difference = float(np.abs(found - np.asarray(expected)).max()) / (largest or 1.0)
    limit = MOST_DIFFERENCE_8_BITS if reading.has_small_weights(reading.up_to(target)) else MOST_DIFFERENCE
    if not difference <= limit:
        raise ValueError(
            f"its layers in Keras differ from the file by {difference:.2g} of the largest value; expected at most "
            f"{limit:g}. Take the Keras model that the file was made of"
        )
    return difference


def _check(reading: GraphReading, operator: Operator) -> None:
    """Refuse an operator that is not taken."""
    for place in operator.outputs:
        tensor = reading.tensor(place)
        if tensor.dtype not in FLOATS and tensor.scales:
            raise ValueError(
                f"{operator} puts out {tensor}, activations of integers; take the float file that it was made of"
            )
    if operator.name not in RULES:
        raise ValueError(
            f"{operator} is not taken; name a tensor before it, or take the Keras model. Taken are {', '.join(RULES)}"
        )

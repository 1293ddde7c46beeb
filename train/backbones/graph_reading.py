"""A float graph of a `.tflite` file as a translation reads it: operators up to one tensor, and their constants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from metadata.tflite_file.model_content import Graph, ModelContent, Operator, TensorInfo

FLOATS = ("float32", "float16")
_WEIGHTS = (*FLOATS, "int8")
_FEWEST, _MOST = 8, 8192  # values of an embedding that is worth naming


@dataclass(frozen=True)
class GraphReading:
    """The first graph of a file."""

    content: ModelContent

    @property
    def graph(self) -> Graph:
        """The graph that runs."""
        return self.content.graphs[0]

    def tensor(self, place: int) -> TensorInfo:
        """Return a tensor."""
        return self.graph.tensors[place]

    def constant(self, place: int) -> npt.NDArray[Any] | None:
        """Return the values of a tensor that no input changes, those of 8 or 16 bits as float32; None of any other."""
        tensor = self.tensor(place)
        if tensor.data is not None:
            return constant_values(self.content, tensor)
        maker = next((one for one in self.graph.operators if place in one.outputs), None)
        return self.constant(maker.inputs[0]) if maker is not None and maker.name == "DEQUANTIZE" else None

    def up_to(self, target: int) -> list[Operator]:
        """Return the operators that compute a tensor, in their order; constants need none."""
        wanted, found = {target}, list[Operator]()
        for operator in reversed(self.graph.operators):
            if wanted & {*operator.outputs} and all(self.constant(place) is None for place in operator.outputs):
                found.append(operator)
                wanted |= {place for place in operator.inputs if place >= 0}
        return found[::-1]

    def candidates(self) -> list[tuple[int, TensorInfo]]:
        """Return the computed tensors that are one row of values, in the order in which they are computed."""
        return [
            (place, tensor)
            for operator in self.graph.operators
            for place in operator.outputs
            if (tensor := self.tensor(place)).dtype == "float32"
            and len(tensor.shape) > 1
            and tensor.size == tensor.shape[-1]
            and _FEWEST <= tensor.size <= _MOST
        ]

    def has_small_weights(self, operators: list[Operator]) -> bool:
        """Whether constants of these operators have 8 bits, so that the file's own arithmetic is coarser."""
        places = {place for one in operators for place in one.inputs if place >= 0}
        return any(self.tensor(place).dtype == "int8" for place in places)


def constant_values(content: ModelContent, tensor: TensorInfo) -> npt.NDArray[Any]:
    """Return the values of a constant, weights as float32.

    Raises
    ------
    ValueError
        Weights of a type that is not taken.
    """
    if tensor.dtype not in (*_WEIGHTS, "int32", "int64"):
        raise ValueError(f"the constant {tensor} is not taken; expected {', '.join(_WEIGHTS)}")
    start = tensor.data.start if tensor.data else 0
    kind = np.dtype(tensor.dtype).newbyteorder("<")
    values = np.frombuffer(content.model, kind, tensor.size, start).reshape(tensor.shape)
    if tensor.dtype in ("int32", "int64") and not tensor.scales:
        return values
    return dequantized(values, tensor)


def dequantized(values: npt.NDArray[Any], tensor: TensorInfo) -> npt.NDArray[np.float32]:
    """Return real numbers of stored integers, each channel by its own scale."""
    if not tensor.scales:
        return values.astype(np.float32)
    shape = [1] * values.ndim
    shape[tensor.quantized_dimension if len(tensor.scales) > 1 else 0] = len(tensor.scales)
    scales = np.array(tensor.scales, np.float64).reshape(shape)
    zeros = np.array(tensor.zero_points or (0,) * len(tensor.scales), np.float64)
    zeros = zeros.reshape(shape if zeros.size == len(tensor.scales) else [1] * values.ndim)
    return ((values.astype(np.float64) - zeros) * scales).astype(np.float32)

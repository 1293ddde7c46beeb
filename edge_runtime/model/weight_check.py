"""Whether the constants of a model are numbers: a NaN among them makes every score a NaN, on some kernels only some."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from metadata.errors import ModelContractError
from metadata.tflite_file.model_content import Graph, ModelContent, TensorInfo

_FLOATS = ("float32", "float16", "float64")
# What multiplies its constants; elsewhere infinity has its place: as the padding of a maximum, in a mask that is added.
_MULTIPLIERS = frozenset(
    [
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "TRANSPOSE_CONV",
        "FULLY_CONNECTED",
        "BATCH_MATMUL",
        "MUL",
        "DIV",
        "SVDF",
        "RNN",
        "LSTM",
        "UNIDIRECTIONAL_SEQUENCE_RNN",
        "BIDIRECTIONAL_SEQUENCE_RNN",
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        "BIDIRECTIONAL_SEQUENCE_LSTM",
        "DEQUANTIZE",
    ]
)


def check_weights(content: ModelContent) -> ModelContent:
    """Check the float constants of a model, unless that was done, and return it so that they are not checked again.

    Raises
    ------
    ModelContractError
        A NaN, or an infinite weight of an operator that multiplies with it.
    """
    for graph in () if content.has_checked_weights else content.graphs:
        multiplied = _multiplied(graph)
        for tensor in graph.tensors:
            if tensor.data is not None and tensor.dtype in _FLOATS:
                _check(_values(content, tensor), tensor, tensor.place in multiplied)
    return content._replace(has_checked_weights=True)


def _multiplied(graph: Graph) -> frozenset[int]:
    """The tensors that an operator multiplies with."""
    return frozenset(
        index for operator in graph.operators if operator.name in _MULTIPLIERS for index in operator.inputs
    )


def _values(content: ModelContent, tensor: TensorInfo) -> npt.NDArray[Any]:
    """The constant's values, where they lie in the file."""
    start = tensor.data.start if tensor.data else 0
    return np.frombuffer(content.model, np.dtype(tensor.dtype).newbyteorder("<"), tensor.size, start)


def _check(values: npt.NDArray[Any], tensor: TensorInfo, multiplied: bool) -> None:
    """Refuse values that are no numbers."""
    if np.isfinite(values).all() or not (multiplied or np.isnan(values).any()):
        return
    wrong = int(np.argmin(np.isfinite(values)))
    raise ModelContractError(
        f"the model's constant {tensor} holds {values[wrong]} at place {wrong}; expected finite numbers. "
        "Was the file damaged, or the model trained until it diverged?"
    )

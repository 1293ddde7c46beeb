"""What the kernels in a model file look like: how many zeros, how many different values; and what gzip makes of it."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convert.graph.float_scope import WEIGHTED
from convert.graph.model_graph import read_model_object
from convert.graph.normalised_file import builtin_number

SAME_KERNEL = 0.9
_DTYPES = {"FLOAT32": np.float32, "FLOAT16": np.float16, "INT8": np.int8}


@dataclass(frozen=True)
class KernelStatistics:
    """One kernel of a file.

    Attributes
    ----------
    name : str
        Of the tensor.
    values : np.ndarray
        (n_out, n_weights), as stored: an int8 kernel is not scaled back.
    sparsity : float
        Share of zeros, 0 to 1.
    distinct : int
        The largest number of different values that one output channel has: an export multiplies each channel by the
        factor of its BatchNormalization, an 8-bit recipe divides it by its scale, and neither adds a value.
    """

    name: str
    values: np.ndarray
    sparsity: float
    distinct: int


def kernel_statistics(model: bytes) -> list[KernelStatistics]:
    """Return the statistics of every constant kernel of a `.tflite`, in the order of execution."""
    from ai_edge_litert import schema_py_generated as schema

    content = read_model_object(model)
    subgraph = content.subgraphs[0]
    codes = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    types = {value: name for name, value in vars(schema.TensorType).items() if isinstance(value, int)}
    widened, found = {}, []
    for operator in subgraph.operators:
        name = codes[builtin_number(content.operatorCodes[operator.opcodeIndex])]
        if name == "DEQUANTIZE":  # of 16-bit weights, which are stored before it
            widened[operator.outputs[0]] = operator.inputs[0]
        if name in WEIGHTED:
            tensor = subgraph.tensors[widened.get(operator.inputs[1], operator.inputs[1])]
            data = content.buffers[tensor.buffer].data
            if data is not None and len(data) and types[tensor.type] in _DTYPES:
                values = np.frombuffer(bytes(data), _DTYPES[types[tensor.type]])
                found.append(_statistics(tensor, values, depthwise=name == "DEPTHWISE_CONV_2D"))
    return found


def find_kernels(in_file: Sequence[KernelStatistics], kernels: Mapping[str, np.ndarray]) -> dict[str, KernelStatistics]:
    """Return which kernel of a file is that of which layer, each once; a layer that is not there is left out.

    Parameters
    ----------
    in_file : sequence of KernelStatistics
        From `kernel_statistics`.
    kernels : mapping of str to np.ndarray
        Of Keras layers by name, output channels last.

    Notes
    -----
    By their values, as files keep no names of layers and several may have one shape. An export multiplies each output
    channel by a factor and may change the sign of an input channel; a recipe rounds. None of that changes how the sizes
    of a channel's weights stand to each other.
    """
    free, found = list(in_file), {}
    for layer, kernel in kernels.items():
        rows = np.moveaxis(kernel, -1, 0).reshape(kernel.shape[-1], -1)
        alike = [
            (_likeness(one.values, rows), place) for place, one in enumerate(free) if one.values.shape == rows.shape
        ]
        best, place = max(alike, default=(0.0, -1))
        if best >= SAME_KERNEL:
            found[layer] = free.pop(place)
    return found


def gzip_size(content: bytes) -> int:
    """Return the bytes of a file as an app store or a web server would send it: gzip, level 9."""
    return len(gzip.compress(content, compresslevel=9, mtime=0))


def _likeness(values: np.ndarray, rows: np.ndarray) -> float:
    """Return how alike the sizes of two kernels' weights are, by channel: 1 but for rounding, else about 0.6."""
    one, other = (np.abs(np.asarray(kernel, np.float64)) for kernel in (values, rows))
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    heard = norms > 0.0  # a channel without weights is like any other
    return float(((one * other).sum(axis=1)[heard] / norms[heard]).mean()) if heard.any() else float(not one.any())


def _statistics(tensor: Any, values: np.ndarray, depthwise: bool) -> KernelStatistics:
    """Describe one kernel; its first axis is the output, but for depthwise kernels, whose last one is."""
    shape = tuple(int(size) for size in tensor.shape)
    rows = values.reshape(-1, shape[-1]).T if depthwise else values.reshape(shape[0], -1)
    return KernelStatistics(
        name=tensor.name.decode(),
        values=rows,
        sparsity=float((rows == 0).mean()),
        distinct=max(np.unique(row).size for row in rows),
    )

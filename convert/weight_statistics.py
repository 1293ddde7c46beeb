"""What the kernels in a model file look like: how many zeros, how many different values; and what gzip makes of it."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import Any

import numpy as np

from convert.float_scope import WEIGHTED
from convert.model_graph import read_model_object
from convert.normalised_file import builtin_number

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


def gzip_size(content: bytes) -> int:
    """Return the bytes of a file as an app store or a web server would send it: gzip, level 9."""
    return len(gzip.compress(content, compresslevel=9, mtime=0))


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

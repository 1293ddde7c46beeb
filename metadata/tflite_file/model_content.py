"""What a walked model file holds: subgraphs, tensors and operators, with every index, size and buffer checked."""

from __future__ import annotations

import math
import struct
from typing import Any, NamedTuple

from metadata.errors import ModelContractError, UnsupportedModelError
from metadata.tflite_file.schema_walk import Row, Span, walk_model
from metadata.tflite_file.tflite_schema import BUILTIN_OPERATORS, UNIONS
from metadata.tflite_file.zip_tail import ZipTail, find_zip

Shape = tuple[int, ...]

_SCHEMA_VERSION = 3
_MAX_RANK = 8
_MAX_TENSOR_BYTES = 2**29  # of one tensor that is computed
_MAX_INPUT_BYTES = 2**26  # of an input: 17 minutes of audio at 16 kHz, where models hear seconds
_MAX_COMPUTED_BYTES = 2**31  # of all of them; the interpreter reuses memory, so it needs less
# By number, in NumPy's names where it has one.
DTYPES = (
    *("float32", "float16", "int32", "uint8", "int64", "string", "bool", "int16", "complex64", "int8", "float64"),
    *("complex128", "uint64", "resource", "variant", "uint32", "uint16", "int4", "bfloat16", "int2", "uint4"),
    *("float8_e4m3fn", "float8_e5m2"),
)
_CUSTOM = "CUSTOM"
_ABSENT = -1  # an index that stands for an optional input left out
BITS = {
    **dict.fromkeys(("uint8", "int8", "bool", "float8_e4m3fn", "float8_e5m2"), 8),
    **dict.fromkeys(("float16", "bfloat16", "int16", "uint16"), 16),
    **dict.fromkeys(("float32", "int32", "uint32", "resource"), 32),
    **dict.fromkeys(("float64", "int64", "uint64", "complex64"), 64),
    **{"complex128": 128, "int4": 4, "uint4": 4, "int2": 2},
}
_QUANTIZED = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767), "int4": (-8, 7)}
_MIN_SCALE, _MAX_SCALE = 1e-30, 1e30
_INTEGER_CODES = {"int32": "i", "int64": "q"}


class TensorInfo(NamedTuple):
    """A tensor of a subgraph; `data` is where its constant values lie in the file, None where it has none."""

    place: int
    name: str
    shape: Shape
    is_open: bool  # a dimension is not known before it runs; the shape has 1 there
    dtype: str
    data: Span | None
    is_variable: bool
    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    quantized_dimension: int

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    def __str__(self) -> str:
        return f"{self.name or self.place} {self.dtype} [{', '.join(map(str, self.shape))}]"


class Operator(NamedTuple):
    """An operator: what it is called, its tensors by index (-1 for an optional input left out), its options."""

    place: int
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    intermediates: tuple[int, ...]
    options_kind: str  # empty where there are none
    options: Row
    custom_code: str = ""  # what an operator that is not built in is called

    def __str__(self) -> str:
        return f"operator {self.place} ({self.custom_code or self.name})"


class Graph(NamedTuple):
    """A subgraph."""

    tensors: tuple[TensorInfo, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operators: tuple[Operator, ...]


class ModelTensors(NamedTuple):
    """Inputs and outputs of a model's first subgraph, in order."""

    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]


class ModelContent(NamedTuple):
    """A model file, parsed once for all who read it; the first graph is the one that runs.

    Attributes
    ----------
    model : bytes
        The whole file.
    graphs : tuple of Graph
    entries : tuple of (str, Span or None)
        The metadata entries by name, and where the bytes of each lie.
    tail : ZipTail or None
        The ZIP behind the model.
    is_checked : bool
        It has passed `metadata.gate.model_check.check_model`, so that an interpreter may see it.
    has_checked_weights : bool
        Its constants are numbers, by `edge_runtime.model.weight_check.check_weights`.
    """

    model: bytes
    graphs: tuple[Graph, ...]
    entries: tuple[tuple[str, Span | None], ...] = ()
    tail: ZipTail | None = None
    is_checked: bool = False
    has_checked_weights: bool = False

    @property
    def tensors(self) -> ModelTensors:
        """What goes in and out."""
        graph = self.graphs[0]
        inputs, outputs = (tuple(graph.tensors[place] for place in places) for places in (graph.inputs, graph.outputs))
        return ModelTensors(inputs, outputs)

    @property
    def end(self) -> int:
        """Where the ZIP begins, else the length of the file."""
        return len(self.model) if self.tail is None else self.tail.start

    def entry(self, name: str) -> bytes | None:
        """Return the bytes of a metadata entry, None where there is none of that name."""
        for found, place in self.entries:
            if found == name:
                return b"" if place is None else self.model[place.start : place.start + place.length]
        return None

    def files(self) -> dict[str, bytes]:
        """Return the files in the ZIP by name; one whose bytes are damaged raises ModelContractError."""
        return {} if self.tail is None else self.tail.unpack(self.model)

    def integers(self, tensor: TensorInfo) -> tuple[int, ...] | None:
        """Return the values of a constant int32 or int64 tensor, None where it is computed or of another type."""
        code = _INTEGER_CODES.get(tensor.dtype)
        if code is None or (tensor.data is None and tensor.size):
            return None
        start = tensor.data.start if tensor.data else 0
        return struct.unpack_from(f"<{tensor.size}{code}", self.model, start)


def parse_model(model: bytes | ModelContent) -> ModelContent:
    """Return what a whole model file holds, with its ZIP; what was parsed before comes back as it is.

    Raises
    ------
    ModelContractError
        Not a model, or a damaged one; see `read_content` and `find_zip`.
    """
    if isinstance(model, ModelContent):
        return model
    try:
        tail = find_zip(model)
        return read_content(model, None if tail is None else tail.start)._replace(tail=tail)
    except ModelContractError:
        raise
    except (LookupError, ArithmeticError, ValueError, struct.error) as error:
        raise ModelContractError(f"the model contradicts itself ({error}); was the file damaged?") from error


def read_tensors(model: bytes | ModelContent) -> ModelTensors:
    """Return what goes in and out of a model.

    Raises
    ------
    ModelContractError
        Not a model, or a damaged one.
    """
    return parse_model(model).tensors


def read_content(model: bytes, end: int | None = None) -> ModelContent:
    """Return what a model file holds.

    Parameters
    ----------
    model : bytes
        The file.
    end : int, optional
        Where the FlatBuffer and the weights behind it end.

    Raises
    ------
    ModelContractError
        What `walk_model` refuses; an index beyond what it counts; a tensor whose type and shape need another number of
        bytes than its buffer has, or gigabytes; quantization that does not fit its tensor.
    """
    end = len(model) if end is None else end
    root = walk_model(model, end)
    if root.get("version") != _SCHEMA_VERSION:
        raise _contradiction(f"the model has schema version {root.get('version', 0)}; expected {_SCHEMA_VERSION}")
    buffers = [_buffer(row, end) for row in root.get("buffers", ())]
    if buffers and buffers[0]:
        raise _contradiction("the model has no empty first buffer, which stands for no values")
    codes = [(_operator_name(row), row.get("custom_code", "")) for row in root.get("operator_codes", ())]
    graphs = tuple(_graph(row, buffers, codes) for row in root.get("subgraphs", ()))
    if not graphs:
        raise _contradiction("the model holds no subgraph; expected at least one")
    _check_entries(root, graphs, len(buffers))
    entries = tuple((row.get("name", ""), buffers[row.get("buffer", 0)]) for row in root.get("metadata", ()))
    return ModelContent(model, graphs, entries)


def _buffer(row: Row, end: int) -> Span | None:
    """Where the bytes of a buffer lie, None where it has none."""
    start, length = row.get("offset", 0), row.get("size", 0)
    if start > 1:  # behind the FlatBuffer; 1 is a placeholder
        if start + length > end:
            raise _contradiction(f"the model keeps weights at bytes {start} to {start + length} of {end}")
        return Span(start, length)
    data: Span | None = row.get("data")
    return data if data and data.length else None


def _operator_name(row: Row) -> str:
    """The name of an operator code."""
    number = max(row.get("builtin_code", 0), row.get("deprecated_builtin_code", 0))
    if number < 0 or row.get("version", 1) < 1:
        raise _contradiction(f"the model uses operator {number} in version {row.get('version', 1)}; expected from 1 on")
    if number >= len(BUILTIN_OPERATORS):
        raise UnsupportedModelError(
            f"operator {number} of the model; the built-in operators known here are 0 to {len(BUILTIN_OPERATORS) - 1}. "
            "Does the model come from a newer converter, or was it damaged?"
        )
    return BUILTIN_OPERATORS[int(number)]


def _graph(row: Row, buffers: list[Span | None], codes: list[tuple[str, str]]) -> Graph:
    """A subgraph from its table."""
    tensors = tuple(_tensor(index, item, buffers) for index, item in enumerate(row.get("tensors", ())))
    computed = sum(tensor_bytes(tensor) for tensor in tensors if tensor.data is None)
    if computed > _MAX_COMPUTED_BYTES:
        raise _too_large(f"tensors of {computed} bytes that the model computes", _MAX_COMPUTED_BYTES)
    graph = Graph(
        tensors,
        _indices(row.get("inputs", ()), len(tensors), "an input of a subgraph"),
        _indices(row.get("outputs", ()), len(tensors), "an output of a subgraph"),
        tuple(_operator(place, item, codes, len(tensors)) for place, item in enumerate(row.get("operators", ()))),
    )
    for index in graph.inputs:
        if tensor_bytes(tensors[index]) > _MAX_INPUT_BYTES:
            raise _too_large(f"the input {tensors[index]} of the model", _MAX_INPUT_BYTES)
    if any(tensors[index].data is not None for index in graph.inputs) or len(set(graph.inputs)) != len(graph.inputs):
        raise _contradiction("a subgraph takes a constant, or one tensor twice, as its input")
    return graph


def _tensor(index: int, row: Row, buffers: list[Span | None]) -> TensorInfo:
    """A tensor from its table."""
    number, place = row.get("type", 0), row.get("buffer", 0)
    dtype = DTYPES[number] if 0 <= number < len(DTYPES) else str(number)
    if number < 0 or place >= len(buffers):
        raise _contradiction(f"tensor {index} of the model has type {number} and buffer {place} of {len(buffers)}")
    if dtype not in BITS:
        raise UnsupportedModelError(f"tensor {index} of the model has type {dtype}; expected one of {', '.join(BITS)}")
    shape, signature = row.get("shape", ()), row.get("shape_signature", ())
    quantization = row.get("quantization", {})
    tensor = TensorInfo(
        place=index,
        name=row.get("name", ""),
        shape=shape,
        is_open=-1 in signature,
        dtype=dtype,
        data=buffers[place],
        is_variable=row.get("is_variable", False),
        scales=quantization.get("scale", ()),
        zero_points=quantization.get("zero_point", ()),
        quantized_dimension=quantization.get("quantized_dimension", 0),
    )
    if quantization.get("details"):
        raise UnsupportedModelError(f"{tensor} of the model, which is scaled in blocks; quantize it by channels")
    _check_shape(tensor, signature)
    if tensor.scales or tensor.zero_points:
        _check_quantization(tensor)
    return tensor


def _check_shape(tensor: TensorInfo, signature: Shape) -> None:
    """Compare a tensor's shape with its buffer and with the limits."""
    if tensor.shape and min(tensor.shape) < 0:
        raise _contradiction(f"the model has {tensor}; expected lengths from 0 on")
    if len(tensor.shape) > _MAX_RANK:
        raise UnsupportedModelError(f"the tensor {tensor} of the model; expected up to {_MAX_RANK} dimensions")
    # A shape that is not stored is computed when the model runs, whatever the open one says.
    fits = not tensor.shape or len(signature) == len(tensor.shape)
    if signature and (not fits or min(signature) < -1):
        raise _contradiction(f"the model has {tensor} with the open shape {list(signature)}, which does not fit it")
    needed = tensor_bytes(tensor)
    if tensor.data is None:
        if needed > _MAX_TENSOR_BYTES:
            raise _too_large(f"the tensor {tensor} of {needed} bytes that the model computes", _MAX_TENSOR_BYTES)
    elif tensor.is_variable or needed != tensor.data.length:
        raise _contradiction(f"the model has {tensor}, which needs {needed} bytes; its buffer has {tensor.data.length}")


def _check_quantization(tensor: TensorInfo) -> None:
    """Compare scales and zero points with the tensor they belong to."""
    axis, count = tensor.quantized_dimension, len(tensor.scales)
    if count > 1 and not (0 <= axis < len(tensor.shape) and tensor.shape[axis] == count):
        raise _contradiction(f"{tensor} has {count} scales along dimension {axis}")
    if len(tensor.zero_points) not in (0, 1, count):
        raise _contradiction(f"{tensor} has {count} scales and {len(tensor.zero_points)} zero points")
    if not all(_MIN_SCALE < scale < _MAX_SCALE for scale in tensor.scales):
        wrong = next(scale for scale in tensor.scales if not _MIN_SCALE < scale < _MAX_SCALE)
        if not math.isfinite(wrong) or (tensor.dtype != "float32" and wrong <= 0):
            raise _contradiction(f"{tensor} has the scale {wrong}; expected {_MIN_SCALE} to {_MAX_SCALE}")
        if tensor.dtype != "float32":
            raise UnsupportedModelError(
                f"{tensor} of the model, which has the scale {wrong}; expected {_MIN_SCALE} to {_MAX_SCALE}"
            )
    lowest, highest = _QUANTIZED.get(tensor.dtype, (-(2**31), 2**31 - 1))
    if tensor.zero_points and not lowest <= min(tensor.zero_points) <= max(tensor.zero_points) <= highest:
        raise _contradiction(f"{tensor} has a zero point outside {lowest} to {highest}")


def _operator(place: int, row: Row, codes: list[tuple[str, str]], num_tensors: int) -> Operator:
    """An operator from its table."""
    code = row.get("opcode_index", 0)
    if code >= len(codes):
        raise _contradiction(f"operator {place} of the model uses operator code {code} of {len(codes)}")
    name, custom_code = codes[code]
    what = f"a tensor of operator {place} ({custom_code or name})"
    return Operator(
        place=place,
        name=name,
        inputs=_indices(row.get("inputs", ()), num_tensors, what, _ABSENT),
        outputs=_indices(row.get("outputs", ()), num_tensors, what),
        intermediates=_indices(row.get("intermediates", ()), num_tensors, what, _ABSENT),
        options_kind=_options_kind(row),
        options=row.get("builtin_options", {}),
        custom_code=custom_code if name == _CUSTOM else "",
    )


def _options_kind(row: Row) -> str:
    """The table of an operator's options, empty where it has none; those of StableHLO are a second union."""
    for field, union in (("builtin_options_2", "BuiltinOptions2"), ("builtin_options", "BuiltinOptions")):
        if field in row:
            return UNIONS[union][int(row[f"{field}_type"]) - 1]
    return ""


def _indices(indices: Any, count: int, what: str, lowest: int = 0) -> tuple[int, ...]:
    """Return indices after checking that there are such tensors."""
    if indices and not (lowest <= min(indices) and max(indices) < count):
        raise _contradiction(f"the model names tensors {list(indices)} of {count} as {what}")
    return tuple(indices)


def _check_entries(root: Row, graphs: tuple[Graph, ...], num_buffers: int) -> None:
    """Check what signatures and metadata entries refer to."""
    for signature in root.get("signature_defs", ()):
        place = signature.get("subgraph_index", 0)
        count = len(graphs[place].tensors) if place < len(graphs) else 0
        names = (*signature.get("inputs", ()), *signature.get("outputs", ()))
        if place >= len(graphs) or any(entry.get("tensor_index", 0) >= count for entry in names):
            raise _contradiction("a signature of the model names a subgraph or a tensor that is not there")
    for entry in root.get("metadata", ()):
        if entry.get("buffer", 0) >= num_buffers:
            raise _contradiction(
                f"the metadata {entry.get('name', '')} is in buffer {entry['buffer']} of {num_buffers}"
            )


def tensor_bytes(tensor: TensorInfo) -> int:
    """Return the bytes that a tensor's values take."""
    return -(-math.prod(tensor.shape) * BITS[tensor.dtype] // 8)


def _too_large(what: str, limit: int) -> UnsupportedModelError:
    """The error for what may be sound, but takes more memory than is asked for here."""
    return UnsupportedModelError(f"{what}; expected at most {limit} bytes. Was it damaged, or is it no audio model?")


def _contradiction(what: str) -> ModelContractError:
    """The error for a file whose parts do not fit each other."""
    return ModelContractError(f"{what}; was the file truncated or changed on its way here?")

"""LiteRT's C profiler, called from a process that may crash: prints the events of each run as JSON.

Notes
-----
Functions and structures are those of LiteRT's C headers (litert/c: litert_compiled_model.h, litert_tensor_buffer.h,
litert_profiler.h, litert_profiler_event.h) as ai-edge-litert 2.1.6, 2.2.0 and 2.3.0 have them.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_WARMUP_RUNS = 5
_CPU = 1  # kLiteRtHwAcceleratorCpu
_FLOAT32 = 1  # kLiteRtElementTypeFloat32
_WRITE = 1  # kLiteRtTensorBufferLockModeWrite
_MAX_RANK = 8
# Event types: an operator of the graph, one inside a delegate, one of a delegate that stands for the graph's own.
_OPERATOR, _DELEGATE_OPERATOR, _DELEGATE_PROFILED_OPERATOR = 1 << 1, 1 << 2, 1 << 3
_OPERATOR_TYPES = (_OPERATOR, _DELEGATE_OPERATOR, _DELEGATE_PROFILED_OPERATOR)
_OPTIONS_NAME, _OPTIONS = b"runtime_options_string", b"enable_profiling = true\n"
_DELEGATE_NODES = ("TfLiteXNNPackDelegate", "DELEGATE")  # whole partitions, whose operators have events of their own


class _Layout(ctypes.Structure):
    """LiteRtLayout; the rank is a bit field of 7."""

    _fields_ = (("rank", ctypes.c_uint32), ("dimensions", ctypes.c_int32 * 8), ("strides", ctypes.c_uint32 * 8))


class _TensorType(ctypes.Structure):
    """LiteRtRankedTensorType."""

    _fields_ = (("element_type", ctypes.c_int), ("layout", _Layout))


class _Event(ctypes.Structure):
    """ProfiledEventData."""

    _fields_ = (
        ("tag", ctypes.c_char_p),
        ("event_type", ctypes.c_int32),
        ("start_us", ctypes.c_uint64),
        ("elapsed_us", ctypes.c_uint64),
        ("memory", ctypes.c_int64 * 6),  # before and after
        ("metadata", ctypes.c_uint64 * 2),
        ("source", ctypes.c_int32),
    )


class _LiteRt:
    """A model compiled with profiling on."""

    def __init__(self, model: bytes) -> None:
        self._library = ctypes.CDLL(_library_path())
        self._model = ctypes.create_string_buffer(model, len(model))  # must outlive what is made of it
        self._environment = self._make("LiteRtCreateEnvironment", ctypes.c_int(0), None)
        made = self._make("LiteRtCreateModelFromBuffer", self._environment, self._model, ctypes.c_size_t(len(model)))
        options = self._make("LiteRtCreateOptions")
        self._call("LiteRtSetOptionsHardwareAccelerators", options, ctypes.c_int(_CPU))
        self._call("LiteRtAddOpaqueOptions", options, self._profiling_options())
        self._compiled = self._make("LiteRtCreateCompiledModel", self._environment, made, options)

    def events(
        self, features: npt.NDArray[np.float32], output_shape: Sequence[int], num_runs: int
    ) -> list[list[tuple[str, int]]]:
        """Return, for each run, name and microseconds of each operator that ran."""
        buffers = self._buffer("Input", features.shape), self._buffer("Output", output_shape)
        self._fill(buffers[0], features)
        for _ in range(_WARMUP_RUNS):
            self._run(*buffers)
        profiler = self._make("LiteRtCompiledModelGetProfiler", self._compiled)
        return [self._profiled_run(profiler, buffers) for _ in range(num_runs)]

    def _profiled_run(
        self, profiler: ctypes.c_void_p, buffers: tuple[ctypes.c_void_p, ctypes.c_void_p]
    ) -> list[tuple[str, int]]:
        """Run once; the profiler of 2.1 has room for 2048 events and drops what comes after."""
        self._call("LiteRtResetProfiler", profiler)
        self._call("LiteRtStartProfiler", profiler)
        self._run(*buffers)
        self._call("LiteRtStopProfiler", profiler)
        count = ctypes.c_int()
        self._call("LiteRtGetNumProfilerEvents", profiler, ctypes.byref(count))
        events = (_Event * count.value)()
        self._call("LiteRtGetProfilerEvents", profiler, count, events)
        named = [(event.tag.decode(), int(event.elapsed_us)) for event in events if event.event_type in _OPERATOR_TYPES]
        return [(name, elapsed) for name, elapsed in named if name not in _DELEGATE_NODES]

    def _profiling_options(self) -> ctypes.c_void_p:
        """Return options that LiteRT frees itself."""
        c_library = ctypes.CDLL(None)
        c_library.strdup.restype = ctypes.c_void_p
        payload = ctypes.c_void_p(c_library.strdup(_OPTIONS))
        free = ctypes.cast(c_library.free, ctypes.c_void_p)
        return self._make("LiteRtCreateOpaqueOptions", _OPTIONS_NAME, payload, free)

    def _buffer(self, side: str, shape: Sequence[int]) -> ctypes.c_void_p:
        """Return a tensor buffer for the first input or output."""
        first = ctypes.c_size_t(0)
        needs = self._make(f"LiteRtGetCompiledModel{side}BufferRequirements", self._compiled, first, first)
        kind = _TensorType(_FLOAT32, _Layout(len(shape), (ctypes.c_int32 * _MAX_RANK)(*shape)))
        create = "LiteRtCreateManagedTensorBufferFromRequirements"
        return self._make(create, self._environment, ctypes.byref(kind), needs)

    def _fill(self, buffer: ctypes.c_void_p, values: npt.NDArray[np.float32]) -> None:
        """Copy values into a buffer."""
        place = ctypes.c_void_p()
        self._call("LiteRtLockTensorBuffer", buffer, ctypes.byref(place), ctypes.c_int(_WRITE))
        ctypes.memmove(place, values.ctypes.data, values.nbytes)
        self._call("LiteRtUnlockTensorBuffer", buffer)

    def _run(self, inputs: ctypes.c_void_p, outputs: ctypes.c_void_p) -> None:
        """Run the model once."""
        zero, one = ctypes.c_size_t(0), ctypes.c_size_t(1)
        arguments = zero, one, ctypes.byref(inputs), one, ctypes.byref(outputs)
        self._call("LiteRtRunCompiledModel", self._compiled, *arguments)

    def _make(self, name: str, *arguments: Any) -> ctypes.c_void_p:
        """Call a function whose last argument is where it puts a handle."""
        handle = ctypes.c_void_p()
        self._call(name, *arguments, ctypes.byref(handle))
        return handle

    def _call(self, name: str, *arguments: Any) -> None:
        """Call a function, which returns 0 when it did its work."""
        status = getattr(self._library, name)(*arguments)
        if status:
            raise RuntimeError(f"{name} returned {status}")


def main(arguments: Sequence[str]) -> None:
    """Print the events; arguments are model file, input as .npy, output shape and number of runs."""
    model, features_file, output_shape, num_runs = arguments
    features = np.ascontiguousarray(np.load(features_file), np.float32)
    shape = [int(length) for length in output_shape.split(",")]
    json.dump(_LiteRt(Path(model).read_bytes()).events(features, shape, int(num_runs)), sys.stdout)


def _library_path() -> str:
    """Return the path of the C library in LiteRT's package."""
    package = importlib.util.find_spec("ai_edge_litert")
    if package is None or package.origin is None:
        raise RuntimeError("ai-edge-litert is not installed")
    return str(Path(package.origin).parent / "libLiteRt.so")

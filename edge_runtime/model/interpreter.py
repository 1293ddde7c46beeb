"""The LiteRT interpreter, whichever package brings it."""

from __future__ import annotations

import contextlib
import importlib
from typing import Any

from edge_runtime.model.announcement import without_announcement
from edge_runtime.model.weight_check import check_weights
from metadata.errors import ModelContractError
from metadata.gate.model_check import check_model
from metadata.tflite_file.model_content import ModelContent

_RUNTIMES = ("ai-edge-litert", "tflite-runtime")  # in order of preference


def open_interpreter(
    model: bytes | ModelContent, num_threads: int = 1, use_xnnpack: bool = True, keep_all: bool = False
) -> Any:
    """Return an interpreter that holds the model, with its tensors allocated.

    Parameters
    ----------
    model : bytes or ModelContent
        The whole `.tflite` file; one that `check_model` has returned is not parsed again.
    num_threads : int
        Threads of the kernels, at least 1.
    use_xnnpack : bool
        Whether XNNPACK computes what it can, as in LiteRT and MediaPipe by default; otherwise TensorFlow Lite's
        built-in kernels do, as in the Task library wherever 8-bit weights meet float32 activations.
    keep_all : bool
        Whether tensors between input and output can be read afterwards, those that XNNPACK does not compute.

    Raises
    ------
    ValueError
        `num_threads` below 1.
    ModelContractError
        What `check_model` and `check_weights` refuse before the interpreter sees it, or an operator that the runtime
        lacks.
    RuntimeError
        Neither ai-edge-litert nor tflite-runtime is installed.
    """
    if num_threads < 1:
        raise ValueError(f"num_threads is {num_threads}; expected at least 1")
    content = check_weights(check_model(model))  # an interpreter trusts its file: a damaged one takes the process down
    runtime = _find_runtime()[1]
    kinds = runtime.OpResolverType
    kernels = kinds.AUTO if use_xnnpack else kinds.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    quiet = without_announcement() if use_xnnpack else contextlib.nullcontext()
    try:
        with quiet:
            interpreter = runtime.Interpreter(
                model_content=bytes(content.model),
                num_threads=num_threads,
                experimental_op_resolver_type=kernels,
                **({"experimental_preserve_all_tensors": True} if keep_all else {}),
            )
            interpreter.allocate_tensors()
            interpreter.get_input_details(), interpreter.get_output_details()  # with the names, as Python's text
    except UnicodeDecodeError as error:
        raise ModelContractError(
            f"the name of the model's input or output is not UTF-8, which {runtime_name()} cannot hand on; name it anew"
        ) from error
    except (ValueError, RuntimeError, MemoryError) as error:
        raise ModelContractError(
            f"{runtime_name()} does not open the model of {len(content.model)} bytes: {error}; "
            "does it need a newer runtime, or a longer input than the one that its open lengths give?"
        ) from error
    return interpreter


def import_runtime() -> None:
    """Import the runtime, which else happens when the first model is opened.

    Raises
    ------
    RuntimeError
        None is installed.
    """
    _find_runtime()


def runtime_name() -> str:
    """Return the runtime and its version, such as "ai-edge-litert 2.1.6".

    Raises
    ------
    RuntimeError
        Neither runtime is installed.
    """
    from importlib.metadata import version  # brings the email package: a fifth of what a cold start may take

    package = _find_runtime()[0]
    return f"{package} {version(package)}"


def _find_runtime() -> tuple[str, Any]:
    """Return the name and the interpreter module of the first runtime that is installed."""
    for package in _RUNTIMES:
        try:
            return package, importlib.import_module(f"{package.replace('-', '_')}.interpreter")
        except ImportError as error:
            # A runtime that is there but does not load is a fault of its own, not an absent one.
            if not isinstance(error, ModuleNotFoundError) or error.name is None or "numpy" in error.name:
                raise RuntimeError(f"{package} is installed but does not load: {error}") from error
    raise RuntimeError(
        "no TFLite runtime is installed; expected ai-edge-litert (pip install ai-edge-litert) "
        "or, on an old Raspberry Pi image, tflite-runtime"
    )

"""The scores of bare `.tflite` bytes on many windows: no spec needed, integers count as the numbers they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_runtime.model.interpreter import open_interpreter
from edge_runtime.model.tensor_io import dequantize, quantize
from train.batches.window_rows import WindowRows


def model_scores(model: bytes, windows: np.ndarray | WindowRows, use_xnnpack: bool = True) -> np.ndarray:
    """Return the scores that a model puts out for windows, float32 (n_windows, n_labels); parameters as for
    `window_outputs`."""
    return window_outputs(model, windows, use_xnnpack)[0]


def window_outputs(model: bytes, windows: np.ndarray | WindowRows, use_xnnpack: bool = True) -> tuple[np.ndarray, ...]:
    """Return what each output of a model holds, float32 (n_windows, n_values), the fewest values first.

    So the scores of the window come before those of its frames, whatever their order in the file.

    Parameters
    ----------
    model : bytes
        Of one input.
    windows : np.ndarray
        float32 (n_windows, ...), each reshaped to the model's input.
    use_xnnpack : bool
        As for `open_interpreter`.

    Raises
    ------
    ValueError
        No windows, or windows of another size than the input.
    """
    interpreter = open_interpreter(model, use_xnnpack=use_xnnpack)
    source = interpreter.get_input_details()[0]
    targets = sorted(interpreter.get_output_details(), key=lambda one: int(np.prod(one["shape"])))
    check_windows(windows, int(np.prod(source["shape"])))
    rows = []
    for window in windows:
        interpreter.set_tensor(source["index"], to_tensor(window, source))
        interpreter.invoke()
        rows.append([from_tensor(interpreter.get_tensor(one["index"]), one).reshape(-1) for one in targets])
    return tuple(np.array(found, np.float32) for found in zip(*rows, strict=True))


def model_outputs(model: bytes, window: np.ndarray) -> list[np.ndarray]:
    """Return what every output of a model holds for one window, as it is, in the order of the file."""
    interpreter = open_interpreter(model)
    source = interpreter.get_input_details()[0]
    interpreter.set_tensor(source["index"], to_tensor(window, source))
    interpreter.invoke()
    return [from_tensor(interpreter.get_tensor(one["index"]), one) for one in interpreter.get_output_details()]


def check_windows(windows: np.ndarray | WindowRows, size: int) -> None:
    """Raise ValueError unless there are windows and each has `size` values."""
    shape = np.shape(windows)
    if len(shape) < 2 or shape[0] == 0 or int(np.prod(shape[1:])) != size:
        raise ValueError(f"the windows have shape {shape}; expected (n_windows, {size}), at least one window")


def to_tensor(window: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    """Return a window as an input tensor takes it."""
    values = np.asarray(window, np.float32).reshape(detail["shape"])
    scale, zero_point = detail["quantization"]
    return quantize(values, scale, zero_point, detail["dtype"]) if _is_integer(detail) else values


def from_tensor(values: np.ndarray, detail: dict[str, Any]) -> np.ndarray:
    """Return what a tensor's values stand for; integers without a scale, such as shapes, stay."""
    return dequantize(values, *detail["quantization"]) if _is_integer(detail) else np.array(values)


def _is_integer(detail: dict[str, Any]) -> bool:
    """Whether a tensor holds quantized numbers."""
    return bool(np.issubdtype(detail["dtype"], np.integer) and detail["quantization"][0] > 0.0)

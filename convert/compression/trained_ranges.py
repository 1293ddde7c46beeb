"""Where in a graph the results of named layers are, so that ranges found in training reach the right tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from convert.graph.float_scope import RecipeUnfitError
from convert.graph.model_graph import read_model_object, write_model_object
from convert.graph.rewrite_check import Rewrite
from edge_runtime.model.interpreter import open_interpreter

MATCH_TOLERANCE = 1e-3  # of the largest value: another layer's result is off by far more, rounding by far less

NUM_STEPS = 255  # of 8 bits
SCALE_TOLERANCE = 1e-3  # of a scale, stored in float32


def tensor_ranges(
    float_model: bytes,
    model: Any,
    layer_ranges: Mapping[str, tuple[float, float]],
    window: np.ndarray,
    fed: np.ndarray,
) -> dict[str, tuple[float, float]]:
    """Return the ranges of layers by the names of the tensors that hold their results.

    Tensors are found by their values on one window, not by their names: those change with whatever the export fuses.

    Parameters
    ----------
    float_model : bytes
        The float export.
    model : keras.Model
        What it was exported from, hearing samples.
    layer_ranges : mapping of str to (float, float)
        By layer name.
    window : np.ndarray
        float32 (window_length,), with sound in it.
    fed : np.ndarray
        The same window as the file takes it.

    Raises
    ------
    ValueError
        Not one layer's result is in the graph.

    Notes
    -----
    A layer whose result the export has fused away gives no range; what took its place is measured as ever.
    """
    import keras

    probe = keras.Model(model.inputs[0], {name: model.get_layer(name).output for name in layer_ranges})
    results = {name: np.asarray(values).ravel() for name, values in probe(window[np.newaxis]).items()}
    found = {
        tensor: layer_ranges[name]
        for tensor, values in _all_results(float_model, fed).items()
        for name, expected in results.items()
        if _is_same(expected, values)
    }
    if not found:
        raise ValueError(
            f"no tensor of the graph holds the result of {', '.join(layer_ranges)}; expected the export of {model.name}"
        )
    return found


def ranges_rewrite(
    content: bytes, layer_ranges: Mapping[str, tuple[float, float]], tensors: Mapping[str, tuple[float, float]]
) -> Rewrite:
    """Return how many trained ranges an 8-bit file computes with, read from the scales of its tensors.

    Parameters
    ----------
    content : bytes
        The file.
    layer_ranges : mapping of str to (float, float)
        By layer name, as training found them.
    tensors : mapping of str to (float, float)
        The same by tensor name, from `tensor_ranges`.

    Raises
    ------
    RecipeUnfitError
        Not one.
    """
    scales = _scales(content)

    def is_kept(limits: tuple[float, float]) -> bool:
        step = (max(limits[1], 0.0) - min(limits[0], 0.0)) / NUM_STEPS
        return any(abs(scale - step) <= SCALE_TOLERANCE * step for scale in _scales_of(limits, tensors, scales))

    left = tuple(layer for layer, limits in layer_ranges.items() if not is_kept(limits))
    total = len(layer_ranges)
    rewrite = Rewrite(
        what="ranges as training found them", done=total - len(left), total=total, left=left, instead="measured"
    )
    if not rewrite.done:
        raise RecipeUnfitError(
            f"not one range that training found is in the file ({rewrite.sentence()}); convert without --compress qat"
        )
    return rewrite


def ranges_in_8_bits(
    content: bytes, layer_ranges: Mapping[str, tuple[float, float]], tensors: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Return those of the layers' ranges whose results have a scale in a file that keeps some layers wider.

    Parameters
    ----------
    content, layer_ranges, tensors
        As for `ranges_rewrite`.
    """
    scales = _scales(content)
    return {layer: limits for layer, limits in layer_ranges.items() if _scales_of(limits, tensors, scales)}


def _scales(content: bytes) -> dict[str, float]:
    """Return the scale of each quantized tensor, the first one of several, by name."""
    return {
        tensor.name.decode(): float(tensor.quantization.scale[0])
        for tensor in read_model_object(content).subgraphs[0].tensors
        if tensor.quantization is not None and tensor.quantization.scale is not None and len(tensor.quantization.scale)
    }


def _scales_of(
    limits: tuple[float, float], tensors: Mapping[str, tuple[float, float]], scales: Mapping[str, float]
) -> list[float]:
    """Return the scales of the tensors that hold the result with this range."""
    names = [name for name, found in tensors.items() if found == limits]
    return [scales[one] for name in names for one in (name, f"{name}_quantized") if one in scales]


def _is_same(expected: np.ndarray, values: np.ndarray) -> bool:
    """Whether two results are equal but for rounding."""
    if expected.size != values.size or not expected.any():
        return False
    return float(np.abs(expected - values).max()) <= MATCH_TOLERANCE * float(np.abs(expected).max())


def _all_results(float_model: bytes, fed: np.ndarray) -> dict[str, np.ndarray]:
    """Return every float32 result of the graph for one input, flat, by tensor name."""
    from ai_edge_litert import schema_py_generated as schema

    content = read_model_object(float_model)
    subgraph = content.subgraphs[0]
    made = [index for operator in subgraph.operators for index in operator.outputs]
    kept = [index for index in made if subgraph.tensors[index].type == schema.TensorType.FLOAT32]
    names = [subgraph.tensors[index].name.decode() for index in kept]
    subgraph.outputs = kept
    content.signatureDefs = None
    interpreter = open_interpreter(write_model_object(content))
    source = interpreter.get_input_details()[0]
    interpreter.set_tensor(source["index"], np.asarray(fed, np.float32).reshape(source["shape"]))
    interpreter.invoke()
    targets = interpreter.get_output_details()
    return {name: interpreter.get_tensor(target["index"]).ravel() for name, target in zip(names, targets, strict=True)}

"""A float `.tflite` in, a quantized `.tflite` out, by one of the named recipes.

The ai-edge-quantizer does the rewriting. What it is told to rewrite comes from `convert.graph.float_scope`, and the
ranges of
the static recipe are measured here: the quantizer's own calibration keeps a moving average of each window's extremes
(0.05 of every new one), so that the last twenty windows decide, louder ones clip, and the order changes the result.
"""

from __future__ import annotations

import contextlib
import io
import re
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from convert.graph.float_scope import (
    CONVOLUTIONS,
    RecipeUnfitError,
    body_operations,
    integer_operations,
    network_operations,
    recurrent_operations,
)
from convert.graph.model_graph import (
    ModelGraph,
    Operation,
    normalised,
    read_graph,
    read_model_object,
    write_model_object,
)
from convert.graph.rewrite_check import WITH_WEIGHTS, Rewrite, check_integer_ends, has_weights, layers_rewritten
from convert.quantization.calibration import CalibrationSet, check_window_shape
from convert.recipes import Recipe
from edge_runtime.model.interpreter import open_interpreter
from metadata.errors import ModelContractError
from train.batches.window_rows import WindowRows

WEIGHT_BITS = 8
ACTIVATION_BITS = {"int8": 8, "auto": 8, "int8_io": 8, "int16x8": 16}
INTEGER_RECIPES = ("int8_io", "int16x8")
FLOAT_STATE, STEPWISE = ("int8", "auto"), "dynamic_int8"  # recipes whose recurrent layers follow another one
_BETWEEN = (
    *("ADD", "SUB", "MUL", "RELU", "TANH", "LOGISTIC", "MAX_POOL_2D", "AVERAGE_POOL_2D", "MEAN", "SUM"),
    *("BATCH_MATMUL", "CONCATENATION", "PAD", "RESHAPE", "SLICE", "SPLIT", "STRIDED_SLICE", "TRANSPOSE"),
)
_ALSO_INTEGER = ("DIV", "GELU", "HARD_SWISH", "RSQRT", "SOFTMAX", "SQRT")  # in the body they would lose or do not occur
_REWRITTEN = {
    "float16": WITH_WEIGHTS,
    "dynamic_int8": WITH_WEIGHTS,
    "int8": (*WITH_WEIGHTS, *_BETWEEN),
    "auto": (*WITH_WEIGHTS, *_BETWEEN),
    "int8_io": (*WITH_WEIGHTS, *_BETWEEN, *_ALSO_INTEGER),
    "int16x8": (*WITH_WEIGHTS, *_BETWEEN, *_ALSO_INTEGER),
}
_MAX_SCOPE = 10_000  # characters of an operation's output names that the quantizer compares
_QUANTIZER_NAMES = {"TRANSPOSE_CONV": "CONV_2D_TRANSPOSE"}
Ranges = dict[str, tuple[float, float]]  # tensor name -> smallest and largest value seen


def quantize(
    float_model: bytes,
    recipe: Recipe,
    calibration: CalibrationSet | None = None,
    *,
    kept: Mapping[str, str] | None = None,
    ranges: Ranges | None = None,
    trained_ranges: Mapping[str, tuple[float, float]] | None = None,
) -> bytes:
    """Return the model quantized by a recipe: float32 front end always, float32 input and output but for int8_io.

    Parameters
    ----------
    float_model : bytes
        From `export_float`; without metadata, which is packed last.
    recipe : Recipe
        From `find_recipe`.
    calibration : CalibrationSet, optional
        Windows of the training split, as the model takes them; needed by recipes that say so.
    kept : mapping of str to str, optional
        Exceptions: the name of an operation's output tensor, and what the operation becomes instead: "float32", or
        "dynamic_int8", under which only layers with weights are quantized.
    ranges : dict, optional
        From `measured_for` the same model, recipe and calibration, to save the time.
    trained_ranges : mapping of str to (float, float), optional
        Tensor name to the range that quantization-aware training found; it goes before the measured one.

    Returns
    -------
    bytes
        The same arguments give the same bytes. All weights lie inside the flatbuffer, aligned.

    Raises
    ------
    ValueError
        Calibration windows are missing or do not fit the model, or the model is quantized already.
    RecipeUnfitError
        A ValueError: the model has too few layers for the recipe, or none came out as the recipe says.
    ModelContractError
        Not a model.

    Notes
    -----
    Written against ai-edge-quantizer 0.10; its files open in tflite-runtime 2.14 and ai-edge-litert 2.1 with the same
    decisions, which its own recipes do not reach (see `_granularity`).
    """
    float_model = normalised(float_model)
    graph = read_graph(float_model)
    _check_is_float(graph)
    if recipe.name == "float32":
        return float_model
    settings = _settings(recipe, graph, kept or {})
    if kept and not settings:  # as asked: every operation is an exception
        return float_model
    if recipe.needs_calibration and ranges is None:
        ranges = measured_for(float_model, recipe, calibration)
    if ranges is not None:
        ranges = ranges | {name: limits for name, limits in (trained_ranges or {}).items() if name in ranges}
    result = _rewrite(float_model, recipe, settings, ranges) if settings else float_model
    if not kept or any(has_weights(operation, graph) for _, operation in settings):
        rewritten(float_model, result, recipe, kept)
    return result


def rewritten(
    float_model: bytes, result: bytes, recipe: Recipe, kept: Mapping[str, str] | None = None
) -> Rewrite | None:
    """Return how many of a recipe's layers a file holds as the recipe says, read from the file; None for float32.

    Parameters
    ----------
    float_model : bytes
        That `quantize` was given.
    result : bytes
        That it returned, or the file that was written of it.
    recipe : Recipe
    kept : mapping of str to str, optional
        The exceptions that it was given.

    Raises
    ------
    RecipeUnfitError
        Not one layer is as the recipe says, or no interpreter opens the file.
    """
    if recipe.name == "float32":
        return None
    before, after = read_graph(float_model), read_graph(result)
    if recipe.integer_io:
        check_integer_ends(after, recipe.name)
    asked = [*_settings(recipe, before, kept or {}), *_without_form(recipe, before)]
    found = layers_rewritten(before, after, asked, recipe.name)
    try:
        open_interpreter(result)
    except ModelContractError as error:
        raise RecipeUnfitError(f"the quantizer made a file that cannot be opened ({error}); take float32") from error
    return found


def measured_for(float_model: bytes, recipe: Recipe, calibration: CalibrationSet | None) -> Ranges:
    """Return the ranges that a static recipe needs of a model; see `measure_ranges`.

    Raises
    ------
    ValueError
        No calibration windows, or of another length.
    """
    if calibration is None:
        raise ValueError(
            f"the recipe {recipe.name} needs calibration windows and got none; choose them from the training split "
            f"with choose_calibration"
        )
    graph = read_graph(float_model)
    check_window_shape(calibration, graph.input.shape[1:])
    watched = _tensors_around(item for name, item in _settings(recipe, graph, {}) if name == recipe.name)
    if recipe.integer_io:
        watched |= {graph.input.name, *(output.name for output in graph.outputs)}
    return measure_ranges(float_model, calibration.windows, watched)


def measure_ranges(float_model: bytes, windows: np.ndarray | WindowRows, tensor_names: Iterable[str]) -> Ranges:
    """Return the smallest and largest value that each named tensor took over all windows.

    Parameters
    ----------
    float_model : bytes
        A float `.tflite`.
    windows : np.ndarray
        float32 (n_windows, ...), reshaped to the model's input one by one.
    tensor_names : iterable of str
        Activations to watch.

    Notes
    -----
    True extremes, as TensorFlow's converter takes them. The named tensors are made outputs of a copy of the graph,
    which needs no debugging mode of the interpreter and leaves XNNPACK on.
    """
    names = sorted(tensor_names)
    observed, kept = with_outputs(float_model, names)
    interpreter = open_interpreter(observed)
    source = interpreter.get_input_details()[0]
    targets = interpreter.get_output_details()
    lowest, highest = np.full(len(kept), np.inf), np.full(len(kept), -np.inf)
    for window in windows:
        interpreter.set_tensor(source["index"], np.asarray(window, np.float32).reshape(source["shape"]))
        interpreter.invoke()
        for position, target in enumerate(targets):
            values = interpreter.get_tensor(target["index"])
            lowest[position] = min(lowest[position], float(values.min()))
            highest[position] = max(highest[position], float(values.max()))
    if not (np.isfinite(lowest).all() and np.isfinite(highest).all()):
        broken = [name for name, low, high in zip(kept, lowest, highest, strict=True) if not np.isfinite(high - low)]
        raise ValueError(f"the model computed NaN or infinite values on the calibration windows, first in {broken[0]}")
    ranges = {name: (low, high) for name, low, high in zip(kept, lowest.tolist(), highest.tolist(), strict=True)}
    if source["name"] in names:
        ranges[source["name"]] = (float(np.min(windows)), float(np.max(windows)))
    return ranges


def recipe_scope(recipe: Recipe, graph: ModelGraph) -> tuple[Operation, ...]:
    """Return the operations that a recipe rewrites.

    Raises
    ------
    RecipeUnfitError
        The graph has too few layers for the recipe.
    """
    return tuple(one for one in _between_the_ends(recipe, graph) if one.name in _REWRITTEN[recipe.name])


def _between_the_ends(recipe: Recipe, graph: ModelGraph) -> tuple[Operation, ...]:
    """Return the operations that lie where a recipe rewrites, those too that it has no form for."""
    chosen = {"float16": network_operations, **dict.fromkeys(INTEGER_RECIPES, integer_operations)}
    return chosen.get(recipe.name, body_operations)(graph)


def _without_form(recipe: Recipe, graph: ModelGraph) -> list[tuple[str, Operation]]:
    """Return what lies among a recipe's layers and has to stay float32: kinds that the quantizer does not know."""
    is_float = {tensor.name for tensor in graph.tensors if tensor.dtype == "FLOAT32"}
    stepwise = recurrent_operations(graph) if recipe.name in FLOAT_STATE else frozenset()
    return [
        (recipe.name, item)
        for item in _between_the_ends(recipe, graph)
        if (item.name not in _REWRITTEN[recipe.name] and recipe.name in ACTIVATION_BITS)
        or _has_computed_kernel(item, graph)
        if item.outputs[0] in is_float and item.outputs[0] not in stepwise
    ]


def _settings(recipe: Recipe, graph: ModelGraph, kept: Mapping[str, str]) -> list[tuple[str, Operation]]:
    """Return the operations to rewrite, each with the name of the recipe it follows."""
    stepwise = recurrent_operations(graph) if recipe.name in FLOAT_STATE else frozenset()
    own = dict.fromkeys(stepwise, STEPWISE)
    chosen = [
        (kept.get(item.outputs[0], own.get(item.outputs[0], recipe.name)), item) for item in recipe_scope(recipe, graph)
    ]
    return [
        (name, item)
        for name, item in chosen
        if item.name in _REWRITTEN.get(name, ()) and not _has_computed_kernel(item, graph)
    ]


def _has_computed_kernel(operation: Operation, graph: ModelGraph) -> bool:
    """Whether the kernel of a convolution is no constant; integer convolutions want its zero point at 0."""
    return operation.name in CONVOLUTIONS and operation.inputs[1] not in graph.constants


def _check_is_float(graph: ModelGraph) -> None:
    """Refuse a model that holds integers where quantization has been."""
    narrow = [tensor.name for tensor in graph.tensors if tensor.dtype in ("INT8", "UINT8", "INT16", "FLOAT16")]
    if narrow:
        raise ValueError(f"the model is quantized already ({narrow[0]}); expected the float32 export")


def _tensors_around(scope: Iterable[Operation]) -> set[str]:
    """Return the names of everything that flows into or out of the operations."""
    return {name for operation in scope for name in (*operation.inputs, *operation.outputs)}


def with_outputs(float_model: bytes, names: list[str]) -> tuple[bytes, list[str]]:
    """Return a copy of the model whose outputs are the named activations, and which they are, in order."""
    content = read_model_object(float_model)
    subgraph = content.subgraphs[0]
    position = {subgraph.tensors[index].name.decode(): index for item in subgraph.operators for index in item.outputs}
    kept = [name for name in names if name in position]  # the others are constants
    subgraph.outputs = [position[name] for name in kept]
    content.signatureDefs = None
    return write_model_object(content), kept


def _rewrite(
    float_model: bytes, recipe: Recipe, settings: Iterable[tuple[str, Operation]], ranges: Ranges | None
) -> bytes:
    """Let the quantizer rewrite the operations."""
    from ai_edge_quantizer import quantizer

    job = quantizer.Quantizer(bytearray(_with_signatures(float_model)))
    for (name, kind), operations in _by_kind(settings).items():
        _add_setting(job, name, kind, operations)
    if recipe.integer_io:
        _add_integer_ends(job)
    statistics = None if ranges is None else _statistics(float_model, ranges)
    with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
        # Progress bars of a few milliseconds, and a warning about an interpreter mode that is the quantizer's choice.
        warnings.simplefilter("ignore")
        result = job.quantize(statistics, enable_progress_report=False)
    return write_model_object(read_model_object(bytes(result.quantized_model)))


def _with_signatures(model: bytes) -> bytes:
    """Return a model with a list of signatures, empty where it has none: the quantizer goes through it."""
    content = read_model_object(model)
    if content.signatureDefs is not None:
        return model
    content.signatureDefs = []
    return write_model_object(content)


def _by_kind(settings: Iterable[tuple[str, Operation]]) -> dict[tuple[str, str], list[Operation]]:
    """Return the operations that get the same setting: by recipe and by kind."""
    found: dict[tuple[str, str], list[Operation]] = {}
    for name, operation in settings:
        found.setdefault((name, operation.name), []).append(operation)
    return found


def _add_setting(job: Any, recipe_name: str, operation_name: str, operations: Iterable[Operation]) -> None:
    """Tell the quantizer what becomes of operations of one kind."""
    from ai_edge_quantizer.qtyping import TFLOperationName

    # The quantizer matches a pattern against the output names, each closed by a semicolon. It tries every pattern on
    # every operation, and a recurrent network has thousands: one pattern a kind.
    names = ("".join(f"{name};" for name in operation.outputs)[:_MAX_SCOPE] for operation in operations)
    pattern = f"^(?:{'|'.join(map(re.escape, names))})$"
    kind = TFLOperationName(_QUANTIZER_NAMES.get(operation_name, operation_name))
    if recipe_name == "float16":
        job.add_weight_only_config(pattern, kind, num_bits=16, algorithm_key="float_casting")
    elif recipe_name == "dynamic_int8":
        job.add_dynamic_config(pattern, kind, num_bits=WEIGHT_BITS, granularity=_granularity(operation_name))
    else:
        job.add_static_config(
            pattern,
            kind,
            activation_num_bits=ACTIVATION_BITS[recipe_name],
            weight_num_bits=WEIGHT_BITS,
            weight_granularity=_granularity(operation_name),
        )


def _add_integer_ends(job: Any) -> None:
    """Tell the quantizer to make the model's input and output int8 too."""
    from ai_edge_quantizer.qtyping import TFLOperationName

    for end in (TFLOperationName.INPUT, TFLOperationName.OUTPUT):
        job.add_static_config(".*", end, activation_num_bits=8, weight_num_bits=8)


def _granularity(operation_name: str) -> Any:
    """Return whether weights have a scale a channel or one in all."""
    from ai_edge_quantizer.qtyping import QuantGranularity

    # Up to TensorFlow Lite 2.14 FULLY_CONNECTED reads the first channel's scale for all channels, and says nothing.
    return QuantGranularity.TENSORWISE if operation_name == "FULLY_CONNECTED" else QuantGranularity.CHANNELWISE


def _statistics(float_model: bytes, ranges: Ranges) -> dict[str, dict[str, np.ndarray]]:
    """Return ranges in the quantizer's form: arrays of one value with the tensor's rank."""
    rank = {tensor.name: len(tensor.shape) for tensor in read_graph(float_model).tensors}
    return {
        name: {"min": np.full((1,) * rank[name], low, np.float32), "max": np.full((1,) * rank[name], high, np.float32)}
        for name, (low, high) in ranges.items()
    }

"""The float `.tflite` of a trained Keras model, which every other file is made from.

The export takes the road of Keras 3's own LiteRT exporter, a SavedModel with a static `[1, ...]` input: that graph is
one XNNPACK partition, where a dynamic batch leaves shape arithmetic in the graph and splits it. The exporter itself
came with Keras 3.13, which Python 3.10 does not get.
"""

from __future__ import annotations

import functools
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from convert.export.fast_form import check_fast_form, fast_form
from convert.export.recurrent import unrolled
from convert.export.step_names import with_short_step_names
from convert.graph.model_graph import ModelGraph, normalised, read_graph, read_model_object, write_model_object
from convert.graph.model_scores import model_outputs
from train.fitting.backend import native_output_to

OUTPUT_NAMES = ("scores", "frame_scores")  # of a detector's two outputs
SAME_OUTPUT = 1e-3  # max abs error up to which a converted output is that of the model
SHOWN_LINES, SHOWN_COLUMNS = 20, 300  # of the converter's own messages, when it fails
_FOREIGN = (
    "the graph holds operators that LiteRT has not built in: {found}. The name in brackets holds that of the layer; "
    "write this layer with other keras.ops"
)


def export_float(model: Any, *, fast: bool = True, tell: Callable[[str], None] | None = None) -> bytes:
    """Return the float32 `.tflite` of a Keras model: static shapes, built-in operators, one input.

    One output, or two named `OUTPUT_NAMES`, which stand in the file in this order.

    Parameters
    ----------
    model : keras.Model
        Built with Keras 3 on the TensorFlow backend; one input, every dimension but the batch known.
    fast : bool
        Whether to export the model's fast form, whose scores are the same (see `convert.export.fast_form`), or its
        layers as they are.
    tell : callable, optional
        Called with a sentence where a layer could not be made faster.

    Returns
    -------
    bytes
        The model file; the same model gives the same bytes every time.

    Raises
    ------
    ValueError
        The model has several inputs, other outputs, an open dimension, or an operator that LiteRT has not built in.
    RuntimeError
        Keras runs on another backend, the converter failed (its messages are in the text), what the fast form
        changed is not in the file, or the file's outputs are not those of the model.

    Notes
    -----
    The converter writes to the process's own stdout and stderr, past Python. Both are held back while it runs.
    """
    _check_backend()
    shape = _input_shape(model)
    model = plain = unrolled(model, shorten=fast)
    if fast:
        model, note = fast_form(plain)
        if note and tell:
            tell(note)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "float.tflite"
        _export_quietly(model, shape, path)
        content = path.read_bytes()
    _check_graph(read_graph(content), shape)
    missing = check_fast_form(plain, model, content)
    if missing and tell:
        tell(missing)
    if len(plain.outputs) > 1:
        content = _in_order(content, plain)
    return normalised(with_short_step_names(content))


def _check_backend() -> None:
    """Refuse a backend whose models the LiteRT exporter cannot trace."""
    import keras

    backend = keras.config.backend()
    if backend != "tensorflow":
        raise RuntimeError(
            f"Keras runs on {backend}; the export needs TensorFlow. "
            f"Set KERAS_BACKEND=tensorflow and load the model again"
        )


def _input_shape(model: Any) -> tuple[int, ...]:
    """Return the shape of one window as the exported model takes it, batch of 1 included."""
    for kind, tensors in (("inputs", model.inputs), ("outputs", model.outputs)):
        if len(tensors) != 1 and (kind == "inputs" or tuple(model.output_names) != OUTPUT_NAMES):
            raise ValueError(f"{model.name} has {len(tensors)} {kind}; expected one (build one model a task)")
    shape = tuple(model.inputs[0].shape[1:])
    if any(size is None for size in shape):
        raise ValueError(
            f"the input of {model.name} has the shape {shape}; expected every size but the batch to be known, "
            f"because phones run fixed windows (build the model with keras.Input((window_length,)))"
        )
    return (1, *shape)


def _in_order(content: bytes, model: Any) -> bytes:
    """Return a model file whose outputs stand in the model's order, found by their shapes and by values."""
    window = np.random.default_rng(0).uniform(0.0, 0.5, (1, *model.inputs[0].shape[1:])).astype(np.float32)
    expected = [np.asarray(one) for one in model.predict_on_batch(window)]
    found = model_outputs(content, window)
    order = [
        [place for place, other in enumerate(found) if other.shape == one.shape and _same(one, other)]
        for one in expected
    ]
    if len(found) != len(expected) or any(len(places) != 1 for places in order):
        raise RuntimeError(
            f"the converted file of {model.name} puts out {[one.shape for one in found]}; expected scores and frame "
            f"scores as the model's, {[one.shape for one in expected]}: two of its outputs are alike, or one is wrong"
        )
    tree = read_model_object(content)
    graph = tree.subgraphs[0]
    graph.outputs = [int(graph.outputs[places[0]]) for places in order]
    return write_model_object(tree)


def _same(expected: np.ndarray, found: np.ndarray) -> bool:
    """Whether an output of the file is that of the model; parity level 2 asks more, on real windows."""
    return bool(np.abs(expected - found).max() <= SAME_OUTPUT)


def _export_quietly(model: Any, shape: tuple[int, ...], path: Path) -> None:
    """Convert and write the model; what the converter prints is shown only when it fails."""
    log = path.with_suffix(".log")
    try:
        with native_output_to(log):
            path.write_bytes(converted(model, shape))
    except Exception as error:  # whatever the converter raises is explained, here or by its log
        _explain_missing_operator(str(error))
        raise RuntimeError(f"the converter failed on {model.name}: {_shortened(str(error), log)}") from error


def converted(model: Any, shape: tuple[int, ...], **settings: Any) -> bytes:
    """Return what TensorFlow's converter makes of a Keras model, layers as they are.

    Parameters
    ----------
    model : keras.Model
        One input and one output.
    shape : tuple of int
        Of the input, batch of 1 included.
    **settings
        Attributes of `tf.lite.TFLiteConverter`, such as `optimizations`.
    """
    import keras
    import tensorflow as tf

    archive = keras.export.ExportArchive()
    archive.track(model)
    signature = [tf.TensorSpec(shape, tf.float32, name=model.inputs[0].name)]
    archive.add_endpoint("serve", functools.partial(model.__call__, training=False), input_signature=signature)
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        # Other operators pass the converter and are refused by name afterwards.
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
        converter.experimental_enable_resource_variables = True
        for name, value in settings.items():
            setattr(converter, name, value)
        return bytes(converter.convert())


def _explain_missing_operator(message: str) -> None:
    """Raise the error for an operator that neither LiteRT nor TensorFlow's kernels for it know, if that is the case."""
    place = re.search(r'fused\["(\w+):", "([^"@]+)@', message)
    if "ERROR_NEEDS_CUSTOM_OPS" in message and place:
        raise ValueError(_FOREIGN.format(found=f"{place[1]} ({place[2]})"))


def _shortened(message: str, log: Path) -> str:
    """Return the first lines of an error and the last of the converter's log; the rest prints whole weight arrays."""
    printed = log.read_text(encoding="utf-8", errors="replace").splitlines()
    lines = [*message.splitlines()[:SHOWN_LINES], *printed[-SHOWN_LINES:]]
    return "\n".join(line[:SHOWN_COLUMNS] for line in lines)


def _check_graph(graph: ModelGraph, shape: tuple[int, ...]) -> None:
    """Check what every later step relies on."""
    foreign = [operation for operation in graph.operations if operation.is_custom]
    if foreign:
        found = "; ".join(f"{operation.name} ({operation.outputs[0]})" for operation in foreign)
        raise ValueError(_FOREIGN.format(found=found))
    dynamic = [tensor.name for tensor in graph.tensors if tensor.is_dynamic]
    if dynamic:
        raise ValueError(f"the graph has tensors of open shape: {', '.join(dynamic[:5])}; expected static shapes")
    if graph.input.shape != shape or graph.input.dtype != "FLOAT32":
        raise ValueError(
            f"the exported input is {graph.input.dtype} {list(graph.input.shape)}; expected FLOAT32 {list(shape)}"
        )

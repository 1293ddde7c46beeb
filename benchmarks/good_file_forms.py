"""Forms in which converters and quantizers write one network: floats, half floats, 8-bit and 16-bit integers.

TensorFlow's converter and the ai-edge-quantizer make them. What no tool writes any more, tensors of uint8 throughout,
is made from int8 by adding 128 to every number.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import quantizer, recipe
from good_file_kinds import Kind
from tiny_tflite import pack_aligned

WINDOWS = 8  # representative examples
_INT16 = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
_INT8 = tf.lite.OpsSet.TFLITE_BUILTINS_INT8
_BUILT_IN = tf.lite.OpsSet.TFLITE_BUILTINS


class Maker:
    """Makes the files of one kind.

    Parameters
    ----------
    kind : Kind
    """

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._function = kind.build()
        self._owner = tf.Module()  # holds the traced function's variables
        rng = np.random.default_rng(0)
        self._windows = rng.normal(0, 1, (WINDOWS, 1, *kind.shape)).astype(np.float32)
        self._function(tf.constant(self._windows[0]))  # makes the variables, outside any trace

    def forms(self) -> Iterator[tuple[str, Callable[[], bytes]]]:
        """Yield the name of each form and what makes it."""
        yield "float32", self._convert
        yield "float32, open batch", lambda: self._convert(batch=None)
        if self._kind.measured:
            yield "int8 of TensorFlow", lambda: self._integers([_INT8], tf.int8)
            yield "int8 of ai-edge-quantizer", lambda: self._quantized(recipe.static_wi8_ai8())
            yield "int16x8 of TensorFlow", lambda: self._integers([_INT16, _BUILT_IN], tf.float32)
        if not self._kind.weighted:
            return
        yield "float16", lambda: self._convert(half=True)
        yield "float16, open batch", lambda: self._convert(batch=None, half=True)
        yield "dynamic int8", lambda: self._convert(optimize=True)
        yield "dynamic int8, open batch", lambda: self._convert(batch=None, optimize=True)
        yield "dynamic int8 of ai-edge-quantizer", lambda: self._quantized(recipe.dynamic_wi8_afp32())
        yield "int4 weights of ai-edge-quantizer", lambda: self._quantized(recipe.weight_only_wi4_afp32())
        if self._kind.name.startswith("Dense"):
            yield "int8 weights in blocks", lambda: self._quantized(recipe.dynamic_wi8b32_afp32())
            yield "int4 weights in blocks", lambda: self._quantized(recipe.dynamic_wi4b32_afp32())
            yield "int2 weights", lambda: self._quantized(recipe.dynamic_wi2c_afp32())
            yield "weights with a rotation", lambda: self._quantized(recipe.dynamic_wi8c_hr_afp32())
        if not self._kind.measured:
            return
        yield "int8, open batch", lambda: self._integers([_INT8, _BUILT_IN], tf.float32, batch=None)
        yield "int16x8 of ai-edge-quantizer", lambda: self._quantized(recipe.static_wi8_ai16())
        yield "uint8", lambda: as_uint8(self._integers([_INT8], tf.int8, per_channel=False))

    def _converter(self, batch: int | None) -> tf.lite.TFLiteConverter:
        """TensorFlow's converter of the traced function."""
        signature = [tf.TensorSpec((batch, *self._kind.shape), tf.float32)]
        traced = tf.function(self._function, input_signature=signature).get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], self._owner)
        converter.experimental_enable_resource_variables = True
        return converter

    def _convert(self, batch: int | None = 1, half: bool = False, optimize: bool = False) -> bytes:
        """Floats, or weights of fewer bits."""
        converter = self._converter(batch)
        if half or optimize:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter._experimental_min_size = 0
        if half:
            converter.target_spec.supported_types = [tf.float16]
        return converter.convert()

    def _integers(
        self, operators: list[tf.lite.OpsSet], outside: tf.DType, batch: int | None = 1, per_channel: bool = True
    ) -> bytes:
        """Integers throughout."""
        converter = self._converter(batch)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([window] for window in self._windows)
        converter.target_spec.supported_ops = operators
        converter.inference_input_type = converter.inference_output_type = outside
        converter._experimental_disable_per_channel = not per_channel
        return converter.convert()

    def _quantized(self, settings: list[dict]) -> bytes:
        """As the ai-edge-quantizer writes it."""
        model = self._convert()
        made = quantizer.Quantizer(bytearray(model), settings)
        return bytes(made.quantize(self._ranges(model) if made.need_calibration else None).quantized_model)

    def _ranges(self, model: bytes) -> dict[str, dict[str, np.ndarray]]:
        """The smallest and largest value of every float tensor over the examples."""
        interpreter = Interpreter(model_content=model, experimental_preserve_all_tensors=True)
        interpreter.allocate_tensors()
        found: dict[str, list[np.ndarray]] = {}
        for window in self._windows:
            interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window)
            interpreter.invoke()
            for detail in interpreter.get_tensor_details():
                if detail["dtype"] == np.float32 and detail["name"] and detail["shape"].size:
                    with contextlib.suppress(ValueError):  # a tensor that nothing fills
                        found.setdefault(detail["name"], []).append(interpreter.get_tensor(detail["index"]))
        joined = {name: np.stack(values) for name, values in found.items() if values}
        return {
            name: {"min": values.min(keepdims=True)[0], "max": values.max(keepdims=True)[0]}
            for name, values in joined.items()
            if values.size
        }


def as_uint8(model: bytes) -> bytes:
    """Return an int8 model, with one scale a tensor, with uint8 in its place."""
    content = schema.ModelT.InitFromPackedBuf(model, 0)
    changed = set()
    for graph in content.subgraphs:
        for tensor in graph.tensors:
            if tensor.type != schema.TensorType.INT8 or tensor.quantization is None:
                continue
            tensor.type = schema.TensorType.UINT8
            tensor.quantization.zeroPoint = np.asarray(tensor.quantization.zeroPoint) + 128
            data = content.buffers[tensor.buffer].data
            if data is not None and tensor.buffer not in changed:
                content.buffers[tensor.buffer].data = np.asarray(data, np.uint8) ^ 128
                changed.add(tensor.buffer)
    if not changed:
        raise ValueError("the model has no int8 tensors")
    content.metadata, content.signatureDefs = None, None
    return pack_aligned(content)

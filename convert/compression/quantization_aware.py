"""Quantization-aware training of a twin: its body computes with the roundings of 8 bits while it trains.

What is rounded is what the `int8` recipe rounds: kernels (a scale a channel in convolutions, one in all in Dense), what
enters the body, and every result that the file stores in 8 bits. A convolution that waits for its BatchNormalization
and ReLU is rounded behind them, where the export has made one operation of the three; its kernel a channel at a time,
so that it makes no difference that the normalization's factors are multiplied in only later.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras

from convert.compression.network_body import WEIGHTED_KINDS, body_span

BITS = 8
PREFIX = "quant_"
_PASSED_THROUGH = ("MaxPooling2D", "Flatten", "Reshape", "Dropout", "InputLayer")  # results keep the scale they came in


class PerChannelQuantizer(tfmot.quantization.keras.quantizers.LastValueQuantizer):
    """Round a kernel symmetrically, with a range for each output channel."""

    def __init__(self) -> None:
        super().__init__(num_bits=BITS, per_axis=True, symmetric=True, narrow_range=True)

    def build(self, tensor_shape: Any, name: str, layer: Any) -> dict[str, Any]:
        """Add the ranges, one a channel, to the layer."""
        start = tf_keras.initializers.Constant
        shape = (tensor_shape[-1],)
        return {
            "min_var": layer.add_weight(f"{name}_min", shape=shape, initializer=start(-1.0), trainable=False),
            "max_var": layer.add_weight(f"{name}_max", shape=shape, initializer=start(1.0), trainable=False),
        }

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the quantizer."""
        return {}


class BodyQuantizeConfig(tfmot.quantization.keras.QuantizeConfig):
    """What is rounded in one layer: its kernel where it has one, its result where the file stores it."""

    def __init__(self, kernel: str = "none", output: bool = True) -> None:
        self.kernel, self.output = kernel, output  # kernel: none, channel or tensor

    def get_weights_and_quantizers(self, layer: Any) -> list[tuple[Any, Any]]:
        """Return the kernel with its quantizer."""
        kinds: dict[str, Callable[[], Any]] = {
            "channel": PerChannelQuantizer,
            "tensor": lambda: tfmot.quantization.keras.quantizers.LastValueQuantizer(
                BITS, per_axis=False, symmetric=True, narrow_range=True
            ),
        }
        return [(layer.kernel, kinds[self.kernel]())] if self.kernel in kinds else []

    def set_quantize_weights(self, layer: Any, quantize_weights: Any) -> None:
        """Let the layer compute with the rounded kernel."""
        if quantize_weights:
            layer.kernel = quantize_weights[0]

    def get_activations_and_quantizers(self, layer: Any) -> list[tuple[Any, Any]]:
        """Return nothing: results are rounded behind the activation, in `get_output_quantizers`."""
        return []

    def set_quantize_activations(self, layer: Any, quantize_activations: Any) -> None:
        """Do nothing: there are none."""

    def get_output_quantizers(self, layer: Any) -> list[Any]:
        """Return the quantizer of the layer's result."""
        if not self.output:
            return []
        return [
            tfmot.quantization.keras.quantizers.MovingAverageQuantizer(
                BITS, per_axis=False, symmetric=False, narrow_range=False
            )
        ]

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the setting."""
        return {"kernel": self.kernel, "output": self.output}


def quantization_aware(network: Any, features: np.ndarray) -> Any:
    """Return the network with roundings in its body, same weights; ranges begin as measured on features (n, ...).

    Notes
    -----
    Layers are wrapped one by one: `quantize_apply` would also round the input, and with ranges of its own every result
    that flows into the body. tfmot begins a range at -6 to 6 and moves it by 0.001 a step, which a few epochs do not
    mend; hence the measured beginning.
    """
    configs = quantize_configs(network)
    rounded = [name for name, config in configs.items() if config.output]
    measured = _measure(network, rounded, features)

    def wrap(layer: Any) -> Any:
        if layer.name not in configs:
            return layer
        return tfmot.quantization.keras.QuantizeWrapperV2(layer, configs[layer.name], name_prefix=PREFIX)

    aware = tf_keras.models.clone_model(network, clone_function=wrap)
    for name, (low, high) in measured.items():
        for weight in aware.get_layer(PREFIX + name).weights:
            if weight.name.endswith(("output_min:0", "output_max:0")):
                weight.assign(low if weight.name.endswith("output_min:0") else high)
    return aware


def quantize_configs(network: Any) -> dict[str, BodyQuantizeConfig]:
    """Return what is rounded in each layer of the network that has anything rounded, by name."""
    layers = network.layers
    first, end = body_span(network)
    configs = {layers[first - 1].name: BodyQuantizeConfig()}  # what enters the body
    for place in range(first, end):
        layer, following = layers[place], layers[place + 1]
        kind = type(layer).__name__
        if kind in _PASSED_THROUGH or (kind == "ReLU" and type(layers[place - 1]).__name__ == "MaxPooling2D"):
            continue
        kernel = {"Dense": "tensor"}.get(kind, "channel") if kind in WEIGHTED_KINDS else "none"
        configs[layer.name] = BodyQuantizeConfig(kernel, not _is_fused(layers, place, following))
    return configs


def trained_ranges(aware: Any) -> dict[str, tuple[float, float]]:
    """Return the range of every rounded result, by the name of its layer, as training left it."""
    ranges = {}
    for layer in aware.layers:
        ends = {
            weight.name.split("/")[-1]: float(weight.numpy()) for weight in layer.weights if "/output_" in weight.name
        }
        if ends:
            ranges[layer.name.removeprefix(PREFIX)] = (ends["output_min:0"], ends["output_max:0"])
    return ranges


def _is_fused(layers: list[Any], place: int, following: Any) -> bool:
    """Whether the export makes one operation of this layer and the following one."""
    layer, next_kind = layers[place], type(following).__name__
    if type(layer).__name__ in WEIGHTED_KINDS:
        return _is_linear(layer) and next_kind in ("BatchNormalization", "ReLU")
    before = layers[place - 1]
    folds = type(before).__name__ in WEIGHTED_KINDS and _is_linear(before)
    return type(layer).__name__ == "BatchNormalization" and folds and next_kind == "ReLU"


def _is_linear(layer: Any) -> bool:
    """Whether a layer has no activation of its own."""
    return bool(layer.get_config().get("activation") == "linear")


def _measure(network: Any, names: list[str], features: np.ndarray) -> dict[str, tuple[float, float]]:
    """Return the smallest and largest result of each named layer."""
    probe = tf_keras.Model(network.input, {name: network.get_layer(name).output for name in names})
    results = probe.predict(features, batch_size=32, verbose=0)
    return {name: (float(values.min()), float(values.max())) for name, values in results.items()}

"""The weights of a YAMNet in a `.tflite` file, those of 8 bits turned back into numbers.

The converter has folded each normalization into its convolution: what is read has the offset of the convolution in
place of the normalization's, and a mean of 0 and a variance that divides by 1.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from metadata.errors import ModelContractError
from metadata.gate.model_check import check_model
from metadata.tflite_file.model_content import Graph, ModelContent, Operator, parse_model
from train.backbones.graph_reading import constant_values
from train.backbones.yamnet import BLOCKS, EPSILON, YamnetWeights, weight_shapes

_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
_RELU_LIMITS = {1: None, 3: 6.0}  # by the schema's number of the activation: RELU, RELU6


def read_tflite(path: str | Path) -> YamnetWeights:
    """Return the weights in a file.

    Raises
    ------
    ValueError
        The file is damaged, or its convolutions are not those of YAMNet.
    """
    try:
        content = parse_model(Path(path).read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    check_model(content)
    graph = content.graphs[0]
    convolutions = [operator for operator in graph.operators if operator.name in _CONVOLUTIONS]
    num_blocks = (len(convolutions) - 1) // 2
    if len(convolutions) != 1 + 2 * num_blocks or not 1 <= num_blocks <= len(BLOCKS):
        raise ValueError(f"{path} has {len(convolutions)} convolutions; expected those of YAMNet, one and two a block")
    names = [name for name in weight_shapes(num_blocks) if not name.endswith("_norm")]
    weights: dict[str, tuple[np.ndarray, ...]] = {}
    for name, operator in zip(names, convolutions, strict=True):
        _check_kind(operator, name, path)
        kernel, offset = (_constant(content, graph, operator, place) for place in (1, 2))
        weights[name] = (np.moveaxis(kernel, 0, -1),)  # the filters of a convolution, the 1 of a depthwise one
        weights[f"{name}_norm"] = (offset, np.zeros_like(offset), np.full_like(offset, 1.0 - EPSILON))
    return YamnetWeights(num_blocks, weights, _relu_limit(convolutions, path))


def _check_kind(operator: Operator, name: str, path: str | Path) -> None:
    """Refuse a convolution of the other kind."""
    expected = "DEPTHWISE_CONV_2D" if "depthwise" in name else "CONV_2D"
    if operator.name != expected:
        raise ValueError(f"{operator} of {path} stands where YAMNet has {name}; expected {expected}")


def _relu_limit(convolutions: list[Operator], path: str | Path) -> float | None:
    """Where the activations behind the convolutions are cut off."""
    kinds = {operator.options.get("fused_activation_function", 0) for operator in convolutions}
    if len(kinds) != 1 or not kinds <= set(_RELU_LIMITS):
        raise ValueError(
            f"{path} has convolutions with the activations {sorted(kinds)}; expected RELU or RELU6 behind all"
        )
    return _RELU_LIMITS[kinds.pop()]


def _constant(content: ModelContent, graph: Graph, operator: Operator, place: int) -> npt.NDArray[np.float32]:
    """The values of a constant input of an operator, as real numbers."""
    tensor = graph.tensors[operator.inputs[place]] if place < len(operator.inputs) else None
    if tensor is None or tensor.data is None:
        raise ModelContractError(f"{operator} has no constant as its input {place}; expected kernel and offset")
    values: npt.NDArray[np.float32] = constant_values(content, tensor)
    return values

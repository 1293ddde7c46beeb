"""YAMNet and the first part of it, rebuilt in layers of Keras 3.

MobileNet v1 (Howard et al. 2017, arXiv 1704.04861) on patches of log mel, as published with AudioSet (Gemmeke et al.
2017): a convolution, then pairs of a depthwise and a pointwise one, each with batch normalization without scale and
ReLU. The embedding is the mean over the last map. YAMNet-1024 has 13 pairs, YAMNet-256 of STMicroelectronics the first
five. Axis order of a patch: (frames, mel bands, 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from metadata import MelFrontEnd

SAMPLE_RATE = 16_000  # Hz
PATCH_FRAMES, NUM_MELS = 96, 64
PATCH_SAMPLES = 15_600  # 96 frames of 400 samples, one every 160
BLOCKS = (  # stride of the depthwise convolution, filters of the pointwise one
    *((1, 64), (2, 128), (1, 128), (2, 256), (1, 256)),
    *((2, 512), (1, 512), (1, 512), (1, 512), (1, 512), (1, 512), (2, 1024), (1, 1024)),
)
NUM_BLOCKS = {"yamnet_256": 5, "yamnet_1024": 13}
FIRST_FILTERS = 32
EPSILON = 1e-4  # of the normalization


@dataclass(frozen=True, eq=False)
class YamnetWeights:
    """What a file holds of the network.

    Attributes
    ----------
    num_blocks : int
        Pairs of convolutions behind the first one.
    arrays : dict of str to tuple of np.ndarray
        By layer: the kernel of a convolution; offset, mean and variance of a normalization.
    relu_limit : float or None
        At which activations are cut off: 6 in published `.tflite` files, None where they are not.
    """

    num_blocks: int
    arrays: dict[str, tuple[np.ndarray, ...]]
    relu_limit: float | None = None


def front_end(log_offset: float) -> MelFrontEnd:
    """Return the log mel that YAMNet was trained on; `log_offset` is added before the logarithm."""
    return MelFrontEnd(
        n_fft=512,
        hop_length=160,
        win_length=400,
        power=1.0,
        pad_mode="none",
        n_mels=NUM_MELS,
        fmin=125.0,
        fmax=7500.0,
        mel_scale="htk",
        mel_norm="none",
        log="ln_plus",
        log_floor=log_offset,
    )


def weight_shapes(num_blocks: int) -> dict[str, tuple[tuple[int, ...], ...]]:
    """Return the shapes of the weights of each layer, in the order of the layers."""
    shapes: dict[str, tuple[tuple[int, ...], ...]] = {}
    channels = FIRST_FILTERS
    _add_shapes(shapes, "layer1_conv", (3, 3, 1, channels), channels)
    for number, (_, filters) in enumerate(BLOCKS[:num_blocks], start=2):
        _add_shapes(shapes, f"layer{number}_depthwise_conv", (3, 3, channels, 1), channels)
        _add_shapes(shapes, f"layer{number}_pointwise_conv", (1, 1, channels, filters), filters)
        channels = filters
    return shapes


def block_layers(number: int) -> tuple[str, ...]:
    """Return the names of the layers with weights of one block, counted from 1 for the first convolution."""
    if number == 1:
        return "layer1_conv", "layer1_conv_norm"
    kinds = "depthwise_conv", "pointwise_conv"
    return tuple(f"layer{number}_{kind}{end}" for kind in kinds for end in ("", "_norm"))


def embed_patches(patches: Any, weights: YamnetWeights) -> Any:
    """Return the embeddings (n, channels) of patches, a Keras tensor (n, 96, 64, 1).

    The layers have no weights of the file yet: `give_weights` puts them in, when they are part of a model.
    """
    from keras import layers

    x = layers.Conv2D(FIRST_FILTERS, 3, 2, padding="same", use_bias=False, name="layer1_conv")(patches)
    x = _normalized(x, "layer1_conv", weights.relu_limit)
    for number, (stride, filters) in enumerate(BLOCKS[: weights.num_blocks], start=2):
        name = f"layer{number}_depthwise_conv"
        x = layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False, name=name)(x)
        x = _normalized(x, name, weights.relu_limit)
        name = f"layer{number}_pointwise_conv"
        x = layers.Conv2D(filters, 1, padding="same", use_bias=False, name=name)(x)
        x = _normalized(x, name, weights.relu_limit)
    return layers.GlobalAveragePooling2D(name="embedding")(x)


def give_weights(model: Any, weights: YamnetWeights) -> None:
    """Put weights into the layers of a model that have their names."""
    for name, values in weights.arrays.items():
        model.get_layer(name).set_weights(values)


def check_weights(weights: YamnetWeights, source: str) -> None:
    """Check that every layer has its weights.

    Raises
    ------
    ValueError
        Another shape, or values that are not finite.
    """
    for name, shapes in weight_shapes(weights.num_blocks).items():
        found = tuple(values.shape for values in weights.arrays[name])
        if found != shapes:
            raise ValueError(f"the weights of {name} in {source} have the shapes {found}; expected {shapes}")
        if not all(np.isfinite(values).all() for values in weights.arrays[name]):
            raise ValueError(f"the weights of {name} in {source} are not all finite; was the file damaged?")


def _add_shapes(shapes: dict[str, tuple[tuple[int, ...], ...]], name: str, kernel: tuple[int, ...], out: int) -> None:
    """Add a convolution and its normalization: offset, mean, variance."""
    shapes[name] = (kernel,)
    shapes[f"{name}_norm"] = ((out,), (out,), (out,))


def _normalized(x: Any, name: str, relu_limit: float | None) -> Any:
    """What follows each convolution."""
    from keras import layers

    x = layers.BatchNormalization(epsilon=EPSILON, scale=False, name=f"{name}_norm")(x)
    return layers.ReLU(relu_limit, name=f"{name}_relu")(x)

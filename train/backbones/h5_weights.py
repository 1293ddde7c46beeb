"""The weights of a YAMNet in a Keras file (.h5), whatever wraps it there.

Keras 3 does not open these files: layers are named `layer1/conv`. So the arrays are read by their names alone, and
nothing in the file is run.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from train.backbones.yamnet import BLOCKS, YamnetWeights, weight_shapes

_KERNELS = {"depthwise_conv": "depthwise_kernel:0"}  # any other convolution: kernel:0


def read_h5(path: str | Path) -> YamnetWeights:
    """Return the weights in a file.

    Raises
    ------
    ValueError
        The file is no HDF5, is damaged, or holds another network.
    """
    import h5py

    try:
        with h5py.File(path) as file:
            arrays: dict[str, np.ndarray] = {}
            file.visititems(lambda name, item: _keep(arrays, name, item))
    except (OSError, RuntimeError, KeyError) as error:
        raise ValueError(f"{path} cannot be read as HDF5: {error}; was it loaded to its end?") from error
    num_blocks = _num_blocks(arrays)
    if num_blocks == 0:
        names = ", ".join(sorted(arrays)[:3]) or "none"
        raise ValueError(
            f"{path} holds another network; expected YAMNet with arrays such as layer1/conv/kernel:0, and found {names}"
        )
    weights: dict[str, tuple[np.ndarray, ...]] = {}
    for name in weight_shapes(num_blocks):
        if not name.endswith("_norm"):
            weights[name], weights[f"{name}_norm"] = _layer(arrays, name, path)
    return YamnetWeights(num_blocks, weights)


def _keep(arrays: dict[str, np.ndarray], name: str, item: object) -> None:
    """Keep an array under the part of its name that begins with the layer."""
    import h5py

    place = name.find("layer")
    if isinstance(item, h5py.Dataset) and place >= 0 and "optimizer" not in name:
        own = name[place:].split("/")
        if len(own) > 1 and own[1:].count(own[0]):  # written twice: layer1/conv/layer1/conv/kernel:0
            own = own[1 + own[1:].index(own[0]) :]
        arrays["/".join(own)] = np.asarray(item)


def _num_blocks(arrays: dict[str, np.ndarray]) -> int:
    """Of how many blocks the file has a pointwise convolution, none of them left out."""
    number = 0
    while number < len(BLOCKS) and f"layer{number + 2}/pointwise_conv/kernel:0" in arrays:
        number += 1
    return number


def _layer(arrays: dict[str, np.ndarray], name: str, path: str | Path) -> tuple[tuple[np.ndarray, ...], ...]:
    """The kernel of a convolution, and offset, mean and variance of its normalization."""
    layer, kind = name.split("_", 1)
    kernel = _KERNELS.get(kind, "kernel:0")
    wanted = (
        f"{layer}/{kind}/{kernel}",
        *(f"{layer}/{kind}/bn/{one}:0" for one in ("beta", "moving_mean", "moving_variance")),
    )
    missing = [one for one in wanted if one not in arrays]
    if missing:
        raise ValueError(f"{path} has no {', '.join(missing)}; expected every array of YAMNet")
    return (arrays[wanted[0]],), tuple(arrays[one] for one in wanted[1:])

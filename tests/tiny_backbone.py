"""A backbone with the form of YAMNet's first blocks and random weights, as a file of others would hold it."""

import h5py
import numpy as np

from train.backbones.yamnet import weight_shapes

NUM_BLOCKS = 2
NORM_ARRAYS = ("beta", "moving_mean", "moving_variance")


def random_arrays(num_blocks: int = NUM_BLOCKS, seed: int = 0) -> dict[str, tuple[np.ndarray, ...]]:
    rng = np.random.default_rng(seed)
    arrays = {}
    for name, shapes in weight_shapes(num_blocks).items():
        if name.endswith("_norm"):
            beta, mean, variance = (rng.uniform(-0.2, 0.2, shape).astype(np.float32) for shape in shapes)
            arrays[name] = beta, mean, 1.0 + variance
        else:
            arrays[name] = ((0.3 * rng.standard_normal(shapes[0])).astype(np.float32),)
    return arrays


def write_h5(path, arrays, prefix="model_weights/model_2/"):
    """Lay arrays out as Keras 2 names them."""
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            layer, kind = name.removesuffix("_norm").split("_", 1)
            if name.endswith("_norm"):
                for one, array in zip(NORM_ARRAYS, values, strict=True):
                    file[f"{prefix}{layer}/{kind}/bn/{one}:0"] = array
            else:
                kernel = "depthwise_kernel" if kind == "depthwise_conv" else "kernel"
                file[f"{prefix}{layer}/{kind}/{kernel}:0"] = values[0]
    return path

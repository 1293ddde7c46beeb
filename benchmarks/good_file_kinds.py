"""Kinds of layers and operations that `benchmarks/good_files.py` makes model files of.

A kind is a shape of one example, without the batch, and a function that builds what computes on it. What is built is
called inside a TensorFlow trace, with a batch of 1 or an open one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
import tf_keras
from keras import layers, ops

Function = Callable[[Any], Any]
STEPS, FEATURES = 16, 32
UNITS = 40  # converters leave weights of fewer than 1,024 numbers as they are
SEQUENCE, IMAGE, VOLUME, VECTOR = (STEPS, FEATURES), (12, 12, 4), (6, 6, 6, 2), (32,)
SAMPLES = (512,)


class Kind(NamedTuple):
    """What is made: its name, the shape of an example, the builder of what computes on it, whether it has weights."""

    name: str
    shape: tuple[int, ...]
    build: Callable[[], Function]
    weighted: bool  # or integers change nothing but the tensors between
    measured: bool = True  # or a converter that measures ranges ends its process: it does so over a loop


def _stack(*made: Any) -> Function:
    """Layers one after the other."""

    def run(x: Any) -> Any:
        for layer in made:
            x = layer(x)
        return x

    return run


def _layer(name: str, *arguments: Any, **options: Any) -> Callable[[], Function]:
    """A layer of Keras."""
    return lambda: _stack(getattr(layers, name)(*arguments, **options))


def _recurrent(name: str, **options: Any) -> Callable[[], Function]:
    """A recurrent layer of Keras 3."""
    return lambda: _stack(getattr(layers, name)(UNITS, **options), layers.Dense(UNITS))


def _fused(make: Callable[[], Any]) -> Callable[[], Function]:
    """A recurrent layer of tf_keras, which TensorFlow's converter writes as one operator or as a loop."""
    return lambda: _stack(make(), tf_keras.layers.Dense(UNITS))


def _both(layer: Callable[[Any, Any], Any]) -> Callable[[], Function]:
    """What takes two inputs, given two dense layers."""

    def build() -> Function:
        left, right = layers.Dense(UNITS), layers.Dense(UNITS, activation="tanh")
        return lambda x: layer(left(x), right(x))

    return build


def _after_dense(function: Function, units: int = FEATURES) -> Callable[[], Function]:
    """A function of what a dense layer puts out."""
    return lambda: _stack(layers.Dense(units), function)


LAYERS: dict[str, tuple[tuple[int, ...], Callable[[], Function]]] = {
    "Dense": (VECTOR, _layer("Dense", UNITS)),
    "Dense of a sequence": (SEQUENCE, _layer("Dense", UNITS)),
    "EinsumDense": (SEQUENCE, _layer("EinsumDense", "abc,cd->abd", output_shape=(None, UNITS))),
    "Conv1D": (SEQUENCE, _layer("Conv1D", UNITS, 3)),
    "Conv1D causal dilated": (SEQUENCE, _layer("Conv1D", UNITS, 3, padding="causal", dilation_rate=2)),
    "Conv1D strided": (SEQUENCE, _layer("Conv1D", UNITS, 4, strides=2, padding="same", activation="relu")),
    "Conv1D grouped": (SEQUENCE, _layer("Conv1D", UNITS, 3, groups=2)),
    "Conv2D": (IMAGE, _layer("Conv2D", UNITS, 3, activation="relu6")),
    "Conv2D dilated": (IMAGE, _layer("Conv2D", UNITS, 3, dilation_rate=2, padding="same")),
    "Conv2D grouped": (IMAGE, _layer("Conv2D", UNITS, 3, groups=2)),
    "Conv3D": (VOLUME, _layer("Conv3D", UNITS, 3)),
    "Conv1DTranspose": (SEQUENCE, _layer("Conv1DTranspose", UNITS, 4, strides=2)),
    "Conv2DTranspose": (IMAGE, _layer("Conv2DTranspose", UNITS, 3, strides=2, padding="same")),
    "Conv3DTranspose": (VOLUME, _layer("Conv3DTranspose", UNITS, 3)),
    "DepthwiseConv1D": (SEQUENCE, _layer("DepthwiseConv1D", 3, depth_multiplier=2)),
    "DepthwiseConv2D": (IMAGE, _layer("DepthwiseConv2D", 3)),
    "SeparableConv1D": (SEQUENCE, _layer("SeparableConv1D", UNITS, 3)),
    "SeparableConv2D": (IMAGE, _layer("SeparableConv2D", UNITS, 3, padding="same")),
    "Embedding": (VECTOR, lambda: _stack(lambda x: ops.cast(ops.abs(x) * 3, "int32") % 10, layers.Embedding(10, 128))),
    "LSTM unrolled": (SEQUENCE, _recurrent("LSTM", unroll=True)),
    "GRU unrolled": (SEQUENCE, _recurrent("GRU", unroll=True)),
    "SimpleRNN unrolled": (SEQUENCE, _recurrent("SimpleRNN", unroll=True, return_sequences=True)),
    "LSTM loop": (SEQUENCE, _recurrent("LSTM")),
    "GRU loop": (SEQUENCE, _recurrent("GRU")),
    "SimpleRNN loop": (SEQUENCE, _recurrent("SimpleRNN")),
    "Bidirectional unrolled": (SEQUENCE, lambda: _stack(layers.Bidirectional(layers.LSTM(UNITS, unroll=True)))),
    "ConvLSTM1D": ((4, 8, 2), _layer("ConvLSTM1D", 2, 3)),
    "ConvLSTM2D": ((3, 8, 8, 2), _layer("ConvLSTM2D", 2, 3)),
    "TimeDistributed": (SEQUENCE, lambda: _stack(layers.TimeDistributed(layers.Dense(UNITS)))),
    "fused LSTM": (SEQUENCE, _fused(lambda: tf_keras.layers.LSTM(UNITS))),
    "fused LSTM sequences": (SEQUENCE, _fused(lambda: tf_keras.layers.LSTM(UNITS, return_sequences=True))),
    "fused LSTM backwards": (SEQUENCE, _fused(lambda: tf_keras.layers.LSTM(UNITS, go_backwards=True))),
    "fused LSTM both ways": (SEQUENCE, _fused(lambda: tf_keras.layers.Bidirectional(tf_keras.layers.LSTM(UNITS)))),
    "tf_keras GRU": (SEQUENCE, _fused(lambda: tf_keras.layers.GRU(UNITS))),
    "tf_keras SimpleRNN": (SEQUENCE, _fused(lambda: tf_keras.layers.SimpleRNN(UNITS))),
    "MultiHeadAttention": (
        SEQUENCE,
        lambda: (lambda layer: lambda x: layer(x, x))(layers.MultiHeadAttention(2, 4)),
    ),
    "GroupQueryAttention": (
        SEQUENCE,
        lambda: (lambda layer: lambda x: layer(x, x))(layers.GroupQueryAttention(4, 4, 2)),
    ),
    "Attention": (SEQUENCE, _both(lambda a, b: layers.Attention()([a, b]))),
    "AdditiveAttention": (SEQUENCE, lambda: (lambda layer: lambda x: layer([x, x]))(layers.AdditiveAttention())),
    "BatchNormalization": (IMAGE, lambda: _stack(layers.Conv2D(UNITS, 3), layers.BatchNormalization())),
    "BatchNormalization alone": (SEQUENCE, _layer("BatchNormalization")),
    "LayerNormalization": (SEQUENCE, lambda: _stack(layers.Dense(UNITS), layers.LayerNormalization())),
    "GroupNormalization": (IMAGE, _layer("GroupNormalization", 2)),
    "InstanceNormalization": (IMAGE, _layer("GroupNormalization", -1)),
    "RMSNormalization": (SEQUENCE, lambda: _stack(layers.Dense(UNITS), layers.RMSNormalization())),
    "UnitNormalization": (SEQUENCE, lambda: _stack(layers.Dense(UNITS), layers.UnitNormalization())),
    "SpectralNormalization": (SEQUENCE, lambda: _stack(layers.SpectralNormalization(layers.Dense(UNITS)))),
    "PReLU": (SEQUENCE, lambda: _stack(layers.Dense(UNITS), layers.PReLU())),
    "PReLU shared": (IMAGE, lambda: _stack(layers.Conv2D(UNITS, 3), layers.PReLU(shared_axes=[1, 2]))),
    "Normalization": (SEQUENCE, lambda: _stack(layers.Normalization(mean=0.5, variance=2.0), layers.Dense(UNITS))),
    "gated sum": (SEQUENCE, _both(lambda a, b: ops.sum(ops.softmax(a) * b, -1))),
    "two einsums": (SEQUENCE, _both(lambda a, b: ops.einsum("abc,adc->abd", a, b))),
    "residual": (IMAGE, lambda: (lambda conv: lambda x: ops.relu(x + conv(x)))(layers.Conv2D(4, 3, padding="same"))),
    "squeeze and excite": (
        IMAGE,
        lambda: (lambda dense: lambda x: x * dense(ops.mean(x, (1, 2), keepdims=True)))(
            layers.Dense(4, activation="sigmoid")
        ),
    ),
}

LOOPS = (
    *("LSTM loop", "GRU loop", "SimpleRNN loop", "ConvLSTM1D", "ConvLSTM2D", "tf_keras GRU", "tf_keras SimpleRNN"),
    *("while", "while on data", "map_fn", "scan", "cond"),
    *("fused LSTM", "fused LSTM sequences", "fused LSTM backwards", "fused LSTM both ways"),
)
_ACTIVATIONS = (
    "relu relu6 leaky_relu elu selu celu gelu softplus softsign silu hard_sigmoid hard_silu mish tanh sigmoid softmax "
    "log_softmax exponential hard_tanh hard_shrink soft_shrink tanh_shrink log_sigmoid sparse_plus sparsemax "
    "squareplus threshold glu linear"
)
_POOLS = "MaxPooling1D AveragePooling1D MaxPooling2D AveragePooling2D MaxPooling3D AveragePooling3D"
_GLOBAL_POOLS = (
    "GlobalMaxPooling1D GlobalAveragePooling1D GlobalMaxPooling2D GlobalAveragePooling2D GlobalMaxPooling3D "
    "GlobalAveragePooling3D"
)
_MERGES = "Add Subtract Multiply Average Maximum Minimum Concatenate"
_BY_RANK = {"1D": SEQUENCE, "2D": IMAGE, "3D": VOLUME}

PLAIN: dict[str, tuple[tuple[int, ...], Callable[[], Function]]] = {
    **{name: (_BY_RANK[name[-2:]], _layer(name, 2)) for name in _POOLS.split()},
    **{name: (_BY_RANK[name[-2:]], _layer(name)) for name in _GLOBAL_POOLS.split()},
    **{f"{name} same": (_BY_RANK[name[-2:]], _layer(name, 3, 2, "same")) for name in _POOLS.split()[:4]},
    **{f"activation {name}": (SEQUENCE, _after_dense(keras.activations.get(name))) for name in _ACTIVATIONS.split()},
    **{
        name: (SEQUENCE, _both(lambda a, b, name=name: getattr(layers, name)()([a, b])))  # type: ignore[misc]
        for name in _MERGES.split()
    },
    "gelu approximate": (SEQUENCE, _after_dense(lambda x: tf.nn.gelu(x, approximate=True))),
    "Dot": (SEQUENCE, _both(lambda a, b: layers.Dot(axes=2)([a, b]))),
    "ReLU with limits": (SEQUENCE, _layer("ReLU", max_value=4.0, negative_slope=0.1, threshold=0.5)),
    "ZeroPadding1D": (SEQUENCE, _layer("ZeroPadding1D", 2)),
    "ZeroPadding2D": (IMAGE, _layer("ZeroPadding2D", (1, 2))),
    "ZeroPadding3D": (VOLUME, _layer("ZeroPadding3D", 1)),
    "pad constant": (SEQUENCE, _after_dense(lambda x: tf.pad(x, [[0, 0], [1, 2], [0, 0]], constant_values=0.5))),
    "pad reflect": (SEQUENCE, lambda: lambda x: tf.pad(x, [[0, 0], [3, 2], [0, 0]], "REFLECT")),
    "pad symmetric": (SEQUENCE, lambda: lambda x: tf.pad(x, [[0, 0], [3, 2], [0, 0]], "SYMMETRIC")),
    "Cropping1D": (SEQUENCE, _layer("Cropping1D", 2)),
    "Cropping2D": (IMAGE, _layer("Cropping2D", (1, 2))),
    "Cropping3D": (VOLUME, _layer("Cropping3D", 1)),
    "UpSampling1D": (SEQUENCE, _layer("UpSampling1D", 2)),
    "UpSampling2D": (IMAGE, _layer("UpSampling2D", 2)),
    "UpSampling2D bilinear": (IMAGE, _layer("UpSampling2D", 2, interpolation="bilinear")),
    "UpSampling2D bicubic": (IMAGE, _layer("UpSampling2D", 2, interpolation="bicubic")),
    "UpSampling3D": (VOLUME, _layer("UpSampling3D", 2)),
    "Resizing": (IMAGE, _layer("Resizing", 7, 9)),
    "Resizing nearest": (IMAGE, _layer("Resizing", 7, 9, interpolation="nearest")),
    "CenterCrop": (IMAGE, _layer("CenterCrop", 6, 6)),
    "Rescaling": (IMAGE, _layer("Rescaling", 0.5, 0.1)),
    "Reshape": (SEQUENCE, _layer("Reshape", (FEATURES, -1))),
    "Permute": (IMAGE, _layer("Permute", (3, 1, 2))),
    "RepeatVector": (VECTOR, _layer("RepeatVector", 3)),
    "Flatten": (IMAGE, _layer("Flatten")),
    "Masking": (SEQUENCE, _layer("Masking")),
    "Discretization": (SEQUENCE, _layer("Discretization", bin_boundaries=[-1.0, 0.0, 1.0])),
    "CategoryEncoding": (
        VECTOR,
        lambda: (lambda layer: lambda x: layer(ops.cast(ops.abs(x), "int32") % 5))(
            layers.CategoryEncoding(5, output_mode="multi_hot")
        ),
    ),
    "cumsum": (SEQUENCE, _after_dense(lambda x: ops.cumsum(x, 1))),
    "cumprod": (SEQUENCE, lambda: lambda x: ops.cumprod(x, 1)),
    "one_hot": (VECTOR, lambda: lambda x: tf.one_hot(tf.cast(x, tf.int32), 5)),
    "top_k": (SEQUENCE, _after_dense(lambda x: ops.top_k(x, 2)[0])),
    "top_k places": (SEQUENCE, _after_dense(lambda x: ops.top_k(x, 2)[1])),
    "sort": (SEQUENCE, lambda: lambda x: ops.sort(x, 1)),
    "argsort": (VECTOR, lambda: lambda x: ops.argsort(x)),
    "argmax": (SEQUENCE, _after_dense(lambda x: ops.argmax(x, 1))),
    "argmin": (SEQUENCE, _after_dense(lambda x: ops.argmin(x, -1))),
    "where": (SEQUENCE, _both(lambda a, b: ops.where(a > b, a, b * 0.5))),
    "where of a row": (SEQUENCE, _both(lambda a, b: tf.where(tf.reduce_sum(a, (1, 2), keepdims=True) > 0, a, b))),
    "where places": (VECTOR, lambda: lambda x: tf.where(x[0] > 0.0)),
    "boolean_mask": (VECTOR, lambda: lambda x: tf.boolean_mask(x, tf.reduce_sum(tf.abs(x), -1) >= 0.0)),
    "gather": (SEQUENCE, _after_dense(lambda x: tf.gather(x, [3, 0, 2], axis=1))),
    "gather of a batch": (
        SEQUENCE,
        lambda: lambda x: tf.gather(x, tf.cast(tf.abs(x[:, :2, 0]), tf.int32) % STEPS, batch_dims=1),
    ),
    "gather_nd": (SEQUENCE, lambda: lambda x: tf.gather_nd(x, tf.zeros((tf.shape(x)[0], 3), tf.int32))),
    "take_along_axis": (SEQUENCE, lambda: lambda x: ops.take_along_axis(x, ops.argsort(x, 1), 1)),
    "scatter_nd": (SEQUENCE, lambda: lambda x: tf.scatter_nd([[0], [3]], x[0, :2], (6, FEATURES))),
    "scatter_update": (SEQUENCE, lambda: lambda x: tf.tensor_scatter_nd_update(x[0], [[1]], x[0, :1] * 2.0)),
    "scatter_max": (SEQUENCE, lambda: lambda x: tf.tensor_scatter_nd_max(x[0], [[1]], x[0, :1] * 2.0)),
    "slice": (SEQUENCE, lambda: lambda x: tf.slice(x, [0, 2, 1], [-1, 5, 2])),
    "strided slice": (SEQUENCE, _after_dense(lambda x: x[:, 1:-1:3, ::-1])),
    "strided slice new axis": (SEQUENCE, lambda: lambda x: x[:, tf.newaxis, 2, ..., 1:]),
    "split": (SEQUENCE, lambda: _stack(layers.Dense(6), lambda x: ops.concatenate(ops.split(x, 3, -1)[::-1], 1))),
    "split_v": (SEQUENCE, lambda: lambda x: tf.concat(tf.split(x, [3, 6, -1], 1)[::-1], 1)),
    "unstack": (SEQUENCE, lambda: lambda x: ops.stack(ops.unstack(x, axis=2)[::-1], 1)),
    "stack": (SEQUENCE, _both(lambda a, b: ops.stack([a, b], 2))),
    "tile": (SEQUENCE, lambda: lambda x: tf.tile(x, [1, 2, 3])),
    "repeat": (SEQUENCE, lambda: lambda x: ops.repeat(x, 2, 1)),
    "roll": (SEQUENCE, lambda: lambda x: ops.roll(x, 3, 1)),
    "flip": (SEQUENCE, lambda: lambda x: ops.flip(x, 1)),
    "reverse_sequence": (
        SEQUENCE,
        lambda: lambda x: tf.reverse_sequence(x, tf.fill([tf.shape(x)[0]], 3), seq_axis=1),
    ),
    "transpose": (SEQUENCE, _after_dense(lambda x: ops.transpose(x, (0, 2, 1)))),
    "swapaxes of 5 axes": ((2, 3, 4, 5), lambda: lambda x: ops.transpose(x, (0, 3, 1, 4, 2))),
    "einsum": (SEQUENCE, lambda: lambda x: ops.einsum("abc,adc->abd", x, x)),
    "matmul": (SEQUENCE, lambda: lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1)))),
    "tensordot": (SEQUENCE, lambda: lambda x: tf.tensordot(x, tf.ones((FEATURES, 3)), 1)),
    "sum": (SEQUENCE, _after_dense(lambda x: ops.sum(x, 1))),
    "mean": (SEQUENCE, _after_dense(lambda x: ops.mean(x, (1, 2)))),
    "max": (SEQUENCE, _after_dense(lambda x: ops.max(x, -1))),
    "min": (SEQUENCE, _after_dense(lambda x: ops.min(x, 1, keepdims=True))),
    "prod": (SEQUENCE, lambda: lambda x: ops.prod(x, 1)),
    "all": (SEQUENCE, lambda: lambda x: ops.all(x > -1, 1)),
    "any": (SEQUENCE, lambda: lambda x: ops.cast(ops.any(x > 1, 1), "float32")),
    "std": (SEQUENCE, lambda: lambda x: ops.std(x, 1)),
    "var": (SEQUENCE, _after_dense(lambda x: ops.var(x, 2))),
    "logsumexp": (SEQUENCE, lambda: lambda x: ops.logsumexp(x, 1)),
    "norm": (SEQUENCE, lambda: lambda x: ops.norm(x, axis=-1)),
    "l2_normalize": (SEQUENCE, _after_dense(lambda x: tf.math.l2_normalize(x, -1))),
    "resize bilinear": (IMAGE, _after_dense(lambda x: tf.image.resize(x, (7, 5)))),
    "resize nearest": (IMAGE, _after_dense(lambda x: tf.image.resize(x, (24, 24), "nearest"))),
    "resize align corners": (
        IMAGE,
        lambda: lambda x: tf.compat.v1.image.resize_bilinear(x, (7, 5), align_corners=True),
    ),
    "pow": (SEQUENCE, lambda: lambda x: ops.power(ops.abs(x), 1.5)),
    "squared_difference": (SEQUENCE, _both(tf.math.squared_difference)),
    "divide": (SEQUENCE, _both(lambda a, b: a / (ops.abs(b) + 1.0))),
    "maximum of a number": (SEQUENCE, _after_dense(lambda x: ops.maximum(x, 0.25))),
    "clip": (SEQUENCE, _after_dense(lambda x: ops.clip(x, -0.5, 0.75))),
    "relu_n1_to_1": (SEQUENCE, _after_dense(lambda x: tf.minimum(tf.maximum(x, -1.0), 1.0))),
    "relu_0_to_1": (SEQUENCE, _after_dense(lambda x: tf.minimum(tf.maximum(x, 0.0), 1.0))),
    "floor": (SEQUENCE, lambda: lambda x: ops.floor(x) + ops.ceil(x * 2) + ops.round(x * 3)),
    "sign": (SEQUENCE, lambda: lambda x: ops.sign(x) * ops.abs(x)),
    "exp": (SEQUENCE, _after_dense(ops.exp)),
    "log": (SEQUENCE, lambda: lambda x: ops.log(ops.abs(x) + 1e-3)),
    "log1p": (SEQUENCE, lambda: lambda x: ops.log1p(ops.abs(x))),
    "sqrt": (SEQUENCE, lambda: lambda x: ops.sqrt(ops.square(x) + 1e-4)),
    "rsqrt": (SEQUENCE, lambda: lambda x: ops.rsqrt(ops.square(x) + 0.1)),
    "sin cos": (SEQUENCE, lambda: lambda x: ops.sin(x) + ops.cos(x)),
    "atan2": (SEQUENCE, lambda: lambda x: tf.math.atan2(x, x * x + 1.0)),
    "floordiv": (SEQUENCE, lambda: lambda x: tf.math.floordiv(x, 0.3)),
    "floormod": (SEQUENCE, lambda: lambda x: tf.math.floormod(x, 0.3)),
    "integers": (SEQUENCE, lambda: lambda x: tf.cast(tf.cast(x * 100, tf.int32) // 7 % 5, tf.float32)),
    "logical": (SEQUENCE, lambda: lambda x: ops.cast(ops.logical_or(ops.logical_not(x > 0), x > 1), "float32")),
    "equal": (SEQUENCE, lambda: lambda x: tf.cast(tf.equal(x, 0.0) | tf.not_equal(x, 1.0), tf.float32)),
    "less": (SEQUENCE, _both(lambda a, b: tf.cast((a < b) & (a <= b + 1) & (a >= b - 9), tf.float32))),
    "broadcast_to": (VECTOR, lambda: lambda x: tf.broadcast_to(x[:1, tf.newaxis], (1, 3, 32))),
    "space_to_depth": (IMAGE, lambda: lambda x: tf.nn.space_to_depth(x, 2)),
    "depth_to_space": (IMAGE, lambda: lambda x: tf.nn.depth_to_space(x, 2)),
    "space_to_batch": (IMAGE, lambda: lambda x: tf.space_to_batch(x, [2, 2], [[0, 0], [0, 0]])),
    "batch_to_space": (
        IMAGE,
        lambda: (
            lambda x: tf.batch_to_space(tf.space_to_batch(x, [2, 2], [[1, 1], [0, 0]]) * 2, [2, 2], [[1, 1], [0, 0]])
        ),
    ),
    "range": (VECTOR, lambda: lambda x: x + tf.cast(tf.range(tf.shape(x)[1]), tf.float32)),
    "linspace": (VECTOR, lambda: lambda x: x * tf.linspace(0.0, tf.reduce_max(x), 32)),
    "fill": (VECTOR, lambda: lambda x: tf.fill([tf.shape(x)[0], 3], 2.0)),
    "zeros_like": (VECTOR, lambda: lambda x: ops.zeros_like(x) + ops.ones_like(x) * x),
    "shape": (VECTOR, lambda: lambda x: tf.reshape(x, (tf.shape(x)[0], 4, -1))),
    "expand and squeeze": (SEQUENCE, _after_dense(lambda x: tf.squeeze(tf.expand_dims(x, 2) * 2.0, 2))),
    "eye": (SEQUENCE, lambda: lambda x: tf.linalg.diag(x[:, :, 0])),
    "set_diag": (SEQUENCE, lambda: lambda x: tf.linalg.set_diag(tf.matmul(x, x, transpose_b=True), x[:, :, 0])),
    "triu": (SEQUENCE, lambda: lambda x: ops.triu(ops.matmul(x, ops.transpose(x, (0, 2, 1))))),
    "outer": (VECTOR, lambda: lambda x: x[:, :, None] * x[:, None, :]),
    "segment_sum": (SEQUENCE, lambda: lambda x: tf.math.segment_sum(x[0], np.repeat(np.arange(4), 4))),
    "unsorted_segment_sum": (
        SEQUENCE,
        lambda: lambda x: tf.math.unsorted_segment_sum(x[0], np.arange(STEPS) % 3, 3),
    ),
    "unsorted_segment_max": (
        SEQUENCE,
        lambda: lambda x: tf.math.unsorted_segment_max(x[0], np.arange(STEPS) % 3, 3),
    ),
    "unsorted_segment_min": (
        SEQUENCE,
        lambda: lambda x: tf.math.unsorted_segment_min(x[0], np.arange(STEPS) % 3, 3),
    ),
    "unsorted_segment_prod": (
        SEQUENCE,
        lambda: lambda x: tf.math.unsorted_segment_prod(x[0], np.arange(STEPS) % 3, 3),
    ),
    "unique": (VECTOR, lambda: lambda x: tf.cast(tf.unique(tf.cast(x[0] * 3, tf.int32)).idx, tf.float32)),
    "bincount": (VECTOR, lambda: lambda x: tf.math.bincount(tf.cast(x[0] * 3, tf.int32) % 5, minlength=5, maxlength=5)),
    "histogram": (
        VECTOR,
        lambda: lambda x: tf.reduce_sum(tf.one_hot(tf.cast(x * 3, tf.int32), 5), 1),
    ),
    "non_max_suppression": (
        (6, 4),
        lambda: (
            lambda x: tf.raw_ops.NonMaxSuppressionV4(
                boxes=x[0],
                scores=x[0, :, 0],
                max_output_size=3,
                iou_threshold=0.5,
                score_threshold=0.0,
                pad_to_max_output_size=True,
            )[0]
        ),
    ),
    "bitwise": (VECTOR, lambda: lambda x: tf.cast(tf.bitwise.bitwise_xor(tf.cast(x, tf.int32), 5), tf.float32)),
    "right_shift": (VECTOR, lambda: lambda x: tf.cast(tf.bitwise.right_shift(tf.cast(x, tf.int32), 2), tf.float32)),
    "bitcast": (VECTOR, lambda: lambda x: tf.bitcast(x, tf.int32)),
    "random_uniform": (VECTOR, lambda: lambda x: x + tf.random.uniform((1, 32))),
    "random_normal": (VECTOR, lambda: lambda x: x + tf.random.normal((1, 32))),
    "multinomial": (VECTOR, lambda: lambda x: tf.random.categorical(x, 3)),
    "sparse_to_dense": (
        VECTOR,
        lambda: (
            lambda x: tf.raw_ops.SparseToDense(
                sparse_indices=tf.cast(tf.range(4), tf.int32),
                output_shape=[8],
                sparse_values=x[0, :4],
                default_value=0.0,
            )
        ),
    ),
    "bucketize": (VECTOR, lambda: lambda x: tf.raw_ops.Bucketize(input=x, boundaries=[-1.0, 0.0, 1.0])),
    "dynamic_update_slice": (
        SEQUENCE,
        lambda: lambda x: ops.slice_update(x[:1], (0, 2, 0), x[:1, :3] * 2.0),
    ),
    "local_response_normalization": (IMAGE, lambda: lambda x: tf.nn.local_response_normalization(x, 2)),
    "fake_quant": (VECTOR, lambda: lambda x: tf.quantization.fake_quant_with_min_max_args(x, -1, 1)),
    "cond": (VECTOR, lambda: lambda x: tf.cond(tf.reduce_mean(x) > 0, lambda: x * 2.0, lambda: x - 1.0)),
    "while": (
        VECTOR,
        lambda: lambda x: tf.while_loop(lambda i, y: i < 5, lambda i, y: (i + 1, y * 0.5 + x), (0, x))[1],
    ),
    "while on data": (
        VECTOR,
        lambda: (
            lambda x: tf.while_loop(
                lambda i, y: (i < 5) & (tf.reduce_max(y) < 9.0), lambda i, y: (i + 1, y * 1.5), (0, x)
            )[1]
        ),
    ),
    "map_fn": (SEQUENCE, lambda: lambda x: tf.map_fn(lambda row: row * 2.0 + tf.reduce_mean(row), x[0])),
    "scan": (SEQUENCE, lambda: lambda x: tf.scan(lambda a, b: a * 0.5 + b, x[0])),
    "complex parts": (
        SAMPLES,
        lambda: lambda x: tf.concat([tf.math.real(y := tf.signal.rfft(x)), tf.math.imag(y)], -1),
    ),
    "rfft": (SAMPLES, lambda: lambda x: tf.abs(tf.signal.rfft(x))),
    "rfft2d": (IMAGE, lambda: lambda x: tf.abs(tf.signal.rfft2d(tf.pad(x[..., 0], [[0, 0], [0, 4], [0, 4]])))),
    "stft": (SAMPLES, lambda: lambda x: tf.abs(tf.signal.stft(x, 64, 32))),
    "keras stft": (SAMPLES, lambda: lambda x: ops.add(*map(ops.square, ops.stft(x, 64, 32, 64)))),
    "mel": (
        SAMPLES,
        lambda: (lambda weights: lambda x: tf.math.log(tf.abs(tf.signal.stft(x, 64, 32)) @ weights + 1e-6))(
            tf.signal.linear_to_mel_weight_matrix(8, 33, 16000)
        ),
    ),
    "MelSpectrogram": (
        SAMPLES,
        _layer("MelSpectrogram", fft_length=64, sequence_stride=32, num_mel_bins=8, sampling_rate=16000),
    ),
    "STFTSpectrogram": (SAMPLES, _layer("STFTSpectrogram", frame_length=64, frame_step=32, fft_length=64)),
    "dct": ((16, 32), lambda: lambda x: tf.signal.dct(x)),
    "mfcc": ((16, 32), lambda: lambda x: tf.signal.mfccs_from_log_mel_spectrograms(x)[..., :13]),
    "frame": (SAMPLES, lambda: lambda x: tf.signal.frame(x, 64, 32)),
    "frame padded": (SAMPLES, lambda: lambda x: tf.signal.frame(x, 100, 30, pad_end=True)),
    "overlap_and_add": (SEQUENCE, lambda: lambda x: tf.signal.overlap_and_add(x, 2)),
    "extract patches": (IMAGE, lambda: lambda x: ops.image.extract_patches(x, 3, 2)),
    "local level": (SAMPLES, lambda: lambda x: x / (tf.reduce_max(tf.abs(x), -1, keepdims=True) + 1e-6)),
    "flatten per example": (IMAGE, lambda: lambda x: tf.reshape(x, (-1, 12 * 12 * 4))),
    "add_n": (SEQUENCE, _both(lambda a, b: tf.add_n([a, b, a * b]))),
    "in_top_k": (SEQUENCE, lambda: lambda x: tf.math.in_top_k(tf.range(STEPS) % FEATURES, x[0], 2)),
    "float64": (VECTOR, lambda: lambda x: tf.cast(tf.cast(x, tf.float64) * 2.0, tf.float32)),
    "int64": (VECTOR, lambda: lambda x: tf.cast(tf.cast(x * 9, tf.int64) * 2, tf.float32)),
}


def all_kinds() -> list[Kind]:
    """Return every kind, those with weights first."""
    return [Kind(name, *made, True, name not in LOOPS) for name, made in LAYERS.items()] + [
        Kind(name, *made, False, name not in LOOPS) for name, made in PLAIN.items()
    ]

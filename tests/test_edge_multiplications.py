"""Multiplications of a file, against the products that its layers have by hand."""

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from convert import RECIPES, export_float, quantize  # noqa: E402
from edge_runtime.bench.multiplications import multiply_accumulates  # noqa: E402
from edge_runtime.bench.result import format_document  # noqa: E402
from edge_runtime.machine.describe import describe_machine  # noqa: E402
from edge_runtime.machine.state import read_machine_state  # noqa: E402


@pytest.fixture(scope="module")
def model() -> bytes:
    layers = keras.layers
    audio = layers.Input((64,), name="audio")
    x = layers.Reshape((8, 8, 1))(audio)
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(x)  # 64 places x 4 x 9
    x = layers.DepthwiseConv2D(3, padding="same", activation="relu")(x)  # 64 places x 4 x 9
    x = layers.Conv2DTranspose(2, 2, strides=2)(x)  # 64 places x 4 in x 2 x 2 x 2 out
    x = layers.Flatten()(x)  # 16 x 16 x 2
    return export_float(keras.Model(audio, layers.Dense(3, activation="softmax")(x)))  # 512 x 3


PRODUCTS = 64 * 4 * 9 + 64 * 4 * 9 + 64 * 4 * 8 + 512 * 3


def test_convolutions_and_dense_layers_count_as_by_hand(model):
    assert multiply_accumulates(model) == PRODUCTS


def test_eight_bit_weights_change_nothing(model):
    assert multiply_accumulates(quantize(model, RECIPES["dynamic_int8"])) == PRODUCTS


def test_a_matrix_product_counts_the_axis_that_is_summed_over():
    first = keras.layers.Input((6, 5))
    product = keras.ops.matmul(first, keras.ops.transpose(first, (0, 2, 1)))  # 6 x 5 by 5 x 6
    scores = keras.layers.Dense(2, use_bias=False)(keras.layers.Flatten()(product))
    audio = keras.layers.Input((30,), name="audio")
    whole = keras.Model(audio, keras.Model(first, scores)(keras.layers.Reshape((6, 5))(audio)))
    assert multiply_accumulates(export_float(whole)) == 6 * 5 * 6 + 36 * 2


def test_bench_says_it_by_window_and_by_second_and_old_results_still_print():
    times = {f"{name}_ms": 1.0 for name in ("p50", "p90", "p95", "p99", "max", "mean", "std")}
    entry = {
        **{"file": "a.tflite", "num_threads": 1, "invoke": times, "end_to_end": times, "real_time_factor": 0.1},
        **{"num_runs": 1, "warmup_runs": 0, "audio": "tone", "sample_rate": 8, "model_sample_rate": 8},
        **{"num_windows": 1, "window_seconds": 5.0, "cold_start": None, "sustained": None},
    }
    state = read_machine_state()
    document = {"machine": describe_machine(), "state_before": state, "state_after": state, "warnings": []}
    line = "a.tflite: 126.0 million multiply-accumulates a window, 25.2 million a second of sound"
    printed = format_document(document | {"files": [entry | {"multiply_accumulates": 126_000_000}]})
    assert line in printed.splitlines()
    assert "multiply" not in format_document(document | {"files": [entry]})

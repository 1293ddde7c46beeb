"""Layer by layer, with graphs whose error is known by hand."""

from __future__ import annotations

import json
import math
import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
pytest.importorskip("ai_edge_quantizer")

from tiny_tflite import tiny_classifier

from convert import RECIPES, choose_calibration, quantize
from convert.graph.layer_name import layer_name, named_layer
from convert.graph.model_graph import Operation, read_model_object, write_model_object
from convert.quantization.layer_drift import (
    LayerDrift,
    compare_layers,
    format_drift,
    tell_worst,
    worst_first,
    write_drift,
)
from metadata import ModelContractError, pack_model

WINDOW_LENGTH = 512  # samples


@pytest.fixture(scope="module")
def windows() -> np.ndarray:
    return np.random.default_rng(2).uniform(-0.5, 0.5, (40, WINDOW_LENGTH)).astype(np.float32)


@pytest.fixture(scope="module")
def model() -> bytes:
    return tiny_classifier(WINDOW_LENGTH)


@pytest.fixture(scope="module")
def integer(model, windows) -> bytes:
    return quantize(model, RECIPES["int8_io"], choose_calibration(windows, np.arange(40) % 2))


def changed(model: bytes, name: str, factor: float) -> bytes:
    """The model with one constant multiplied."""
    content = read_model_object(model)
    for tensor in content.subgraphs[0].tensors:
        if tensor.name.decode() == name:
            values = np.frombuffer(bytes(content.buffers[tensor.buffer].data), np.float32) * np.float32(factor)
            content.buffers[tensor.buffer].data = np.frombuffer(values.tobytes(), np.uint8)
    return write_model_object(content)


def test_a_model_does_not_drift_from_itself(model, windows):
    drifts = compare_layers(model, model, windows)
    assert [drift.operation for drift in drifts] == [
        *("INPUT", "RESHAPE", "FULLY_CONNECTED", "MEAN", "FULLY_CONNECTED", "SOFTMAX")
    ]
    assert all(drift.snr_db == math.inf and drift.lost_db == 0.0 for drift in drifts)
    assert all(drift.cosine_similarity == pytest.approx(1.0) for drift in drifts)


def test_a_layer_that_is_one_tenth_too_large_has_an_snr_of_20_db_and_lost_it_itself(model, windows):
    louder = changed(changed(model, "features/weights", 1.1), "features/bias", 1.1)
    drifts = {drift.layer: drift for drift in compare_layers(model, louder, windows)}
    assert drifts["blocks"].snr_db == math.inf
    assert drifts["features"].snr_db == pytest.approx(20.0, abs=0.01)
    assert drifts["features"].lost_db == pytest.approx(78.0, abs=0.01)
    assert drifts["features"].cosine_similarity == pytest.approx(1.0)
    assert drifts["pooled"].snr_db == pytest.approx(20.0, abs=0.01)
    assert drifts["pooled"].lost_db == pytest.approx(0.0, abs=0.01)


def test_the_worst_layer_comes_first_in_json(model, integer, windows):
    drifts = worst_first(compare_layers(model, integer, windows))
    assert [drift.snr_db for drift in drifts] == sorted(drift.snr_db for drift in drifts)


def test_the_table_is_in_the_order_of_the_picture_and_says_what_is_bad(model, windows):
    louder = changed(changed(model, "features/weights", 1.2), "features/bias", 1.2)
    drifts = compare_layers(model, louder, windows)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in format_drift(drifts).splitlines()[2:8]]
    assert [row[0] for row in rows] == [drift.layer for drift in drifts]
    bad = {row[0]: row[-1] for row in rows}
    assert (bad["blocks"], bad["features"], bad["pooled"]) == ("", "poor, loses most", "poor")
    assert "The file drifts most in features" in format_drift(drifts)


def test_integers_are_compared_as_the_numbers_they_stand_for(model, integer, windows):
    drifts = compare_layers(model, integer, windows)
    assert {drift.dtype for drift in drifts} == {"int8"}
    assert all(drift.snr_db > 15.0 for drift in drifts)
    # Uniform noise in steps of 1/255 of its range: 6.02 dB a bit.
    assert drifts[0].snr_db == pytest.approx(48.1, abs=0.5)


def test_metadata_changes_nothing(model, integer, windows):
    from tiny_tflite import tiny_spec

    packed = pack_model(integer, tiny_spec(window_length=WINDOW_LENGTH, recipe="int8_io"))
    assert compare_layers(model, packed, windows) == compare_layers(model, integer, windows)


def test_other_tensor_names_are_matched_by_position(model, windows):
    content = read_model_object(model)
    for number, tensor in enumerate(content.subgraphs[0].tensors):
        tensor.name = f"t{number}".encode()
    drifts = compare_layers(model, write_model_object(content), windows)
    assert [drift.layer for drift in drifts][1:] == ["blocks", "features", "pooled", "logits", "scores"]


@pytest.mark.parametrize("name", [None, b"", b"x"])
def test_layers_without_names_of_their_own_are_matched_by_position(model, integer, windows, name):
    def renamed(content_of: bytes) -> bytes:
        content = read_model_object(content_of)
        for tensor in content.subgraphs[0].tensors:
            tensor.name = name
        return write_model_object(content)

    expected = [drift.snr_db for drift in compare_layers(model, integer, windows)]
    for pair in ((renamed(model), renamed(integer)), (model, renamed(integer)), (renamed(model), integer)):
        drifts = compare_layers(*pair, windows)
        assert [drift.snr_db for drift in drifts] == expected
        assert len({drift.tensor for drift in drifts}) == len(drifts)


def test_a_name_that_two_layers_of_the_candidate_share_matches_neither_by_name(model, windows):
    """The mean is called as the dense layer before it: by name alone, 8 numbers would be compared with 16."""
    content = read_model_object(model)
    tensors = {tensor.name: tensor for tensor in content.subgraphs[0].tensors}
    tensors[b"pooled"].name = b"features"
    drifts = compare_layers(model, write_model_object(content), windows)
    assert [drift.layer for drift in drifts][1:] == ["blocks", "features", "pooled", "logits", "scores"]
    assert all(drift.snr_db == math.inf for drift in drifts)


def test_a_tensor_of_another_size_is_not_compared_though_it_has_the_name(model, windows):
    content = read_model_object(model)
    by_name = {tensor.name: tensor for tensor in content.subgraphs[0].tensors}
    by_name[b"pooled"].name, by_name[b"features"].name = b"features", b"pooled"
    drifts = compare_layers(model, write_model_object(content), windows)
    assert {drift.layer for drift in drifts}.isdisjoint({"features", "pooled"})
    assert all(drift.snr_db == math.inf for drift in drifts)


def test_a_model_without_a_layer_in_common_is_refused(model, windows):
    content = read_model_object(model)
    subgraph = content.subgraphs[0]
    for number, tensor in enumerate(subgraph.tensors):
        tensor.name = f"t{number}".encode()
    subgraph.operators = subgraph.operators[:-1]
    subgraph.outputs = subgraph.operators[-1].outputs
    content.signatureDefs = None
    with pytest.raises(ModelContractError, match="not a layer in common"):
        compare_layers(model, write_model_object(content), windows)


@pytest.mark.parametrize("shape", [(0, WINDOW_LENGTH), (3, WINDOW_LENGTH - 1), (WINDOW_LENGTH,)])
def test_windows_of_another_size_are_refused(model, shape):
    with pytest.raises(ValueError, match="at least one window"):
        compare_layers(model, model, np.zeros(shape, np.float32))


@pytest.mark.parametrize(
    ("operation", "inputs", "output", "expected"),
    [
        ("CONV_2D", ("x", "net_1/conv_2_1/convolution"), "net_1/relu_2_1/Relu;net_1/conv_2_1/convolution", "conv_2"),
        ("MUL", ("x", "net_1/norm_4_1/batchnorm/mul"), "net_1/conv_4_1/BiasAdd;net_1/norm_4_1/batchnorm/mul", "norm_4"),
        ("MAX_POOL_2D", ("x",), "net_1/pool_1_1/MaxPool2d", "pool_1"),
        ("CONV_2D", ("x", "outer_1/inner_1/conv_3_1/convolution"), "y", "conv_3"),
        ("SOFTMAX", ("x",), "StatefulPartitionedCall_1:0", "StatefulPartitionedCall_1:0"),
        ("FULLY_CONNECTED", ("x", "arith.constant"), "dense", "dense"),
    ],
)
def test_a_layer_is_named_as_in_keras(operation, inputs, output, expected):
    made = Operation(name=operation, version=1, is_custom=False, inputs=inputs, outputs=(output,))
    assert layer_name(made) == expected


def test_the_ends_of_a_graph_are_named_after_the_layers_beside_them():
    fed = Operation(name="INPUT", version=1, is_custom=False, inputs=(), outputs=("serving_default_audio:0",))
    inputs, end = ("net_1/scores_1/BiasAdd",), ("StatefulPartitionedCall_1:0",)
    last = Operation(name="SOFTMAX", version=1, is_custom=False, inputs=inputs, outputs=end)
    assert named_layer(fed, {}) == "audio"
    assert named_layer(last, {inputs[0]: "scores"}) == "scores"
    assert named_layer(last, {}) == end[0]


def test_table_json_and_picture_are_written(model, integer, windows, tmp_path):
    drifts = write_drift(model, integer, windows, tmp_path / "drift", "tiny-int8_io")
    assert (tmp_path / "drift" / "tiny-int8_io.png").read_bytes().startswith(b"\x89PNG")
    document = json.loads((tmp_path / "drift" / "tiny-int8_io.json").read_text())
    assert document["num_windows"] == 30
    assert [layer["layer"] for layer in document["layers"]] == [drift.layer for drift in worst_first(drifts)]
    table = (tmp_path / "drift" / "tiny-int8_io.md").read_text()
    assert [line for line in table.splitlines() if line.startswith("|")] == table.splitlines()[: len(drifts) + 2]
    assert "Higher is better. At 20 dB the error is a tenth of the output; what is below is poor." in table


def test_an_exact_layer_is_null_in_json_which_knows_no_infinity(model, windows):
    values = [drift.as_dict() for drift in compare_layers(model, model, windows)]
    assert all(value["snr_db"] is None for value in values)
    json.dumps(values, allow_nan=False)


def drift_of(snr_db):
    return LayerDrift(
        position=0, layer="conv", tensor="t", operation="CONV_2D", dtype="int8", snr_db=snr_db, lost_db=0.0,
        cosine_similarity=1.0, max_abs_error=0.0,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("snr_db", "said"),
    [
        (
            23.44,
            "drifts most in conv (CONV_2D): its output has an SNR of 23.4 dB against float (higher is better, poor",
        ),
        (12.0, "an SNR of 12.0 dB against float (higher is better, below 20 dB, poor)"),
        (math.inf, "drifts nowhere"),
        (-math.inf, "an SNR of -inf dB against float (higher is better, below 20 dB, poor)"),
    ],
)
def test_the_worst_layer_is_told_with_what_its_number_means(snr_db, said):
    assert said in tell_worst([drift_of(snr_db)])

"""The recipe auto: what it leaves alone, what it rescues, and that it says what that costs."""

from __future__ import annotations

import dataclasses
import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")
pytest.importorskip("ai_edge_quantizer")

from convert import RECIPES, choose_calibration, export_float, quantize  # noqa: E402
from convert.graph.model_graph import read_graph  # noqa: E402
from convert.graph.model_scores import model_scores, window_outputs  # noqa: E402
from convert.quantization.mixed_precision import (  # noqa: E402
    MixedPrecision,
    ValidationWindows,
    format_mixed_precision,
    search_mixed_precision,
)
from metadata.signed import signed  # noqa: E402

WINDOW_LENGTH = 256  # samples
AUTO = RECIPES["auto"]
AIM = 0.99  # of decisions: half of what the tolerance of 0.98 allows is used


def network() -> keras.Model:
    """Power of blocks of samples into a few layers, as the published mel network takes mel power, no logarithm."""
    layers = keras.layers
    audio = layers.Input((WINDOW_LENGTH,), name="audio")
    x = layers.Reshape((16, 16, 1), name="blocks")(audio)
    x = layers.Lambda(keras.ops.square, output_shape=(16, 16, 1), name="power")(x)
    for number in (1, 2, 3):
        x = layers.Conv2D(8, 3, activation="relu", name=f"conv_{number}")(x)
    x = layers.Flatten(name="flat")(x)
    x = layers.Dense(16, activation="relu", name="dense_1")(x)
    return keras.Model(audio, layers.Dense(3, activation="softmax", name="scores")(x), name="tiny_power")


@pytest.fixture(scope="module")
def float_model() -> bytes:
    keras.utils.set_random_seed(8)
    return export_float(network())


def noise(levels_db: np.ndarray, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return (10.0 ** (levels_db[:, None] / 20) * generator.normal(size=(len(levels_db), WINDOW_LENGTH))).astype(
        "float32"
    )


def validation(float_model: bytes, windows: np.ndarray) -> ValidationWindows:
    """Windows whose truth is what the float model says, so that agreement and accuracy are one."""
    truth = model_scores(float_model, windows).argmax(axis=1)
    return ValidationWindows(windows=windows, truth=truth, groups=(np.arange(len(windows)) % 8).astype(str))


@pytest.fixture(scope="module")
def rescued(float_model) -> tuple[MixedPrecision, ValidationWindows]:
    """Calibrated on quiet sound and judged on loud sound: the fixed ranges clip."""
    quiet = choose_calibration(noise(np.full(30, -40.0), 1), np.arange(30) % 3)
    loud = validation(float_model, noise(np.linspace(-20.0, 0.0, 80), 2))
    return search_mixed_precision(float_model, AUTO, quiet, loud, tell=lambda text: None), loud


def test_where_8_bits_hold_the_file_is_that_of_int8(float_model):
    levels = np.full(60, -20.0)
    calibration = choose_calibration(noise(levels, 3), np.arange(60) % 3)
    loose = dataclasses.replace(AUTO, min_decision_agreement=0.5, max_accuracy_loss=0.5)
    found = search_mixed_precision(
        float_model, loose, calibration, validation(float_model, noise(levels, 4)), tell=lambda text: None
    )
    assert found.kept == ()
    assert found.model == quantize(float_model, RECIPES["int8"], calibration)
    assert found.sentence() == "Every layer holds in 8 bits."
    assert "8 bits hold everywhere" in format_mixed_precision(found.as_dict())


def test_a_model_that_int8_loses_is_rescued(float_model, rescued):
    found, loud = rescued
    assert not found.before.passed
    assert found.before.measures["decision_agreement"] < AUTO.min_decision_agreement
    assert found.after.passed
    agreement = (model_scores(found.model, loud.windows).argmax(axis=1) == loud.truth).mean()
    assert agreement == pytest.approx(found.after.measures["decision_agreement"])
    assert agreement >= AUTO.min_decision_agreement - 1 / len(loud.truth)


def conv_2_has_8_bits(model: bytes) -> bool:
    heard = [one for one in read_graph(model).tensors if one.shape == (1, 12, 12, 8)]
    (dtype,) = [one.dtype for one in heard if one.name.endswith("/convolution")]  # copies have a suffix
    return dtype == "INT8"


def test_a_layer_that_changes_the_decisions_of_frames_alone_is_kept_wider(float_model, monkeypatch):
    def with_frames(model: bytes, windows: np.ndarray, use_xnnpack: bool = True) -> tuple[np.ndarray, ...]:
        (scores,) = window_outputs(model, windows, use_xnnpack)
        frames = np.tile(np.float32([0.9, 0.1, 0.1, 0.1, 0.9, 0.1]), (len(windows), 1))  # two frames of three labels
        return scores, 1.0 - frames if conv_2_has_8_bits(model) else frames

    monkeypatch.setattr("convert.quantization.mixed_precision.window_outputs", with_frames)
    levels = np.full(60, -20.0)
    calibration = choose_calibration(noise(levels, 3), np.arange(60) % 3)
    loose = dataclasses.replace(AUTO, min_decision_agreement=0.5, max_accuracy_loss=0.5)
    judged = dataclasses.replace(validation(float_model, noise(levels, 4)), frame_thresholds=(0.5, 0.5, 0.5))
    found = search_mixed_precision(float_model, loose, calibration, judged, tell=lambda text: None)
    assert found.before.passed
    assert [(before.passed, after.passed) for before, after in found.frames] == [(False, True), (False, True)]
    assert [before.num_windows for before, _ in found.frames] == [120, 120]
    assert [layer.layer for layer in found.kept] == ["conv_2"]
    assert "; of frames from 0.0% to 100.0%, on TensorFlow Lite's" in format_mixed_precision(found.as_dict())


def test_a_layer_that_only_the_built_in_kernels_get_wrong_is_kept_wider(float_model, monkeypatch):
    def with_a_faulty_kernel(model: bytes, windows: np.ndarray, use_xnnpack: bool = True) -> tuple[np.ndarray, ...]:
        (scores,) = window_outputs(model, windows, use_xnnpack)
        return (np.roll(scores, 1, axis=1) if conv_2_has_8_bits(model) and not use_xnnpack else scores,)

    monkeypatch.setattr("convert.quantization.mixed_precision.window_outputs", with_a_faulty_kernel)
    levels = np.full(60, -20.0)
    calibration = choose_calibration(noise(levels, 3), np.arange(60) % 3)
    loose = dataclasses.replace(AUTO, min_decision_agreement=0.5, max_accuracy_loss=0.5)
    found = search_mixed_precision(
        float_model, loose, calibration, validation(float_model, noise(levels, 4)), tell=lambda text: None
    )
    assert found.before.passed
    assert not found.before_on_builtin.passed
    assert found.after.passed
    assert found.after_on_builtin.passed
    assert found.after_on_builtin.level == 5
    (kept,) = found.kept
    assert kept.layer == "conv_2"
    assert kept.agreement_without < 0.5 < kept.agreement_with
    assert "on TensorFlow Lite's built-in kernels from" in format_mixed_precision(found.as_dict())


def test_it_says_which_layers_are_kept_what_each_costs_and_what_it_buys(rescued):
    found, _ = rescued
    assert {layer.layer for layer in found.kept} <= {"conv_2", "conv_3", "dense_1"}
    assert found.num_layers == 3
    for layer in found.kept:
        assert layer.kept_as in ("dynamic_int8", "float32")
        assert layer.agreement_with > layer.agreement_without or layer.accuracy_with > layer.accuracy_without
        assert layer.layer in found.sentence()
        assert f"{layer.layer} {layer.kept_as} ({signed(layer.cost_bytes / 1000, 0)} kB" in format_mixed_precision(
            found.as_dict()
        )


def test_every_kept_layer_is_needed(rescued):
    found, _ = rescued
    assert found.kept
    assert all(layer.agreement_without < AIM or layer.accuracy_without < layer.accuracy_with for layer in found.kept)


def test_it_aims_past_the_tolerance_so_that_other_windows_hold_too(float_model, rescued):
    found, _ = rescued
    assert found.after.tolerance["decision_agreement"] == pytest.approx(AIM)
    assert f"{100 * AIM:.0f} %" in AUTO.description
    others = validation(float_model, noise(np.linspace(-20.0, 0.0, 400), 6))
    agreement = (model_scores(found.model, others.windows).argmax(axis=1) == others.truth).mean()
    assert agreement >= AUTO.min_decision_agreement
    assert f"where {AIM:.1%} was aimed at" in format_mixed_precision(found.as_dict())


def test_weights_stay_in_8_bits_where_ranges_anew_in_each_window_are_enough(float_model, rescued):
    found, _ = rescued
    dynamic = [layer for layer in found.kept if layer.kept_as == "dynamic_int8"]
    assert dynamic
    assert all(layer.cost_bytes < 1000 for layer in dynamic)


def test_a_tolerance_that_only_float_holds_ends_in_float(float_model):
    quiet = choose_calibration(noise(np.full(30, -60.0), 1), np.arange(30) % 3)
    loud = validation(float_model, noise(np.linspace(-20.0, 0.0, 600), 5))
    strict = dataclasses.replace(AUTO, min_decision_agreement=1.0, max_accuracy_loss=0.0)
    found = search_mixed_precision(float_model, strict, quiet, loud, tell=lambda text: None)
    assert found.after.passed
    assert "float32" in {layer.kept_as for layer in found.kept}
    assert all(layer.kept_as != "float32" or layer.cost_bytes > 0 for layer in found.kept)


def test_the_same_arguments_give_the_same_bytes(float_model, rescued):
    found, loud = rescued
    quiet = choose_calibration(noise(np.full(30, -40.0), 1), np.arange(30) % 3)
    assert search_mixed_precision(float_model, AUTO, quiet, loud, tell=lambda text: None).model == found.model


def test_the_front_end_stays_float_by_itself(rescued):
    found, _ = rescued
    graph = read_graph(found.model)
    types = {tensor.name: tensor.dtype for tensor in graph.tensors}
    names = [operation.name for operation in graph.operations]
    before = graph.operations[: names.index("CONV_2D") + 1]
    assert all(types[name] == "FLOAT32" for operation in before for name in operation.outputs)


def test_windows_of_another_length_are_refused(float_model):
    calibration = choose_calibration(noise(np.full(30, -20.0), 1), np.arange(30) % 3)
    short = ValidationWindows(
        windows=np.zeros((4, WINDOW_LENGTH - 1), np.float32), truth=np.zeros(4, int), groups=np.zeros(4, str)
    )
    with pytest.raises(ValueError, match=r"\(4, 255\); expected \(n_windows, 256\)"):
        search_mixed_precision(float_model, AUTO, calibration, short, tell=lambda text: None)

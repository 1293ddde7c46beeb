"""The power spectrum by two matrix products."""

from __future__ import annotations

import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from conftest import tone  # noqa: E402

from convert.export.float_export import export_float  # noqa: E402
from edge_runtime.front_end.mel_filters import mel_filter_bank  # noqa: E402
from edge_runtime.model.interpreter import open_interpreter  # noqa: E402
from metadata import MelFrontEnd  # noqa: E402
from train.layers.fourier import factored_fourier, grouped_filters  # noqa: E402
from train.layers.librosa_mel import librosa_mel  # noqa: E402
from train.layers.mel_layers import mel_layer  # noqa: E402


def _sorted_power(frames: np.ndarray, n_fft: int) -> np.ndarray:
    """The power in the order of rising frequency, as identities in place of filters sort it."""
    groups = grouped_filters(np.eye(1 + n_fft // 2, dtype=np.float32), n_fft)
    power = factored_fourier(n_fft).power(frames)
    return np.concatenate([np.asarray(group.apply(power)) for group in groups], axis=2)


@pytest.mark.parametrize("n_fft", [128, 256, 400, 512, 1102, 2048, 2 * 67])
def test_it_equals_the_fourier_transform(n_fft):
    frames = np.random.default_rng(n_fft).normal(size=(2, 3, n_fft)).astype(np.float32)
    expected = np.abs(np.fft.rfft(frames.astype(np.float64))) ** 2
    found = _sorted_power(frames, n_fft)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-6 * expected.max()


def test_a_cosine_of_five_turns_lands_in_bin_five_and_nowhere_else():
    frame = np.cos(2 * np.pi * 5 * np.arange(256) / 256).astype(np.float32)
    power = _sorted_power(frame[np.newaxis, np.newaxis], 256)[0, 0]
    assert power.argmax() == 5
    assert power[5] == pytest.approx(128.0**2)
    assert np.delete(power, 5).max() < 1e-6 * power[5]


@pytest.mark.parametrize("n_fft", [128, 400, 2048])
def test_each_bin_counts_once(n_fft):
    (group,) = grouped_filters(np.ones((1 + n_fft // 2, 1), np.float32), n_fft)
    assert group.weights.sum() == 1 + n_fft // 2


def test_groups_of_mel_filters_leave_out_the_columns_that_they_do_not_weigh():
    filters = mel_filter_bank(MelFrontEnd(), 16_000).T
    groups = grouped_filters(filters, 2048)
    assert [group.weights.shape[1] for group in groups] == [32] * 4
    assert sum(group.weights.size for group in groups) < filters.size / 3
    assert sum(np.count_nonzero(group.weights) for group in groups) == np.count_nonzero(filters)


def test_a_filter_that_hears_nothing_puts_out_nothing():
    group = grouped_filters(np.zeros((65, 2), np.float32), 128)[0]
    assert not np.asarray(group.apply(np.ones((1, 3, 9, 8), np.float32))).any()


@pytest.mark.parametrize(("n_fft", "factored"), [(64, False), (126, True), (128, True), (2048, True)])
def test_small_powers_of_two_are_left_to_the_runtimes_operator(n_fft, factored):
    assert (factored_fourier(n_fft) is not None) == factored


@pytest.mark.parametrize("settings", [{}, {"n_fft": 400, "hop_length": 160, "win_length": 400, "n_mels": 40}])
@pytest.mark.parametrize("level", [1.0, 1e-4])
def test_the_exported_graph_equals_librosa_whether_loud_or_quiet(settings, level):
    front_end = MelFrontEnd(**settings)
    audio = keras.Input((8_000,), name="audio")
    content = export_float(keras.Model(audio, mel_layer(front_end, 16_000)(audio), name="front_end"))
    window = (level * (tone(700, 0.5) + np.random.default_rng(1).normal(0, 0.01, 8_000))).astype(np.float32)
    interpreter = open_interpreter(content)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window[np.newaxis])
    interpreter.invoke()
    found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])[0]
    expected = librosa_mel(window, front_end, 16_000)
    assert np.abs(found - expected).max() <= 1e-6 * expected.max()

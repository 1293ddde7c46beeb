"""The form of a mel model that takes a spectrogram."""

from __future__ import annotations

import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
keras = pytest.importorskip("keras")

from convert.export.float_export import export_float  # noqa: E402
from convert.export.input_forms import spectrogram_form  # noqa: E402
from convert.graph.model_graph import read_graph  # noqa: E402

N_MELS, N_FRAMES = 4, 6


class TinyMel(keras.layers.Layer):
    """Sums of squares in blocks: enough of a front end, (batch, n_mels, n_frames)."""

    def call(self, waveform):
        return keras.ops.reshape(keras.ops.square(waveform), (-1, N_MELS, N_FRAMES))


def _network(skip: bool = False) -> keras.Model:
    audio = keras.Input((N_MELS * N_FRAMES,), name="audio")
    x = TinyMel(name="mel_spectrogram")(audio)
    x = keras.layers.Reshape((N_MELS, N_FRAMES, 1), name="mel")(x)
    x = keras.layers.BatchNormalization(axis=1, name="band_norm")(x)
    x = keras.layers.Conv2D(3, 2, activation="relu", name="conv_1")(x)
    x = keras.layers.Flatten(name="flat")(x)
    if skip:
        x = keras.layers.Concatenate(name="beside")([x, audio])
    return keras.Model(audio, keras.layers.Dense(2, activation="softmax", name="scores")(x), name="tiny_mel")


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(4)
    return _network()


def test_fed_with_the_front_end_it_gives_the_scores_of_the_whole_model(network):
    windows = np.random.default_rng(1).normal(size=(5, N_MELS * N_FRAMES)).astype(np.float32)
    mels = np.asarray(network.get_layer("mel_spectrogram")(windows))[..., np.newaxis]
    scores = spectrogram_form(network).predict(mels, verbose=0)
    np.testing.assert_allclose(scores, network.predict(windows, verbose=0), atol=1e-6)


def test_its_input_is_mel_major_with_a_channel(network):
    form = spectrogram_form(network)
    assert form.input_shape == (None, N_MELS, N_FRAMES, 1)
    assert form.inputs[0].name == "spectrogram"
    assert form.name == "tiny_mel_spectrogram"


def test_the_weights_are_shared_not_copied(network):
    form = spectrogram_form(network)
    assert {id(variable) for variable in form.weights} == {id(variable) for variable in network.weights}


def test_it_exports_without_the_front_end_and_the_same_each_time(network):
    first, again = export_float(spectrogram_form(network)), export_float(spectrogram_form(network))
    assert first == again
    graph = read_graph(first)
    assert graph.input.shape == (1, N_MELS, N_FRAMES, 1)
    assert "SQUARE" not in [operation.name for operation in graph.operations]


def test_the_real_mel_model_has_this_form():
    from train.models import mel_cnn

    model = mel_cnn.build(3)
    form = spectrogram_form(model)
    assert form.input_shape == (None, 128, 63, 1)
    assert form.count_params() == model.count_params()


def test_a_model_without_a_front_end_has_one_form_only():
    audio = keras.Input((8,), name="audio")
    model = keras.Model(audio, keras.layers.Dense(2, name="scores")(audio), name="plain")
    with pytest.raises(ValueError, match="plain has no layer named 'mel_spectrogram'"):
        spectrogram_form(model)


def test_a_model_that_also_reads_the_waveform_is_refused():
    with pytest.raises(ValueError, match="beside its front end"):
        spectrogram_form(_network(skip=True))

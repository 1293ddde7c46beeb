import keras
import librosa
import numpy as np
import pytest
from conftest import tone

from metadata import MelFrontEnd, StftFrontEnd
from train.layers.librosa_mel import librosa_mel
from train.layers.mel_layers import EvenLevel, LogCompression, NaturalLog, WindowStandardization, mel_layer
from train.layers.stft_layer import stft_layer


def _window(seed=0, length=32_000):
    noise = np.random.default_rng(seed).normal(0, 0.05, length)
    return (noise + tone(700, length / 16_000)[:length]).astype(np.float32)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"pad_mode": "constant"},
        {"n_fft": 512, "hop_length": 160, "win_length": 400, "n_mels": 64},
        {"n_fft": 512, "hop_length": 160, "win_length": 400, "pad_mode": "none", "n_mels": 64},
        {"power": 1.0},
        {"mel_scale": "htk", "mel_norm": "none"},
        {"fmin": 50.0, "fmax": 7000.0, "n_mels": 40},
    ],
)
def test_the_layer_equals_librosa(settings):
    front_end = MelFrontEnd(**settings)
    window = _window()
    expected = librosa_mel(window, front_end, 16_000)
    found = np.asarray(mel_layer(front_end, 16_000)(window[np.newaxis]))[0]
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1e-6 * np.abs(expected).max()


@pytest.mark.parametrize(
    "settings",
    [
        {"n_fft": 2048, "hop_length": 1024, "win_length": 1536},
        {"n_fft": 2048, "hop_length": 512, "win_length": 2048, "pad_mode": "constant"},
        {"n_fft": 400, "hop_length": 160, "win_length": 400},
    ],
)
def test_the_magnitudes_equal_librosa(settings):
    front_end = StftFrontEnd(power=1.0, **settings)
    windows = np.stack([_window(0, 44_100), 0.1 * _window(1, 44_100)])
    lengths = {key: settings[key] for key in ("n_fft", "hop_length", "win_length")}
    expected = np.abs(librosa.stft(windows, **lengths, pad_mode=front_end.pad_mode)).transpose(0, 2, 1)
    layer = stft_layer(front_end)
    found = np.asarray(layer(windows))
    assert found.shape == expected.shape == layer.compute_output_shape(windows.shape)
    assert np.abs(found - expected).max() <= 1e-6 * expected.max()


def test_a_transform_that_does_not_factor_is_refused_by_the_magnitudes():
    with pytest.raises(ValueError, match="n_fft is 64; expected one that factors"):
        stft_layer(StftFrontEnd(n_fft=64, hop_length=32, win_length=64, power=1.0))


def test_two_seconds_give_128_by_63():
    assert mel_layer(MelFrontEnd(), 16_000).compute_output_shape((None, 32_000)) == (None, 128, 63)


def test_a_tone_lands_in_its_mel_band():
    mel = np.asarray(mel_layer(MelFrontEnd(), 16_000)(tone(1000, 2.0)[np.newaxis]))[0]
    centres = librosa.mel_frequencies(n_mels=130, fmin=0, fmax=8000)[1:-1]
    assert np.abs(centres[mel.mean(axis=1).argmax()] - 1000) < 40


def test_a_window_does_not_depend_on_its_neighbours_in_the_batch():
    layer = mel_layer(MelFrontEnd(), 16_000)
    alone = np.asarray(layer(_window(1)[np.newaxis]))
    together = np.asarray(layer(np.stack([_window(1), 10 * _window(2)])))
    assert np.allclose(alone[0], together[0], rtol=1e-5)


def test_the_layers_survive_saving(tmp_path):
    inputs = keras.Input((32_000,))
    mel = mel_layer(MelFrontEnd(), 16_000)(EvenLevel()(inputs))
    log = keras.layers.Flatten()(LogCompression(1e-8)(mel))
    model = keras.Model(inputs, WindowStandardization(0.01)(log))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    window = _window()[np.newaxis]
    assert np.array_equal(model.predict(window, verbose=0), again.predict(window, verbose=0))


def test_the_magnitudes_survive_saving(tmp_path):
    inputs = keras.Input((8_000,))
    layer = stft_layer(StftFrontEnd(n_fft=2048, hop_length=1024, win_length=1536, power=1.0))
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    window = _window(length=8_000)[np.newaxis]
    assert np.array_equal(model.predict(window, verbose=0), again.predict(window, verbose=0))
    assert model.count_params() == 0


def test_the_front_end_has_no_parameters():
    inputs = keras.Input((32_000,))
    model = keras.Model(inputs, LogCompression()(mel_layer(MelFrontEnd(), 16_000)(EvenLevel()(inputs))))
    assert model.count_params() == 0


def test_digital_silence_gives_the_floor_and_no_infinity():
    inputs = keras.Input((32_000,))
    model = keras.Model(inputs, LogCompression(1e-10)(mel_layer(MelFrontEnd(), 16_000)(EvenLevel()(inputs))))
    assert np.allclose(model.predict(np.zeros((1, 32_000), np.float32), verbose=0), -10.0)


@pytest.mark.parametrize(("level", "expected"), [(0.1, 0.1), (0.01, 0.097), (1e-6, 3.3e-4), (0.0, 0.0)])
def test_the_level_is_evened_out_but_near_silence_stays_near_silence(level, expected):
    window = np.full((1, 1000), level, np.float32)
    assert np.asarray(EvenLevel()(window)).max() == pytest.approx(expected, rel=0.02)


def test_each_window_is_standardized_by_itself_and_one_without_contrast_becomes_zeros():
    values = np.random.default_rng(3).normal(-4, 2, (2, 1000)).astype(np.float32)
    values[1] = -3.0
    found = np.asarray(WindowStandardization()(values))
    np.testing.assert_allclose(found[0], (values[0] - values[0].mean()) / values[0].std(), rtol=0, atol=2e-3)
    assert not found[1].any()


def test_a_layer_saved_under_the_earlier_name_of_the_project_still_opens():
    saved = keras.saving.serialize_keras_object(EvenLevel())
    assert saved["registered_name"] == "earproof>EvenLevel"
    assert isinstance(
        keras.saving.deserialize_keras_object(saved | {"registered_name": "earshot>EvenLevel", "module": None}),
        EvenLevel,
    )


def test_the_natural_logarithm_adds_its_offset_first():
    found = np.asarray(NaturalLog(0.5)(np.array([[0.0, 0.5]], np.float32)))
    assert found.tolist() == [[pytest.approx(np.log(0.5)), pytest.approx(0.0)]]

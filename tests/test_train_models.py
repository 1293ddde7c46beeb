import numpy as np
import pytest

from train.models import mel_cnn, model_module, waveform_cnn


@pytest.mark.parametrize(
    ("variant", "trainable"),
    [
        ("abdoli_50999", 421_146),
        ("abdoli_32000", 322_842),
        ("abdoli_16000", 256_538),
        ("abdoli_16000_gammatone", 550_506),
        ("abdoli_8000", 116_890),
        ("abdoli_1600", 394_906),
    ],
)
def test_the_six_input_lengths_have_the_published_trainable_parameters_for_ten_labels(variant, trainable):
    model = waveform_cnn.build(10, variant)
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == trainable


@pytest.mark.parametrize("variant", ["android", "level"])
def test_the_android_waveform_cnn_has_its_282291_parameters(variant):
    model = waveform_cnn.build(3, variant)
    assert model.count_params() == 282_291
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 281_299


def test_the_published_mel_cnn_has_its_408687_parameters():
    assert mel_cnn.build(3, "power").count_params() == 408_687


def test_the_layers_of_the_android_waveform_cnn_have_the_published_widths():
    model = waveform_cnn.build(3, "android")
    widths = [model.get_layer(f"conv_{number}").output.shape[1] for number in range(1, 6)]
    assert widths == [15_969, 983, 54, 24, 11]
    assert [model.get_layer(f"pool_{number}").output.shape[1] for number in (1, 2, 5)] == [1_996, 122, 2]


def test_the_layers_of_the_mel_cnn_have_the_published_shapes():
    model = mel_cnn.build(3, "power")
    shapes = [tuple(model.get_layer(f"conv_{number}").output.shape[1:]) for number in range(1, 6)]
    assert shapes == [(123, 58, 24), (56, 25, 48), (23, 8, 48), (20, 5, 60), (17, 2, 72)]


def test_the_gammatone_layer_starts_as_the_filter_bank_and_is_frozen():
    from train.gammatone import gammatone_filters

    layer = waveform_cnn.build(10, "abdoli_16000_gammatone").get_layer("conv_1")
    kernel, bias = layer.get_weights()
    assert not layer.trainable_weights
    assert np.array_equal(kernel[:, 0, :].T, gammatone_filters(64, 512, 16_000))
    assert not bias.any()


@pytest.mark.parametrize(
    ("name", "variant"),
    [("waveform_cnn", "level"), ("waveform_cnn", "android"), ("mel_cnn", "log"), ("mel_cnn", "power")],
)
def test_a_tf_keras_twin_has_the_same_weights_in_the_same_order(name, variant):
    tf_keras = pytest.importorskip("tf_keras")
    module = model_module(name)
    ours, twin = module.build(3, variant), module.build(3, variant, keras=tf_keras)
    assert [weight.shape for weight in ours.get_weights()] == [weight.shape for weight in twin.get_weights()]


def test_a_misspelt_model_is_offered_the_nearest_name():
    with pytest.raises(ValueError, match="did you mean waveform_cnn"):
        model_module("wavform_cnn")


def test_a_quiet_window_and_a_loud_one_give_the_level_variant_the_same_scores():
    window = np.random.default_rng(0).normal(0, 0.1, (1, 32_000)).astype(np.float32)
    model = waveform_cnn.build(3, "level")
    loud, quiet = model.predict(window, verbose=0), model.predict(window * 0.2, verbose=0)
    assert np.abs(loud - quiet).max() < 0.01

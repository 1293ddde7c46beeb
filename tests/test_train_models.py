import re

import numpy as np
import pytest

from metadata import FrameScores
from train.api import model_settings
from train.models import (
    MODEL_HELP,
    MODEL_NAMES,
    common_sample_rate,
    event_crnn,
    isocc,
    mel_cnn,
    mixed_cnn,
    model_module,
    source_counter,
    waveform_cnn,
)


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
    from train.layers.gammatone import gammatone_filters

    layer = waveform_cnn.build(10, "abdoli_16000_gammatone").get_layer("conv_1")
    kernel, bias = layer.get_weights()
    assert not layer.trainable_weights
    assert np.array_equal(kernel[:, 0, :].T, gammatone_filters(64, 512, 16_000))
    assert not bias.any()


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("waveform_cnn", "level"),
        ("waveform_cnn", "android"),
        ("mel_cnn", "log"),
        ("mel_cnn", "power"),
        ("source_counter", "two"),
        ("mixed_cnn", "labels"),
        ("mixed_cnn", "two"),
    ],
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


def test_the_source_counter_has_the_201247_parameters_of_the_attention_rnn_for_36_labels():
    model = source_counter.build(36)
    assert model.count_params() == 201_247
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 201_225


def test_the_layers_of_the_source_counter_have_the_published_parameters_and_run_along_time():
    model = source_counter.build(36)
    counts = [60, 40, 51, 4, 74_240, 98_816, 16_512, 8_256, 2_080, 1_188]
    assert [layer.count_params() for layer in model.layers if layer.weights] == counts
    assert model.get_layer("conv_1").kernel.shape == (5, 1, 1, 10)
    assert tuple(model.get_layer("rows").output.shape) == (None, 126, 80, 1)
    assert tuple(model.get_layer("both_ways_2").output.shape) == (None, 126, 128)


def test_the_rows_of_the_source_counter_are_frames_of_the_window_in_their_order():
    import keras

    model = source_counter.build(2)
    rows = keras.Model(model.inputs, model.get_layer("rows").output)
    click = np.zeros((1, 80_000), np.float32)
    click[0, 64_000] = 0.5  # at 4 s, in the middle of frame 100
    assert np.asarray(rows(click))[0, :, :, 0].mean(axis=1).argmax() == 100
    low, high = (np.sin(2 * np.pi * hz / 16_000 * np.arange(80_000), dtype=np.float32)[None] for hz in (200, 6_000))
    bands = [int(np.asarray(rows(sine))[0, :, :, 0].mean(axis=0).argmax()) for sine in (low, high)]
    assert bands[0] < 20
    assert bands[1] > 60


def test_the_attention_of_the_source_counter_asks_with_the_last_time_step():
    import keras

    model = source_counter.build(2)
    rng = np.random.default_rng(0)
    steps = rng.normal(size=(3, 126, 128)).astype(np.float32)
    kernel, bias = model.get_layer("query").get_weights()
    fit = np.einsum("bw,btw->bt", steps[:, -1] @ kernel + bias, steps)
    weights = np.exp(fit - fit.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    attention = keras.Model(model.get_layer("both_ways_2").output, model.get_layer("heard").output)
    expected = np.einsum("bt,btw->bw", weights, steps)
    np.testing.assert_allclose(np.asarray(attention(steps)), expected, rtol=0, atol=1e-4)


def test_a_window_has_the_same_source_count_alone_and_beside_a_louder_one():
    rng = np.random.default_rng(1)
    windows = rng.normal(0, 0.05, (2, 80_000)).astype(np.float32) * np.array([[1.0], [8.0]], np.float32)
    model = source_counter.build(2)
    alone, together = model.predict(windows[:1], verbose=0), model.predict(windows, verbose=0)
    np.testing.assert_allclose(alone[0], together[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("gain", [0.05, 4.0])
def test_gain_is_no_source_to_the_source_counter(gain):
    import keras

    window = np.random.default_rng(2).normal(0, 0.05, (1, 80_000)).astype(np.float32)
    model = source_counter.build(2)
    rows = keras.Model(model.inputs, model.get_layer("rows").output)
    np.testing.assert_allclose(np.asarray(rows(window * gain)), np.asarray(rows(window)), rtol=0, atol=0.01)


def test_digital_silence_gives_the_source_counter_finite_scores():
    assert np.isfinite(source_counter.build(2).predict(np.zeros((1, 80_000), np.float32), verbose=0)).all()


def test_the_variants_of_the_source_counter_name_its_labels():
    names = [source_counter.task(variant).labels(None) for variant in ("two", "three")]
    assert names == [("one", "two"), ("one", "two", "three")]
    assert source_counter.DEFAULT_VARIANT in source_counter.VARIANTS


def test_the_isocc_network_has_the_published_layers_on_one_channel():
    """2,075,690 are published for three channels; one takes 800 less, normalization by band 708 more."""
    model = isocc.build(10)
    assert model.count_params() == 2_075_690 - 800 + 708
    shapes = {layer.name: tuple(layer.output.shape[1:]) for layer in model.layers}
    assert shapes["mel"] == (177, 120, 1)
    assert [shapes[f"conv_{number}"] for number in (1, 2, 3, 4)] == [
        (173, 116, 16),
        (82, 54, 32),
        (37, 23, 64),
        (14, 7, 64),
    ]
    assert shapes["flat"] == (1344,)
    order = [layer.name for layer in model.layers]
    assert order.index("norm_1") < order.index("pool_1")
    assert order.index("pool_2") < order.index("norm_2")


def test_isocc_scores_do_not_depend_on_the_gain():
    model = isocc.build(4)
    window = np.random.default_rng(0).normal(0.0, 0.1, (1, 80_000)).astype(np.float32)
    loud, soft = (model.predict(window * gain, verbose=0) for gain in (1.0, 0.1))
    assert np.abs(loud - soft).max() < 1e-2


def test_the_small_cnn_has_a_sixth_of_the_weights_of_the_published_one():
    assert mixed_cnn.build(10).count_params() == 346_930


def test_the_scores_of_the_small_cnn_are_pooled_from_what_it_hears_in_each_step():
    keras = pytest.importorskip("keras")
    model = mixed_cnn.build(4)
    further = mixed_cnn.auxiliary(model, 4)
    assert further.labels is model.outputs[0]
    steps = further.steps
    both = keras.Model(model.inputs, [model.outputs[0], further.activity])
    assert both.count_params() == model.count_params()
    window = np.random.default_rng(0).normal(0.0, 0.1, (2, 80_000)).astype(np.float32)
    scores, heard = both.predict(window, verbose=0)
    assert heard.shape == (2, steps.num_steps, 4)
    logits = np.log(heard / (1.0 - heard))
    weights = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(scores, 1.0 / (1.0 + np.exp(-(weights * logits).sum(axis=1))), atol=1e-5)


def test_the_small_cnn_that_tells_a_number_learns_labels_by_a_layer_that_is_not_its_own():
    keras = pytest.importorskip("keras")
    assert mixed_cnn.task("two").labels(None) == ("one", "two")
    model = mixed_cnn.build(2, "two")
    own = model.count_params()
    further = mixed_cnn.auxiliary(model, 5)
    learner = keras.Model(model.inputs, [model.outputs[0], further.labels, further.activity])
    assert learner.count_params() == own + 129 * 5
    assert model.count_params() == own
    assert [output.shape[1:] for output in learner.outputs] == [(2,), (5,), (further.steps.num_steps, 5)]


def test_the_steps_of_the_small_cnn_cover_the_window():
    steps = mixed_cnn.auxiliary(mixed_cnn.build(3), 3).steps
    assert steps.first <= 0
    assert steps.hop == steps.length
    # The last 6 of 126 rows of 40 ms do not fill a step.
    assert steps.first + steps.num_steps * steps.hop >= 80_000 - 6 * 640


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_the_help_names_the_variants_the_default_first(name):
    module = model_module(name)
    told = re.findall(r"\w+", MODEL_HELP[name].partition(": ")[2])
    assert next(word for word in told if word in module.VARIANTS) == module.DEFAULT_VARIANT
    assert set(module.VARIANTS) <= set(told)


def test_models_of_different_sample_rates_are_not_built_together(monkeypatch):
    assert common_sample_rate({"waveform_cnn": "", "mel_cnn": ""}) == 16_000
    monkeypatch.setattr(mel_cnn, "sample_rate", lambda variant: 8_000)
    with pytest.raises(ValueError, match="waveform_cnn 16000 Hz, mel_cnn 8000 Hz"):
        common_sample_rate({"waveform_cnn": "", "mel_cnn": ""})


def test_the_event_detector_puts_out_scores_and_frame_scores_for_frames_of_40_ms():
    model = event_crnn.build(10)
    assert model.count_params() == 152_506
    assert model.output_names == ["scores", "frame_scores"]
    frames = event_crnn.frames("small")
    assert (frames.num_frames, frames.hop_length) == (125, 640)
    assert [tuple(one.shape[1:]) for one in model.outputs] == [(10,), (1250,)]
    further = event_crnn.auxiliary(model, 10)
    assert tuple(further.activity.shape[1:]) == (125, 10)
    assert (further.steps.num_steps, further.steps.first, further.steps.hop) == (125, 0, 640)


def _multiplications(model):
    """Of the layers with weights; the front end has constants alone."""
    total = 0
    for layer in model.layers:
        kernels = [one for one in layer.weights if one.name in ("kernel", "recurrent_kernel")]
        places = int(np.prod(layer.output.shape[1:-1]))  # convolutions: rows and bands; the others: frames
        total += places * sum(int(np.prod(kernel.shape)) for kernel in kernels)
    return total


def test_the_event_detector_needs_126_million_multiplications_for_five_seconds():
    assert _multiplications(event_crnn.build(10)) == 126_024_384


def test_the_published_event_detector_has_its_7515147_trainable_parameters_for_ten_labels():
    model = event_crnn.build(10, "published")
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 7_515_147
    assert model.count_params() == 7_515_147
    counts = [640, 73_856, 295_168, 1_180_160, 4_719_616, 1_179_776, 129]
    assert [model.get_layer(f"conv_{number}").count_params() for number in range(1, 8)] == counts
    assert model.get_layer("gru").count_params() == 62_208
    assert model.get_layer("step_logits").count_params() == 1_290
    assert _multiplications(model) == 26_934_631_680


def test_the_layers_of_the_published_event_detector_have_the_published_shapes():
    model = event_crnn.build(10, "published")
    assert event_crnn.sample_rate("published") == event_crnn.window_length("published") == 44_100
    assert tuple(model.get_layer("rows").output.shape[1:]) == (44, 1025, 1)
    pools = [tuple(model.get_layer(f"pool_{number}").output.shape[1:]) for number in range(1, 6)]
    assert pools == [(44, 513, 64), (44, 257, 128), (44, 129, 256), (44, 65, 512), (44, 33, 1024)]
    assert tuple(model.get_layer("steps").output.shape[1:]) == (44, 33)
    order = [layer.name for layer in model.layers]
    assert [order[order.index(pool) + 1] for pool in ("pool_2", "pool_5")] == ["norm_2", "norm_5"]
    assert [model.get_layer(f"norm_{number}").count_params() for number in (2, 5)] == [256, 2_048]
    gru = model.get_layer("gru")
    assert (gru.activation.__name__, gru.reset_after, gru.units) == ("relu", False, 128)


def _narrow(monkeypatch):
    """The published detector with few filters."""
    monkeypatch.setattr(event_crnn, "PUBLISHED_FILTERS", (2, 2, 4, 4, 4))
    monkeypatch.setattr(event_crnn, "PUBLISHED_LAST_FILTERS", 4)
    return event_crnn.build(3, "published")


def test_the_window_score_of_the_published_event_detector_is_its_last_row_and_a_frame_lies_between_two_rows(
    monkeypatch,
):
    keras = pytest.importorskip("keras")
    model = _narrow(monkeypatch)
    window = np.random.default_rng(0).normal(0.0, 0.1, (2, 44_100)).astype(np.float32)
    rows = keras.Model(model.inputs, model.get_layer("row_scores").output).predict(window, verbose=0)
    scores, frames = model.predict(window, verbose=0)
    assert rows.shape == (2, 44, 3)
    np.testing.assert_allclose(scores, rows[:, -1], rtol=0, atol=1e-6)
    np.testing.assert_allclose(frames.reshape(2, 43, 3), (rows[:, 1:] + rows[:, :-1]) / 2, rtol=0, atol=1e-6)
    assert event_crnn.frames("published") == FrameScores(43, 1024)
    steps = event_crnn.auxiliary(model, 3).steps
    assert (steps.num_steps, steps.first, steps.hop, steps.length) == (43, 0, 1024, 1024)


def test_the_published_event_detector_hears_a_click_in_the_rows_around_it(monkeypatch):
    keras = pytest.importorskip("keras")
    model = _narrow(monkeypatch)
    click = np.zeros((1, 44_100), np.float32)
    click[0, 20 * 1024] = 0.5  # where row 20 has its centre, so that frames 19 and 20 meet there
    rows = np.asarray(keras.Model(model.inputs, model.get_layer("rows").output)(click))[0, :, :, 0].mean(axis=1)
    assert np.flatnonzero(rows > 1e-6).tolist() == [20]


def test_a_tf_keras_twin_of_the_published_event_detector_has_the_same_weights(monkeypatch):
    tf_keras = pytest.importorskip("tf_keras")
    ours, twin = _narrow(monkeypatch), event_crnn.build(3, "published", keras=tf_keras)
    assert [weight.shape for weight in ours.get_weights()] == [weight.shape for weight in twin.get_weights()]


@pytest.mark.parametrize(("published", "weight"), [(True, 0.0), (False, 1.0)])
def test_the_published_event_detector_is_trained_as_published_and_learns_frames_unless_that_is_asked_for(
    published, weight
):
    settings = model_settings("event_crnn", "published", published=published)
    assert (settings.optimizer, settings.learning_rate, settings.batch_size) == ("adam", 1e-4, 32)
    assert (settings.loss, settings.augment, settings.cosine_decay) == ("binary_crossentropy", False, False)
    assert settings.activity_weight == weight
    assert settings.epochs * settings.epoch_windows == 120 * 32

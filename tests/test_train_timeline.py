"""The network of time stamps: the published one, layer by layer, and ours."""

import numpy as np
import pytest
from conftest import SAMPLE_RATE

from train.batches.backgrounds import BACKGROUND_SNR_RANGE_DB, Backgrounds
from train.batches.clip_draw import ClipDraw
from train.batches.training_windows import TrainingWindows
from train.models import model_module, timeline
from train.recordings.clip_index import find_clips
from train.recordings.split import split_clips
from train.recordings.store.clip_store import load_clips
from train.settings import TrainingSettings


def test_the_published_network_has_its_27361795_parameters_layer_by_layer():
    model = timeline.build(3, "published")
    assert model.count_params() == 27_361_795
    assert [layer.count_params() for layer in model.layers if layer.weights] == [
        320, 18_496, 73_856, 25_167_872, 2_098_176, 3_075,
    ]  # fmt: skip
    shapes = [tuple(model.get_layer(name).output.shape[1:]) for name in ("mel", "pool_1", "pool_2", "pool_3", "flat")]
    assert shapes == [(64, 101, 1), (32, 50, 32), (16, 25, 64), (8, 12, 128), (12_288,)]


@pytest.mark.parametrize("variant", ["small", "overlapping"])
def test_our_network_has_at_most_a_fiftieth_of_the_published_parameters(variant):
    model = timeline.build(3, variant)
    assert model.count_params() == 168_827
    assert model.count_params() * 50 <= 27_361_795
    assert model.layers[-1].activation.__name__ == ("softmax" if variant == "small" else "sigmoid")


def test_the_published_decibels_are_those_of_librosa_for_amplitudes():
    import keras
    import librosa

    from train.layers.librosa_mel import librosa_mel

    rng = np.random.default_rng(0)
    fading = (rng.normal(0.0, 0.1, 16_000) * np.logspace(0, -6, 16_000)).astype(np.float32)
    model = timeline.build(3, "published")
    found = np.asarray(keras.Model(model.input, model.get_layer("mel").output)(fading[None]))[0, :, :, 0]
    expected = librosa.amplitude_to_db(librosa_mel(fading, timeline.front_end("published"), 16_000))
    assert np.abs(found - expected).max() < 1e-3
    assert found.max() - found.min() == pytest.approx(80.0, abs=1e-3)


@pytest.mark.parametrize("variant", ["small", "overlapping"])
def test_a_quiet_window_and_a_loud_one_get_the_same_scores(variant):
    window = np.random.default_rng(0).normal(0, 0.1, (1, 16_000)).astype(np.float32)
    model = timeline.build(3, variant)
    loud, quiet = model.predict(window, verbose=0), model.predict(window * 0.1, verbose=0)
    assert np.abs(loud - quiet).max() < 0.01


@pytest.mark.parametrize("variant", timeline.VARIANTS)
def test_a_tf_keras_twin_has_the_same_weights_in_the_same_order(variant):
    tf_keras = pytest.importorskip("tf_keras")
    ours, twin = timeline.build(3, variant), timeline.build(3, variant, keras=tf_keras)
    assert [weight.shape for weight in ours.get_weights()] == [weight.shape for weight in twin.get_weights()]


@pytest.fixture
def clips(make_folder, tmp_path):
    return load_clips(split_clips(find_clips(make_folder(6)), 0), SAMPLE_RATE, tmp_path / "cache")


def test_a_background_is_under_half_of_the_windows_of_the_other_labels_and_under_none_of_its_own(clips):
    draw = ClipDraw(clips, 16_000)
    backgrounds, rng = Backgrounds(draw, 0), np.random.default_rng(0)
    other, own = (int(np.flatnonzero(draw.label_of == label)[0]) for label in (1, 0))
    window = draw.cut(other, rng, False) * np.float32(0.5)
    mixed = [backgrounds.under(window, other, rng, False) for _ in range(200)]
    changed = [one for one in mixed if not np.array_equal(one, window)]
    assert 70 <= len(changed) <= 130
    assert all(np.array_equal(backgrounds.under(window, own, rng, False), window) for _ in range(20))
    ratios = [20 * np.log10(np.linalg.norm(window) / np.linalg.norm(one - window)) for one in changed]
    assert BACKGROUND_SNR_RANGE_DB[0] - 0.1 <= min(ratios) < 10.0
    assert 25.0 < max(ratios) <= BACKGROUND_SNR_RANGE_DB[1] + 0.1


def test_backgrounds_are_the_same_for_the_same_seed_and_change_nothing_where_none_are_asked_for(clips):
    label = clips.index.labels[0]

    def batch(background):
        chosen = TrainingSettings(batch_size=8, epoch_windows=32, background=background)
        return TrainingWindows(clips, SAMPLE_RATE, 16_000, chosen)[1][0]

    assert np.array_equal(batch(label), batch(label))
    assert not np.array_equal(batch(label), batch(""))
    assert np.array_equal(batch("no such label"), batch(""))


def test_a_training_without_background_says_nothing_of_it():
    assert "background" not in TrainingSettings().as_dict()  # so that older files and newer ones say the same
    assert TrainingSettings(background="noise").as_dict()["background"] == "noise"


@pytest.mark.parametrize("variant", ["small", "overlapping"])
def test_the_exported_file_gives_the_scores_of_the_model_in_both_forms(variant):
    from convert.export.float_export import export_float
    from convert.export.input_forms import spectrogram_form
    from edge_runtime.model.interpreter import open_interpreter

    model = timeline.build(3, variant)
    window = np.random.default_rng(0).normal(0, 0.1, (1, 16_000)).astype(np.float32)
    for form in (model, spectrogram_form(model)):
        values = window if form is model else _mel(window[0])
        interpreter = open_interpreter(export_float(form), 1, True)
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], values)
        interpreter.invoke()
        found = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        assert np.abs(found - np.asarray(model(window))).max() < 1e-5


def test_the_parts_of_overlapping_windows_lie_up_to_20_db_apart(clips):
    task = model_module("timeline").task("overlapping")
    windows = task.training_windows(clips, SAMPLE_RATE, 16_000, TrainingSettings(augment=True, batch_size=4))
    assert task.part_gain_range_db == (-10.0, 10.0)
    assert windows[0][1].sum(axis=1).tolist().count(2.0) == 2  # as many of two sources as of one


def _mel(window):
    from dataclasses import replace

    from edge_runtime.front_end.mel import mel_spectrogram

    power = replace(timeline.front_end("small"), log="none")
    return mel_spectrogram(window, power, 16_000)[None, :, :, None]

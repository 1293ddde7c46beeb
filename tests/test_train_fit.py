"""A training of a few steps on tones: what it leaves behind, and that it can be stopped anywhere."""

import contextlib
import json
import os
import signal
from dataclasses import replace

import keras
import numpy as np
import pytest
from conftest import SAMPLE_RATE

from train.batches.training_windows import TrainingWindows
from train.fitting import fit
from train.fitting.finished_run import open_run
from train.fitting.training_run import train_model
from train.fitting.training_state import finished_epochs
from train.fitting.weight_average import WeightAverage
from train.models import event_crnn, mixed_cnn, waveform_cnn
from train.recordings.clip_index import find_clips
from train.recordings.split import split_clips
from train.recordings.store.clip_store import load_clips
from train.settings import TrainingSettings
from train.tasks.auxiliary_outputs import learner_of

QUICK = TrainingSettings(batch_size=4, epoch_windows=8, epochs=3, augment=True, cosine_decay=True, weight_decay=0.01)
VARIANT = "abdoli_1600"


@pytest.fixture
def clips(make_folder, tmp_path):
    return load_clips(split_clips(find_clips(make_folder(6, seconds=0.5)), 0), SAMPLE_RATE, tmp_path / "cache")


def _train(clips, folder, settings=QUICK, tell=lambda text: None):
    return train_model(clips, "waveform_cnn", folder, settings, variant=VARIANT, tell=tell)


def _weights(folder):
    return keras.saving.load_model(folder / "model.keras", compile=False).get_weights()


def test_two_trainings_with_one_seed_are_equal(clips, tmp_path):
    _train(clips, tmp_path / "one")
    _train(clips, tmp_path / "two")
    for first, second in zip(_weights(tmp_path / "one"), _weights(tmp_path / "two"), strict=True):
        assert np.array_equal(first, second)


def test_an_interrupted_training_resumes_to_the_same_weights(clips, tmp_path, monkeypatch):
    _train(clips, tmp_path / "through")
    keep = fit._keep

    def interrupt(model, average, history, folder):
        if len(history) == 2:
            raise KeyboardInterrupt
        keep(model, average, history, folder)

    with monkeypatch.context() as patched:
        patched.setattr(fit, "_keep", interrupt)
        with pytest.raises(KeyboardInterrupt):
            _train(clips, tmp_path / "stopped")
    assert finished_epochs(tmp_path / "stopped") == 1
    assert not (tmp_path / "stopped" / "model.keras").exists()
    _train(clips, tmp_path / "stopped")
    for first, second in zip(_weights(tmp_path / "through"), _weights(tmp_path / "stopped"), strict=True):
        assert np.array_equal(first, second)


def test_ctrl_c_stops_a_training_whose_batch_swallows_the_exception(clips, tmp_path, monkeypatch):
    drawn = TrainingWindows.__getitem__

    def interrupted(self, batch):
        if self._epoch == 1:
            with contextlib.suppress(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)
        return drawn(self, batch)

    monkeypatch.setattr(TrainingWindows, "__getitem__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        _train(clips, tmp_path / "stopped")
    assert finished_epochs(tmp_path / "stopped") == 1


def _train_small_cnn(recordings, folder, variant="labels", **settings):
    quick = replace(mixed_cnn.DEFAULT, batch_size=4, epoch_windows=8, epochs=3, augment=False, **settings)
    return train_model(recordings, "mixed_cnn", folder, quick, variant=variant, tell=lambda text: None)


@pytest.mark.parametrize(
    "settings", [{}, {"variant": "two", "loss": "categorical_crossentropy", "label_weight": 1.0}], ids=["labels", "two"]
)
def test_a_training_that_learns_beside_its_scores_resumes_to_the_same_weights(clips, tmp_path, monkeypatch, settings):
    _train_small_cnn(clips, tmp_path / "through", **settings)
    keep = fit._keep

    def interrupt(model, average, history, folder):
        keep(model, average, history, folder)
        if len(history) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(fit, "_keep", interrupt)
        with pytest.raises(KeyboardInterrupt):
            _train_small_cnn(clips, tmp_path / "stopped", **settings)
    assert finished_epochs(tmp_path / "stopped") == 2
    _train_small_cnn(clips, tmp_path / "stopped", **settings)
    assert keras.saving.load_model(tmp_path / "stopped" / "model.keras", compile=False).output_names == ["scores"]
    for first, second in zip(_weights(tmp_path / "through"), _weights(tmp_path / "stopped"), strict=True):
        assert np.array_equal(first, second)


def _differ(folder, other):
    return not all(np.array_equal(*both) for both in zip(_weights(folder), _weights(other), strict=True))


def test_learning_when_labels_sound_changes_the_weights(clips, tmp_path):
    _train_small_cnn(clips, tmp_path / "with")
    _train_small_cnn(clips, tmp_path / "without", activity_weight=0.0)
    assert _differ(tmp_path / "with", tmp_path / "without")


def test_a_detector_that_learns_no_frames_is_trained_by_its_window_scores_alone():
    audio = keras.Input((8,))
    scores = keras.layers.Dense(3, "sigmoid", name="scores")(audio)
    frame_scores = keras.layers.Dense(6, "sigmoid", name="frame_scores")(audio)
    model = keras.Model(audio, [scores, frame_scores])
    settings = TrainingSettings(loss="binary_crossentropy", activity_weight=0.0)
    learner = learner_of(model, event_crnn, 3, settings)
    fit.compile_model(model, settings, 1, learner)
    before = {layer.name: layer.get_weights()[0] for layer in model.layers[1:]}
    windows = np.random.default_rng(0).normal(size=(4, 8)).astype(np.float32)
    found = learner.model.train_on_batch(windows, np.eye(4, 3, dtype=np.float32), return_dict=True)
    assert {"loss", "accuracy"} <= set(found)
    changed = {
        layer.name for layer in model.layers[1:] if not np.array_equal(layer.get_weights()[0], before[layer.name])
    }
    assert changed == {"scores"}


def test_a_number_is_learned_with_labels_beside_it_which_are_taken_away_at_the_end(clips, tmp_path):
    number = {"loss": "categorical_crossentropy", "variant": "two"}
    _train_small_cnn(clips, tmp_path / "alone", **number, activity_weight=0.0)
    _train_small_cnn(clips, tmp_path / "labels", **number, activity_weight=0.0, label_weight=1.0)
    _train_small_cnn(clips, tmp_path / "times", **number, activity_weight=1.0)
    assert _differ(tmp_path / "alone", tmp_path / "labels")
    assert _differ(tmp_path / "alone", tmp_path / "times")
    trained = keras.saving.load_model(tmp_path / "labels" / "model.keras", compile=False)
    assert (trained.output_names, trained.output_shape) == (["scores"], (None, 2))


def test_a_run_of_earlier_code_resumes_though_it_does_not_record_a_later_setting(clips, tmp_path):
    _train(clips, tmp_path / "run")
    recorded = json.loads((tmp_path / "run" / "training.json").read_text())
    assert recorded.pop("label_weight") == 0.0
    (tmp_path / "run" / "training.json").write_text(json.dumps(recorded))
    told = []
    _train(clips, tmp_path / "run", tell=told.append)
    assert any("already trained" in text for text in told)
    with pytest.raises(ValueError, match=r"begun with other settings: epochs 3, now 4;"):
        _train(clips, tmp_path / "run", replace(QUICK, epochs=4))


def test_a_run_without_a_finished_epoch_takes_other_settings_and_says_which(clips, tmp_path, monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(fit, "_keep", interrupt)
        with pytest.raises(KeyboardInterrupt):
            _train(clips, tmp_path / "run")
    assert finished_epochs(tmp_path / "run") == 0
    _train(clips, tmp_path / "run", replace(QUICK, epochs=1))
    begun = f"{tmp_path / 'run'} has no finished epoch: its training begins with other settings: epochs 3, now 1\n"
    assert begun in capsys.readouterr().err
    assert finished_epochs(tmp_path / "run") == 1


def test_a_model_without_steps_in_time_cannot_learn_when_labels_sound(clips, tmp_path):
    with pytest.raises(ValueError, match=r"waveform_cnn has no steps .* give --activity-weight 0"):
        _train(clips, tmp_path / "run", replace(QUICK, activity_weight=1.0))


def test_batches_made_ahead_are_those_made_one_by_one(clips):
    windows = TrainingWindows(clips, SAMPLE_RATE, 1_600, replace(QUICK, epoch_windows=40))
    for (heard, targets), (ahead, their_targets) in zip(
        fit._batches(windows, 0), fit._batches(windows, 3), strict=True
    ):
        assert np.array_equal(heard, ahead)
        assert np.array_equal(targets, their_targets)


def test_a_fault_in_a_batch_made_ahead_ends_the_training():
    class Broken(keras.utils.PyDataset):
        def __len__(self):
            return 9

        def __getitem__(self, number):
            if number == 4:
                raise OSError("the disk is gone")
            return (number,)

    batches = fit._batches(Broken(), 2)
    assert [next(batches) for _ in range(4)] == [(0,), (1,), (2,), (3,)]
    with pytest.raises(OSError, match="the disk is gone"):
        next(batches)


def test_validation_hears_the_mean_of_the_weights_and_training_goes_on_with_its_own():
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    average = WeightAverage()
    for weight in (0.0, 1.0):
        model.set_weights([np.array([[weight]], np.float32)])
        average.take(model)
    with average.laid_into(model):
        assert model.get_weights()[0] == pytest.approx(9 / 12)
    assert model.get_weights()[0] == 1.0


def test_the_run_folder_holds_what_the_converter_needs(clips, tmp_path):
    metrics = _train(clips, tmp_path / "run")
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {
        "model.keras",
        "spec.json",
        "split.csv",
        "history.csv",
        "history.png",
        "training.json",
        "metrics.json",
        "confusion.png",
    }
    assert json.loads((tmp_path / "run" / "metrics.json").read_text()) == metrics
    run = open_run(tmp_path / "run", tmp_path / "cache")
    assert run.spec.labels == ("high", "low")
    assert run.spec.window_length == 1_600
    assert run.clips.data_sha256() == clips.data_sha256()


def test_a_finished_training_is_not_done_again(clips, tmp_path):
    first = _train(clips, tmp_path / "run")
    told = []
    assert _train(clips, tmp_path / "run", tell=told.append) == first
    assert any("already trained" in text for text in told)


def test_resuming_with_other_settings_is_refused(clips, tmp_path):
    _train(clips, tmp_path / "run")
    with pytest.raises(ValueError, match=r"learning_rate 0\.001, now 0\.01"):
        _train(clips, tmp_path / "run", replace(QUICK, learning_rate=0.01))


def test_a_network_of_another_form_is_not_resumed(clips, tmp_path, monkeypatch):
    def interrupt(model, average, history, folder):
        keep(model, average, history, folder)
        raise KeyboardInterrupt

    keep = fit._keep
    with monkeypatch.context() as patched:
        patched.setattr(fit, "_keep", interrupt)
        patched.setattr(mixed_cnn, "FIRST_FILTERS", 8)
        with pytest.raises(KeyboardInterrupt):
            _train_small_cnn(clips, tmp_path / "run")
    before = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()}
    with pytest.raises(ValueError, match=r"epoch-1\.keras holds a network of another form .* --force"):
        _train_small_cnn(clips, tmp_path / "run")
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir()} == before


def test_the_training_stops_when_patience_runs_out(clips, tmp_path, monkeypatch):
    settings = replace(QUICK, epochs=9, patience=2)
    losses = iter(range(1, 10))
    monkeypatch.setattr(fit, "validate", lambda *args: {"val_loss": float(next(losses)), "val_accuracy": 0.5})
    metrics = _train(clips, tmp_path / "run", settings)
    assert (metrics["epochs"], metrics["kept_epoch"]) == (3, 1)


def test_a_training_that_diverges_says_so(clips, tmp_path, monkeypatch):
    through = fit.train_epoch
    monkeypatch.setattr(fit, "train_epoch", lambda *args: {**through(*args), "loss": np.nan})
    with pytest.raises(ValueError, match="diverged in epoch 1"):
        _train(clips, tmp_path / "run")


def test_a_training_on_sets_of_labels_that_diverges_says_so_too(tmp_path):
    class Broken(keras.utils.PyDataset):
        def __len__(self):
            return 1

        def __getitem__(self, number):
            return np.full((2, 4), np.nan, np.float32), np.eye(2, dtype=np.float32)

        def on_epoch_end(self):
            """Go on with the same."""

    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2, activation="sigmoid")])
    settings = replace(QUICK, loss="binary_crossentropy", stop_exact_match=0.85)
    fit.compile_model(model, settings, 1)
    held_out = np.zeros((2, 4), np.float32), np.eye(2, dtype=np.float32), np.ones(2, np.float32)
    with pytest.raises(ValueError, match="the training of tiny diverged in epoch 1"):
        fit.fit(model, Broken(), held_out, settings, tmp_path, "tiny")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("activation", "loss"),
    [
        ("sigmoid", "binary_crossentropy"),
        ("softmax", "categorical_crossentropy"),
        ("softmax", "mean_squared_logarithmic_error"),
    ],
)
def test_scores_are_judged_as_keras_evaluates_their_model(activation, loss):
    keras.utils.set_random_seed(4)
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3, activation=activation)])
    fit.compile_model(model, replace(QUICK, loss=loss), 1)
    generator = np.random.default_rng(4)
    windows = generator.normal(size=(50, 4)).astype(np.float32)
    targets = np.eye(3, dtype=np.float32)[generator.integers(0, 3, 50)]
    weights = generator.uniform(0.5, 1.5, 50).astype(np.float32)
    expected = model.evaluate(windows, targets, sample_weight=weights, batch_size=50, return_dict=True, verbose=0)
    found = fit.validate(model, model.predict(windows, verbose=0), targets, weights)
    assert 0.0 < found["val_accuracy"] < 1.0
    assert found == {f"val_{name}": pytest.approx(value, rel=1e-5) for name, value in expected.items()}


def test_short_clips_are_said_to_be_padded(make_folder, tmp_path):
    index = split_clips(find_clips(make_folder(6, seconds=0.05)), 0)
    told = []
    _train(load_clips(index, SAMPLE_RATE, tmp_path / "c"), tmp_path / "run", replace(QUICK, epochs=1), told.append)
    assert any("shorter than a window of 0.1 s: zeros fill them up" in text for text in told)


def test_changed_recordings_are_noticed_when_the_run_is_opened(clips, tmp_path, make_folder):
    import soundfile

    _train(clips, tmp_path / "run", replace(QUICK, epochs=1))
    soundfile.write(clips.index.root / clips.index.clips[0].path, np.zeros(900, np.float32), SAMPLE_RATE)
    with pytest.raises(ValueError, match="not those the model was trained"):
        open_run(tmp_path / "run", tmp_path / "cache")


def test_a_folder_without_a_finished_training_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no finished training"):
        open_run(tmp_path)


def test_published_and_own_settings_differ_as_the_readme_says():
    assert waveform_cnn.PUBLISHED.loss == "mean_squared_logarithmic_error"
    assert (waveform_cnn.PUBLISHED.optimizer, waveform_cnn.PUBLISHED.learning_rate) == ("adadelta", 1.0)
    assert waveform_cnn.DEFAULT.optimizer == "adam"


@pytest.mark.parametrize(
    ("losses", "kept"), [([0.5], 1), ([0.5, 0.4, 0.6], 2), ([0.5, 0.40, 0.41, 0.6], 3), ([0.4, 0.42, 0.30, 0.33], 3)]
)
def test_the_latest_epoch_close_to_the_lowest_validation_loss_is_kept(losses, kept):
    from train.evaluation.kept_epoch import kept_epoch

    assert kept_epoch([{"epoch": epoch, "val_loss": loss} for epoch, loss in enumerate(losses, start=1)]) == kept

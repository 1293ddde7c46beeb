"""A head on the features of a backbone: patches, features, fitting, and a training from recordings to a file."""

import json
from dataclasses import replace

import numpy as np
import pytest
from judged import evidence, side, verdict, wrong_on
from sklearn.linear_model import LogisticRegression
from tiny_backbone import random_arrays, write_h5

import earproof
from convert.convertible import open_trained
from convert.report.training_end import more_training
from edge_runtime.model.interpreter import open_interpreter
from metadata import ModelSpec
from train.backbones import installed
from train.backbones.installed import add_backbone
from train.command import describe_metrics
from train.evaluation.kept_epoch import kept_epoch
from train.evaluation.predict import predict
from train.fitting.training_state import read_history
from train.layers.patches import Patches, PooledPatches, patch_starts
from train.transfer import features as features_room
from train.transfer.features import Features
from train.transfer.head import STRENGTHS, USUAL_STRENGTH, _Path, fit_head, softmax


@pytest.mark.parametrize(
    ("num_frames", "starts"), [(96, (0,)), (120, (0,)), (198, (0, 102)), (498, (0, 100, 201, 302, 402))]
)
def test_patches_cover_the_window_evenly(num_frames, starts):
    assert patch_starts(num_frames, 96) == starts


def test_a_window_shorter_than_a_patch_is_refused():
    with pytest.raises(ValueError, match="a window has 95 frames; expected at least the 96"):
        patch_starts(95, 96)


def test_patches_lie_side_by_side_and_the_roots_of_mean_and_maximum_are_those_of_their_window():
    rows = np.arange(2 * 5 * 3, dtype=np.float32).reshape(2, 5, 3)
    cut = np.asarray(Patches((0, 3), 2)(rows))
    assert cut.shape == (4, 2, 3, 1)
    np.testing.assert_array_equal(cut[..., 0], [rows[0, :2], rows[0, 3:], rows[1, :2], rows[1, 3:]])
    pooled = np.asarray(PooledPatches(2)(cut.reshape(4, 6)))
    of_window = cut.reshape(2, 2, 6)
    both = np.concatenate([of_window.mean(axis=1), of_window.max(axis=1)], axis=1)
    np.testing.assert_allclose(pooled, np.sqrt(both), rtol=1e-6)
    np.testing.assert_allclose(np.asarray(PooledPatches(1)(cut.reshape(4, 6))), np.sqrt(cut.reshape(4, 6)), rtol=1e-6)


def _clusters(num_groups=12, num_features=40, num_labels=3, spread=0.6, seed=0) -> Features:
    """Windows of groups that lie around their label's place; four of each group are nearly the same."""
    rng = np.random.default_rng(seed)
    places = rng.standard_normal((num_labels, num_features))
    truth = np.repeat(np.arange(num_groups) % num_labels, 4)
    groups = np.repeat([f"g{number}" for number in range(num_groups)], 4)
    middle = places[truth[::4]] + spread * rng.standard_normal((num_groups, num_features))
    values = np.repeat(middle, 4, axis=0) + 0.01 * rng.standard_normal((4 * num_groups, num_features))
    return Features(values.astype(np.float32), truth, groups)


def test_a_head_tells_labels_of_groups_that_it_never_saw():
    head = fit_head(_clusters(), 3)
    unseen = _clusters(num_groups=30)
    scores = softmax(unseen.values @ head.kernel + head.bias)
    assert (scores.argmax(axis=1) == unseen.truth).mean() > 0.9
    assert head.strength in STRENGTHS
    assert head.num_folds == 4  # as many groups as each label has
    assert head.inner_accuracy > 0.8


def test_the_rotated_solution_is_that_of_logistic_regression():
    features = _clusters(num_features=200)  # more than windows
    kernel, bias = _Path(features.values, features.truth, 3).fit(0.1)
    deviation = features.values.std(axis=0)
    usual = np.sqrt(np.square(deviation).mean())
    scaled = np.concatenate([features.values / np.maximum(deviation, usual), np.ones((48, 1))], axis=1)
    plain = LogisticRegression(C=0.1, max_iter=5000, tol=1e-8, class_weight="balanced", fit_intercept=False)
    expected = plain.fit(scaled, features.truth).predict_proba(scaled)
    np.testing.assert_allclose(softmax(features.values @ kernel + bias), expected, atol=2e-3)


def test_a_dead_feature_has_no_large_weight():
    features = _clusters()
    dead = features.values.copy()
    dead[:, 0] = 1e-4 * (features.truth == 0)  # tells label 0 apart, were it not for rounding
    kernel, _ = _Path(dead, features.truth, 3).fit(10.0)
    assert np.abs(kernel[0]).max() < np.abs(kernel[1:]).max()


def test_features_far_from_zero_get_no_bias_that_nearly_cancels():
    features = _clusters()
    kernel, bias = _Path(features.values + 20, features.truth, 3).fit(1.0)
    assert np.abs(bias).max() < 1
    assert ((features.values + 20) @ kernel + bias).argmax(axis=1).tolist() == features.truth.tolist()


def test_two_labels_have_the_scores_of_one_logit():
    features = _clusters(num_labels=2)
    kernel, bias = _Path(features.values, features.truth, 2).fit(1.0)
    assert kernel.shape == (40, 2)
    np.testing.assert_allclose(kernel[:, 0], -kernel[:, 1], atol=1e-6)
    assert ((features.values @ kernel + bias).argmax(axis=1) == features.truth).all()


def test_a_label_with_a_single_group_leaves_nothing_to_choose():
    head = fit_head(_clusters(num_groups=5), 3)
    assert (head.strength, head.num_folds) == (USUAL_STRENGTH, 0)
    assert np.isnan(head.inner_accuracy)
    assert kept_epoch([{"epoch": 1, "val_loss": head.inner_loss}]) == 1


@pytest.fixture(scope="module")
def run(tmp_path_factory, data_short):
    folder = tmp_path_factory.mktemp("transfer")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(installed.FOLDER_VARIABLE, str(folder / "backbones"))
        add_backbone(write_h5(folder / "tiny.h5", random_arrays()), "tiny", licence="MIT", source="made for a test")
        words = {"out": folder / "run", "cache": folder / "cache", "backbone": "tiny"}
        yield folder, earproof.train("transfer", data_short, **words)


def test_a_training_leaves_a_run_that_says_what_it_began_with(run):
    folder, metrics = run
    spec = ModelSpec.from_json((folder / "run" / "spec.json").read_bytes())
    training = spec.provenance.training
    assert (training["backbone"], training["backbone_licence"]) == ("tiny", "MIT")
    assert training["backbone_source"] == "made for a test"
    assert spec.front_end.pad_mode == "none"
    assert (metrics["epochs"], metrics["kept_epoch"]) == (0, None)  # fitted, not stepped
    assert 0.3 < metrics["test"]["window"]["accuracy"] <= 1.0


def test_a_fitted_head_is_not_said_to_have_epochs_and_what_is_given_for_them_is_told(run, data_short, capsys):
    folder, metrics = run
    assert describe_metrics(metrics).splitlines()[0].endswith("a head fitted on a backbone, without epochs")
    assert not (folder / "run" / "history.png").exists()  # of one point
    words = ["train", "transfer", str(data_short), "--backbone", "tiny", "--out", str(folder / "unused")]
    assert earproof.main([*words, "--cache", str(folder / "cache"), "--epochs", "3", "--no-augment"]) == 0
    printed = capsys.readouterr()
    assert "epochs, augment do nothing here: a head is fitted without epochs and steps" in printed.err
    assert "epoch 1 kept" not in printed.out


@pytest.mark.parametrize(
    ("settings", "metrics", "further"),
    [
        ({}, {"epochs": 3}, "train longer (--epochs)"),
        ({"backbone": "tiny"}, {"epochs": 0}, "train its backbone further (--fine-tune auto)"),
        ({"backbone": "tiny"}, None, "train its backbone further (--fine-tune auto)"),  # of a compressed model
        ({"backbone": "tiny", "fine_tune": "auto"}, {"epochs": 0}, ""),  # it found nothing better
        ({"backbone": "tiny", "fine_tune": "auto"}, {"epochs": 4}, "train longer (--epochs)"),
    ],
)
def test_a_verdict_advises_what_the_training_has(settings, metrics, further):
    more = more_training(settings, metrics)
    heard = side()
    flat = verdict(replace(evidence(np.zeros_like(heard.truth), heard), more_training=more))
    poor = verdict(replace(evidence(wrong_on(heard.truth, range(1, heard.truth.size)), heard), more_training=more))
    assert more.further == further
    for found in (flat, poor):
        text = " ".join(found.text)
        assert ("--epochs" in text) == ("--epochs" in further)
        assert further.lower() in text.lower()
    assert ("--learning-rate" in " ".join(flat.text)) == ("--epochs" in further)


def test_the_file_holds_front_end_backbone_and_head_and_scores_as_keras_does(run):
    opened = open_trained(run[0] / "run", run[0] / "cache")
    cut = opened.test_windows()
    windows = np.asarray(cut.windows[:6])
    files = opened.float_files()
    assert sorted(files) == ["spectrogram", "waveform"]
    interpreter = open_interpreter(files["waveform"])
    place, out = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    found = []
    for window in windows:
        interpreter.set_tensor(place, window[np.newaxis])
        interpreter.invoke()
        found.append(interpreter.get_tensor(out)[0])
    np.testing.assert_allclose(found, predict(opened.model, windows), atol=1e-4)


def test_features_are_computed_once(run, data_short, monkeypatch):
    def refuse(*_):
        raise AssertionError("computed again")

    monkeypatch.setattr(features_room, "features_of_windows", refuse)
    again = earproof.train("transfer", data_short, out=run[0] / "again", cache=run[0] / "cache", backbone="tiny")
    assert again["test"]["window"]["accuracy"] == run[1]["test"]["window"]["accuracy"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["transfer"], "transfer begins with a backbone: --backbone NAME; on this machine: tiny"),
        (["transfer", "--backbone", "yamnet_256"], "earproof backbone get yamnet_256 downloads it"),
        (["mel_cnn", "--backbone", "tiny"], "mel_cnn begins with no backbone; leave --backbone out"),
    ],
)
def test_a_backbone_that_is_missing_or_not_wanted_is_told_before_anything_is_read(run, words, told, capsys):
    out = run[0] / "refused"
    assert earproof.main(["train", words[0], str(run[0] / "nothing"), "--out", str(out), *words[1:]]) == 2
    assert told in capsys.readouterr().err
    assert not out.exists()


def test_a_folder_that_is_full_is_told_before_anything_is_read(run, capsys):
    words = ["train", "transfer", str(run[0] / "nothing"), "--backbone", "tiny", "--out", str(run[0] / "run")]
    assert earproof.main(words) == 2
    assert "exists; go on with --resume, start again with --force" in capsys.readouterr().err
    assert earproof.main([*words, "--force"]) == 2  # there are no recordings, so nothing is emptied
    assert "nothing does not exist" in capsys.readouterr().err
    assert (run[0] / "run" / "model.keras").is_file()


def test_a_label_with_one_recording_needs_two_of_them_not_three(run, data_short, tmp_path, capsys):
    table = tmp_path / "few.csv"
    rows = [f"{path},{path.parent.name},{path.stem}" for path in sorted(data_short.glob("s[op]*/*.flac"))[3:]]
    kept = [row for row in rows if ",song," not in row] + [row for row in rows if ",song," in row][:1]
    table.write_text("\n".join(["path,labels,group", *kept]) + "\n")
    out = tmp_path / "run"
    assert earproof.main(["train", "transfer", str(table), "--backbone", "tiny", "--out", str(out)]) == 2
    assert "song has 1 group; each label needs at least 2, one to train and one to test" in capsys.readouterr().err
    assert not out.exists()


def test_the_history_has_the_loss_of_the_inner_folds(run):
    (row,) = read_history(run[0] / "run")
    assert 0.0 < row["loss"] < row["val_loss"]
    assert 0.3 < row["val_accuracy"] <= 1.0
    assert json.loads((run[0] / "run" / "training.json").read_text())["backbone"] == "tiny"


def test_features_that_are_damaged_on_disk_are_told_and_computed_again(tmp_path, capsys):
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(features_room.kept_features(tmp_path, ["a"], lambda: values), values)
    (path,) = (tmp_path / "features").glob("*.npy")
    path.write_bytes(path.read_bytes()[:20])
    np.testing.assert_array_equal(features_room.kept_features(tmp_path, ["a"], lambda: values + 1), values + 1)
    assert f"{path} is damaged; its features are computed again" in capsys.readouterr().err
    np.testing.assert_array_equal(np.load(path), values + 1)

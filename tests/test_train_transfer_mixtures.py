"""Labels of mixtures, and how many sound, told by a head on a backbone's features."""

import numpy as np
import pytest
from tiny_backbone import random_arrays, write_h5

import earproof
from convert.convertible import open_trained
from edge_runtime.model.interpreter import open_interpreter
from metadata import ModelSpec
from train.backbones import installed
from train.backbones.installed import add_backbone
from train.evaluation.evaluate import TestWindows
from train.evaluation.held_out_scores import joined_scores
from train.evaluation.predict import predict
from train.fitting.training_state import read_history
from train.transfer import features as features_room
from train.transfer import mixture_head, mixtures
from train.transfer.mixture_head import fit_mixture_head, fit_mixture_head_for
from train.transfer.mixtures import DrawnFeatures, HeldOutFeatures

NUM_LABELS, NUM_FEATURES = 3, 12


def _drawn(num_windows=600, seed=0):
    """Features of one sound or two: the stronger of both in each feature; groups of recordings around their label."""
    rng = np.random.default_rng(seed)
    places = np.random.default_rng(7).random((NUM_LABELS, NUM_FEATURES))
    of_group = {f"{label}{number}": label for label in range(NUM_LABELS) for number in range(4)}
    names = sorted(of_group)
    heard = {name: places[of_group[name]] + 0.05 * rng.standard_normal(NUM_FEATURES) for name in names}
    values, targets, groups = [], np.zeros((num_windows, NUM_LABELS), np.float32), []
    for row in range(num_windows):
        parts = [names[rng.integers(len(names))] for _ in range(1 + row % 2)]
        targets[row, [of_group[name] for name in parts]] = 1.0
        values.append(np.max([heard[name] for name in parts], axis=0))
        groups.append([*parts, ""][:2])
    return DrawnFeatures(values=np.float32(values), targets=targets, groups=np.array(groups))


def _fold(drawn, number):
    """What a fold holds out: the windows all parts of which are of its groups."""
    names = {f"{label}{number}" for label in range(NUM_LABELS)}
    kept = np.isin(drawn.groups, [*names, ""]).all(axis=1)
    cut = TestWindows(drawn.values[kept], drawn.targets[kept] > 0.5, np.arange(kept.sum()), drawn.groups[kept])
    return HeldOutFeatures(values=drawn.values[kept], cut=cut, groups=names)


def test_windows_with_a_part_of_a_held_out_group_are_left_out():
    drawn = _drawn(40)
    left = drawn.without({"00", "11"})
    has_part = np.array([bool({"00", "11"} & set(parts)) for parts in drawn.groups])
    assert 0 < len(left.values) == (~has_part).sum() < 40
    np.testing.assert_array_equal(left.targets, drawn.targets[~has_part])
    assert not np.isin(left.groups, ["00", "11"]).any()


def test_a_head_tells_the_labels_of_mixtures_of_recordings_that_it_never_heard():
    drawn = _drawn()
    folds = [_fold(drawn, number) for number in range(2)]
    head = fit_mixture_head(drawn, folds, "sigmoid")
    assert 1 <= head.epochs <= mixture_head.EPOCHS
    assert head.num_folds == 2
    right = ((head.held_out.scores >= 0.5) == head.held_out.truth).all(axis=1)
    assert right.mean() > 0.8
    assert len(head.held_out.scores) == sum(len(fold.values) for fold in folds)
    kernel, bias, last, offset = head.weights  # for features as they are
    hidden = np.maximum(drawn.values @ kernel + bias, 0.0)
    scores = 1.0 / (1.0 + np.exp(-(hidden @ last + offset)))
    assert ((scores >= 0.5) == (drawn.targets > 0.5)).all(axis=1).mean() == pytest.approx(head.accuracy, abs=0.02)


def test_without_folds_the_usual_time_is_taken_and_nothing_is_held_out(monkeypatch):
    monkeypatch.setattr(mixture_head, "EPOCHS", 2)
    drawn = _drawn(100)
    head = fit_mixture_head(drawn, [], "softmax")
    assert (head.epochs, head.num_folds, head.held_out) == (2, 0, None)
    assert np.isnan(head.inner_loss)
    same = fit_mixture_head_for(drawn, "softmax", 0, 2, {"none"})
    assert all(np.array_equal(*pair) for pair in zip(head.weights, same, strict=True))


def test_scores_of_folds_are_joined_with_their_groups():
    cuts = [
        TestWindows(np.zeros((1, 2)), np.array([[True, False]]), np.arange(1), np.array([["a"]])),
        TestWindows(np.zeros((1, 2)), np.array([[True, True]]), np.arange(1), np.array([["b", "c"]])),
    ]
    joined = joined_scores([np.full((1, 2), 0.1), np.full((1, 2), 0.2)], cuts)
    assert joined.groups.tolist() == [["a", ""], ["b", "c"]]
    assert joined.scores[:, 0].tolist() == [0.1, 0.2]
    assert joined.weights.tolist() == [1.0, 1.0]


@pytest.fixture(scope="module")
def trained(tmp_path_factory, data_short):
    folder = tmp_path_factory.mktemp("mixtures")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(installed.FOLDER_VARIABLE, str(folder / "backbones"))
        patched.setattr(mixture_head, "EPOCHS", 3)
        add_backbone(write_h5(folder / "tiny.h5", random_arrays()), "tiny")
        words = {"cache": folder / "cache", "backbone": "tiny", "epoch_windows": 96}
        labels = earproof.train("transfer", data_short, out=folder / "labels", variant="labels", **words)
        computed = []
        patched.setattr(
            mixtures, "features_of_batches", lambda *_: computed.append(1) or features_room.features_of_batches(*_)
        )
        two = earproof.train("transfer", data_short, out=folder / "two", variant="two", **words)
        yield folder, labels, two, computed


def test_a_training_on_mixtures_tells_sets_of_labels_with_thresholds_from_the_folds(trained):
    folder, labels, _, _ = trained
    spec = ModelSpec.from_json((folder / "labels" / "spec.json").read_bytes())
    assert (spec.activation, spec.window_length) == ("sigmoid", 80_000)
    assert spec.thresholds != (0.5,) * len(spec.labels)
    assert [entry["size"] for entry in labels["test"]["window"]["sizes"]] == [1, 2]
    (row,) = read_history(folder / "labels")
    assert np.isfinite(row["val_loss"])


def test_a_counter_is_scaled_by_the_folds_and_hears_the_same_drawn_mixtures(trained):
    folder, _, two, computed = trained
    spec = ModelSpec.from_json((folder / "two" / "spec.json").read_bytes())
    assert (spec.labels, spec.activation) == (("one", "two"), "softmax")
    assert two["scaling"]["scale"] > 0.0
    assert computed == []  # those of the labels lay in the cache


@pytest.mark.parametrize("variant", ["labels", "two"])
def test_the_files_score_as_keras_does(trained, variant):
    opened = open_trained(trained[0] / variant, trained[0] / "cache")
    windows = np.asarray(opened.test_windows().windows[:4])
    interpreter = open_interpreter(opened.float_files()["waveform"])
    place, out = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    found = []
    for window in windows:
        interpreter.set_tensor(place, window[np.newaxis])
        interpreter.invoke()
        found.append(interpreter.get_tensor(out)[0])
    np.testing.assert_allclose(found, predict(opened.model, windows), atol=1e-4)

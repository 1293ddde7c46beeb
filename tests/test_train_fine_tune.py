"""Training a backbone further: what inner folds choose, which weights change, and what a run says of it."""

import json

import numpy as np
import pytest
from tiny_backbone import random_arrays, write_h5

import earproof
from metadata.plural import counted
from train.backbones import installed
from train.backbones.installed import add_backbone
from train.data.prepare import find_and_split, load_to_train
from train.evaluation.kept_epoch import describe_end
from train.fitting.backend import load_keras
from train.fitting.training_state import read_history
from train.models import begun_with, model_module
from train.transfer.backbone_blocks import backbone_blocks, free_blocks, give_head, head_layers
from train.transfer.fine_tuning import FineTuning, choose_fine_tuning
from train.transfer.inner_sides import all_to_train, groups_on, inner_folds

FROZEN = (0.50, 0.80)


@pytest.mark.parametrize(
    ("tried", "may_stay", "chosen"),
    [
        ({2: [(0.45, 0.80), (0.40, 0.82)], 5: [(0.41, 0.90), (0.60, 0.90)]}, True, (2, 2)),
        ({2: [(0.45, 0.80), (0.40, 0.79)], 5: [(0.41, 0.90), (0.60, 0.90)]}, True, (5, 1)),  # the lowest loss errs more
        ({2: [(0.55, 0.90), (0.40, 0.79)]}, True, (0, 0)),
        ({2: [(0.55, 0.90), (0.52, 0.79)]}, False, (2, 2)),  # asked for, so the best there is
    ],
)
def test_a_backbone_changes_where_held_out_windows_gain(tried, may_stay, chosen):
    choice = choose_fine_tuning(FROZEN, tried, 3, may_stay)
    assert (choice.blocks, choice.epochs) == chosen
    assert "80.0% right, loss 0.500" in choice.describe()
    assert choice.as_dict()["tried"]["2"][0]["loss"] == tried[2][0][0]


def test_without_folds_it_is_said_that_nothing_could_be_tried():
    choice = FineTuning(blocks=0, epochs=0, num_folds=0, frozen=None, tried={})
    assert choice.describe().startswith("the backbone stays as it came: a label has a single group")
    assert choice.as_dict()["frozen"] is None


@pytest.fixture(scope="module")
def clips(data_short, tmp_path_factory):
    return load_to_train(find_and_split([data_short], None, 0), 16_000, tmp_path_factory.mktemp("cache"), True)


def test_inner_folds_hold_out_every_group_once_and_leave_the_test_side_alone(clips):
    folds = inner_folds(clips, 5)
    assert len(folds) > 1
    held_out = [groups_on(fold, "val") for fold in folds]
    both = groups_on(clips, "train") | groups_on(clips, "val")
    assert sorted(name for names in held_out for name in names) == sorted(both)
    for fold, names in zip(folds, held_out, strict=True):
        assert not names & groups_on(fold, "train")
        assert groups_on(fold, "test") == groups_on(clips, "test")
    assert groups_on(all_to_train(clips), "train") == both
    assert all_to_train(clips).places("val") == []


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fine_tune")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(installed.FOLDER_VARIABLE, str(folder / "backbones"))
        add_backbone(write_h5(folder / "tiny.h5", random_arrays()), "tiny")
        yield folder


def test_only_the_last_blocks_and_the_head_can_be_trained_and_no_statistics(backbone):
    load_keras()
    model = begun_with(model_module("transfer"), "tiny").build(3, "1s")
    assert [next(layer.name for layer in block) for block in backbone_blocks(model)] == [
        "layer1_conv",
        "layer2_depthwise_conv",
        "layer3_depthwise_conv",
    ]
    with free_blocks(model, 1):
        free = {weight.path for weight in model.trainable_weights}
    assert free == {
        "layer3_depthwise_conv/kernel",
        "layer3_pointwise_conv/kernel",
        "scores/kernel",
        "scores/bias",
    }
    assert len(model.trainable_weights) > len(free)  # as it was
    (scores,) = head_layers(model)
    give_head(model, [np.ones_like(values) for values in scores.get_weights()])
    assert all((values == 1.0).all() for values in scores.get_weights())


WORDS = {"variant": "1s", "backbone": "tiny", "epochs": 2, "epoch_windows": 32, "learning_rate": 0.01}


@pytest.fixture(scope="module")
def tuned(backbone, data_short):
    out = backbone / "run"
    metrics = earproof.train("transfer", data_short, out=out, cache=backbone / "cache", fine_tune="1", **WORDS)
    return out, metrics


def test_a_run_says_what_was_tried_and_chosen(tuned):
    out, metrics = tuned
    choice = metrics["fine_tuning"]
    assert choice["blocks"] == 1
    assert choice["inner_folds"] >= 2
    assert len(choice["tried"]["1"]) == 2
    told = f"the last block of a backbone trained for {counted(choice['epochs'], 'epoch')}"
    assert describe_end(metrics) == told
    history = read_history(out)
    assert metrics["epochs"] == metrics["kept_epoch"] == len(history) == choice["epochs"]
    assert history[-1]["val_loss"] == choice["tried"]["1"][choice["epochs"] - 1]["loss"]
    assert not (out / "inner-folds").exists()
    assert json.loads((out / "training.json").read_text())["fine_tune"] == "1"


def test_the_last_block_was_trained_and_the_first_ones_stayed(tuned, backbone):
    import keras

    import train.layers.registered  # noqa: F401

    model = keras.saving.load_model(tuned[0] / "model.keras", compile=False)
    arrays = random_arrays()
    for name, values in arrays.items():
        same = all(np.array_equal(*pair) for pair in zip(values, model.get_layer(name).get_weights(), strict=True))
        assert same == (name not in ("layer3_depthwise_conv", "layer3_pointwise_conv")), name


def test_an_interrupted_training_goes_on_to_the_same_end(tuned, backbone, data_short, monkeypatch):
    from train.fitting.fine_tune import FineTuner

    words = {"out": backbone / "stopped", "cache": backbone / "cache", "fine_tune": "1", **WORDS}
    with monkeypatch.context() as patched:

        def stop(*_):
            raise KeyboardInterrupt

        patched.setattr(FineTuner, "_train", stop)
        with pytest.raises(KeyboardInterrupt):
            earproof.train("transfer", data_short, **words)
    assert (backbone / "stopped" / "inner-folds" / "1-1" / "history.csv").is_file()
    metrics = earproof.train("transfer", data_short, resume=True, **words)
    assert metrics["fine_tuning"] == tuned[1]["fine_tuning"]
    assert metrics["test"]["window"]["accuracy"] == tuned[1]["test"]["window"]["accuracy"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["transfer", "--backbone", "tiny", "--fine-tune", "7"], "the backbone has 3 blocks"),
        (
            ["transfer", "--backbone", "tiny", "--fine-tune", "most"],
            "expected a number of blocks from 1 on, all or auto",
        ),
        (["mel_cnn", "--fine-tune", "all"], "expected none without a backbone"),
    ],
)
def test_what_cannot_be_trained_further_is_refused(backbone, data_short, words, told, capsys):
    model, *rest = words
    out = backbone / "refused"
    found = earproof.main(["train", model, str(data_short), "--out", str(out), "--force", *rest])
    assert found == 2
    assert told in capsys.readouterr().err


def test_a_backbone_that_is_trained_further_learns_from_a_teacher(tuned, backbone, data_short):
    import keras

    import train.layers.registered  # noqa: F401

    out, _ = tuned
    words = {"cache": backbone / "cache", "fine_tune": "1", "teacher": out, "teacher_weight": 1.0, **WORDS}
    metrics = earproof.train("transfer", data_short, out=backbone / "taught", **words)
    assert metrics["taught"]["teachers"][0]["path"] == str(out)
    assert metrics["fine_tuning"]["blocks"] == 1
    alone, taught = (keras.saving.load_model(one / "model.keras", compile=False) for one in (out, backbone / "taught"))
    kernels = [one.get_layer("layer3_pointwise_conv").get_weights()[0] for one in (alone, taught)]
    assert np.abs(kernels[0] - kernels[1]).max() > 1e-5
    training = json.loads((backbone / "taught" / "training.json").read_text())
    assert training["teacher_weight"] == 1.0

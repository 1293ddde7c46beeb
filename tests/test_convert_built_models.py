"""Which models a build makes, how it judges between them, and a build of few recordings with a backbone."""

from dataclasses import replace

import pytest
from judged import evidence, side, verdict, wrong_on
from tiny_backbone import random_arrays, write_h5

import earproof
from convert.built_models import HINT, BuiltModels
from convert.report.validated import Validated, validated_models
from train.backbones import installed
from train.backbones.installed import add_backbone
from train.recordings.clip_index import Clip, ClipIndex


def _index(tmp_path, groups=4) -> ClipIndex:
    clips = [Clip(f"{label}/{number}.wav", (label,), f"{label}{number}") for label in "ab" for number in range(groups)]
    return ClipIndex(tmp_path, ("a", "b"), tuple(clips))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(installed.FOLDER_VARIABLE, str(tmp_path / "backbones"))
    return tmp_path


def _add(folder, *names):
    for seed, name in enumerate(names):
        add_backbone(write_h5(folder / f"{name}.h5", random_arrays(num_blocks=2 + seed, seed=seed)), name)


def _asked(models=None, folds=None, backbone="", **settings) -> BuiltModels:
    return BuiltModels(models=models, folds=folds, backbone=backbone, settings=settings)


def test_without_a_backbone_a_build_is_of_the_two_cnns_and_says_what_could_be_gained(folder):
    asked, index = _asked(), _index(folder)
    assert asked.names(index) == ("waveform_cnn", "mel_cnn")
    assert asked.hints(index) == [HINT]
    assert asked.fold_choices(index, 0, False, None) is None
    assert asked.needs_validation(index)


def test_with_a_backbone_a_transfer_is_trained_beside_them_and_all_are_cross_validated(folder):
    _add(folder, "tiny")
    asked, index = _asked(), _index(folder)
    assert asked.names(index) == ("waveform_cnn", "mel_cnn", "transfer")
    assert asked.hints(index) == []
    assert asked.settings_of(asked.names(index))["transfer"].backbone == "tiny"
    assert asked.settings_of(asked.names(index))["mel_cnn"].backbone == ""
    choices = asked.fold_choices(index, 7, True, folder)
    assert (choices.num_folds, choices.own, choices.seed, choices.cache) == (None, True, 7, folder)
    assert _asked(folds=0).fold_choices(index, 7, True, folder) is None
    assert _asked(folds=3).fold_choices(index, 7, True, folder).num_folds == 3


def test_of_several_backbones_the_smallest_is_taken_and_it_is_told(folder, capsys):
    _add(folder, "tiny", "larger")
    assert _asked().settings_of(["transfer"])["transfer"].backbone == "tiny"
    assert "transfer begins with tiny; 1 other on this machine are larger" in capsys.readouterr().err
    assert _asked(backbone="larger").settings_of(["transfer"])["transfer"].backbone == "larger"


def test_with_two_groups_a_label_the_transfer_alone_is_built_and_it_is_told(folder, capsys):
    _add(folder, "tiny")
    asked, index = _asked(), _index(folder, groups=2)
    assert asked.names(index) == ("transfer",)
    assert not asked.needs_validation(index)
    asked.check(index)
    assert "a has two groups: waveform_cnn and mel_cnn" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (_asked(folds=1), "--folds is 1; expected 2 or more, or 0"),
        (_asked(folds=-2), "--folds is -2"),
        (_asked(models=["mel_cnn"], backbone="tiny"), "--backbone is of transfer, which is not built"),
        (_asked(backbone="tinny"), "there is no backbone 'tinny'.*did you mean tiny"),
        (_asked(epochs=0), "epochs is 0"),
    ],
)
def test_what_is_wrong_with_a_build_is_said_before_anything_is_read(folder, asked, told):
    _add(folder, "tiny")
    with pytest.raises(ValueError, match=told):
        asked.check_settings()


def test_a_transfer_without_a_backbone_is_told_how_to_get_one(folder):
    with pytest.raises(ValueError, match="transfer begins with a backbone: --backbone NAME; on this machine: none"):
        _asked(models=["transfer"]).check_settings()


def _validated(share=0.9, is_as_good=True, fewest=12, chance=0.5) -> Validated:
    return Validated(
        share=share,
        lower=share - 0.1,
        upper=share + 0.1,
        chance=chance,
        is_as_good=is_as_good,
        fewest_groups=fewest,
        text="as folds say",
    )


def test_a_model_that_folds_found_worse_is_not_recommended_though_the_split_favours_it():
    heard = side()
    lucky = replace(evidence(heard.truth, heard, model="lucky", p50_ms=0.1), validated=_validated(is_as_good=False))
    better = replace(evidence(wrong_on(heard.truth, [0, 30]), heard, model="better"), validated=_validated())
    found = verdict(lucky, better)
    assert found.file == "better-int8.tflite"
    assert found.take
    assert found.text[1] == "as folds say"


def test_few_groups_on_the_test_side_are_no_shortage_where_all_groups_were_tested():
    heard = side(groups_a_label=2, in_all=13)
    without = evidence(heard.truth, heard)
    assert not verdict(without).take
    assert verdict(replace(without, validated=_validated())).take
    few = verdict(replace(without, validated=_validated(fewest=4)))
    assert not few.take
    assert [one.label for one in few.missing] == ["dog", "rain"]


def test_what_folds_cannot_tell_from_chance_is_not_to_be_taken():
    heard = side()
    found = verdict(replace(evidence(heard.truth, heard), validated=_validated(share=0.55)))
    assert not found.take
    assert "In the cross-validation it cannot be told from chance, 50.0%." in found.text


def test_models_that_folds_cannot_tell_apart_are_named():
    document = {
        "folds": ["1", "2"],
        "num_groups": 9,
        "chance": 0.5,
        "fewest_groups": {"label": "dog", "groups": 4},
        "best": "b",
        "as_good": ["a", "b"],
        "candidates": [
            {"name": name, "model": name, "clip": {"share": share, "interval": [0.5, 1.0], "number": 20}}
            for name, share in (("a", 0.8), ("b", 0.9), ("c", 0.1))
        ],
    }
    found = validated_models(document)
    assert [found[name].is_as_good for name in "abc"] == [True, True, False]
    assert found["a"].text == (
        "Cross-validation, 2 folds, 20 clips of 9 groups, clips right: b 90.0% [50.0%, 100.0%]; "
        "a 80.0% [50.0%, 100.0%]; c 10.0% [50.0%, 100.0%]. b and a cannot be told apart by it. "
        "'dog' has 4 groups: so few leave much to chance."
    )
    assert validated_models(None) == {}


def test_two_clips_a_label_are_built_from_recordings_to_a_file(folder, data_short):
    _add(folder, "tiny")
    data = folder / "data"
    for label in ("silence", "song", "speech"):
        (data / label).mkdir(parents=True)
        for path in sorted((data_short / label).glob("*.flac"))[:2]:
            (data / label / path.name).symlink_to(path)
    words = {"out": folder / "out", "cache": folder / "cache", "recipes": ["auto"], "num_runs": 2, "warmup_runs": 1}
    report = earproof.build(data, **words)
    assert {file["recipe"]: file["passed"] for file in report["files"] if file["recipe"] == "float32"}["float32"]
    assert {file["recipe"] for file in report["files"]} == {"float32", "auto"}  # of random weights auto may fail
    (found,) = report["cross_validation"]["candidates"]
    assert (found["clip"]["number"], report["cross_validation"]["folds"]) == (6, ["1", "2"])
    assert not report["verdict"]["take"]
    assert "so few leave much to chance" in (folder / "out" / "report.md").read_text()

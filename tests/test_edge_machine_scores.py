"""Level 5 of parity: scores saved on one machine and compared on another."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
from tiny_tflite import tiny_classifier, tiny_spec

import earproof
from edge_runtime.model.classifier import Classifier
from edge_runtime.parity.other_machines import (
    FileScores,
    MachineScores,
    compare_machines,
    machine_parity,
    read_machine_scores,
    score_windows,
    write_machine_scores,
)
from metadata.packing.packed_model import pack_model

MACHINE = {"cpu": "a processor", "architecture": "aarch64", "runtime": "ai-edge-litert 2.3.0"}
PHONE = MACHINE | {"board": "a board"}


def scores_of(scores, recipe="float32", **changes):
    fields = {"file": "a.tflite", "recipe": recipe, "thresholds": None, "model_sha256": "m", "windows_sha256": "w"}
    return FileScores(**{**fields, "scores": np.asarray(scores, np.float32), **changes})


def decided(num_windows, num_flipped):
    """Scores of two labels, the first `num_flipped` windows decided the other way."""
    scores = np.tile(np.float32([0.9, 0.1]), (num_windows, 1))
    scores[:num_flipped] = scores[:num_flipped, ::-1]
    return scores


@pytest.mark.parametrize("recipe", ["float32", "float16"])
def test_float_scores_may_differ_by_1e_5(recipe):
    scores = np.full((4, 3), 0.5, np.float32)
    near, far = (machine_parity(scores_of(scores), scores_of(scores + step, recipe), "x") for step in (9e-6, 2e-5))

    assert (near.level, near.passed, far.passed) == (5, True, False)
    assert far.measures["max_abs_error"] == pytest.approx(2e-5, rel=0.01)
    assert far.measures["decision_agreement"] == 1.0


def test_one_float_decision_that_differs_fails_however_small_the_difference():
    tie = scores_of([[0.5, 0.5 - 1e-7], [0.5, 0.5 - 1e-7]])
    other = scores_of([[0.5, 0.5 - 1e-7], [0.5 - 1e-7, 0.5]])

    result = machine_parity(tie, other, "x")

    assert result.measures["max_abs_error"] <= 1e-6
    assert not result.passed


@pytest.mark.parametrize(("num_flipped", "passes"), [(0, True), (1, True), (2, False)])
def test_one_integer_decision_in_200_may_differ(num_flipped, passes):
    result = machine_parity(scores_of(decided(200, 0)), scores_of(decided(200, num_flipped), "int8"), "x")

    assert result.passed == passes
    assert result.measures["decision_agreement"] == 1 - num_flipped / 200


def test_a_sigmoid_model_is_compared_by_its_thresholds():
    low = scores_of([[0.29, 0.9]], "int8", thresholds=(0.3, 0.5))
    high = scores_of([[0.31, 0.9]], "int8", thresholds=(0.3, 0.5))

    assert not machine_parity(low, high, "x").passed


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_fails_and_is_named(bad):
    result = machine_parity(scores_of([[0.5, 0.5]]), scores_of([[0.5, bad]], "int8"), "x")

    assert not result.passed
    assert "candidate" in result.detail


@pytest.mark.parametrize(("field", "what"), [("model_sha256", "files"), ("windows_sha256", "windows")])
def test_scores_of_something_else_are_refused(field, what):
    with pytest.raises(ValueError, match=f"different {what}"):
        machine_parity(scores_of([[1.0]]), scores_of([[1.0]], **{field: "another"}), "x")


def test_a_file_that_the_other_machine_never_ran_is_named():
    ran = MachineScores(machine=MACHINE, files=(scores_of([[1.0]]),))
    more = MachineScores(machine=PHONE, files=(scores_of([[1.0]], file="b.tflite"),))

    with pytest.raises(ValueError, match=r"no scores of b\.tflite"):
        compare_machines(ran, more)


def test_saved_scores_come_back_as_they_were(tmp_path):
    saved = MachineScores(
        machine=PHONE, files=(scores_of([[0.1, 0.2]]), scores_of([[0.3]], "int8", file="scores_0", thresholds=(0.5,)))
    )
    write_machine_scores(saved, tmp_path / "scores.npz")
    found = read_machine_scores(tmp_path / "scores.npz")

    assert found.machine == PHONE
    for one, other in zip(saved.files, found.files, strict=True):
        assert np.array_equal(one.scores, other.scores)
        assert dataclasses.replace(one, scores=None) == dataclasses.replace(other, scores=None)


def test_two_files_of_one_name_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="every name once"):
        write_machine_scores(MachineScores(machine=MACHINE, files=(scores_of([[1.0]]),) * 2), tmp_path / "scores.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no archive", None, "half"])
def test_what_is_no_saved_scores_is_refused(content, tmp_path):
    path = tmp_path / "scores.npz"
    if content is None:
        np.savez(path, windows=np.zeros(3))
    elif content == "half":
        write_machine_scores(MachineScores(machine=MACHINE, files=(scores_of([[1.0]]),)), path)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    else:
        path.write_bytes(content)

    with pytest.raises(ValueError, match="--save-scores"):
        read_machine_scores(path)


@pytest.fixture
def folder(tmp_path):
    """A folder as a build leaves it, with one tiny model."""
    content = pack_model(tiny_classifier(), tiny_spec())
    windows = np.random.default_rng(0).normal(0, 0.3, (5, 32_000)).astype(np.float32)
    (tmp_path / "golden").mkdir()
    (tmp_path / "tiny-float32.tflite").write_bytes(content)
    classifier = Classifier(content)
    scores = score_windows("tiny", classifier, windows).scores
    np.savez(tmp_path / "golden" / f"{classifier.spec.name}.npz", windows=windows, scores=scores)
    return tmp_path


def test_scores_saved_here_agree_with_this_machine(folder, capsys):
    saved = folder / "scores.npz"

    assert earproof.main(["parity", str(folder), "--save-scores", str(saved)]) == 0
    assert earproof.main(["parity", str(folder), "--against", str(saved), "--out", str(folder / "found.json")]) == 0
    capsys.readouterr()
    assert earproof.main(["parity", str(folder), "--against", str(saved), "--json"]) == 0

    document = json.loads(capsys.readouterr().out)
    assert json.loads((folder / "found.json").read_text()) == document
    (file,) = document["files"]
    assert (file["level"], file["passed"], file["num_windows"]) == (5, True, 5)
    assert file["measures"] == {"max_abs_error": 0.0, "decision_agreement": 1.0}


def test_another_machine_that_decides_otherwise_gives_exit_code_1(folder, capsys):
    saved = folder / "scores.npz"
    assert earproof.main(["parity", str(folder), "--save-scores", str(saved)]) == 0
    found = read_machine_scores(saved)
    wrong = dataclasses.replace(found.files[0], scores=found.files[0].scores[:, ::-1].copy())
    write_machine_scores(MachineScores(machine=PHONE, files=(wrong,)), saved)

    assert earproof.main(["parity", str(folder), "--against", str(saved)]) == 1

    out = capsys.readouterr().out
    assert "level 5  FAIL" in out
    assert "against a board (aarch64), ai-edge-litert 2.3.0" in out


def test_scores_of_a_rebuilt_file_are_bad_input(folder, capsys):
    saved, model = folder / "scores.npz", folder / "tiny-float32.tflite"
    assert earproof.main(["parity", str(folder), "--save-scores", str(saved)]) == 0
    model.write_bytes(pack_model(tiny_classifier(seed=1), tiny_spec()))

    assert earproof.main(["parity", str(folder), "--against", str(saved)]) == 2
    assert "different files" in capsys.readouterr().err


def test_saved_scores_are_overwritten_only_by_force(folder, capsys):
    arguments = ["parity", str(folder), "--save-scores", str(folder / "scores.npz")]

    assert [earproof.main(arguments), earproof.main(arguments), earproof.main([*arguments, "--force"])] == [0, 2, 0]
    assert "--force" in capsys.readouterr().err


def test_recordings_are_not_what_machines_are_compared_on(folder, capsys):
    shutil.copy(folder / "tiny-float32.tflite", folder / "other.tflite")
    arguments = ["--audio", str(folder / "no.wav"), "--save-scores", str(folder / "scores.npz")]

    assert earproof.main(["parity", str(folder), *arguments]) == 2
    assert "--audio" in capsys.readouterr().err

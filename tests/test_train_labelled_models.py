"""`earproof evaluate` of models on recordings with labels: several labels, sides that are refused, the table."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest
from tiny_tflite import tiny_spec

import earproof
from metadata.spec import Provenance
from train.data.prepare import split_and_say
from train.fitting.training_run import METRICS_FILE_NAME
from train.held_out import labelled
from train.recordings.clip_index import find_clips
from train.recordings.store.clip_store import load_clips

LABELS, RATE = ("high", "low"), 16_000


class _ByPitch:
    """Scores of 0.9 for the tone that a window holds; a file called `wrong` turns them round."""

    provenance = Provenance()
    labels = LABELS

    def __init__(self, path, num_threads=1):
        activation = "softmax" if "softmax" in path.name else "sigmoid"
        self.spec = tiny_spec(
            name=path.stem, labels=self.labels, activation=activation, provenance=self.provenance, recipe="int8"
        )
        self.is_wrong = "wrong" in path.name

    def scores(self, window):
        tone = window[window != 0.0]  # zeros may lie behind it
        is_high = (np.diff(np.signbit(tone)) != 0).mean() > 2 * 600 / RATE
        return np.array([0.9, 0.1] if is_high != self.is_wrong else [0.1, 0.9], np.float32)


@pytest.fixture
def evaluate(make_folder, tmp_path, monkeypatch, capsys):
    """Judges files by their names on tones of 2.5 s and a little more, two windows each; gives report and notes."""
    folder = make_folder()
    monkeypatch.setattr(labelled, "Classifier", _ByPitch)
    monkeypatch.setattr(_ByPitch, "provenance", Provenance())
    monkeypatch.setattr(_ByPitch, "labels", LABELS)

    def run(*names, options=(), code=0):
        paths = [tmp_path / name for name in names]
        for path in paths:
            if path.suffix == ".tflite":
                path.touch()
        given = [*map(str, paths), str(folder), "--cache", str(tmp_path / "cache"), "--json", *options]
        assert earproof.main(["evaluate", *given]) == code
        printed = capsys.readouterr()
        return (None if code else json.loads(printed.out)), printed.err

    run.folder, run.cache = folder, tmp_path / "cache"
    return run


def _trained_on(evaluate, seed):
    """What a file says that was trained on the tones, split with a seed."""
    clips = load_clips(split_and_say(find_clips(evaluate.folder), seed), RATE, evaluate.cache)
    return Provenance(data_sha256=clips.data_sha256(), split_sha256=clips.split_sha256(), seed=seed)


def test_a_model_of_several_labels_is_judged_by_the_sets_of_its_windows(evaluate):
    report, _ = evaluate("right.tflite", "wrong.tflite", options=["--side", "all"])
    right, wrong = report["systems"]
    found = right["evaluations"]["window"]
    assert (found["num_decisions"], found["accuracy"], found["macro_f1"]) == (16, 1.0, 1.0)
    assert wrong["evaluations"]["window"]["accuracy"] == 0.0
    assert wrong["difference"]["points"] == -100.0
    assert (right["model"], right["recipe"]) == ("right", "int8")


def test_one_label_and_several_are_judged_side_by_side(evaluate):
    report, _ = evaluate("softmax.tflite", "several.tflite", options=["--side", "all"])
    assert [one["evaluations"]["window"]["accuracy"] for one in report["systems"]] == [1.0, 1.0]
    assert report["systems"][1]["difference"] == {"points": 0.0, "interval": [0.0, 0.0], "over": "clips"}


def test_annotations_of_no_recording_are_told_where_plain_clips_are_judged(evaluate):
    _, said = evaluate("right.tflite", options=["--side", "all"])
    assert "no recording beside them" not in said
    (evaluate.folder / "other.txt").write_text("0.5\t1.0\thigh\n")
    report, said = evaluate("right.tflite", options=["--side", "all"])
    assert "annotations with the name of no recording beside them" in said
    assert "other.txt" in said
    assert report["systems"][0]["evaluations"]["window"]["num_decisions"] == 16


def test_the_test_side_is_that_of_the_seed(evaluate):
    report, said = evaluate("right.tflite", options=["--seed", "3"])
    expected = split_and_say(find_clips(evaluate.folder), 3).of_split("test")
    assert report["systems"][0]["evaluations"]["window"]["num_decisions"] == 2 * len(expected)
    assert "split drawn with seed 3" in said
    assert "right.tflite does not say what it was trained on; these recordings may be among it" in said


def test_a_file_that_was_trained_on_another_split_of_the_recordings_is_refused(evaluate, monkeypatch):
    monkeypatch.setattr(_ByPitch, "provenance", _trained_on(evaluate, 1))
    _, said = evaluate("right.tflite", options=["--seed", "0"], code=2)
    assert "was trained on another split of these recordings" in said
    assert "give --test-fold, --val-fold or --seed as in its training" in said
    report, said = evaluate("right.tflite", options=["--seed", "1"])
    assert report["systems"][0]["evaluations"]["window"]["accuracy"] == 1.0
    assert "may be among it" not in said


def test_a_file_that_was_trained_on_other_recordings_is_judged_and_that_is_told(evaluate, monkeypatch):
    monkeypatch.setattr(_ByPitch, "provenance", Provenance(data_sha256="0", split_sha256="0"))
    report, said = evaluate("right.tflite")
    assert report["systems"][0]["evaluations"]["window"]["accuracy"] == 1.0
    assert "was trained on other recordings than" in said


def test_labels_without_recordings_are_refused(evaluate, monkeypatch):
    monkeypatch.setattr(_ByPitch, "labels", ("high", "low", "middle"))
    assert "tells middle, of which" in evaluate("right.tflite", options=["--side", "all"], code=2)[1]


def test_only_the_judged_side_needs_every_label(evaluate):
    clips = split_and_say(find_clips(evaluate.folder), 0).clips
    rows = [f"{one.path},{one.labels[0]},{one.split}\n" for one in clips if (one.split, *one.labels) != ("val", "low")]
    (evaluate.folder / "clips.csv").write_text("path,label,split\n" + "".join(rows))
    report, _ = evaluate("right.tflite")
    assert report["systems"][0]["evaluations"]["window"]["accuracy"] == 1.0
    said = evaluate("right.tflite", options=["--side", "val"], code=2)[1]
    assert f"tells low, of which the val side of {evaluate.folder} has no recording" in said


def test_a_fold_that_is_not_there_is_refused(evaluate):
    assert "fold" in evaluate("right.tflite", options=["--test-fold", "7"], code=2)[1]


def test_a_training_has_sides_and_recordings_of_its_own(evaluate, monkeypatch, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / METRICS_FILE_NAME).touch()
    said = evaluate("run", options=["--side", "all"], code=2)[1]
    assert "is a training, whose recordings have sides; expected --side train, val or test" in said
    (tmp_path / "elsewhere" / "low").mkdir(parents=True)
    index = split_and_say(find_clips(evaluate.folder), 0)
    moved = SimpleNamespace(root=tmp_path / "elsewhere", of_split=index.of_split)
    monkeypatch.setattr(labelled, "open_run", lambda *_: SimpleNamespace(clips=SimpleNamespace(index=moved)))
    assert "give the data of the training" in evaluate("run", code=2)[1]


def test_the_table_has_a_row_a_file_and_way_of_judging(evaluate, tmp_path):
    table = tmp_path / "t.csv"
    options = ["--side", "all", "--csv", str(table)]
    evaluate("right.tflite", "wrong.tflite", options=options)
    rows = list(csv.DictReader(table.open()))
    windows = [row for row in rows if row["judged"] == "window"]
    assert [float(row["share"]) for row in windows] == [1.0, 0.0]
    assert [row["difference"] for row in windows] == ["", "-100.0"]
    assert "expected a new file, or --force" in evaluate("right.tflite", options=options, code=2)[1]
    evaluate("right.tflite", options=[*options, "--force"])
    assert {row["system"] for row in csv.DictReader(table.open())} == {str(tmp_path / "right.tflite")}


def test_rules_of_a_detector_are_refused_where_the_data_have_no_times(evaluate):
    assert "has labels and no times; expected no --hop" in evaluate("right.tflite", options=["--gap", "1"], code=2)[1]

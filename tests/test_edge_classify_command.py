"""`earproof classify` by rule and with silence left out: the table, the documents, and going on after a stop."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from test_edge_classifier import write_wav
from test_edge_command import run
from tiny_tflite import TINY_LABELS, tiny_classifier, tiny_spec

import earproof
from edge_runtime.model.classifier import Classifier
from edge_runtime.model.clip_merge import MERGES
from metadata.errors import ModelContractError
from metadata.packing.packed_model import pack_model

RATE = 16_000


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(pack_model(tiny_classifier(activation="sigmoid"), tiny_spec(activation="sigmoid")))
    return path


@pytest.fixture
def clip(tmp_path):
    """Ten seconds: noise, two seconds of zeros, noise."""
    waveform = np.random.default_rng(0).normal(0, 0.1, 10 * RATE)
    waveform[4 * RATE : 6 * RATE] = 0.0
    return write_wav(tmp_path / "clip.wav", waveform)


@pytest.fixture
def silence(tmp_path):
    return write_wav(tmp_path / "silence.wav", np.zeros(5 * RATE))


def test_the_table_says_rule_and_silence(model, clip, silence, capsys):
    assert run("classify", model, clip, silence, "--merge", "union", "--silence-below", "-60") == 0
    lines = capsys.readouterr().out.splitlines()

    assert lines[3] == "    4.00 -     6.00 s  silent (-inf dBFS)"
    assert lines[6].startswith("clip (union of 4, 1 silent)  ")
    assert lines[-1] == "  clip (all 3 silent)  (none)"


def test_without_silence_the_line_is_what_it_was(model, clip, capsys):
    run("classify", model, clip)

    assert "\n     clip (mean of 5)  " in capsys.readouterr().out


@pytest.mark.parametrize("rule", MERGES)
def test_the_document_holds_what_the_classifier_says(model, clip, capsys, rule):
    arguments = ["--merge", rule, "--silence-below", "-60", "--hop", "1"]
    assert run("classify", model, clip, *arguments, "--json") == 0
    (recording,) = json.loads(capsys.readouterr().out)["recordings"]
    waveform = np.frombuffer(clip.read_bytes()[44:], "<i2").astype(np.float32) / 32768
    expected = Classifier(model).classify(waveform, RATE, window_hop=RATE, merge=rule, silence_below_dbfs=-60.0)

    assert [window["silent"] for window in recording["windows"]] == expected.silent.tolist()
    levels = [window["level_dbfs"] for window in recording["windows"]]
    assert levels == [None if np.isinf(level) else level for level in expected.levels_dbfs]
    assert recording["clip"] == {
        "merge": rule,
        "num_windows": 9,
        "num_silent": 1,
        "scores": dict(zip(TINY_LABELS, expected.clip_scores.tolist(), strict=True)),
        "decision": list(expected.decision),
    }


def test_the_csv_table_has_level_and_silence(model, clip, tmp_path):
    out = tmp_path / "scores.csv"
    run("classify", model, clip, "--silence-below", "-60", "--out", out)
    rows = list(csv.DictReader(out.open()))

    assert [row["silent"] for row in rows] == ["false", "false", "true", "false", "false", ""]
    assert float(rows[2]["level_dbfs"]) == -np.inf
    assert float(rows[0]["level_dbfs"]) == pytest.approx(-20.0, abs=0.2)
    assert rows[2]["decision"] == ""
    assert {float(rows[2][f"score_{label}"]) for label in TINY_LABELS} == {0.0}


@pytest.mark.parametrize("rule", MERGES)
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_wherever_a_run_stopped_the_next_one_merges_the_same_clip(model, clip, silence, tmp_path, rule, kept):
    out = tmp_path / "scores.jsonl"
    command = ["classify", model, clip, silence, "--hop", "0.25", "--merge", rule, "--silence-below", "-60"]
    run(*command, "--out", out)
    whole = out.read_bytes()
    out.unlink()
    Path(f"{out}.part").write_bytes(whole[: round(kept * len(whole))])

    assert run(*command, "--out", out, "--resume") == 0
    assert out.read_bytes() == whole


@pytest.mark.parametrize("changed", [["--merge", "maximum"], ["--merge", "mean", "--silence-below", "-50"]])
def test_another_rule_or_limit_is_not_gone_on_with(model, clip, tmp_path, changed):
    out = tmp_path / "scores.jsonl"
    run("classify", model, clip, "--out", out)
    out.rename(f"{out}.part")
    with pytest.raises(ValueError, match="another settings"):
        run("classify", model, clip, "--out", out, "--resume", *changed)


def test_the_default_rule_by_name_is_the_same_run(model, clip, tmp_path):
    out = tmp_path / "scores.jsonl"
    run("classify", model, clip, "--out", out)
    out.rename(f"{out}.part")

    assert run("classify", model, clip, "--out", out, "--resume", "--merge", "mean") == 0


def test_a_phone_with_a_limit_shows_silent_ticks(model, clip, capsys):
    run("classify", model, clip, "--phone", "--silence-below", "-60")
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "    0.00 s  silent (-inf dBFS)"
    assert lines[13] == "    6.00 s  silent (-inf dBFS)"
    assert "song" in lines[14]

    run("classify", model, clip, "--phone", "--silence-below", "-60", "--json")
    ticks = json.loads(capsys.readouterr().out)["recordings"][0]["ticks"]
    assert ticks[12] == {"seconds": 6.0, "level_dbfs": None, "silent": True, "shown": []}
    assert len(ticks[13]["shown"]) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--silence-below", "60"], "silence is below 60.0 dBFS; expected a level of 0 or less"),
        (["--silence-below", "nan"], "silence is below nan"),
        (["--phone", "--merge", "union"], "--phone shows ticks"),
    ],
)
def test_what_makes_no_sense_is_refused(model, clip, arguments, said):
    with pytest.raises(ValueError, match=said):
        run("classify", model, clip, *arguments)


def test_listen_says_how_many_ticks_were_silent(model, clip, capsys):
    assert run("listen", model, clip, "--silence-below", "-60") == 0

    assert "1 tick was silent and not classified" in capsys.readouterr().err


def test_thresholds_of_the_command_line_count_in_windows_and_in_the_clip(model, clip, capsys):
    run("classify", model, clip, "--merge", "union", "--json")
    (before,) = json.loads(capsys.readouterr().out)["recordings"]
    scores = before["windows"][0]["scores"]
    last = TINY_LABELS[-1]
    run("classify", model, clip, "--merge", "union", "--threshold", "0", "--threshold", f"{last}=1", "--json")
    document = json.loads(capsys.readouterr().out)
    (after,) = document["recordings"]

    assert after["windows"][0]["scores"] == scores
    assert after["windows"][0]["decision"] == list(TINY_LABELS[:-1])
    assert after["clip"]["decision"] == list(TINY_LABELS[:-1])
    assert document["model"]["thresholds"] == [*[0.0] * (len(TINY_LABELS) - 1), 1.0]


@pytest.mark.parametrize(
    ("threshold", "named"),
    [("loud", "such as 0.7"), ("nobody=0.5", "no label 'nobody'"), ("1.5", "expected 0 to 1")],
)
def test_a_threshold_that_is_none_is_named(model, clip, threshold, named):
    with pytest.raises((ValueError, ModelContractError), match=named):
        run("classify", model, clip, "--threshold", threshold)


def test_softmax_scores_have_thresholds_under_union_alone(tmp_path, clip, capsys):
    path = tmp_path / "softmax.tflite"
    path.write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    with pytest.raises(ValueError, match="--threshold counts with --merge union alone"):
        run("classify", path, clip, "--threshold", "0.5")
    assert run("classify", path, clip, "--threshold", "0", "--merge", "union", "--json") == 0
    (recording,) = json.loads(capsys.readouterr().out)["recordings"]
    assert recording["clip"]["decision"] == list(TINY_LABELS)


@pytest.mark.parametrize("threshold", ["0", "0.2", "0.35", "0.9"])
def test_a_threshold_has_one_meaning_in_the_windows_and_in_the_clip_of_softmax_scores(
    tmp_path, clip, capsys, threshold
):
    path = tmp_path / "softmax.tflite"
    path.write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    run("classify", path, clip, "--threshold", threshold, "--merge", "union", "--json")
    (recording,) = json.loads(capsys.readouterr().out)["recordings"]

    told = set()
    for window in recording["windows"]:
        reached = [label for label, score in window["scores"].items() if np.float32(score) >= np.float32(threshold)]
        assert window["decision"] == ([] if window["silent"] else reached)
        told |= set(window["decision"])
    assert recording["clip"]["decision"] == [label for label in TINY_LABELS if label in told]


def test_the_union_of_softmax_windows_is_what_the_windows_say_without_a_threshold_given_too(tmp_path, clip, capsys):
    path = tmp_path / "softmax.tflite"
    path.write_bytes(pack_model(tiny_classifier(), tiny_spec(thresholds=(0.3,) * len(TINY_LABELS))))
    run("classify", path, clip, "--merge", "union", "--json", "--silence-below", "-60")
    (recording,) = json.loads(capsys.readouterr().out)["recordings"]

    told = {label for window in recording["windows"] for label in window["decision"]}
    assert set(recording["clip"]["decision"]) == told
    run("classify", path, clip, "--json")
    (one,) = json.loads(capsys.readouterr().out)["recordings"]
    assert all(isinstance(window["decision"], str) for window in one["windows"])


def test_in_the_table_a_recording_that_breaks_off_ends_with_its_error(model, clip, tmp_path, capsys):
    whole, broken = tmp_path / "whole.flac", tmp_path / "broken.flac"
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 160_000).astype(np.float32)
    soundfile.write(whole, noise, 16_000)
    broken.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    out = tmp_path / "scores.csv"

    assert earproof.main(["classify", *map(str, [model, broken, tmp_path / "nowhere.wav", whole, "--out", out])]) == 2
    rows = list(csv.DictReader(out.open()))
    of = {name: [row for row in rows if row["file"].endswith(name)] for name in ("broken.flac", "nowhere.wav")}

    assert of["broken.flac"][0]["decision"]
    assert [bool(row["error"]) for row in of["broken.flac"]] == [*[False] * (len(of["broken.flac"]) - 1), True]
    assert "cannot be decoded" in of["broken.flac"][-1]["error"]
    assert "does not exist" in of["nowhere.wav"][0]["error"]
    assert {value for name, value in of["nowhere.wav"][0].items() if name not in ("file", "error", "kind")} == {""}
    assert not any(row["error"] for row in rows if row["file"].endswith("whole.flac"))


def test_a_folder_of_recordings_is_heard_and_what_is_left_is_told(model, clip, tmp_path, capsys):
    (tmp_path / "in" / "below").mkdir(parents=True)
    clip.rename(tmp_path / "in" / "below" / "one.wav")
    (tmp_path / "in" / "notes.txt").write_text("no sound")
    out = tmp_path / "scores.csv"
    assert run("classify", model, tmp_path / "in", "--out", out) == 0
    rows = list(csv.DictReader(out.open()))
    assert [row["kind"] for row in rows[-2:]] == ["window", "clip"]
    assert {Path(row["file"]).name for row in rows} == {"one.wav"}
    assert rows[-1]["start_seconds"] == rows[-1]["level_dbfs"] == ""
    assert set(rows[-1]["decision"].split("+")) <= set(TINY_LABELS)
    assert "in: 1 recording; not taken: notes.txt" in capsys.readouterr().err

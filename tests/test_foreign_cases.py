"""Files of others on the command line: heard, listened to, shown and converted, with the same notes once."""

from __future__ import annotations

import json
import os
import threading
import wave
from pathlib import Path

import numpy as np
import pytest
from foreign_files import ending_in, with_metadata

import earproof
from metadata import read_spec

RATE = 16_000
CASES = Path(__file__).parents[2] / "shared/cases"


def case(name: str) -> Path:
    path = CASES / f"{name}.tflite"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    return path


@pytest.fixture
def loud(tmp_path) -> Path:
    """3 s of a loud tone."""
    samples = 26_000 * np.sin(np.arange(3 * RATE) / 5.0)
    path = tmp_path / "loud.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


@pytest.mark.parametrize("merge", ["mean", "maximum", "union"])
def test_a_loud_tone_is_speech_to_the_log_softmax_model_under_every_merge(loud, merge, capsys):
    assert earproof.main(["classify", str(case("logsoftmax_meta")), str(loud), "--merge", merge, "--json"]) == 0
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    decision = document["recordings"][0]["clip"]["decision"]
    assert decision == (["speech"] if merge == "union" else "speech")
    assert document["model"]["score_transform"] == "exp"
    assert any("log-softmax" in note for note in document["model"]["notes"])
    assert shown.err.count("log-softmax") == 1


def test_listen_hears_the_loud_tone_of_the_log_softmax_model(loud, capsys):
    assert earproof.main(["listen", str(case("logsoftmax_meta")), str(loud)]) == 0
    (event,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert event["label"] == "speech"


BENCH = ["bench", "FILE", "--num-runs", "1", "--warmup-runs", "0", "--num-threads", "1,2", "--cold-runs"]


@pytest.mark.parametrize(
    "verb",
    [[*BENCH, "0"], [*BENCH, "1"], ["parity", "FILE", "--audio", "AUDIO"], ["classify", "FILE", "AUDIO", "--phone"]],
)
def test_every_verb_tells_a_note_once(verb, loud, tmp_path, capsys):
    path = tmp_path / "theirs.tflite"
    path.write_bytes(with_metadata(ending_in("SOFTMAX", (1, 44_100)), files={"labels.txt": b"a\r\nb\r\nc"}))
    words = {"FILE": str(path), "AUDIO": str(loud)}
    assert earproof.main([words.get(word, word) for word in verb]) == 0
    assert capsys.readouterr().err.count("CR LF line ends") == 1


def test_the_rate_in_the_metadata_is_kept_where_labels_are_given(tmp_path, capsys):
    pytest.importorskip("ai_edge_quantizer")
    labels = tmp_path / "labels"
    os.mkfifo(labels)
    threading.Thread(target=labels.write_bytes, args=(b"a\nb\nc\n",), daemon=True).start()
    arguments = [str(case("tm44100_crlf")), "--labels", str(labels), "--out", str(tmp_path / "out")]
    assert earproof.main(["convert", *arguments, "--recipe", "float16"]) == 0
    spec = read_spec((tmp_path / "out" / "clap detector-float16.tflite").read_bytes())
    assert (spec.sample_rate, spec.version, spec.labels) == (44_100, "v3", ("a", "b", "c"))
    assert capsys.readouterr().err.count("CR LF line ends") == 1


def test_a_rate_that_nobody_states_is_asked_for(tmp_path, capsys):
    pytest.importorskip("ai_edge_quantizer")
    model, labels = tmp_path / "plain.tflite", tmp_path / "labels.txt"
    model.write_bytes(ending_in("SOFTMAX"))
    labels.write_text("a\nb\nc\n")
    arguments = ["convert", str(model), "--labels", str(labels), "--out", str(tmp_path / "out")]
    assert earproof.main([*arguments, "--recipe", "float16"]) == 2
    assert "--sample-rate HZ" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.fixture
def recordings(tmp_path) -> Path:
    soundfile = pytest.importorskip("soundfile")
    rng = np.random.default_rng(3)
    for label, level in (("silence", 0.001), ("song", 0.1), ("speech", 0.5)):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(4):
            samples = rng.uniform(-level, level, int(1.5 * RATE))
            soundfile.write(tmp_path / "data" / label / f"{number}.wav", samples, RATE)
    return tmp_path / "data"


def test_labels_in_another_order_than_the_folders_are_converted_in_the_order_of_the_file(recordings, tmp_path):
    pytest.importorskip("ai_edge_quantizer")
    out = tmp_path / "out"
    arguments = ["convert", str(case("order_meta")), "--data", str(recordings), "--out", str(out)]
    arguments += ["--cache", str(tmp_path / "cache"), "--recipe", "float16", "--num-runs", "2", "--warmup-runs", "0"]
    assert earproof.main(arguments) in (0, 1)
    labels = ("speech", "silence", "song")
    assert read_spec((out / "clap detector-float16.tflite").read_bytes()).labels == labels
    golden = np.load(out / "golden" / "clap detector.npz")
    truth = [labels.index(group.split("/")[0]) for group in golden["groups"]]
    assert golden["truth"].tolist() == truth


def test_a_difference_between_the_labels_of_folders_and_model_is_told_both_ways(recordings, tmp_path, capsys):
    pytest.importorskip("ai_edge_quantizer")
    (recordings / "song").rename(recordings / "singing")
    arguments = ["convert", str(case("order_meta")), "--data", str(recordings), "--out", str(tmp_path / "out")]
    assert earproof.main([*arguments, "--cache", str(tmp_path / "cache")]) == 2
    assert "the recordings alone have singing; the model alone has song" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("ending", "options"), [("LOG_SOFTMAX", []), ("LOG", []), ("LOGITS", ["--activation", "softmax"])]
)
def test_convert_puts_the_activation_inside_so_that_its_files_put_out_scores(ending, options, loud, tmp_path):
    pytest.importorskip("ai_edge_quantizer")
    from convert.graph.model_scores import model_scores

    model, out = tmp_path / "theirs.tflite", tmp_path / "out"
    model.write_bytes(with_metadata(ending_in(ending), lambda values: values.update(name="theirs")))
    arguments = ["convert", str(model), "--sample-rate", "16000", "--out", str(out), "--recipe", "float16", *options]
    assert earproof.main(arguments) == 0
    written = (out / "theirs-float32.tflite").read_bytes()
    assert read_spec(written).score_transform == "none"
    window = np.random.default_rng(0).uniform(-0.5, 0.5, (1, RATE)).astype(np.float32)
    np.testing.assert_allclose(model_scores(written, window), model_scores(ending_in("SOFTMAX"), window), atol=1e-6)


@pytest.mark.parametrize("name", ["../outside", "/elsewhere/name", "yamnet/classification"])
def test_a_name_that_leads_elsewhere_stays_below_the_output_folder(name, tmp_path):
    path, out = tmp_path / "theirs.tflite", tmp_path / "in" / "out"
    path.write_bytes(with_metadata(ending_in("SOFTMAX", (1, 44_100)), files={"labels.txt": b"a\nb\nc"}))
    out.parent.mkdir()
    before = sorted(tmp_path.rglob("*"))
    assert earproof.main(["convert", str(path), "--name", name, "--out", str(out), "--recipe", "float32"]) == 0
    written = [file for file in sorted(tmp_path.rglob("*")) if file not in before]
    assert all(out == file or out in file.parents for file in written)
    (model,) = out.glob("*.tflite")
    assert model.name == f"{name.replace('/', '_').replace('..', '_..', 1)}-float32.tflite"
    assert read_spec(model.read_bytes()).name == name

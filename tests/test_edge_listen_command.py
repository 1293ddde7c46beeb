"""`earproof listen` as a user has it: recordings, pipes, Ctrl-C, files."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from test_edge_command import run, write_wav
from tiny_tflite import TINY_LABELS, tiny_classifier, tiny_spec

import earproof
from edge_runtime.audio.wav_file import WavFile
from edge_runtime.bench.test_signal import speech_like
from metadata import MelFrontEnd
from metadata.packing.packed_model import pack_model

REPOSITORY = Path(__file__).resolve().parents[1]
ALWAYS = ["--on", "0", "--min-duration", "0", "--min-gap", "0"]  # whichever label wins is an event


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    return path


@pytest.fixture
def clip(tmp_path):
    return write_wav(tmp_path / "clip.wav", 100_000)


def events(text):
    return [json.loads(line) for line in text.splitlines()]


def command_line(*arguments):
    return [sys.executable, "-m", "earproof", "listen", *map(str, arguments)]


def test_the_events_of_a_softmax_model_cover_a_recording_without_overlap(model, clip, capsys):
    assert run("listen", model, clip, *ALWAYS) == 0
    printed = capsys.readouterr()
    found = events(printed.out)

    assert found[0]["start_seconds"] == 0.0
    assert found[-1]["end_seconds"] == 6.25
    assert [one["start_seconds"] for one in found[1:]] == [one["end_seconds"] for one in found[:-1]]
    assert {one["label"] for one in found} <= set(TINY_LABELS)
    assert "6.25 s heard, 13 ticks" in printed.err
    assert "16000 Hz, a decision every 0.5 s" in printed.err


def test_the_files_hold_what_stdout_says(model, clip, tmp_path, capsys):
    paths = [tmp_path / f"events.{suffix}" for suffix in ("jsonl", "csv", "txt")]
    run("listen", model, clip, *ALWAYS, *(item for path in paths for item in ("--out", path)))
    out = capsys.readouterr().out
    found = events(out)

    assert paths[0].read_text() == out
    assert [row["label"] for row in csv.DictReader(paths[1].open())] == [one["label"] for one in found]
    assert [float(line.split("\t")[0]) for line in paths[2].read_text().splitlines()] == pytest.approx(
        [one["start_seconds"] for one in found], abs=1e-3
    )


def test_a_file_of_events_is_not_overwritten_by_chance(model, clip, tmp_path):
    out = tmp_path / "events.csv"
    out.write_text("mine")
    with pytest.raises(FileExistsError, match="--force"):
        run("listen", model, clip, "--out", out)
    assert out.read_text() == "mine"

    assert run("listen", model, clip, "--out", out, "--force") == 0


def test_only_the_labels_asked_for_are_reported(model, clip, capsys):
    run("listen", model, clip, *ALWAYS)
    wanted = events(capsys.readouterr().out)[0]["label"]
    run("listen", model, clip, *ALWAYS, "--label", wanted)

    assert {one["label"] for one in events(capsys.readouterr().out)} == {wanted}


def test_thresholds_are_for_all_labels_or_for_one(model, clip, capsys):
    run("listen", model, clip, "--on", "1", "--off", "1")
    assert capsys.readouterr().out == ""

    run("listen", model, clip, *(item for label in TINY_LABELS[1:] for item in ("--on", f"{label}=1")), *ALWAYS)
    assert {one["label"] for one in events(capsys.readouterr().out)} <= {TINY_LABELS[0]}


def test_a_sigmoid_model_has_events_that_overlap(tmp_path, clip, capsys):
    path = tmp_path / "sigmoid.tflite"
    spec = tiny_spec(activation="sigmoid", thresholds=(0.0, 0.0, 1.0))
    path.write_bytes(pack_model(tiny_classifier(activation="sigmoid"), spec))
    run("listen", path, clip)
    found = events(capsys.readouterr().out)

    assert [(one["label"], one["start_seconds"], one["end_seconds"]) for one in found] == [
        (TINY_LABELS[0], 0.0, 6.25),
        (TINY_LABELS[1], 0.0, 6.25),
    ]


def test_a_spectrogram_model_ticks_on_whole_frames_and_says_what_that_saves(tmp_path, clip, capsys):
    path = tmp_path / "mel.tflite"
    spec = tiny_spec(front_end=MelFrontEnd(inside_model=False))
    path.write_bytes(pack_model(tiny_classifier(input_shape=(1, 128, 63, 1)), spec))
    run("listen", path, clip)
    err = capsys.readouterr().err
    assert "a decision every 0.512 s" in err
    assert "% of the front end's frames were reused" in err

    run("listen", path, clip, "--tick", "0.5")
    assert "reused" not in capsys.readouterr().err


@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_a_pipe_is_heard_as_the_file_is(model, tmp_path, capsys, rate):
    clip = write_wav(tmp_path / "clip.wav", 5 * rate, rate)
    run("listen", model, clip, *ALWAYS)
    expected = capsys.readouterr().out
    raw = clip.read_bytes()[44:]
    for content, options in ((clip.read_bytes(), []), (raw, ["--raw-rate", rate])):
        done = subprocess.run(
            command_line(model, "-", *ALWAYS, *options), input=content, cwd=REPOSITORY, capture_output=True
        )

        assert done.returncode == 0, done.stderr
        assert done.stdout.decode() == expected


def test_listening_ends_after_the_duration(model, clip, capsys):
    run("listen", model, clip, *ALWAYS, "--duration", "3.2")
    printed = capsys.readouterr()

    assert events(printed.out)[-1]["end_seconds"] == 3.2
    assert "3.20 s heard, 7 ticks" in printed.err


def test_other_sound_files_go_to_the_decoder(model, clip, tmp_path, capsys):
    path = tmp_path / "clip.flac"
    path.write_bytes(b"fLaC and so on")
    run("listen", model, clip, *ALWAYS)
    expected = capsys.readouterr().out
    run("listen", model, path, *ALWAYS, decode=lambda path: WavFile(clip))

    assert capsys.readouterr().out == expected


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_closes_the_open_event_and_the_files(model, tmp_path, number):
    out = tmp_path / "events.csv"
    child = subprocess.Popen(
        command_line(model, "-", *ALWAYS, "--raw-rate", 16_000, "--out", out),
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    child.stdin.write((speech_like(5.0, 16_000) * 32767).astype("<i2").tobytes())
    child.stdin.flush()
    while b"a decision every" not in child.stderr.readline():  # the handlers are in place then
        assert child.poll() is None
    time.sleep(0.5)
    child.send_signal(number)
    child.stdin = None  # stays open on our side: the end comes from the signal alone
    stdout, stderr = child.communicate(timeout=60)

    assert child.returncode == 0, stderr
    found = events(stdout.decode())
    assert found[-1]["end_seconds"] == 5.0
    assert [float(row["end_seconds"]) for row in csv.DictReader(out.open())] == [one["end_seconds"] for one in found]
    assert b"5.00 s heard, 10 ticks" in stderr
    assert b"Traceback" not in stderr


def test_a_recording_cut_short_by_ctrl_c_says_so_by_its_exit_code(model, tmp_path):
    clip = write_wav(tmp_path / "long.wav", 16_000 * 600)
    child = subprocess.Popen(
        command_line(model, clip, *ALWAYS, "--tick", "0.02"),
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while b"a decision every" not in child.stderr.readline():
        assert child.poll() is None
    child.send_signal(signal.SIGINT)
    stdout, _ = child.communicate(timeout=60)

    assert child.returncode == 130
    assert events(stdout.decode())[-1]["end_seconds"] < 600


def test_a_reader_that_goes_away_is_no_error(model, tmp_path):
    clip = write_wav(tmp_path / "long.wav", 16_000 * 300)
    child = subprocess.Popen(
        command_line(model, clip, *ALWAYS), cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    child.stdout.readline()
    child.stdout.close()
    stderr = child.stderr.read()

    assert child.wait() == 0
    assert b"Traceback" not in stderr


def test_events_heard_before_a_fault_are_kept(model, tmp_path):
    """A pipe that ends in NaN: what was heard is closed and written, then the fault is named."""
    samples = np.concatenate([speech_like(3.0, 16_000), np.full(70_000, np.nan, np.float32)])
    head = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x03\0\x01\0\x80>\0\0\0\xfa\0\0\x04\0 \0data\xff\xff\xff\xff"
    done = subprocess.run(
        command_line(model, "-", *ALWAYS),
        input=head + samples.astype("<f4").tobytes(),
        cwd=REPOSITORY,
        capture_output=True,
    )

    assert done.returncode == 2
    assert b"standard input holds NaN or infinity" in done.stderr
    assert 0 < events(done.stdout.decode())[-1]["end_seconds"] <= 3.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--on", "loud"], "expected SCORE or LABEL=SCORE"),
        (["--on", "music=0.5"], "no label 'music'; expected one of silence, song, speech"),
        (["--label", "music"], "no label 'music'"),
        (["--on", "0.5", "--off", "0.6"], "off <= on"),
        (["--on", "2"], "on <= 1"),
        (["--tick", "0"], "positive time"),
        (["--smooth", "-1"], "0 .none. or more"),
        (["--min-gap", "nan"], "expected 0 or more"),
        (["--out", "events.xml"], "expected a name that ends in"),
        (["--duration", "0"], "--duration is 0.0 s"),
        (["--uncertain-within", "0.15"], "--uncertain-within says which windows --save-uncertain DIR keeps"),
        (["--device", "hw:0"], "--device chooses a microphone, and AUDIO is .*clip.wav"),
        (["--raw-rate", "16000"], "expected - as AUDIO too"),
        (["--raw-channels", "1"], "expected --raw-rate HZ too"),
        (["--force"], "expected --out FILE too"),
    ],
)
def test_a_wrong_use_is_refused(model, clip, arguments, message):
    with pytest.raises(ValueError, match=message):
        run("listen", model, clip, *arguments)


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_the_recording_may_stand_before_or_after_the_options(model, clip, place, capsys):
    options = [["--on", "0"], ["--min-duration", "0"], ["--min-gap", "0"]]
    options.insert(place, [clip])

    words = ["listen", model, *(item for option in options for item in option)]
    assert earproof.main([str(word) for word in words]) == 0
    assert events(capsys.readouterr().out)[-1]["end_seconds"] == 6.25


def test_what_follows_the_recording_is_not_swallowed(model, clip, capsys):
    with pytest.raises(SystemExit):
        earproof.main(["listen", str(model), "--on", "0", str(clip), str(clip)])
    assert "unrecognized arguments" in capsys.readouterr().err


def test_a_recording_that_is_not_there_is_named(model, tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        run("listen", model, tmp_path / "none.wav")


def test_where_there_is_no_event_the_scores_that_were_reached_are_told(model, clip, capsys):
    assert run("listen", model, clip, "--on", "1") == 0
    printed = capsys.readouterr()
    told = re.search(r"no score reached its threshold \(--on\); the highest: (.*)", printed.err)[1]

    assert printed.out == ""
    assert {part.split()[0] for part in told.split(", ")} == set(TINY_LABELS)
    assert all(0.0 < float(part.split()[1]) < 1.0 and part.endswith(" of 1") for part in told.split(", "))


def test_a_label_that_reached_its_threshold_too_briefly_is_told_with_what_an_event_needs(model, clip, capsys):
    assert run("listen", model, clip, "--on", "0", "--min-duration", "60") == 0

    assert "an event needs 60 s (--min-duration) as the highest score too" in capsys.readouterr().err


def test_where_there_is_an_event_no_reason_is_told(model, clip, capsys):
    assert run("listen", model, clip, *ALWAYS) == 0

    assert "ighest" not in capsys.readouterr().err


def test_only_the_labels_that_were_asked_for_are_told(model, clip, capsys):
    assert run("listen", model, clip, "--on", "1", "--label", "song") == 0

    assert re.search(r"the highest: song 0\.\d{3} of 1$", capsys.readouterr().err, re.MULTILINE)

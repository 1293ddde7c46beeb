"""`earproof data compose`, as a user calls it: scenes read back without a fault, and no side mixes with another."""

import csv
import json

import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE

import earproof
from train.annotations.annotated_index import annotated_index
from train.annotations.compose import ONSETS, SceneSettings
from train.data import compose_command
from train.recordings.clip import SPLITS


def _noise(seed, seconds, level):
    return level * np.random.default_rng(seed).standard_normal(round(seconds * SAMPLE_RATE))


@pytest.fixture
def data(tmp_path):
    for place, label in enumerate(("cat", "dog")):
        (tmp_path / "in" / label).mkdir(parents=True)
        for number in range(4):
            samples = _noise(10 * place + number, 1.0, 0.05)
            soundfile.write(tmp_path / "in" / label / f"{number}.wav", samples, SAMPLE_RATE)
    (tmp_path / "behind").mkdir()
    for number in range(3):
        soundfile.write(tmp_path / "behind" / f"room{number}.wav", _noise(90 + number, 3, 0.002), SAMPLE_RATE)
    return tmp_path


def _run(capsys, data, *more, background="behind"):
    arguments = ["data", "compose", data / "in", "--background", data / background, "--write", data / "out", *more]
    code = earproof.main([*map(str, arguments), "--cache", str(data / "cache")])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


SMALL = ("--scenes", "4:2:2", "--seconds", "3", "--event-seconds", "0.5", "1")


def _content(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_scenes_read_back_with_their_sides_groups_and_events_and_no_fault(capsys, data):
    code, out, _ = _run(capsys, data, *SMALL, "--json")
    assert code == 0
    found = annotated_index(data / "out")
    assert (found.notes, found.left_out, found.labels) == ((), (), ("cat", "dog"))
    assert [clip.split for clip in found.clips].count("train") == 4
    seconds = sum(event.duration for events in found.events.values() for event in events)
    assert sum(json.loads(out)["seconds"].values()) == pytest.approx(seconds, abs=0.02)
    assert soundfile.info(data / "out" / "train" / "1.wav").frames == 3 * SAMPLE_RATE


def test_no_clip_background_or_group_is_on_two_sides(capsys, data):
    assert _run(capsys, data, *SMALL)[0] == 0
    with (data / "out" / "meta.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for column, mark in (("clips", " | "), ("background", " | "), ("group", "|")):
        parts = [{part for row in rows if row["split"] == side for part in row[column].split(mark)} for side in SPLITS]
        assert all(parts)
        assert len(set().union(*parts)) == sum(map(len, parts))


def test_the_same_seed_writes_the_same_bytes_and_more_scenes_of_one_side_change_no_other(capsys, data):
    assert _run(capsys, data, *SMALL)[0] == 0
    first = _content(data / "out")
    assert _run(capsys, data, *SMALL, "--force")[0] == 0
    assert _content(data / "out") == first
    assert _run(capsys, data, *SMALL[2:], "--scenes", "6:2:2", "--force")[0] == 0
    assert (data / "out" / "val" / "1.wav").read_bytes() == first[
        (data / "out" / "val" / "1.wav").relative_to(data / "out")
    ]
    assert _run(capsys, data, *SMALL, "--force", "--seed", "1")[0] == 0
    assert _content(data / "out") != first


def test_one_background_is_cut_in_time_and_that_is_told(capsys, data):
    code, _, err = _run(capsys, data, *SMALL, background="one")
    assert code == 2
    assert "does not exist" in err
    (data / "one").mkdir()
    soundfile.write(data / "one" / "room.wav", _noise(90, 9, 0.002), SAMPLE_RATE)
    code, _, err = _run(capsys, data, *SMALL, background="one")
    assert code == 0
    assert "each recording is cut in 3 parts" in err
    groups = {clip.split: clip.groups[0] for clip in annotated_index(data / "out").clips}
    assert groups == {side: f"room ({side} part)" for side in SPLITS}


def test_what_is_left_out_is_told(capsys, data):
    soundfile.write(data / "in" / "cat" / "still.wav", np.zeros(SAMPLE_RATE), SAMPLE_RATE)
    (data / "in" / "dog" / "broken.wav").write_bytes(b"RIFF")
    crowded = ("--events", "3", "3", "--event-seconds", "1", "1", "--seconds", "1.5", "--polyphony", "1")
    code, _, err = _run(capsys, data, "--scenes", "2", *crowded)
    assert code == 0
    assert "1 clip is silent, cat/still.wav" in err
    assert "broken.wav" in err
    assert "left out: 12 events that found no room" in err  # two of three in each of six scenes


def test_a_call_that_fails_midway_leaves_nothing_behind(capsys, data, monkeypatch):
    def fail(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr("train.annotations.scene_folder.write_segments", fail)
    code, _, err = _run(capsys, data, *SMALL)
    assert code == 2
    assert "the disk is full" in err
    assert [path.name for path in (data / "out").iterdir()] == [".earproof"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("--scenes", "0"), "at least one scene"),
        (("--scenes", "3:4"), "expected a number, or three"),
        (("--events", "3", "1"), "expected the smaller number first"),
        (("--event-seconds", "11", "12"), "no longer than the scene"),
        (("--polyphony", "0"), "at least 0, and at least 1"),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_read(capsys, data, wrong, told):
    code, _, err = _run(capsys, data, *wrong)
    assert code == 2
    assert told in err
    assert not (data / "out").exists()


def test_a_folder_of_somebody_else_is_never_emptied(capsys, data):
    (data / "out").mkdir()
    (data / "out" / "mine.txt").write_text("mine")
    code, _, err = _run(capsys, data, *SMALL, "--force")
    assert code == 2
    assert "earproof did not write" in err
    assert (data / "out" / "mine.txt").read_text() == "mine"


def test_the_help_tells_the_defaults_that_are_used():
    settings = SceneSettings()
    assert {name: getattr(settings, name) for name in compose_command.DEFAULTS} == compose_command.DEFAULTS
    assert (compose_command.ONSETS, compose_command.SIDES) == (ONSETS, SPLITS)


def test_scenes_are_composed_of_the_events_of_annotated_recordings_too(capsys, data):
    rows = ["filename,onset,offset,event_label"]
    (data / "scenes").mkdir()
    for number in range(6):
        samples = _noise(50 + number, 4, 0.0005)
        samples[SAMPLE_RATE : 2 * SAMPLE_RATE] += _noise(70 + number, 1, 0.05)
        soundfile.write(data / "scenes" / f"{number}.wav", samples, SAMPLE_RATE)
        rows += [f"{number}.wav,1000,2000,{'cat' if number % 2 else 'dog'}"]
    rows += ["0.wav,2500,3500,cat", "0.wav,3000,3800,dog", "1.wav,3000,3600,cat", "1.wav,3200,3900,dog"]
    (data / "scenes" / "annotations.csv").write_text("\n".join(rows) + "\n")
    arguments = ["data", "compose", data / "scenes", "--background", data / "behind", "--write", data / "out", *SMALL]
    arguments += ["--cache", data / "cache", "--json"]
    assert earproof.main(list(map(str, arguments))) == 2
    assert "are the times in milliseconds" in capsys.readouterr().err
    assert earproof.main([*map(str, arguments), "--unit", "milliseconds"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["events_not_alone"] == 3
    assert "the clips are what sounds alone of 7 events" in printed.err
    assert "left out: 3 events of which less than 0.5 s sound alone" in printed.err
    scenes = annotated_index(data / "out")
    assert scenes.labels == ("cat", "dog")
    samples, _ = soundfile.read(data / "out" / "train" / "1.wav")
    for event in scenes.events["train/1.wav"]:
        heard = samples[round(event.onset * SAMPLE_RATE) : round(event.offset * SAMPLE_RATE)]
        assert np.sqrt(np.mean(heard**2)) > 2 * 0.002

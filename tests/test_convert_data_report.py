"""What a build says of its recordings."""

import json
from dataclasses import replace

import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE, tone

from convert.html_report.model_card import NO_LICENCE, licence_line
from convert.html_report.run_record import RunRecord, TrainingRecord
from convert.report.data_report import data_notes, describe_data
from train.recordings.clip_index import find_clips
from train.recordings.store.clip_store import load_clips


def _loaded(root):
    for label in ("a", "b"):
        (root / label).mkdir(parents=True)
        soundfile.write(root / label / "1.wav", tone(440, 0.2) + np.float32(0.01) * (label == "b"), SAMPLE_RATE)
    (root / "a" / "broken.wav").write_bytes(b"RIFF")
    for number in range(30):
        (root / "a" / f"{number}.m4a").write_bytes(b"")
    (root / "_silence_").mkdir()
    soundfile.write(root / "_silence_" / "1.wav", tone(1, 0.2), SAMPLE_RATE)
    return load_clips(find_clips(root), SAMPLE_RATE, root.parent / "cache")


def test_a_report_says_what_was_assumed_left_out_and_unreadable(tmp_path):
    data = json.loads(json.dumps(describe_data(_loaded(tmp_path / "in"))))
    assert data["clips"] == 3
    assert data["source"] == f"the folders of {tmp_path / 'in'}"
    assert data["not_read"]["other_format"]["count"] == 30
    assert len(data["not_read"]["other_format"]["paths"]) == 20
    assumed, left_out, unreadable = data_notes(data)
    assert assumed.startswith("Data: read as labels too: _silence_")
    assert left_out.startswith("Data: left out, 30: a/0.m4a, a/1.m4a, a/10.m4a and 27 more (sound of a format")
    assert unreadable.startswith("Data: unreadable, 1: ")
    assert "broken.wav" in unreadable


def test_recordings_are_counted_by_licence(tmp_path):
    clips = _loaded(tmp_path / "in")
    assert describe_data(clips)["licences"] == {"": 3}
    first, *others = clips.index.clips
    named = clips.index.with_clips([replace(first, licence="CC0"), *others])
    assert describe_data(replace(clips, index=named))["licences"] == {"": 2, "CC0": 1}


@pytest.mark.parametrize(
    ("licences", "rows", "told"),
    [
        ({"CC BY 3.0": 2, "": 1, "CC0": 1}, (), "CC BY 3.0: 2 recordings; CC0: 1 recording; not recorded: 1 recording"),
        ({"": 3}, (), NO_LICENCE),
        (None, ({"licence": "CC0"}, {"licence": "CC0"}), "CC0: 2 recordings"),  # of a conversion: split.csv has them
        (None, ({"path": "a.wav"},), NO_LICENCE),
    ],
)
def test_the_model_card_tells_licences_or_how_to_record_them(licences, rows, told):
    data = None if licences is None else {"licences": licences}
    training = TrainingRecord(model="net", split=rows)
    run = RunRecord(report={"data": data}, trainings={"net": training}, golden={}, drift={}, faults=())
    assert licence_line(run) == told


def test_a_report_of_no_build_says_nothing_of_recordings():
    assert data_notes(None) == []

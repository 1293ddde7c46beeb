import csv
import json

import pytest

from edge_runtime.listen.event_files import Event, open_event_file

EVENTS = [
    Event(label="song", start_seconds=0.25, end_seconds=2.0004, peak_score=0.98765, mean_score=0.5),
    Event(label='a "b",\tc', start_seconds=86_399.5, end_seconds=86_400.0, peak_score=1.0, mean_score=0.75),
]


def written(path):
    file = open_event_file(path)
    seen = []
    for event in EVENTS:
        file.write(event)
        seen.append(path.read_text())  # before it is closed
    file.close()
    assert path.read_text() == seen[-1]
    return seen


def test_json_lines_hold_one_event_each(tmp_path):
    lines = written(tmp_path / "events.jsonl")[-1].splitlines()

    assert json.loads(lines[0]) == {
        "label": "song",
        "start_seconds": 0.25,
        "end_seconds": 2.0,
        "duration_seconds": 1.75,
        "peak_score": 0.9877,
        "mean_score": 0.5,
    }
    assert json.loads(lines[1])["label"] == EVENTS[1].label


def test_the_table_has_a_head_and_quotes_what_needs_it(tmp_path):
    written(tmp_path / "events.csv")
    with (tmp_path / "events.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    assert [row["label"] for row in rows] == [event.label for event in EVENTS]
    assert [float(row["end_seconds"]) for row in rows] == [2.0, 86_400.0]


def test_audacity_reads_start_end_and_label_between_tabs(tmp_path):
    lines = written(tmp_path / "events.txt")[-1].splitlines()

    assert lines[0] == "0.250000\t2.000400\tsong"
    assert lines[1].split("\t") == ["86399.500000", "86400.000000", 'a "b", c']


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "txt"])
def test_each_event_is_in_the_file_before_the_next_one_is_heard(tmp_path, suffix):
    seen = written(tmp_path / f"events.{suffix}")

    assert seen[0].endswith("\n")
    assert seen[1].startswith(seen[0])
    assert seen[1].count("\n") == seen[0].count("\n") + 1


def test_a_file_that_is_there_is_overwritten_only_when_told_to(tmp_path):
    path = tmp_path / "events.csv"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="--force"):
        open_event_file(path)
    assert path.read_text() == "mine"

    open_event_file(path, force=True).close()
    assert path.read_text().startswith("label,")


@pytest.mark.parametrize("name", ["events", "events.xml", "events.json"])
def test_another_suffix_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"\.jsonl, \.csv or \.txt"):
        open_event_file(tmp_path / name)

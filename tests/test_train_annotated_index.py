"""Recordings with annotations: their groups and folds hold, and every fault is listed at once."""

import wave
from pathlib import Path

import pytest

from edge_runtime.segments.segment import Segment
from train.annotations.annotated_index import annotated_index

EVENTS = Path(__file__).resolve().parents[1] / "../shared/data/events"
HEADER = "filename,onset,offset,event_label\n"


def _folder(tmp_path, annotations, meta="", seconds=2, rate=8000):
    for name in ("a", "b", "c"):
        with wave.open(str(tmp_path / f"{name}.wav"), "wb") as file:
            file.setparams((1, 2, rate, 0, "NONE", ""))
            file.writeframes(b"\1\0" * (rate * seconds))
    (tmp_path / "annotations.csv").write_text(HEADER + annotations, encoding="utf-8")
    if meta:
        (tmp_path / "meta.csv").write_text(meta, encoding="utf-8")
    return tmp_path


def test_labels_are_those_of_the_events_and_group_fold_and_side_those_of_the_table(tmp_path):
    meta = "filename,group,fold,split\na.wav,kitchen,1,train\nb.wav,kitchen,2,train\n"
    found = annotated_index(_folder(tmp_path, "a.wav,0,1,dog\nb.wav,0.5,1,cat\nb.wav,0,1,dog\n", meta))
    assert [(clip.path, clip.labels, clip.group, clip.fold, clip.split) for clip in found.clips] == [
        ("a.wav", ("dog",), "kitchen", "1", "train"),
        ("b.wav", ("cat", "dog"), "kitchen", "2", "train"),
    ]
    assert [one.path for one in found.left_out] == ["c.wav"]
    assert found.labels == ("cat", "dog")


def test_a_recording_without_an_event_stays_without_a_label_and_is_told(tmp_path):
    found = annotated_index(_folder(tmp_path, "a.wav,0,1,dog\nb.wav,0,1,dog\n"))
    assert (found.clips[2].path, found.clips[2].labels) == ("c.wav", ())
    assert found.events["c.wav"] == ()
    assert found.notes == ("1 recording has no event: no label sounds there; c.wav",)


def test_a_recording_without_an_event_has_the_side_that_the_table_gives_it(tmp_path):
    meta = "filename,split\na.wav,train\nb.wav,train\nc.wav,test\n"
    found = annotated_index(_folder(tmp_path, "a.wav,0,1,dog\nb.wav,0,1,dog\n", meta))
    assert [(clip.labels, clip.split) for clip in found.clips] == [
        (("dog",), "train"),
        (("dog",), "train"),
        ((), "test"),
    ]


def test_labels_that_look_alike_are_told(tmp_path):
    found = annotated_index(_folder(tmp_path, "a.wav,0,1,dog\nb.wav,0,1,Dog\nc.wav,0,1,cat\n"))
    assert found.labels == ("Dog", "cat", "dog")
    (note,) = found.notes
    assert "Dog" in note
    assert "dog" in note


def test_another_file_of_annotations_is_of_the_recordings_that_it_names_alone(tmp_path):
    folder = _folder(tmp_path, "")
    (folder / "some.csv").write_text(f"{HEADER}a.wav,0,1,dog\nb.wav,,,\n")
    found = annotated_index(folder / "some.csv")
    assert [(clip.path, clip.labels) for clip in found.clips] == [("a.wav", ("dog",)), ("b.wav", ())]
    assert [(one.path, one.reason.kind) for one in found.left_out] == [("c.wav", "not_annotated")]


def test_events_of_one_label_that_overlap_are_merged_and_those_beyond_the_end_cut_and_both_are_told(tmp_path):
    found = annotated_index(_folder(tmp_path, "a.wav,0,1,dog\na.wav,0.5,1.5,dog\na.wav,1.7,2.5,cat\n"))
    assert found.events["a.wav"] == (
        Segment(onset=0, offset=1.5, label="dog"),
        Segment(onset=1.7, offset=2, label="cat"),
    )
    assert found.notes[:2] == (
        "1 event ends behind the end of the recording; cut there",
        "1 event was joined with another one of the same label that it overlaps or touches",
    )


def test_all_faults_are_listed_at_once(tmp_path):
    rows = "a.wav,1,0.5,dog\na.wav,3,4,dog\nd.wav,0,1,dog\na.wav,0,1,dug\n"
    with pytest.raises(ValueError, match="has 4 faults") as error:
        annotated_index(_folder(tmp_path, rows), labels=["dog", "cat"])
    for expected in ("from 1 to 0.5", "begins behind the end at 2 s", "no file 'd.wav'", "unknown label 'dug'"):
        assert expected in str(error.value)


@pytest.mark.parametrize(("factor", "unit"), [(1000, "milliseconds"), (8000, "samples")])
def test_times_that_are_no_seconds_are_refused_with_the_unit_that_mends_it(tmp_path, factor, unit):
    folder = _folder(tmp_path, f"a.wav,{factor},{2 * factor},dog\nb.wav,0,{factor},cat\n")
    with pytest.raises(ValueError, match=f"are the times in {unit}.*--unit {unit}"):
        annotated_index(folder)
    events = annotated_index(folder, unit=unit).events
    assert events["a.wav"] == (Segment(onset=1, offset=2, label="dog"),)


def test_a_label_track_beside_each_recording_is_read(tmp_path):
    folder = _folder(tmp_path, "")
    (folder / "annotations.csv").unlink()
    (folder / "a.txt").write_text("0.5\t1.0\tdog\n")
    (folder / "b.Table.1.selections.txt").write_text("Begin Time (s)\tEnd Time (s)\tSpecies\n0\t1\tcat\n")
    assert set(annotated_index(folder).events) == {"a.wav", "b.wav"}


def test_a_label_track_beside_a_table_is_left_out_and_counts_for_nothing(tmp_path):
    folder = _folder(tmp_path, "a.wav,0,1,dog\n")
    (folder / "a.txt").write_text("0.5\t1.0\tcat\n")
    found = annotated_index(folder)
    assert found.labels == ("dog",)
    assert ("a.txt", "annotations_beside_table") in [(one.path, one.reason.kind) for one in found.left_out]
    (folder / "other.csv").write_text((folder / "annotations.csv").read_text())
    named = annotated_index(folder, folder / "other.csv")
    assert "a.txt" not in [one.path for one in named.left_out]


def test_an_empty_label_track_says_that_its_recording_has_no_event(tmp_path):
    folder = _folder(tmp_path, "")
    (folder / "annotations.csv").unlink()
    (folder / "a.txt").write_text("0.5\t1.0\tdog\n")
    (folder / "b.txt").write_text("")
    found = annotated_index(folder)
    assert {name: len(events) for name, events in found.events.items()} == {"a.wav": 1, "b.wav": 0}


def test_label_tracks_of_recordings_of_one_name_are_those_beside_them_and_name_their_file_and_line(tmp_path):
    for day in ("first", "second"):
        (tmp_path / day).mkdir()
        folder = _folder(tmp_path / day, "")
        (folder / "annotations.csv").unlink()
        (folder / "a.txt").write_text(f"0.5\t1.0\t{day}\n")
    found = annotated_index(tmp_path)
    assert {name: events[0].label for name, events in found.events.items()} == {
        "first/a.wav": "first",
        "second/a.wav": "second",
    }
    (tmp_path / "second/a.txt").write_text("0.5\t1.0\tdog\n3\t4\tdog\n1\t0\tdog\n")
    with pytest.raises(
        ValueError, match=r"second/a\.txt, line 3, '1.*\n  second/a\.txt, line 2: second/a\.wav, 3 to 4"
    ):
        annotated_index(tmp_path)


@pytest.mark.skipif(not EVENTS.is_dir(), reason="the recordings are beside the project only where it is developed")
def test_the_scenes_are_read_with_their_folds():
    found = annotated_index(EVENTS)
    assert len(found.clips) == 64
    assert {clip.fold for clip in found.clips} == {"1", "2", "3", "4"}
    assert len(found.labels) == 10

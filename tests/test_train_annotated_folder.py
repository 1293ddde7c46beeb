"""Data with annotations are told from plain clips by their files, and these by their content."""

import pytest

from train.annotations.annotated_folder import TABLES, annotation_files, find_annotations, unread_annotations
from train.data.prepare import find_data

CLIPS = "path,labels,group,split,original,start_s,end_s\na.wav,dog,a,train,b.wav,0.5,1.5\n"
EVENTS = "filename,onset,offset,event_label\na.wav,0,1,dog\n"
TRACK = "0.5\t1.0\tdog\n"
SELECTIONS = "Selection\tBegin Time (s)\tEnd Time (s)\tSpecies\n1\t0\t1\tcat\n"


def _folder(tmp_path, **files):
    (tmp_path / "day").mkdir()
    (tmp_path / "day/a.WAV").write_bytes(b"")
    for name, text in files.items():
        (tmp_path / name.replace("__", "/").replace("_", ".")).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("table", TABLES)
def test_a_folder_with_a_table_of_annotations_has_that_table(tmp_path, table):
    folder = _folder(tmp_path, **{table.replace(".", "_"): EVENTS, "clips_csv": CLIPS})
    assert find_annotations(folder) == folder / table
    assert annotation_files(folder) == [folder / table]


@pytest.mark.parametrize(
    ("name", "content"),
    [("day__a_txt", TRACK), ("day__a_txt", SELECTIONS), ("day__a_Table_1_selections_txt", SELECTIONS)],
)
def test_a_folder_with_a_file_beside_a_recording_is_its_own_place_of_annotations(tmp_path, name, content):
    folder = _folder(tmp_path, **{name: content, "labels_txt": "dog\n"})
    assert find_annotations(folder) == folder
    assert [path.parent.name for path in annotation_files(folder)] == ["day"]


def test_plain_clips_have_none_whatever_texts_lie_beside_them(tmp_path):
    folder = _folder(tmp_path, day__a_txt="he said 0.5\n", labels_txt="dog\n", day__b_txt=TRACK, clips_csv=CLIPS)
    assert find_annotations(folder) is None
    assert find_annotations(folder / "clips.csv") is None


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("some.csv", EVENTS),
        ("some.csv", '\ufeff"Label";"Onset";"Offset"\n'),
        ("some.tsv", EVENTS.replace(",", "\t")),
        ("some.tsv", "a.wav\t0.0\t1.0\tdog\n"),
        ("some.rttm", "SPEAKER a 1 0 1 <NA> <NA> dog <NA>\n"),
        ("a.txt", TRACK),
    ],
)
def test_a_file_of_annotations_is_found_by_its_content(tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert find_annotations(tmp_path / name) == tmp_path / name


def test_a_table_of_clips_with_tabs_is_none(tmp_path):
    (tmp_path / "clips.tsv").write_text("path\tlabels\tgroup\tsplit\na.wav\tdog\t1\ttrain\n")
    assert find_annotations(tmp_path / "clips.tsv") is None


def test_two_tables_are_refused_and_no_annotations_too(tmp_path):
    folder = _folder(tmp_path, annotations_csv=EVENTS, annotations_tsv=EVENTS)
    with pytest.raises(ValueError, match=r"annotations\.csv and annotations\.tsv; name the one"):
        find_annotations(folder)
    with pytest.raises(FileNotFoundError, match="holds no annotations; expected annotations"):
        annotation_files(folder / "day")


def test_annotations_beside_a_table_and_those_of_no_recording_are_left_out_with_the_reason(tmp_path):
    folder = _folder(tmp_path, annotations_csv=EVENTS, day__a_txt=TRACK, day__b_txt=TRACK, day__notes_txt="he said\n")
    left_out = unread_annotations(folder, annotation_files(folder))
    assert [(one.path, one.reason.kind) for one in left_out] == [
        ("day/a.txt", "annotations_beside_table"),
        ("day/b.txt", "annotations_of_nothing"),
    ]


def test_a_label_track_beside_no_recording_of_its_name_is_told_beside_those_that_are_read(tmp_path):
    folder = _folder(tmp_path, day__a_txt=TRACK, day__b_txt=TRACK)
    left_out = unread_annotations(folder, annotation_files(folder))
    assert [one.path for one in left_out] == ["day/b.txt"]
    assert "expected its name without the ending: a.txt for a.wav" in left_out[0].reason.text


def test_label_tracks_that_name_no_recording_are_told_where_all_are_such(tmp_path, capsys):
    folder = _folder(tmp_path, day__b_txt=TRACK)
    with pytest.raises(FileNotFoundError, match=r"left out, 1: day/b\.txt \(annotations with the name of no recording"):
        annotation_files(folder)
    assert find_data(folder).events is None
    assert "left out, 1: day/b.txt (annotations with the name of no recording" in capsys.readouterr().err

"""Tables of mixtures: what is written is read again, and every fault is named at once."""

import csv

import numpy as np
import pytest
from many_tones import clip_index

from train.mixtures.mixture_index import pair_clips
from train.mixtures.mixture_table import read_mixtures, write_mixtures

COUNTS = {"train": 2, "val": 1, "test": 1}
HEADER = "first,second,first_label,second_label,split"


@pytest.fixture
def mixtures(tmp_path):
    index = clip_index("abc", COUNTS, tmp_path / "data")
    for clip in index.clips:
        path = index.root / clip.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return pair_clips(index)


def _table(tmp_path, *rows, header=HEADER):
    """A table in the folder of the recordings."""
    path = tmp_path / "data" / "mixtures.csv"
    path.write_text("\n".join([header, *rows, ""]))
    return path


def _faults(path, *arguments, **options):
    with pytest.raises(ValueError, match=str(path.name)) as refused:
        read_mixtures(path, *arguments, **options)
    return str(refused.value)


def test_a_row_names_parts_labels_groups_and_side(tmp_path, mixtures):
    write_mixtures(tmp_path / "mixtures.csv", mixtures)
    with (tmp_path / "mixtures.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(mixtures) == 12 + 3 + 3
    assert rows[0] == {
        "first": "data/a/train0.wav",
        "second": "data/b/train0.wav",
        "first_label": "a",
        "second_label": "b",
        "labels": "a;b",
        "first_group": "a-train0",
        "second_group": "b-train0",
        "split": "train",
    }


def test_what_is_written_is_read_again(tmp_path, mixtures):
    write_mixtures(tmp_path / "m.csv", mixtures)
    read = read_mixtures(tmp_path / "m.csv")
    assert read.clips.labels == ("a", "b", "c")
    paths, again = (
        {
            (*(str((found.clips.root / found.clips.clips[place].path).resolve()) for place in pair), split)
            for pair, split in zip(found.parts, found.splits, strict=True)
        }
        for found in (mixtures, read)
    )
    assert {(*sorted(pair[:2]), pair[2]) for pair in paths} == {(*sorted(pair[:2]), pair[2]) for pair in again}
    assert {clip.group for clip in read.clips.clips} == {clip.group for clip in mixtures.clips.clips}


def test_against_the_data_the_positions_are_the_same(tmp_path, mixtures):
    write_mixtures(tmp_path / "m.csv", mixtures)
    read = read_mixtures(tmp_path / "m.csv", mixtures.clips)
    assert read.clips is mixtures.clips
    assert np.array_equal(read.parts, mixtures.parts)
    assert np.array_equal(read.splits, mixtures.splits)


def test_more_columns_are_written_behind(tmp_path, mixtures):
    write_mixtures(tmp_path / "m.csv", mixtures, {"peak": [0.5] * len(mixtures)})
    assert (tmp_path / "m.csv").read_text().splitlines()[1].endswith(",train,0.5")
    assert len(read_mixtures(tmp_path / "m.csv")) == len(mixtures)


def test_a_table_edited_by_hand_needs_the_two_parts_alone_where_the_data_is_known(tmp_path, mixtures):
    path = _table(tmp_path, "b/train1.wav,a/train0.wav", "a/test0.wav,c/test0.wav", header="first,second")
    read = read_mixtures(path, mixtures.clips)
    assert [[mixtures.clips.clips[place].path for place in pair] for pair in read.parts] == [
        ["a/train0.wav", "b/train1.wav"],
        ["a/test0.wav", "c/test0.wav"],
    ]
    assert read.splits.tolist() == ["train", "test"]


def test_all_faults_are_listed_at_once(tmp_path, mixtures):
    path = _table(
        tmp_path,
        "a/train0.wav,b/train0.wav,a,b,train",
        "b/train0.wav,a/train0.wav,b,a,train",  # 3: the same, turned round
        "gone.wav,b/train0.wav,a,b,train",  # 4
        "a/train0.wav,a/train0.wav,a,a,train",  # 5
        "a/train0.wav,a/train1.wav,a,a,train",  # 6
        "a/train0.wav,c/train0.wav,a,wolf,train",  # 7
        "a/train0.wav,b/train1.wav,a,b,test",  # 8: a/train0 is on the train side before
        "a/val0.wav,b/val0.wav,a,b,valley",  # 9
        "b/train0.wav,c/train1.wav,a,c,train",  # 10: b/train0 is b before
    )  # fmt: skip
    text = _faults(path, labels=["a", "b", "c"])
    for fault in (
        "line 3: 'b/train0.wav' with 'a/train0.wav' is already on line 2",
        "line 4: no file 'gone.wav'",
        "line 5: 'a/train0.wav' is mixed with itself",
        "line 6: both parts are a: 'a/train0.wav' and 'a/train1.wav'",
        "line 7: unknown label 'wolf'; the labels are a, b, c",
        "line 8: 'a/train0.wav' is on the side test here and train before",
        "line 9: split 'valley'; expected train, val, test or nothing",
        "line 10: 'b/train0.wav' is a here and b before",
    ):
        assert fault in text


def test_parts_on_two_sides_of_the_data_are_a_fault(tmp_path, mixtures):
    path = _table(tmp_path, "a/train0.wav,b/test0.wav,,,", "a/val0.wav,b/val0.wav,,,train")
    text = _faults(path, mixtures.clips)
    assert "line 2: its parts are on two sides: a/train0.wav (train) and b/test0.wav (test)" in text
    assert "line 3: 'a/val0.wav' is on the side train here and val in the data" in text


def test_many_mixtures_on_other_sides_are_counted_with_the_options_that_part_them(tmp_path, mixtures):
    rows = [f"a/train{one}.wav,{name}/train{two}.wav,,,val" for name in "bc" for one in range(2) for two in range(2)]
    with pytest.raises(ValueError, match=r"8 mixtures stand on another side .*--test-fold") as fault:
        read_mixtures(_table(tmp_path, *rows), mixtures.clips)
    assert str(fault.value).count("\n  line ") == 5
    assert "\n  line 2: val here, train in the data" in str(fault.value)


def test_a_group_on_two_sides_is_a_fault(tmp_path, mixtures):
    path = _table(
        tmp_path,
        "a/train0.wav,b/train0.wav,a,b,train,dog 1,x",
        "a/test0.wav,b/test0.wav,a,b,test,dog 1,y",
        header=f"{HEADER},first_group,second_group",
    )
    assert "the group dog 1 is on 2 sides: test, train" in _faults(path)


def test_labels_that_the_model_does_not_know_are_named_with_those_it_knows(tmp_path, mixtures):
    path = _table(tmp_path, "a/train0.wav,c/train0.wav,a,wolf,train")
    assert "unknown label 'wolf'; the labels are a, b, c" in _faults(path, mixtures.clips)


def test_recordings_that_are_not_in_the_data_are_a_fault(tmp_path, mixtures):
    (tmp_path / "data" / "new.wav").write_bytes(b"")
    path = _table(tmp_path, "new.wav,c/train0.wav,a,c,train")
    assert "'new.wav' is not among the 12 clips of tones" in _faults(path, mixtures.clips)


def test_ten_faults_are_named_and_the_others_counted(tmp_path, mixtures):
    path = _table(tmp_path, *["gone.wav,b/train0.wav,a,b,train"] * 14)
    text = _faults(path)
    assert "has 14 faults" in text
    assert "and 4 more" in text


@pytest.mark.parametrize(
    ("header", "rows", "reason"),
    [
        ("first,labels", ["x,y"], "no column second"),
        ("first,second", ["a/train0.wav,b/train0.wav"], "no column first_label, second_label"),
        (HEADER, [], "lists no mixtures"),
    ],
)
def test_a_table_of_something_else_is_refused(tmp_path, mixtures, header, rows, reason):
    assert reason in _faults(_table(tmp_path, *rows, header=header))

from dataclasses import replace

import pytest

from metadata import ModelWarning
from train.recordings.clip_index import Clip, ClipIndex, combine, find_clips, read_index, write_index


def _tree(root, names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def _table(root, text, names=("a.wav", "b.wav")):
    _tree(root, names)
    (root / "clips.csv").write_text(text)
    return root / "clips.csv"


def test_a_folder_tree_gives_one_label_a_folder_and_one_group_a_recording(tmp_path):
    index = find_clips(_tree(tmp_path, ["dog/1.wav", "dog/deep/2.FLAC", "cat/3.ogg", "cat/4.mp3", "cat/notes.txt"]))
    assert index.labels == ("cat", "dog")
    assert [(clip.path, clip.labels, clip.group) for clip in index.clips] == [
        ("cat/3.ogg", ("cat",), "cat/3"),
        ("cat/4.mp3", ("cat",), "cat/4"),
        ("dog/1.wav", ("dog",), "dog/1"),
        ("dog/deep/2.FLAC", ("dog",), "dog/deep/2"),
    ]


def test_hidden_folders_and_files_are_not_clips(tmp_path):
    index = find_clips(_tree(tmp_path, ["a/1.wav", "b/2.wav", ".cache/3.wav", "__pycache__/4.wav", "b/._2.wav"]))
    assert [clip.path for clip in index.clips] == ["a/1.wav", "b/2.wav"]


def test_a_label_file_gives_the_output_order(tmp_path):
    _tree(tmp_path, ["a/1.wav", "b/2.wav"])
    (tmp_path / "labels.txt").write_bytes(b"b\na\n")
    assert find_clips(tmp_path).labels == ("b", "a")
    assert find_clips(tmp_path, ["a", "b"]).labels == ("a", "b")


def test_an_unknown_label_is_told_with_each_label_once(tmp_path):
    table = _table(tmp_path, "path,labels\na.wav,yes\n")
    (tmp_path / "labels.txt").write_bytes(b"no\nstop\n")
    with pytest.raises(ValueError, match=r"unknown label 'yes'; the labels are no, stop$"):
        read_index(table)


def test_numbered_labels_lose_their_numbers_only_where_the_folders_have_none(tmp_path):
    numbered = ["0 dog", "1 cat"]
    plain = find_clips(_tree(tmp_path / "plain", ["dog/1.wav", "cat/2.wav"]), numbered)
    assert plain.labels == ("dog", "cat")
    assert "'0 dog' is read as 'dog'" in plain.notes[0]
    kept = find_clips(_tree(tmp_path / "kept", ["0 dog/1.wav", "1 cat/2.wav"]), numbered)
    assert (kept.labels, kept.notes) == (("0 dog", "1 cat"), ())
    assert combine([plain, replace(plain, root=tmp_path / "more")], numbered).labels == ("dog", "cat")
    table = _table(tmp_path / "table", "path,labels\na.wav,dog\nb.wav,cat\n")
    (tmp_path / "table" / "labels.txt").write_bytes(b"0 dog\r\n1 cat\r\n")
    with pytest.warns(ModelWarning, match="CR LF"):
        assert read_index(table).labels == ("dog", "cat")


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        ([], "holds no recordings"),
        (["a/readme.txt", "b/x.pdf"], "holds no recordings"),
    ],
)
def test_a_folder_that_cannot_train_a_classifier_is_refused(tmp_path, names, reason):
    with pytest.raises(ValueError, match=reason):
        find_clips(_tree(tmp_path, names))


def test_one_label_is_an_index_but_nothing_to_train_on(tmp_path):
    index = find_clips(_tree(tmp_path, ["a/1.wav", "a/2.wav"]))
    assert index.labels == ("a",)
    with pytest.raises(ValueError, match="at least two"):
        index.check_labels()


def test_a_path_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        find_clips(tmp_path / "nowhere")


def test_clips_with_labels_outside_the_label_file_are_refused(tmp_path):
    with pytest.raises(ValueError, match="labelled b, but the labels are a, c"):
        find_clips(_tree(tmp_path, ["a/1.wav", "b/2.wav"]), ["a", "c"])


def test_a_csv_comes_before_the_folder_tree(tmp_path):
    _tree(tmp_path, ["x/1.wav", "y/2.wav"])
    (tmp_path / "clips.csv").write_text("path,labels,group,split\nx/1.wav,u;v,g,train\ny/2.wav,v,h,\n")
    index = find_clips(tmp_path)
    assert index.labels == ("u", "v")
    assert index.clips == (Clip("x/1.wav", ("u", "v"), "g", "train"), Clip("y/2.wav", ("v",), "h", ""))


def test_the_tables_of_other_data_sets_are_understood(tmp_path):
    _tree(tmp_path, ["1.wav", "2.wav"])
    (tmp_path / "meta.csv").write_text("filename,category,speaker_id,split_hint\n1.wav,a,s1,train\n2.wav,b,,test\n")
    clips = find_clips(tmp_path).clips
    assert clips == (Clip("1.wav", ("a",), "s1", "train"), Clip("2.wav", ("b",), "2.wav", "test"))


def test_an_index_reads_back_as_it_was_written_from_another_folder_too(tmp_path):
    _tree(tmp_path / "data", ["a/1.wav", "b/2.wav"])
    clips = (Clip("a/1.wav", ("a",), "g", "train"), Clip("b/2.wav", ("a", "b"), "h", "test"))
    (tmp_path / "run").mkdir()
    write_index(tmp_path / "run" / "split.csv", ClipIndex(tmp_path / "data", ("a", "b"), clips))
    again = read_index(tmp_path / "run" / "split.csv")
    assert [(clip.labels, clip.group, clip.split) for clip in again.clips] == [
        (clip.labels, clip.group, clip.split) for clip in clips
    ]
    assert [(again.root / clip.path).resolve() for clip in again.clips] == [
        tmp_path / "data" / clip.path for clip in clips
    ]


def test_all_faults_of_a_table_are_listed_at_once(tmp_path):
    path = _table(tmp_path, "path,labels,split\na.wav,x,train\na.wav,x,train\nmissing.wav,y,\nb.wav,,\nb.wav,y,later\n")
    with pytest.raises(ValueError, match="5 faults") as refusal:
        read_index(path)
    text = str(refusal.value)
    for fault in (
        "line 3: 'a.wav' is already on line 2",
        "line 4: no file 'missing.wav'",
        "line 5: no label",
        "line 6: 'b.wav' is already on line 5",
        "line 6: split 'later'",
    ):
        assert fault in text


def test_a_table_without_the_needed_columns_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected one named labels or label or category"):
        read_index(_table(tmp_path, "path,kind\na.wav,x\n"))


def test_a_recording_in_the_place_of_a_table_is_refused(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"RIFF\xff\x00\xfe")
    with pytest.raises(ValueError, match="is not a CSV table"):
        find_clips(tmp_path / "a.wav")


def test_a_table_without_rows_is_refused(tmp_path):
    with pytest.raises(ValueError, match="lists no clips"):
        read_index(_table(tmp_path, "path,labels\n"))


def test_unknown_labels_are_listed_with_all_other_faults(tmp_path):
    path = _table(tmp_path, "path,labels\na.wav,x;wolf\nb.wav,y\nb.wav,fox\ngone.wav,x\n")
    with pytest.raises(ValueError, match="4 faults") as refusal:
        read_index(path, ["x", "y"])
    for fault in (
        "line 2: unknown label 'wolf'; the labels are x, y",
        "line 4: 'b.wav' is already on line 3",
        "line 4: unknown label 'fox'",
        "line 5: no file 'gone.wav'",
    ):
        assert fault in str(refusal.value)


def test_a_long_list_of_faults_is_cut_after_ten(tmp_path):
    rows = "".join(f"gone{number}.wav,x\n" for number in range(25))
    with pytest.raises(ValueError, match="25 faults") as refusal:
        read_index(_table(tmp_path, f"path,labels\n{rows}"))
    assert str(refusal.value).endswith("and 15 more")


def test_recordings_are_found_in_an_audio_folder_beside_the_table_or_beside_its_folder(tmp_path):
    _tree(tmp_path, ["audio/1.wav", "meta/2.wav"])
    (tmp_path / "meta" / "table.csv").write_text("filename,category\n1.wav,a\n2.wav,b\n")
    (tmp_path / "table.csv").write_text("filename,category\n1.wav,a\nmeta/2.wav,b\n")
    assert [clip.path for clip in read_index(tmp_path / "meta" / "table.csv").clips] == ["../audio/1.wav", "2.wav"]
    assert [clip.path for clip in read_index(tmp_path / "table.csv").clips] == ["audio/1.wav", "meta/2.wav"]


def test_indices_are_combined_under_the_folder_that_holds_them_all(tmp_path):
    _tree(tmp_path, ["one/a/1.wav", "two/b/2.wav"])
    both = combine([find_clips(tmp_path / "one"), find_clips(tmp_path / "two").relabelled("c")])
    assert both.labels == ("a", "c")
    assert [(clip.path, clip.labels, clip.group) for clip in both.clips] == [
        ("one/a/1.wav", ("a",), "a/1"),
        ("two/b/2.wav", ("c",), "b/2"),
    ]
    with pytest.raises(ValueError, match="1 recording is given twice"):
        combine([find_clips(tmp_path / "one"), find_clips(tmp_path / "one")])
    with pytest.raises(ValueError, match="labelled c, but the labels are a, b"):
        combine([find_clips(tmp_path / "one"), find_clips(tmp_path / "two").relabelled("c")], ["a", "b"])


def test_annotated_clips_without_a_label_are_written_and_read_back_and_others_are_refused(tmp_path):
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(b"")
    clips = (Clip("a.wav", ("dog",), "1", "train"), Clip("b.wav", (), "2", "test"))
    index = ClipIndex(tmp_path, ("dog",), clips)
    with pytest.raises(ValueError, match=r"'b\.wav': no label"):
        write_index(tmp_path / "split.csv", index)
    write_index(tmp_path / "split.csv", replace(index, events={"a.wav": (), "b.wav": ()}))
    assert read_index(tmp_path / "split.csv", is_annotated=True).clips == clips
    with pytest.raises(ValueError, match="line 3: no label"):
        read_index(tmp_path / "split.csv")

import pytest

from train.recordings.clip_index import find_clips, read_index, write_index
from train.recordings.importers import choose_importer
from train.recordings.importers.esc import ESC_10_LABELS, LABELS, label_of_folder
from train.recordings.split import LeakError, split_by_fold, split_clips

ROWS = [  # filename, fold, target, category, esc10, src_file, take, as meta/esc50.csv has them
    "1-100032-A-0.wav,1,0,dog,True,100032,A",
    "1-110389-B-0.wav,1,0,dog,True,110389,B",
    "2-26806-A-1.wav,2,1,rooster,True,26806,A",
    "3-13571-A-46.wav,3,46,church_bells,False,13571,A",
]


def _files(root, names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def _newer(root, rows=ROWS, missing=()):
    names = [row.split(",")[0] for row in rows]
    _files(root, [f"audio/{name}" for name in names if name not in missing])
    (root / "meta").mkdir(parents=True)
    text = "\n".join(["filename,fold,target,category,esc10,src_file,take", *rows, ""])
    (root / "meta" / "esc50.csv").write_text(text)
    return root


def _older(root, folders=("101 - Dog", "102 - Rooster"), folds=5):
    return _files(
        root,
        [
            f"{folder}/{fold}-{place}{fold}-A.ogg"
            for place, folder in enumerate(folders)
            for fold in range(1, folds + 1)
        ],
    )


def test_the_table_gives_labels_folds_and_freesound_groups(tmp_path):
    index = find_clips(_newer(tmp_path))
    assert index.labels == ("church_bells", "dog", "rooster")
    assert "read as ESC-50" in index.source
    first, *_, last = index.clips
    assert (first.path, first.labels, first.fold) == ("audio/1-100032-A-0.wav", ("dog",), "1")
    assert (first.group, first.licence) == ("freesound_100032", "CC BY 3.0")
    assert (last.labels, last.fold, last.licence) == (("church_bells",), "3", "CC BY-NC 3.0")
    assert "10.1145/2733373.2806390" in first.source


def test_esc_10_is_the_subset_of_its_ten_labels(tmp_path):
    index = find_clips(_newer(tmp_path), dataset="esc10")
    assert index.labels == ("dog", "rooster")
    assert len(index.clips) == 3
    assert "ESC-10" in index.source


def test_a_folder_with_only_those_labels_is_recognized_as_esc_10(tmp_path):
    assert "read as ESC-10" in find_clips(_newer(tmp_path, ROWS[:3])).source
    assert "read as ESC-10" in find_clips(_older(tmp_path / "older")).source


def test_the_older_folders_give_the_same_labels_and_folds_from_the_names(tmp_path):
    index = find_clips(_older(tmp_path, ("101 - Dog", "309 - Snoring")))
    assert index.labels == ("dog", "snoring")
    clip = index.clips[2]
    assert (clip.path, clip.fold, clip.group) == ("101 - Dog/3-03-A.ogg", "3", "freesound_03")


@pytest.mark.parametrize(
    ("folder", "label"),
    [
        ("101 - Dog", "dog"),
        ("110 - Crow", "crow"),
        ("203 - Crackling fire", "crackling_fire"),
        ("510 - Hand saw", "hand_saw"),
        ("001 - Dog bark", "dog"),
        ("010 - Fire crackling", "crackling_fire"),
        ("111 - Wolf", ""),
        ("100 - Nothing", ""),
        ("601 - Nothing", ""),
        ("meta", ""),
    ],
)
def test_a_folder_of_the_older_layout_is_a_label_by_its_number(folder, label):
    assert label_of_folder(folder) == label


def test_the_label_lists_are_whole():
    assert (len(LABELS), len(set(LABELS))) == (50, 50)
    assert len(set(ESC_10_LABELS)) == 10
    assert set(ESC_10_LABELS) <= set(LABELS)


def test_all_faults_of_the_table_are_listed_at_once(tmp_path):
    rows = [*ROWS, ROWS[0], "4-1-A-50.wav,4,50,wolf,False,1,A"]
    with pytest.raises(ValueError, match="3 faults") as refusal:
        find_clips(_newer(tmp_path, rows, missing=["2-26806-A-1.wav"]))
    for fault in ("line 4: no file", "line 6: 'audio/1-100032-A-0.wav' is already on line 2", "unknown label 'wolf'"):
        assert fault.replace("audio/", "../audio/") in str(refusal.value)


def test_a_stray_recording_in_the_older_folders_is_refused_by_name(tmp_path):
    _files(_older(tmp_path), ["101 - Dog/my dog.ogg"])
    with pytest.raises(ValueError, match=r"1 file is not named as ESC-50 names them: my dog\.ogg"):
        find_clips(tmp_path)


def test_a_folder_of_another_layout_is_not_read_as_esc_50(tmp_path):
    _files(tmp_path, ["a/1.wav", "b/2.wav"])
    assert find_clips(tmp_path).labels == ("a", "b")
    with pytest.raises(ValueError, match="does not hold ESC-50; expected meta/esc50"):
        find_clips(tmp_path, dataset="esc50")


def test_a_misspelt_data_set_is_refused():
    with pytest.raises(ValueError, match="did you mean esc50"):
        choose_importer("ecs50")


def test_an_index_keeps_fold_licence_and_source(tmp_path):
    index = find_clips(_newer(tmp_path))
    write_index(tmp_path / "out.csv", index)
    assert (tmp_path / "out.csv").read_text().startswith("path,labels,group,split,fold,licence,source\n")
    assert read_index(tmp_path / "out.csv").clips == index.clips


def test_a_split_by_folds_validates_on_the_next_fold(tmp_path):
    index = find_clips(_older(tmp_path))
    for test_fold, val_fold in (("1", "2"), ("4", "5"), ("5", "1")):
        split = split_by_fold(index, test_fold)
        assert {clip.fold for clip in split.of_split("test")} == {test_fold}
        assert {clip.fold for clip in split.of_split("val")} == {val_fold}
        assert len(split.of_split("train")) == 6
    assert {clip.fold for clip in split_by_fold(index, "1", "4").of_split("val")} == {"4"}


def test_ten_folds_are_in_numerical_order(tmp_path):
    names = [f"{label}/{fold}.wav" for label in "ab" for fold in range(1, 11)]
    _files(tmp_path, names)
    rows = [f"{name},{name[0]},{name.split('/')[1][:-4]}" for name in names]
    (tmp_path / "clips.csv").write_text("\n".join(["path,labels,fold", *rows, ""]))
    split = split_by_fold(find_clips(tmp_path), "9")
    assert {clip.fold for clip in split.of_split("val")} == {"10"}


@pytest.mark.parametrize(
    ("folds", "test_fold", "val_fold", "reason"),
    [
        (5, "6", None, "no fold '6'.*are 1, 2, 3, 4, 5"),
        (5, "1", "x", "no fold 'x'"),
        (5, "2", "2", "cannot be the test and the validation side"),
        (2, "1", None, "there are 2 folds"),
    ],
)
def test_folds_that_cannot_split_are_refused(tmp_path, folds, test_fold, val_fold, reason):
    with pytest.raises(ValueError, match=reason):
        split_by_fold(find_clips(_older(tmp_path, folds=folds)), test_fold, val_fold)


def test_clips_without_folds_cannot_be_split_by_them(tmp_path):
    _files(tmp_path, ["a/1.wav", "b/2.wav"])
    with pytest.raises(ValueError, match="2 of 2 clips have no fold"):
        split_by_fold(find_clips(tmp_path), "1")


def test_a_recording_in_two_folds_is_a_leak(tmp_path):
    _files(_older(tmp_path), ["101 - Dog/5-01-A.ogg"])  # also 1-01-A.ogg
    with pytest.raises(LeakError, match=r"freesound_01 \(test and train\)|freesound_01 \(train and test\)"):
        split_by_fold(find_clips(tmp_path), "5", "2")


def test_without_a_test_fold_the_split_is_drawn_by_group(tmp_path):
    split = split_clips(find_clips(_older(tmp_path)), 0)
    assert all(clip.split for clip in split.clips)

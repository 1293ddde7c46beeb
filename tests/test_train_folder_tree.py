"""Folder trees as clips: labels, sides, folds, and what would vanish otherwise."""

import os

import pytest

from train.data.prepare import find_and_split
from train.recordings.clip_index import combine, find_clips
from train.recordings.left_out import count_left_out
from train.recordings.split import split_by_fold

LABELS = ("cat", "dog")


def _tree(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def _labels(*folders, count=3, labels=LABELS):
    return [f"{folder}{label}/{number}.wav" for folder in folders for label in labels for number in range(count)]


def _counts(index):
    return {kind: found["count"] for kind, found in count_left_out(index.left_out).items()}


def test_everything_in_a_folder_is_a_clip_or_counted(tmp_path):
    _tree(tmp_path, *_labels(""), "dog/a.m4a", "dog/notes.txt", "dog/__MACOSX/b.wav", "loose.wav", "docs/read.pdf")
    (tmp_path / "bird").mkdir()
    index = find_clips(tmp_path)
    assert len(index.clips) == 6
    assert _counts(index) == {"other_format": 1, "system": 1, "no_label": 1, "no_recordings": 2, "no_sound": 2}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["bird/a.m4a", "bird/b.m4a"], r"bird: 2: bird/a\.m4a, bird/b\.m4a \(sound of a format that is not read"),
        (["bird/deep/a.wma"], r"bird: 1: bird/deep/a\.wma"),
        (["bird/all.tar.gz"], r"bird: 1: bird/all\.tar\.gz \(archives; unpack them"),
    ],
)
def test_a_label_of_which_nothing_can_be_read_is_an_error_that_names_it(tmp_path, names, said):
    with pytest.raises(ValueError, match=said) as refused:
        find_clips(_tree(tmp_path, *_labels(""), *names))
    assert "1 label would get lost" in str(refused.value)
    assert "move the folders out" in str(refused.value)


def test_a_label_that_is_a_link_to_nothing_or_to_another_label_is_an_error(tmp_path):
    _tree(tmp_path, *_labels(""))
    os.symlink("gone", tmp_path / "bird")
    os.symlink("dog", tmp_path / "hound")
    with pytest.raises(ValueError, match="2 labels would get lost") as refused:
        find_clips(tmp_path)
    assert "bird: 1: bird (links that lead nowhere)" in str(refused.value)
    assert "hound: 1: hound/ (links to what is read under another name)" in str(refused.value)


def test_a_folder_of_a_side_in_which_nothing_can_be_read_is_an_error_too(tmp_path):
    _tree(tmp_path, *_labels("train/", "val/", "test/"), "train/bird/1.m4a")
    with pytest.raises(ValueError, match=r"train/bird: 1: train/bird/1\.m4a"):
        find_clips(tmp_path)


def test_a_folder_with_nothing_but_hidden_files_is_told(tmp_path):
    _tree(tmp_path, *_labels(""), "bird/.DS_Store", "bird/.ipynb_checkpoints/1.wav")
    assert _counts(find_clips(tmp_path)) == {"no_recordings": 1, "system": 2}


def test_folders_that_begin_with_an_underscore_are_labels_and_told(tmp_path):
    index = find_clips(_tree(tmp_path, *_labels("", labels=("yes", "_silence_", "_unknown_", "_background_noise_"))))
    assert index.labels == ("_background_noise_", "_silence_", "_unknown_", "yes")
    assert "read as labels too: _background_noise_, _silence_, _unknown_" in index.notes[0]


def test_recordings_without_folders_are_told_from_no_recordings(tmp_path):
    with pytest.raises(ValueError, match=r"holds 2 recordings \(1\.wav, 2\.wav\) and no folder of recordings"):
        find_clips(_tree(tmp_path, "1.wav", "2.wav", "docs/a.txt"))


def test_nothing_to_read_says_what_was_seen(tmp_path):
    with pytest.raises(ValueError, match=r"left out, 2: a/1\.m4a, b/2\.m4a"):
        find_clips(_tree(tmp_path, "a/1.m4a", "b/2.m4a"))


@pytest.mark.parametrize(
    "names",
    [
        ("train", "val", "test"),
        ("Training", "VALID", "Testing"),
        ("train", "validation", "eval"),
        ("train", "dev", "evaluation"),
        ("train", "eval", "test"),
    ],
)
def test_folders_of_sides_with_the_same_labels_are_sides_and_told(tmp_path, names):
    index = find_clips(_tree(tmp_path, *_labels(*(f"{name}/" for name in names))))
    assert index.labels == LABELS
    sides = {clip.path.split("/")[0]: clip.split for clip in index.clips}
    assert sides == dict(zip(names, ("train", "val", "test"), strict=True))
    assert "read as sides of a split" in index.notes[0]
    assert "because each holds the label folders cat, dog" in index.notes[0]
    assert "--dataset none" in index.notes[0]
    plain = find_clips(tmp_path, dataset="none")
    assert plain.labels == tuple(sorted(names))
    assert {clip.split for clip in plain.clips} == {""}


def test_without_a_folder_for_validation_that_side_is_drawn_from_the_training_clips_and_told(tmp_path, capsys):
    _tree(tmp_path, *_labels("train/", count=9), *_labels("test/", count=2))
    index = find_and_split(tmp_path, None, 0)
    assert {split: len(index.of_split(split)) for split in ("train", "val", "test")} == {
        "train": 14,
        "val": 4,
        "test": 4,
    }
    assert {clip.path.split("/")[0] for clip in index.of_split("test")} == {"test"}
    assert "the val side, for which there is no folder, was drawn: 15%" in capsys.readouterr().err
    assert find_and_split(tmp_path, None, 0).clips == index.clips


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([*_labels("train/", "val/", "test/"), "train/bird/1.wav"], "test has no bird; val has no bird"),
        (["train/1.wav", "test/2.wav"], "hold recordings and no label folders"),
        ([*_labels("train/", "test/"), "noise/1.wav"], "noise beside them do not"),
        (["fold1/100032-3-0-0.wav", "fold2/100263-2-0-117.wav"], "the folder above with the table"),
        ([*_labels("fold1/"), "fold2/cat/1.wav"], "fold2 has no dog"),
    ],
)
def test_sides_and_folds_that_are_not_alike_are_refused_with_a_way_out(tmp_path, names, said):
    _tree(tmp_path, *names)
    with pytest.raises(ValueError, match=said) as refused:
        find_clips(tmp_path)
    assert "--dataset none" in str(refused.value)
    assert len(find_clips(tmp_path, dataset="none").clips) == len(names)


def test_a_single_label_called_as_a_side_is_a_label(tmp_path):
    index = find_clips(_tree(tmp_path, *_labels("", labels=("train", "bus", "car"))))
    assert index.labels == ("bus", "car", "train")
    assert index.notes == ()


@pytest.mark.parametrize("pattern", ["fold{}", "Fold_{}", "fold-0{}"])
def test_folders_of_folds_are_folds_and_told(tmp_path, pattern):
    index = find_clips(_tree(tmp_path, *_labels(*(pattern.format(number) + "/" for number in range(1, 6)))))
    assert index.labels == LABELS
    assert {clip.fold for clip in index.clips} == {"1", "2", "3", "4", "5"}
    assert "read as folds" in index.notes[0]
    assert {clip.path.split("/")[0] for clip in split_by_fold(index, "1").of_split("test")} == {pattern.format(1)}


def test_folders_within_labels_are_no_labels_and_told(tmp_path):
    index = find_clips(_tree(tmp_path, "dog/s1/1.wav", "dog/s2/1.wav", "cat/s1/1.wav"))
    assert index.labels == LABELS
    assert [clip.group for clip in index.clips] == ["cat/s1/1", "dog/s1/1", "dog/s2/1"]
    assert "no labels of their own (cat/s1, dog/s1, dog/s2)" in index.notes[0]


def test_labels_one_folder_deeper_are_pointed_to(tmp_path):
    index = find_clips(_tree(tmp_path, *_labels("unpacked/")))
    assert index.notes == (
        f"the labels seem to be one folder deeper (unpacked/cat, unpacked/dog); give {tmp_path / 'unpacked'} as DATA",
    )


@pytest.mark.parametrize(
    "labels", [("Dog", "dog"), ("door knock", "door_knock"), ("cat", "cat\u200f"), ("A", "\uff21")]
)
def test_labels_that_look_the_same_are_warned_of(tmp_path, labels):
    index = find_clips(_tree(tmp_path, *_labels("", labels=labels)))
    assert len(index.labels) == 2
    assert f"{labels[0]!a} and {labels[1]!a} look the same" in index.notes[-1]


@pytest.mark.parametrize("label", [" dog", "dog ", "d\tog", "d\nog", "d\u2028og", "d\x85og"])
def test_a_folder_whose_name_a_label_file_cannot_hold_is_refused_by_name(tmp_path, label):
    with pytest.raises(ValueError, match="rename the folder") as refused:
        find_clips(_tree(tmp_path, *_labels("", labels=("cat", label))))
    assert repr(label) in str(refused.value)


def test_joined_data_keeps_what_is_left_out_and_the_notes_of_each(tmp_path):
    one = _tree(tmp_path / "one", *_labels("", labels=("Dog",)), "Dog/a.m4a")
    two = _tree(tmp_path / "two", *_labels("", labels=("dog",)), "loose.wav")
    both = combine([find_clips(one), find_clips(two)])
    assert {one.path: one.reason.kind for one in both.left_out} == {
        "one/Dog/a.m4a": "other_format",
        "two/loose.wav": "no_label",
    }
    assert "look the same" in both.notes[-1]


def test_recordings_that_a_table_does_not_list_are_counted(tmp_path):
    _tree(tmp_path, *_labels(""), "dog/x.m4a")
    (tmp_path / "clips.csv").write_text("path,labels\ncat/0.wav,cat\n./dog/1.wav,dog\n")
    index = find_clips(tmp_path)
    assert _counts(index) == {"unlisted": 4, "other_format": 1}
    assert len(find_clips(tmp_path, dataset="none").clips) == 6


def test_a_table_that_is_not_read_is_told(tmp_path):
    _tree(tmp_path, *_labels(""))
    (tmp_path / "clips.csv").write_text("path,labels\ncat/0.wav,x\ndog/1.wav,y\n")
    assert find_clips(tmp_path).notes == ()
    assert find_clips(tmp_path, dataset="none").notes == ("clips.csv not read, for --dataset none",)
    assert find_clips(tmp_path / "clips.csv", dataset="none").labels == ("x", "y")
    with pytest.raises(ValueError, match="is a file; --dataset musan reads a folder"):
        find_clips(tmp_path / "clips.csv", dataset="musan")


@pytest.mark.parametrize(
    ("names", "column"),
    [(("train", "val", "test"), "split"), (("Training", "test"), "split"), (("fold1", "fold2"), "fold")],
)
def test_sides_and_folds_within_the_label_folders_are_read_and_told(tmp_path, names, column):
    _tree(tmp_path, *(f"{label}/{name}/{number}.wav" for label in LABELS for name in names for number in range(2)))
    index = find_clips(tmp_path)
    assert index.labels == LABELS
    assert {clip.path.split("/")[1]: getattr(clip, column) for clip in index.clips} == {
        name: {"Training": "train", "fold1": "1", "fold2": "2"}.get(name, name) for name in names
    }
    assert index.notes[0].startswith("the folders within the label folders were read as")
    assert {getattr(clip, column) for clip in find_clips(tmp_path, dataset="none").clips} == {""}


def test_folders_called_as_sides_in_one_label_alone_are_no_sides(tmp_path):
    index = find_clips(_tree(tmp_path, "dog/train/1.wav", "dog/test/2.wav", "cat/3.wav"))
    assert {clip.split for clip in index.clips} == {""}
    assert "no labels of their own" in index.notes[0]


def test_sides_with_one_label_in_two_spellings_are_alike(tmp_path):
    index = find_clips(_tree(tmp_path, "train/Vo\u0308gel/1.wav", "test/V\u00f6gel/1.wav"))
    assert index.labels == ("V\u00f6gel",)
    assert [clip.split for clip in index.clips] == ["test", "train"]


@pytest.mark.parametrize(
    ("speakers", "words"),
    [
        (("speaker1", "speaker2"), ("no", "yes")),
        (("anna", "bob", "eve"), ("0", "1", "2")),
        (("s01", "s02"), ("word1", "word2")),
        (("Zo\u00eb", "Jo"), ("Vo\u0308gel", "no")),
    ],
)
def test_folders_that_all_hold_the_same_folders_are_groups_of_these_labels_and_told(tmp_path, speakers, words):
    index = find_clips(_tree(tmp_path, *_labels(*(f"{speaker}/" for speaker in speakers), labels=words)))
    assert index.labels == tuple(sorted(word.replace("o\u0308", "\u00f6") for word in words))
    assert {clip.path.split("/")[0]: clip.group for clip in index.clips} == dict(zip(speakers, speakers, strict=True))
    assert "were read as groups (speakers, sources) and those in them as labels" in index.notes[0]
    assert "--dataset none" in index.notes[0]
    assert find_clips(tmp_path, dataset="none").labels == tuple(sorted(speakers))


@pytest.mark.parametrize(
    "names",
    [
        _labels("dog/", "cat/", labels=("take1", "take2")),  # numbered folders are no labels
        [*_labels("dog/", "cat/", labels=("in", "out")), "dog/1.wav"],
        [*_labels("dog/", "cat/", labels=("in", "out")), "cat/wild/1.wav"],
        _labels("dog/", "cat/", labels=("in",)),
    ],
)
def test_folders_that_may_be_parts_of_a_label_are_no_labels(tmp_path, names):
    index = find_clips(_tree(tmp_path, *names))
    assert index.labels == LABELS
    assert "no labels of their own" in index.notes[0]


def test_labels_that_are_given_say_that_folders_in_them_are_none(tmp_path):
    _tree(tmp_path, *_labels("dog/", "cat/", labels=("in", "out")))
    assert find_clips(tmp_path).labels == ("in", "out")
    assert find_clips(tmp_path, LABELS).labels == LABELS
    (tmp_path / "labels.txt").write_text("dog\ncat\n")
    assert find_clips(tmp_path).labels == ("dog", "cat")

"""The data's own folds: called as they like to be, and told where a split does not follow them."""

from pathlib import Path

import pytest

from train.data.prepare import split_and_say
from train.recordings.clip_index import Clip, ClipIndex
from train.recordings.split import describe_unused_folds, split_by_fold


def folds(*names: str) -> ClipIndex:
    clips = [Clip(f"{fold}/{label}.wav", (label,), f"{fold}{label}", fold=fold) for fold in names for label in "ab"]
    return ClipIndex(Path("data"), ("a", "b"), tuple(clips), "the folders of data")


@pytest.mark.parametrize("asked", ["1", "fold1", "Fold_01", "01", "FOLD 1"])
@pytest.mark.parametrize("names", [("1", "2", "3"), ("fold1", "fold2", "fold3")])
def test_a_fold_is_known_by_its_number_and_by_its_folder(names, asked):
    index = split_by_fold(folds(*names), asked)
    assert {clip.fold: clip.split for clip in index.clips} == dict(zip(names, ("test", "val", "train"), strict=True))
    index = split_by_fold(folds(*names), asked, "fold3")
    assert {clip.fold: clip.split for clip in index.clips} == dict(zip(names, ("test", "train", "val"), strict=True))


def test_a_fold_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ValueError, match=r"no fold 'fold7'; the folds of data are 1, 2, 3$"):
        split_by_fold(folds("1", "2", "3"), "fold7")
    with pytest.raises(ValueError, match=r"no fold '1'; the folds of data are c, 01, fold1$"):  # either may be meant
        split_by_fold(folds("01", "fold1", "c"), "1")


def test_a_drawn_split_says_that_there_are_folds_and_how_to_follow_them(capsys):
    split_and_say(folds("10", "2", "1"), 0)
    hint = "the data has the folds 1, 2, 10, which this split does not follow; build, train and data split do with "
    assert f"{hint}--test-fold 1\n" in capsys.readouterr().err
    split_and_say(folds("10", "2", "1"), 0, "fold1")
    told = capsys.readouterr().err
    assert "folds 1, 2" not in told
    assert "split by folds: 1 test, 2 validation" in told


def test_folds_that_no_split_can_follow_are_told_without_the_hint():
    assert describe_unused_folds(folds("1", "2")) == "the data has the folds 1, 2, which this split does not follow"
    some = folds("1", "2", "3")
    some = some.with_clips([*some.clips, Clip("x.wav", ("a",), "x")])
    assert describe_unused_folds(some) == "the data has the folds 1, 2, 3, which this split does not follow"
    assert describe_unused_folds(folds("")) == ""

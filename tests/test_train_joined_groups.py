import itertools

import pytest

from train.recordings.clip import Clip
from train.recordings.clip_index import ClipIndex
from train.recordings.joined_groups import join_groups
from train.recordings.split import LeakError, split_clips


def test_groups_that_nothing_binds_stay_their_own():
    assert join_groups([["a"], ["b"], ["a"]]) == {"a": "a", "b": "b"}


def test_bound_groups_have_the_name_of_the_first_through_others_too():
    assert join_groups([["d"], ["a", "b"], ["c"], ["b", "c"], ["e", "d"]]) == {
        "d": "d",
        "a": "a",
        "b": "a",
        "c": "a",
        "e": "d",
    }


def test_a_thousand_bonds_in_a_row_are_one_group():
    names = [str(number) for number in range(1000)]
    assert set(join_groups(itertools.pairwise(names)).values()) == {"0"}


def _mixtures(*rows):
    clips = [Clip(f"{number}.wav", ("a", "b"), group, split) for number, (group, split) in enumerate(rows)]
    return ClipIndex(None, ("a", "b"), tuple(clips))


def test_a_source_on_two_sides_is_a_leak_though_the_mixtures_differ():
    sound = _mixtures(("x|y", "train"), ("z|w", "val"), ("u|v", "test"))
    assert split_clips(sound, 0) == sound
    with pytest.raises(LeakError, match=r"x \(test and train\)"):
        split_clips(_mixtures(("x|y", "train"), ("z|w", "val"), ("u|x", "test")), 0)


def test_a_drawn_split_never_parts_mixtures_that_share_a_source():
    rows = [(f"{letter}{one}|{letter}{one + 1}", "") for letter in "abcdefgh" for one in range(4)]
    split = split_clips(_mixtures(*rows), 3)
    sides = {}
    for clip in split.clips:
        sides.setdefault(clip.group[0], set()).add(clip.split)
    assert all(len(held) == 1 for held in sides.values())
    assert {side for held in sides.values() for side in held} == {"train", "val", "test"}


def test_mixtures_that_all_hang_together_cannot_be_split():
    with pytest.raises(ValueError, match="need at least 3"):
        split_clips(_mixtures(("x|y", ""), ("y|z", ""), ("z|w", "")), 0)

"""Which recordings make a mixture, counted by hand."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from many_tones import clip_index

from train.mixtures.mixture_index import crowded_sides, label_kinds, label_sets, pair_clips, pairs_of_side, spread
from train.recordings.clip import Clip

TEN = "abcdefghij"


def test_ten_labels_of_32_4_4_clips_keep_46080_720_720_and_leave_24480_out():
    mixtures = pair_clips(clip_index(TEN, {"train": 32, "val": 4, "test": 4}))
    assert mixtures.counts_by_side() == {"train": 46_080, "val": 720, "test": 720}
    assert mixtures.left_out == 24_480


def test_without_sides_all_72000_pairs_are_there():
    mixtures = pair_clips(clip_index(TEN, {"": 40}))
    assert (mixtures.counts_by_side(), mixtures.left_out) == ({"no side": 72_000}, 0)


def test_each_pair_comes_once_has_two_labels_and_one_side():
    mixtures = pair_clips(clip_index("abc", {"train": 3, "val": 2, "test": 1}))
    clips = mixtures.clips.clips
    assert len({tuple(pair) for pair in mixtures.parts.tolist()}) == len(mixtures) == 27 + 12 + 3
    for (one, other), split in zip(mixtures.parts.tolist(), mixtures.splits, strict=True):
        assert one < other
        assert clips[one].labels != clips[other].labels
        assert clips[one].split == clips[other].split == split


def test_clips_of_several_labels_pair_only_where_they_share_none():
    index = clip_index("abc", {"train": 1})
    scene = Clip("scene.wav", ("a", "b"), "scene", "train")
    mixtures = pair_clips(index.with_clips([*index.clips, scene]))
    assert [mixtures.labels_of(place) for place in range(len(mixtures))] == [
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
        ("a", "b", "c"),
    ]


def test_kinds_are_the_sets_of_labels_that_occur():
    mixtures = pair_clips(clip_index("abc", {"train": 2}))
    kinds, kind = label_kinds(mixtures)
    assert kinds.sum(axis=1).tolist() == [2, 2, 2]
    for place, number in enumerate(kind):
        assert tuple(np.array(list("abc"))[kinds[number]]) == mixtures.labels_of(place)


def test_label_sets_follow_the_order_of_the_labels():
    index = clip_index("abc", {"train": 1})
    assert label_sets(index).tolist() == np.eye(3, dtype=bool).tolist()
    assert label_sets(index, [2]).tolist() == [[False, False, True]]


def test_a_side_is_taken_out():
    mixtures = pair_clips(clip_index("ab", {"train": 3, "val": 2, "test": 1}))
    assert [len(mixtures.of_split(split)) for split in ("train", "val", "test")] == [9, 4, 1]


def test_a_split_of_some_clips_only_is_refused():
    index = clip_index("ab", {"train": 2})
    half = index.with_clips([replace(index.clips[0], split=""), *index.clips[1:]])
    with pytest.raises(ValueError, match="3 of 4 clips have a split"):
        pair_clips(half)


def test_one_label_a_side_makes_no_mixture():
    with pytest.raises(ValueError, match="no pair of different labels on one side"):
        pair_clips(clip_index("a", {"train": 5}))
    index = clip_index("ab", {"train": 1})
    apart = index.with_clips([index.clips[0], replace(index.clips[1], split="val")])
    with pytest.raises(ValueError, match="no pair of different labels on one side"):
        pair_clips(apart)


def test_a_spread_takes_label_pairs_by_turns_and_is_always_the_same():
    mixtures = pair_clips(clip_index("abcd", {"test": 5}))
    chosen = spread(mixtures, 33)
    kinds = Counter(chosen.labels_of(place) for place in range(len(chosen)))
    assert sorted(kinds.values()) == [5, 5, 5, 6, 6, 6]
    assert np.array_equal(chosen.parts, spread(mixtures, 33).parts)
    assert len({tuple(pair) for pair in chosen.parts.tolist()}) == 33


def test_a_spread_of_unequal_labels_takes_what_the_small_ones_have():
    clips = [*clip_index("ab", {"test": 10}).clips, *clip_index("c", {"test": 1}).clips]
    mixtures = pair_clips(replace(clip_index("abc", {"test": 1}), clips=tuple(clips)))
    chosen = spread(mixtures, 60)
    kinds = Counter(chosen.labels_of(place) for place in range(len(chosen)))
    assert kinds == {("a", "b"): 40, ("a", "c"): 10, ("b", "c"): 10}


def test_a_spread_uses_the_clips_about_equally_often():
    chosen = spread(pair_clips(clip_index(TEN, {"test": 8})), 720)
    uses = Counter(chosen.parts.ravel().tolist())
    assert len(uses) == 80
    assert min(uses.values()) >= 6  # 18 on average
    assert max(uses.values()) <= 30


def test_a_spread_of_fewer_than_asked_for_is_all_of_them():
    mixtures = pair_clips(clip_index("ab", {"test": 2}))
    assert spread(mixtures, 4) is mixtures


def test_pairs_of_a_side_are_those_of_all_pairs_that_stand_on_it():
    index = clip_index("abc", {"train": 4, "val": 3, "test": 2})
    places = [place for place, clip in enumerate(index.clips) if clip.split == "val"][1:]
    every = pair_clips(index).of_split("val")
    expected = every.chosen(np.flatnonzero(np.isin(every.parts, places).all(axis=1)))
    found = pairs_of_side(index, places)
    assert found.parts.tolist() == expected.parts.tolist()
    assert found.splits.tolist() == expected.splits.tolist()
    assert (len(pairs_of_side(index, places[:1])), len(pairs_of_side(index, []))) == (0, 0)


def test_of_a_side_with_very_many_clips_some_of_each_label_are_paired(monkeypatch):
    monkeypatch.setattr("train.mixtures.mixture_index.MOST_PAIRED", 30)
    index = clip_index("abc", {"val": 40})
    rare = [*range(2), *range(40, 120)]  # two clips of the first label, all of the others
    paired = np.unique(pairs_of_side(index, rare).parts)
    assert np.bincount(paired // 40).tolist() == [2, 10, 10]
    assert {0, 1, 40, 79, 80, 119} <= set(paired.tolist())  # from the first clip of a label to its last


def test_a_crowded_side_is_paired_in_part_and_told(monkeypatch):
    monkeypatch.setattr("train.mixtures.mixture_index.MOST_PAIRED", 10)
    index = clip_index("ab", {"train": 20, "val": 2, "test": 3})
    mixtures = pair_clips(index)
    assert crowded_sides(index) == {"train": 40}
    assert mixtures.counts_by_side() == {"train": 25, "val": 4, "test": 9}
    assert mixtures.left_out == 20 * 2 * 2 + 20 * 3 * 2 + 2 * 3 * 2


def test_pairs_are_those_of_a_comparison_of_each_with_each():
    rng = np.random.default_rng(5)
    sets = [tuple(sorted(rng.choice(list("abcd"), rng.integers(1, 3), replace=False).tolist())) for _ in range(60)]
    sides = rng.choice(["train", "val", "test"], 60).tolist()
    clips = [
        Clip(f"{number}.wav", labels, str(number), side)
        for number, (labels, side) in enumerate(zip(sets, sides, strict=True))
    ]
    apart = [(one, two) for one in range(60) for two in range(one + 1, 60) if not set(sets[one]) & set(sets[two])]
    expected = [pair for pair in apart if sides[pair[0]] == sides[pair[1]]]
    mixtures = pair_clips(replace(clip_index("abcd", {"": 1}), clips=tuple(clips)))
    assert list(map(tuple, mixtures.parts.tolist())) == expected
    assert mixtures.left_out == len(apart) - len(expected)

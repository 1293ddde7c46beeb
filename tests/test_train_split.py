from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train.recordings.clip_index import SPLITS, Clip, ClipIndex
from train.recordings.split import (
    LeakError,
    check_same_audio,
    check_split,
    describe_contradictions,
    read_shares,
    split_clips,
)


def _index(clips, labels=("a", "b")):
    return ClipIndex(Path("."), labels, tuple(clips))


def _clips(groups_per_label, clips_per_group=1, labels=("a", "b")):
    return [
        Clip(f"{label}/{group}-{number}.wav", (label,), f"{label}{group}")
        for label in labels
        for group in range(groups_per_label)
        for number in range(clips_per_group)
    ]


def _sides(index):
    sides = defaultdict(set)
    for clip in index.clips:
        sides[clip.group].add(clip.split)
    return sides


@settings(deadline=None, max_examples=40)
@given(st.integers(3, 20), st.integers(1, 4), st.integers(0, 5))
def test_no_group_is_divided_and_every_side_has_every_label(groups, clips, seed):
    index = split_clips(_index(_clips(groups, clips)), seed)
    assert all(len(sides) == 1 for sides in _sides(index).values())
    for split in SPLITS:
        assert {label for clip in index.of_split(split) for label in clip.labels} == {"a", "b"}


def test_the_shares_come_near_70_15_15():
    index = split_clips(_index(_clips(40)), seed=1)
    assert [len(index.of_split(split)) for split in SPLITS] == [56, 12, 12]


def test_a_speaker_with_several_labels_stays_on_one_side():
    clips = [Clip(f"{label}{speaker}.wav", (label,), f"speaker{speaker}") for speaker in range(9) for label in "ab"]
    index = split_clips(_index(clips), seed=0)
    assert all(len(sides) == 1 for sides in _sides(index).values())


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    clips = _clips(12)
    assert split_clips(_index(clips), 3) == split_clips(_index(clips), 3)
    assert split_clips(_index(clips), 3) != split_clips(_index(clips), 4)


def test_a_given_split_is_kept():
    clips = [Clip(f"{label}{split}.wav", (label,), f"{label}{split}", split) for label in "ab" for split in SPLITS]
    assert split_clips(_index(clips), 0).clips == tuple(clips)


def test_fewer_groups_than_sides_are_refused_with_their_names():
    clips = [*_clips(3, labels=("a",)), Clip("b/1.wav", ("b",), "anna"), Clip("b/2.wav", ("b",), "ben")]
    with pytest.raises(ValueError, match=r"b has 2 groups \(anna, ben\).*at least 3"):
        split_clips(_index(clips), 0)


def test_a_label_whose_recordings_cannot_be_read_is_refused_with_their_names(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "1.wav").write_bytes(b"hello")
    index = replace(_index([*_clips(3, labels=("a",)), Clip("b/1.wav", ("b",), "anna")]), root=tmp_path)
    with pytest.raises(ValueError, match=r"b has 1 group.*cannot be read, so mend or replace: b/1\.wav$"):
        split_clips(index, 0)


def test_a_half_given_split_is_refused():
    clips = [Clip("1.wav", ("a",), "g", "train"), Clip("2.wav", ("b",), "h")]
    with pytest.raises(ValueError, match="1 of 2 clips have a split"):
        split_clips(_index(clips), 0)


def test_a_group_on_two_sides_fails_loudly():
    clips = [Clip(f"{label}{split}.wav", (label,), f"{label}{split}", split) for label in "ab" for split in SPLITS]
    with pytest.raises(LeakError, match=r"btrain \(test and train\)"):
        check_split(_index([*clips, Clip("again.wav", ("b",), "btrain", "test")]))


def test_a_label_without_training_clips_is_refused():
    clips = [
        Clip(f"{label}{split}.wav", (label,), f"{label}{split}", split)
        for label in "ab"
        for split in SPLITS
        if (label, split) != ("b", "train")
    ]
    with pytest.raises(ValueError, match="the train side has no clip of b"):
        split_clips(_index(clips), 0)


def test_the_same_audio_under_two_names_on_two_sides_fails_loudly():
    clips = [Clip("1.wav", ("a",), "g", "train"), Clip("2.wav", ("a",), "h", "test")]
    with pytest.raises(LeakError, match="hold the same audio"):
        check_same_audio(clips, ["x", "x"])
    check_same_audio(clips, ["x", "y"])


def test_the_same_audio_under_two_labels_is_told_and_never_joined_into_one_group():
    clips = [Clip("1.wav", ("a",), "g", "train"), Clip("2.wav", ("b",), "h", "test"), Clip("3.wav", ("a",), "i", "val")]
    with pytest.raises(LeakError, match=r"one is labelled wrongly \(a and b\): correct it, or remove one"):
        check_same_audio(clips, ["x", "x", "z"])
    told = describe_contradictions(clips, ["x", "x", "z"])
    assert told.startswith(
        "1 clip holds the same audio as another under another label, the first 1.wav (a) and 2.wav (b)"
    )
    assert describe_contradictions(clips, ["x", "y", "x"]) == ""


def test_eight_to_one_to_one_holds_for_each_class():
    index = split_clips(_index(_clips(40)), 0, read_shares("8:1:1"))
    for label in "ab":
        counts = [sum(label in clip.labels for clip in index.of_split(split)) for split in SPLITS]
        assert counts == [32, 4, 4]


def test_shares_are_relative():
    assert read_shares("8:1:1") == pytest.approx({"train": 0.8, "val": 0.1, "test": 0.1})
    assert read_shares("70:15:15") == pytest.approx({"train": 0.7, "val": 0.15, "test": 0.15})


@pytest.mark.parametrize("text", ["", "8:1", "8:1:1:1", "8:1:0", "a:b:c", "8:1:-1", "8:1:inf", "8:1:nan"])
def test_shares_that_are_none_are_refused(text):
    with pytest.raises(ValueError, match="expected three numbers above 0"):
        read_shares(text)


def test_groups_of_annotated_recordings_without_a_label_come_on_sides_too_and_change_no_other():
    labelled = [Clip(f"{number}.wav", ("ab"[number % 2],), f"g{number}") for number in range(12)]
    empty = [Clip(f"e{number}.wav", (), f"e{number}") for number in range(200)]
    alone = split_clips(_index(labelled), 3).clips
    together = split_clips(_index([*labelled, *empty]), 3).clips
    assert together[:12] == alone
    counts = [sum(clip.split == side for clip in together[12:]) for side in SPLITS]
    assert sum(counts) == 200
    assert counts[0] > 120
    assert min(counts) > 10

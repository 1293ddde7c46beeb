"""Files that are called alike are told apart where they lie in several DATA, and told where they are one group."""

from pathlib import Path

from train.recordings.clip import Clip
from train.recordings.clip_index import ClipIndex, combine, find_clips


def tree(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"")
    return root


def test_files_called_alike_in_two_data_are_two_groups_and_told(tmp_path):
    one = find_clips(tree(tmp_path / "one", "dog/take 0.wav", "cat/1.wav"))
    two = find_clips(tree(tmp_path / "two", "dog/take 0.wav", "cat/2.wav"))

    both = combine([one, two])

    assert [clip.group for clip in both.clips] == ["cat/1", "one/dog/take 0", "cat/2", "two/dog/take 0"]
    assert both.notes == (
        "files called alike in several DATA are groups of their own (dog/take 0); where they are the same recordings, "
        "say so in the group column of a clips.csv",
    )


def test_rows_of_two_tables_without_groups_are_told_apart_too(tmp_path):
    for name in ("one", "two"):
        tree(tmp_path / name, "audio/1.wav", "audio/2.wav")
        (tmp_path / name / "clips.csv").write_text("path,labels\n1.wav,a\n2.wav,b\n")
    both = combine([find_clips(tmp_path / "one"), find_clips(tmp_path / "two")])
    assert [clip.group for clip in both.clips] == ["one/1.wav", "one/2.wav", "two/1.wav", "two/2.wav"]


def test_a_speaker_of_two_data_stays_one_group_and_is_told(tmp_path):
    clips = [Clip(f"{number}.wav", ("a",), "anna|bob") for number in range(2)]
    both = combine([ClipIndex(tmp_path / str(number), ("a",), (clip,)) for number, clip in enumerate(clips)])
    assert {clip.group for clip in both.clips} == {"anna|bob"}
    assert both.notes == ("groups named alike in several DATA are taken as one: anna, bob",)


def test_copies_that_a_table_binds_to_their_originals_stay_with_them(tmp_path):
    originals = ClipIndex(tmp_path / "data", ("a",), (Clip("a/1.wav", ("a",), "a/1"),))
    for copy in (Clip("a/1-up.flac", ("a",), "a/1"), Clip("a/1.flac", ("a",), "a/1", original="../data/a/1.wav")):
        both = combine([originals, ClipIndex(tmp_path / "copies", ("a",), (copy,))])
        assert [clip.group for clip in both.clips] == ["a/1", "a/1"]


def test_files_called_alike_but_for_the_ending_are_told_to_be_one_group(tmp_path):
    index = find_clips(tree(tmp_path, "dog/take 0.flac", "dog/take 0.wav", "dog/take 1.wav", "cat/take 0.wav"))
    assert len({clip.group for clip in index.clips}) == 3
    assert index.notes == (
        "files of one name but for the ending are one group, and stay on one side (dog/take 0.flac with dog/take "
        "0.wav); where they are other sounds, say so in the group column of a clips.csv",
    )

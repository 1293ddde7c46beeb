from pathlib import Path

from train.recordings.clip import Clip
from train.recordings.clip_counts import count_clips, count_notes, counts_table
from train.recordings.clip_index import ClipIndex


def _index(*clips):
    return ClipIndex(Path("."), ("a", "b"), clips)


def test_clips_groups_and_seconds_are_counted_by_label_and_side_and_in_all():
    index = _index(
        Clip("1", ("a",), "anna", "train"),
        Clip("2", ("a",), "anna", "train"),
        Clip("3", ("b",), "ben", "test"),
    )
    a, b, total = count_clips(index, [1.0, 2.5, 60.0])
    assert (a["clips"], a["groups"], a["seconds"]) == (2, 1, 3.5)
    assert (a["train_clips"], a["train_seconds"], a["test_clips"]) == (2, 3.5, 0)
    assert (b["test_groups"], b["test_seconds"]) == (1, 60.0)
    assert (total["label"], total["clips"], total["groups"], total["seconds"]) == ("all", 3, 2, 63.5)
    assert "val_clips" not in a


def test_a_clip_with_two_labels_counts_under_both_and_once_in_all():
    a, b, total = count_clips(_index(Clip("1", ("a", "b"), "g")), [4.0])
    assert (a["clips"], b["clips"], total["clips"]) == (1, 1, 1)
    assert "undrawn_clips" not in a  # nothing is drawn, so that one column says it all


def test_the_table_has_a_line_a_label_and_one_for_all():
    rows = count_clips(_index(Clip("1", ("a",), "g", "train"), Clip("2", ("b",), "h")), [30.0, 60.0])
    lines = counts_table(rows).splitlines()
    assert lines[0].split("  ")[0] == "label"
    assert "undrawn" in lines[0]
    assert lines[1].startswith("a      1 / 1 / 0.5")
    assert lines[3].startswith("all    2 / 2 / 1.5")


def test_counts_say_why_they_may_differ_from_other_numbers():
    one, two = Clip("1", ("a",), "g"), Clip("2", ("a", "b"), "g")
    (headers,) = count_notes([one], 0)
    assert headers.startswith("counted by the files' headers: `earproof data check`")
    unread, several = count_notes([one, two], 1)
    assert unread.startswith("2 of 3 recordings counted, 1 not readable; counted by")
    assert several == "1 clip has several labels and counts under each of them, but once under all"

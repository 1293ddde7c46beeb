"""Several DATA, of which some come with sides: the others are put on sides as if they were alone."""

import pytest

import earproof
from train.data.prepare import find_and_split
from train.recordings.clip_index import read_index
from train.recordings.split import LeakError


@pytest.fixture
def folder(tmp_path):
    """Recordings without sides."""
    for label in ("song", "speech"):
        (tmp_path / "data" / label).mkdir(parents=True)
        for number in range(12):
            (tmp_path / "data" / label / f"{label}{number}.wav").touch()
    return tmp_path / "data"


def _table(tmp_path, rows, name="takes"):
    """A table as earproof review writes it."""
    folder = tmp_path / name
    folder.mkdir()
    lines = ["path,labels,group,split"]
    for number, (label, group, split) in enumerate(rows):
        (folder / f"{number}.wav").touch()
        lines.append(f"{number}.wav,{label},{group},{split}")
    (folder / "clips.csv").write_text("\n".join(lines) + "\n")
    return folder / "clips.csv"


def _side(index, split):
    return {(index.root / clip.path).resolve() for clip in index.of_split(split)}


def test_the_sides_of_a_folder_are_the_same_with_takes_that_are_trained_on(folder, tmp_path, capsys):
    takes = _table(tmp_path, [("song", "session a", "train"), ("speech", "session b", "train")])
    alone = find_and_split(folder, None, 3)
    together = find_and_split([folder, takes], None, 3)
    for split in ("test", "val"):
        assert _side(together, split) == _side(alone, split)
    added = _side(together, "train") - _side(alone, "train")
    assert {path.parent.name for path in added} == {"takes"}
    assert len(together.clips) == len(alone.clips) + 2
    assert "2 clips came with sides, 2 train; the others as without them" in capsys.readouterr().err


def test_the_order_of_data_changes_no_side(folder, tmp_path):
    takes = _table(tmp_path, [("song", "session a", "train")])
    assert _side(find_and_split([takes, folder], None, 0), "test") == _side(find_and_split(folder, None, 0), "test")


def test_by_folds_what_came_with_a_side_keeps_it(tmp_path):
    rows = [f"{fold}{label}.wav,{label},{fold}{label},{fold}" for fold in (1, 2, 3) for label in ("song", "speech")]
    (tmp_path / "data").mkdir()
    for row in rows:
        (tmp_path / "data" / row.split(",")[0]).touch()
    (tmp_path / "data" / "meta.csv").write_text("\n".join(["path,labels,group,fold", *rows]) + "\n")
    takes = _table(tmp_path, [("song", "session a", "train")])
    index = find_and_split([tmp_path / "data", takes], None, 0, test_fold="2")
    assert {clip.fold for clip in index.of_split("test")} == {"2"}
    assert len(index.of_split("train")) == 3


def test_a_group_of_the_test_side_among_the_takes_is_a_leak(folder, tmp_path):
    tested = find_and_split(folder, None, 0).of_split("test")[0]
    takes = _table(tmp_path, [(tested.labels[0], tested.group, "train")])
    with pytest.raises(LeakError, match="on more than one side of the split"):
        find_and_split([folder, takes], None, 0)


def test_a_label_that_only_the_takes_have_is_missing_on_the_other_sides(folder, tmp_path):
    takes = _table(tmp_path, [("bird", "session a", "train")])
    with pytest.raises(ValueError, match="the val side has no clip of bird"):
        find_and_split([folder, takes], None, 0)


def test_a_table_that_is_half_filled_is_refused_with_a_whole_one_too(folder, tmp_path):
    takes = _table(tmp_path, [("song", "session a", "train"), ("speech", "session b", "")])
    with pytest.raises(ValueError, match="1 of 26 clips have a split"):
        find_and_split([folder, takes], None, 0)


def test_a_folder_without_a_validation_side_gets_one_beside_takes_too(tmp_path):
    for side in ("train", "test"):
        for label in ("song", "speech"):
            (tmp_path / "data" / side / label).mkdir(parents=True)
            for number in range(8):
                (tmp_path / "data" / side / label / f"{side}{label}{number}.wav").touch()
    takes = _table(tmp_path, [("song", "session a", "train")])
    index = find_and_split([tmp_path / "data", takes], None, 0)
    assert {clip.path.split("/")[1] for clip in index.of_split("test")} == {"test"}
    assert index.of_split("val")


def test_shares_draw_anew_what_was_on_sides_and_leave_takes_on_train(tmp_path, capsys):
    sides = ["train"] * 10 + ["val"] * 2 + ["test"] * 2
    rows = [(label, f"{label} {number}", side) for label in ("song", "speech") for number, side in enumerate(sides)]
    data = _table(tmp_path, rows, "data")
    takes = _table(tmp_path, [(label, f"session {label}", "train") for label in ("song", "speech")])
    out = tmp_path / "drawn.csv"
    command = ["data", "split", str(data), str(takes), "--shares", "35:15:50", "--out", str(out)]
    assert earproof.main(command) == 0
    drawn = read_index(out)
    assert {clip.split for clip in drawn.clips if clip.path.startswith("takes/")} == {"train"}
    assert sum(clip.split == "test" for clip in drawn.clips) == 14  # half of the others
    told = capsys.readouterr().err
    assert "--shares draws anew: the sides that 28 clips came with are dropped" in told
    assert "2 clips came with sides, 2 train; the others as without them" in told

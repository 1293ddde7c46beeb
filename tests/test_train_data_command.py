"""The actions of `earproof data`, as a user calls them."""

import json
import re

import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE, tone

import earproof
from train.data.prepare import find_and_split
from train.recordings.clip_index import read_index


def _run(capsys, *arguments):
    code = earproof.main(["data", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def _noise(seed, seconds=1.5):
    rng = np.random.default_rng(seed)
    wavering = 1.0 + 0.8 * np.sin(np.cumsum(rng.uniform(0, 0.004, int(seconds * SAMPLE_RATE))))
    return 0.05 * wavering * rng.standard_normal(wavering.size)


def _folder(root, clips_per_label=4, labels=("a", "b")):
    for place, label in enumerate(labels):
        (root / label).mkdir(parents=True)
        for number in range(clips_per_label):
            soundfile.write(root / label / f"{number}.wav", _noise(100 * place + number), SAMPLE_RATE)
    return root


def test_list_counts_what_the_headers_tell_and_names_what_it_could_not_count(capsys, tmp_path):
    root = _folder(tmp_path / "in")
    (root / "a" / "broken.wav").write_bytes(b"RIFF")
    (root / "b" / "empty.wav").write_bytes(b"")
    code, out, err = _run(capsys, "list", root)
    assert code == 0
    assert "a      4 / 4 / 0.1" in out
    assert "not counted" in err
    assert "broken.wav" in err
    assert "empty.wav is empty" in err
    assert "8 of 10 recordings counted, 2 not readable; counted by the files' headers" in err


def test_list_takes_a_label_with_one_clip_and_split_refuses_it_by_name(capsys, tmp_path):
    root = _folder(tmp_path / "in")
    (root / "c").mkdir()
    soundfile.write(root / "c" / "only.wav", _noise(7), SAMPLE_RATE)
    code, out, _ = _run(capsys, "list", root)
    assert code == 0
    assert "c      1 / 1 / 0.0" in out
    code, _, err = _run(capsys, "split", root, "--out", tmp_path / "clips.csv")
    assert code == 2
    assert "c has 1 group (c/only)" in err
    assert not (tmp_path / "clips.csv").exists()


def test_several_data_are_taken_as_one_by_training_too(tmp_path, capsys):
    first, second = _folder(tmp_path / "first"), _folder(tmp_path / "second", labels=("a", "c"))
    index = find_and_split([first, second], None, 0)
    assert (index.labels, len(index.clips)) == (("a", "b", "c"), 16)
    for verb in (["train", "mel_cnn"], ["build"]):
        assert earproof.main([*verb, str(first), str(tmp_path / "nowhere"), "--out", str(tmp_path / "out")]) == 2
        assert "nowhere does not exist" in capsys.readouterr().err


def test_split_tells_the_number_of_clips_once(capsys, tmp_path):
    _, _, err = _run(capsys, "split", _folder(tmp_path / "in"), "--out", tmp_path / "clips.csv")
    assert err.count("8 clips in 8 groups") == 1
    assert "split drawn with seed 0" in err


def test_no_option_is_advised_that_the_action_lacks(capsys, tmp_path):
    root, into = _folder(tmp_path / "in"), tmp_path / "into"
    assert _run(capsys, "trim", root, "--into", into)[0] == 0
    code, _, err = _run(capsys, "trim", root, "--into", into)
    assert code == 2
    assert "exists; start again with --force, or choose another" in err


def test_list_tells_what_is_left_out_for_people_and_machines(capsys, tmp_path):
    root = _folder(tmp_path / "in")
    (root / "a" / "x.m4a").write_bytes(b"")
    (root / "a" / "notes.txt").write_bytes(b"")
    (root / "loose.wav").write_bytes((root / "a" / "0.wav").read_bytes())
    code, _, err = _run(capsys, "list", root)
    assert code == 0
    assert "left out, 1: a/x.m4a (sound of a format that is not read" in err
    assert "left out, 1: loose.wav (recordings beside the label folders" in err
    assert "1 other file, which is no recording: a/notes.txt" in err
    document = json.loads(_run(capsys, "list", root, "--json")[1])
    assert {kind: found["paths"] for kind, found in document["not_read"].items()} == {
        "other_format": ["a/x.m4a"],
        "no_label": ["loose.wav"],
        "no_sound": ["a/notes.txt"],
    }
    index = json.loads(_run(capsys, "index", root, "--out", tmp_path / "i.csv", "--json")[1])
    check = json.loads(_run(capsys, "check", root, "--json")[1])
    assert index["not_read"] == check["not_read"] == document["not_read"]


def test_a_label_of_which_nothing_can_be_read_stops_every_action(capsys, tmp_path):
    root = _folder(tmp_path / "in")
    (root / "c").mkdir()
    (root / "c" / "x.m4a").write_bytes(b"")
    for arguments in (["list"], ["check"], ["index", "--out", tmp_path / "i.csv"], ["trim", "--into", tmp_path / "o"]):
        code, out, err = _run(capsys, arguments[0], root, *arguments[1:])
        assert (code, out) == (2, "")
        assert "c: 1: c/x.m4a (sound of a format that is not read" in err


def test_a_recognized_layout_is_told_with_its_reason_and_can_be_refused(capsys, tmp_path):
    root = _folder(tmp_path / "in", labels=("train", "test"))
    for side in ("train", "test"):
        for label in ("cat", "dog"):
            (root / side / label).mkdir()
            for number in range(2):
                (root / side / f"{2 * (label == 'dog') + number}.wav").rename(root / side / label / f"{number}.wav")
    code, out, err = _run(capsys, "list", root)
    assert code == 0
    assert "read as sides of a split (train as train, test as test), because each holds the label folders" in err
    assert out.splitlines()[0].split() == ["label", "clips", "/", "groups", "/", "minutes", "train", "test"]
    code, out, _ = _run(capsys, "list", root, "--dataset", "none")
    assert [line.split()[0] for line in out.splitlines()] == ["label", "test", "train", "all"]


def test_index_joins_data_sets_and_renames_labels(capsys, tmp_path):
    one, two = _folder(tmp_path / "one"), _folder(tmp_path / "two", labels=("x", "y"))
    assert _run(capsys, "index", two, "--label", "other", "--out", tmp_path / "two.csv")[0] == 0
    code, out, _ = _run(capsys, "index", one, tmp_path / "two.csv", "--out", tmp_path / "both.csv")
    assert code == 0
    assert "a 4, b 4, other 8" in out
    assert {clip.labels for clip in read_index(tmp_path / "both.csv").clips} == {("a",), ("b",), ("other",)}


def test_split_gives_every_class_its_shares(capsys, tmp_path):
    root = _folder(tmp_path / "in", 10)
    code, _, _ = _run(capsys, "split", root, "--shares", "8:1:1", "--out", tmp_path / "clips.csv")
    assert code == 0
    index = read_index(tmp_path / "clips.csv")
    assert [len(index.of_split(split)) for split in ("train", "val", "test")] == [16, 2, 2]
    again = ["split", tmp_path / "clips.csv", "--out", tmp_path / "again.csv"]
    assert "split as given" in _run(capsys, *again)[2]
    assert "drawn with seed 5" in _run(capsys, *again, "--force", "--shares", "6:2:2", "--seed", "5")[2]


def test_split_by_folds_keeps_the_folds(capsys, tmp_path):
    root = _folder(tmp_path / "in", 3)
    rows = [f"{label}/{fold}.wav,{label},{fold}" for label in "ab" for fold in range(3)]
    (root / "clips.csv").write_text("\n".join(["path,labels,fold", *rows, ""]))
    code, _, err = _run(capsys, "split", root, "--test-fold", "2", "--out", tmp_path / "clips.csv")
    assert code == 0
    assert "by folds: 2 test, 0 validation" in err
    assert {(clip.fold, clip.split) for clip in read_index(tmp_path / "clips.csv").clips} == {
        ("0", "val"),
        ("1", "train"),
        ("2", "test"),
    }


def test_check_passes_good_data_fails_a_leak_and_draws_pictures(capsys, tmp_path):
    root = _folder(tmp_path / "in")
    code, out, _ = _run(capsys, "check", root, "--plots", tmp_path / "plots")
    assert code == 0
    assert "8 clips: 0 errors" in out
    assert len(list((tmp_path / "plots").glob("*.png"))) == 4
    assert _run(capsys, "check", root, "--plots", tmp_path / "plots")[0] == 2
    rows = [
        f"{label}/{n}.wav,{label},{label}{n % 3},{split}"
        for label in "ab"
        for n, split in enumerate(("train", "val", "test", "test"))
    ]
    (root / "clips.csv").write_text("\n".join(["path,labels,group,split", *rows, ""]))
    code, out, _ = _run(capsys, "check", root, "--json")
    assert code == 1
    document = json.loads(out)
    assert [finding["kind"] for finding in document["findings"]] == ["group_in_two_splits", "few_test_groups"]
    assert not document["passed"]
    assert document["clips"][0]["sample_rate"] == SAMPLE_RATE


def test_duplicates_get_one_group_so_that_a_split_keeps_them_together(capsys, tmp_path):
    root = _folder(tmp_path / "in", 4)
    copy, _ = soundfile.read(root / "a" / "0.wav")
    soundfile.write(root / "a" / "copy.flac", 0.5 * copy, SAMPLE_RATE)
    code, out, _ = _run(capsys, "duplicates", root, "--out", tmp_path / "clips.csv")
    assert code == 0
    assert "a/0.wav = a/copy.flac" in out
    assert "1 pair holds the same audio" in out
    groups = {clip.path.split("/", 1)[1]: clip.group for clip in read_index(tmp_path / "clips.csv").clips}
    assert groups["a/copy.flac"] == groups["a/0.wav"] == "a/0"
    code, out, _ = _run(capsys, "duplicates", root, "--json")
    (pair,) = json.loads(out)
    assert (pair["first"], pair["second"], pair["exact"]) == ("a/0.wav", "a/copy.flac", False)


def test_trim_says_how_much_is_left(capsys, tmp_path):
    root = _folder(tmp_path / "in", 3)
    soundfile.write(
        root / "a" / "0.wav", np.r_[np.zeros(SAMPLE_RATE), tone(440, 1.0), np.zeros(SAMPLE_RATE)], SAMPLE_RATE
    )
    code, out, _ = _run(capsys, "trim", root, "--into", tmp_path / "out", "--json")
    assert code == 0
    assert json.loads(out)["seconds_before"] == pytest.approx(3.0 + 5 * 1.5)
    assert json.loads(out)["seconds_after"] == pytest.approx(1.2 + 5 * 1.5, abs=0.05)
    assert _run(capsys, "trim", root, "--into", tmp_path / "out")[0] == 2
    assert _run(capsys, "trim", root, "--into", tmp_path / "out", "--force")[0] == 0


def test_a_table_with_faults_lists_them_all_at_once(capsys, tmp_path):
    root = _folder(tmp_path / "in")
    (tmp_path / "labels.txt").write_bytes(b"a\nb\n")
    (root / "clips.csv").write_text("path,labels\na/0.wav,a\na/0.wav,a\ngone.wav,b\nb/1.wav,wolf\n")
    code, out, err = _run(capsys, "list", root, "--labels", tmp_path / "labels.txt")
    assert (code, out) == (2, "")
    for fault in (
        "3 faults",
        "line 3: 'a/0.wav' is already on line 2",
        "line 4: no file 'gone.wav'",
        "line 5: unknown label 'wolf'",
    ):
        assert fault in err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["list", "nowhere"], "does not exist"),
        (["list", "DATA", "--dataset", "esc5"], "did you mean esc50"),
        (["list", "DATA", "--dataset", "musan"], "does not hold MUSAN"),
        (["split", "DATA", "--out", "o.csv", "--shares", "8:1"], "expected three numbers"),
        (["split", "DATA", "--out", "o.csv", "--test-fold", "1"], "clips have no fold"),
        (["split", "DATA", "--out", "o.csv", "--val-fold", "1"], "give that too"),
        (["split", "DATA", "--out", "o.csv", "--test-fold", "1", "--shares", "8:1:1"], "choose one"),
        (["split", "DATA", "--label", "x", "--out", "o.csv"], "at least two"),
        (["index", "DATA", "--out", "EXISTS"], "--force"),
        (["trim", "DATA", "--into", "DATA"], "holds the originals"),
        (["trim", "DATA", "--into", "o", "--threshold-dbfs", "3"], "expected -120 to below 0"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(capsys, tmp_path, monkeypatch, arguments, reason):
    monkeypatch.chdir(tmp_path)
    known = {"DATA": _folder(tmp_path / "in"), "EXISTS": tmp_path / "there.csv"}
    known["EXISTS"].write_text("mine")
    code, out, err = _run(capsys, *(known.get(argument, argument) for argument in arguments))
    assert (code, out) == (2, "")
    assert reason in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "there.csv"]
    assert known["EXISTS"].read_text() == "mine"


def test_an_unknown_action_is_bad_usage(capsys):
    with pytest.raises(SystemExit) as stop:
        earproof.main(["data", "somewhere"])
    assert stop.value.code == 2
    assert "choose from" in capsys.readouterr().err


def _grouped_index(root, seed):
    """A table of clips whose groups are of different sizes, some with two labels."""
    rng = np.random.default_rng(seed)
    rows = ["path,labels,group,split"]
    for label in ("a", "b", "c")[: 2 + seed % 2]:
        (root / label).mkdir(parents=True)
        for number in range(int(rng.integers(8, 20))):
            soundfile.write(root / label / f"{number}.wav", np.zeros(160), 16_000)
            rows.append(f"{label}/{number}.wav,{label},{label if seed % 3 else 'x'}{number // (1 + seed % 3)},")
    (root / "clips.csv").write_text("\n".join(rows) + "\n")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("has_table", [False, True])
def test_split_draws_the_sides_that_build_and_train_draw_from_the_same_seed(capsys, tmp_path, seed, has_table):
    from train.data.prepare import find_and_split

    root = tmp_path / "in"
    _grouped_index(root, seed)
    if not has_table:
        (root / "clips.csv").unlink()
    code, _, err = _run(capsys, "split", root, "--seed", seed, "--out", tmp_path / "split.csv")
    drawn = find_and_split(root, None, seed)

    assert code == 0, err
    written = read_index(tmp_path / "split.csv")
    sides = {(written.root / clip.path).resolve(): clip.split for clip in written.clips}
    assert sides == {(drawn.root / clip.path).resolve(): clip.split for clip in drawn.clips}


@pytest.mark.parametrize("action", ["split", "mix"])
def test_the_help_of_an_action_states_the_shares_that_a_build_draws(capsys, action):
    from train.recordings.split import DEFAULT_SHARES, read_shares

    with pytest.raises(SystemExit):
        earproof.main(["data", action, "--help"])
    (told,) = re.findall(r"default (\d+:\d+:\d+)", capsys.readouterr().out)
    assert read_shares(told) == pytest.approx(DEFAULT_SHARES)


@pytest.mark.parametrize("action", ["import", "trim"])
def test_new_recordings_do_not_go_below_the_data_they_are_made_of(action, make_folder, capsys):
    root = make_folder()
    assert earproof.main(["data", action, str(root), "--into", str(root / "low" / "new")]) == 2
    assert "where it would be read as recordings" in capsys.readouterr().err
    assert not (root / "low" / "new").exists()

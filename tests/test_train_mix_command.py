"""`earproof data mix` and `earproof data oversample` as a user calls them."""

import json
import re

import numpy as np
import pytest
import soundfile
from conftest import SAMPLE_RATE, tone

import earproof
from train.data import oversample_command
from train.mixtures.mixture_table import read_mixtures
from train.recordings import pitch_shift
from train.recordings.clip_index import read_index


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("EARPROOF_CACHE", str(tmp_path_factory.mktemp("cache")))


def _run(capsys, *arguments):
    code = earproof.main(["data", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def _noise(seed, seconds, sample_rate=SAMPLE_RATE):
    rng = np.random.default_rng(seed)
    wavering = 1.0 + 0.8 * np.sin(np.cumsum(rng.uniform(0, 0.004, int(seconds * sample_rate))))
    return 0.05 * wavering * rng.standard_normal(wavering.size)


def _folder(root, clips_per_label=3, labels=("a", "b", "c"), seconds=1.5):
    for place, label in enumerate(labels):
        (root / label).mkdir(parents=True)
        for number in range(clips_per_label):
            soundfile.write(root / label / f"{number}.wav", _noise(100 * place + number, seconds), SAMPLE_RATE)
    return root


def test_all_pairs_are_counted_by_side(capsys, tmp_path):
    root = _folder(tmp_path / "in", 10, seconds=0.3)
    code, out, err = _run(capsys, "mix", root, "--out", tmp_path / "m.csv")
    assert code == 0
    assert "162 mixtures of 3 label pairs" in out  # 3 label pairs of 7 x 7 + 2 x 2 + 1
    assert "left out       138 whose parts are on two sides" in out
    assert "split drawn with seed 0" in err
    assert read_mixtures(tmp_path / "m.csv").counts_by_side() == {"train": 147, "val": 12, "test": 3}
    code, out, _ = _run(capsys, "mix", root, "--no-split", "--out", tmp_path / "all.csv", "--json")
    document = json.loads(out)
    assert (code, document["kept"], document["left_out"]) == (0, {"no side": 300}, 0)


def test_undersampling_tells_what_is_kept_of_how_many(capsys, tmp_path):
    root = _folder(tmp_path / "in", 10, seconds=0.3)
    code, out, _ = _run(capsys, "mix", root, "--out", tmp_path / "m.csv", "--undersample", "20")
    assert code == 0
    assert "20 of 147" in out
    code, out, _ = _run(
        capsys, "mix", root, "--out", tmp_path / "m.csv", "--force", "--pairs-per-label-pair", "5", "--json"
    )
    assert json.loads(out)["kept"] == {"train": 15, "val": 12, "test": 3}


def test_rates_and_lengths_that_differ_are_counted_and_silence_is_left_out_by_name(capsys, tmp_path):
    root = _folder(tmp_path / "in", 4, ("a", "b"))
    soundfile.write(root / "a" / "0.wav", _noise(1, 0.7, 44_100), 44_100)
    soundfile.write(root / "a" / "silent.wav", np.zeros(9000), SAMPLE_RATE)
    code, out, err = _run(capsys, "mix", root, "--no-split", "--out", tmp_path / "m.csv", "--json")
    assert code == 0
    document = json.loads(out)
    assert document["silent"] == ["a/silent.wav"]
    assert (document["resampled"], document["uneven"]) == (1, 4)
    assert "left out: a/silent.wav is silent" in err
    assert "1 of 8 clips are not stored at 16000 Hz" in err
    assert "4 of 16 mixtures have parts of different lengths" in err
    assert "silent" not in (tmp_path / "m.csv").read_text()


def test_a_label_with_one_clip_is_told_and_without_it_on_a_side_refused(capsys, tmp_path):
    root = _folder(tmp_path / "in", 3)
    (root / "d").mkdir()
    soundfile.write(root / "d" / "only.wav", _noise(7, 1.5), SAMPLE_RATE)
    code, _, err = _run(capsys, "mix", root, "--out", tmp_path / "m.csv")
    assert code == 2
    assert "d has 1 group (d/only)" in err
    code, _, err = _run(capsys, "mix", root, "--no-split", "--out", tmp_path / "m.csv")
    assert code == 0
    assert "one clip only, which is a part of every mixture with its label there: d" in err


def test_written_mixtures_have_no_leak_and_a_moved_one_has(capsys, tmp_path):
    root, out_folder = _folder(tmp_path / "in"), tmp_path / "out"
    code, out, err = _run(capsys, "mix", root, "--write", out_folder)
    assert code == 0
    assert "9 recordings, about" in err
    assert f"recordings and their clips.csv are in {out_folder}" in out
    mixtures = read_mixtures(out_folder / "mixtures.csv")
    assert mixtures.counts_by_side() == {"train": 3, "val": 3, "test": 3}
    code, out, _ = _run(capsys, "check", out_folder)
    assert code == 0, out
    assert "9 clips: 0 errors" in out
    table = out_folder / "clips.csv"
    assert {clip.labels for clip in read_index(table).clips} == {("a", "b"), ("a", "c"), ("b", "c")}
    table.write_text(table.read_text().replace(",train,", ",test,", 1))
    code, out, _ = _run(capsys, "check", out_folder)
    assert code == 1
    assert "groups stand in more than one split" in out
    assert _run(capsys, "split", table, "--out", tmp_path / "s.csv")[0] == 2


def test_duplicates_of_mixtures_join_the_groups_of_their_parts(capsys, tmp_path):
    _run(capsys, "mix", _folder(tmp_path / "in"), "--write", tmp_path / "out")
    code, _, _ = _run(capsys, "duplicates", tmp_path / "out", "--out", tmp_path / "d.csv")
    assert code == 0
    assert len(read_index(tmp_path / "d.csv").clips) == 9


def test_longer_test_sets_have_their_published_lengths(capsys, tmp_path):
    root = _folder(tmp_path / "in", 3, ("a", "b"), seconds=5.2)
    for length, more in ((8, ("--length", "8")), (10, ("--arrange", "adjacent")), (12, ("--length", "12"))):
        code, _, err = _run(capsys, "mix", root, "--write", tmp_path / f"out{length}", *more)
        assert code == 0
        assert "3 of 3 mixtures have parts that do not last 5 s: longer ones are cut" in err
        for path in (tmp_path / f"out{length}").rglob("*.flac"):
            assert soundfile.info(path).frames == length * SAMPLE_RATE


def test_a_table_elsewhere_names_the_recordings_from_there(capsys, tmp_path):
    _run(capsys, "mix", _folder(tmp_path / "in"), "--write", tmp_path / "out", "--out", tmp_path / "m.csv")
    row = (tmp_path / "m.csv").read_text().splitlines()[1].split(",")
    assert (tmp_path / row[0]).is_file()
    assert (tmp_path / row[8]).is_file()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["mix", "DATA"], "nothing to write"),
        (["mix", "DATA", "--out", "EXISTS"], "--force"),
        (["mix", "DATA", "--out", "o.csv", "--normalize", "set"], "--normalization is about"),
        (["mix", "DATA", "--out", "o.csv", "--length", "8"], "--write DIR writes"),
        (["mix", "DATA", "--out", "o.csv", "--undersample", "0"], "expected 1 or more"),
        (["mix", "DATA", "--out", "o.csv", "--no-split", "--shares", "8:1:1"], "leave --shares"),
        (["mix", "DATA", "--out", "o.csv", "--test-fold", "1"], "clips have no fold"),
        (["mix", "DATA", "--label", "x", "--out", "o.csv"], "at least two"),
        (["mix", "DATA", "--write", "DATA"], "holds the originals"),
        (["mix", "SILENT", "--no-split", "--out", "o.csv"], "all 4 recordings are silent"),
        (["oversample", "DATA", "--into", "o", "--copies", "0"], "expected 1 or more"),
        (["oversample", "DATA", "--into", "o", "--copies", "1", "--max-cents", "1300"], "an octave"),
        (["oversample", "DATA", "--into", "o", "--copies", "1", "--semitones", "-1"], "above 0"),
        (["oversample", "DATA", "--into", "DATA", "--copies", "1"], "holds the originals"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(capsys, tmp_path, monkeypatch, arguments, reason):
    monkeypatch.chdir(tmp_path)
    silent = tmp_path / "silent"
    known = {"DATA": _folder(tmp_path / "in"), "EXISTS": tmp_path / "there.csv", "SILENT": silent}
    known["EXISTS"].write_text("mine")
    for label in ("a", "b"):
        (silent / label).mkdir(parents=True)
        for number in range(2):
            soundfile.write(silent / label / f"{number}.wav", np.zeros(9000), SAMPLE_RATE)
    code, out, err = _run(capsys, *(known.get(argument, argument) for argument in arguments))
    assert (code, out) == (2, "")
    assert reason in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "silent", "there.csv"]
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == ["a", "b", "c"]
    assert known["EXISTS"].read_text() == "mine"


def test_copies_stand_with_their_originals_on_the_training_side(capsys, tmp_path):
    root = tmp_path / "in"
    for place, label in enumerate("ab"):
        (root / label).mkdir(parents=True)
        for number in range(3):
            soundfile.write(root / label / f"{number}.wav", tone(400 + 300 * place + 20 * number, 1.0), SAMPLE_RATE)
    code, out, err = _run(capsys, "oversample", root, "--into", tmp_path / "out", "--copies", "2", "--semitones", "1")
    assert code == 0
    assert "10 clips, 4 of them copies by +100.0, -100.0 cents" in out
    assert re.search(r"shift: +0%.* 0/4 .*, a/\d\.wav\]", err)  # before the first copy is made
    index = read_index(tmp_path / "out" / "clips.csv")
    copies = [clip for clip in index.clips if clip.original]
    assert {clip.split for clip in copies} == {"train"}
    for clip in copies:
        (original,) = [other for other in index.clips if other.path.endswith(f"in/{clip.original}")]
        assert (original.group, original.split, original.labels) == (clip.group, "train", clip.labels)
    code, out, _ = _run(capsys, "mix", tmp_path / "out", "--out", tmp_path / "m.csv", "--json")
    assert json.loads(out)["kept"] == {"train": 9, "val": 1, "test": 1}


def test_the_help_tells_the_default_that_is_used():
    assert oversample_command.MAX_CENTS == pitch_shift.DEFAULT_MAX_CENTS

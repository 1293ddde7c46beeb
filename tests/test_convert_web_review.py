"""`earproof review`: the folder of takes, its decisions and tables, and the page used by keys in a browser.

The browser needs what `./setup.sh web` and `./setup.sh test` bring: Node.js, Chromium and the built page. Where
something is missing these tests are skipped, but fail where the environment variable CI is set.
"""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from page_in_browser import WEB, find_node, run_node
from tiny_tflite import TINY_LABELS, tiny_spec

pytest.importorskip("starlette")
import earproof
from convert.web.review.clip_tables import ClipTables
from convert.web.review.folder import NONE_OF_THESE, DecidedElsewhereError, ReviewFolder
from convert.web.review.routes import review_site
from convert.web.server import POLICY
from edge_runtime.audio.sample_format import to_shorts
from edge_runtime.audio.wav_bytes import wav_bytes
from edge_runtime.listen.uncertain_takes import UncertainTakes
from metadata import FrameScores
from metadata.csv_rows import read_rows
from train.data.prepare import find_data
from train.recordings.clip_index import combine, read_index

HERE = Path(__file__).parent
SOFTMAX = tiny_spec()
MANY = tuple(f"label {letter}" for letter in "abcdefghijkl")
SIGMOID = tiny_spec(name="many", labels=MANY, activation="sigmoid", thresholds=(0.5,) * len(MANY))


def _fill(folder, spec, scores, session="20260101T000000Z"):
    """Takes of one session with these scores, as `earproof listen --save-uncertain` keeps them."""
    takes = UncertainTakes(folder, spec, spec.thresholds, within=0.9, session=session)
    random = np.random.default_rng(int(session[6:8]))
    times = np.arange(spec.window_length) / spec.sample_rate
    for number, row in enumerate(scores):
        window = 0.2 * np.sin(2 * np.pi * 300 * (number + 1) * times) + 0.01 * random.standard_normal(times.size)
        takes.offer(window, row, 2.0 * (number + 1))
    return folder


def _softmax(count):
    """Scores whose highest label goes round, the closest decision first."""
    return [np.roll([0.5 + number / 100, 0.3, 0.2 - number / 100], number) for number in range(count)]


@pytest.fixture
def folder(tmp_path):
    _fill(tmp_path / "takes", SOFTMAX, _softmax(4))
    return _fill(tmp_path / "takes", SOFTMAX, _softmax(2), "20260102T000000Z")


def _write(review):
    review.tables.write()
    return {path.name: read_rows(path)[1] for path in review.folder.glob("*.csv")}


def _paths(folder):
    return [json.loads(line)["path"] for line in (folder / "takes.jsonl").read_text().splitlines()]


def test_kept_and_corrected_takes_are_clips_of_their_sessions_to_train_on(folder):
    review = ReviewFolder(folder)
    one, two, three, *_, last = review.takes
    review.decide(one, "keep")
    review.decide(two, "correct", ["speech"])
    review.decide(three, "discard")
    review.decide(last, "correct", ["silence"])
    rows = _write(review)["clips.csv"]
    assert [row.values["labels"] for row in rows] == ["silence", "speech", "silence"]
    index = read_index(folder / "clips.csv")
    assert [clip.path for clip in index.clips] == [one, two, last]
    assert {clip.group for clip in index.clips} == {"listened 20260101T000000Z", "listened 20260102T000000Z"}
    assert {clip.split for clip in index.clips} == {"train"}
    assert (folder / three).is_file()


def test_nothing_is_lost_where_a_server_is_killed(folder):
    review = ReviewFolder(folder)
    one, two, *_ = review.takes
    review.decide(one, "keep")
    review.decide(two, "correct", ["song"])
    review.decide(two, "correct", ["speech"])
    review.decide(two, "undo")
    with (folder / "decisions.jsonl").open("a") as file:
        file.write('{"take": "takes/x')  # it was killed while it wrote
    again = ReviewFolder(folder)
    state = again.state()
    assert state["decisions"][one] == {"action": "keep", "labels": ("silence",)}
    assert state["decisions"][two]["labels"] == ("song",)
    assert state["order"] == [one, two]
    assert [row.values["labels"] for row in read_rows(folder / "clips.csv")[1]] == ["silence", "song"]
    again.decide(one, "discard")
    assert ReviewFolder(folder).state()["decisions"][one]["action"] == "discard"
    assert "line 5 is no decision" in ReviewFolder(folder).faults[0]


BROKEN = [
    ('{"take": "TAKE", "action": "keep"}', "it lacks labels"),
    ('{"take": "TAKE", "action": "keep", "labels": "song"}', "its labels are 'song'; expected a list of texts"),
    ('{"take": "TAKE", "action": "maybe", "labels": ["song"]}', "its action is 'maybe'; expected keep, correct"),
    ('{"take": "TAKE", "action": ["keep"], "labels": ["song"]}', r"its action is \['keep'\]; expected keep, correct"),
    (
        '{"take": "TAKE", "action": "keep", "labels": ["song", "speech"]}',
        "tiny classifier tells one label a window; expected one",
    ),
    ('{"take": "TAKE", "action": "keep", "labels": []}', "its keep holds no labels"),
    ('{"take": "TAKE", "action": "correct", "labels": [7]}', "its correct: label 1 is empty"),
    ('{"take": 7, "action": "keep", "labels": ["song"]}', "its take is 7; expected the path of a WAV"),
    ('{"take": "TAKE", "action": "keep", "labels": ["song"], "who": 1}', "it has 'who'; expected take, action"),
    ("[]", "it is a list; expected an object"),
]


@pytest.mark.parametrize(("line", "told"), BROKEN)
def test_a_line_that_is_no_decision_is_left_out_and_told_at_the_start_and_later(folder, line, told):
    review = ReviewFolder(folder)
    one, *_ = review.takes
    review.decide(one, "discard")
    with (folder / "decisions.jsonl").open("a") as file:
        file.write("\n" + line.replace("TAKE", one) + "\n")
    for seen in (review.news(0), ReviewFolder(folder).state()):
        assert seen["decisions"][one]["action"] == "discard"
        assert len(seen["faults"]) == 1
        assert re.search(f"decisions.jsonl, line 3 is no decision: {told}", seen["faults"][0])


def test_a_torn_last_line_is_told_once(folder):
    one, *_ = _paths(folder)
    (folder / "decisions.jsonl").write_text('{"take": "takes/x')
    review = ReviewFolder(folder)
    assert re.search("line 1 has no end, so it is no decision", "\n".join(review.faults))
    review.decide(one, "discard")
    assert len(review.faults) == 1
    assert "line 1 is no decision: it is no JSON" in review.faults[0]
    with (folder / "decisions.jsonl").open("a") as file:
        file.write('{"take": "takes/x')  # that another program writes just now
    assert len(review.news(0)["faults"]) == 1


def test_undone_decisions_leave_no_table(folder):
    review = ReviewFolder(folder)
    one, *_ = review.takes
    review.decide(one, "keep")
    assert "clips.csv" in _write(review)
    review.decide(one, "undo")
    assert _write(review) == {}
    assert review.told() == ["0 takes of 6 decided, so there is no clips.csv"]
    with pytest.raises(ValueError, match="has no decision to undo"):
        review.decide(one, "undo")


def test_labels_that_no_model_knows_are_in_a_table_of_their_own(folder):
    review = ReviewFolder(folder)
    one, two, three, *_ = review.takes
    review.decide(one, "keep")
    review.decide(two, "correct", ["bird; tit"])
    review.decide(three, "correct", [NONE_OF_THESE])
    tables = _write(review)
    assert {name: len(rows) for name, rows in tables.items()} == {"clips.csv": 1, "new-labels.csv": 2}
    assert [clip.labels for clip in read_index(folder / "new-labels.csv").clips] == [("bird; tit",), (NONE_OF_THESE,)]
    assert re.search(
        r"2 clips in .*new-labels.csv \(bird; tit, none of these\): no model knows", "\n".join(review.told())
    )


def test_a_sigmoid_model_gives_takes_several_labels(tmp_path):
    scores = [[0.6, 0.55, *[0.1] * 10], [0.4, *[0.1] * 11], [0.6, *[0.1] * 11]]
    review = ReviewFolder(_fill(tmp_path / "takes", SIGMOID, scores))
    one, two, three = review.takes
    assert [review.state()["takes"][place]["said"] for place in (0, 1)] == [("label a", "label b"), ()]
    review.decide(one, "keep")
    review.decide(two, "keep")
    review.decide(three, "keep")
    assert [clip.labels for clip in read_index(_index(review, "several-labels.csv")).clips] == [("label a", "label b")]
    assert [clip.labels for clip in read_index(_index(review, "new-labels.csv")).clips] == [(NONE_OF_THESE,)]
    assert [clip.labels for clip in read_index(_index(review, "clips.csv")).clips] == [("label a",)]


def _index(review, name):
    review.tables.write()
    return review.folder / name


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (["a\nb"], "no control character"),
        (["x\x00"], "no control character"),
        ([" "], "the label has no name; give it one"),
        (["\ud800"], "no control character"),
        (["song", "speech"], "tells one label a window"),
        (["bird " * 20], "the label has 99 characters; expected 80 at most"),
    ],
)
def test_labels_that_no_table_can_hold_are_refused_and_change_nothing(folder, labels, told):
    review = ReviewFolder(folder)
    with pytest.raises(ValueError, match=told):
        review.decide(next(iter(review.takes)), "correct", labels)
    assert not (folder / "decisions.jsonl").exists()


def test_a_disk_that_cannot_be_written_saves_no_decision(folder, monkeypatch):
    review = ReviewFolder(folder)
    one, two, *_ = review.takes
    review.decide(one, "keep")
    before = (folder / "decisions.jsonl").read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("convert.web.review.decisions.os.fsync", full)
        with pytest.raises(OSError, match=r"the decision is not saved: .*No space left"):
            review.decide(two, "keep")
    assert (folder / "decisions.jsonl").read_bytes() == before
    assert two not in review.state()["decisions"]
    review.decide(two, "keep")
    assert len((folder / "decisions.jsonl").read_bytes().splitlines()) == 2


def test_a_table_that_cannot_be_written_is_told_and_the_decision_is_saved(folder, monkeypatch):
    review = ReviewFolder(folder)

    def refuse(self):
        raise OSError("no space left on the device")

    monkeypatch.setattr(ClipTables, "write", refuse)
    review.decide(next(iter(review.takes)), "keep")
    assert "the decisions are saved, but not the table of them: no space left" in review.news(0)["warning"]
    assert "the decisions are saved" in "\n".join(review.told())


def test_a_take_that_another_page_decided_is_not_overruled_unseen(folder):
    review, other = ReviewFolder(folder), ReviewFolder(folder)  # a second server on the same folder
    one, two, *_ = review.takes
    seen = review.state()["revision"]
    other.decide(one, "correct", ["song"])
    with pytest.raises(DecidedElsewhereError, match=r"on another page meanwhile \(song\); nothing was changed"):
        review.decide(one, "discard", revision=seen)
    news = review.news(seen)
    assert news["decisions"] == {one: {"action": "correct", "labels": ("song",)}}
    review.decide(one, "discard", revision=news["revision"])
    review.decide(two, "keep", revision=seen)  # another take
    assert other.news(seen)["decisions"][one]["action"] == "discard"


def test_a_table_of_somebody_else_is_not_written_over(folder, capsys):
    (folder / "clips.csv").write_text("path,labels\nmine.wav,song\n")
    assert earproof.main(["review", str(folder), "--no-open"]) == 2
    assert re.search(r"clips.csv was not written by earproof review.*--force", capsys.readouterr().err)
    assert (folder / "clips.csv").read_text() == "path,labels\nmine.wav,song\n"
    review = ReviewFolder(folder, force=True)
    review.decide(next(iter(review.takes)), "keep")
    assert len(_write(review)["clips.csv"]) == 1
    with (folder / "clips.csv").open("a") as file:
        file.write("mine.wav,song,me,train,\n")
    review.decide(next(iter(review.takes)), "discard")
    news = review.news(0)
    assert "or was changed since" in news["warning"]
    assert (news["table"]["clips"], news["table"]["written"]) == (0, False)
    assert "mine.wav" in (folder / "clips.csv").read_text()


def test_a_table_that_is_not_written_is_not_told_as_if_it_were(folder):
    review = ReviewFolder(folder)
    one, two, three, *_ = review.takes
    review.decide(one, "keep")
    _write(review)
    with (folder / "clips.csv").open("a") as file:
        file.write("mine.wav,song,me,train,\n")
    review.decide(two, "keep")
    review.decide(three, "correct", ["bird"])
    table = review.news(0)["table"]
    assert (table["clips"], table["written"], len(table["commands"])) == (2, False, 3)
    assert table["aside"][0]["written"]
    assert (folder / "new-labels.csv").is_file()  # one table that cannot be written keeps no other from it
    told = review.told()
    assert told[1] == f"2 clips decided, but not written to {folder / 'clips.csv'}, all on the train side"
    assert "the decisions are saved, but not the table" in told[3]
    assert told[4] == f"the commands take {folder / 'clips.csv'} as it is, without what was decided since"
    (folder / "clips.csv").unlink()
    (folder / "clips.csv").mkdir()
    review.decide(one, "keep")
    news = review.news(0)
    assert "clips.csv is a folder; expected a file of earproof review" in news["warning"]
    assert news["table"]["commands"] == []  # there is nothing to build from


TABLES = ("clips.csv", "new-labels.csv", "several-labels.csv")


def test_all_tables_that_cannot_be_written_are_named(folder, capsys):
    for name in TABLES:
        (folder / name).write_text("path,labels\n")
    assert earproof.main(["review", str(folder), "--no-open"]) == 2
    told = capsys.readouterr().err
    assert [told.count(f"{name} was not written by earproof review") for name in TABLES] == [1, 1, 1]
    review = ReviewFolder(folder, force=True)
    one, two, *_ = review.takes
    review.decide(one, "keep")
    review.decide(two, "correct", ["bird"])
    _write(review)
    for name in TABLES[:2]:
        (folder / name).write_text("path,labels\n")
    review.decide(one, "keep")
    warning = review.news(0)["warning"]
    assert warning.startswith("the decisions are saved, but not the tables of them: ")
    assert [warning.count(f"{name} was not written") for name in TABLES] == [1, 1, 0]
    for name in TABLES[:2]:
        (folder / name).unlink()
        (folder / name).mkdir()
    assert earproof.main(["review", str(folder), "--no-open", "--force"]) == 2
    told = capsys.readouterr().err
    assert [told.count(f"{name} is a folder") for name in TABLES] == [1, 1, 0]


def test_a_fault_of_the_whole_folder_is_told_once(folder):
    review = ReviewFolder(folder)
    review.decide(next(iter(review.takes)), "keep")
    (folder / "review.sha256").mkdir()
    for name in TABLES:
        (folder / name).write_text("path,labels\n")
    assert review.news(0)["warning"].count("review.sha256 is a folder") == 1


def _detector(**changes):
    return tiny_spec(activation="sigmoid", frames=FrameScores(125, 256), **changes)


@pytest.fixture
def scenes(tmp_path):
    """Recordings with annotations, as a detector learns them."""
    folder = tmp_path / "scenes"
    folder.mkdir()
    rows, sides = ["filename,onset,offset,event_label"], ["filename,group,split"]
    for number, side in enumerate(("train", "val", "test")):
        name = f"{number}.wav"
        noise = np.random.default_rng(100 + number).uniform(-0.3, 0.3, 5 * 16_000)
        (folder / name).write_bytes(wav_bytes(to_shorts(noise), 16_000))
        rows += [f"{name},0.5,2.0,song", f"{name},2.5,4.0,speech"]
        sides.append(f"{name},group {number},{side}")
    (folder / "annotations.csv").write_text("\n".join([*rows, ""]))
    (folder / "meta.csv").write_text("\n".join([*sides, ""]))
    return folder


def test_takes_of_a_detector_need_annotations_and_what_is_told_about_them_works(tmp_path, scenes, capsys):
    folder = _fill(tmp_path / "takes", _detector(), [[0.1, 0.55, 0.1], [0.1, 0.2, 0.52], [0.5, 0.1, 0.1]])
    review = ReviewFolder(folder)
    one, two, three = review.takes
    assert review.state()["table"]["detectors"] is None  # nothing is decided
    review.decide(one, "keep")
    review.decide(two, "correct", [NONE_OF_THESE])
    review.decide(three, "keep")
    table = review.news(0)["table"]
    assert table["commands"] == []  # of which each would be refused
    found = table["detectors"]
    assert (found["clips"], found["written"], found["path"]) == (3, True, str(folder / "meta.csv"))
    assert found["why"].startswith("The model tiny classifier is a detector.")
    assert found["commands"][:2] == [
        f"earproof data check FOLDER {folder}",
        f"earproof build FOLDER {folder} --out runs/after",
    ]
    told = "\n".join(review.told())
    assert f"next: {found['commands'][0]}" in told
    assert "data check FOLDER " + str(folder / "clips.csv") not in told
    (label_track,) = re.findall(r"its name: (\S+) for", found["steps"][0])
    Path(label_track).write_text("0.2\t1.0\tsong\n")
    (folder / two).with_suffix(".txt").touch()
    check = [word.replace("FOLDER", str(scenes)) for word in found["commands"][0].split()[1:]]
    assert earproof.main(check) == 0
    capsys.readouterr()
    assert earproof.main(["data", "check", str(scenes), str(folder / "clips.csv")]) == 2  # the reason for all this
    assert "has annotations and" in capsys.readouterr().err
    index = combine([find_data(scenes), find_data(folder)])
    taken = {Path(clip.path).name: clip for clip in index.clips if clip.path.startswith("takes/")}
    assert {name: (clip.labels, clip.split) for name, clip in taken.items()} == {
        Path(one).name: (("song",), "train"),
        Path(two).name: ((), "train"),
    }


def test_a_meta_csv_beside_takes_of_classifiers_is_left_alone(folder):
    (folder / "meta.csv").write_text("mine\n")
    for force in (False, True):
        review = ReviewFolder(folder, force)
        review.decide(next(iter(review.takes)), "keep")
        assert "meta.csv" in _write(review)
    assert (folder / "meta.csv").read_text() == "mine\n"


def test_takes_of_a_detector_beside_others_keep_the_commands_of_these(folder):
    _fill(folder, _detector(name="finder"), [[0.1, 0.55, 0.1]], "20260103T000000Z")
    review = ReviewFolder(folder)
    *others, of_finder = review.takes
    review.decide(of_finder, "keep")
    review.decide(others[0], "keep")
    table = review.news(0)["table"]
    assert table["commands"][0] == f"earproof data check FOLDER {folder / 'clips.csv'}"
    assert (table["clips"], table["detectors"]["clips"]) == (2, 1)
    assert [row.values["path"] for row in read_rows(folder / "meta.csv")[1]] == [of_finder]
    review.decide(of_finder, "discard")
    assert review.news(0)["table"]["detectors"] is None
    assert not (folder / "meta.csv").exists()


@pytest.mark.parametrize("words", [[], ["--force"]])
@pytest.mark.parametrize("name", ["clips.csv", "new-labels.csv", "decisions.jsonl", "review.sha256"])
def test_a_folder_in_place_of_a_file_is_told_in_words(folder, capsys, name, words):
    (folder / name).mkdir()
    (folder / "clips.csv").exists() or (folder / "clips.csv").write_text("path,labels\n")
    assert earproof.main(["review", str(folder), "--no-open", *words]) == 2
    told = capsys.readouterr().err
    if name == "new-labels.csv" and not words:
        assert "clips.csv was not written by earproof review" in told
    else:
        assert f"{name} is a folder; expected" in told
    assert "Errno" not in told


def test_the_console_tells_some_faults_and_where_the_others_are(folder, capsys, monkeypatch):
    with (folder / "takes.jsonl").open("a") as file:
        file.write("[]\n" * 13)

    def serve(*arguments):
        (folder / "decisions.jsonl").write_text("null\n")

    monkeypatch.setattr("convert.web.server.serve", serve)
    monkeypatch.setattr("convert.web.review.routes.review_site", dict)
    assert earproof.main(["review", str(folder), "--no-open"]) == 0
    told = capsys.readouterr().err.splitlines()
    assert sum(line.startswith("left out: ") for line in told) == 7
    assert (
        told[7]
        == f"left out: {folder / 'decisions.jsonl'}, line 1 is no decision: it is null; expected an object in {{}}"
    )
    assert told[5:7] == ["left out: 8 more; see the page", "13 faults; 6 takes can be heard"]


def test_what_cannot_be_heard_is_left_out_told_and_counted(folder):
    first, second, third, *_ = _paths(folder)
    (folder / first).unlink()
    (folder / second).write_bytes(b"\x00" * 999)
    (folder.parent / "secret.wav").write_bytes((folder / third).read_bytes())
    lines = (folder / "takes.jsonl").read_text().splitlines()
    escaping = {**json.loads(lines[2]), "path": "../secret.wav"}
    absolute = {**escaping, "path": str((folder.parent / "secret.wav").resolve())}
    (folder / "link.wav").symlink_to(folder.parent / "secret.wav")
    linked = {**escaping, "path": "link.wav"}
    numbers = {**json.loads(lines[2]), "scores": {"song": "loud"}}
    unsure = {**json.loads(lines[2]), "detector": "maybe"}
    more = ["this is no JSON", *map(json.dumps, (escaping, absolute, linked, numbers, unsure, json.loads(lines[2])))]
    (folder / "takes.jsonl").write_text("\n".join([*lines, *more, ""]))
    review = ReviewFolder(folder)
    assert len(review.takes) == 4
    told = "\n".join(review.faults)
    assert len(review.faults) == 9
    assert "line 7 is no take" in told
    assert told.count("it leads out of") == 3
    assert "does not exist" in told
    assert f"{second} is damaged: it does not begin as a WAV file does" in told
    assert "install" not in told
    assert "its scores, thresholds or seconds are no numbers" in told
    assert "its detector is neither true nor false" in told
    assert "it is listed twice" in told
    with pytest.raises(ValueError, match="there is no take"):
        review.sound("../secret.wav")


def test_a_take_whose_sound_goes_away_is_in_no_table(folder):
    review = ReviewFolder(folder)
    one, two, *_ = review.takes
    review.decide(one, "keep")
    review.decide(two, "keep")
    (folder / one).unlink()
    assert [row.values["path"] for row in _write(review)["clips.csv"]] == [two]
    with pytest.raises(OSError, match="cannot be read: No such file"):
        review.sound(one)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: None, "does not exist; expected a folder of earproof listen"),
        (lambda path: path.write_text("x"), "is a file"),
        (lambda path: path.mkdir(), "holds no takes.jsonl"),
        (lambda path: (path.mkdir(), (path / "takes.jsonl").touch()), "takes.jsonl is empty; expected a line a take"),
        (lambda path: (path / "takes").mkdir(parents=True), "kept no take, as no decision was close"),
    ],
)
def test_a_folder_without_takes_is_refused(tmp_path, capsys, make, told):
    make(tmp_path / "takes")
    assert earproof.main(["review", str(tmp_path / "takes"), "--no-open"]) == 2
    assert told in capsys.readouterr().err


def test_takes_of_an_earlier_version_are_reviewed_too(folder):
    lines = [json.loads(line) for line in (folder / "takes.jsonl").read_text().splitlines()]
    for line in lines:
        del line["activation"], line["thresholds"], line["detector"]
    (folder / "takes.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (model,) = ReviewFolder(folder).state()["models"]
    assert (model["activation"], model["thresholds"], model["assumed"]) == ("softmax", (0.5,) * 3, True)


def test_a_page_that_is_not_built_says_what_builds_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"the page is not built.*\./setup\.sh web"):
        review_site(tmp_path)


def test_the_policy_of_the_page_is_that_of_the_server_without_what_runs_models():
    page = (WEB / "src" / "review" / "index.html").read_text(encoding="utf-8")
    in_page = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)[1]
    assert f"{in_page}; frame-ancestors 'none'" == POLICY.replace(" 'wasm-unsafe-eval'", "")


@pytest.fixture(scope="module")
def node():
    return find_node()


def _serve(folder):
    """Start `earproof review` as a person does; return the process and its address."""
    command = [sys.executable, "-m", "earproof", "review", str(folder), "--no-open"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent)
    assert server.stdout is not None
    return server, server.stdout.readline().strip()


@pytest.fixture(scope="module")
def visited(node, tmp_path_factory):
    """Folders after a visit in Chromium, and what was seen there."""
    root = tmp_path_factory.mktemp("review")
    single = _fill(root / "single", SOFTMAX, _softmax(7))
    _fill(single, SOFTMAX, _softmax(2), "20260102T000000Z")
    second = single / _paths(single)[1]
    with (single / "takes.jsonl").open("a") as file:
        file.write("no JSON\n")
    several = _fill(root / "several", SIGMOID, [np.roll([0.6, 0.55, *[0.1] * 10], place) for place in range(4)])
    detector = _fill(root / "detector", _detector(thresholds=(0.600972, 0.62151, 0.5)), [[0.1, 0.7, 0.1]] * 2)
    lines = (detector / "takes.jsonl").read_text().replace("threshold 0.622", "threshold 0.62151")  # as it was told
    (detector / "takes.jsonl").write_text(lines)
    servers = {path.name: _serve(path) for path in (single, several, detector)}
    job = {
        "single": servers["single"][1],
        "several": servers["several"][1],
        "detector": servers["detector"][1],
        "single_server": servers["single"][0].pid,
        "second_sound": str(second),
        "table": str(single / "clips.csv"),
        "decisions": str(single / "decisions.jsonl"),
    }
    try:
        seen = run_node(node, "use_review.mjs", shutil.which("chromium"), job=job, folder=root, timeout=240)
    finally:
        for server, _ in servers.values():
            server.terminate()
            server.wait(timeout=20)
    return {"root": root, "addresses": job, **seen}


def test_takes_are_decided_by_one_key_each(visited):
    steps = visited["steps"]
    assert steps["start"] == ["1 of 9", "0 decided, 9 to go"]
    assert steps["without_keys"] == steps["start"]
    assert steps["kept"] == ["2 of 9", "1 decided, 8 to go"]
    assert steps["corrected"] == ["3 of 9", "2 decided, 7 to go"]
    assert steps["discarded"] == ["4 of 9", "3 decided, 6 to go"]
    assert steps["undone"] == ["3 of 9", "2 decided, 7 to go"]
    assert steps["back"] == ["2 of 9", "2 decided, 7 to go"]
    assert steps["held"] == ["4 of 9", "3 decided, 6 to go"]  # a key held down decides once
    assert visited["asked_for_new_label"] == "“bird” is new: press Enter again to make it a label."
    assert visited["long_label"] == "A new label has 80 characters at most; this one has 81."
    assert visited["entered_twice"] == "5 decided, 4 to go"
    assert steps["reloaded"][1] == "5 decided, 4 to go"


def test_all_takes_are_gone_through_again(visited):
    assert visited["second_pass"] == ["1 of 9", "2 of 9", "3 of 9", "1 of 9"]  # Enter, →, and U back to what it undid


def test_a_table_that_somebody_edited_and_a_broken_line_are_told_on_the_page(visited):
    told = visited["table_fault"]
    assert re.search(r"\d clips decided, but not written to .*clips.csv", told)
    assert "was not written by earproof review, or was changed since" in told
    assert "The commands below take the file as it is, without what was decided since." in told
    assert visited["fault_above"]
    assert "is no decision: it lacks labels" in visited["broken_line"]


def test_all_that_decides_is_within_reach_on_a_telephone(visited):
    assert visited["long_label_fits"] == {"told": True, "table": 0, "page": 360}
    assert visited["reach"] == {"play": True, "label": True, "sideways": True}


def test_the_take_that_is_shown_is_played_and_the_first_refusal_is_told(visited):
    assert "plays nothing by itself before the first key or click" in visited["refused_autoplay"]
    assert visited["played"] == ["Pause", "Play"]
    assert visited["plays_at_once"] == "Pause"
    assert visited["plays_not"] == "Play"
    assert visited["pictures_differ"]


def test_the_timeline_that_has_the_focus_keeps_the_keys_that_it_names(visited):
    assert visited["on_timeline"] == ["1 of 9", "2 of 9"]  # by an arrow key, and by one after a click


def test_where_no_take_is_like_the_choice_no_key_acts_and_what_was_told_goes_with_it(visited):
    told, counts, play, is_shown, told_after, is_shown_after = visited["none_like"]
    assert told == "no take is like that; choose others below"
    assert (counts, play.split()[0], is_shown) == ("0 decided, 9 to go", "Play", False)
    assert (told_after, is_shown_after) == (False, True)
    assert visited["faults"] == []


def test_a_telephone_on_its_side_has_one_row_of_keys_and_shows_the_take(visited):
    found = visited["on_its_side"]
    assert found.pop("bar") <= 64
    assert found.pop("take") >= 200
    assert found == {"rows": 1, "within": True, "play": True, "width": 740}


def test_thresholds_have_three_digits(visited):
    assert visited["long_threshold"] == ["song 0.70 is near its threshold 0.622", "song: 0.700, threshold 0.622"]


def test_the_page_of_a_detector_tells_what_can_be_done(visited):
    folder, found = visited["root"] / "detector", visited["detector"]
    assert not found["go_on"]
    assert "The model tiny classifier is a detector." in found["told"]
    assert f"the commands take {folder / 'clips.csv'} in place of {folder}" in found["told"]
    assert found["commands"].startswith(f"earproof data check FOLDER {folder}\n")


def test_decisions_of_the_page_are_in_the_table(visited):
    folder = visited["root"] / "single"
    review = ReviewFolder(folder)
    index = read_index(folder / "clips.csv")
    assert {clip.path: clip.labels for clip in index.clips} == {
        path: one.labels
        for path, one in review.decisions.in_force.items()
        if one.action != "discard" and set(one.labels) <= set(TINY_LABELS)
    }
    assert [clip.labels for clip in read_index(folder / "new-labels.csv").clips] == [("bird",)]
    assert visited["result"].startswith("All 9 takes are decided")
    assert f"earproof build FOLDER {folder}/clips.csv --out runs/after" in visited["commands"]
    assert "1 left out" in visited["faults_told"]


def test_several_labels_are_chosen_one_by_one(visited):
    folder = visited["root"] / "several"
    assert visited["keep_says"] == ["Keep label a + label b", "Save label b", "Save label b + label k"]
    assert visited["digits"] == 9
    found = {one.action: set(one.labels) for one in ReviewFolder(folder).decisions.in_force.values()}
    assert found == {"correct": {"label b", "label k"}, "keep": {"label c", "label b"}}


def test_a_filter_shows_some_takes_only(visited):
    assert visited["filtered"] == {"song": "1 of 3", "session": "1 of 7", "undecided": "1 of 9", "sessions": 2}


def test_two_pages_tell_each_other(visited):
    assert "this take was decided on another page meanwhile (song)" in visited["conflict"]
    assert visited["conflict_verdict"] == "corrected to song"


def test_faults_are_told_and_no_decision_is_shown_that_is_not_saved(visited):
    assert re.search(r"cannot be read: No such file.*→ passes it over, X discards it", visited["gone_sound"])
    assert visited["gone_sound_kept"] == visited["gone_sound_before"]
    assert "the server does not answer; is earproof still running?" in visited["gone_server"]
    assert visited["gone_server_counts"] == visited["gone_server_before"]


def test_the_page_asks_its_server_alone_and_is_open_to_all(visited):
    asked = {urlsplit(one).netloc for one in visited["requests"] if not one.startswith(("blob:", "data:"))}
    assert asked == {urlsplit(visited["addresses"][name]).netloc for name in ("single", "several", "detector")}
    assert visited["faults"] == []
    assert {state: faults for state, faults in visited["axe"].items() if faults} == {}
    assert len(visited["axe"]) == 8
    assert visited["narrow_width"] == 360


def test_the_page_does_not_grow_with_the_takes_that_were_decided(visited):
    before, after = visited["elements"]
    assert 40 < before <= after <= before + 2  # a label was made

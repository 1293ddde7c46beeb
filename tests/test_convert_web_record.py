"""The page that records: its folder of takes, its trainings, and the whole of it used in a browser."""

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from urllib.parse import urlsplit

import numpy as np
import pytest
import soundfile
from page_in_browser import find_node, run_node, served

import earproof
from convert.web.record import routes, take_folder, trainings
from convert.web.record.findings import find_faults
from convert.web.record.held_file import HeldFile
from convert.web.record.missing_takes import missing_to_train
from convert.web.record.routes import Recorder
from convert.web.record.take_folder import GoneError, TakeFolder
from convert.web.record.training_stages import FIRST_STEP, stage_of
from convert.web.record.trainings import Trainings
from edge_runtime.audio.wav_bytes import wav_bytes
from train.recordings.clip_index import find_clips, write_index


def _take(seed=0, seconds=0.5):
    """Noise as a WAV file of 16 kHz."""
    noise = np.random.default_rng(seed).integers(-9_000, 9_000, round(seconds * 16_000))
    return wav_bytes(noise.astype(np.int16), 16_000)


@pytest.fixture
def takes(tmp_path):
    folder = TakeFolder(tmp_path / "takes")
    for label in ("yes", "no"):
        folder.add_label(label)
    return folder


def _files(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_takes_lie_as_every_verb_reads_them(takes):
    first = takes.add("yes", "Anna, kitchen", _take(1))
    second = takes.add("no", "Anna, kitchen", _take(2))
    third = takes.add("yes", "Anna, kitchen", _take(3))
    assert [first, second, third] == [
        "yes/Anna, kitchen-0001.wav",
        "no/Anna, kitchen-0001.wav",
        "yes/Anna, kitchen-0002.wav",
    ]
    index = find_clips(takes.root)
    assert index.labels == ("yes", "no")  # in the order in which they were added
    assert [(clip.path, clip.labels, clip.group) for clip in index.clips] == [
        (first, ("yes",), "Anna, kitchen"),
        (second, ("no",), "Anna, kitchen"),
        (third, ("yes",), "Anna, kitchen"),
    ]
    assert takes.content(first) == _take(1)
    assert takes.takes()[0] == {
        "path": first,
        "labels": ["yes"],
        "group": "Anna, kitchen",
        "split": "",
        "seconds": 0.5,
    }


def test_recordings_that_are_there_stay_and_get_their_row_with_the_first_take(tmp_path):
    for label in ("cat", "dog"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.wav").write_bytes(_take())
    folder = TakeFolder(tmp_path)
    assert folder.labels() == ("cat", "dog")
    assert len(folder.takes()) == 2
    assert not (tmp_path / "clips.csv").exists()  # looking changes nothing
    folder.add("dog", "s", _take(1))
    groups = {clip.path: clip.group for clip in find_clips(tmp_path).clips}
    assert groups == {"cat/1.wav": "cat/1", "dog/1.wav": "dog/1", "dog/s-0001.wav": "s"}


def test_a_recording_that_cannot_be_read_shuts_nobody_out(tmp_path):
    (tmp_path / "dog").mkdir()
    (tmp_path / "dog" / "1.wav").write_bytes(_take())
    (tmp_path / "dog" / "broken.wav").write_bytes(b"this is no sound" * 9)
    folder = TakeFolder(tmp_path)
    assert {take["path"]: take["seconds"] for take in folder.takes()} == {"dog/1.wav": 0.5, "dog/broken.wav": None}
    folder.add("dog", "s", _take(1))
    assert len(folder.takes()) == 3
    assert any("broken.wav" in f"{one['text']}{one['clips']}" for one in find_faults(tmp_path))


def test_a_table_that_is_edited_meanwhile_is_read_anew(takes):
    path = takes.add("yes", "s", _take())
    table = takes.root / "clips.csv"
    table.write_text(table.read_text().replace(",s,", ",another session,"))
    assert takes.takes()[0]["group"] == "another session"
    takes.add("no", "s", _take(1))
    assert {take["path"]: take["group"] for take in takes.takes()}[path] == "another session"


def test_a_new_take_goes_to_the_side_of_its_session_else_to_train(takes):
    for number, group in enumerate(("a", "b", "c")):
        takes.add("yes", group, _take(number))
    clips = [
        clip.__class__(**{**vars(clip), "split": side})
        for clip, side in zip(takes.index().clips, ("train", "val", "test"), strict=True)
    ]
    write_index(takes.root / "clips.csv", takes.index().with_clips(clips))
    takes.add("yes", "c", _take(4))
    takes.add("yes", "d", _take(5))
    assert [take["split"] for take in takes.takes()] == ["train", "val", "test", "test", "train"]


def test_a_deleted_take_comes_back_and_the_last_one_leaves_no_broken_table(takes):
    path = takes.add("yes", "s", _take())
    takes.delete(path)
    assert takes.takes() == []
    assert _files(takes.root) == [f".deleted/{path}", "labels.txt"]
    assert takes.add("yes", "s", _take(1)) == "yes/s-0002.wav"  # the name of the deleted one stays its own
    takes.restore(path)
    assert {take["path"] for take in takes.takes()} == {path, "yes/s-0002.wav"}
    with pytest.raises(ValueError, match="is back already"):
        takes.restore(path)


def test_a_take_that_another_page_deleted_is_gone_and_one_that_was_wiped_stays_gone(takes):
    path = takes.add("yes", "s", _take())
    takes.delete(path)
    for act in (takes.delete, takes.content):
        with pytest.raises(GoneError, match=f"{path} is gone already: another page deleted it"):
            act(path)
    shutil.rmtree(takes.root / ".deleted")
    with pytest.raises(ValueError, match=r"cannot come back: it is no longer in .*\.deleted"):
        takes.restore(path)


def test_of_two_servers_on_one_folder_the_second_is_refused(takes):
    other = TakeFolder(takes.root)
    with takes.held():
        refused = rf"another earproof \(process {os.getpid()}\) records into .*takes; use the page that it opened"
        with pytest.raises(ValueError, match=refused), other.held():
            raise AssertionError("two servers hold one folder")
    with other.held():  # a server that has ended holds nothing
        assert _files(takes.root) == [".recording", "labels.txt"]
    assert _files(takes.root) == ["labels.txt"]
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(takes.root)], stdout=subprocess.PIPE, stdin=subprocess.PIPE
    ) as killed:
        assert killed.stdout is not None
        assert killed.stdout.readline() == b"held\n"
        with pytest.raises(ValueError, match=f"process {killed.pid}"), takes.held():
            raise AssertionError("two servers hold one folder")
        killed.kill()
    with takes.held():  # nor does one that was killed
        pass


_HOLD = """
import sys
from pathlib import Path
from convert.web.record.take_folder import TakeFolder
with TakeFolder(Path(sys.argv[1])).held():
    print("held", flush=True)
    input()
"""


def test_no_path_leads_out_of_the_folder(takes, tmp_path):
    outside = tmp_path / "outside.wav"
    outside.write_bytes(_take())
    (takes.root / "notes.txt").write_text("not a take")
    for path in ("../outside.wav", str(outside), "notes.txt", "yes/../../outside.wav", ""):
        for act in (takes.content, takes.delete, takes.restore):
            with pytest.raises(ValueError, match=r"no recording|not deleted here"):
                act(path)
    takes.add_label("../../up")
    path = takes.add("../../up", "../../../up", _take(1))
    assert (takes.root / path).resolve().is_relative_to(takes.root.resolve())
    assert _files(tmp_path)[0] == "outside.wav"
    assert len(_files(tmp_path)) == 5  # with clips.csv, labels.txt, notes.txt and the take


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"this is no sound" * 9, "no sound file"),
        (_take()[:30], "it is not kept"),
        (wav_bytes(np.zeros(0, np.int16), 16_000), "holds no samples"),
    ],
    ids=["empty", "text", "cut", "no samples"],
)
def test_what_is_no_recording_is_refused_and_leaves_nothing(takes, content, told):
    with pytest.raises(ValueError, match=told):
        takes.add("yes", "s", content)
    assert _files(takes.root) == ["labels.txt"]


def test_a_take_whose_row_cannot_be_written_is_not_kept(takes, monkeypatch):
    kept = takes.add("yes", "s", _take())

    def full(*_):
        raise OSError("no space left on device")

    monkeypatch.setattr(take_folder, "write_index", full)
    with pytest.raises(OSError, match="no space left"):
        takes.add("yes", "s", _take(1))
    assert _files(takes.root) == ["clips.csv", "labels.txt", kept]
    with pytest.raises(OSError, match="no space left"):
        takes.add("no", "s", _take(1))
    assert [take["path"] for take in takes.takes()] == [kept]


def test_what_the_system_refuses_is_told_in_words_and_nothing_is_lost(takes, monkeypatch):
    kept = takes.add("yes", "s", _take())
    gone = takes.add("yes", "s", _take(1))
    takes.delete(gone)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    files = _files(takes.root)
    monkeypatch.setattr(take_folder, "write_index", full)
    monkeypatch.setattr(take_folder, "write_atomically", full)
    for act in (
        lambda: takes.add("yes", "s", _take(2)),
        lambda: takes.restore(gone),
        lambda: takes.add_label("other"),
        lambda: takes.remove_label("no"),
    ):
        with pytest.raises(OSError, match=r"^/.*takes cannot be changed: No space left on device$"):
            act()
        assert _files(takes.root) == files
    monkeypatch.undo()
    (takes.root / ".deleted" / "yes" / "again").mkdir()
    monkeypatch.setattr(os, "replace", _replace_nothing_deleted(os.replace))
    with pytest.raises(OSError, match="cannot be changed: Permission denied"):
        takes.delete(kept)
    assert [take["path"] for take in takes.takes()] == [kept]  # with its row


def _replace_nothing_deleted(replace_file):
    def moved(source, target):
        if ".deleted" in str(target):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        replace_file(source, target)

    return moved


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("labels.txt", "that is the name of a file in"),
        ("Clips.csv", "that is the name of a file in"),
        ("notes", "that is the name of a file in"),
        ("a:b", "the takes of 'a:b' would lie in the folder a_b, as those of 'a/b' do; choose another name"),
        (" ", "the label has no name; give it one"),
        ("Yes", "there is the label 'yes' already"),
        ("a\nb", "no control character"),
        ("x" * 81, "80 at most"),
    ],
)
def test_labels_that_files_cannot_hold_are_refused(takes, name, told):
    takes.add_label("a/b")
    (takes.root / "notes").write_text("")
    with pytest.raises(ValueError, match=told):
        takes.add_label(name)
    assert takes.labels() == ("yes", "no", "a/b")


def test_a_label_goes_only_without_takes(takes):
    takes.add("yes", "s", _take())
    with pytest.raises(ValueError, match="has takes; delete them first"):
        takes.remove_label("yes")
    takes.remove_label("no")
    assert takes.labels() == ("yes",)
    with pytest.raises(ValueError, match="there is no label 'no'"):
        takes.add("no", "s", _take())
    with pytest.raises(ValueError, match="the session has no name; give it one"):
        takes.add("yes", " ", _take())


def _missing(folder, **options):
    return missing_to_train(folder.index(), folder.labels(), **options)


def test_what_a_training_still_needs_is_told_label_by_label(tmp_path):
    folder = TakeFolder(tmp_path)
    assert _missing(folder) == ["Name at least two labels; one of them may be background."]
    for label in ("yes", "no"):
        folder.add_label(label)
    for number in range(3):
        folder.add("yes", f"s{number}", _take(number))
    assert _missing(folder) == ["Record takes of no."]
    folder.add("no", "s0", _take(4))
    assert _missing(folder) == ["Record no in 3 sessions (now 1): one to train on, one to choose by, one to test."]
    for number in (1, 2):
        folder.add("no", f"s{number}", _take(4 + number))
    assert _missing(folder) == []


def _sided(takes, sides):
    """Put the takes on sides, one after the other."""
    clips = [replace(clip, split=side) for clip, side in zip(takes.index().clips, sides, strict=True)]
    write_index(takes.root / "clips.csv", takes.index().with_clips(clips))


def test_sides_that_the_training_would_refuse_are_told_before(takes):
    for number in range(3):
        takes.add("yes", f"s{number}", _take(number))
        takes.add("no", f"s{number}", _take(9 + number))
    assert (_missing(takes), takes.notes()) == ([], [])
    _sided(takes, ("train", "train", "val", "val", "test", ""))
    (told,) = _missing(takes)
    assert told.startswith("The sides of the recordings do not serve: 5 of 6 clips have a split; give one to all")
    _sided(takes, ("train", "train", "test", "test", "test", "test"))
    assert "the val side has no clip of yes, no" in _missing(takes)[0]
    assert _missing(takes, validates=False) == []  # as for a head on a backbone
    _sided(takes, ("train", "train", "val", "val", "test", "test"))
    assert _missing(takes) == []
    assert "a new session to train." in takes.notes()[0]


def test_faults_of_the_takes_are_those_of_data_check(takes):
    for number in range(3):
        takes.add("yes", f"s{number}", _take(number))
        takes.add("no", f"s{number}", _take(number))  # the same sound under two labels
    found = find_faults(takes.root)
    assert any(one["level"] == "error" and "same audio" in one["text"] for one in found)
    (takes.root / "clips.csv").write_text("path,labels\nyes/none.wav,yes\n")
    with pytest.raises(ValueError, match=r"no file .yes/none\.wav."):
        find_faults(takes.root)


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Trainings whose command is a small script in place of `earproof build`."""

    def make(script):
        monkeypatch.setattr(trainings, "_EARPROOF", (sys.executable, "-c", script))
        monkeypatch.setenv("EARPROOF_BACKBONES", str(tmp_path / "none"))
        return Trainings(tmp_path / "takes", tmp_path / "runs")

    return make


def _until_ended(running):
    for _ in range(400):
        (last,) = running.described()[-1:]
        if last["state"] != "running":
            return last
        time.sleep(0.05)
    raise AssertionError("the training did not end")


def test_one_training_at_a_time_and_a_stopped_one_is_told(stand_in):
    running = stand_in("import time; print('converting a (2 of 4', flush=True); time.sleep(60)")
    assert running.start(epochs=3) == "training-001"
    with pytest.raises(ValueError, match="one training at a time: wait for training-001, or stop it"):
        running.start()
    while not running.log("training-001"):
        time.sleep(0.05)
    (described,) = running.described()
    assert (described["state"], described["step"]) == ("running", "converting a (2 of 4")
    assert described["command"][-2:] == ["--epochs", "3"]
    running.stop()
    assert _until_ended(running)["state"] == "stopped"  # and by no fault
    with pytest.raises(ValueError, match="no training runs here"):
        running.stop()
    assert running.start() == "training-002"
    running.close()


def test_a_training_that_fails_says_why_and_gives_way_to_the_next(stand_in):
    running = stand_in("print('earproof build: there is no sound; record some'); raise SystemExit(2)")
    running.start()
    ended = _until_ended(running)
    assert (ended["state"], ended["error"]) == ("ended", "earproof build: there is no sound; record some")
    assert running.start() == "training-002"
    for act in (running.folder, running.log):
        with pytest.raises(ValueError, match=r"not finished|no training"):
            act("../takes" if act == running.log else "training-001")
    _until_ended(running)


def test_a_training_that_outlived_its_server_is_followed_and_can_be_stopped(stand_in):
    first = stand_in("import time; time.sleep(60)")
    first.start()
    second = Trainings(first.data, first.runs)  # of the next server; the first one was killed
    assert [one["state"] for one in second.described()] == ["running"]
    with pytest.raises(ValueError, match="one training at a time: wait for training-001, or stop it"):
        second.start()
    elsewhere = Trainings(first.data.with_name("other"), first.runs)
    elsewhere.close()  # it records other takes
    assert [one["state"] for one in second.described()] == ["running"]
    second.stop()
    assert [one["state"] for one in second.described()] == ["stopped"]


def test_a_training_that_does_not_obey_is_killed_with_all_that_it_began(stand_in, monkeypatch):
    monkeypatch.setattr(trainings, "SECONDS_TO_STOP", 0.5)
    running = stand_in(
        "import os, signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); os.fork(); print(1, flush=True); "
        "time.sleep(60)"
    )
    running.start()
    while len(running.log("training-001")) < 2:
        time.sleep(0.05)
    running.stop()
    assert HeldFile(running.runs / ".training").holder() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_whatever_ends_the_server_no_training_is_lost_sight_of(takes, number, monkeypatch):
    monkeypatch.setenv("EARPROOF_BACKBONES", str(takes.root.parent / "none"))
    for place in range(3):
        takes.add("yes", f"s{place}", _take(place))
        takes.add("no", f"s{place}", _take(9 + place))
    find_node()  # the page is built
    command = [sys.executable, "-m", "earproof", "web", "--data", str(takes.root), "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address, _, token = server.stdout.readline().strip().partition("#token=")
        headers = {"x-earproof-token": token, "origin": address.rstrip("/")}
        asked = urllib.request.Request(f"{address}api/trainings", method="POST", headers=headers)
        with urllib.request.urlopen(asked) as answer:
            assert json.load(answer) == {"name": "training-001"}
        server.send_signal(number)
        try:
            server.wait(timeout=60)
        finally:
            server.kill()
    (described,) = (after := Trainings(takes.root, takes.root.with_name("takes-runs"))).described()
    if number == signal.SIGKILL:  # which no server can obey
        assert described["state"] == "running"
        after.stop()
        (described,) = after.described()
    assert described["state"] == "stopped"
    with takes.held():
        pass


def _finished(running, verdict="Take it."):
    """A training that ended with one file, as its files have it."""
    name = running.start()
    _until_ended(running)
    files = [{"file": f"{one}.tflite", "recipe": "int8", "input": "waveform", "size_bytes": 9} for one in "ab"]
    report = {"files": [{**one, "passed": True} for one in files], "verdict": {"text": [verdict], "file": "b.tflite"}}
    (running.runs / name).mkdir()
    (running.runs / name / "report.json").write_text(json.dumps(report))
    return name


@pytest.mark.parametrize(
    ("ending", "content", "told"),
    [
        (".json", '{"began": 17', "Its record cannot be read: training-001.json is damaged"),
        (".json", "[1]", "Its record cannot be read: training-001.json is damaged"),
        (".json", "{}", "Its record cannot be read: no 'model'"),
        ("/report.json", "{", "Its record cannot be read: report.json is damaged"),
        ("/report.json", "{}", "Its record cannot be read: no 'files'"),
        ("/mel_cnn/history.csv", "epoch,loss\n1,low\n", "Its record cannot be read: could not convert"),
    ],
)
def test_a_damaged_training_is_marked_and_the_others_are_shown(stand_in, ending, content, told):
    running = stand_in("pass")
    _finished(running)
    _finished(running)
    damaged = running.runs / f"training-001{ending}"
    damaged.parent.mkdir(exist_ok=True)
    damaged.write_text(content)
    first, second = running.described()
    assert (first["name"], first["state"], second["state"]) == ("training-001", "damaged", "finished")
    assert first["error"].startswith(told)
    assert running.start() == "training-003"
    _until_ended(running)


def test_a_training_whose_log_is_gone_is_shown(stand_in):
    running = stand_in("pass")
    _finished(running)
    (running.runs / "training-001.log").unlink()
    (described,) = running.described()
    assert (described["state"], described["verdict"]) == ("finished", ["Take it."])
    assert running.log("training-001") == []


def test_files_of_a_training_that_were_moved_away_are_told_with_it(stand_in, monkeypatch):
    running = stand_in("pass")
    _finished(running)
    there = ["a.tflite"]

    def opened(path, title):
        if path.name not in there:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return title

    monkeypatch.setattr(routes, "open_model", opened)
    monkeypatch.setattr(routes, "files_of", lambda *_, **__: {})
    recorder = Recorder(TakeFolder(running.data), running, [], {})
    (described,) = recorder.state()["trainings"]
    assert (described["state"], described["models"]) == ("finished", [0])
    assert described["verdict"][1].startswith("b.tflite cannot be opened: /")
    there.append("b.tflite")
    (described,) = recorder.state()["trainings"]
    assert (described["models"], described["verdict"]) == ([1, 0], ["Take it."])  # the best one first
    assert recorder.models == ["Training 1: a.tflite", "Training 1: b.tflite"]
    there.clear()
    (described,) = Recorder(TakeFolder(running.data), running, [], {}).state()["trainings"]
    assert described["state"] == "damaged"
    assert described["error"].startswith("Its files cannot be read: b.tflite cannot be opened: /")


def test_two_pages_that_ask_for_two_bundles_each_get_their_own(stand_in):
    running = stand_in(
        "import sys, time, pathlib\nif sys.argv[1] == 'bundle':\n"
        "    out, file = (sys.argv[1 + sys.argv.index(name)] for name in ('--out', '--file'))\n"
        "    pathlib.Path(out).write_text(file); time.sleep(0.3)"
    )
    name = _finished(running)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda file: running.bundle(name, file), ("a", "b"))) == [b"a", b"b"]


def test_how_long_a_training_took_survives_a_copy(stand_in, tmp_path):
    running = stand_in("pass")
    running.start()
    for _ in range(400):
        if "ended" in (running.runs / "training-001.json").read_text():  # though no page asked
            break
        time.sleep(0.05)
    for path in running.runs.iterdir():
        os.utime(path, (2_000_000_000, 2_000_000_000))
    assert running.described()[0]["seconds"] < 20


def test_epochs_beyond_reason_are_refused(stand_in):
    with pytest.raises(ValueError, match="epochs is 0; expected 1 to 10000"):
        stand_in("pass").start(epochs=0)


LOG = (
    "30 clips in 3 groups, from takes/clips.csv; split drawn with seed 0",
    "decode: 100%|####| 30/30 [00:00<00:00, 287.31clip/s]",
    "[1/1] mel_cnn: training, 30 epochs at most",
    "mel_cnn:  40%|####      | 12/30 [00:03<00:04,  4.0epoch/s]",
    "converting mel_cnn-float32.tflite (1 of 4, 0:08)",
    "running mel_cnn-int8.tflite on 90 windows (2 of 4, 0:11)",
    "comparing with the Keras model on 90 windows (1 of 2, 0:12)",
    "comparing the front end with librosa (2 of 2, 0:15)",
    "timing mel_cnn-spectrogram-int8.tflite (4 of 4, 0:57)",
)


def test_the_share_that_is_done_grows_with_the_log():
    shares = [stage_of(LOG[:count])[0] for count in range(len(LOG) + 1)]
    assert stage_of([]) == (0.0, FIRST_STEP)
    assert shares == sorted(shares)
    assert [stage_of(LOG[:count])[1] for count in range(5, len(LOG) + 1)] == list(LOG[4:])  # each step has its name
    assert 0.2 < stage_of(LOG[:4])[0] < 0.45
    assert 0.9 < shares[-1] < 1.0
    assert stage_of([*LOG[:4], "a note that is no step"])[1] == LOG[3].strip()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "there is no MODEL; name .tflite files or the folder of a build, or --data DIR to record"),
        (["--data", "takes", "--out", "page"], "cannot record into a folder; leave --data out"),
        (["--data", "takes", "--runs", "takes/runs"], "lies in takes, where it would be read as a label"),
        (["m.tflite", "--runs", "runs"], "give --data DIR too"),
        (["--data", "/"], "expected a folder of its own for the takes"),
        (["--data", ""], "expected a folder of its own for the takes"),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert earproof.main(["web", *arguments]) == 2
    assert told in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_a_file_where_takes_would_go_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="expected a folder for takes"):
        TakeFolder(tmp_path / "file")
    with pytest.raises(NotADirectoryError, match="expected a folder for trainings"):
        Trainings(tmp_path, tmp_path / "file")


def test_a_place_for_trainings_that_cannot_be_written_is_refused_at_the_start(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"file/runs cannot be made \(Not a directory\); choose another --runs"):
        Trainings(tmp_path, tmp_path / "file" / "runs")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(PermissionError, match="runs cannot be written; choose another --runs, or allow it"):
        Trainings(tmp_path, tmp_path / "runs")


PLACES = ("desk", "hall", "yard")  # of the three sessions


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sounds for the microphone and to add, and an empty folder of backbones."""
    folder = tmp_path_factory.mktemp("recorded")
    for number, hertz in enumerate((180, 220, 260)):
        (folder / f"low{number}.wav").write_bytes(_tone(hertz))
    tone, rate = soundfile.read(folder / "low1.wav")
    tone[100] = 1.5
    soundfile.write(folder / "low1.wav", tone, rate, subtype="FLOAT")
    (folder / "microphone.wav").write_bytes(_tone(2_400, seconds=5))
    (folder / "broken.wav").write_bytes(b"this is no sound" * 9)
    for name in ("backbones", "downloads"):
        (folder / name).mkdir()
    return folder


def _tone(hertz, seconds=1):
    """A tone in a little noise as a WAV file of 16 kHz."""
    times = np.arange(seconds * 16_000) / 16_000
    noise = np.random.default_rng(hertz).standard_normal(times.size)
    return wav_bytes((9_000 * np.sin(2 * np.pi * hertz * times) + 200 * noise).astype(np.int16), 16_000)


@pytest.fixture(scope="module")
def seen(folder):
    """What one visit in Chromium saw, from the first label to hearing with the new file."""
    node = find_node()
    arguments = ("web", "--data", folder / "takes")
    with served(*arguments, EARPROOF_BACKBONES=str(folder / "backbones")) as address:
        job = {
            "address": address,
            "microphone": str(folder / "microphone.wav"),
            "files": [str(folder / f"low{number}.wav") for number in range(3)],
            "broken": str(folder / "broken.wav"),
            "downloads": str(folder / "downloads"),
        }
        found = run_node(node, "record_on_page.mjs", shutil.which("chromium"), job=job, folder=folder, timeout=400)
    return {"served": address, **found}


def test_takes_are_recorded_added_deleted_and_brought_back_on_the_page(seen, folder):
    index = find_clips(folder / "takes")
    expected = {(f"{label}/{place}-0001.wav", label, place) for label in ("high", "low") for place in PLACES}
    expected |= {(f"high/yard-{number:04d}.wav", "high", "yard") for number in range(3, 9)}  # 2 was deleted
    assert {(clip.path, clip.labels[0], clip.group) for clip in index.clips} == expected
    assert (seen["takes_after_delete"], seen["takes_after_undo"], seen["takes_after_reload"]) == (4, 6, 9)
    assert seen["focus_after_delete"].startswith("Delete high/yard-0002.wav")
    assert seen["focus_after_undo"].startswith("Play high/yard-0004.wav")
    heard, rate = soundfile.read(folder / "takes" / "high" / "hall-0001.wav")
    assert heard.size == rate  # one second, at the rate of the microphone
    loudest = np.argmax(np.abs(np.fft.rfft(heard))) * rate / heard.size
    assert loudest == pytest.approx(2_400, abs=5)


def test_faults_are_told_on_the_page(seen):
    assert "without its token; open the whole address that earproof printed" in seen["without_token"]
    assert "token" not in seen["address"]
    assert "there is the label 'high' already" in seen["same_label"]
    assert re.match(
        r"the server does not answer; .* start it again with --port \d+, and open the address", seen["no_server"]
    )
    assert seen["not_kept"].startswith("the take of high is not kept: the server does not answer")
    assert seen["keep_again"] == ["Keep the take again", "Keep the 2 takes again"]
    assert seen["asks_before_leaving"] == "beforeunload"
    assert seen["keep_again_hidden"]
    assert seen["needs"] == ["Record takes of high.", "Record takes of low."]
    told = "low1.wav: its samples go 3.5 dB above full scale and are clipped there, as a microphone does"
    assert seen["added"] == [
        "Added 1 file to low, session desk.",
        f"Added 1 file to low, session hall; {told}.",
        "Added 1 file to low, session yard; 1 not added.",
    ]
    status, error = seen["broken"]
    assert status == "Added 1 file to low, session yard; 1 not added."
    assert error.startswith("1 file not added: broken.wav")
    assert len(seen["findings"]) == 1
    assert seen["findings"][0].startswith("warning: the sample rate of the files tells high, low; ")
    assert seen["second_training"] == [400, "one training at a time: wait for training-001, or stop it"]


def test_a_page_that_is_opened_again_goes_on_with_the_last_session(seen):
    session, status = seen["session_of_other"]
    assert session == "yard"
    assert "The next take goes to the session yard. Press New session for another place" in status


def test_the_end_of_a_training_interrupts_nobody(seen):
    end = seen["at_the_end"]
    assert end["news"] == "Training 1 is finished."
    assert end["after"] == end["before"]  # focus and scrolling, and the row goes on
    assert (end["before"][0], end["before"][2]) == ("new-label", False)
    assert end["written"] == "third"
    assert seen["models_before_hearing"] == 0


def test_the_first_training_is_open_at_its_end_where_nobody_does_anything(seen):
    assert seen["news_of_other"] == "Training 1 is finished, and open below."
    assert seen["model_of_other"].startswith("Training 1: mel_cnn-")


def test_an_undo_that_is_refused_for_good_is_in_nobodys_way(seen):
    assert seen["refused_undo"] == ["high/yard-0003.wav was not deleted here", True]


def test_a_take_that_another_tab_deleted_is_told_as_gone(seen):
    assert seen["deleted_twice"] == ["high/yard-0002.wav is gone already: another page deleted it.", True]


def test_a_training_on_the_page_ends_with_a_file_that_hears(seen, folder):
    assert seen["training"].startswith("Training 1 (mel_cnn, ")
    assert "Take no file yet." in seen["verdict"]  # one session is too little to judge by, and that is said
    assert seen["curves"] == 2
    log = (folder / "takes-runs" / "training-001.log").read_text()
    assert "comparing with the Keras model on " in log
    assert "comparing the front end with librosa (2 of 2, " in log
    assert seen["model"].startswith("Training 1: mel_cnn-")
    assert seen["focus"] == "microphone"
    assert sum(seen["live_bars"]) == pytest.approx(1, abs=0.002)
    assert seen["parity"] == ["Pass", "Pass"]


def test_the_file_is_downloaded_with_its_bundle_and_its_report(seen, folder):
    with tarfile.open(folder / "downloads" / seen["downloads"]["bundle"]) as bundle:
        names = bundle.getnames()
    assert any(name.endswith(".tflite") for name in names)
    assert any(name.endswith("doctor.py") for name in names)
    report = (folder / "downloads" / seen["downloads"]["report"]).read_text(encoding="utf-8")
    assert "Training curves" in report


def test_the_page_that_records_asks_no_other_host_and_is_open_to_all(seen):
    asked = {urlsplit(one).netloc for one in seen["requests"] if not one.startswith(("blob:", "data:", "about:"))}
    assert asked == {urlsplit(seen["served"]).netloc}
    assert seen["faults"] == []
    assert {state: faults for state, faults in seen["axe"].items() if faults} == {}
    assert len(seen["axe"]) == 2
    assert seen["narrow_width"] == 360
    assert seen["narrow_table"] <= 0
    light, dark = seen["waveform"]
    assert sum(light) + 90 < sum(dark)

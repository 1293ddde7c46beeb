"""What is left of a run of `earproof classify --out` that was killed, and how the next one goes on."""

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_edge_command import run, write_wav
from tiny_tflite import TINY_LABELS, tiny_classifier, tiny_spec

from edge_runtime.classify.resume_log import ScoreLog
from metadata.packing.packed_model import pack_model

REPOSITORY = Path(__file__).resolve().parents[1]
HEADER = {"model": {"labels": ["a", "b"]}, "settings": {"phone": False, "hop": 1.0}}
OPENING = {"recording": "a.wav", "duration_seconds": 2.0, "phone": False}
END = {"clip": {"scores": {"a": 1.0, "b": 0.0}, "decision": "a"}}


def row(number):
    return {"start_seconds": float(number), "end_seconds": number + 2.0, "scores": {"a": 0.1, "b": 0.25 * number}}


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "tiny.tflite"
    path.write_bytes(pack_model(tiny_classifier(), tiny_spec()))
    return path


@pytest.fixture
def clips(tmp_path):
    return [write_wav(tmp_path / "one.wav", 80_000), write_wav(tmp_path / "two.wav", 100_000, 22_050)]


class Kept:
    """Keeps the rows of the recording that is not done, as a merge would count them."""

    def __init__(self):
        self.rows = []

    def reset(self):
        self.rows = []

    def take(self, row):
        self.rows.append(row)


def fill(path, *lines):
    with ScoreLog(path, HEADER, Kept()) as log:
        for line in lines:
            (log.begin if "recording" in line else log.add)(line)


def test_a_log_that_is_gone_on_with_knows_what_is_there(tmp_path):
    path = tmp_path / "log"
    fill(path, OPENING, row(0), END, {**OPENING, "recording": "b.wav"}, row(1), row(2))
    merge = Kept()
    with ScoreLog(path, HEADER, merge, resume=True) as log:
        assert (log.num_ended, log.num_rows, log.last_row) == (1, 2, row(2))
        assert merge.rows == [row(1), row(2)]
        log.begin({**OPENING, "recording": "b.wav"})
        log.add(row(3))
        log.add(END)
        lines = list(log.lines())

    assert [line.get("recording") for line in lines if "recording" in line] == ["a.wav", "b.wav"]
    assert [line["start_seconds"] for line in lines if "scores" in line] == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize("kept", range(1, 60, 7))
def test_a_line_that_was_cut_off_does_not_count(tmp_path, kept):
    path = tmp_path / "log"
    fill(path, OPENING, row(0), row(1))
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines()[-1][:kept])
    with ScoreLog(path, HEADER, Kept(), resume=True) as log:
        assert log.num_rows == 2

    assert path.read_bytes() == whole


def test_a_log_killed_before_its_first_line_was_whole_begins_anew(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b'{"model": {"la')
    with ScoreLog(path, HEADER, Kept(), resume=True) as log:
        assert list(log.lines()) == [HEADER]


def test_without_resume_a_log_begins_anew(tmp_path):
    path = tmp_path / "log"
    fill(path, OPENING, row(0))
    fill(path)

    assert path.read_text().count("\n") == 1


def test_a_log_of_something_else_is_not_gone_on_with_and_stays_as_it_is(tmp_path):
    path = tmp_path / "log"
    fill(path, OPENING, row(0))
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r'another settings: .*"hop": 1.0.*"hop": 0.5'):
        ScoreLog(path, {**HEADER, "settings": {"phone": False, "hop": 0.5}}, Kept(), resume=True)

    assert path.read_bytes() == before


@pytest.mark.parametrize("options", [[], ["--phone"]], ids=["windows", "phone"])
def test_the_three_formats_hold_the_same(model, clips, tmp_path, capsys, options):
    for suffix in ("json", "jsonl", "csv"):
        assert run("classify", model, *clips, *options, "--out", tmp_path / f"scores.{suffix}") == 0
    capsys.readouterr()
    run("classify", model, *clips, *options, "--json")
    document = json.loads(capsys.readouterr().out)
    lines = [json.loads(line) for line in (tmp_path / "scores.jsonl").read_text().splitlines()]
    table = list(csv.DictReader((tmp_path / "scores.csv").open()))

    assert json.loads((tmp_path / "scores.json").read_text()) == document
    rows = [line for line in lines if "scores" in line]
    merged = [cells for cells in table if cells["kind"] == "clip"]
    table = [cells for cells in table if cells["kind"] != "clip"]
    clips_told = [line["clip"]["decision"] for line in lines if "clip" in line]
    assert [cells["decision"] for cells in merged] == clips_told
    assert len(rows) == len(table) == sum(len(one.get("windows", one.get("ticks"))) for one in document["recordings"])
    for line, cells in zip(rows, table, strict=True):
        assert [float(cells[f"score_{label}"]) for label in TINY_LABELS] == list(line["scores"].values())
        assert cells["decision"] == line["decision"]
    assert {cells["file"] for cells in table} == {str(clip) for clip in clips}
    assert not list(tmp_path.glob("*.part"))


def test_a_recording_without_rows_is_in_the_document_and_the_exit_code_is_2(model, clips, tmp_path):
    out = tmp_path / "scores.json"
    assert run("classify", model, tmp_path / "none.wav", clips[0], "--out", out) == 2
    missing, there = json.loads(out.read_text())["recordings"]

    assert "does not exist" in missing["error"]
    assert len(there["windows"]) == 3


@pytest.mark.parametrize("options", [["--hop", "0.1"], ["--phone"]], ids=["windows", "phone"])
@pytest.mark.parametrize("kept", [0.02, 0.4, 0.7, 0.97, 0.999])
def test_wherever_a_run_stopped_the_next_one_ends_with_the_same_file(model, clips, tmp_path, options, kept, capsys):
    out = tmp_path / "scores.jsonl"
    command = ["classify", model, *clips, *options, "--out", out]
    run(*command)
    whole = out.read_bytes()
    out.unlink()
    Path(f"{out}.part").write_bytes(whole[: round(kept * len(whole))])

    assert run(*command, "--resume") == 0
    assert out.read_bytes() == whole
    assert not Path(f"{out}.part").exists()


def test_what_a_stopped_run_left_is_not_overwritten_by_chance(model, clips, tmp_path):
    out = tmp_path / "scores.csv"
    part = Path(f"{out}.part")
    part.write_text("an hour's work\n")
    with pytest.raises(FileExistsError, match="--resume goes on with it"):
        run("classify", model, *clips, "--out", out)

    assert part.read_text() == "an hour's work\n"
    assert run("classify", model, *clips, "--out", out, "--force") == 0


def test_a_recording_that_changed_meanwhile_is_not_gone_on_with(model, clips, tmp_path):
    out = tmp_path / "scores.jsonl"
    run("classify", model, *clips, "--out", out)
    out.rename(f"{out}.part")
    write_wav(clips[0], 64_000)
    with pytest.raises(ValueError, match="another recordings"):
        run("classify", model, *clips, "--out", out, "--resume")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--out", "scores.txt"], "ends in .json, .jsonl, .csv"),
        (["--out", "scores"], "ends in"),
        (["--resume"], "expected --out"),
    ],
)
def test_a_wrong_use_is_refused(model, clips, arguments, error):
    with pytest.raises(ValueError, match=error):
        run("classify", model, *clips, *arguments)


def test_a_run_killed_in_the_middle_leaves_no_half_file_and_is_gone_on_with(model, tmp_path):
    """A real child, a real SIGKILL; then the file is the one that an undisturbed run writes."""
    clip, out = write_wav(tmp_path / "long.wav", 16_000 * 120), tmp_path / "scores.json"
    part = Path(f"{out}.part")
    command = [sys.executable, "-m", "earproof", "classify", str(model), str(clip), "--hop", "0.02", "--out", str(out)]
    child = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while child.poll() is None and not (part.exists() and part.stat().st_size > 50_000):
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)

    assert child.wait() == -signal.SIGKILL
    assert not out.exists()
    stopped = part.read_bytes().count(b"\n")
    done = subprocess.run([*command, "--resume"], cwd=REPOSITORY, capture_output=True, text=True)
    assert (done.returncode, out.exists(), part.exists()) == (0, True, False), done.stderr
    assert f"going on after {stopped - 2} rows" in done.stderr
    undisturbed = tmp_path / "undisturbed.json"
    subprocess.run([*command[:-1], str(undisturbed)], cwd=REPOSITORY, capture_output=True, check=True)
    assert out.read_bytes() == undisturbed.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "long.wav",
        "scores.json",
        "tiny.tflite",
        "undisturbed.json",
    ]


def test_ctrl_c_says_what_is_kept(model, tmp_path):
    clip, out = write_wav(tmp_path / "long.wav", 16_000 * 120), tmp_path / "scores.json"
    command = [sys.executable, "-m", "earproof", "classify", str(model), str(clip), "--hop", "0.02", "--out", str(out)]
    child = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    part = Path(f"{out}.part")
    while child.poll() is None and not (part.exists() and part.stat().st_size > 20_000):
        time.sleep(0.01)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate()

    assert child.returncode == 130
    assert f"{part} keeps the scores so far" in err
    assert "Traceback" not in err

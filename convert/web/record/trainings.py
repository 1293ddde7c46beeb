"""Trainings that the page starts: each a build of its own in a process of its own, one at a time.

RUNS/training-001/             what `earproof build` fills
RUNS/training-001.log          what it said
RUNS/training-001.json         when it began, and its command
RUNS/training-001-bundle.tar.gz
"""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import Any

from convert.report.build_report import REPORT_FILE_NAME
from convert.web.record.training_stages import stage_of
from metadata.atomic_file import write_atomically
from train.backbones.installed import installed_backbones
from train.models import TRANSFER_NAME

CNN_NAME = "mel_cnn"  # of the two CNNs the one that hears more with few recordings, docs/results/five-systems.md
TIMED_RUNS = 50
LOG_LINES = 400  # of the end of a log that the page gets
HISTORY_FILE_NAME = "history.csv"
BUNDLE_ENDING = "-bundle.tar.gz"
SECONDS_TO_STOP = 20.0
_NAME = re.compile(r"training-(\d{3,})$")
_LOCK_NAME = ".training"


@dataclass
class Trainings:
    """The trainings of one folder of takes.

    Attributes
    ----------
    data : Path
        The takes.
    runs : Path
        The folder of the trainings, made with the first one.
    """

    data: Path
    runs: Path
    _process: subprocess.Popen[bytes] | None = None
    _running: str = ""
    _lock: RLock = field(default_factory=RLock, repr=False)

    def __post_init__(self) -> None:
        if self.runs.exists() and not self.runs.is_dir():
            raise NotADirectoryError(f"{self.runs} is a file; expected a folder for trainings")

    def start(self, epochs: int | None = None) -> str:
        """Begin a training on the takes; return its name.

        Parameters
        ----------
        epochs : int, optional
            At most, of a CNN; by default the model's own. A head on a backbone has none.

        Raises
        ------
        ValueError
            Another one runs.
        """
        if epochs is not None and not 1 <= epochs <= 10_000:
            raise ValueError(f"epochs is {epochs}; expected 1 to 10000")
        with self._lock:
            self._reap()
            self.runs.mkdir(parents=True, exist_ok=True)
            self._take_turn()
            try:
                name = f"training-{1 + max([0, *map(_number, self._names())]):03d}"
                model = self.model()
                command = ["build", str(self.data), "--out", str(self.runs / name), "--model", model]
                command += ["--recipe", "int8", "--folds", "0", "--num-runs", str(TIMED_RUNS)]
                if epochs is not None and model != TRANSFER_NAME:
                    command += ["--epochs", str(epochs)]
                record = {"began": time.time(), "model": model, "command": ["earproof", *command]}
                write_atomically(self.runs / f"{name}.json", json.dumps(record).encode())
                with (self.runs / f"{name}.log").open("wb") as log:
                    self._process = _earproof(command, stdout=log, stderr=subprocess.STDOUT)
                self._running = name
            except BaseException:
                self._give_turn()
                raise
            return name

    def stop(self) -> None:
        """End the running training; what is finished of it is kept.

        Raises
        ------
        ValueError
            None runs.
        """
        with self._lock:
            self._reap()
            if self._process is None:
                raise ValueError("no training runs here")
            record = self.runs / f"{self._running}.json"
            _end(self._process)
            write_atomically(record, json.dumps({**json.loads(record.read_text()), "stopped": True}).encode())
            self._reap()

    def close(self) -> None:
        """End what runs, as the server ends."""
        with self._lock, suppress(ValueError):
            self.stop()

    def model(self) -> str:
        """Return what is trained: a head on a backbone where one is on this machine, else a CNN."""
        return TRANSFER_NAME if installed_backbones() else CNN_NAME

    def described(self) -> list[dict[str, Any]]:
        """Return the state of every training, the newest last."""
        with self._lock:
            self._reap()
            return [self._describe(name) for name in self._names()]

    def log(self, name: str) -> list[str]:
        """Return the last lines that a training said."""
        return _lines(self._file(name, ".log"))[-LOG_LINES:]

    def folder(self, name: str) -> Path:
        """Return the folder of a training that is finished.

        Raises
        ------
        ValueError
            There is none of that name, or it is not finished.
        """
        self._file(name, ".json")
        if not (self.runs / name / REPORT_FILE_NAME).is_file():
            raise ValueError(f"{name} is not finished")
        return self.runs / name

    def bundle(self, name: str, file: str) -> bytes:
        """Return the bundle of one file of a finished training, see `convert.bundle`.

        Raises
        ------
        ValueError
            No such file, or what `earproof bundle` says.
        """
        folder = self.folder(name)
        target = self.runs / f"{name}{BUNDLE_ENDING}"
        done = subprocess.run(
            [*_EARPROOF, "bundle", str(folder), "--file", file, "--out", str(target), "--force"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ValueError(last_line(done.stderr) or f"earproof bundle ended with {done.returncode}")
        return target.read_bytes()

    def _describe(self, name: str) -> dict[str, Any]:
        """What the page shows of one training."""
        record = json.loads((self.runs / f"{name}.json").read_text(encoding="utf-8"))
        folder, lines = self.runs / name, _lines(self.runs / f"{name}.log")
        finished = (folder / REPORT_FILE_NAME).is_file()
        runs = name == self._running
        ended_by = "stopped" if record.get("stopped") else "ended"
        state = "running" if runs else ("finished" if finished else ended_by)
        ended = time.time() if runs else (self.runs / f"{name}.log").stat().st_mtime
        share, step = (1.0, "") if finished and not runs else stage_of(lines)
        described = {
            **{"name": name, "model": record["model"], "command": record["command"], "state": state},
            **{"began": record["began"], "seconds": round(ended - record["began"], 1), "share": share, "step": step},
            "history": _history(folder / record["model"] / HISTORY_FILE_NAME),
        }
        if state == "ended":
            described["error"] = next((line for line in reversed(lines) if line.startswith("earproof")), "")
        if state == "finished":
            described |= _result(json.loads((folder / REPORT_FILE_NAME).read_text(encoding="utf-8")))
        return described

    def _names(self) -> list[str]:
        """The trainings by their numbers."""
        found = (path.stem for path in self.runs.glob("training-*.json")) if self.runs.is_dir() else ()
        return sorted((name for name in found if _NAME.match(name)), key=_number)

    def _file(self, name: str, ending: str) -> Path:
        """A file beside the folder of a training, which must be one of ours."""
        if name not in self._names():
            raise ValueError(f"there is no training {name!r}")
        return self.runs / f"{name}{ending}"

    def _reap(self) -> None:
        """Notice that the running training has ended."""
        if self._process is not None and self._process.poll() is not None:
            self._process, self._running = None, ""
            self._give_turn()

    def _take_turn(self) -> None:
        """Refuse a second training, of this server or of another one on the same folder."""
        lock = self.runs / _LOCK_NAME
        if self._process is not None:
            raise ValueError(f"one training at a time: wait for {self._running}, or stop it")
        if lock.is_file() and _is_alive(lock.read_text()):
            raise ValueError(f"another earproof trains into {self.runs}; wait for it, or end it")
        write_atomically(lock, str(os.getpid()).encode())

    def _give_turn(self) -> None:
        """Let the next one train."""
        (self.runs / _LOCK_NAME).unlink(missing_ok=True)


_EARPROOF = (sys.executable, "-m", "earproof")


def _earproof(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a verb in a group of processes of its own, so that Ctrl-C on the server does not reach it twice."""
    return subprocess.Popen([*_EARPROOF, *command], stdin=subprocess.DEVNULL, start_new_session=True, **options)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask a process to end; kill it where it does not."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _is_alive(pid: str) -> bool:
    """Whether a process of another server lives."""
    if not pid.isdigit() or int(pid) == os.getpid():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _number(name: str) -> int:
    """The number of a training."""
    return int(name.rpartition("-")[2])


def _lines(path: Path) -> list[str]:
    """The lines of a log as a terminal would show them: of a progress bar the last state."""
    content = path.read_bytes().decode(errors="replace") if path.is_file() else ""
    return [line.rstrip("\r").rpartition("\r")[2] for line in content.split("\n") if line.strip()]


def last_line(text: str) -> str:
    """Return the last line with something on it."""
    return next((line for line in reversed(text.splitlines()) if line.strip()), "")


def _history(path: Path) -> list[dict[str, float]]:
    """The rows of a training's history so far; a last row that is being written is not among them."""
    if not path.is_file():
        return []
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return [{name: float(value) for name, value in row.items()} for row in rows if None not in row.values()]


def _result(report: dict[str, Any]) -> dict[str, Any]:
    """What the page says of a finished training: the verdict in words, and the files."""
    files = [
        {
            "file": one["file"],
            "recipe": one["recipe"],
            "input": one["input"],
            "bytes": one["size_bytes"],
            "passed": one["passed"],
        }
        for one in report["files"]
    ]
    return {"verdict": report["verdict"]["text"], "best": report["verdict"]["file"], "files": files}

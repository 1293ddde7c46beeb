"""Trainings that the page starts: each a build of its own in a process of its own, one at a time.

RUNS/training-001/             what `earproof build` fills
RUNS/training-001.log          what it said
RUNS/training-001.json         when it began and ended, and its command
RUNS/training-001-FILE-bundle.tar.gz
RUNS/.training                 held by the build that runs, see `convert.web.record.held_file`

A build outlives its server where that is killed with no time to end it. The next server finds it by the file that it
holds, shows it as running, and can stop it.
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
from threading import RLock, Thread
from typing import Any

from convert.report.build_report import REPORT_FILE_NAME
from convert.web.plain_words import plain_words
from convert.web.record.held_file import HeldFile
from convert.web.record.places import writable_folder
from convert.web.record.training_stages import stage_of
from metadata.atomic_file import write_atomically
from metadata.safe_name import safe_part
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
_SECONDS_BETWEEN_LOOKS = 0.05


@dataclass
class Trainings:
    """The trainings of one folder of takes.

    Attributes
    ----------
    data : Path
        The takes.
    runs : Path
        The folder of the trainings; made if need be.
    """

    data: Path
    runs: Path
    _lock: RLock = field(default_factory=RLock, repr=False)
    _bundling: RLock = field(default_factory=RLock, repr=False)  # two tabs may ask for two files, made at one place

    def __post_init__(self) -> None:
        writable_folder(self.runs, "trainings", "--runs")

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
            turn = self._take_turn()
            try:
                name = f"training-{1 + max([0, *map(_number, self._names())]):03d}"
                model = self.model()
                command = ["build", str(self.data), "--out", str(self.runs / name), "--model", model]
                command += ["--recipe", "int8", "--folds", "0", "--num-runs", str(TIMED_RUNS)]
                if epochs is not None and model != TRANSFER_NAME:
                    command += ["--epochs", str(epochs)]
                turn.write(training=name, data=self._place)
                self._record(name, began=time.time(), model=model, command=["earproof", *command])
                with (self.runs / f"{name}.log").open("wb") as log:
                    process = _earproof(command, stdout=log, stderr=subprocess.STDOUT, pass_fds=(turn.descriptor,))
                turn.write(training=name, data=self._place, pid=process.pid)
            finally:
                turn.leave()  # the build alone holds it now
            Thread(target=self._follow, args=(process, name), daemon=True).start()
            return name

    def stop(self) -> None:
        """End the running training, whichever server began it; what is finished of it is kept.

        Raises
        ------
        ValueError
            None runs, or it cannot be ended.
        """
        with self._lock:
            turn = self._turn()
            if turn is None:
                raise ValueError("no training runs here")
            name, pid = turn.get("training"), turn.get("pid")
            if not name or not pid:
                raise ValueError("the training has just begun; stop it again in a second")
            self._end(int(pid))
            with suppress(OSError, ValueError):  # a record that cannot be read is told with its training
                self._record(name, stopped=True)
                self._ended(name)

    def close(self) -> None:
        """End the training on these takes, as the server ends."""
        with self._lock, suppress(ValueError):
            if (self._turn() or {}).get("data") == self._place:
                self.stop()

    def model(self) -> str:
        """Return what is trained: a head on a backbone where one is on this machine, else a CNN."""
        return TRANSFER_NAME if installed_backbones() else CNN_NAME

    def described(self) -> list[dict[str, Any]]:
        """Return the state of every training, the newest last."""
        with self._lock:
            running = self._running()
            return [self._describe_any(name, name == running) for name in self._names()]

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
        # It unpacks to a folder of its name: two of one training never lie in one folder.
        target = self.runs / f"{name}-{safe_part(Path(file).stem)}{BUNDLE_ENDING}"
        with self._bundling:
            done = subprocess.run(
                [*_EARPROOF, "bundle", str(folder), "--file", file, "--out", str(target), "--force"],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise ValueError(last_line(done.stderr) or f"earproof bundle ended with {done.returncode}")
            return target.read_bytes()

    def _describe_any(self, name: str, runs: bool) -> dict[str, Any]:
        """What the page shows of one training, even where its files are damaged: the others are shown all the same."""
        try:
            return self._describe(name, runs)
        except (OSError, ValueError, TypeError, LookupError) as error:
            told = f"no {error}" if isinstance(error, KeyError) else plain_words(error)
            return {
                **{"name": name, "model": "", "command": [], "state": "running" if runs else "damaged"},
                **{"began": 0.0, "seconds": 0.0, "share": 0.0, "step": "", "history": []},
                "error": f"Its record cannot be read: {told}.",
            }

    def _describe(self, name: str, runs: bool) -> dict[str, Any]:
        """What the page shows of one training."""
        record = self._recorded(name)
        folder, lines = self.runs / name, _lines(self.runs / f"{name}.log")
        finished = (folder / REPORT_FILE_NAME).is_file()
        ended_by = "stopped" if record.get("stopped") else "ended"
        state = "running" if runs else ("finished" if finished else ended_by)
        ended = time.time() if runs else self._ended(name)
        share, step = (1.0, "") if finished and not runs else stage_of(lines)
        described = {
            **{"name": name, "model": record["model"], "command": record["command"], "state": state},
            **{"began": record["began"], "seconds": round(ended - record["began"], 1), "share": share, "step": step},
            "history": _history(folder / record["model"] / HISTORY_FILE_NAME),
        }
        if state == "ended":
            described["error"] = next((line for line in reversed(lines) if line.startswith("earproof")), "")
        if state == "finished":
            described |= _result(_json_of(folder / REPORT_FILE_NAME))
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

    def _recorded(self, name: str) -> dict[str, Any]:
        """What was written of a training when it began and ended."""
        return _json_of(self.runs / f"{name}.json")

    def _record(self, name: str, **values: Any) -> None:
        """Write more of a training into its record."""
        path = self.runs / f"{name}.json"
        known = self._recorded(name) if path.is_file() else {}
        write_atomically(path, json.dumps({**known, **values}).encode())

    def _ended(self, name: str) -> float:
        """When a training ended that runs no more; written once, for the times of files do not survive a copy."""
        record = self._recorded(name)
        if "ended" not in record:
            log = self.runs / f"{name}.log"
            record["ended"] = (log if log.is_file() else self.runs / f"{name}.json").stat().st_mtime
            with suppress(OSError):  # a full disk
                self._record(name, ended=record["ended"])
        return float(record["ended"])

    def _follow(self, process: subprocess.Popen[bytes], name: str) -> None:
        """Wait for a training to end and write when that was, whether or not a page asks."""
        process.wait()
        with self._lock, suppress(OSError, ValueError):  # told where the training is described
            self._ended(name)

    @property
    def _place(self) -> str:
        """The takes, by the one name that two servers have for them."""
        return str(self.data.resolve())

    def _turn(self) -> dict[str, Any] | None:
        """What the running training wrote of itself; None where none runs."""
        return HeldFile(self.runs / _LOCK_NAME).holder()

    def _running(self) -> str:
        """The name of the running training, or nothing."""
        turn = self._turn()
        return "" if turn is None else str(turn.get("training", ""))

    def _take_turn(self) -> HeldFile:
        """Refuse a second training, whichever server began the first."""
        turn = HeldFile(self.runs / _LOCK_NAME)
        if not turn.take():
            raise ValueError(f"one training at a time: wait for {self._running() or 'the other one'}, or stop it")
        return turn

    def _end(self, pid: int) -> None:
        """Ask a build to end; kill it with all that it began where it does not, or where nobody wants to wait.

        Its number is its own as long as it holds the file, for it leads its group of processes.
        """
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        try:
            ended = self._is_free_within(SECONDS_TO_STOP)
        except KeyboardInterrupt:
            _kill_group(pid)
            raise
        if not ended:
            _kill_group(pid)
            if not self._is_free_within(SECONDS_TO_STOP):
                raise ValueError(f"the training (process {pid}) does not end; end it by hand")

    def _is_free_within(self, seconds: float) -> bool:
        """Whether the running training ends in so many seconds."""
        until = time.monotonic() + seconds
        while self._turn() is not None:
            if time.monotonic() > until:
                return False
            time.sleep(_SECONDS_BETWEEN_LOOKS)
        return True


_EARPROOF = (sys.executable, "-m", "earproof")


def _earproof(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """Start a verb in a group of processes of its own, so that Ctrl-C on the server does not reach it twice."""
    return subprocess.Popen([*_EARPROOF, *command], stdin=subprocess.DEVNULL, start_new_session=True, **options)


def _kill_group(pid: int) -> None:
    """Kill a process with all that it began."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _json_of(path: Path) -> dict[str, Any]:
    """An object that was written as JSON.

    Raises
    ------
    ValueError
        It is damaged.
    """
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path.name} is damaged ({error})") from error


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

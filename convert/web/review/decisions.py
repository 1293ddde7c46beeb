"""What was decided about takes: a file of lines that only grows, so that nothing is lost where a page or server ends.

The last decision on a take counts. An undo is a line too, and puts the decision before it in force again.
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from metadata.json_lines import read_fields
from metadata.labels import check_labels

DECISIONS_FILE = "decisions.jsonl"
KEEP, CORRECT, DISCARD, UNDO = ACTIONS = ("keep", "correct", "discard", "undo")


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One line.

    Attributes
    ----------
    take : str
        Path of its WAV, relative to the folder.
    action : str
        Of `ACTIONS`.
    labels : tuple of str
        That the take has from now on; none where it is discarded, or a decision is undone.
    decided : str
        When, in UTC.
    """

    take: str
    action: str
    labels: tuple[str, ...] = ()
    decided: str = field(default_factory=lambda: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))

    def line(self) -> bytes:
        """Return the decision as its line."""
        return (json.dumps(asdict(self), ensure_ascii=False) + "\n").encode("utf-8")


class Decisions:
    """The decisions of a folder, with those that another program appends meanwhile.

    Parameters
    ----------
    path : Path
    fault_of : callable
        Why a decision cannot be one on its take; empty where it can.

    Attributes
    ----------
    path : Path
    in_force : dict of str to Decision
        By take; without those that were undone.
    order : list of str
        The takes in the order in which their decisions were made, one entry a decision that is not undone.
    changed_at : dict of str to int
        By take the number of the last line about it.
    num_lines : int
        Read so far.

    Raises
    ------
    IsADirectoryError
        A folder has the name of the file.
    """

    def __init__(self, path: Path, fault_of: Callable[[Decision], str] = lambda decision: "") -> None:
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder; expected the file of the decisions, or nothing; move it away")
        self.path = path
        self._fault_of = fault_of
        self.in_force: dict[str, Decision] = {}
        self.order: list[str] = []
        self.changed_at: dict[str, int] = {}
        self.num_lines = 0
        self._faults: list[str] = []
        self._made: dict[str, list[Decision]] = defaultdict(list)
        self._read_bytes = 0
        self.refresh()
        size = path.stat().st_size if path.exists() else 0
        self._torn_from = self._read_bytes if size > self._read_bytes else None

    @property
    def faults(self) -> list[str]:
        """The lines that are no decision; of a last line without its end, only one that was there at the start."""
        if self._torn_from != self._read_bytes:
            return list(self._faults)
        torn = f"{self.path}, line {self.num_lines + 1} has no end, so it is no decision: what wrote it was stopped"
        return [*self._faults, torn]

    def refresh(self) -> None:
        """Read the lines that were appended since; a last line without its end is left for later."""
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            return
        if size <= self._read_bytes:
            return
        with self.path.open("rb") as file:
            file.seek(self._read_bytes)
            content = file.read()
        for line in content[: content.rfind(b"\n") + 1].splitlines(keepends=True):
            self._read_bytes += len(line)
            self._take_line(line)

    def append(self, decision: Decision) -> None:
        """Write a decision to the disk; where that fails, the file stays as it was.

        Raises
        ------
        ValueError
            There is nothing to undo.
        OSError
            The file cannot be written, or the disk is full.
        """
        self.refresh()
        if decision.action == UNDO and not self._made.get(decision.take):
            raise ValueError(f"{decision.take} has no decision to undo")
        with self.path.open("ab") as file:
            # What another program, or a power failure, left half-written stands on a line of its own, and is a fault.
            begin = file.tell()
            start = b"" if begin == self._read_bytes else b"\n"
            try:
                file.write(start + decision.line())
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                os.truncate(self.path, begin)
                raise
        self.refresh()

    def _take_line(self, line: bytes) -> None:
        """Count one line; an empty one says nothing."""
        self.num_lines += 1
        if not line.strip():
            return
        try:
            decision = _read(line)
            if fault := self._fault_of(decision):
                raise ValueError(fault)
        except ValueError as error:
            self._faults.append(f"{self.path}, line {self.num_lines} is no decision: {error}")
            return
        take, made = decision.take, self._made[decision.take]
        self.changed_at[take] = self.num_lines
        if decision.action != UNDO:
            made.append(decision)
            self.order.append(take)
        elif made:
            made.pop()
            last = len(self.order) - 1 - self.order[::-1].index(take)
            del self.order[last]
        if made:
            self.in_force[take] = made[-1]
        else:
            self.in_force.pop(take, None)


def _read(line: bytes) -> Decision:
    """One line of the file as a decision."""
    found = read_fields(line, Decision, needed=("labels",))
    action, labels = found["action"], found["labels"]
    if action not in ACTIONS:
        raise ValueError(f"its action is {action!r}; expected {', '.join(ACTIONS)}")
    if not isinstance(labels, list):
        raise ValueError(f"its labels are {labels!r}; expected a list of texts in []")
    if not isinstance(found["take"], str):
        raise ValueError(f"its take is {found['take']!r}; expected the path of a WAV")
    if action in (KEEP, CORRECT):
        check_labels(labels, f"its {action}")
    return Decision(**{**found, "labels": tuple(labels)})

"""What `earproof classify` found, line by line as it is found, so that a killed run can go on where it was.

The log is a file of JSON lines beside its target, `FILE.part`. First comes what was asked for; then for each
recording a line that opens it (`recording`), its rows, and a line that ends it (`clip`, `phone` or
`error`). A line counts once its line end is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol

Line = dict[str, Any]


class RowMerge(Protocol):
    """Makes the clip of a recording's rows, in constant memory."""

    def reset(self) -> None:
        """Begin with another recording."""
        ...

    def take(self, row: Line) -> None:
        """Count a row in."""
        ...


class ScoreLog:
    """An open log; a context manager, which leaves the file where it is.

    Parameters
    ----------
    path : Path
    header : dict
        What was asked for: model, recordings and settings, as JSON gives it back.
    merge : RowMerge
        Is given the rows of the recording that is not done, those of an earlier run too.
    resume : bool
        Go on with a log that is there; without one, begin.

    Attributes
    ----------
    num_ended : int
        Recordings that are done.
    num_rows : int
        Rows of the recording that is not.
    last_row : dict or None
        The last of them.
    num_failed : int
        Recordings that ended with an error.

    Raises
    ------
    ValueError
        The log to go on with was made of something else.
    """

    def __init__(self, path: Path, header: Line, merge: RowMerge, resume: bool = False) -> None:
        self.path = path
        self.num_ended, self.num_rows, self.num_failed, self._is_open = 0, 0, 0, False
        self._merge = merge
        self.last_row: Line | None = None
        resume = resume and path.is_file()
        self._file = path.open("r+b" if resume else "w+b")
        try:
            complete = self._scan(header) if resume else 0
        except BaseException:
            self._file.close()
            raise
        self._file.truncate(complete)
        self._file.seek(complete)
        if complete == 0:
            self._write(header)

    def __enter__(self) -> ScoreLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def begin(self, line: Line) -> None:
        """Append the line that opens a recording, unless an earlier run did."""
        if not self._is_open:
            self._take(line)
            self._write(line)

    def add(self, line: Line) -> None:
        """Append a row, or the line that ends a recording; it is in the system's hands when this returns."""
        self._take(line)
        self._write(line)

    def lines(self) -> Iterator[Line]:
        """Yield every line so far."""
        with self.path.open("rb") as file:
            for line in file:
                yield json.loads(line)

    def _scan(self, header: Line) -> int:
        """Read what an earlier run left; return the bytes of its complete lines."""
        complete = 0
        for raw in _complete_lines(self._file):
            line = json.loads(raw)
            if complete == 0:
                _check_same(self.path, line, header)
            else:
                self._take(line)
            complete += len(raw)
        return complete

    def _take(self, line: Line) -> None:
        """Count a line."""
        if "scores" in line:
            self._merge.take(line)
            self.num_rows, self.last_row = self.num_rows + 1, line
            return
        self._is_open = "recording" in line
        self.num_ended += not self._is_open
        self.num_failed += "error" in line
        self.num_rows, self.last_row = 0, None
        self._merge.reset()

    def _write(self, line: Line) -> None:
        """Append a line."""
        self._file.write(json.dumps(line, ensure_ascii=False).encode("utf-8") + b"\n")
        self._file.flush()


def _complete_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines that have their line end; whoever was killed may have left one without."""
    for raw in file:
        if raw.endswith(b"\n"):
            yield raw


def _check_same(path: Path, found: Line, asked: Line) -> None:
    """Refuse to go on with the log of another run."""
    differing = [name for name in asked if found.get(name) != asked[name]]
    if differing:
        name = differing[0]
        raise ValueError(
            f"{path} was made with another {name}: {json.dumps(found.get(name))[:200]}; "
            f"now it is {json.dumps(asked[name])[:200]}. Repeat the first command, or begin again with --force"
        )

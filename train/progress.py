"""Progress bars for people, on stderr: lively on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

_SECONDS_BETWEEN_LOG_LINES = 10.0
_SHORT_SECONDS = 10.0  # of an estimate that is not worth a word
_SECONDS_UNTIL_STILL = 30.0  # of one step, after which a line says that it goes on


def progress_bar(total: int, name: str, unit: str, done: int = 0) -> Any:
    """Return a tqdm bar that counts from `done` to `total`; the caller closes it."""
    from tqdm import tqdm

    on_terminal = sys.stderr.isatty()
    return tqdm(
        total=total,
        initial=done,
        desc=name,
        unit=unit,
        file=sys.stderr,
        dynamic_ncols=on_terminal,
        ncols=None if on_terminal else 100,
        mininterval=0.1 if on_terminal else _SECONDS_BETWEEN_LOG_LINES,
    )


def _minutes(seconds: float) -> str:
    """Return a time in minutes and seconds, such as 1:20."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


def note(text: str) -> None:
    """Tell the user something that is not a result."""
    print(text, file=sys.stderr, flush=True)


class Steps:
    """Says of a long job which file of how many a step is about, and how long all has taken.

    As a context it also says now and then that a long step still goes on.
    """

    def __init__(self, tell: Callable[[str], None] = note) -> None:
        self.tell = tell
        self._begin = self._first_of_kind = time.monotonic()
        self._step = ""
        self._ended: threading.Event | None = None

    def begin(self, what: str, place: int, total: int) -> None:
        """Say that the step of the file at `place`, from 1, of `total` begins.

        For example "timing x.tflite (3 of 8, 1:20, about 3:30 for the rest of these)". The estimate takes the steps
        that come for as long as those before; it is left out where it is below ten seconds.
        """
        self._step = what
        if place == 1:
            self._first_of_kind = time.monotonic()
        rest = (time.monotonic() - self._first_of_kind) / max(place - 1, 1) * (total - place + 1)
        estimate = f", about {_minutes(rest)} for the rest of these" if place > 1 and rest >= _SHORT_SECONDS else ""
        self.tell(f"{what} ({place} of {total}, {self._elapsed()}{estimate})")

    def __enter__(self) -> Steps:
        self._ended = threading.Event()
        threading.Thread(target=self._say_still, args=(self._ended,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._ended is not None:
            self._ended.set()

    def _elapsed(self) -> str:
        """Return the time since the beginning, minutes and seconds."""
        return _minutes(time.monotonic() - self._begin)

    def _say_still(self, ended: threading.Event) -> None:
        """Name a step that lasts, until the job has ended."""
        before = self._step
        while not ended.wait(_SECONDS_UNTIL_STILL):
            if self._step == before:
                self.tell(f"still {before} ({self._elapsed()})")
            before = self._step

"""Ctrl-C as a request, noticed where it suits the work."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class StopRequest:
    """Ctrl-C or a polite kill inside the block of this context manager; the second one stops at once.

    An exception that Ctrl-C raises wherever the program happens to be can get lost in a library; a flag cannot. A
    signal that is ignored, as under nohup, stays so. Threads other than the main one get no signals: there nothing is
    asked.

    Attributes
    ----------
    asked : bool
        Whether somebody wants an end.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raise KeyboardInterrupt if somebody wants an end: for work that may stop here."""
        if self.asked:
            raise KeyboardInterrupt

    def _ask(self, number: int, frame: FrameType | None) -> None:
        """Remember that somebody wants an end."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

"""The other ways in which a server is ended: a polite kill, and the terminal that is closed."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def ended_as_by_ctrl_c() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, so that it can put things in order.

    The second one of them does nothing: a terminal that closes sends several, and the first is being obeyed. Ctrl-C
    stays as it is. A signal that is ignored, as under nohup, stays so.
    """
    before = {number: signal.getsignal(number) for number in _ENDING}
    heard = [number for number in _ENDING if before[number] != signal.SIG_IGN]
    asked = False

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if not asked:
            asked = True
            raise KeyboardInterrupt

    def pass_on(number: int, frame: FrameType | None) -> None:
        signal.raise_signal(signal.SIGTERM)  # which uvicorn obeys while it serves: what is being written gets done

    for number in heard:
        signal.signal(number, end if number == signal.SIGTERM or signal.SIGTERM not in heard else pass_on)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])

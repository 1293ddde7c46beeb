"""What the runtime prints when it makes its first delegate: kept off the screen. Whatever else it prints is shown."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator

ANNOUNCEMENT = b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU."
_STDERR = 2  # the descriptor: the runtime does not ask Python where to print
_lock = threading.Lock()
_is_over = threading.Event()  # the runtime says it once in a process


@contextlib.contextmanager
def without_announcement() -> Iterator[None]:
    """Hold back what is printed to stderr's descriptor until the first model is open, then print all but that line.

    No environment variable changes what the runtime's own logger prints.
    """
    if _is_over.is_set():
        yield
        return
    with _lock, _held_back():
        yield
        _is_over.set()  # not after an error, which may have come before the delegate


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    """Send stderr into a pipe and on to where it went, without the announcement."""
    try:
        saved = os.dup(_STDERR)
    except OSError:  # closed: nothing reaches a screen
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    entrance, end = os.pipe()
    # Beyond what a pipe holds, 16 to 64 kB, a writer shall not wait for ever; nor a reader for a child begun meanwhile.
    os.set_blocking(entrance, False)
    os.set_blocking(end, False)
    os.dup2(end, _STDERR)
    try:
        yield
    finally:
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(saved, _STDERR)
        os.close(saved)
        os.close(end)
        held = _read_all(entrance)
        os.close(entrance)
        with os.fdopen(_STDERR, "wb", closefd=False) as screen:
            screen.writelines(line for line in held.splitlines(keepends=True) if line.strip() != ANNOUNCEMENT)


def _read_all(entrance: int) -> bytes:
    """Return what a pipe holds now."""
    held = bytearray()
    with contextlib.suppress(BlockingIOError):
        while chunk := os.read(entrance, 65_536):
            held += chunk
    return bytes(held)

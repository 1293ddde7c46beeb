"""Progress bars for people, on stderr: lively on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
from typing import Any

_SECONDS_BETWEEN_LOG_LINES = 10.0


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


def note(text: str) -> None:
    """Tell the user something that is not a result."""
    print(text, file=sys.stderr, flush=True)

"""How much memory an interpreter gave its tensors."""

from __future__ import annotations

from typing import Any

import numpy as np


def arena_bytes(interpreter: Any, model: bytes) -> int:
    """Return the bytes that an interpreter's own tensors lie in, those that share memory counted once.

    Parameters
    ----------
    interpreter : Interpreter
        With its tensors allocated, made of `model` itself, not of a copy.
    model : bytes
        The file: weights that are read where they lie in it are no part of the arena.

    Notes
    -----
    No runtime tells the size of its arena to Python, but each tells where a tensor lies. Tensors that a delegate such
    as XNNPACK took over have no place there; the delegate keeps them in memory of its own, of which nobody tells.
    """
    content = np.frombuffer(model, np.uint8)
    first = _address(content)
    spans = []
    for tensor in interpreter.get_tensor_details():
        try:
            values = interpreter.tensor(tensor["index"])()
        except (ValueError, RuntimeError):  # a tensor without memory: a delegate's, or one that is left out
            continue
        start = _address(values)
        if values.nbytes and not first <= start < first + content.nbytes:
            spans.append((start, start + values.nbytes))
    return covered(spans)


def covered(spans: list[tuple[int, int]]) -> int:
    """Return how many places lie in at least one of the spans (start, stop)."""
    total, reached = 0, 0
    for start, stop in sorted(spans):
        total += max(0, stop - max(start, reached))
        reached = max(reached, stop)
    return total


def _address(values: Any) -> int:
    """Return where an array begins in memory."""
    return int(values.__array_interface__["data"][0])

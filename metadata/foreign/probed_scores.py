"""What a model put out for a few test signals, held against what is said about it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from metadata.plural import counted
from metadata.spec import SCORE_MARGIN, ModelSpec
from metadata.tflite_file.model_content import ModelContent
from metadata.tflite_file.score_operator import ScoreKind

_SUM_MARGIN = 0.02  # by which softmax scores in 8 bits may miss 1
_SILENCE = 0  # place of the signal that is silence

Rows = Sequence[Sequence[float]]
Hear = Callable[[ModelContent, ModelSpec], Rows]
"""Runs a model on test signals, silence first; returns what it puts out, a row a signal. See
`edge_runtime.model.probe`."""


class ProbedScores(NamedTuple):
    """What the rows say: of which kind they are, what is wrong, and what is odd."""

    kind: ScoreKind
    faults: tuple[str, ...]
    notes: tuple[str, ...]


def judge_rows(rows: Rows) -> ProbedScores:
    """Judge what a model puts out for test signals, shape (n_signals, n_labels), as it puts it out."""
    finite = [row for row in rows if all(map(math.isfinite, row))]
    if not finite:
        return ProbedScores(ScoreKind("", "none", "puts out NaN"), ("puts out NaN for every test signal",), ())
    notes = []
    if len(finite) < len(rows):
        silent = not all(map(math.isfinite, rows[_SILENCE]))
        which = "silence" if silent else f"{len(rows) - len(finite)} of {counted(len(rows), 'test signal')}"
        notes.append(
            f"puts out NaN for {which}, so that such a window ends with an error"
            + ("; earproof classify --silence-below DB leaves it out" if silent else "")
        )
    faults: tuple[str, ...] = ()
    if len(finite) > 1 and all(list(row) == list(finite[0]) for row in finite[1:]):
        faults = (
            f"puts out the same for {counted(len(finite), 'test signal')} (silence, noise, tones): its input "
            "makes no difference",
        )
    return ProbedScores(_kind(finite), faults, tuple(notes))


def score_limits(rows: Rows) -> tuple[float, float]:
    """Return the lowest and the highest finite number in the rows."""
    numbers = [number for row in rows for number in row if math.isfinite(number)]
    return min(numbers, default=math.nan), max(numbers, default=math.nan)


def lies_in_unit(low: float, high: float) -> bool:
    """Whether numbers from `low` to `high` can be scores in [0, 1]."""
    return low >= -SCORE_MARGIN and high <= 1.0 + SCORE_MARGIN


def _kind(rows: Rows) -> ScoreKind:
    """What the rows look like."""
    low, high = score_limits(rows)
    several = len(rows[0]) > 1
    if lies_in_unit(low, high):
        if several and all(abs(sum(row) - 1.0) <= _SUM_MARGIN for row in rows):
            return ScoreKind("softmax", "none", "puts out scores that add up to 1 for every test signal")
        return ScoreKind("", "none", "puts out 0 to 1 for every test signal")
    if several and high <= SCORE_MARGIN and all(abs(_sum_of_exp(row) - 1.0) <= _SUM_MARGIN for row in rows):
        return ScoreKind("softmax", "exp", "puts out logarithms whose exp adds up to 1 for every test signal")
    return ScoreKind("", "none", f"puts out {low:.3g} to {high:.3g} for the test signals")


def _sum_of_exp(row: Sequence[float]) -> float:
    """The sum over exp."""
    return sum(math.exp(number) for number in row)

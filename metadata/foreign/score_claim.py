"""Which activation and transform a spec gets: what is claimed, held against the graph and against what comes out."""

from __future__ import annotations

from typing import NamedTuple

from metadata.foreign.probed_scores import Rows, judge_rows, lies_in_unit, score_limits
from metadata.tflite_file.model_content import ModelContent
from metadata.tflite_file.score_operator import ScoreKind, score_kind

_APP = "An app that shows what the model puts out shows no probabilities"
_HOW = {
    "exp": "their exp is taken for the score",
    "softmax": "a softmax over them makes the scores",
    "sigmoid": "a sigmoid of each makes the scores",
}


class ScoreClaim(NamedTuple):
    """The activation and transform that hold, what is wrong, what was not said, and what to tell."""

    activation: str  # empty where it is not known
    transform: str
    faults: tuple[str, ...]
    asks: tuple[str, ...]
    notes: tuple[str, ...]


def score_claim(content: ModelContent, claimed: str | None, rows: Rows | None, insists: bool) -> ScoreClaim:
    """Settle what the scores of a model are.

    Parameters
    ----------
    content : ModelContent
    claimed : str, optional
        The activation that the user or a spec names.
    rows : sequence of rows, optional
        What the model puts out for test signals; None where it was not run.
    insists : bool
        Whether the user describes the file: then what is odd is a note, not an error.
    """
    graph = score_kind(content)
    probed = None if rows is None else judge_rows(rows)
    faults, notes = (probed.faults, probed.notes) if probed else ((), ())
    if insists and probed and probed.kind.what != "puts out NaN":
        faults, notes = (), (*notes, *faults)
    faults, notes = tuple(f"the model {text}" for text in faults), tuple(f"the model {text}" for text in notes)
    kind = graph
    if not graph.activation and probed and probed.kind.activation:
        kind = probed.kind
        notes += (f"the model {graph.what}, and {probed.kind.what}: taken for {kind.activation}",)
    if kind.activation and claimed not in (None, kind.activation):
        wrong = f"the activation is said to be {claimed}, but the model {kind.what}; expected {kind.activation}"
        return ScoreClaim("", "none", (*faults, wrong), (), notes)
    if kind.activation:
        return _checked(kind, kind.activation, kind.transform, rows, faults, notes)
    if claimed is None and (graph.is_linear or rows is None or lies_in_unit(*score_limits(rows))):
        unknown = graph.what if probed is None else f"{graph.what}, and {probed.kind.what}"
        return ScoreClaim("", "none", faults, (f"the model {unknown}: are its scores softmax or sigmoid?",), notes)
    return _claimed(graph, claimed, rows, faults, notes)


def _claimed(
    graph: ScoreKind, claimed: str | None, rows: Rows | None, faults: tuple[str, ...], notes: tuple[str, ...]
) -> ScoreClaim:
    """What the user says, if anything, where neither the graph nor what comes out does."""
    is_score = rows is not None and lies_in_unit(*score_limits(rows))
    if claimed and (is_score or (rows is None and not graph.is_linear)):
        return ScoreClaim(claimed, "none", faults, (), notes)
    if claimed and graph.is_linear:
        return _checked(graph, claimed, claimed, rows, faults, notes)
    low, high = score_limits(rows or ())
    wrong = (
        f"the model {graph.what}, and puts out {low:.3g} to {high:.3g}: neither scores nor logits; "
        "export it with a softmax or sigmoid at its end"
    )
    return ScoreClaim("", "none", (*faults, wrong), (), notes)


def _checked(
    kind: ScoreKind, activation: str, transform: str, rows: Rows | None, faults: tuple[str, ...], notes: tuple[str, ...]
) -> ScoreClaim:
    """A kind that is known, after looking at whether the numbers are such."""
    if transform != "none":
        notes += (f"the model {kind.what}; {_HOW[transform]}. {_APP}",)
    elif rows is not None and not lies_in_unit(*score_limits(rows)) and not faults:
        low, high = score_limits(rows)
        wrong = f"the model {kind.what}, but puts out {low:.3g} to {high:.3g}; expected 0 to 1"
        return ScoreClaim("", "none", (wrong,), (), notes)
    return ScoreClaim(activation, transform, faults, (), notes)

"""The verdict and the sections of one run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from convert.html_report.file_parts import failure_lines, latency_blocks, loader_blocks, recipe_blocks
from convert.html_report.mistakes import MOST_AUDIO_BYTES, mistake_blocks
from convert.html_report.model_card import card_blocks
from convert.html_report.page_parts import Block, Missing, Part, Text, Verdict
from convert.html_report.parity_parts import drift_blocks, level_blocks, machine_blocks
from convert.html_report.run_record import RunRecord
from convert.html_report.training_parts import (
    confusion_blocks,
    curve_blocks,
    fold_blocks,
    judged_table,
    label_blocks,
)
from convert.report.compression import compression_notes
from convert.report.verdict_text import steps_line


def run_verdict(run: RunRecord) -> Verdict:
    """Return the verdict of a run; a report of an older version has none."""
    found = run.report.get("verdict")
    failed = failure_lines(run)
    if not found:
        lines = ("The report is of an older version, which gave no verdict; build again for one.", *failed)
        return Verdict(headline="No verdict", lines=lines)
    first, *others = found["text"]
    steps = tuple(found.get("steps", ()))
    told = [line for line in others if not steps or line != steps_line(steps)]
    is_good = found["take"] and not failed
    if is_good and found.get("near_copies"):
        is_good = None  # neither good nor bad news
    return Verdict(headline=first, is_good=is_good, lines=(*told, *failed), steps=steps)


def run_parts(run: RunRecord, key: str = "run", most_audio_bytes: int = MOST_AUDIO_BYTES) -> list[Part]:
    """Return the sections of a run; `key` begins the names of its charts and is its own within a page."""
    made: Sequence[tuple[str, str, Callable[[], list[Block]]]] = (
        ("recipes", "Files: accuracy, size and latency", lambda: recipe_blocks(run, key)),
        ("card", "Model card", lambda: card_blocks(run)),
        ("curves", "Training curves", lambda: curve_blocks(run, key)),
        ("confusion", "Confusion", lambda: [*confusion_blocks(run, key), judged_table(run)]),
        ("labels", "Each label", lambda: label_blocks(run, key)),
        ("mistakes", "The worst mistakes", lambda: mistake_blocks(run, most_audio_bytes)),
        ("folds", "Cross-validation", lambda: fold_blocks(run.report.get("cross_validation"), key)),
        ("parity", "Parity", lambda: level_blocks(run)),
        ("drift", "Drift of the layers", lambda: drift_blocks(run, key)),
        ("machines", "Other machines", lambda: machine_blocks(run)),
        ("latency", "Latency", lambda: latency_blocks(run, key)),
        ("loaders", "Loaders", lambda: loader_blocks(run)),
        ("notes", "Notes", lambda: _notes(run)),
    )
    return [Part(anchor=anchor, title=title, blocks=tuple(_made(title, make))) for anchor, title, make in made]


def _made(title: str, make: Callable[[], list[Block]]) -> list[Block]:
    """The blocks of a section, or that a report of another version or an edited one does not hold what it takes."""
    try:
        return make()
    except (KeyError, IndexError, TypeError, AttributeError, ArithmeticError, ValueError) as error:
        return [Missing(what=title, why=f"the report is of another version, or was edited ({error!r})")]


def _notes(run: RunRecord) -> list[Block]:
    """What else a report holds, and what of a run could not be read."""
    lines = [*compression_notes(run.report.get("compression")), *run.report.get("hints", [])]
    faults: list[Block] = [Missing(what="a part of the run", why=fault) for fault in run.faults]
    return [*([Text(lines=tuple(lines))] if lines else []), *faults]

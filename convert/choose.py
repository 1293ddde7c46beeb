"""Which recipe to take, by what was measured: the Pareto front of a model's files, and one of them recommended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from convert.recipes import RECIPES, REFERENCE
from train.evaluation_text import share_name

NOISE = 0.05  # latencies that differ by less count as equal when one file is recommended


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What decides about one file: shares of windows in 0 to 1, latency as measured here.

    The accuracy is the share of right decisions on the test windows, called what `measure` says: the exact match of
    sets of labels. Agreement with float32 and the accuracy lost against it are as the parity compares the two files.
    """

    file: str
    recipe: str
    accuracy: float
    accuracy_loss: float
    decision_agreement: float
    size_bytes: int
    p50_ms: float
    passed: bool
    measure: str = "accuracy"

    def is_beaten_by(self, other: Candidate) -> bool:
        """Whether the other file is nowhere worse and somewhere better; latencies to two digits, which repeat."""
        ours, theirs = self._costs(), other._costs()
        return theirs != ours and all(their <= our for our, their in zip(ours, theirs, strict=True))

    def _costs(self) -> tuple[float, float, float]:
        return -self.accuracy, float(self.size_bytes), float(f"{self.p50_ms:.2g}")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The files of one model and input form, which are on the front, and which one to take.

    Attributes
    ----------
    model, input : str
    candidates : tuple of Candidate
    front : tuple of str
        Files that no other file beats in accuracy, size and latency together; only files that pass their parity.
    recommended : str
        A file with float32 input and output; empty where none passes.
    reason : str
    """

    model: str
    input: str
    candidates: tuple[Candidate, ...]
    front: tuple[str, ...]
    recommended: str
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Return the choice for JSON."""
        return asdict(self)


def choose_files(files: Sequence[dict[str, Any]]) -> list[Choice]:
    """Return the choice for each model and input form of a report.

    Parameters
    ----------
    files : sequence of dict
        As `report.describe_build` gives them under "files".
    """
    kinds = dict.fromkeys((file["model"], file["input"]) for file in files)
    return [
        choose(model, form, [_candidate(file) for file in files if (file["model"], file["input"]) == (model, form)])
        for model, form in kinds
    ]


def choose(model: str, form: str, candidates: Sequence[Candidate]) -> Choice:
    """Return the front of some files of one model and the one to take.

    Raises
    ------
    ValueError
        No files.

    Notes
    -----
    Recommended is, of the files that take and give float32 and that none of these beats, the fastest,
    among those within 5 % of it the smallest. Accuracy has had its say by then: what loses more than its recipe may has
    failed.
    """
    if not candidates:
        raise ValueError(f"there are no files of {model} to choose from; expected at least one")
    passed = [one for one in candidates if one.passed]
    front = _unbeaten(passed)
    everywhere = [one for one in passed if not (one.recipe in RECIPES and RECIPES[one.recipe].integer_io)]
    best, reason = _recommend(_unbeaten(everywhere), candidates)
    return Choice(
        model=model,
        input=form,
        candidates=tuple(candidates),
        front=tuple(one.file for one in front),
        recommended=best,
        reason=reason,
    )


def _candidate(file: dict[str, Any]) -> Candidate:
    """Return what decides about one file of a report."""
    compared = next((result["measures"] for result in file["parity"] if result["level"] in (2, 3)), {})
    return Candidate(
        file=file["file"],
        recipe=file["recipe"],
        accuracy=file["test"]["window"]["accuracy"],
        measure=share_name(file["test"]["window"]),
        accuracy_loss=compared.get("accuracy_loss", 0.0),
        decision_agreement=compared.get("decision_agreement", 0.0),
        size_bytes=file["size_bytes"],
        p50_ms=file["latency"]["end_to_end"]["p50_ms"],
        passed=file["passed"],
    )


def _unbeaten(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the files that no other of them beats."""
    return [one for one in candidates if not any(one.is_beaten_by(other) for other in candidates)]


def _recommend(usable: Sequence[Candidate], candidates: Sequence[Candidate]) -> tuple[str, str]:
    """Return the file to take and why."""
    if not usable:
        return "", "no file with float32 input and output passes its parity; the failures are named in the report"
    fastest = min(one.p50_ms for one in usable)
    best = min((one for one in usable if one.p50_ms <= fastest * (1 + NOISE)), key=lambda one: one.size_bytes)
    reason = (
        f"of the files that pass and that take float32 it is the fastest, {best.p50_ms:.2f} ms a window here, "
        f"with {best.size_bytes / 1000:.0f} kB"
    )
    quicker = [one for one in usable if one.p50_ms < best.p50_ms]
    if quicker:
        reason += f" (within {NOISE:.0%} of {quicker[0].recipe}, and smaller)"
    reference = next((one for one in candidates if one.recipe == REFERENCE), None)
    if reference is None or reference is best:
        return best.file, f"{reason}."
    lost = 100 * max(0.0, best.accuracy_loss)
    return best.file, (
        f"{reason}; {REFERENCE} takes {reference.p50_ms:.2f} ms and {reference.size_bytes / 1000:.0f} kB. "
        f"It loses {lost:.1f} points of {best.measure} and agrees on {best.decision_agreement:.1%} of the windows."
    )

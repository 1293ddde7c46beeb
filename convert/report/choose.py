"""Which recipe to take, by what was measured: the Pareto front of a model's files, and one of them recommended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from convert.recipes import RECIPES, REFERENCE
from edge_runtime.scoring.intervals import median_interval
from metadata.plural import counted
from train.evaluation.evaluation_text import share_name

NOISE = 0.05  # latencies that differ by less count as equal, however many runs there are


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What decides about one file: shares of windows in 0 to 1, latency as measured here.

    The accuracy is the share of right decisions on the test windows, called what `measure` says: the exact match of
    sets of labels. Agreement with float32 and the accuracy lost against it, with its 95 % interval, are as the parity
    compares the two files. `p50_interval_ms` is where the median latency may be, as far as `num_runs` tell.
    `refused_by` names loaders that do not open the file.
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
    accuracy_loss_interval: tuple[float, float] | None = None
    refused_by: tuple[str, ...] = ()
    p50_interval_ms: tuple[float, float] | None = None
    num_runs: int = 0

    def is_as_fast_as(self, other: Candidate) -> bool:
        """Whether it takes no longer than another: within 5 %, or as far as the runs of the two tell."""
        if self.p50_ms <= other.p50_ms * (1 + NOISE):
            return True
        ours, theirs = self.p50_interval_ms, other.p50_interval_ms
        return ours is not None and theirs is not None and ours[0] <= theirs[1]

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
        choose(model, form, [as_candidate(file) for file in files if (file["model"], file["input"]) == (model, form)])
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
    Recommended is, of the files that pass and that take and give float32, the fastest, and of those as fast as it
    (`Candidate.is_as_fast_as`) the smallest, of these the most accurate. Accuracy has had its say by then: what loses
    more than its recipe may has failed. Whether any file is to be taken is `convert.report.verdict`'s to say.
    """
    if not candidates:
        raise ValueError(f"there are no files of {model} to choose from; expected at least one")
    passed = [one for one in candidates if one.passed]
    front = _unbeaten(passed)
    floats = [one for one in passed if not (one.recipe in RECIPES and RECIPES[one.recipe].integer_io)]
    best, reason = _recommend(floats, candidates)
    return Choice(
        model=model,
        input=form,
        candidates=tuple(candidates),
        front=tuple(one.file for one in front),
        recommended=best,
        reason=reason,
    )


def as_candidate(file: dict[str, Any]) -> Candidate:
    """Return what decides about one file of a report."""
    compared: dict[str, Any] = next((result["measures"] for result in file["parity"] if result["level"] in (2, 3)), {})
    return Candidate(
        file=file["file"],
        recipe=file["recipe"],
        accuracy=file["test"]["window"]["accuracy"],
        measure=share_name(file["test"]["window"]),
        accuracy_loss=compared.get("accuracy_loss", 0.0),
        decision_agreement=compared.get("decision_agreement", 0.0),
        accuracy_loss_interval=(
            (compared["accuracy_loss_lower"], compared["accuracy_loss_upper"])
            if "accuracy_loss_lower" in compared
            else None
        ),
        refused_by=tuple(file.get("refused_by", ())),
        size_bytes=file["size_bytes"],
        p50_ms=file["latency"]["end_to_end"]["p50_ms"],
        p50_interval_ms=_p50_interval(file["latency"]["end_to_end"].get("samples_ms")),
        num_runs=file["latency"].get("num_runs", 0),
        passed=file["passed"],
    )


def _p50_interval(samples_ms: Sequence[float] | None) -> tuple[float, float] | None:
    """Return where the median may be; None where the runs are not known one by one."""
    return (*median_interval(samples_ms),) if samples_ms else None


def _unbeaten(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the files that no other of them beats."""
    return [one for one in candidates if not any(one.is_beaten_by(other) for other in candidates)]


def _recommend(usable: Sequence[Candidate], candidates: Sequence[Candidate]) -> tuple[str, str]:
    """Return the best file and why."""
    if not usable:
        return "", "no file with float32 input and output passes its parity; the failures are named in the report"
    fastest = min(usable, key=lambda one: one.p50_ms)
    quick = [one for one in usable if one.is_as_fast_as(fastest)]
    best = min(quick, key=lambda one: (one.size_bytes, -one.accuracy, one.p50_ms))
    parts = [_why(best, fastest, [one for one in quick if one is not best]), _against_reference(best, candidates)]
    return best.file, ". ".join(part for part in parts if part) + "."


def _why(best: Candidate, fastest: Candidate, as_fast: Sequence[Candidate]) -> str:
    """What the best file has before the others that pass and take float32, of which some are as fast."""
    cost = f"{best.p50_ms:.2f} ms a window here and {best.size_bytes / 1000:.0f} kB"
    if best.p50_ms == fastest.p50_ms:
        return f"of the files that pass and that take float32 none is faster: {cost}" + (
            f"; as fast as it, but not smaller: {', '.join(f'{one.recipe} ({one.p50_ms:.2f} ms)' for one in as_fast)}"
            if as_fast
            else ""
        )
    by = f"within {NOISE:.0%}"
    if best.p50_ms > fastest.p50_ms * (1 + NOISE):
        by = f"as far as {counted(best.num_runs, 'run tells', 'runs tell')}"
    return (
        f"of the files that pass and that take float32 it is as fast as the fastest, {by}, and none of these is "
        f"smaller: {cost}; the fastest, {fastest.recipe}, takes {fastest.p50_ms:.2f} ms and "
        f"{fastest.size_bytes / 1000:.0f} kB"
    )


def _against_reference(best: Candidate, candidates: Sequence[Candidate]) -> str:
    """What the best file costs and loses against float32; empty where it is that, or where there is none."""
    reference = next((one for one in candidates if one.recipe == REFERENCE), None)
    if reference is None or reference is best:
        return ""
    lost = 100 * best.accuracy_loss
    size = f"{abs(lost):.1f} points of {best.measure}"
    told = f"loses {size}" if lost > 0.0 else f"gains {size}" if lost < 0.0 else f"loses no {best.measure}"
    return (
        f"{REFERENCE} takes {reference.p50_ms:.2f} ms and {reference.size_bytes / 1000:.0f} kB; against it the file "
        f"{told} and agrees on {best.decision_agreement:.1%} of the windows"
    )

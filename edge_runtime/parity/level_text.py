"""What a comparison found, in words: the line of a level, why it failed and what to try, and the verdict on files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edge_runtime.parity.levels import SAYS_NOTHING, ParityResult, whole_windows
from metadata.plural import counted
from metadata.recipe import RECIPES

Result = Mapping[str, Any]
"""As `ParityResult.as_dict` gives it."""
AT_LEAST = ("decision_agreement",)  # a limit from below; all others are from above


def format_results(results: Sequence[ParityResult], recipe: str = "") -> str:
    """Return one line a result for people, and more for what it has to say; of one that failed also what to try.

    Parameters
    ----------
    results : sequence of ParityResult
    recipe : str
        Of the file, for the advice.
    """
    lines = []
    for result in results:
        measures = "  ".join(_format_measure(name, result) for name in (result.measures or result.tolerance))
        verdict = "pass" if result.passed else "FAIL"
        lines.append(
            f"level {result.level}  {verdict}  {result.name} ({counted(result.num_windows, result.unit)}): {measures}"
        )
        told = result.detail if result.passed else describe_failure(result.as_dict(), recipe)
        if told:
            lines.append(f"         {told}")
    return "\n".join(lines)


def describe_failure(result: Result, recipe: str = "") -> str:
    """Return which limits a result missed, by how much, what it has to say and what to try."""
    told = [*shortfalls(result), result["detail"], what_to_try(result["level"], recipe)]
    return "; ".join(part for part in told if part)


def what_to_try(level: int, recipe: str) -> str:
    """Return what to do about a file of a recipe that failed at a level."""
    if level == 1:
        return "the two front ends differ: expected the same NumPy-based one everywhere, convert again"
    if level == 4:
        return "the phone would hear other windows than were tested: try a model with a longer window"
    instead = RECIPES[recipe].instead if recipe in RECIPES else ""
    if not instead:
        return "the file does not compute what was trained: convert again with the versions in constraints.txt"
    return f"try earproof convert RUN --out DIR --recipe {instead}"


def verdict_line(results: Mapping[str, Sequence[ParityResult]], num_tampered: int = 0) -> str:
    """Return what came of all files in one line.

    Parameters
    ----------
    results : mapping of str to sequence of ParityResult
        Keys are the files.
    num_tampered : int
        Bundles that are not what their manifest says, of which nothing was opened.
    """
    failed = {file: [one for one in found if not one.passed] for file, found in results.items()}
    failed = {file: found for file, found in failed.items() if found}
    empty = [file for file, found in results.items() if any(SAYS_NOTHING in one.detail for one in found)]
    count = counted(len(results), "file")
    parts = []
    if num_tampered:
        tampered = counted(
            num_tampered, "bundle is not what its manifest says", "bundles are not what their manifests say"
        )
        parts.append(f"FAIL: {tampered}, nothing in there was opened")
    if failed:
        named = ", ".join(f"{file} ({_levels(found)})" for file, found in failed.items())
        parts.append(f"FAIL: {len(failed)} of {count}: {named}")
    elif results:
        parts.append(f"pass: {count} at every level that was compared")
    if empty:
        parts.append(f"of {', '.join(empty)} that says nothing: the decision is always the same")
    return f"verdict: {'; '.join(parts)}"


def _levels(results: Sequence[ParityResult]) -> str:
    """The levels of some results."""
    levels = sorted({result.level for result in results})
    return f"level{'s' if levels[1:] else ''} {', '.join(map(str, levels))}"


def shortfalls(result: Result) -> list[str]:
    """Return each measure that missed its limit, with that limit."""
    told = []
    for name, limit in result["tolerance"].items():
        if name not in result["measures"]:
            continue
        value = result["measures"][name]  # None: infinite
        is_least = name in AT_LEAST
        allowed = _allowed(result, 1.0 - limit if is_least else limit)
        if value is not None and (1.0 - value if is_least else value) <= allowed + 1e-12:
            continue
        found = "infinite" if value is None else f"{value + 0.0:.4g}"
        told.append(f"{name} {found}, {'needed' if is_least else 'at most'} {limit:g}")
    return told


def _allowed(result: Result, limit: float) -> float:
    """How much may be lost: at level 3 a limit counts in whole windows."""
    judged_by_windows = "accuracy_loss" in result["tolerance"]
    windows = result["num_windows"]
    return whole_windows(limit, windows) / windows if judged_by_windows else limit


def _format_measure(name: str, result: ParityResult) -> str:
    """Return a measure with its limit."""
    value = f"{result.measures[name] + 0.0:.4g}" if name in result.measures else "not measured"
    if name not in result.tolerance:
        return f"{name} {value}"
    return f"{name} {value} ({'>=' if name in AT_LEAST else '<='} {result.tolerance[name]:g})"

"""Scores on other machines as a table for people: parity level 5, file by file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge_runtime.tables import markdown_table
from metadata.plural import counted

Comparison = dict[str, Any]  # as `edge_runtime.parity.other_machines.describe_comparison` returns it


def machine_notes(found: dict[str, Sequence[Comparison]] | None) -> list[str]:
    """Return a Markdown table and what it says, as lines; none where nothing was compared.

    Parameters
    ----------
    found : dict or None
        `same_runtime`: each machine against the same runtime on x86-64. `desk`: each machine, whatever its runtime,
        against the one that the build was proven with.

    Returns
    -------
    list of str
        A row a file and runtime, a column a machine: the largest difference of a score, and the equal decisions.
    """
    if not found:
        return []
    machines = list(dict.fromkeys(machine_name(one["machine"]) for one in found["same_runtime"]))
    runtimes = list(dict.fromkeys(one["machine"]["runtime"] for one in found["same_runtime"]))
    files = list(dict.fromkeys(file["file"] for one in found["same_runtime"] for file in one["files"]))
    desk = found["desk"][0]["reference"]
    cells = {
        (file["file"], one["machine"]["runtime"], machine_name(one["machine"])): _cell(file)
        for one in found["same_runtime"]
        for file in one["files"]
    }
    header = ["file", "runtime", *machines, f"all, against {desk['runtime']}"]
    rows = [
        [
            file,
            runtime,
            *(cells.get((file, runtime, machine), "") for machine in machines),
            _worst(found, file, runtime),
        ]
        for file in files
        for runtime in runtimes
    ]
    num_windows = max(file["num_windows"] for one in found["same_runtime"] for file in one["files"])
    return [
        "",
        f"Scores on other machines, {counted(num_windows, 'test window')}: the largest difference of a score and the "
        "share of "
        f"decisions that are equal, against the same runtime on {desk['architecture']}, in the last column against "
        f"{desk['runtime']} there (the worst machine). Speed under emulation means nothing and was not measured.",
        "",
        *_table(header, rows),
        *_failures(found["same_runtime"]),
    ]


def machine_name(machine: dict[str, Any]) -> str:
    """A machine's board, or its processor."""
    return str(machine.get("board") or machine["cpu"])


def _cell(file: dict[str, Any]) -> str:
    """What was measured of one file."""
    if not file["measures"]:
        return f"FAIL: {file['detail']}"
    equal = round(file["measures"]["decision_agreement"] * file["num_windows"])
    verdict = "" if file["passed"] else "FAIL: "
    return f"{verdict}{file['measures']['max_abs_error']:.1e}, {equal}/{file['num_windows']}"


def _worst(found: dict[str, Sequence[Comparison]], name: str, runtime: str) -> str:
    """The machine that is farthest from the desk, of one runtime and file."""
    results = [
        file
        for one in found["desk"]
        if one["machine"]["runtime"] == runtime
        for file in one["files"]
        if file["file"] == name
    ]
    return _cell(max(results, key=_distance))


def _distance(file: dict[str, Any]) -> tuple[bool, float, float]:
    """How bad a result is: without measures, then by decisions, then by scores."""
    measures = file["measures"]
    if not measures:
        return True, 1.0, 0.0
    return False, 1.0 - measures["decision_agreement"], measures["max_abs_error"]


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    """An aligned Markdown table."""
    return markdown_table([header, *rows])


def _failures(comparisons: Sequence[Comparison]) -> list[str]:
    """One line for each file that fails on a machine."""
    failed = [
        f"FAIL level 5: {file['file']}: {file['name']}"
        for one in comparisons
        for file in one["files"]
        if not file["passed"]
    ]
    return ["", *failed] if failed else []

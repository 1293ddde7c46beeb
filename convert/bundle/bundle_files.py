"""Which files of a build go into a bundle, and why the others do not."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from convert.recipes import find_recipe
from edge_runtime.parity.level_text import describe_failure
from metadata.nearest_name import did_you_mean

REPORT_FILE_NAME = "report.json"
_CHANGED = "changed"  # beside a reported file that is not the one that lies here now
_NO_VERDICT: dict[str, Any] = {"file": ""}  # earlier states gave none
Tell = Callable[[str], None]


def choose_bundle_files(
    run: Path, files: Sequence[str], recipes: Sequence[str], include_failed: bool, all_files: bool, tell: Tell
) -> list[Path]:
    """Return the files to take, in the order of their names, and tell why others are left out.

    See `convert.bundle.make_bundle.make_bundle` for the arguments and what is raised.
    """
    if not run.is_dir():
        raise FileNotFoundError(f"{run} is no folder; expected one that earproof build or earproof convert filled")
    wanted = {find_recipe(name).name for name in recipes}
    reported, verdict = _read_report(run, needed=not files)
    for name in files:
        _check_is_there(run, name)
    failed = {name: why for name, file in reported.items() if (why := _why_failed(file))}
    if files:
        unchecked = {name: "it was never checked" for name in files if name not in reported}
        failed = {name: why for name, why in {**unchecked, **failed}.items() if name in files}
    chosen = sorted(set(files)) or sorted(name for name in reported if include_failed or name not in failed)
    chosen = [name for name in chosen if (run / name).is_file()]
    is_choice = not (files or wanted or include_failed or all_files)
    if is_choice and verdict["file"]:
        return [run / _best(run, verdict, chosen, failed, tell)]
    if is_choice:
        tell(f"{REPORT_FILE_NAME} names no file as the best: all that passed go along; --file NAME takes one of them")
    _tell_doubt(verdict, tell)
    _tell_failed(run, failed, chosen, tell)
    if not chosen:
        raise ValueError(
            f"no file in {run} passed its parity; --include-failed takes them all the same, --file NAME one of them"
        )
    if not wanted:
        return [run / name for name in chosen]
    of_recipe = [name for name in chosen if reported.get(name, {}).get("recipe", "") in {*wanted, ""}]
    if not of_recipe:
        raise ValueError(
            f"no file that passed in {run} is of the recipe {', '.join(sorted(wanted))}; it has {_names(run)}"
        )
    return [run / name for name in of_recipe]


def _best(run: Path, verdict: dict[str, Any], passed: Sequence[str], failed: dict[str, str], tell: Tell) -> str:
    """Return the best file by the report after checking that it passed; tell which others stay behind."""
    name = str(verdict["file"])
    if name not in passed:
        raise ValueError(
            f"{name} is the best file by {REPORT_FILE_NAME}, but {failed.get(name, 'it is not among those checked')}; "
            "--file NAME takes another one, --all-files all that passed"
        )
    others = [other for other in passed if other != name]
    if others:
        tell(
            f"left out {', '.join(others)}: {name} is the best file by {REPORT_FILE_NAME}; --file NAME takes one of "
            "them, --all-files all that passed"
        )
    _tell_doubt(verdict, tell)
    _tell_failed(run, failed, passed, tell)
    return name


def _tell_doubt(verdict: dict[str, Any], tell: Tell) -> None:
    """Say that the report recommends no file, where it does not."""
    if not verdict.get("take", True):
        best = f"; {verdict['file']} is the best so far" if verdict["file"] else ""
        tell(f"{REPORT_FILE_NAME} says to take no file yet{best}")


def _check_is_there(run: Path, name: str) -> None:
    """Refuse a name that is no file of the folder."""
    if not (run / name).is_file() or Path(name).name != name:
        hint = did_you_mean(name, [path.name for path in run.glob("*.tflite")], cutoff=0.8)
        raise FileNotFoundError(f"{run} holds no file {name}; it has {_names(run)}{hint}")


def _tell_failed(run: Path, failed: dict[str, str], chosen: Sequence[str], tell: Tell) -> None:
    """Name each file that did not pass: left out, or taken all the same."""
    for name, why in sorted(failed.items()):
        if name in chosen:
            tell(f"{name} did not pass its parity in {run}, or was never checked ({why}); taken as asked for")
        else:
            tell(f"left out {name}: {why}")
    if any(name not in chosen for name in failed):
        tell("--include-failed takes files that did not pass too, --file NAME one of them")


def _why_failed(file: dict[str, Any]) -> str:
    """Say why a reported file did not pass; empty where it did."""
    if _CHANGED in file:
        return str(file[_CHANGED])
    if file["passed"]:
        return ""
    results = [result for result in file.get("parity", ()) if not result["passed"]]
    told = [f"level {result['level']}: {describe_failure(result, file.get('recipe', ''))}" for result in results]
    return f"it failed its parity at {'; '.join(told)}" if told else "it failed its parity"


def _read_report(run: Path, needed: bool) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return what the report says about each file, as it lies here now, and its verdict."""
    path = run / REPORT_FILE_NAME
    if not path.is_file():
        if needed:
            raise FileNotFoundError(
                f"{run} holds no {REPORT_FILE_NAME}, which says what passed: has earproof build finished? "
                "--file NAME takes a file without asking it"
            )
        return {}, _NO_VERDICT
    try:
        report = json.loads(path.read_bytes())
        files = {file["file"]: file for file in report["files"]}
        checked = {name: {**file, **_changes(run / name, file["size_bytes"])} for name, file in files.items()}
        return checked, {**_NO_VERDICT, **report.get("verdict", {})}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no report of earproof build: {error!r}") from error


def _changes(path: Path, size_bytes: int) -> dict[str, str]:
    """Say where a file is not the one that was checked."""
    if not path.is_file():
        return {_CHANGED: f"{REPORT_FILE_NAME} names it, but it is not there"}
    if path.stat().st_size != size_bytes:
        return {_CHANGED: f"it has {path.stat().st_size} bytes, and {REPORT_FILE_NAME} speaks of one with {size_bytes}"}
    return {}


def _names(run: Path) -> str:
    """Return the model files of a folder in words."""
    return ", ".join(sorted(path.name for path in run.glob("*.tflite"))) or "no .tflite files"

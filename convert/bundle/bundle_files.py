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
Tell = Callable[[str], None]


def choose_bundle_files(
    run: Path, files: Sequence[str], recipes: Sequence[str], include_failed: bool, tell: Tell
) -> list[Path]:
    """Return the files to take, in the order of their names, and tell why others are left out.

    See `convert.bundle.make_bundle.make_bundle` for the arguments and what is raised.
    """
    if not run.is_dir():
        raise FileNotFoundError(f"{run} is no folder; expected one that earproof build or earproof convert filled")
    wanted = {find_recipe(name).name for name in recipes}
    reported = _reported_files(run, needed=not files)
    for name in files:
        _check_is_there(run, name)
    failed = {name: why for name, file in reported.items() if (why := _why_failed(file))}
    if files:
        unchecked = {name: "it was never checked" for name in files if name not in reported}
        failed = {name: why for name, why in {**unchecked, **failed}.items() if name in files}
    chosen = sorted(set(files)) or sorted(name for name in reported if include_failed or name not in failed)
    chosen = [name for name in chosen if (run / name).is_file()]
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
        return file[_CHANGED]
    if file["passed"]:
        return ""
    results = [result for result in file.get("parity", ()) if not result["passed"]]
    told = [f"level {result['level']}: {describe_failure(result, file.get('recipe', ''))}" for result in results]
    return f"it failed its parity at {'; '.join(told)}" if told else "it failed its parity"


def _reported_files(run: Path, needed: bool) -> dict[str, dict[str, Any]]:
    """Return what the report says about each file, after checking that it speaks of the files that are there."""
    path = run / REPORT_FILE_NAME
    if not path.is_file():
        if needed:
            raise FileNotFoundError(
                f"{run} holds no {REPORT_FILE_NAME}, which says what passed: has earproof build finished? "
                "--file NAME takes a file without asking it"
            )
        return {}
    try:
        files = {file["file"]: file for file in json.loads(path.read_bytes())["files"]}
        return {name: {**file, **_changes(run / name, file["size_bytes"])} for name, file in files.items()}
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

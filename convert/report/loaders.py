"""What the linter says of the files of a build; `tests/test_metadata_lint.py` holds the linter against the loaders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metadata.lint.lint_file import lint_model
from metadata.lint.lint_report import describe_verdicts, one_line

_OF_PHONES = ("task_library", "mediapipe")


def describe_loaders(path: Path) -> dict[str, Any]:
    """Return what each loader does with a file, and under `refused_by` those of a phone's classifiers that refuse it.

    Notes
    -----
    A file that a phone's classifiers refuse is for apps that compute the spectrogram themselves, or feed integers.
    """
    loaders: dict[str, dict[str, Any]] = describe_verdicts(str(path), lint_model(path.read_bytes()))["loaders"]
    refused = [loaders[key]["name"] for key in _OF_PHONES if loaders[key]["taken"] is False]
    return {"refused_by": refused, "loaders": loaders}


def loader_notes(files: Sequence[dict[str, Any]]) -> list[str]:
    """Return which files all loaders take and which are refused by whom, a line a group; none of an older report."""
    kinds: dict[tuple[str, ...], list[str]] = {}
    for file in files:
        if "loaders" in file:
            refusing = tuple(one["name"] for one in file["loaders"].values() if one["taken"] is False)
            kinds.setdefault(refusing, []).append(file["file"])
    lines = [f"{_refused(names)}: {', '.join(sorted(kinds[names]))}." for names in sorted(kinds, key=len)]
    return [*lines, "Why, and what mends it: `earproof lint FILE`."] if any(kinds) else lines


def line_of(path: Path) -> str:
    """Return in one line who takes a file and who refuses it."""
    return one_line(lint_model(path.read_bytes()))


def _refused(names: tuple[str, ...]) -> str:
    """Which loaders refuse files."""
    if not names:
        return "Every loader takes"
    if len(names) == 1:
        return f"Not for {names[0]}, which refuses it"
    return f"Not for {', '.join(names[:-1])} or {names[-1]}, which refuse it"

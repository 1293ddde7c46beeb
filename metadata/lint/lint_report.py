"""Verdicts on a file as JSON can hold them, as text for people, and in one line."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from metadata.lint.verdict import Verdict

_WIDTH = 11  # of the first column


def describe_verdicts(path: str, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return the verdicts on a file for JSON."""
    return {
        "file": path,
        "loaders": {
            verdict.loader.key: {
                "name": verdict.loader.name,
                "version": verdict.loader.version,
                "taken": verdict.is_taken,
                "findings": [
                    {"reason": one.reason, "mend": named(one.mend, path), "refused": one.is_refusal}
                    for one in verdict.findings
                ],
            }
            for verdict in verdicts
        },
    }


def format_verdicts(path: str, verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts on a file as text: who takes it, then each reason with the loaders that give it."""
    lines = [path]
    taken = [verdict.loader.name for verdict in verdicts if verdict.is_taken]
    unknown = [verdict.loader.name for verdict in verdicts if verdict.is_taken is None]
    if taken:
        lines.append(_row("taken by", ", ".join(taken)))
    if unknown:
        lines.append(_row("not known", f"{', '.join(unknown)}: the file holds what is not looked at here"))
    for word, is_refusal in (("refused by", True), ("note of", False)):
        for (reason, mend), names in _reasons(verdicts, is_refusal).items():
            lines += [_row(word, f"{', '.join(names)}: {reason}"), _row("", f"to mend it: {named(mend, path)}")]
    return "\n".join(lines)


def one_line(verdicts: Sequence[Verdict]) -> str:
    """Return who refuses a file, without reasons."""
    refused = [verdict.loader.name for verdict in verdicts if verdict.is_taken is False]
    if not refused:
        return "every loader takes it"
    return f"refused by {', '.join(refused)}"


def named(mend: str, path: str) -> str:
    """Return an advice with the file's name in it, and a name for the new file beside it, as a shell takes them."""
    names = {"FILE": shlex.quote(path), "NEW.tflite": shlex.quote(f"{path.removesuffix('.tflite')}-mended.tflite")}
    return " ".join(names.get(word, word) for word in mend.split(" "))


def _reasons(verdicts: Sequence[Verdict], is_refusal: bool) -> dict[tuple[str, str], list[str]]:
    """The names of the loaders by reason and advice: of refusals what each says first, of the rest all."""
    found: dict[tuple[str, str], list[str]] = {}
    for verdict in verdicts:
        told = [one for one in verdict.findings if one.is_refusal is is_refusal]
        for one in told[:1] if is_refusal else told:
            found.setdefault((one.reason, one.mend), []).append(verdict.loader.name)
    return found


def _row(word: str, text: str) -> str:
    return f"  {word:<{_WIDTH}} {text}"

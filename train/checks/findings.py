"""What `earproof data check` says about a data set: one finding a fault, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LEVELS = ("error", "warning", "note")
MOST_SHOWN = 5  # clips of a finding on the screen; --json has all


@dataclass(frozen=True)
class Finding:
    """One fault.

    Attributes
    ----------
    level : str
        error: what is trained and tested on this cannot be believed; warning: look at it; note: good to know.
    kind : str
        A short name that stays the same from version to version.
    text : str
        For people, in one sentence.
    clips : tuple of str
        What it is about, one text a clip or pair.
    most_shown : int
        Of these on the screen.
    """

    level: str
    kind: str
    text: str
    clips: tuple[str, ...] = ()
    most_shown: int = MOST_SHOWN

    def as_dict(self) -> dict[str, Any]:
        """Return the finding for JSON."""
        return {name: value for name, value in vars(self).items() if name != "most_shown"}

    def describe(self) -> str:
        """Return the finding as lines of text."""
        lines = [f"{self.level}: {self.text} [{self.kind}]", *(f"    {clip}" for clip in self.clips[: self.most_shown])]
        if len(self.clips) > self.most_shown:
            lines.append(f"    and {len(self.clips) - self.most_shown} more")
        return "\n".join(lines)


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings by level, in their order within a level."""
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))

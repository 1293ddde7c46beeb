"""A verdict in words: sentences that say what their numbers say, in whatever order these are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from convert.report.test_side import Shortage
from metadata.plural import counted
from metadata.signed import signed
from train.recordings.split import MIN_TEST_GROUPS

if TYPE_CHECKING:
    from convert.report.verdict import Difference, Verdict

_LEAST_POINTS = 0.05  # what is less is shown as 0.0
_MAYBE_SEEN = (
    "Whether the file was trained on these recordings is not known; if it was, it is better here than it will be "
    "elsewhere."
)


def verdict_lines(verdict: Verdict) -> list[str]:
    """Return a verdict as lines for people, the most important first."""
    if not verdict.file:
        return [f"**Take no file.** {' '.join(verdict.doubts)}", "Why each one failed stands below the table."]
    lines = [_head(verdict), *_near_copies(verdict), *_loaders(verdict)]
    if verdict.validated is not None:
        lines.append(verdict.validated.text)
    lines += verdict.doubts
    if verdict.missing:
        lines.append(_missing(verdict.missing))
    if verdict.short_training is not None:
        lines.append(verdict.short_training.sentence)
    if not verdict.is_unseen:
        lines.append(_MAYBE_SEEN)
    if verdict.steps:
        lines.append(steps_line(verdict.steps))
    lines.append(_chance(verdict))
    if verdict.float_loss is not None:
        lines.append(f"Against float32, on the windows that parity compared: {gain(verdict.float_loss)}.")
    if verdict.next is not None:
        lines.append(_next(verdict))
    if verdict.weakest is not None:
        lines.append(weakest_line(verdict.weakest))
    return lines


def weakest_line(weakest: Mapping[str, Any]) -> str:
    """Return which label is found least, from its `label`, `recall` and `support`."""
    if weakest["recall"] == 1.0:
        return "Every label is found in all of its windows."
    windows = counted(weakest["support"], "window")
    return f"The label found least is '{weakest['label']}': in {weakest['recall']:.1%} of its {windows}."


def steps_line(steps: Sequence[str]) -> str:
    """Return what to do next as one line."""
    return f"What to do: {' '.join(steps)}"


def gain(found: Difference) -> str:
    """Return in words by how much something is right more or less often, and whether that is sure."""
    interval = (
        "" if found.lower is None or found.upper is None else f" [{signed(found.lower, 1)}, {signed(found.upper, 1)}]"
    )
    if abs(found.points) < _LEAST_POINTS:
        return f"right as often, {abs(found.points):.1f} points apart{interval}"
    size = f"{abs(found.points):.1f} points {'more' if found.points > 0 else 'less'} often right{interval}"
    if found.lower is None or found.upper is None:
        return f"{size} (there are too few groups, or not the same windows, to say how sure that is)"
    return size if found.lower > 0.0 or found.upper < 0.0 else f"{size}, which may be chance"


def _head(verdict: Verdict) -> str:
    """Which file, and how good it is."""
    low, high = verdict.interval
    groups = counted(verdict.num_groups, "unseen group")
    if not verdict.is_unseen:
        groups = f"{counted(verdict.num_groups, 'group')} of --data"
    text = (
        f"{verdict.measure} {verdict.accuracy:.1%} [{low:.1%}, {high:.1%}] on "
        f"{counted(verdict.num_windows, 'test window')} of {groups} in all, {verdict.p50_ms:.2f} ms a window here, "
        f"{verdict.size_bytes / 1000:.0f} kB."
    )
    if verdict.take:
        return f"**Take `{verdict.file}`**: {text}"
    return f"**Take no file yet.** The best so far is `{verdict.file}`: {text}"


def _near_copies(verdict: Verdict) -> list[str]:
    """What the sides of the split share."""
    found = verdict.near_copies
    return [f"**Caution:** {found}."] if found else []


def _loaders(verdict: Verdict) -> list[str]:
    """Which loaders refuse the file, where only such files were made."""
    if not verdict.refused_by:
        return []
    return [
        f"No other kind was made: {' and '.join(verdict.refused_by)} refuse it, and the app computes the "
        f"{verdict.input} itself."
    ]


def _missing(missing: Sequence[Shortage]) -> str:
    """Which labels were tested on too few groups."""
    listed = ", ".join(f"'{one.label}' {one.num_groups}" for one in missing)
    return (
        "The test side has too few groups (speakers or sources) to judge by, at least "
        f"{MIN_TEST_GROUPS} of each label are needed. Groups by label: {listed}."
    )


def _chance(verdict: Verdict) -> str:
    """What it is worth against the best constant answer."""
    found = verdict.chance
    if found is None:
        return "There is nothing to compare it with."
    than = found.than[0].upper() + found.than[1:]
    return f"{than} would be right on {verdict.chance_share:.1%}: the file is {gain(found)}."


def _next(verdict: Verdict) -> str:
    """How it stands to the best file of the next model."""
    found = verdict.next
    assert found is not None
    return (
        f"Against the next model's `{found.than}`: {gain(found)}; that one takes {found.p50_ms:.2f} ms and "
        f"{found.size_bytes / 1000:.0f} kB."
    )

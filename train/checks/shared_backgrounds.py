"""Annotated recordings that share audio and no event: scenes on stretches of one background."""

from __future__ import annotations

from collections.abc import Sequence

from edge_runtime.segments.segment import Segment
from metadata.plural import counted
from train.annotations.annotated_index import Events
from train.checks.duplicates import Duplicate
from train.checks.findings import Finding
from train.checks.split_findings import SIDES, Side, describe_pair
from train.recordings.clip_index import ClipIndex

_SIDES: dict[str, Side] = {**SIDES, "group": lambda clip: clip.group}
_SAME_SECONDS = 0.1  # by which the times of one event differ in two recordings


def divide_pairs(
    index: ClipIndex, events: Events, pairs: Sequence[Duplicate]
) -> tuple[list[Duplicate], list[Duplicate]]:
    """Return the pairs that are copies of a recording or share an event, and those that share audio only.

    Parameters
    ----------
    index : ClipIndex
    events : mapping of str to tuple of Segment
        By the clip's path.
    pairs : sequence of Duplicate
        Of clips of the index.
    """
    copies: list[Duplicate] = []
    shared: list[Duplicate] = []
    for pair in pairs:
        ours, theirs = (events.get(index.clips[place].path, ()) for place in (pair.first, pair.second))
        is_copy = pair.exact or _share_event(ours, theirs, pair.shift_seconds)
        (copies if is_copy else shared).append(pair)
    return copies, shared


def find_shared_backgrounds(index: ClipIndex, pairs: Sequence[Duplicate]) -> list[Finding]:
    """Return what pairs that share audio only mean where they are on different sides, in different folds or groups."""
    divided = [name for name in ("split", "fold") if any(SIDES[name](clip) for clip in index.clips)]
    return [
        Finding(
            "warning",
            f"background_in_two_{name}s",
            text,
            tuple(describe_pair(index, pair, _SIDES[name]) for pair in _apart(index, pairs, name)),
        )
        for name in divided or ["group"]
        if (text := describe_shared_backgrounds(index, pairs, name))
    ]


def describe_shared_backgrounds(index: ClipIndex, pairs: Sequence[Duplicate], name: str) -> str:
    """Return how many pairs share a background in different splits, folds or groups, and why it matters; '' for none.

    Parameters
    ----------
    index : ClipIndex
    pairs : sequence of Duplicate
        Those that share audio only.
    name : str
        split, fold or group.
    """
    apart = _apart(index, pairs, name)
    if not apart:
        return ""
    count = counted(len(apart), "pair of recordings", "pairs of recordings")
    where = "on different sides of the split" if name == "split" else f"in different {name}s"
    return (
        f"{count} {where} share audio but no event: a common "
        f"background{_sources(index, apart)}; no label leaks, but scores on a background that was trained on promise "
        "too much for a new place"
    )


def _apart(index: ClipIndex, pairs: Sequence[Duplicate], name: str) -> list[Duplicate]:
    """The pairs whose two clips are on different sides."""
    side = _SIDES[name]
    return [pair for pair in pairs if side(index.clips[pair.first]) != side(index.clips[pair.second])]


def _share_event(one: Sequence[Segment], other: Sequence[Segment], shift: float) -> bool:
    """Whether an event lies in both where their audio is the same, `shift` seconds later in the other."""
    return any(
        ours.label == theirs.label
        and abs(ours.onset + shift - theirs.onset) <= _SAME_SECONDS
        and abs(ours.offset + shift - theirs.offset) <= _SAME_SECONDS
        for ours in one
        for theirs in other
    )


def _sources(index: ClipIndex, pairs: Sequence[Duplicate]) -> str:
    """The sources that both of a pair are said to have, as text."""
    clips = [(index.clips[pair.first], index.clips[pair.second]) for pair in pairs]
    named = sorted({one.source for one, other in clips if one.source and one.source == other.source})
    return f" ({', '.join(named[:3])}{', ...' * (len(named) > 3)}, as meta.csv says)" if named else ""

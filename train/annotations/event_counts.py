"""How many recordings, groups, events and seconds there are of each label, on each side or in each fold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge_runtime.tables import align
from metadata.plural import counted
from train.recordings.clip import SPLITS, Clip
from train.recordings.clip_counts import TOTAL
from train.recordings.clip_index import ClipIndex

NO_EVENT = "(no event)"
_COUNTED = ("clips", "groups", "events", "event_seconds")


def clips_by_side(index: ClipIndex) -> dict[str, list[Clip]]:
    """Return the clips of each side of the split, else those of each fold; nothing where there is neither."""
    if any(clip.split for clip in index.clips):
        of_side = {side or "undrawn": [clip for clip in index.clips if clip.split == side] for side in (*SPLITS, "")}
    else:
        folds = sorted({clip.fold for clip in index.clips if clip.fold}, key=lambda fold: (len(fold), fold))
        of_side = {f"fold {fold}": [clip for clip in index.clips if clip.fold == fold] for fold in folds}
    return {side: clips for side, clips in of_side.items() if clips}


def count_events(index: ClipIndex) -> list[dict[str, Any]]:
    """Return clips, groups, events and their seconds, in all and by side; one row a label, one for all.

    Parameters
    ----------
    index : ClipIndex
        With events. Clips without any have a row of their own.
    """
    is_empty = any(not clip.labels for clip in index.clips)
    sides = clips_by_side(index)
    rows = []
    for label in (*index.labels, *((NO_EVENT,) if is_empty else ()), TOTAL):
        row: dict[str, Any] = {"label": label, **_count(index, index.clips, label)}
        for side, clips in sides.items():
            row |= {f"{_prefix(side)}{name}": count for name, count in _count(index, clips, label).items()}
        rows.append(row)
    return rows


def event_table(rows: Sequence[dict[str, Any]], sides: Sequence[str]) -> str:
    """Return the rows of `count_events` as aligned columns, with those of the sides."""
    header = ["label", "clips / groups / events / seconds", *sides]
    return "\n".join(align([tuple(header), *(_cells(row, sides) for row in rows)]))


def told_events(row: dict[str, Any], sides: Sequence[str]) -> str:
    """Return events and seconds of a row of `count_events` as text."""
    by_side = "; ".join(f"{side}: {_events(row, side)}" for side in sides)
    return f"{row['label']}: {_events(row, '')}{by_side and f' ({by_side})'}"


def _events(row: dict[str, Any], side: str) -> str:
    """Events and seconds of one side."""
    count = counted(row[_prefix(side) + "events"], "event")
    return f"{count}, {row[_prefix(side) + 'event_seconds']:.1f} s"


def _cells(row: dict[str, Any], sides: Sequence[str]) -> tuple[str, ...]:
    """A row as text."""
    return row["label"], *(" / ".join(f"{row[_prefix(side) + name]:g}" for name in _COUNTED) for side in ("", *sides))


def _prefix(side: str) -> str:
    """What the columns of a side begin with."""
    return f"{side}_".replace(" ", "_") if side else ""


def _count(index: ClipIndex, clips: Sequence[Clip], label: str) -> dict[str, Any]:
    """What some clips hold of a label."""
    held = [clip for clip in clips if label in (*clip.labels, TOTAL) or (label == NO_EVENT and not clip.labels)]
    found = [one for clip in held for one in (index.events or {}).get(clip.path, ()) if label in (one.label, TOTAL)]
    groups = {group for clip in held for group in clip.groups}
    seconds = round(sum(one.duration for one in found), 1)
    return dict(zip(_COUNTED, (len(held), len(groups), len(found), seconds), strict=True))

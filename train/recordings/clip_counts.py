"""How many clips, groups and seconds there are of each label, on each side of the split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from edge_runtime.tables import align
from metadata.plural import counted
from train.recordings.clip import SPLITS, Clip
from train.recordings.clip_index import ClipIndex

TOTAL = "all"
NO_LABEL = "none"


def count_clips(index: ClipIndex, seconds: Sequence[float]) -> list[dict[str, Any]]:
    """Return clips, groups and seconds, one row a label and one for all, in all and by side.

    Parameters
    ----------
    index : ClipIndex
        A clip with several labels counts under each of them.
    seconds : sequence of float
        Length of each clip.
    """
    sides = [side for side in (*SPLITS, "") if any(clip.split == side for clip in index.clips)]
    timed = list(zip(index.clips, seconds, strict=True))
    rows = []
    for label in (*index.labels, TOTAL):
        held = [(clip, length) for clip, length in timed if label == TOTAL or label in clip.labels]
        row: dict[str, Any] = {"label": label, **_count(held, "")}
        if sides != [""]:
            for side in sides:
                row |= _count([(clip, length) for clip, length in held if clip.split == side], f"{side or 'undrawn'}_")
        rows.append(row)
    return rows


def counts_table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows as aligned columns: clips / groups / minutes."""
    prefixes = [str(name).removesuffix("clips") for name in rows[0] if str(name).endswith("clips")]
    header = ["label", *((prefix.rstrip("_") or "clips / groups / minutes") for prefix in prefixes)]
    cells = [
        (
            str(row["label"]),
            *(f"{row[p + 'clips']} / {row[p + 'groups']} / {row[p + 'seconds'] / 60:.1f}" for p in prefixes),
        )
        for row in rows
    ]
    return "\n".join(align([tuple(header), *cells]))


def count_notes(clips: Sequence[Clip], num_unread: int) -> list[str]:
    """Return why the counts may differ from other numbers of files and clips, a line each.

    Parameters
    ----------
    clips : sequence of Clip
        Those counted.
    num_unread : int
        Recordings whose header cannot be read.
    """
    several = sum(len(clip.labels) > 1 for clip in clips)
    unread = f"{len(clips)} of {counted(len(clips) + num_unread, 'recording')} counted, {num_unread} not readable; "
    notes = [
        f"{unread if num_unread else ''}counted by the files' headers: `earproof data check`, build and train read all "
        "of a file, and leave out what is broken further on"
    ]
    if several:
        which = counted(several, "clip has several labels and counts", "clips have several labels and count")
        notes.append(f"{which} under each of them, but once under {TOTAL}")
    return notes


def taught_notes(taught: Sequence[Clip]) -> list[str]:
    """Return how many recordings have a teacher's labels, and which; nothing where there are none.

    Parameters
    ----------
    taught : sequence of Clip
        Of an index. Its counts are without them.
    """
    if not taught:
        return []
    labels = Counter(label for clip in taught for label in clip.labels or (NO_LABEL,))
    which = ", ".join(f"{label} {count}" for label, count in sorted(labels.items()))
    return [
        f"a teacher labelled {counted(len(taught), 'recording')} to train on ({which}), and no person did: in no other "
        "count, and no truth to judge by"
    ]


def _count(held: Sequence[tuple[Clip, float]], prefix: str) -> dict[str, Any]:
    """Clips, groups and seconds of some clips."""
    return {
        f"{prefix}clips": len(held),
        f"{prefix}groups": len({group for clip, _ in held for group in clip.groups}),
        f"{prefix}seconds": round(sum(length for _, length in held), 2),
    }

"""What a build tells of its recordings: what they were read from, what was assumed, and what lies there unused."""

from __future__ import annotations

from collections import Counter
from typing import Any

from train.recordings.clip_counts import taught_notes
from train.recordings.left_out import Reason, count_left_out, describe_reason
from train.recordings.store.clip_store import LoadedClips

MOST_NAMED = 20  # files of a reason; `earproof data list --json` names all
_MOST_SHOWN = 3


def describe_data(clips: LoadedClips) -> dict[str, Any]:
    """Return for JSON where the recordings come from, their licences, what was assumed, what is not read or cannot be.

    Recordings with labels of a teacher are told apart: "clips" and "licences" are without them. "licences" has the
    number of recordings by licence, that of those without one by the empty text.
    """
    return {
        "source": clips.index.source,
        "clips": len(clips.index.clips),
        "licences": dict(Counter(clip.licence for clip in clips.index.clips).most_common()),
        "notes": list(clips.index.notes),
        "unreadable": list(clips.skipped),
        "not_read": count_left_out(clips.index.left_out, MOST_NAMED),
        **({"taught": taught_notes(clips.index.taught)} if clips.index.taught else {}),
    }


def data_notes(data: dict[str, Any] | None) -> list[str]:
    """Return the same as lines for people; none where a report is of no build."""
    if data is None:
        return []
    lines = [*data["notes"], *data.get("taught", ())]
    for kind, found in data["not_read"].items():
        lines.append(describe_reason(Reason(kind, found["reason"]), found["paths"], found["count"]))
    if data["unreadable"]:
        lines.append(f"unreadable, {len(data['unreadable'])}: {'; '.join(data['unreadable'][:_MOST_SHOWN])}")
    return [f"Data: {line}." for line in lines]

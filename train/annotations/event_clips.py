"""Clips of one label each, cut from annotated recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edge_runtime.segments.segment import Segment
from train.recordings.clip_index import ClipIndex
from train.recordings.store.clip_store import LoadedClips


def events_alone(index: ClipIndex) -> ClipIndex:
    """Return an index with those events in which no other label sounds; the labels of each clip are theirs.

    Raises
    ------
    ValueError
        No event is alone.
    """
    events = {
        path: tuple(event for event in found if _is_alone(event, found)) for path, found in (index.events or {}).items()
    }
    if not any(events.values()):
        raise ValueError(f"in every event of {index.root} another label sounds; expected some that sound alone")
    heard = {path: {event.label for event in found} for path, found in events.items()}
    clips = [replace(clip, labels=tuple(one for one in clip.labels if one in heard[clip.path])) for clip in index.clips]
    return replace(index, clips=tuple(clips), events=events)


def cut_events(clips: LoadedClips, sample_rate: int) -> LoadedClips:
    """Return every event as a clip of its own, with the path, group, side and fold of the recording.

    Parameters
    ----------
    clips : LoadedClips
        With events, each of which sounds alone.
    sample_rate : int
        Hz of the waveforms.
    """
    cut, waveforms, digests = [], [], []
    for clip, waveform, digest in zip(clips.index.clips, clips.waveforms, clips.digests, strict=True):
        for event in (clips.events or {}).get(clip.path, ()):
            first, last = (round(time * sample_rate) for time in (event.onset, event.offset))
            times = {"start_s": f"{event.onset:.6f}", "end_s": f"{event.offset:.6f}"}
            cut.append(replace(clip, labels=(event.label,), original=clip.path, **times))
            waveforms.append(waveform[first:last])
            digests.append(f"{digest} {first}:{last}")
    index = replace(clips.index, clips=tuple(cut), events=None)
    return replace(clips, index=index, waveforms=waveforms, digests=digests, events=None)


def _is_alone(event: Segment, events: Sequence[Segment]) -> bool:
    """Whether no other label sounds during an event."""
    return not any(
        other.label != event.label and other.onset < event.offset and event.onset < other.offset for other in events
    )

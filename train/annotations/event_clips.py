"""Clips of one label each, cut from annotated recordings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edge_runtime.segments.segment import Segment
from train.recordings.clip_index import ClipIndex
from train.recordings.store.clip_store import LoadedClips

LEAST_SECONDS = 0.5  # of a stretch that is cut out of a longer event
_STEP_SECONDS = 1e-6  # to which times are written


def events_alone(index: ClipIndex) -> ClipIndex:
    """Return an index with the longest stretch of each event in which no other label sounds.

    Events without such a stretch of half a second are left out. The labels of each clip are those of its stretches.

    Raises
    ------
    ValueError
        No event sounds alone for so long.
    """
    events = {
        path: tuple(part for event in found if (part := _alone(event, found)))
        for path, found in (index.events or {}).items()
    }
    if not any(events.values()):
        raise ValueError(
            f"in every event of {index.root} another label sounds; expected {LEAST_SECONDS} s of some alone"
        )
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
    return replace(clips, index=index, waveforms=waveforms, digests=digests)


def _alone(event: Segment, events: Sequence[Segment]) -> Segment | None:
    """The longest stretch of an event in which no other label sounds, None where it is too short."""
    first, best = event.onset, (0.0, event.onset)
    others = sorted((other.onset, other.offset) for other in events if other.label != event.label)
    for onset, offset in [*others, (event.offset, event.offset)]:
        best = max(best, (min(onset, event.offset) - first, first))
        first = max(first, offset)
    seconds, onset = best
    is_enough = seconds >= min(LEAST_SECONDS, event.duration) - _STEP_SECONDS
    return replace(event, onset=onset, offset=onset + seconds) if is_enough else None

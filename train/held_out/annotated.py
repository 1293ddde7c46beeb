"""Predictions files judged on annotated recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from edge_runtime.segments.read_segments import read_segments
from edge_runtime.segments.segment import Segment
from metadata.plural import counted
from train.annotations.annotated_index import annotated_index
from train.annotations.frame_targets import merged
from train.data.prepare import tell_assumptions
from train.event_scores.event_report import judge_systems
from train.event_scores.measured import EventMeasuring
from train.progress import note
from train.recordings.decoding.decode import duration
from train.recordings.joined_groups import group_rows
from train.recordings.split import fold_called


def judge_predictions(
    paths: Sequence[Path],
    data: Path,
    measuring: EventMeasuring,
    side: str = "test",
    test_fold: str | None = None,
    unit: str = "seconds",
) -> dict[str, Any]:
    """Return the report on predictions files, in the order of the paths, for JSON.

    Parameters
    ----------
    paths : sequence of Path
        Any form of `edge_runtime.segments.read_segments`.
    data : Path
        A folder of annotated recordings.
    measuring : EventMeasuring
    side : str
        Of the recordings' own split; all where they have none.
    test_fold : str, optional
        Judge the recordings of this fold.
    unit : str
        Of the annotations, as for `annotated_index`.

    Raises
    ------
    FileNotFoundError, ValueError
        As for `annotated_index` and `read_segments`, no recording on the side, or predictions of none of them.
    """
    annotated = annotated_index(data, unit=unit)
    tell_assumptions(annotated)
    events = annotated.events or {}
    clips = annotated.clips
    if test_fold is not None:
        fold = fold_called(test_fold, sorted({clip.fold for clip in clips if clip.fold}))
        clips = tuple(clip for clip in clips if clip.fold == fold)
    elif side != "all" and any(clip.split for clip in clips):
        clips = tuple(clip for clip in clips if clip.split == side)
    else:
        note(f"{data}: all {counted(len(clips), 'recording')}; --test-fold chooses those of one fold")
    if not clips:
        raise ValueError(f"{data} has no recording on the {side} side; expected --side or --test-fold with some")
    reference = {clip.path: events[clip.path] for clip in clips}
    known = [clip.path for clip in annotated.clips]
    systems = {str(path): _of_recordings(path, reference, known) for path in paths}
    seconds = {name: duration(annotated.root / name) for name in reference}
    return judge_systems(reference, systems, group_rows(clips), measuring, seconds)


def _of_recordings(path: Path, reference: Mapping[str, Any], known: Sequence[str]) -> dict[str, tuple[Segment, ...]]:
    """The predictions of the recordings that are judged, by their paths; what is not judged is told."""
    found: dict[str, tuple[Segment, ...]] = {}
    strange = []
    for name, segments in read_segments(path).items():
        places = [one for one in known if one == name] or [one for one in known if _same_file(one, name)]
        if len(places) == 1:
            found[places[0]] = segments
        else:
            strange.append(name)
    judged = {name: merged(segments) for name, segments in found.items() if name in reference}
    if not judged:
        raise ValueError(f"{path} has predictions of none of the recordings, such as {next(iter(reference))}")
    lacking = len(reference) - len(judged)
    if lacking:
        note(f"{path}: {counted(lacking, 'recording has', 'recordings have')} no predictions: nothing was found there")
    joined = sum(len(found[name]) - len(segments) for name, segments in judged.items())
    if joined:
        note(
            f"{path}: {counted(joined, 'event was', 'events were')} joined with another one of the same label that it "
            "overlaps or touches, as the annotations are"
        )
    if strange:
        note(f"{path}: left out {counted(len(strange), 'recording')} that the data do not have, first {strange[0]}")
    return judged


def _same_file(path: str, name: str) -> bool:
    """Whether a name without folder or suffix stands for a recording."""
    return PurePosixPath(name).name in (PurePosixPath(path).name, PurePosixPath(path).stem)

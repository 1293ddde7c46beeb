"""Models judged by the events that they find in annotated recordings, all on the same ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.segments.detecting import Detecting, no_frame_thresholds
from edge_runtime.segments.score_grid import ScoreGrid
from edge_runtime.segments.score_stream import ScoreRows, score_rows
from edge_runtime.segments.segment import Segment
from edge_runtime.tables import short_names
from metadata.plural import counted
from train.annotations.annotated_index import annotated_index
from train.data.prepare import load_with_progress, tell_assumptions
from train.evaluation.detector import Detector, compared_scores, file_detector, model_detector, scored_text
from train.event_scores.event_report import judge_systems
from train.event_scores.measured import EventMeasuring
from train.fitting.finished_run import FinishedRun
from train.held_out.labelled import ALL_SIDES, HeldOut, check_unheard, on_sides, open_held_run
from train.progress import note, progress_bar
from train.recordings.clip_index import ClipIndex
from train.recordings.joined_groups import group_rows
from train.recordings.store.clip_store import LoadedClips


def judge_detectors(
    paths: Sequence[Path], held: HeldOut, measuring: EventMeasuring, detecting: Detecting, num_threads: int = 1
) -> dict[str, Any]:
    """Return the report on models, in the order of the paths, for JSON.

    Parameters
    ----------
    paths : sequence of Path
        `.tflite` files, and folders of finished trainings on annotated recordings. Where there is a training, its
        recordings and sides count for all.
    held : HeldOut
        Of annotated recordings.
    measuring : EventMeasuring
    detecting : Detecting
    num_threads : int
        Of the interpreters.

    Raises
    ------
    FileNotFoundError
        No such file, or no finished training.
    ValueError
        The data are not those of a training, have no event of a model's label, or may have been trained on; models
        of different labels.
    """
    runs = {path: open_held_run(path, held) for path in paths if path.is_dir()}
    detectors = [
        model_detector(path, runs[path].spec, runs[path].model) if path in runs else file_detector(path, num_threads)
        for path in paths
    ]
    index = _index(held, list(runs.values()), detectors)
    loaded = {run.spec.sample_rate: run.clips for run in runs.values()}
    for rate in {one.spec.sample_rate for one in detectors} - set(loaded):
        loaded[rate] = load_with_progress(index, rate, held.cache, None)
    if held.side != ALL_SIDES:
        for one in detectors:
            if one.path not in runs:
                check_unheard(one.path, one.spec, loaded[one.spec.sample_rate], held.side)
    return _judged(detectors, loaded, held, measuring, detecting)


def detector_lines(report: dict[str, Any]) -> list[str]:
    """Return what the scores of each model stand for, for people."""
    short = short_names([one["name"] for one in report["systems"]])
    return [f"{short[one['name']]} {one['scored']}" for one in report["systems"]]


def _index(held: HeldOut, runs: Sequence[FinishedRun], detectors: Sequence[Detector]) -> ClipIndex:
    """The recordings on their sides: those of the trainings, else those of the data with the labels of the models."""
    if runs:
        plain = [run for run in runs if run.clips.events is None]
        if plain:
            raise ValueError(
                f"{plain[0].folder} was trained on recordings without annotations, and {held.data} has some; give its "
                ".tflite files, which are judged on other recordings too"
            )
        others = [run for run in runs if run.clips.data_sha256() != runs[0].clips.data_sha256()]
        others += [run for run in runs if run.clips.split_sha256() != runs[0].clips.split_sha256()]
        if others:
            raise ValueError(
                f"{others[0].folder} was trained on other recordings or another split than {runs[0].folder}; judge "
                "them one after the other"
            )
        _check_labels(detectors, runs[0].clips.index, str(held.data))
        return runs[0].clips.index
    index = annotated_index(held.data, unit=held.unit)
    tell_assumptions(index)
    _check_labels(detectors, index, str(held.data))
    more = [label for label in index.labels if label not in detectors[0].spec.labels]
    if more:
        note(f"{held.data} has {', '.join(more)} too, which the models do not find; not judged")
    index = on_sides(index.only(detectors[0].spec.labels), held)
    if held.side != ALL_SIDES:
        side = index.with_clips(index.of_split(held.side))
        _check_labels(detectors, side, f"the {held.side} side of {held.data}")
    return index


def _check_labels(detectors: Sequence[Detector], index: ClipIndex, data: str) -> None:
    """Refuse models whose labels are not annotated, or not the same."""
    present = sorted({label for clip in index.clips for label in clip.labels})
    for one in detectors:
        lacking = [label for label in one.spec.labels if label not in present]
        if lacking:
            raise ValueError(
                f"{data} has no event of {', '.join(lacking)}: {one.path} finds {', '.join(one.spec.labels)}, and "
                f"there {'are' if len(present) > 1 else 'is'} {', '.join(present) or 'none'}; expected data with all "
                "labels of the model"
            )
        if set(one.spec.labels) != set(detectors[0].spec.labels):
            raise ValueError(
                f"{one.path} finds {', '.join(one.spec.labels)} and {detectors[0].path} "
                f"{', '.join(detectors[0].spec.labels)}; expected models of the same labels"
            )


def _judged(
    detectors: Sequence[Detector],
    loaded: dict[int, LoadedClips],
    held: HeldOut,
    measuring: EventMeasuring,
    detecting: Detecting,
) -> dict[str, Any]:
    """The report on the recordings of the side."""
    sides = {rate: _of_side(clips, held.side) for rate, clips in loaded.items()}
    judged = sides[detectors[0].spec.sample_rate]
    reference = _reference(judged, detectors[0].spec.labels)
    seconds: dict[str, float] = {}
    systems, grids, scored = {}, {}, {}
    rows_of = [score_rows(one.spec, detecting.hop_seconds) for one in detectors]
    for text in dict.fromkeys(rows.rounded for rows in rows_of if rows.rounded):  # once for files of one network
        note(text)
    for one, rows in zip(detectors, rows_of, strict=True):
        spec, name, clips = one.spec, str(one.path), sides[one.spec.sample_rate]
        _tell(one, clips)
        found = _scores(one, rows, clips)
        seconds |= {path: waveform.size / spec.sample_rate for path, waveform in _waveforms(clips)}
        systems[name] = {path: detecting.segments(spec, grid, seconds[path]) for path, grid in found.items()}
        grids[name] = {path: compared_scores(grid, seconds[path], spec, detecting) for path, grid in found.items()}
        scored[name] = {"model": spec.name, "recipe": spec.recipe, "scored": scored_text(rows)}
    report = judge_systems(reference, systems, group_rows(judged.index.clips), measuring, seconds, grids)
    report["systems"] = [document | scored[document["name"]] for document in report["systems"]]
    return {"data": str(held.data), "side": held.side, **report}


def _reference(judged: LoadedClips, labels: Sequence[str]) -> dict[str, tuple[Segment, ...]]:
    """The annotated events of these labels in each recording."""
    events = judged.events or {}
    return {
        clip.path: tuple(one for one in events.get(clip.path, ()) if one.label in labels) for clip in judged.index.clips
    }


def _of_side(clips: LoadedClips, side: str) -> LoadedClips:
    """The recordings of a side."""
    places = list(range(len(clips.index.clips))) if side == ALL_SIDES else clips.places(side)
    if not places:
        raise ValueError(f"no recording is on the {side} side; expected --side or --test-fold with some")
    return clips.chosen(places)


def _waveforms(clips: LoadedClips) -> Iterator[tuple[str, Any]]:
    """Path and waveform of each recording."""
    yield from zip((clip.path for clip in clips.index.clips), clips.waveforms, strict=True)


def _scores(one: Detector, rows: ScoreRows, clips: LoadedClips) -> dict[str, ScoreGrid]:
    """The scores of each recording, under a progress bar."""
    found = {}
    with progress_bar(len(clips.waveforms), one.path.name, "recording") as bar:
        for place, waveform in _waveforms(clips):
            found[place] = one.grid(np.asarray(waveform[:]), rows)
            bar.update(1)
    return found


def _tell(one: Detector, clips: LoadedClips) -> None:
    """Tell what was padded and assumed."""
    spec = one.spec
    short = sum(waveform.size < spec.window_length for waveform in clips.waveforms)
    if short:
        are = counted(short, "recording is", "recordings are")
        note(f"{one.path}: {are} shorter than the window of {spec.window_seconds:g} s; padded with zeros")
    if spec.frames is not None and not spec.frames.thresholds:
        note(f"{one.path}: {no_frame_thresholds(spec)}")

"""The events that a trained model finds on the test side, judged against the annotations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.segments.detecting import Detecting
from edge_runtime.segments.score_stream import score_rows
from metadata.spec import ModelSpec
from train.evaluation.detector import compared_scores, model_detector
from train.event_scores.event_report import judge_systems
from train.event_scores.measured import EventMeasuring
from train.recordings.joined_groups import group_rows
from train.recordings.store.clip_store import LoadedClips


def judge_events(model: Any, clips: LoadedClips, spec: ModelSpec) -> dict[str, Any]:
    """Return segment-based and event-based measures and PSDS with their intervals, for JSON.

    They are those of `earproof evaluate` on the run, without further options.

    Parameters
    ----------
    model : keras.Model
        With frame scores.
    clips : LoadedClips
        With events, at the model's sample rate.
    spec : ModelSpec
        Of which the frame scores and their thresholds count.
    """
    detector, rows, detecting = model_detector(Path(spec.name), spec, model), score_rows(spec), Detecting()
    judged = clips.chosen(clips.places("test"))
    seconds, found, compared = {}, {}, {}
    for clip, waveform in zip(judged.index.clips, judged.waveforms, strict=True):
        seconds[clip.path] = waveform.size / spec.sample_rate
        grid = detector.grid(np.asarray(waveform[:]), rows)
        found[clip.path] = detecting.segments(spec, grid, seconds[clip.path])
        compared[clip.path] = compared_scores(grid, seconds[clip.path], spec, detecting)
    reference = dict(zip(seconds, judged.events_at(range(len(seconds))), strict=True))
    groups = group_rows(judged.index.clips)
    return judge_systems(reference, {spec.name: found}, groups, EventMeasuring(), seconds, {spec.name: compared})

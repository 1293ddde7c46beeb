"""The events that a trained model finds on one side of the split, judged against the annotations."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_runtime.segments.score_grid import ScoreGrid, segments_of
from metadata.spec import ModelSpec
from train.evaluation.evaluate import TestWindows
from train.evaluation.predict import predict_outputs
from train.event_scores.event_report import judge_systems
from train.event_scores.measured import EventMeasuring
from train.recordings.store.clip_store import LoadedClips


def judge_events(model: Any, clips: LoadedClips, cut: TestWindows, spec: ModelSpec) -> dict[str, Any]:
    """Return segment-based and event-based measures and PSDS with their intervals, for JSON.

    Parameters
    ----------
    model : keras.Model
        With frame scores.
    clips : LoadedClips
        With events.
    cut : TestWindows
        Windows of `SoundEvents.held_out`, which lie one after the other in each recording.
    spec : ModelSpec
        Of which the frame scores and their thresholds count.

    Raises
    ------
    ValueError
        A model without frame scores, or recordings without annotations.
    """
    if spec.frames is None or clips.events is None:
        raise ValueError("a model without frame scores, or recordings without annotations, cannot be judged by events")
    rate, hop = spec.sample_rate, spec.frames.hop_length / spec.sample_rate
    shape = len(cut.windows), spec.frames.num_frames, len(spec.labels)
    frames = predict_outputs(model, cut.windows)[1].reshape(shape)
    grids, seconds, groups = {}, {}, []
    for place in dict.fromkeys(cut.clips.tolist()):
        path, size = clips.index.clips[place].path, clips.waveforms[place].size
        kept = np.concatenate(frames[cut.clips == place])[: -(-size // spec.frames.hop_length)]
        grids[path], seconds[path] = ScoreGrid(hop_seconds=hop, labels=spec.labels, scores=kept), size / rate
        groups.append(cut.groups[cut.clips == place][0])
    found = {path: segments_of(grid, spec.frame_thresholds) for path, grid in grids.items()}
    reference = {path: clips.events.get(path, ()) for path in grids}
    return judge_systems(reference, {spec.name: found}, groups, EventMeasuring(), seconds, {spec.name: grids})

"""Measure cases with sed_eval, sed_scores_eval, pyannote.metrics and mir_eval; runs in an environment that has them.

    python score_with_references.py CASES.json OUT.json

A case holds recordings with annotated and found segments, and with frame scores. See `benchmarks/event_references.py`.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

MEASURES = {"precision": "f_measure", "recall": "f_measure", "f_measure": "f_measure", "error_rate": "error_rate"}
SCENARIOS = {
    "psds1": {"dtc_threshold": 0.7, "gtc_threshold": 0.7, "alpha_st": 1.0},
    "psds2": {"dtc_threshold": 0.1, "gtc_threshold": 0.1, "cttc_threshold": 0.3, "alpha_ct": 0.5, "alpha_st": 1.0},
}


def main() -> None:
    """Measure every case and write what came out."""
    warnings.simplefilter("ignore")
    cases = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    results = [
        {**_sed_eval(case), **_psds(case), "time_error_rate": _pyannote(case), "border_medians": _mir_eval(case)}
        for case in cases
    ]
    Path(sys.argv[2]).write_text(json.dumps(results), encoding="utf-8")


def _sed_eval(case: dict[str, Any]) -> dict[str, Any]:
    """Segment-based and event-based measures: by label, micro, macro."""
    import sed_eval

    labels = case["labels"]
    judges = {
        "segment": sed_eval.sound_event.SegmentBasedMetrics(labels, time_resolution=1.0),
        "event": sed_eval.sound_event.EventBasedMetrics(labels, t_collar=0.2, percentage_of_length=0.2),
    }
    for judge in judges.values():
        judge.empty_system_output_handling = "zero_score"  # the segment-based one takes it as no argument
    for name, recording in case["recordings"].items():
        for judge in judges.values():
            judge.evaluate(_dicts(recording["reference"], name), _dicts(recording["estimated"], name))
    return {kind: _measures(judge, labels) for kind, judge in judges.items()}


def _measures(judge: Any, labels: list[str]) -> dict[str, list[float]]:
    """Each measure by label, micro and macro."""
    by_label = judge.results_class_wise_metrics()
    rows = [by_label[label] for label in labels]
    rows += [judge.results_overall_metrics(), judge.results_class_wise_average_metrics()]
    return {name: [float(row[group][name]) for row in rows] for name, group in MEASURES.items()}


def _dicts(segments: list[Any], name: str) -> Any:
    """Segments as sed_eval takes them."""
    import dcase_util

    keys = ("event_onset", "event_offset", "event_label")
    return dcase_util.containers.MetaDataContainer(
        [{**dict(zip(keys, one, strict=True)), "filename": name} for one in segments]
    )


def _psds(case: dict[str, Any]) -> dict[str, float]:
    """PSDS of both scenarios from frame scores."""
    from sed_scores_eval import intersection_based
    from sed_scores_eval.base_modules.scores import create_score_dataframe

    hop = case["hop_seconds"]
    scores, truth, durations = {}, {}, {}
    for name, recording in case["recordings"].items():
        frames = np.array(recording["hundredths"]) / 100
        times = np.arange(len(frames) + 1) * hop
        scores[name] = create_score_dataframe(frames, times, case["labels"])
        truth[name] = [tuple(one) for one in recording["reference"]]
        durations[name] = recording["psds_seconds"]
    return {
        name: float(intersection_based.psds(scores, truth, durations, **scenario)[0])
        for name, scenario in SCENARIOS.items()
    }


def _pyannote(case: dict[str, Any]) -> float:
    """The identification error rate of all recordings together."""
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.identification import IdentificationErrorRate

    judge = IdentificationErrorRate()
    for recording in case["recordings"].values():
        both = []
        for kind in ("reference", "estimated"):
            annotation = Annotation()
            for place, (onset, offset, label) in enumerate(recording[kind]):
                annotation[Segment(onset, offset), place] = label
            both.append(annotation)
        judge(*both, uem=Timeline([Segment(0.0, 2 * recording["seconds"])]))  # found events may end after the recording
    return float(abs(judge))


def _mir_eval(case: dict[str, Any]) -> list[float]:
    """The median distance of each true border of a recording to the nearest found one, whatever the change."""
    import mir_eval

    medians = []
    for recording in case["recordings"].values():
        cuts = [_intervals(recording[kind], recording["seconds"]) for kind in ("one_change", "one_change_found")]
        medians.append(float(mir_eval.segment.deviation(*cuts, trim=True)[0]))
    return medians


def _intervals(borders: list[float], seconds: float) -> np.ndarray:
    """Borders as intervals from the beginning to the end, which mir_eval trims."""
    edges = np.array([0.0, *borders, seconds])
    return np.stack([edges[:-1], edges[1:]], axis=1)


if __name__ == "__main__":
    main()

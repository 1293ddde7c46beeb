"""From which score a label counts in a recording of many windows.

The thresholds in a file are for one window. A recording has several, each may be wrong, and under the rules `union` and
`maximum` one that is wrong is enough: so its threshold is higher, and under `mean`, where a sound is in some windows
only, lower. Here one threshold for all labels is swept over validation recordings, two held-out clips one
after the other as the published test sets of longer audio have them, and judged on test recordings.

The rule `union` finds the labels that `maximum` finds, so one of them is swept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convert.held_out.shared import points_cell, points_won, share, share_cell
from edge_runtime.audio.level import level_dbfs
from edge_runtime.audio.windows import cut_windows
from edge_runtime.model.classifier import Classifier
from edge_runtime.model.clip_merge import merge_windows
from edge_runtime.tables import markdown_table
from train.evaluation.thresholds import CommonThreshold, sweep_common_threshold
from train.mixtures.arrangement import ARRANGEMENTS, arrange, arranged_part
from train.progress import progress_bar
from train.recordings.store.clip_store import LoadedClips
from train.tasks.held_out_mixtures import held_out_mixtures

RULES = ("maximum", "mean")
RULE_NAMES = {"maximum": "union, maximum", "mean": "mean"}


@dataclass(frozen=True, eq=False)
class ArrangedScores:
    """The scores of recordings of one arrangement.

    Attributes
    ----------
    scores : np.ndarray
        float32 (n, n_windows, n_labels).
    levels_dbfs : np.ndarray
        float64 (n, n_windows).
    truth : np.ndarray
        bool (n, n_labels).
    groups : np.ndarray
        str (n, 2), those of both clips.
    """

    scores: np.ndarray
    levels_dbfs: np.ndarray
    truth: np.ndarray
    groups: np.ndarray

    def merged(self, rule: str, silence_below_dbfs: float | None) -> np.ndarray:
        """Return the scores of the recordings, float32 (n, n_labels); see `edge_runtime.model.clip_merge`."""
        thresholds = np.full(self.truth.shape[1], 0.5)  # neither rule's scores depend on them
        return np.stack(
            [
                merge_windows(scores, levels, thresholds.tolist(), rule, silence_below_dbfs).scores
                for scores, levels in zip(self.scores, self.levels_dbfs, strict=True)
            ]
        )


def score_arranged(
    classifier: Classifier, clips: LoadedClips, split: str, arrangement: str, hop: int, most: int
) -> ArrangedScores:
    """Return the scores by window of recordings of two clips of one side; which of both comes first takes turns.

    Parameters
    ----------
    classifier : Classifier
    clips : LoadedClips
        At the model's sample rate.
    split : str
    arrangement : str
        One of `train.mixtures.arrangement.ARRANGEMENTS`.
    hop : int
        Samples from one window to the next; what is left at the end is dropped.
    most : int
        Recordings, spread over all pairs of labels.

    Raises
    ------
    ValueError
        The side has no mixture of two clips of different labels, or as for `cut_windows`.
    """
    spec = classifier.spec
    pairs = held_out_mixtures(clips, split, 2, spec.window_length, most, "none")
    scores, levels = [], []
    with progress_bar(len(pairs.drawn), f"{arrangement}, {split}", "recording") as bar:
        for number, (one, other) in enumerate(pairs.drawn):
            order = (one, other) if number % 2 else (other, one)
            first, second = (arranged_part(clips.waveforms[place], arrangement, spec.sample_rate) for place in order)
            windows = cut_windows(
                arrange(first, second, arrangement, spec.sample_rate).waveform, spec.window_length, hop, "drop"
            )
            scores.append([classifier.scores(window) for window in windows])
            levels.append([level_dbfs(window) for window in windows])
            bar.update()
    return ArrangedScores(np.array(scores), np.array(levels), pairs.truth, pairs.groups)


def describe_thresholds(
    validation: Mapping[str, ArrangedScores],
    test: Mapping[str, ArrangedScores],
    thresholds: Sequence[float],
    silence_below_dbfs: float | None,
) -> dict[str, Any]:
    """Choose thresholds on validation recordings and return the report for JSON.

    Parameters
    ----------
    validation, test : mapping of str to ArrangedScores
        By arrangement.
    thresholds : sequence of float
        Of the file, one a label.
    silence_below_dbfs : float, optional
        Windows below it do not count.

    Returns
    -------
    dict
        "recordings", a row an arrangement and rule: exact match on test recordings with the thresholds of the file,
        with the one for this rule that is best for all arrangements together and with that for this arrangement alone,
        each with a 95 % interval over groups, and what the second wins over the first in points, paired. "chosen":
        "merge" and "threshold" that are best on validation recordings, "exact_match" there.
    """
    rows: list[dict[str, Any]] = []
    chosen: list[dict[str, Any]] = []
    for rule in RULES:
        merged = {name: arranged.merged(rule, silence_below_dbfs) for name, arranged in validation.items()}
        own = {name: sweep_common_threshold(merged[name], validation[name].truth) for name in validation}
        common = _sweep_together(merged, validation)
        chosen.append({"merge": rule, "threshold": common.threshold, "exact_match": common.exact_match})
        for name, arranged in test.items():
            scores = arranged.merged(rule, silence_below_dbfs)
            right = {
                "file": _right(scores, arranged.truth, thresholds),
                "common": _right(scores, arranged.truth, common.threshold),
                "own": _right(scores, arranged.truth, own[name].threshold),
            }
            rows.append(
                {
                    "arrangement": name,
                    "seconds": ARRANGEMENTS[name].length_s,
                    "num_windows": arranged.scores.shape[1],
                    "num_recordings": len(arranged.truth),
                    "merge": rule,
                    **{key: share(values, arranged.groups) for key, values in right.items()},
                    "thresholds": {"common": common.threshold, "own": own[name].threshold},
                    "difference": points_won(right["common"], right["file"], arranged.groups),
                }
            )
    best = max(chosen, key=lambda found: found["exact_match"])
    return {"recordings": sorted(rows, key=lambda row: row["seconds"]), "chosen": best}


def format_thresholds(report: Mapping[str, Any]) -> list[str]:
    """Return the report as lines of Markdown."""
    head = ["recordings", "windows", "number", "merge", "thresholds of the file", "one for all of these"]
    table = [[*head, "won (points)", "one for this length"]]
    for row in report["recordings"]:
        at = row["thresholds"]
        table.append(
            [
                f"{row['seconds']:g} s ({row['arrangement']})",
                str(row["num_windows"]),
                str(row["num_recordings"]),
                RULE_NAMES[row["merge"]],
                share_cell(row["file"]),
                f"{share_cell(row['common'])} at {at['common']:.2f}",
                points_cell(row["difference"]),
                f"{share_cell(row['own'])} at {at['own']:.2f}",
            ]
        )
    chosen = report["chosen"]
    return [
        "Exact match on test recordings, with thresholds that were chosen on validation recordings; 95 % intervals by "
        "the bootstrap over groups:",
        "",
        *markdown_table(table),
        "",
        f"Best on validation recordings of these lengths together: `{RULE_NAMES[chosen['merge']]}` from "
        f"{chosen['threshold']:.2f} on, {chosen['exact_match']:.1%} exactly right.",
    ]


def _sweep_together(merged: Mapping[str, np.ndarray], arranged: Mapping[str, ArrangedScores]) -> CommonThreshold:
    """The threshold that is best for all arrangements, each with the same weight."""
    weights = [np.full(len(scores), 1.0 / (len(merged) * len(scores))) for scores in merged.values()]
    return sweep_common_threshold(
        np.concatenate(list(merged.values())),
        np.concatenate([arranged[name].truth for name in merged]),
        np.concatenate(weights),
    )


def _right(scores: np.ndarray, truth: np.ndarray, thresholds: float | Sequence[float]) -> np.ndarray:
    """Whether the labels that reach a threshold are the true ones, bool (n,); in float32, as on a device."""
    right: np.ndarray = ((scores >= np.asarray(thresholds, np.float32)) == truth).all(axis=1)
    return right

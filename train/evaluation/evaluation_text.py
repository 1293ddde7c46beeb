"""What was judged on the test side, as text: the lines under a training, in a report, for either kind of model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from metadata.plural import counted

JUDGED = {
    "window": "windows",
    "clip_mean_score": "clips, mean score",
    "clip_majority": "clips, vote",
    "clip_union": "clips, union of windows",
}
"""What an evaluation was made of, and its name for people."""
SHARE_NAMES = {"softmax": "accuracy", "sigmoid": "exact match"}  # what the share of right decisions is called


def describe_evaluations(test: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return lines for people: one or more for each way of judging, then a line a label.

    Where every clip is one window, clips and windows share one line.

    Parameters
    ----------
    test : mapping of str to mapping
        As `train.evaluation.evaluate.evaluate_scores` names them, each evaluation by its `as_dict` (metrics.json,
        report.json).
    """
    if all(found == test["window"] for found in test.values()):  # clips of one window each
        test = {"window": test["window"]}
    lines = [line for level, found in test.items() for line in _describe(JUDGED.get(level, level), found)]
    return lines + describe_labels(test["window"])


def headline(found: Mapping[str, Any]) -> str:
    """Return the share of right decisions with its interval: the accuracy, or the exact match of sets of labels."""
    return f"{share_name(found)} {share_cell(found['accuracy'], found['interval'])}"


def share_cell(share: float, interval: Sequence[float]) -> str:
    """Return a share with its interval, such as 95.0% [91.7%, 98.6%]."""
    low, high = interval
    return f"{share:.1%} [{low:.1%}, {high:.1%}]"


def share_name(found: Mapping[str, Any]) -> str:
    """Return what the share of right decisions is called."""
    return SHARE_NAMES["sigmoid" if is_label_sets(found) else "softmax"]


def is_label_sets(found: Mapping[str, Any]) -> bool:
    """Whether sets of labels were judged, not single labels."""
    return "exact_match" in found


def describe_labels(found: Mapping[str, Any]) -> list[str]:
    """Return a line a label of one evaluation."""
    lines, width = [], max(12, *(len(scores["label"]) for scores in found["labels"]))
    for scores in found["labels"]:
        line = f"    {scores['label']:<{width}} precision {scores['precision']:.3f}  recall {scores['recall']:.3f}"
        line += f"  F1 {scores['f1']:.3f}  of {scores['support']}"
        if is_label_sets(found):
            line += f"  from {scores['threshold']:.3f}, AP {decimals(scores['average_precision'])}"
        lines.append(line)
    return lines


def decimals(value: float | None) -> str:
    """Return a measure in 0 to 1 with three decimals, a dash where it is not defined."""
    return "-" if value is None else f"{value:.3f}"


def _describe(name: str, found: Mapping[str, Any]) -> list[str]:
    """The lines of one evaluation."""
    of = f"({found['num_decisions']} in {counted(found['num_groups'], 'group')})"
    if not is_label_sets(found):
        return [f"  test {name}: {headline(found)}, macro F1 {found['macro_f1']:.3f} {of}"]
    measures = (
        f"mAP {decimals(found['mean_average_precision'])}, micro F1 {found['micro_f1']:.3f}, "
        f"macro F1 {found['macro_f1']:.3f}, Hamming loss {found['hamming_loss']:.3f}"
    )
    return [f"  test {name}: {headline(found)}, {measures} {of}", *map(_describe_size, found["sizes"])]


def _describe_size(found: Mapping[str, Any]) -> str:
    """The exact match of windows with so many labels."""
    low, high = found["interval"]
    name = counted(found["size"], "label") if found["size"] else "no label"
    return (
        f"    with {name}: exact match {found['exact_match']:.1%} [{low:.1%}, {high:.1%}]"
        f" ({found['num_decisions']} in {counted(found['num_groups'], 'group')})"
    )

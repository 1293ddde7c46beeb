"""How a source counter and its classifiers do together: is the number right, and given that, are the labels?

Every window goes to the counter, and to the classifier for the number that it finds; where a multi-label classifier
is given beside them, it takes the same windows, and the two are compared window by window.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from convert.held_out.shared import points_cell, points_won, share, share_cell
from edge_runtime.counting.pipeline import CountedClassifier
from edge_runtime.model.classifier import Classifier
from edge_runtime.scoring.intervals import count_groups
from edge_runtime.tables import markdown_table
from metadata.errors import ModelContractError
from train.tasks.held_out_mixtures import HeldOutMixtures

NUM_SETS_SHOWN = 12  # sets of labels in the table of those that are counted worst; the JSON has all


@dataclass(frozen=True, eq=False)
class PipelineDecisions:
    """What was decided about windows of one number of sources.

    Attributes
    ----------
    truth : np.ndarray
        bool (n, n_labels).
    groups : np.ndarray
        str (n,) or (n, most parts), see `edge_runtime.scoring.intervals`.
    counts : np.ndarray
        int (n,), the number of sources that the counter found.
    named : np.ndarray
        bool (n, n_labels), the labels that the classifier for this number gave.
    plain : np.ndarray, optional
        bool (n, n_labels), those of the multi-label classifier.
    """

    truth: np.ndarray
    groups: np.ndarray
    counts: np.ndarray
    named: np.ndarray
    plain: np.ndarray | None = None


def check_plain(pipeline: CountedClassifier, plain: Classifier) -> None:
    """Raise ModelContractError unless the classifier beside the pipeline takes the same windows and has its labels."""
    spec, counter = plain.spec, pipeline.counter.spec
    if spec.activation != "sigmoid":
        raise ModelContractError(
            f"{spec.name} has {spec.activation} scores; expected sigmoid: what tells one label a window cannot be "
            "compared on windows of several"
        )
    if spec.labels != pipeline.labels:
        raise ModelContractError(
            f"{spec.name} has the labels {', '.join(spec.labels)}, the pipeline {', '.join(pipeline.labels)}; "
            "expected the same in the same order"
        )
    if (spec.sample_rate, spec.window_length) != (counter.sample_rate, counter.window_length):
        raise ModelContractError(
            f"{spec.name} takes {spec.window_length} samples at {spec.sample_rate} Hz, the pipeline "
            f"{counter.window_length} at {counter.sample_rate}; expected the same window"
        )


def decide_windows(pipeline: CountedClassifier, plain: Classifier | None, tested: HeldOutMixtures) -> PipelineDecisions:
    """Run the pipeline, and the classifier beside it, on windows of one number of sources, one after the other.

    Raises
    ------
    ModelContractError, ValueError
        As for `Classifier.scores`.
    """
    labels, truth = pipeline.labels, tested.truth
    named, plain_named = np.zeros_like(truth), np.zeros_like(truth)
    counts = np.zeros(len(truth), np.int64)
    for row, window in enumerate(tested.windows(pipeline.counter.spec.window_length)):
        found = pipeline.scores(window)
        counts[row] = found.count
        named[row] = [label in found.labels for label in labels]
        if plain is not None:
            decided = plain.decide(plain.scores(window))
            plain_named[row] = [label in decided for label in labels]
    return PipelineDecisions(truth, tested.groups, counts, named, plain_named if plain is not None else None)


def describe_pipeline(
    decisions: Sequence[PipelineDecisions], counts: Sequence[str], labels: Sequence[str]
) -> dict[str, Any]:
    """Return the report for JSON.

    Parameters
    ----------
    decisions : sequence of PipelineDecisions
        One for each number of sources, beginning with one.
    counts, labels : sequence of str
        Of the pipeline.

    Returns
    -------
    dict
        "sources", a row a number of sources: shares of right counts, of right labels where the count is right, and of
        both right, with 95 % intervals over groups; those of the plain classifier and the paired difference in points.
        "mean_count_accuracy". "count_confusion", rows truth, columns counted. "labels": of the windows with a label and
        a right count, the share where it is named, for each number of sources. "label_sets": for each number of sources
        every set of labels, the one that is counted worst first, with its number of windows, the shares of right counts
        and of right counts and labels, and the mean count.
    """
    confusion = [np.bincount(one.counts - 1, minlength=len(counts)).tolist() for one in decisions]
    rows = [_describe_number(number, one) for number, one in enumerate(decisions, start=1)]
    return {
        "sources": rows,
        "mean_count_accuracy": float(np.mean([row["count"]["share"] for row in rows])),
        "count_confusion": {"counts": list(counts), "windows": confusion},
        "labels": [
            {
                "label": label,
                "named": [_named_share(one, number, place) for number, one in enumerate(decisions, start=1)],
            }
            for place, label in enumerate(labels)
        ],
        "label_sets": [_describe_sets(number, one, labels) for number, one in enumerate(decisions, start=1)],
    }


def format_pipeline(report: dict[str, Any]) -> list[str]:
    """Return the report as lines of Markdown."""
    rows, counts = report["sources"], report["count_confusion"]["counts"]
    head = ["sources", "windows", "groups", "count right", "labels right, the count being right", "both right"]
    with_plain = "plain" in rows[0]
    table = [[*head, *(["plain classifier", "both right - plain (points)"] if with_plain else [])]]
    for row in rows:
        cells = [str(row["num_sources"]), str(row["num_windows"]), str(row["num_groups"])]
        cells += [share_cell(row[name]) for name in ("count", "labels_given_count", "both")]
        if with_plain:
            cells += [share_cell(row["plain"]), points_cell(row["difference"])]
        table.append(cells)
    confusion = [["true sources", *(f"counted {name}" for name in counts)]]
    confusion += [
        [name, *map(str, row)] for name, row in zip(counts, report["count_confusion"]["windows"], strict=True)
    ]
    by_label = [["label", *(f"named, {name} source{'s' if name != 'one' else ''}" for name in counts)]]
    by_label += [[row["label"], *(_percent(share) for share in row["named"])] for row in report["labels"]]
    return [
        "Shares of windows, 95 % intervals by the bootstrap over groups (a mixture belongs to those of its parts):",
        "",
        *markdown_table(table),
        "",
        f"Count accuracy, the mean over numbers of sources: {report['mean_count_accuracy']:.1%}.",
        "",
        *markdown_table(confusion),
        "",
        "Of the windows with a label whose count is right, the share where it is named:",
        "",
        *markdown_table(by_label),
        *_format_sets(report["label_sets"]),
    ]


def _describe_number(number: int, decisions: PipelineDecisions) -> dict[str, Any]:
    """The row of one number of sources."""
    counted = decisions.counts == number
    both = (decisions.named == decisions.truth).all(
        axis=1
    )  # so many labels are named as are counted: the count is right too
    row: dict[str, Any] = {
        "num_sources": number,
        "num_windows": len(counted),
        "num_groups": count_groups(decisions.groups),
        "count": share(counted, decisions.groups),
        "labels_given_count": share(both[counted], decisions.groups[counted]) if counted.any() else None,
        "both": share(both, decisions.groups),
    }
    if decisions.plain is not None:
        plain = (decisions.plain == decisions.truth).all(axis=1)
        row["plain"] = share(plain, decisions.groups)
        row["difference"] = points_won(both, plain, decisions.groups)
    return row


def _describe_sets(number: int, decisions: PipelineDecisions, labels: Sequence[str]) -> list[dict[str, Any]]:
    """One row for each set of labels, the one that is counted worst first."""
    both = (decisions.named == decisions.truth).all(axis=1)
    sets, kind = np.unique(decisions.truth, axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    rows = []
    for place, present in enumerate(sets):
        alike = kind == place
        rows.append(
            {
                "labels": [label for label, there in zip(labels, present, strict=True) if there],
                "num_windows": int(alike.sum()),
                "count": float((decisions.counts[alike] == number).mean()),
                "both": float(both[alike].mean()),
                "mean_count": float(decisions.counts[alike].mean()),
            }
        )
    return sorted(rows, key=lambda row: (row["count"], row["labels"]))


def _format_sets(label_sets: Sequence[Sequence[dict[str, Any]]]) -> list[str]:
    """The sets of labels that are counted wrong most often, as lines of Markdown; none where every count is right."""
    wrong = [row for rows in label_sets for row in rows if row["count"] < 1.0]
    if not wrong:
        return []
    worst = sorted(wrong, key=lambda row: (row["count"], len(row["labels"]), row["labels"]))[:NUM_SETS_SHOWN]
    table = [["labels", "windows", "count right", "both right", "mean count"]]
    for row in worst:
        shares = [_percent(row[name]) for name in ("count", "both")]
        table.append([" + ".join(row["labels"]), str(row["num_windows"]), *shares, f"{row['mean_count']:.2f}"])
    num_sets = sum(map(len, label_sets))
    return [
        "",
        f"What sounds when the count is wrong, of {num_sets} sets of labels the {len(worst)} that are counted worst:",
        "",
        *markdown_table(table),
    ]


def _named_share(decisions: PipelineDecisions, number: int, place: int) -> float | None:
    """Of the windows with a label and a right count, the share where it is named; None where there is none."""
    there = decisions.truth[:, place] & (decisions.counts == number)
    return float(decisions.named[there, place].mean()) if there.any() else None


def _percent(share: float | None) -> str:
    """A share for people, a dash where there is none."""
    return "-" if share is None else f"{share:.1%}"

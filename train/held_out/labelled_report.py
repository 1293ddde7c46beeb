"""Models side by side on recordings with labels: as a document, as lines for people, as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from edge_runtime.scoring.intervals import count_groups, paired_bootstrap_interval
from edge_runtime.tables import align, short_names
from metadata.csv_line import csv_line
from metadata.plural import counted
from metadata.signed import signed
from train.evaluation.evaluation_text import JUDGED, share_cell, share_name
from train.held_out.labelled import Judged

CSV_COLUMNS = ("system", "judged", "share", "lower", "upper", "difference", "difference_lower", "difference_upper")


def describe_labelled(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """Return each model's evaluations for JSON, and its paired difference to the first, in points.

    The difference is over windows where both models hear the same ones, else over clips, each by its share of right
    windows; None where they heard different clips.
    """
    documents = []
    for one in judged:
        found = {name: evaluation.as_dict() for name, evaluation in one.evaluations().items()}
        document: dict[str, Any] = {"name": one.name, "model": one.spec.name, "recipe": one.spec.recipe}
        documents.append({**document, "evaluations": found, "difference": None})
        if one is not judged[0]:
            documents[-1]["difference"] = _difference(one, judged[0])
    return documents


def labelled_lines(documents: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the models side by side for people."""
    window = documents[0]["evaluations"]["window"]
    levels = list(dict.fromkeys(level for one in documents for level in one["evaluations"]))
    titles = [f"{share_name(window)}: {JUDGED.get(level, level)}" for level in levels]
    rows = [("", *titles, "macro F1", "points above the first, paired" if len(documents) > 1 else "")]
    short = short_names([one["name"] for one in documents])
    for one in documents:
        found = one["evaluations"]
        cells = [
            share_cell(found[level]["accuracy"], found[level]["interval"]) if level in found else "-"
            for level in levels
        ]
        rows.append((short[one["name"]], *cells, f"{found['window']['macro_f1']:.3f}", _points_cell(one["difference"])))
    head = (
        f"{counted(window['num_decisions'], 'window')} in {counted(window['num_groups'], 'group')}; 95 % intervals by "
        "the bootstrap over groups"
    )
    return [head, "", *align(rows)]


def labelled_csv(documents: Sequence[Mapping[str, Any]]) -> str:
    """Return the models as CSV, a row a model and way of judging; the difference stands in the row of the windows."""
    lines = [csv_line(CSV_COLUMNS)]
    for one in documents:
        for level, found in one["evaluations"].items():
            difference = one["difference"] if level == "window" else None
            points = (difference["points"], *(difference["interval"] or (None, None))) if difference else (None,) * 3
            lines.append(csv_line((one["name"], level, found["accuracy"], *found["interval"], *points)))
    return "".join(lines)


def _points_cell(difference: Mapping[str, Any] | None) -> str:
    """Points won with their interval, nothing where there are none."""
    if difference is None:
        return ""
    ends = difference["interval"]
    told = f" [{signed(ends[0], 1)}, {signed(ends[1], 1)}]" if ends else ""
    return f"{signed(difference['points'], 1)}{told} over {difference['over']}"


def _difference(one: Judged, first: Judged) -> dict[str, Any] | None:
    """How many points more of the windows, or of the clips' windows, are right, with the paired interval."""
    same = one.cut.truth.shape == first.cut.truth.shape and np.array_equal(one.cut.truth, first.cut.truth)
    if same and np.array_equal(one.cut.clips, first.cut.clips):
        gains, groups, over = one.right().astype(float) - first.right(), one.cut.groups, "windows"
    else:
        (clips, shares, groups), (others, reference, _) = one.right_by_clip(), first.right_by_clip()
        if not np.array_equal(clips, others):
            return None
        gains, over = shares - reference, "clips"
    ends = [100 * end for end in paired_bootstrap_interval(gains, groups)] if count_groups(groups) > 1 else None
    return {"points": 100 * float(gains.mean()), "interval": ends, "over": over}

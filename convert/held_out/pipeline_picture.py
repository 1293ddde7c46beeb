"""Where a source counter and its classifiers go wrong, as a picture: every label alone, and every pair of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from train.pictures.plots import new_figure, save_figure

PANELS = {"count": "number right", "both": "number and labels right"}  # what is drawn of a set of labels
MAX_IN_PICTURE = 2  # sources: a set of three has no place in a square


def plot_pipeline(report: Mapping[str, Any], path: Path, title: str) -> None:
    """Write the shares of right windows as PNG: on the diagonal single sounds, below it mixtures of two.

    Parameters
    ----------
    report : mapping
        As `convert.held_out.pipeline_report.describe_pipeline` returns it. Its sets of more than two labels are left
        out.
    path : Path
    title : str
    """
    names = [row["label"] for row in report["labels"]]
    sets = [row for rows in report["label_sets"][:MAX_IN_PICTURE] for row in rows]
    side = 2.2 + 0.55 * len(names)
    figure, panels = new_figure(len(PANELS), (2 * side + 1.0, side))
    for axes, (measure, meaning) in zip(panels, PANELS.items(), strict=True):
        shares = 100.0 * square_of(sets, names, measure)
        image = axes.imshow(np.ma.masked_invalid(shares), cmap="Blues", vmin=0.0, vmax=100.0)
        for row, column in np.argwhere(~np.isnan(shares)):
            colour = "white" if shares[row, column] > 60.0 else "black"
            axes.text(column, row, f"{shares[row, column]:.0f}", ha="center", va="center", color=colour)
        axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
        axes.set_yticks(range(len(names)), names)
        axes.set_title(meaning, fontsize=10)
    figure.colorbar(image, ax=panels, label="% of the windows with these labels", fraction=0.03)
    figure.suptitle(f"{title}: single sounds on the diagonal, mixtures of two below it", fontsize=10)
    save_figure(figure, path)


def square_of(sets: Sequence[Mapping[str, Any]], names: Sequence[str], measure: str) -> np.ndarray:
    """Return a measure of each set of one or two labels, float (n_labels, n_labels), the later label as the row.

    NaN where there is no such set: above the diagonal, and for pairs that no window has.
    """
    shares = np.full((len(names), len(names)), np.nan)
    for one in sets:
        places = sorted(names.index(label) for label in one["labels"])
        shares[places[-1], places[0]] = one[measure]
    return shares

"""Pictures of a training: how it went, and what it confuses."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from metadata.atomic_file import write_atomically
from train.evaluation.evaluate import Evaluation
from train.evaluation.label_sets import LabelSetEvaluation

INK = "#1f3b57"
ACCENT = "#c8553d"
MEASURES = {"average_precision": INK, "precision": "#7a9cbf", "recall": "#c9d7e6"}  # of a label, and their colours
CONFUSION_FILE_NAME, LABELS_FILE_NAME = "confusion.png", "labels.png"


def plot_history(history: Sequence[dict[str, float]], kept: int, path: Path, title: str) -> None:
    """Write loss and accuracy over the epochs as PNG, the epoch that was kept marked."""
    figure, (left, right) = new_figure(2, (9.0, 3.4))
    epochs = [int(row["epoch"]) for row in history]
    for axes, measure in ((left, "loss"), (right, "accuracy")):
        axes.plot(epochs, [row[measure] for row in history], color=INK, label="training")
        axes.plot(epochs, [row[f"val_{measure}"] for row in history], color=ACCENT, label="validation")
        axes.axvline(kept, color="0.6", linestyle=":", label=f"kept: epoch {kept}")
        axes.set(xlabel="epoch", ylabel=measure)
        axes.grid(alpha=0.3)
    right.set_ylim(0.0, 1.02)
    left.legend(frameon=False)
    figure.suptitle(title)
    save_figure(figure, path)


def plot_confusion(evaluation: Evaluation, path: Path, title: str) -> None:
    """Write the confusion matrix as PNG: counts, coloured by their share of the true label."""
    confusion = np.asarray(evaluation.confusion)
    shares = confusion / np.maximum(confusion.sum(axis=1, keepdims=True), 1)
    names = [scores.label for scores in evaluation.labels]
    side = 2.6 + 0.6 * len(names)
    figure, (axes,) = new_figure(1, (side + 0.8, side))
    image = axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    for row, column in np.ndindex(*confusion.shape):
        colour = "white" if shares[row, column] > 0.6 else "black"
        axes.text(column, row, str(confusion[row, column]), ha="center", va="center", color=colour)
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(names)), names)
    low, high = evaluation.interval
    axes.set(xlabel="decided", ylabel="true")
    axes.set_title(f"{title}\n{evaluation.accuracy:.1%} [{low:.1%}, {high:.1%}]", fontsize=10)
    figure.colorbar(image, ax=axes, label="share of the true label", fraction=0.046)
    save_figure(figure, path)


def plot_evaluation(
    evaluation: Evaluation | LabelSetEvaluation, truth: np.ndarray, scores: np.ndarray, folder: Path, title: str
) -> Path:
    """Write the picture of an evaluation into a folder and return its path.

    What single labels are confused with as `confusion.png`, how well sets of labels are found as `labels.png`.

    Parameters
    ----------
    evaluation : Evaluation or LabelSetEvaluation
    truth, scores : np.ndarray
        That it was made of.
    folder : Path
    title : str
    """
    if isinstance(evaluation, Evaluation):
        plot_confusion(evaluation, folder / CONFUSION_FILE_NAME, title)
        return folder / CONFUSION_FILE_NAME
    plot_label_sets(evaluation, truth, scores, folder / LABELS_FILE_NAME, title)
    return folder / LABELS_FILE_NAME


def plot_label_sets(
    evaluation: LabelSetEvaluation, truth: np.ndarray, scores: np.ndarray, path: Path, title: str
) -> None:
    """Write how well each label is found as PNG.

    Left a bar for average precision, precision and recall, right the scores of windows with and without the label and
    the threshold between them.

    Parameters
    ----------
    evaluation : LabelSetEvaluation
    truth, scores : np.ndarray
        bool and float (n, n_labels), that it was made of.
    path : Path
    title : str
    """
    names = [one.label for one in evaluation.labels]
    figure, (left, right) = new_figure(2, (10.0, 1.6 + 0.5 * len(names)))
    places = np.arange(len(names))
    for row, (measure, colour) in enumerate(MEASURES.items()):
        values = [getattr(one, measure) or 0.0 for one in evaluation.labels]
        left.barh(places + 0.25 * (row - 1), values, 0.25, color=colour, label=measure.replace("_", " "))
    left.set(xlabel="share", xlim=(0.0, 1.0))
    for place, one in enumerate(evaluation.labels):
        with_it, without = (scores[truth[:, place] == there, place] for there in (True, False))
        _draw_spread(right, without, place + 0.16, INK, "windows without the label" if place == 0 else None)
        _draw_spread(right, with_it, place - 0.16, ACCENT, "windows with it" if place == 0 else None)
        right.plot([one.threshold] * 2, [place - 0.4, place + 0.4], color="black", lw=1.5)
    right.plot([], [], color="black", lw=1.5, label="threshold")
    right.set(xlabel="score (line: 5 to 95 %, bar: quartiles, dot: median)", xlim=(-0.02, 1.02))
    for axes in (left, right):
        axes.set_yticks(places, names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.grid(axis="x", alpha=0.3)
        axes.legend(frameon=False, ncols=3, fontsize=7, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    low, high = evaluation.interval
    figure.suptitle(f"{title}: exact match {evaluation.exact_match:.1%} [{low:.1%}, {high:.1%}]", fontsize=10)
    save_figure(figure, path)


def _draw_spread(axes: Any, values: np.ndarray, height: float, colour: str, name: str | None) -> None:
    """Draw where the values lie as a line, a bar and a dot at a height; nothing where there are none."""
    if not values.size:
        return
    ends = np.percentile(values, (5, 25, 50, 75, 95))
    axes.plot(ends[[0, 4]], [height] * 2, color=colour, lw=1)
    axes.plot(ends[[1, 3]], [height] * 2, color=colour, lw=6, solid_capstyle="butt", label=name)
    axes.plot(ends[2], height, "o", color="white", markersize=3)


def draw_bars(
    names: Sequence[str], values: Sequence[float], marked: Sequence[bool], path: Path, title: str, measure: str
) -> None:
    """Write one horizontal bar a name as PNG, the first on top, the marked ones in another colour."""
    figure, (axes,) = new_figure(1, (9.0, 1.2 + 0.24 * len(names)))
    places = np.arange(len(names))
    axes.barh(places, values, color=[ACCENT if mark else INK for mark in marked])
    axes.set_yticks(places, names, fontsize=7)
    axes.margins(y=0.01)
    axes.invert_yaxis()
    axes.set(xlabel=measure)
    axes.grid(axis="x", alpha=0.3)
    figure.suptitle(title)
    save_figure(figure, path)


def make_figure(num_rows: int, num_columns: int, size: tuple[float, float]) -> tuple[Any, Any]:
    """Return a figure that needs no display, and its panels, shape (num_rows, num_columns); size in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(num_rows, num_columns, squeeze=False)


def save_figure(figure: Any, path: Path) -> None:
    """Write the picture in one step, without the date that would make equal pictures differ."""
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110, metadata={"Software": None})
    write_atomically(path, picture.getvalue())


def new_figure(num_columns: int, size: tuple[float, float]) -> tuple[Any, Any]:
    """Return a figure with one row of panels, and the panels."""
    figure, panels = make_figure(1, num_columns, size)
    return figure, panels[0]

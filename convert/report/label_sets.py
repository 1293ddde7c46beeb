"""What a report says about models that tell sets of labels: columns of the table, and tables by label and by number.

Files are dicts as `report.describe_build` gives them under "files".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from edge_runtime.tables import markdown_table
from train.evaluation.evaluation_text import decimals, is_label_sets

File = dict[str, Any]
Cell = Callable[[dict[str, Any]], str]
COLUMNS: dict[str, Cell] = {
    "mAP": lambda window: decimals(window["mean_average_precision"]),
    "micro / macro F1": lambda window: f"{window['micro_f1']:.3f} / {window['macro_f1']:.3f}",
}
"""Beside the exact match, each with what it says about the test windows."""


def set_columns(files: Sequence[File]) -> dict[str, Cell]:
    """Return the columns to add to the table of files, none where no file tells sets of labels."""
    if not any(is_label_sets(file["test"]["window"]) for file in files):
        return {}
    return {name: _cell_of(cell) for name, cell in COLUMNS.items()}


def label_set_notes(files: Sequence[File]) -> list[str]:
    """Return Markdown tables as lines: each label and each number of labels, before and after quantization.

    A pair of tables a model and input form; none where no file tells sets of labels.
    """
    told = [file for file in files if is_label_sets(file["test"]["window"])]
    kinds = dict.fromkeys((file["model"], file["input"]) for file in told)
    lines = []
    for kind in kinds:
        alike = [file for file in told if (file["model"], file["input"]) == kind]
        name = f"{kind[0]} ({kind[1]})"
        lines += ["", f"{name}, exact match by the number of labels in a window, 95 % intervals:", ""]
        lines += markdown_table(_size_rows(alike))
        lines += ["", f"{name}, each label: average precision, then F1 at its threshold:", ""]
        lines += markdown_table(_label_rows(alike))
    return lines


def _cell_of(cell: Cell) -> Cell:
    """A cell that stays empty for a file that tells one label."""
    return lambda window: cell(window) if is_label_sets(window) else ""


def _size_rows(files: Sequence[File]) -> list[list[str]]:
    """A row for each number of labels, a column a recipe."""
    rows = [["labels", "windows", "groups", *(file["recipe"] for file in files)]]
    for place, size in enumerate(files[0]["test"]["window"]["sizes"]):
        found = [file["test"]["window"]["sizes"][place] for file in files]
        shares = [f"{one['exact_match']:.1%} [{one['interval'][0]:.1%}, {one['interval'][1]:.1%}]" for one in found]
        rows.append([str(size["size"]), str(size["num_decisions"]), str(size["num_groups"]), *shares])
    return rows


def _label_rows(files: Sequence[File]) -> list[list[str]]:
    """A row a label, a column a recipe."""
    rows = [["label", "windows", "threshold", *(file["recipe"] for file in files)]]
    for place, label in enumerate(files[0]["test"]["window"]["labels"]):
        found = [file["test"]["window"]["labels"][place] for file in files]
        measures = [f"{decimals(one['average_precision'])} {one['f1']:.3f}" for one in found]
        rows.append([label["label"], str(label["support"]), f"{label['threshold']:.3f}", *measures])
    return rows

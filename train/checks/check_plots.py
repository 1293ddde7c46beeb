"""Pictures of a data set: how much there is of each label, how loud, how wide, how long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from train.checks.clip_measures import ClipMeasures
from train.checks.data_check import DataCheck
from train.checks.signal_findings import by_label
from train.pictures.plots import ACCENT, INK, new_figure, save_figure
from train.recordings.clip import SPLITS, Clip

BALANCE, LEVELS, BANDWIDTH, LENGTHS = "balance.png", "levels.png", "bandwidth.png", "lengths.png"
_SIDE_COLOURS = {"train": INK, "val": "#8fa8bf", "test": ACCENT, "": INK}
_JITTER = 0.16  # of a row's height, so that equal values do not hide each other


def plot_check(check: DataCheck, folder: Path) -> list[Path]:
    """Write the four pictures into a folder; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    _plot_balance(check, folder / BALANCE)
    _plot_values(check, folder / LEVELS, "level of each clip", "RMS (dBFS)", lambda measured: measured.rms_dbfs)
    _plot_bandwidth(check, folder / BANDWIDTH)
    _plot_values(check, folder / LENGTHS, "length of each clip", "seconds", lambda measured: measured.seconds)
    return [folder / name for name in (BALANCE, LEVELS, BANDWIDTH, LENGTHS)]


def _plot_balance(check: DataCheck, path: Path) -> None:
    """Minutes and clips of each label, by side."""
    labels = check.index.labels
    figure, (left, right) = new_figure(2, (9.5, _height(labels)))
    sides = [side for side in (*SPLITS, "") if any(clip.split == side for clip in check.index.clips)]
    start = {left: np.zeros(len(labels)), right: np.zeros(len(labels))}
    for side in sides:
        held = [
            [measured.seconds / 60 for clip, measured in _pairs(check) if clip.split == side and label in clip.labels]
            for label in labels
        ]
        for axes, values in ((left, [sum(row) for row in held]), (right, [len(row) for row in held])):
            axes.barh(range(len(labels)), values, left=start[axes], color=_SIDE_COLOURS[side], label=side, height=0.7)
            start[axes] += values
    for axes, name in ((left, "minutes"), (right, "clips")):
        _name_rows(axes, labels, name)
    right.set_yticklabels([])
    if sides != [""]:
        figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle("how much there is of each label")
    save_figure(figure, path)


def _plot_values(
    check: DataCheck, path: Path, title: str, measure: str, value: Callable[[ClipMeasures], float]
) -> None:
    """One row a label, one dot a clip."""
    figure, (axes,) = new_figure(1, (9.5, _height(check.index.labels)))
    _draw_rows(axes, by_label(check.index, check.measures, value))
    _name_rows(axes, check.index.labels, measure)
    figure.suptitle(title)
    save_figure(figure, path)


def _plot_bandwidth(check: DataCheck, path: Path) -> None:
    """Bandwidth and half the file's sample rate, one row a label, one dot a clip."""
    figure, (left, right) = new_figure(2, (9.5, _height(check.index.labels)))
    _draw_rows(left, by_label(check.index, check.measures, lambda measured: measured.bandwidth_hz / 1000))
    _draw_rows(right, by_label(check.index, check.measures, lambda measured: measured.sample_rate / 1000))
    for axes, name in ((left, "highest frequency present (kHz)"), (right, "sample rate of the file (kHz)")):
        _name_rows(axes, check.index.labels, name)
        axes.set_xlim(left=0.0)
    right.set_yticklabels([])
    figure.suptitle("what a label's recordings went through")
    save_figure(figure, path)


def _draw_rows(axes: Any, values: dict[str, np.ndarray]) -> None:
    """Dots, and the median as a line, one row a label."""
    rng = np.random.default_rng(0)
    for row, held in enumerate(values.values()):
        if held.size == 0:
            continue
        axes.plot(
            held, row + rng.uniform(-_JITTER, _JITTER, held.size), "o", color=INK, alpha=0.35, markersize=3, mew=0
        )
        axes.plot([np.median(held)] * 2, [row - 0.32, row + 0.32], color=ACCENT, linewidth=2)


def _name_rows(axes: Any, labels: tuple[str, ...], measure: str) -> None:
    """Name the rows, the first on top, and what is measured."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.set_xlabel(measure)
    axes.grid(axis="x", alpha=0.3)


def _height(labels: tuple[str, ...]) -> float:
    """Inches that the rows need."""
    return 1.6 + 0.32 * len(labels)


def _pairs(check: DataCheck) -> Iterator[tuple[Clip, ClipMeasures]]:
    """Clips with their measures."""
    return zip(check.index.clips, check.measures, strict=True)

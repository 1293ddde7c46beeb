"""Pictures of what `earproof bench` measured: how runs spread, and how they go over time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from metadata.plural import counted
from train.pictures.plots import make_figure, save_figure

_COLOURS = ("#1f3b57", "#c8553d", "#5b8e7d", "#b08900", "#7a5195", "#3b8ea5", "#8c564b", "#777777")
_HEIGHT = 3.2  # inches a row of panels
_STAGES = (("invoke", "invoke"), ("end_to_end", "end to end"))


def draw_bench(document: dict[str, Any], path: Path) -> None:
    """Write a document of `earproof bench` as PNG.

    A row a stage: on the left the distribution (the share of runs that took at most so long), on the right every run in
    the order it was measured. Where there are sustained runs, a third row shows latency and temperature over minutes.

    Raises
    ------
    FileNotFoundError
        The folder of `path` does not exist.
    """
    entries = document["files"]
    sustained = [entry for entry in entries if entry.get("sustained")]
    num_rows = len(_STAGES) + bool(sustained)
    figure, panels = make_figure(num_rows, 2, (11.0, _HEIGHT * num_rows + 0.6))
    for row, (stage, name) in zip(panels, _STAGES, strict=False):
        for entry, colour in _coloured(entries):
            samples = np.asarray(entry[stage]["samples_ms"])
            _draw_distribution(row[0], samples, colour, _label(entry, entries))
            row[1].plot(np.arange(1, samples.size + 1), samples, ".", markersize=3, color=colour)
        _finish(row[0], f"{name} (ms)", "share of runs", "x")
        _finish(row[1], "run", f"{name} (ms)", "y")
    if sustained:
        _draw_sustained(panels[-1], entries, sustained)
    figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", fontsize=7, ncols=3)
    figure.suptitle(_title(document), fontsize=9)
    save_figure(figure, path)


def _draw_distribution(axes: Any, samples: np.ndarray, colour: str, label: str) -> None:
    """Draw the share of runs that took at most so long, with the median marked."""
    shares = np.arange(1, samples.size + 1) / samples.size
    axes.step(np.sort(samples), shares, where="post", color=colour, label=label)
    axes.plot([np.median(samples)], [0.5], "o", markersize=4, color=colour)


def _draw_sustained(row: Any, entries: list[dict[str, Any]], sustained: list[dict[str, Any]]) -> None:
    """Draw latency on the left and temperature on the right over the minutes."""
    colours = {id(entry): colour for entry, colour in _coloured(entries)}
    is_told = False
    for entry in sustained:
        run, colour = entry["sustained"], colours[id(entry)]
        minutes = np.asarray(run["tick_times_seconds"]) / 60
        label = f"{_label(entry, entries)}: {run['missed_ticks']} of {counted(run['num_ticks'], 'tick')} missed"
        row[0].plot(minutes, run["end_to_end"]["samples_ms"], ".", markersize=3, color=colour, label=label)
        told = [(state["seconds"] / 60, state["temperature_celsius"]) for state in run["states"]]
        told = [pair for pair in told if pair[1] is not None]
        is_told = is_told or bool(told)
        row[1].plot(*zip(*told, strict=True), color=colour) if told else None
    _finish(row[0], "minutes", "tick to label (ms)", "y")
    row[0].legend(fontsize=6)
    _finish(row[1], "minutes", "degrees C")
    if not is_told:
        row[1].text(0.5, 0.5, "this machine does not tell its temperature", ha="center", transform=row[1].transAxes)


def _finish(axes: Any, across: str, up: str, logarithmic: str = "") -> None:
    """Name the axes; one of them may be logarithmic, with plain numbers on it."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axes.set(xlabel=across, ylabel=up)
    if logarithmic:
        axes.set(**{f"{logarithmic}scale": "log"})
        axis = getattr(axes, f"{logarithmic}axis")
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.grid(alpha=0.3)


def _coloured(entries: list[dict[str, Any]]) -> list[tuple[dict[str, Any], str]]:
    """Return each entry with its colour."""
    return [(entry, _COLOURS[place % len(_COLOURS)]) for place, entry in enumerate(entries)]


def _label(entry: dict[str, Any], entries: list[dict[str, Any]]) -> str:
    """Return the file's name, and the threads where they differ."""
    name = Path(entry["file"]).name
    return (
        f"{name}, {counted(entry['num_threads'], 'thread')}"
        if len({one["num_threads"] for one in entries}) > 1
        else name
    )


def _title(document: dict[str, Any]) -> str:
    """Return the machine and the settings."""
    machine, first = document["machine"], document["files"][0]
    name = machine.get("board") or machine["cpu"]
    return (
        f"{name}, {machine['runtime']}; {counted(first['num_runs'], 'run')} after "
        f"{counted(first['warmup_runs'], 'warm-up run')}"
    )

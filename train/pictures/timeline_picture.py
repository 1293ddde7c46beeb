"""The picture of time stamps: the waveform, and under it a bar for each stretch of a label, a lane a label."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np

from metadata.atomic_file import write_atomically
from train.pictures.plots import make_figure

# Okabe and Ito 2008, which colour-blind readers can distinguish; black and yellow are left out.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#882255", "#44AA99")
SILENCE_COLOUR = "#9a9a9a"
# Of the labels beyond the colours, which have them again, lighter and darker in turn.
HATCHES = ("", "////", "....", "xxxx", "----", "oooo")
ROW_SECONDS = 600.0  # a longer recording takes several rows
MOST_ROWS = 6
_WIDTH, _ROW_HEIGHT = 12.0, 2.2  # inches


def draw_timeline(document: dict[str, Any], path: Path) -> None:
    """Write a recording with its time stamps as PNG or SVG, by the suffix.

    Parameters
    ----------
    document : dict
        file, model, labels, silence (its label, empty for none), segments (onset, offset, label),
        duration_seconds, lowest, highest.
    path : Path

    Raises
    ------
    FileNotFoundError
        The folder of `path` does not exist.
    """
    duration = document["duration_seconds"]
    lanes = [label for label in dict.fromkeys([*document["labels"], document["silence"]]) if label]
    num_rows = min(MOST_ROWS, max(1, math.ceil(duration / ROW_SECONDS - 1e-9)))
    height = _ROW_HEIGHT + 0.16 * len(lanes)
    figure, panels = make_figure(num_rows, 1, (_WIDTH, 0.9 + height * num_rows))
    span = duration / num_rows
    for row, (axes,) in enumerate(panels):
        _draw_row(axes, document, lanes, row * span, (row + 1) * span)
    panels[-1][0].set_xlabel("minutes:seconds")
    figure.suptitle(f"{Path(document['file']).name}, by {document['model']}", fontsize=10, x=0.01, ha="left")
    _save(figure, path)


def _draw_row(axes: Any, document: dict[str, Any], lanes: list[str], start: float, stop: float) -> None:
    """Draw one stretch: the waveform, its peak at 1 and -1, coloured by what sounds, and the lanes below."""
    lowest, highest = document["lowest"], document["highest"]
    times = (np.arange(lowest.size) + 0.5) * document["duration_seconds"] / lowest.size
    shown = (times >= start) & (times <= stop)
    peak = max(float(np.abs([lowest.min(), highest.max()]).max()), 1e-6)
    low, high, times = lowest[shown] / peak, highest[shown] / peak, times[shown]
    axes.fill_between(times, low, high, color="0.45", linewidth=0, step="mid")
    lane = 0.42
    for segment in document["segments"]:
        onset, offset = max(segment["onset"], start), min(segment["offset"], stop)
        if offset <= onset:
            continue
        colour, hatch = label_style(segment["label"], document)
        inside = (times >= onset) & (times <= offset)
        if document["silence"]:  # events overlap, and the waveform has one colour at a time
            axes.fill_between(times, low, high, where=inside, color=colour, linewidth=0, step="mid")
        top = -1.12 - lane * lanes.index(segment["label"])
        # A bar of less than a pixel would not be seen in an hour.
        width = max(offset - onset, (stop - start) / 1500)
        bar = (top - 0.8 * lane, 0.8 * lane)
        axes.broken_barh([(onset, width)], bar, facecolor=colour, hatch=hatch, edgecolor="white", linewidth=0)
    axes.set_xlim(start, stop)
    bottom = -1.16 - lane * len(lanes)
    axes.set_ylim(bottom, 1.06)
    axes.set_yticks([-1.12 - lane * (number + 0.4) for number in range(len(lanes))], lanes, fontsize=8, minor=True)
    axes.tick_params(axis="y", which="minor", length=0)
    axes.set_yticks([-1, 0, 1], [f"{-peak:.2g}", "0", f"{peak:.2g}"], fontsize=8)
    # Beside the waveform, not beside the lanes.
    axes.set_ylabel("amplitude", y=-bottom / (1.06 - bottom), fontsize=8)
    axes.axhline(-1.06, color="0.8", linewidth=0.6)
    _mark_times(axes, stop - start)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _mark_times(axes: Any, span: float) -> None:
    """Mark whole seconds or minutes, some ten of them."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    steps = (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)
    step = next((one for one in steps if span / one <= 14), 14_400)
    axes.xaxis.set_major_locator(MultipleLocator(step))
    digits = 1 if step < 1 else 0
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda time, _: f"{int(time // 60)}:{time % 60:0{3 + digits if digits else 2}.{digits}f}")
    )
    axes.grid(axis="x", alpha=0.3, linewidth=0.6)


def label_style(label: str, document: dict[str, Any]) -> tuple[str, str]:
    """Return the colour of a label, which no other has, and its hatch."""
    from matplotlib.colors import to_hex, to_rgb

    if label == document["silence"]:
        return SILENCE_COLOUR, ""
    again, place = divmod(document["labels"].index(label), len(COLOURS))
    share = 0.5 / math.ceil(again / 2) if again else 0.0
    towards = again % 2  # white or black
    red, green, blue = ((1 - share) * part + share * towards for part in to_rgb(COLOURS[place]))
    return to_hex((red, green, blue)), HATCHES[again % len(HATCHES)]


def _save(figure: Any, path: Path) -> None:
    """Write the picture in one step, without what would make equal pictures differ."""
    import matplotlib

    form = path.suffix.lower().removeprefix(".")
    picture = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "earproof"}):
        metadata = {"Date": None, "Creator": None} if form == "svg" else {"Software": None}
        figure.savefig(picture, format=form, dpi=130, metadata=metadata)
    write_atomically(path, picture.getvalue())

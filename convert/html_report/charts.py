"""The charts of a page, drawn by matplotlib; the numbers of each stand in a table beside it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from convert.html_report.inline_svg import GRID, INK, MARKERS, SERIES, as_inline_svg, new_chart

_WIDTH = 7.2  # inches
_PANEL = 4.6  # inches of one of several panels: two stand beside each other on a desk, each fits a telephone
_ROW = 0.34  # inches a bar
_MOST_NUMBERED = 12  # labels of a confusion whose counts are written into it
_MOST_OPAQUE = 0.5  # so that a count in the ink's colour has a contrast of 4.5 in light and in dark
_MOST_LETTERS = 22  # of a label at an axis; the table beside the chart has all of it
_LETTER = 0.08  # inches
_ROOM = 30  # letters that fit below a small confusion side by side


def draw_history(history: Sequence[Mapping[str, float]], kept: int | None, name: str) -> tuple[str, ...]:
    """Return loss and the share of right decisions over the epochs, a panel each, the epoch that was kept marked."""
    measures = [measure for measure in ("loss", "accuracy", "exact_match") if measure in history[0]]
    epochs, panels = [row["epoch"] for row in history], []
    for measure in measures:
        figure, axes = new_chart(_PANEL, 2.9)
        for prefix, label, colour, line in (("", "training", SERIES[0], "-"), ("val_", "validation", SERIES[1], "--")):
            if f"{prefix}{measure}" in history[0]:
                values = [row.get(f"{prefix}{measure}", np.nan) for row in history]
                axes.plot(epochs, values, line, color=colour, label=label, marker="o" if len(epochs) < 15 else "", ms=4)
        if kept is not None:
            axes.axvline(kept, color=INK, linestyle=":", lw=1, label=f"kept: epoch {kept}")
        axes.set(xlabel="epoch", ylabel=measure.replace("_", " "))
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid(alpha=0.5)
        if measure != "loss":
            axes.set_ylim(0.0, 1.03)
        figure.legend(loc="outside upper center", frameon=False, labelcolor=INK, ncols=3, fontsize=9)
        panels.append(as_inline_svg(figure, f"{name}-{measure}"))
    return tuple(panels)


def draw_confusion(confusion: Sequence[Sequence[int]], labels: Sequence[str], name: str) -> str:
    """Return how the windows of each label were decided, stronger where a larger share of the true label is."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    counts = np.asarray(confusion)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    names = [_shortened(label) for label in labels]
    longest = max(map(len, names))
    turn = 0 if longest * len(names) <= _ROOM else 90
    side = min(_WIDTH, 1.6 + 0.5 * len(labels))
    figure, axes = new_chart(side + _LETTER * longest, side + (_LETTER * longest if turn else 0.0))
    ends = [(*to_rgb(SERIES[0]), 0.0), (*to_rgb(SERIES[0]), _MOST_OPAQUE)]
    map_of = LinearSegmentedColormap.from_list("share", ends)
    axes.pcolormesh(shares, cmap=map_of, vmin=0.0, vmax=1.0, edgecolors=GRID, linewidth=0.5)
    for row, column in np.ndindex(*counts.shape) if len(labels) <= _MOST_NUMBERED else ():
        axes.text(column + 0.5, row + 0.5, str(counts[row, column]), ha="center", va="center", color=INK)
    size = min(10.0, 46.0 * side / len(labels))  # points, so that names do not lie on each other
    axes.set_xticks(np.arange(len(labels)) + 0.5, names, rotation=turn, fontsize=size)
    axes.set_yticks(np.arange(len(labels)) + 0.5, names, fontsize=size)
    axes.set(xlabel="decided", ylabel="true", aspect="equal")
    axes.invert_yaxis()
    axes.tick_params(length=0)
    return as_inline_svg(figure, name)


def draw_labels(labels: Sequence[Mapping[str, Any]], name: str) -> str:
    """Return precision and recall of each label as bars."""
    measures = [measure for measure in ("average_precision", "precision", "recall") if measure in labels[0]]
    figure, axes = new_chart(_PANEL, 1.0 + _ROW * len(labels) * len(measures) * 0.7)
    places, height = np.arange(len(labels)), 0.8 / len(measures)
    for row, measure in enumerate(measures):
        values = [one[measure] or 0.0 for one in labels]
        offset = (row - (len(measures) - 1) / 2) * height
        axes.barh(places + offset, values, height * 0.9, color=SERIES[row], label=measure.replace("_", " "))
    axes.set_yticks(places, [_shortened(one["label"]) for one in labels])
    axes.set(xlim=(0.0, 1.0), xlabel="share")
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.5)
    axes.set_axisbelow(True)
    figure.legend(loc="outside upper center", frameon=False, labelcolor=INK, ncols=3)
    return as_inline_svg(figure, name)


def draw_front(files: Sequence[Mapping[str, Any]], front: Collection[str], measure: str, name: str) -> tuple[str, ...]:
    """Return the share of right decisions of each file over latency and over size, those of the front filled."""
    from matplotlib.lines import Line2D
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    recipes = list(dict.fromkeys(file["recipe"] for file in files))
    kinds = list(dict.fromkeys((file["model"], file["input"]) for file in files))
    handles = [
        Line2D(
            [], [], color=SERIES[place % len(SERIES)], lw=6, label=model if shape == "waveform" else f"{model}, {shape}"
        )
        for place, (model, shape) in enumerate(kinds)
    ]
    handles += [
        Line2D([], [], color=INK, lw=0, marker=MARKERS[place % len(MARKERS)], mfc="none", label=recipe)
        for place, recipe in enumerate(recipes)
    ]
    shares = [file["test"]["window"]["accuracy"] for file in files]
    costs = {
        "end to end p50 (ms)": [file["latency"]["end_to_end"]["p50_ms"] for file in files],
        "size (kB)": [file["size_bytes"] / 1000 for file in files],
    }
    panels = []
    for place, (across, values) in enumerate(costs.items()):
        figure, axes = new_chart(_PANEL, 3.9)
        for file, value, share in zip(files, values, shares, strict=True):
            colour = SERIES[kinds.index((file["model"], file["input"])) % len(SERIES)]
            face = colour if file["file"] in front else "none"
            marker = MARKERS[recipes.index(file["recipe"]) % len(MARKERS)]
            axes.plot(value, share, marker, ms=8, color=colour, mfc=face, mew=1.6)
        axes.set(xlabel=across, xscale="log", ylabel=f"test window {measure}", ylim=_share_limits(shares))
        _plain_ticks(axes.xaxis)
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.margins(x=0.12)
        axes.grid(alpha=0.5)
        figure.legend(handles=handles, loc="outside upper center", frameon=False, labelcolor=INK, ncols=2, fontsize=9)
        panels.append(as_inline_svg(figure, f"{name}-{place}"))
    return tuple(panels)


def draw_latency(entries: Sequence[tuple[str, Sequence[float]]], name: str, across: str = "end to end (ms)") -> str:
    """Return how the runs of each file spread: a box of the middle half, whiskers from 5 to 95 %, dots beyond."""
    figure, axes = new_chart(_WIDTH, 0.8 + _ROW * len(entries))
    axes.boxplot(
        [samples for _, samples in entries],
        orientation="horizontal",
        whis=(5, 95),
        widths=0.6,
        patch_artist=True,
        boxprops={"facecolor": SERIES[0], "edgecolor": SERIES[0], "alpha": 0.6},
        medianprops={"color": INK, "linewidth": 2},
        whiskerprops={"color": SERIES[0]},
        capprops={"color": SERIES[0]},
        flierprops={"marker": ".", "markersize": 3, "markerfacecolor": SERIES[1], "markeredgecolor": SERIES[1]},
    )
    axes.set_yticks(range(1, len(entries) + 1), [file for file, _ in entries])
    axes.set(xlabel=across, xscale="log")
    _plain_ticks(axes.xaxis)
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.5)
    axes.set_axisbelow(True)
    return as_inline_svg(figure, name)


def draw_drift(layers: Sequence[Mapping[str, Any]], poor_db: float, name: str) -> str:
    """Return the SNR of each layer in the order of execution, with the limit below which it is poor."""
    figure, axes = new_chart(_PANEL, 2.6)
    ordered = sorted(layers, key=lambda one: int(one["position"]))
    axes.plot(range(1, len(ordered) + 1), [one["snr_db"] for one in ordered], "o-", ms=4, color=SERIES[0])
    axes.axhline(poor_db, color=SERIES[1], linestyle="--", label=f"poor below {poor_db:g} dB")
    axes.set(xlabel="layer, in the order of execution", ylabel="SNR against float (dB)")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.5)
    axes.legend(fontsize=9, frameon=False, labelcolor=INK)
    return as_inline_svg(figure, name)


def draw_shares(
    rows: Sequence[tuple[str, float, Sequence[float] | None]], name: str, across: str, chance: float | None = None
) -> str:
    """Return shares with their intervals, the first on top, with the share of chance where it is known."""
    figure, axes = new_chart(_WIDTH, 0.9 + _ROW * len(rows))
    for place, (_, share, interval) in enumerate(rows):
        if interval:
            axes.plot(interval, [place, place], color=SERIES[0], lw=2)
        axes.plot(share, place, "o", color=SERIES[0], ms=7)
    if chance is not None:
        axes.axvline(chance, color=SERIES[1], linestyle="--", label="chance")
        axes.legend(fontsize=9, frameon=False, labelcolor=INK)
    axes.set_yticks(range(len(rows)), [label for label, *_ in rows])
    axes.set(xlim=(-0.02, 1.02), ylim=(len(rows) - 0.5, -0.5), xlabel=across)
    axes.grid(axis="x", alpha=0.5)
    axes.set_axisbelow(True)
    return as_inline_svg(figure, name)


def _shortened(label: str) -> str:
    """A label as an axis has room for it."""
    return label if len(label) <= _MOST_LETTERS else f"{label[: _MOST_LETTERS - 1]}…"


def _share_limits(shares: Sequence[float]) -> tuple[float, float]:
    """The ends of an axis of shares with room around them: none of its ticks is a share that there cannot be."""
    low, high = min(shares), max(shares)
    room = max(0.15 * (high - low), 0.05)
    return max(low - room, -room / 8), min(high + room, 1.0 + room / 8)


def _plain_ticks(axis: Any) -> None:
    """Write a logarithmic axis in plain numbers."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())

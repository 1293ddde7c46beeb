"""A matplotlib figure as SVG inside a page: text as text, the page's colours, ids of its own, equal bytes each time."""

from __future__ import annotations

import io
import re
from typing import Any

INK, GRID = "#101112", "#c3c4c5"
SERIES = ("#0072b2", "#d55e00", "#00785a", "#a2458b", "#7a6000", "#3f3a9e", "#5c6670", "#96281b")
"""Okabe and Ito's colours that colour-blind people tell apart, darkened to a contrast of 3:1 on white and more."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_VARIABLES = {INK: "--ink", GRID: "--grid"} | {colour: f"--s{place}" for place, colour in enumerate(SERIES, start=1)}
_LEAST_REM, _MOST_REM = 4.4, 6.6  # of the page's width, an inch of a figure
_ID = re.compile(r'(\bid="|xlink:href="#|href="#|url\(#)([^")]+)')
_COLOUR = re.compile("|".join(_VARIABLES))


def new_chart(width: float, height: float) -> tuple[Any, Any]:
    """Return a figure in the page's colours and its axes; size in inches."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots()


def as_inline_svg(figure: Any, name: str) -> str:
    """Return a figure as an `svg` element whose ids begin with a name, for a page that holds others.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Of `new_chart`.
    name : str
        Of the chart: letters, digits and hyphens, its own within a page.
    """
    from matplotlib import rc_context

    drawn = io.StringIO()
    with rc_context(_STYLE | {"svg.fonttype": "none", "svg.hashsalt": name}):
        figure.savefig(
            drawn, format="svg", transparent=True, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
        )
    svg = drawn.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = _ID.sub(rf"\g<1>{name}-\g<2>", svg)
    svg = _COLOUR.sub(lambda found: f"var({_VARIABLES[found[0]]})", svg)
    svg = re.sub(r"; font-family: [^;\"]*", "", re.sub(r"font: ([\d.]+px) [^;\"]+", r"font-size: \1", svg))
    # The page gives the size; the viewBox keeps the proportions.
    head = re.sub(r' (width|height|version|xmlns|xmlns:xlink|id)="[^"]*"', "", svg[: svg.index(">")])
    width = figure.get_size_inches()[0]
    size = f"min-width: {width * _LEAST_REM:.1f}rem; width: {width * _MOST_REM:.1f}rem"
    return f'{head} aria-hidden="true" style="{size}"{svg[svg.index(">") :]}'


_STYLE: dict[Any, Any] = {  # keys are those of matplotlib.rcParams
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "text.parse_math": False,  # a $ in a label is a $
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "axes.labelcolor": INK,
    "axes.prop_cycle": f"cycler('color', {list(SERIES)})",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "axes.unicode_minus": True,
    "figure.facecolor": "none",
    "grid.color": GRID,
    "legend.edgecolor": GRID,
    "legend.facecolor": "none",
    "legend.frameon": False,
    "xtick.color": GRID,
    "xtick.labelcolor": INK,
    "ytick.color": GRID,
    "ytick.labelcolor": INK,
}

"""Rows of cells as text: aligned columns, Markdown, short headings for files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath

from metadata.joined_names import join_names


def align(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return rows of cells as lines with columns under each other."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def markdown_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows, the header first, as the lines of an aligned Markdown table; a | within a cell stays in it."""
    rows = [[join_names((" ".join(cell.splitlines()),), "|") for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(size) for cell, size in zip(row, widths, strict=True)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return lines


def short_names(paths: Sequence[str]) -> dict[str, str]:
    """Return for each path the least of its last parts that no other path ends in, as a heading that fits a table."""
    parts = {path: PurePath(path).parts for path in paths}
    return {path: _short(own, [other for name, other in parts.items() if name != path]) for path, own in parts.items()}


def _short(own: tuple[str, ...], others: Sequence[tuple[str, ...]]) -> str:
    """The last parts of a path, as few as tell it from the others; all where none do."""
    sizes = (size for size in range(1, len(own)) if all(other[-size:] != own[-size:] for other in others))
    return str(PurePath(*own[-next(sizes, len(own)) :]))

"""What a page is made of, before it is HTML: sections of tables, charts, windows to play, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_NARROW = 5  # columns


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of cells, each row headed by its first cell.

    Attributes
    ----------
    caption : str
    header : tuple of str
    rows : tuple of tuple of str
        As many cells as the header.
    is_folded : bool
        Whether it is shown when it is asked for; a chart beside it says the same.
    kind : str
        "table", for the template.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    is_folded: bool = False
    kind: str = "table"

    @property
    def is_narrow(self) -> bool:
        """Whether it has room below a chart."""
        return self.is_folded or len(self.header) <= _NARROW

    def __post_init__(self) -> None:
        wrong = [row for row in self.rows if len(row) != len(self.header)]
        if wrong:
            raise ValueError(f"{self.caption}: a row has {len(wrong[0])} cells; expected {len(self.header)}")


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A drawing in SVG, in one panel or several, and what it shows in words for who does not see it."""

    panels: tuple[str, ...]
    caption: str
    description: str
    kind: str = "chart"


@dataclass(frozen=True, kw_only=True)
class Text:
    """A list of remarks, a sentence or two each, in which ** and ` mean what they mean in Markdown."""

    lines: tuple[str, ...]
    kind: str = "text"


@dataclass(frozen=True, kw_only=True)
class Missing:
    """What a page would show and a run does not hold, and why."""

    what: str
    why: str
    kind: str = "missing"


@dataclass(frozen=True, kw_only=True)
class PlayedWindow:
    """A window to hear and see; `audio` and `picture` are data URIs."""

    title: str
    facts: tuple[tuple[str, str], ...]
    audio: str
    picture: str
    description: str


@dataclass(frozen=True, kw_only=True)
class PlayedWindows:
    """Windows to hear, one beside the other."""

    windows: tuple[PlayedWindow, ...]
    kind: str = "windows"


Block = Table | Chart | Text | Missing | PlayedWindows


@dataclass(frozen=True, kw_only=True)
class Column:
    """The blocks of one run or result in a section; `name` heads them where there are several."""

    name: str
    blocks: tuple[Block, ...]

    @property
    def rows(self) -> list[list[list[Block]]]:
        """The blocks as they stand: charts with their tables below them beside each other, all else alone."""
        rows: list[list[list[Block]]] = []
        for block in self.blocks:
            is_beside = bool(rows) and isinstance(rows[-1][0][0], Chart)
            if isinstance(block, Chart) and is_beside:
                rows[-1].append([block])
            elif isinstance(block, Table) and is_beside and block.is_narrow:
                rows[-1][-1].append(block)
            else:
                rows.append([[block]])
        return rows


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading with a column for each run or result."""

    anchor: str
    title: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What comes first: one line, whether it is good news, the sentences below it, and what to do next."""

    headline: str
    is_good: bool | None = None
    lines: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A whole page; `lead` stands above the verdicts of several and is about all of them."""

    title: str
    subtitle: str
    verdicts: tuple[Verdict, ...]
    lead: Verdict | None = None
    sections: tuple[Section, ...] = ()

    @property
    def lacking(self) -> list[tuple[str, Section, Missing]]:
        """What is missing, each with the column's name and its section."""
        return [
            (column.name if len(section.columns) > 1 else "", section, block)
            for section in self.sections
            for column in section.columns
            for block in column.blocks
            if isinstance(block, Missing)
        ]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A section of one run, before several are put side by side."""

    anchor: str
    title: str
    blocks: tuple[Block, ...] = field(default_factory=tuple)


def side_by_side(parts: Mapping[str, Sequence[Part]]) -> tuple[Section, ...]:
    """Return the sections of several runs, the columns of one title beside each other in the order of the runs.

    Parameters
    ----------
    parts : mapping of str to sequence of Part
        Keys are the names of the runs.
    """
    order: dict[str, str] = {part.anchor: part.title for found in parts.values() for part in found}
    return tuple(
        Section(
            anchor=anchor,
            title=title,
            columns=tuple(
                Column(name=name, blocks=part.blocks)
                for name, found in parts.items()
                for part in found
                if part.anchor == anchor and part.blocks
            ),
        )
        for anchor, title in order.items()
    )


def as_cells(values: Sequence[Any]) -> tuple[str, ...]:
    """Return values as cells; None as a dash."""
    return tuple("–" if value is None else str(value) for value in values)

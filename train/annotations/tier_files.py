"""Annotations of ELAN and Praat: the text of an interval is its label, and every tier is read.

The libraries read what their program writes. What they would read wrongly without a word is refused here: a TextGrid
that begins elsewhere than at zero, or in whose tiers an interval is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from edge_runtime.segments.read_segments import Placed, checked_rows, named_by_file
from edge_runtime.segments.timed_rows import TimedRow
from metadata.plural import counted

_MILLISECONDS = 1000.0  # in which ELAN counts
_STEP_SECONDS = 1e-6  # that the times of a TextGrid may be apart and still meet

Rows = Iterator["TimedRow | str"]  # a str is a fault


def is_tier_file(path: Path) -> bool:
    """Return whether a file is one of ELAN or Praat, by its suffix."""
    return path.suffix.lower() in _READERS


def read_tiers(path: Path, labels: Sequence[str] | None = None) -> tuple[list[Placed], list[str]]:
    """Return the intervals of all tiers, as those of the recording that is called as the file is, and the faults.

    Parameters
    ----------
    path : Path
        `.eaf` or `.TextGrid`.
    labels : sequence of str, optional
        The only labels that may occur.

    Raises
    ------
    FileNotFoundError
        No such file.
    ValueError
        Nothing of it can be read, or the library that reads it is not installed.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path} of annotations")
    return checked_rows(_READERS[path.suffix.lower()](path), labels)


def _elan(path: Path) -> Rows:
    """The annotations of an ELAN document, those that refer to another one at its times."""
    document = _opened(path, "ELAN", "pympi-ling", _read_eaf)
    origins = {media["TIME_ORIGIN"] for media in document.media_descriptors if media.get("TIME_ORIGIN", "0") != "0"}
    if origins:
        raise ValueError(
            f"{path}: its media begin at {', '.join(sorted(origins))} ms of the document; expected 0: set the offset "
            "back in ELAN"
        )
    for tier in document.get_tier_names():
        for number, (onset, offset, text, *_) in enumerate(document.get_annotation_data_for_tier(tier), start=1):
            times = ["" if time is None else f"{time / _MILLISECONDS:.3f}" for time in (onset, offset)]
            yield _row(path, tier, f"annotation {number}", times, text)


def _praat(path: Path) -> Rows:
    """The intervals of a TextGrid that have a text."""
    grid = _opened(path, "Praat", "praatio", _read_text_grid)
    if grid.minTimestamp != 0.0:
        raise ValueError(f"{path}: begins at {grid.minTimestamp:g} s; expected 0: shift its times to zero in Praat")
    for name in grid.tierNames:
        tier = grid.getTier(name)
        if tier.tierType != "IntervalTier":
            marks = sum(bool(point.label.strip()) for point in tier.entries)
            if marks:
                what = counted(marks, "point")
                yield f"tier {name!r} holds {what} without a length; expected intervals: make some, or remove the tier"
            continue
        end = 0.0
        for number, (onset, offset, text) in enumerate(tier.entries, start=1):
            if abs(onset - end) > _STEP_SECONDS:
                yield _lost(name, end, onset)
            end = offset
            if text.strip():
                yield _row(path, name, f"interval {number}", [f"{onset!r}", f"{offset!r}"], text)
        if abs(grid.maxTimestamp - end) > _STEP_SECONDS:
            yield _lost(name, end, grid.maxTimestamp)


def _read_eaf(path: Path) -> Any:
    """An ELAN document."""
    from pympi import Eaf

    return Eaf(str(path))


def _read_text_grid(path: Path) -> Any:
    """A TextGrid with its empty intervals, by which a lost one shows."""
    from praatio.textgrid import openTextgrid

    return openTextgrid(str(path), includeEmptyIntervals=True)


def _opened(path: Path, program: str, package: str, read: Callable[[Path], Any]) -> Any:
    """What a library makes of a file."""
    try:
        return read(path)
    except ImportError as error:
        raise ValueError(
            f"{path} is a file of {program}, which {package} reads, and that is not installed: ./setup.sh in "
            "earproof's repository"
        ) from error
    except Exception as error:  # the libraries raise whatever comes, down to Exception itself
        first = path.read_bytes()[:60]
        raise ValueError(
            f"{path} is no file of {program} that {package} reads: {type(error).__name__}: {error}; it begins with "
            f"{first!r}. Open it in {program} and save it anew as text"
        ) from error


def _row(path: Path, tier: str, what: str, times: Sequence[str], text: str) -> TimedRow:
    """An interval as a row that is checked like those of tables."""
    onset, offset = times
    quoted = f"{onset} {offset} {text}"
    return TimedRow(f"tier {tier!r}, {what}", quoted, named_by_file(path), onset, offset, text)


def _lost(tier: str, first: float, last: float) -> str:
    """The fault of a tier that does not fill its time."""
    return f"tier {tier!r}: no interval from {first:g} to {last:g} s; is the file cut off? Praat's tiers have no gaps"


_READERS: dict[str, Callable[[Path], Rows]] = {".eaf": _elan, ".textgrid": _praat}

"""The files that `earproof classify` writes: one JSON document, JSON lines, or a CSV table."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from edge_runtime.phone.harness import displayed
from metadata.csv_line import csv_line
from metadata.joined_names import join_names

Line = dict[str, Any]


def write_document(lines: Iterable[Line], out: TextIO) -> None:
    """Write one JSON document: the model, and each recording with its windows or ticks."""
    lines = iter(lines)
    out.write(f'{{"model": {_json(next(lines)["model"])},\n"recordings": [')
    for number, opening in enumerate(lines):  # each round of this loop takes the lines of one recording
        out.write(",\n" if number else "\n")
        _write_recording(opening, lines, out)
    out.write("\n]}\n")


def write_lines(lines: Iterable[Line], out: TextIO) -> None:
    """Write JSON lines: the model, then for each recording a line that names it, its rows, and its end."""
    for line in lines:
        out.write(_json(line) + "\n")


def write_table(lines: Iterable[Line], out: TextIO) -> None:
    """Write a CSV table, one row a window or tick; the last column, `kind`, says so.

    A recording ends with a row of the kind `clip`, which has what its windows make together, without times and level.
    One that could not be read to its end has a row of the kind `error` instead, with file and error alone.
    """
    lines = iter(lines)
    header = next(lines)
    labels, counts = header["model"]["labels"], header["model"].get("counts", [])
    times = ["seconds"] if header["settings"]["phone"] else ["start_seconds", "end_seconds"]
    counted = ["count", *(f"score_{count}" for count in counts)] if counts else []
    scores = [f"score_{label}" for label in labels]
    columns = ["file", *times, "level_dbfs", "silent", "error", *counted, "decision", *scores, "kind"]
    if len(set(columns)) < len(columns):
        raise ValueError(
            f"a label is called as a number of sources, {' or '.join(counts)}, and their columns would have one name; "
            "write --out as .json or .jsonl"
        )
    out.write(csv_line(columns))
    for row in _with_file(lines):
        if "error" in row:
            out.write(csv_line([row.get(name, "") for name in columns]))
            continue
        level = ["", ""] if row["kind"] == "clip" else _level_cells(row)
        cells = [row["file"], *(row.get(name, "") for name in times), *level, ""]
        cells += [row["count"], *row["count_scores"].values()] if counts else []
        out.write(csv_line([*cells, decision_text(row["decision"]), *row["scores"].values(), row["kind"]]))


WRITERS: dict[str, Callable[[Iterable[Line], TextIO], None]] = {
    ".json": write_document,
    ".jsonl": write_lines,
    ".csv": write_table,
}


def check_suffix(path: Path) -> None:
    """Refuse a file whose suffix stands for none of the formats.

    Raises
    ------
    ValueError
        With the suffixes that do.
    """
    if path.suffix not in WRITERS:
        raise ValueError(f"--out is {path}; expected a name that ends in {', '.join(WRITERS)}")


def decision_text(decision: str | list[str] | tuple[str, ...] | None) -> str:
    """Return a decision as text, several labels with a plus between them (`join_names`), none as nothing."""
    return decision if isinstance(decision, str) else join_names(decision or (), "+")


def _level_cells(row: Line) -> list[Any]:
    """Return the level and whether it is silence; JSON has no minus infinity, a table may."""
    return ["-inf" if row["level_dbfs"] is None else row["level_dbfs"], "true" if row["silent"] else "false"]


def _write_recording(opening: Line, lines: Iterator[Line], out: TextIO) -> None:
    """Write one recording as a JSON object, row by row, and take its lines."""
    was_read = opening["duration_seconds"] is not None
    out.write(f'{{"file": {_json(opening["recording"])}')
    if was_read:
        rows = "ticks" if opening["phone"] else "windows"
        out.write(f', "duration_seconds": {_json(opening["duration_seconds"])}, "{rows}": [')
    line, between = next(lines), "\n"
    while "scores" in line:
        out.write(between + _json(_shown(line) if opening["phone"] and "count" not in line else line))
        line, between = next(lines), ",\n"
    out.write("]" if was_read else "")
    out.write(f", {_json(line.get('phone', line))[1:-1]}}}")  # how it ended


def _with_file(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield the rows, the clips and the errors, each with its kind and the recording it belongs to."""
    name = ""
    for line in lines:
        if "recording" in line:
            name = line["recording"]
        elif "clip" in line:
            yield {"file": name, **line["clip"], "kind": "clip"}
        elif "scores" in line:
            yield {"file": name, **line, "kind": "window" if "start_seconds" in line else "tick"}
        elif "error" in line:
            yield {"file": name, **line, "kind": "error"}


def _shown(tick: Line) -> Line:
    """Return a tick as the app shows it."""
    labels = tuple(tick["scores"])
    shown = displayed(np.array(list(tick["scores"].values()), np.float32), labels)
    level = {"level_dbfs": tick["level_dbfs"], "silent": tick["silent"]}
    entries = [{"label": label, "score": score} for label, score in shown]
    return {"seconds": tick["seconds"], **level, "shown": entries}


def _json(value: Any) -> str:
    """Return a value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False)

"""What `earproof timeline` writes: a CSV table with a row a second, one JSON document, or JSON lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TextIO

from edge_runtime.classify.output_files import Line, decision_text, write_lines
from metadata.csv_line import csv_line


def write_seconds(lines: Iterable[Line], out: TextIO) -> None:
    """Write a CSV table: recording, second, labels with a plus between them, scores, level.

    A recording that could not be read has one row, with the recording and the error alone.
    """
    lines = iter(lines)
    labels = next(lines)["model"]["labels"]
    out.write(csv_line(["recording", "second", "labels", *(f"score_{label}" for label in labels), *_LAST]))
    name = ""
    for line in lines:
        if "recording" in line:
            name = line["recording"]
        elif "scores" in line:
            level = "-inf" if line["level_dbfs"] is None else line["level_dbfs"]
            decided = decision_text(line["decision"])
            out.write(csv_line([name, int(line["start_seconds"]), decided, *line["scores"].values(), level, ""]))
        elif "error" in line:
            out.write(csv_line([name, "", "", *[""] * len(labels), "", line["error"]]))


def write_document(lines: Iterable[Line], out: TextIO) -> None:
    """Write one JSON document: the model, each recording with its seconds, segments and totals, and totals of all."""
    lines = iter(lines)
    totals: dict[str, float] = {}
    out.write(f'{{"model": {_json(next(lines)["model"])},\n"recordings": [')
    begun, between = False, ""
    for line in lines:
        if "recording" in line:
            out.write(",\n" if begun else "\n")
            head = {"file": line["recording"], "duration_seconds": line["duration_seconds"]}
            out.write(f'{_json(head)[:-1]}, "seconds": [')
            begun, between = True, "\n"
        elif "scores" in line:
            out.write(between + _json({name: value for name, value in line.items() if name not in _OF_LOG}))
            between = ",\n"
        else:
            end = line.get("clip", line)
            for label, seconds in end.get("totals", {}).items():
                totals[label] = totals.get(label, 0.0) + seconds
            out.write(f"], {_json(_without_merge(end))[1:-1]}}}")
    out.write(f'\n], "totals": {_json(totals)}}}\n')


WRITERS: dict[str, Callable[[Iterable[Line], TextIO], None]] = {
    ".csv": write_seconds,
    ".json": write_document,
    ".jsonl": write_lines,
}
_OF_LOG = ("borders", "runs")  # of which the segments are made
_LAST = ("level_dbfs", "error")


def _without_merge(end: Line) -> Line:
    """Return how a recording ended, without the name of the rule that a log is known by."""
    return {name: value for name, value in end.items() if name != "merge"}


def _json(value: object) -> str:
    """Return a value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False)

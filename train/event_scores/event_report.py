"""Systems side by side on annotated recordings: as a document, as lines for people, as rows of a table."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy.typing as npt

from edge_runtime.scoring.intervals import count_groups
from edge_runtime.tables import align, short_names
from metadata.csv_line import csv_line
from metadata.plural import counted
from metadata.signed import signed
from train.event_scores.borders import border_errors
from train.event_scores.event_counts import AVERAGES
from train.event_scores.measured import ALL, EventMeasuring, Key, Measured, is_one_label
from train.event_scores.psds import FrameScoresOf
from train.event_scores.recordings import Segments, labels_of
from train.event_scores.seconds import judge_seconds

_TOTALS: dict[Key, str] = {
    ("segment_f1", "micro"): "segment F1, micro",
    ("segment_f1", "macro"): "segment F1, macro",
    ("segment_precision", "micro"): "segment precision, micro",
    ("segment_recall", "micro"): "segment recall, micro",
    ("segment_error_rate", "micro"): "segment error rate, micro",
    ("event_f1", "micro"): "event F1, micro",
    ("event_f1", "macro"): "event F1, macro",
    ("event_precision", "micro"): "event precision, micro",
    ("event_recall", "micro"): "event recall, micro",
    ("event_error_rate", "micro"): "event error rate, micro",
    ("psds1", ALL): "PSDS, scenario 1",
    ("psds2", ALL): "PSDS, scenario 2",
    ("accuracy", ALL): "accuracy by second",
    ("segment_error_rate", ALL): "segment error rate, by time",
    ("border_error_median", ALL): "border error, median (s)",
    ("border_error_p95", ALL): "border error, 95 % (s)",
}
_BY_LABEL = {"segment_f1": "segment F1", "event_f1": "event F1"}
FEW_RECORDINGS = 5  # with a label; resampled, fewer hardly differ, and the interval collapses
CSV_COLUMNS = (
    "system",
    "measure",
    "label",
    "value",
    "lower",
    "upper",
    "difference",
    "difference_lower",
    "difference_upper",
)


def judge_systems(
    reference: Segments,
    systems: Mapping[str, Segments],
    groups: npt.ArrayLike,
    measuring: EventMeasuring,
    seconds: Mapping[str, float] | None = None,
    frames: Mapping[str, Mapping[str, FrameScoresOf]] | None = None,
) -> dict[str, Any]:
    """Measure systems on the same recordings, each against the first, and return the report for JSON.

    Parameters
    ----------
    reference : mapping of str to sequence of Segment
        By recording.
    systems : mapping of str to Segments
        What each system found.
    groups : array_like, shape (n_recordings,) or (n_recordings, k)
        In the order of `reference`; drawn together for the intervals.
    measuring : EventMeasuring
    seconds : mapping of str to float, optional
        The length of each recording.
    frames : mapping of str to mapping, optional
        The frame scores of systems that have some.

    Raises
    ------
    ValueError
        As for the measures.
    """
    weights = measuring.weights(groups)
    is_stamped, labels = is_one_label(reference), labels_of(reference)
    found: dict[str, dict[Key, Measured]] = {}
    documents = []
    for name, segments in systems.items():
        own = (frames or {}).get(name)
        found[name] = measuring.measure_events(reference, segments, weights, own, seconds)
        if is_stamped:
            found[name] |= measuring.measure_time_stamps(reference, segments, weights, seconds)
        first = next(iter(found.values()))
        document: dict[str, Any] = {"name": name, "measures": _rows(found[name], {} if len(found) == 1 else first)}
        if is_stamped:
            document |= _time_stamps(reference, segments, seconds)
        documents.append(document)
    return {
        "num_recordings": len(reference),
        "num_groups": count_groups(groups),
        "labels": list(labels),
        "recordings_by_label": {
            label: sum(any(one.label == label for one in events) for events in reference.values()) for label in labels
        },
        "segment_seconds": measuring.segment_seconds,
        "collar_seconds": measuring.collar_seconds,
        "offset_share": measuring.offset_share,
        "num_resamples": measuring.num_resamples,
        "systems": documents,
    }


def event_lines(report: Mapping[str, Any]) -> list[str]:
    """Return the report for people."""
    systems = report["systems"]
    by_key = [{(row["measure"], row["label"]): row for row in one["measures"]} for one in systems]
    head = (
        f"{counted(report['num_recordings'], 'recording')} in {counted(report['num_groups'], 'group')}; segments of "
        f"{report['segment_seconds']:g} s, collar {report['collar_seconds']:g} s, offset "
        f"{report['offset_share']:.0%} of the length; 95 % intervals by the bootstrap over groups"
    )
    short = short_names([one["name"] for one in systems])
    names = list(short.values())
    keys = [key for key in _TOTALS if any(key in one for one in by_key)]
    rows = [("", *names), *((_TOTALS[key], *(_cell(one.get(key)) for one in by_key)) for key in keys)]
    labels = sorted({label for one in by_key for _, label in one} - {*AVERAGES, ALL})
    for measure, title in _BY_LABEL.items():
        rows += [(f"{title}, {label}", *(_cell(one.get((measure, label))) for one in by_key)) for label in labels]
    lines = [head, "", *align(rows), *_few_lines(report)]
    if len(systems) > 1:
        differing = [("", *names[1:])]
        differing += [(_TOTALS[key], *(_difference_cell(one.get(key)) for one in by_key[1:])) for key in keys]
        lines += ["", f"difference to {names[0]}, paired", "", *align(differing)]
    for one in systems:
        lines += _confusion_lines(one, short[one["name"]])
    return lines


def event_csv(report: Mapping[str, Any]) -> str:
    """Return the report as CSV, a row a system, measure and label."""
    lines = [csv_line(CSV_COLUMNS)]
    for system in report["systems"]:
        for row in system["measures"]:
            interval, difference = row["interval"] or (None, None), row.get("difference")
            ends = row.get("difference_interval") or (None, None)
            lines.append(
                csv_line((system["name"], row["measure"], row["label"], row["value"], *interval, difference, *ends))
            )
    return "".join(lines)


def _rows(measured: Mapping[Key, Measured], first: Mapping[Key, Measured]) -> list[dict[str, Any]]:
    """Each measure with its interval and, where there is a first system, its difference to that."""
    rows = []
    for (measure, label), one in measured.items():
        row = {"measure": measure, "label": label, "value": _number(one.value), "interval": _pair(one.interval())}
        if (measure, label) in first:
            difference, ends = one.above(first[measure, label])
            row |= {"difference": _number(difference), "difference_interval": _pair(ends)}
        rows.append(row)
    return rows


def _time_stamps(reference: Segments, estimated: Segments, seconds: Mapping[str, float] | None) -> dict[str, Any]:
    """The confusion by second and what is missed of the borders."""
    judged, borders = judge_seconds(reference, estimated, seconds), border_errors(reference, estimated, seconds)
    return {
        "confusion": {"labels": list(judged.labels), "seconds": judged.confusion.tolist()},
        "borders": {"annotated": int(borders.distances.size), "missed": borders.num_missed},
    }


def _few_lines(report: Mapping[str, Any]) -> list[str]:
    """Which labels have intervals that are too narrow, if any."""
    few = {label: count for label, count in report["recordings_by_label"].items() if count < FEW_RECORDINGS}
    if not few:
        return []
    named = ", ".join(f"{label} ({count})" for label, count in few.items())
    return ["", f"few recordings have {named}: the intervals of these labels are too narrow to be trusted"]


def _confusion_lines(system: Mapping[str, Any], name: str) -> Iterator[str]:
    """The confusion of one system, where it has one."""
    if "confusion" not in system:
        return
    labels, borders = system["confusion"]["labels"], system["borders"]
    yield ""
    yield f"{name}: seconds by annotated label (rows) and found label (columns)"
    yield ""
    rows = zip(labels, system["confusion"]["seconds"], strict=True)
    yield from align([("", *labels), *((label, *map(str, row)) for label, row in rows)])
    yield f"{borders['missed']} of {counted(borders['annotated'], 'border')} have no found border of the same change"


def _cell(row: Mapping[str, Any] | None) -> str:
    """A value with its interval."""
    if row is None or row["value"] is None:
        return "-"
    return f"{row['value']:.3f}{_interval_text(row['interval'])}"


def _difference_cell(row: Mapping[str, Any] | None) -> str:
    """A difference with its interval."""
    if row is None or row.get("difference") is None:
        return "-"
    return f"{signed(row['difference'], 3)}{_interval_text(row['difference_interval'], plus=True)}"


def _interval_text(interval: Sequence[float | None] | None, plus: bool = False) -> str:
    """An interval in brackets, an open end as infinite, nothing where there is none."""
    if interval is None:
        return ""
    low, high = ("inf" if end is None else signed(end, 3, plus) for end in interval)
    return f" [{low}, {high}]"


def _number(value: float) -> float | None:
    """A finite number, which JSON can hold, or None."""
    return value if math.isfinite(value) else None


def _pair(ends: tuple[float, float]) -> list[float | None] | None:
    """The ends of an interval for JSON, None where there is none; an infinite end is None."""
    return None if math.isnan(ends[0]) else [_number(end) for end in ends]

"""The verdict and the sections of what `earproof bench` and `earproof evaluate` printed as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from convert.html_report.charts import draw_shares
from convert.html_report.file_parts import timing_blocks
from convert.html_report.page_parts import Block, Chart, Missing, Part, Table, Verdict
from convert.html_report.training_parts import confusion_of, fold_blocks, labels_of, points_cell
from edge_runtime.machine.describe import machine_line
from edge_runtime.machine.state import state_line
from edge_runtime.tables import short_names
from metadata.plural import counted
from train.evaluation.evaluation_text import JUDGED, headline, share_cell, share_name
from train.event_scores.measured import ALL

Document = Mapping[str, Any]
Result = tuple[str, Verdict, list[Part]]
"""What a document is about, its verdict and its sections."""
_MOST_OPERATORS = 12
_CHARTED = ("segment_f1", "event_f1", "accuracy", "psds1")  # measures of events that are shares


def bench_result(document: Document, key: str) -> Result:
    """Return a result of `earproof bench`, as `edge_runtime.bench.result.make_document` gives it."""
    entries = document["files"]
    threads = len({entry["num_threads"] for entry in entries}) > 1
    named = [{**entry, "name": _entry_name(entry, threads)} for entry in entries]
    fastest = min(named, key=lambda one: one["end_to_end"]["p50_ms"])
    verdict = Verdict(
        headline=f"Fastest: `{fastest['name']}`, {fastest['end_to_end']['p50_ms']:.2f} ms a window end to end.",
        lines=(machine_line(document["machine"]), *(f"Warning: {text}." for text in document["warnings"])),
    )
    states = Table(
        caption="The machine",
        header=("fact", "value"),
        rows=(
            *((name, str(value)) for name, value in document["machine"].items()),
            ("before", state_line(document["state_before"])),
            ("after", state_line(document["state_after"])),
        ),
    )
    parts = [
        Part(anchor="latency", title="Latency", blocks=tuple(timing_blocks(named, key))),
        Part(anchor="start", title="Cold start and memory", blocks=tuple(_starts(named))),
        Part(anchor="operators", title="Operators", blocks=tuple(_operators(named))),
        Part(anchor="sustained", title="At the phone's pace", blocks=tuple(_sustained(named))),
        Part(anchor="machine", title="Machine", blocks=(states,)),
    ]
    return f"bench of {counted(len(entries), 'measurement')}", verdict, parts


def labels_result(document: Document, key: str) -> Result:
    """Return models that were judged on recordings with labels."""
    systems = document["systems"]
    short = short_names([one["name"] for one in systems])
    tests = {short[one["name"]]: one["evaluations"] for one in systems}
    share = share_name(systems[0]["evaluations"]["window"])
    rows = [_judged_row(name, level, found) for name, test in tests.items() for level, found in test.items()]
    differences = [
        (short[one["name"]], points_cell(one["difference"]), one["difference"]["over"])
        for one in systems
        if one["difference"]
    ]
    first = next(iter(tests))
    bars = [(name, test["window"]["accuracy"], test["window"]["interval"]) for name, test in tests.items()]
    header = ("system", "judged", share, "macro F1", "decisions", "groups")
    shares: list[Block] = [
        _share_chart(bars, f"test window {share}", f"{key}-shares"),
        Table(caption="95 % intervals over groups", header=header, rows=tuple(rows)),
    ]
    if differences:
        against = ("system", f"points above {first}, paired", "over")
        shares.append(Table(caption=f"Against {first}", header=against, rows=tuple(differences)))
    windows = [(f"{name}: {headline(test['window'])}", test["window"]) for name, test in tests.items()]
    confusions = [
        block for place, one in enumerate(windows) for block in confusion_of(*one, f"{key}-confusion-{place}")
    ]
    labels = [
        block
        for place, (name, test) in enumerate(tests.items())
        for block in labels_of(name, test["window"], f"{key}-labels-{place}")
    ]
    most = max(float(test["window"]["accuracy"]) for test in tests.values())
    best = [name for name, test in tests.items() if test["window"]["accuracy"] == most]
    where = f"{document['data']}, side {document['side']}"
    verdict = Verdict(
        headline=f"Most often right: {_quoted(best)}, {headline(tests[best[0]]['window'])}.", lines=(where,)
    )
    parts = [
        Part(anchor="shares", title="How often each is right", blocks=tuple(shares)),
        Part(anchor="confusion", title="Confusion", blocks=tuple(confusions)),
        Part(anchor="labels", title="Each label", blocks=tuple(labels)),
    ]
    return f"{counted(len(systems), 'system')} on {where}", verdict, parts


def events_result(document: Document, key: str) -> Result:
    """Return systems that were judged on annotated recordings, as `train.event_scores.event_report` gives them."""
    systems = document["systems"]
    short = short_names([one["name"] for one in systems])
    found = {short[one["name"]]: {(row["measure"], row["label"]): row for row in one["measures"]} for one in systems}
    keys = dict.fromkeys(key for rows in found.values() for key in rows)
    rows = [
        (measure.replace("_", " "), label, *(_event_cell(one.get((measure, label))) for one in found.values()))
        for measure, label in keys
    ]
    charts: list[Block] = []
    for measure, label in keys:
        shown = [(name, one[measure, label]) for name, one in found.items() if (measure, label) in one]
        if measure in _CHARTED and label in ("micro", ALL):
            bars = [(name, row["value"], _ends(row, "interval")) for name, row in shown if row["value"] is not None]
            title = f"{measure.replace('_', ' ')} {label}".strip()
            charts += [_share_chart(bars, title, f"{key}-{measure}")] if bars else []
    table = Table(
        caption=f"{counted(document['num_recordings'], 'recording')} in {counted(document['num_groups'], 'group')}; "
        f"segments of {document['segment_seconds']:g} s, collar {document['collar_seconds']:g} s; 95 % intervals over "
        "groups; behind the semicolon the paired difference to the first system",
        header=("measure", "label", *found),
        rows=tuple(rows),
    )
    verdict = Verdict(headline=_best_of_events(found))
    what = f"{counted(len(systems), 'system')} on {counted(document['num_recordings'], 'recording')}"
    return what, verdict, [Part(anchor="events", title="Measures of events", blocks=(*charts, table))]


def _best_of_events(found: Mapping[str, Mapping[tuple[str, str], Document]]) -> str:
    """Which system has the highest value of the first measure that all labels share."""
    for measure in _CHARTED:
        for label in ("micro", ALL):
            rows = {name: one[measure, label] for name, one in found.items() if (measure, label) in one}
            rows = {name: row for name, row in rows.items() if row["value"] is not None}
            if rows:
                most = max(row["value"] for row in rows.values())
                best = [name for name, row in rows.items() if row["value"] == most]
                title = f"{measure.replace('_', ' ')} {label}".strip()
                return f"Highest {title}: {_quoted(best)}, {_value_cell(rows[best[0]])}."
    return f"{counted(len(found), 'system')} on annotated recordings; none has a measure of all labels."


def folds_result(document: Document, key: str) -> Result:
    """Return a cross-validation."""
    best = max(document["candidates"], key=lambda one: float(one["clip"]["share"]))
    share = share_cell(best["clip"]["share"], best["clip"]["interval"])
    as_good = [name for name in document.get("as_good", ()) if name != best["name"]]
    lines = (f"Cannot be told from it: {', '.join(as_good)}.",) if as_good else ()
    verdict = Verdict(headline=f"Best: `{best['name']}`, clips right {share}.", lines=lines)
    part = Part(anchor="folds", title="Cross-validation", blocks=tuple(fold_blocks(document, key)))
    return f"cross-validation of {counted(len(document['candidates']), 'candidate')}", verdict, [part]


def result_of(document: Document) -> Callable[[Document, str], Result] | None:
    """Return what makes the sections of a document of `earproof evaluate`; None for one of another kind."""
    if "candidates" in document and "folds" in document:
        return folds_result
    systems = document.get("systems") or []
    if not isinstance(systems, Sequence) or not all(isinstance(one, Mapping) for one in systems):
        return None
    if systems and all("evaluations" in one for one in systems):
        return labels_result
    return events_result if systems and all("measures" in one for one in systems) else None


def _judged_row(name: str, level: str, found: Document) -> tuple[str, ...]:
    """How one system does, judged by windows or by clips."""
    counts = (str(found["num_decisions"]), str(found["num_groups"]))
    share = share_cell(found["accuracy"], found["interval"])
    return (name, JUDGED.get(level, level), share, f"{found['macro_f1']:.3f}", *counts)


def _entry_name(entry: Document, threads: bool) -> str:
    """The file's name, and the threads where they differ."""
    name = PurePath(entry["file"]).name
    return f"{name}, {counted(entry['num_threads'], 'thread')}" if threads else name


def _starts(entries: Sequence[Document]) -> list[Block]:
    """Cold start and memory."""
    rows = [
        (
            entry["name"],
            f"{start['first_label']['p50_ms']:.0f}",
            f"{start['first_label']['max_ms']:.0f}",
            *(f"{start[part]['p50_ms']:.1f}" for part in ("import_ms", "open_ms", "first_inference_ms")),
            _number(start["memory"]["peak_mib"], 1),
            _number(start["memory"]["arena_bytes"], 1024),
        )
        for entry in entries
        if (start := entry.get("cold_start"))
    ]
    if not rows:
        return [Missing(what="cold start and memory", why="`earproof bench` was told to leave them out")]
    header = ("file", "p50 (ms)", "max (ms)", "import (ms)", "open (ms)", "first inference (ms)", "peak RSS (MiB)")
    caption = "From process start to the first label, in fresh processes; medians of its parts"
    return [Table(caption=caption, header=(*header, "arena (KiB)"), rows=tuple(rows))]


def _operators(entries: Sequence[Document]) -> list[Block]:
    """What takes the time, file by file."""
    blocks: list[Block] = []
    for entry in entries:
        profile = entry.get("operators")
        if profile and profile["operators"]:
            worst = sorted(profile["operators"], key=lambda one: -one["share"])[:_MOST_OPERATORS]
            rows = tuple(
                (one["name"], str(one["place"]), f"{one['mean_us']:.1f}", f"{one['share']:.1%}") for one in worst
            )
            caption = f"{entry['name']}, the slowest of {counted(len(profile['operators']), 'operator')}"
            blocks.append(Table(caption=caption, header=("operator", "place", "mean (us)", "share"), rows=rows))
        elif profile:
            blocks.append(Missing(what=f"the operators of {entry['name']}", why=profile["reason"]))
    return blocks or [Missing(what="the time of each operator", why="`earproof bench` was not asked for it")]


def _sustained(entries: Sequence[Document]) -> list[Block]:
    """Minutes at the pace of a phone."""
    rows = [
        (
            entry["name"],
            f"{run['seconds'] / 60:g}",
            *(str(run[name]) for name in ("num_ticks", "missed_ticks", "skipped_ticks", "lost_samples")),
            *(f"{run['end_to_end'][part]:.2f}" for part in ("p50_ms", "p99_ms", "max_ms")),
        )
        for entry in entries
        if (run := entry.get("sustained"))
    ]
    if not rows:
        return [Missing(what="minutes at the phone's pace", why="`earproof bench` was not asked for them")]
    header = ("file", "minutes", "ticks", "missed", "skipped", "lost samples", "p50 (ms)", "p99 (ms)", "max (ms)")
    return [Table(caption="Missed: no label before the next tick was due", header=header, rows=tuple(rows))]


def _share_chart(rows: Sequence[tuple[str, float, Sequence[float] | None]], across: str, name: str) -> Chart:
    """Shares with their intervals."""
    told = f"{across} of {counted(len(rows), 'system')}; the table below has the numbers."
    return Chart(panels=(draw_shares(rows, name, across),), caption=across, description=told)


def _event_cell(row: Document | None) -> str:
    """A value, its interval, and the difference to the first system."""
    if row is None or row["value"] is None:
        return "–"
    cell = _value_cell(row)
    if row.get("difference") is None:
        return cell
    return f"{cell}; {row['difference']:+.3f}{_interval_cell(_ends(row, 'difference_interval'), '+.3f')}"


def _value_cell(row: Document) -> str:
    """A value and its interval."""
    return f"{row['value']:.3f}{_interval_cell(_ends(row, 'interval'), '.3f')}"


def _interval_cell(ends: Sequence[float] | None, digits: str) -> str:
    """An interval in square brackets, nothing where there is none."""
    return f" [{ends[0]:{digits}}, {ends[1]:{digits}}]" if ends else ""


def _ends(row: Document, name: str) -> Sequence[float] | None:
    """The interval of that name, None where there is none."""
    ends = row.get(name)
    return ends if ends and None not in ends else None


def _quoted(names: Sequence[str]) -> str:
    """Names as code, one after the other."""
    return " and ".join(f"`{name}`" for name in names)


def _number(value: float | None, unit: int) -> str:
    """A number in a unit, a dash where it was not told."""
    return "–" if value is None else f"{value / unit:.1f}"

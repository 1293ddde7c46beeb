"""What `earproof bench` found: the JSON document with every sample, and the table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edge_runtime.machine.describe import machine_line
from edge_runtime.machine.state import state_line, state_warnings
from edge_runtime.tables import align
from metadata.plural import counted

FORMAT = "earproof bench"
FORMAT_VERSION = 1
_STATISTICS = ("p50", "p90", "p95", "p99", "max", "mean", "std")


def make_document(
    machine: dict[str, Any], before: dict[str, Any], after: dict[str, Any], entries: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return everything that was measured for JSON.

    Parameters
    ----------
    machine : dict
        As `describe_machine` gives it.
    before, after : dict
        As `read_machine_state` gives it, around the measuring.
    entries : list of dict
        One a file and number of threads: `file`, `audio`, `audio_sha256`, the fields of `LatencyReport`, and
        `cold_start`, `operators` and `sustained`, each None where it was not asked for.
    """
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "machine": machine,
        "state_before": before,
        "state_after": after,
        "warnings": state_warnings(before, after, machine["cores"]),
        "files": entries,
    }


def read_document(path: Path) -> dict[str, Any]:
    """Read a document that `earproof bench --out` wrote.

    Raises
    ------
    FileNotFoundError
        No such file.
    ValueError
        Not such a document.
    """
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path} does not exist; expected what earproof bench --out wrote") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no JSON document: {error}") from error
    found = (document.get("format"), document.get("format_version")) if isinstance(document, dict) else (None, None)
    if found != (FORMAT, FORMAT_VERSION):
        what = f"a document {found[0]!r}, version {found[1]!r}" if found[0] else "a document of another kind"
        raise ValueError(f"{path} is {what}; expected what earproof bench --out wrote, version {FORMAT_VERSION}")
    fault = _find_fault(document)
    if fault:
        raise ValueError(f"{path}: {fault}; was it cut or edited? Run earproof bench again")
    return dict(document)


def format_document(document: dict[str, Any]) -> str:
    """Return the document as tables for people, with the machine under them."""
    entries = document["files"]
    parts = [_latency_table(entries)]
    if any(entry["cold_start"] for entry in entries):
        parts.append(_start_table(entries))
    if any(entry["sustained"] for entry in entries):
        parts.append(_sustained_table(entries))
    parts.append(_footer(document))
    return "\n\n".join(parts)


def _latency_table(entries: list[dict[str, Any]]) -> str:
    """Two rows an entry: invoke and end to end, in milliseconds."""
    rows: list[tuple[str, ...]] = [("file", "threads", "ms", *_STATISTICS, "real-time factor")]
    for entry in entries:
        names = Path(entry["file"]).name, str(entry["num_threads"])
        rows.append((*names, "invoke", *_statistics(entry["invoke"]), ""))
        rows.append((*names, "end to end", *_statistics(entry["end_to_end"]), f"{entry['real_time_factor']:.5f}"))
    first = entries[0]
    note = (
        f"{counted(first['num_runs'], 'run')} after {counted(first['warmup_runs'], 'warm-up run')}; "
        "real-time factor: mean end to end over window length"
    )
    return "\n".join([*align(rows), note, *_work_lines(entries), *_audio_lines(entries)])


def _work_lines(entries: list[dict[str, Any]]) -> list[str]:
    """Say how many multiplications each file needs; results of older versions do not know."""
    counted_once = {Path(entry["file"]).name: entry for entry in entries if "multiply_accumulates" in entry}
    return [
        f"{name}: {entry['multiply_accumulates'] / 1e6:,.1f} million multiply-accumulates a window, "
        f"{entry['multiply_accumulates'] / entry['window_seconds'] / 1e6:,.1f} million a second of sound"
        for name, entry in counted_once.items()
    ]


def _audio_lines(entries: list[dict[str, Any]]) -> list[str]:
    """Say which audio was used, and what of resampling is in the figures."""
    lines = []
    for entry in entries:
        audio = entry["audio"] if isinstance(entry["audio"], str) else ", ".join(entry["audio"])
        resampled = entry["sample_rate"] != entry["model_sample_rate"]
        line = f"audio: {counted(entry['num_windows'], 'window')} of {audio} at {entry['sample_rate']} Hz" + (
            f"; end-to-end includes resampling to {entry['model_sample_rate']} Hz"
            if resampled
            else ", the model's own rate: nothing to resample"
        )
        lines += [line] if line not in lines else []
    return lines


def _start_table(entries: list[dict[str, Any]]) -> str:
    """One row an entry: cold start, its parts, and memory."""
    head = "file, threads, KiB, cold start ms p50, p90, max, import, open, first inference"
    rows: list[tuple[str, ...]] = [
        (*head.split(", "), "peak RSS MiB", "of it the model", "arena KiB", "without delegate")
    ]
    for entry in entries:
        start = entry["cold_start"]
        if start is None:
            continue
        memory = start["memory"]
        rows.append(
            (
                Path(entry["file"]).name,
                str(entry["num_threads"]),
                f"{entry['model_bytes'] / 1024:.0f}",
                *(f"{start['first_label'][part]:.0f}" for part in ("p50_ms", "p90_ms", "max_ms")),
                *(f"{start[part]['p50_ms']:.1f}" for part in ("import_ms", "open_ms", "first_inference_ms")),
                _number(memory["peak_mib"], 1),
                _number(_difference(memory["first_label_mib"], memory["imported_mib"]), 1),
                _number(memory["arena_bytes"], 1024),
                _number(memory["arena_without_delegate_bytes"], 1024),
            )
        )
    runs = next(entry["cold_start"]["num_runs"] for entry in entries if entry["cold_start"])
    note = (
        f"cold start: process start to first label, {runs} fresh processes, medians of its parts; arena: what the "
        "interpreter's own tensors lie in, by their addresses (XNNPACK's own memory is in the RSS alone)"
    )
    return "\n".join([*align(rows), note])


def _sustained_table(entries: list[dict[str, Any]]) -> str:
    """One row an entry: minutes at the phone's pace."""
    head = "file, threads, minutes, ticks, missed, skipped, lost samples, end to end ms p50, p99, max"
    rows: list[tuple[str, ...]] = [(*head.split(", "), "tick late ms p99", "max", "degrees C", "throttled")]
    for entry in entries:
        run = entry["sustained"]
        if run is None:
            continue
        took, late = run["end_to_end"], run["start_delay"]
        rows.append(
            (
                Path(entry["file"]).name,
                str(entry["num_threads"]),
                f"{run['seconds'] / 60:g}",
                str(run["num_ticks"]),
                str(run["missed_ticks"]),
                str(run["skipped_ticks"]),
                str(run["lost_samples"]),
                *(f"{took[part]:.2f}" for part in ("p50_ms", "p99_ms", "max_ms")),
                *(f"{late[part]:.2f}" for part in ("p99_ms", "max_ms")),
                _span([state["temperature_celsius"] for state in run["states"]]),
                _held_back(run["states"]),
            )
        )
    note = "missed: no label before the next 500 ms tick was due; skipped: of these, never begun"
    return "\n".join([*align(rows), note])


def _footer(document: dict[str, Any]) -> str:
    """Return the machine and its state, and what speaks against quoting the figures."""
    machine = document["machine"]
    revision = f", revision {machine['revision']}" if "revision" in machine else ""
    lines = [
        machine_line(machine) + revision,
        f"before: {state_line(document['state_before'])}",
        f"after:  {state_line(document['state_after'])}",
    ]
    return "\n".join(lines + [f"warning: {warning}" for warning in document["warnings"]])


def _statistics(summary: dict[str, Any]) -> tuple[str, ...]:
    """Return percentiles, greatest, mean and standard deviation."""
    return tuple(f"{summary[f'{name}_ms']:.3f}" for name in _STATISTICS)


def _number(value: float | None, unit: int) -> str:
    """Return a number in a unit, a dash where there is none."""
    return "-" if value is None else f"{value / unit:.1f}"


def _difference(value: float | None, other: float | None) -> float | None:
    """Return value minus other, None where one of them is."""
    return None if value is None or other is None else value - other


def _span(values: list[float | None]) -> str:
    """Return the least and the greatest of the values that are there."""
    told = [value for value in values if value is not None]
    return f"{min(told):.0f} to {max(told):.0f}" if told else "not reported"


def _held_back(states: list[dict[str, Any]]) -> str:
    """Return whether the machine held itself back at some look at it."""
    told = [state["throttled"] for state in states if state["throttled"] is not None]
    if not told:
        return "not reported"
    what = sorted({meaning for throttled in told for meaning in throttled["now"]})
    return ", ".join(what) or "no"


def _find_fault(document: dict[str, Any]) -> str:
    """Return what a document lacks, empty where it can be worked with."""
    entries = document.get("files")
    if not isinstance(document.get("machine"), dict) or not isinstance(entries, list) or not entries:
        return "it names no machine or no files"
    for entry in entries:
        if not isinstance(entry, dict) or not {"file", "num_threads", "invoke", "end_to_end"} <= set(entry):
            return "a file's entry lacks its name, threads or latencies"
        for stage in ("invoke", "end_to_end"):
            samples = entry[stage].get("samples_ms") if isinstance(entry[stage], dict) else None
            if not isinstance(samples, list) or not samples or not all(_is_positive(sample) for sample in samples):
                return f"the {stage} samples of {entry['file']} are no positive numbers"
    return ""


def _is_positive(value: Any) -> bool:
    """Whether a value is a number above 0."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0.0 < value < float("inf")

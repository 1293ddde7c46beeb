"""What a page says of the files of a run: the recipes beside each other, their latency, and the loaders."""

from __future__ import annotations

from typing import Any

from convert.html_report.charts import draw_front, draw_latency
from convert.html_report.page_parts import Block, Chart, Missing, Table, Text
from convert.html_report.run_record import RunRecord
from edge_runtime.parity.level_text import describe_failure
from metadata.plural import counted
from train.evaluation.evaluation_text import share_cell, share_name

_OF_FLOAT = (2, 3)  # levels of parity at which a file is compared with float
TAKES_IT, REFUSES_IT = "takes it", "refuses it"
STATISTICS = ("p50", "p90", "p95", "p99", "max")


def recipe_blocks(run: RunRecord, key: str) -> list[Block]:
    """Return every file's accuracy, size and latency, with the Pareto front; `key` begins the names of the charts."""
    files = run.report["files"]
    front = {name for choice in run.report["choices"] for name in choice["front"]}
    share = share_name(files[0]["test"]["window"])
    window = files[0]["test"]["window"]
    chart = Chart(
        panels=draw_front(files, front, share, f"{key}-front"),
        caption=f"Test window {share} over latency and over size. Filled: on the Pareto front of its model.",
        description=f"{share} of {counted(len(files), 'file')} over latency and size; the table below has the numbers.",
    )
    header = ("file", "front", "size (kB)", f"test window {share}", "as float decides", "invoke p50 / p95 (ms)")
    table = Table(
        caption=f"{counted(window['num_decisions'], 'test window')} of {counted(window['num_groups'], 'group')}, "
        "95 % intervals by the bootstrap over groups",
        header=(*header, "end to end p50 / p95 (ms)", "parity"),
        rows=tuple(_recipe_row(file, file["file"] in front) for file in files),
    )
    reasons = tuple(
        f"{choice['model']} ({choice['input']}): "
        + (f"`{choice['recommended']}`, " if choice["recommended"] else "")
        + f"{choice['reason'].rstrip('.')}."
        for choice in run.report["choices"]
    )
    return [chart, table, Text(lines=reasons)]


def latency_blocks(run: RunRecord, key: str) -> list[Block]:
    """Return how long each file took, run by run."""
    entries = [(file["file"], file["latency"]) for file in run.report["files"]]
    return timing_blocks([{"name": name, **latency} for name, latency in entries], key)


def timing_blocks(entries: list[dict[str, Any]], key: str) -> list[Block]:
    """Return the distributions of some timings, each with `name`, `invoke` and `end_to_end`."""
    blocks: list[Block] = []
    sampled = [(one["name"], one["end_to_end"].get("samples_ms") or []) for one in entries]
    drawn = [(name, samples) for name, samples in sampled if samples]
    if drawn:
        blocks.append(
            Chart(
                panels=(draw_latency(drawn, f"{key}-latency"),),
                caption="End-to-end latency: the box holds the middle half of the runs and the whiskers 90 %; the "
                "line is the median, a dot is a run beyond.",
                description=f"Latency of {counted(len(drawn), 'file')}; the table below has the numbers.",
            )
        )
    else:
        blocks.append(Missing(what="the latency of each run", why="the report holds no samples, only their statistics"))
    first = entries[0]
    rows = [
        (one["name"], words, *(f"{one[stage][f'{name}_ms']:.2f}" for name in STATISTICS), _factor(one, stage))
        for one in entries
        for stage, words in (("invoke", "invoke"), ("end_to_end", "end to end"))
    ]
    return [
        *blocks,
        Table(
            caption=f"Milliseconds a window, {counted(first['num_runs'], 'run')} after "
            f"{counted(first['warmup_runs'], 'warm-up run')} on {counted(first['num_threads'], 'thread')} of "
            f"{first['machine']['cpu']}, {first['machine']['runtime']}. Real-time factor: time used over audio time.",
            header=("file", "what", *STATISTICS, "real-time factor"),
            rows=tuple(rows),
            is_folded=len(rows) > 8,
        ),
    ]


def loader_blocks(run: RunRecord) -> list[Block]:
    """Return which loaders take which file, as the linter told when the files were made."""
    files = run.report["files"]
    loaders = {key: one["name"] for file in files for key, one in file.get("loaders", {}).items()}
    if not loaders:
        why = "the report is of an older version, which did not say; `earproof lint FILE` does"
        return [Missing(what="which loaders take the files", why=why)]
    rows = [(file["file"], *(_taken(file.get("loaders", {}).get(key)) for key in loaders)) for file in files]
    caption = "What each loader does with each file; why, and what mends it, is told by earproof lint FILE"
    return [Table(caption=caption, header=("file", *loaders.values()), rows=tuple(rows))]


def _taken(verdict: dict[str, Any] | None) -> str:
    """What a loader does with a file; it may not be known."""
    taken = None if verdict is None else verdict["taken"]
    return "not known" if taken is None else TAKES_IT if taken else REFUSES_IT


def failure_lines(run: RunRecord) -> list[str]:
    """Return what failed its parity, a line each."""
    return [
        f"**FAIL** level {result['level']}: {result['name']}: {describe_failure(result, file['recipe'])}"
        for file in run.report["files"]
        for result in file["parity"]
        if not result["passed"]
    ]


def _recipe_row(file: dict[str, Any], is_front: bool) -> tuple[str, ...]:
    """One file."""
    window, latency = file["test"]["window"], file["latency"]
    agreement = next(
        (one["measures"].get("decision_agreement") for one in file["parity"] if one["level"] in _OF_FLOAT), None
    )
    return (
        file["file"],
        "yes" if is_front else "",
        f"{file['size_bytes'] / 1000:.0f}",
        share_cell(window["accuracy"], window["interval"]),
        "not compared" if agreement is None else f"{agreement:.1%}",
        *(f"{latency[stage]['p50_ms']:.2f} / {latency[stage]['p95_ms']:.2f}" for stage in ("invoke", "end_to_end")),
        "pass" if file["passed"] else "FAIL",
    )


def _factor(one: dict[str, Any], stage: str) -> str:
    """The real-time factor, which is of the end-to-end latency."""
    return f"{one['real_time_factor']:.5f}" if stage == "end_to_end" else ""

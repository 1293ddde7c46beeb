"""What a page says of parity: the levels with their limits, the drift of the layers, and other machines."""

from __future__ import annotations

import math
from typing import Any

from convert.html_report.charts import draw_drift
from convert.html_report.page_parts import Block, Chart, Missing, Table, Text
from convert.html_report.run_record import RunRecord
from convert.quantization.layer_drift import POOR_DB
from convert.report.machines import machine_name
from edge_runtime.parity.level_text import AT_LEAST
from edge_runtime.parity.levels import LEVELS
from metadata.plural import counted

_MACHINE_HEADER = (
    *("file", "machine", "against", "largest difference of a score"),
    *("decisions equal", "windows", "result"),
)
_MOST_LAYERS = 15  # worst ones in a table


def level_blocks(run: RunRecord) -> list[Block]:
    """Return every comparison with its measures and limits, and the levels at which nothing was compared."""
    compared = {(file["model"], result["name"]): result for file in run.report["files"] for result in file["parity"]}
    ordered = sorted(compared.items(), key=lambda item: item[1]["level"])
    levels = {level: [one for one in compared.values() if one["level"] == level] for level in LEVELS}
    failed = [one for one in compared.values() if not one["passed"]]
    summary = f"All {counted(len(compared), 'comparison')} pass."
    if failed:
        summary = f"{counted(len(failed), 'comparison')} of {len(compared)} **failed**."
    return [
        Text(lines=(summary,)),
        Table(
            caption="The levels; a limit on decisions counts in whole windows",
            header=("level", "comparisons", "failed", "worst, and its limit"),
            rows=tuple(_level_row(level, found) for level, found in levels.items() if found),
        ),
        Table(
            caption="Each comparison with its limits",
            header=("what is compared", "level", "result", "measured, and its limit", "windows", "without a limit"),
            rows=tuple(_comparison_row(model, result) for (model, _), result in ordered),
            is_folded=True,
        ),
        *(
            Missing(what=f"parity level {level}, {LEVELS[level]}", why="the report holds no comparison of it")
            for level, found in levels.items()
            if not found
        ),
    ]


def drift_blocks(run: RunRecord, key: str) -> list[Block]:
    """Return where the layers of each quantized file leave the float ones."""
    blocks: list[Block] = []
    for place, (file, drift) in enumerate(run.drift.items()):
        layers = drift["layers"]
        rows = [
            (
                one["layer"],
                one["operation"],
                one["dtype"],
                "infinite" if one["snr_db"] is None else f"{one['snr_db']:.1f}",
                f"{one['lost_db']:.1f}",
                f"{one['cosine_similarity']:.4f}",
                f"{one['max_abs_error']:.3g}",
            )
            for one in layers[:_MOST_LAYERS]
        ]
        drawn = [one for one in layers if one["snr_db"] is not None]
        if drawn:
            blocks.append(
                Chart(
                    panels=(draw_drift(drawn, POOR_DB, f"{key}-drift-{place}"),),
                    caption=f"{file}.tflite: how near each layer's output is to float's, on "
                    f"{counted(drift['num_windows'], 'window')}; {len(layers) - len(drawn)} of {len(layers)} are equal",
                    description=f"SNR of {counted(len(layers), 'layer')} of {file}; the table below has the worst.",
                )
            )
        blocks.append(
            Table(
                caption=f"{file}.tflite, the worst {counted(len(rows), 'layer')} of {len(layers)}",
                header=("layer", "operation", "type", "SNR (dB)", "lost here (dB)", "cosine", "max abs error"),
                rows=tuple(rows),
                is_folded=True,
            )
        )
    why = "it is measured by `earproof convert RUN/MODEL --out DIR`, of whose DIR `earproof report DIR` makes a page"
    return blocks or [Missing(what="the drift of each layer", why=why)]


def machine_blocks(run: RunRecord) -> list[Block]:
    """Return how the files score on other machines, ARM64 against x86 among them."""
    found = run.report.get("other_machines")
    if not found:
        why = (
            "the report holds no scores of other machines; `earproof parity --save-scores` and `--against` compare two"
        )
        return [Missing(what="ARM64 against x86", why=why)]
    blocks: list[Block] = []
    for kind, against in (("same_runtime", "the same runtime"), ("desk", "the runtime that the build was proven with")):
        rows = [_machine_row(file, one) for one in found.get(kind, ()) if not _is_itself(one) for file in one["files"]]
        if rows:
            caption = f"The same files and windows on other machines, against {against} (parity level 5)"
            table = Table(caption=caption, header=_MACHINE_HEADER, rows=tuple(sorted(rows)), is_folded=bool(blocks))
            blocks.append(table)
    if any("board" in one["machine"] for kind in found.values() for one in kind):
        lines = ("A board by QEMU is an emulated processor: its scores count, and its speed was not measured.",)
        blocks.append(Text(lines=lines))
    return blocks


def _machine_row(file: dict[str, Any], one: dict[str, Any]) -> tuple[str, ...]:
    """One file on one machine."""
    measures = file["measures"]
    return (
        file["file"],
        _machine(one["machine"]),
        _machine(one["reference"]),
        f"{measures['max_abs_error']:.2g}" if measures else "–",
        f"{measures['decision_agreement']:.1%}" if measures else "–",
        str(file["num_windows"]),
        "pass" if file["passed"] else "FAIL",
    )


def _machine(machine: dict[str, Any]) -> str:
    """A machine in words: an emulated one does not know its processor, but is given the name of its board."""
    return f"{machine_name(machine)}, {machine['architecture']}, {machine['runtime']}"


def _is_itself(one: dict[str, Any]) -> bool:
    """Whether a machine is compared with itself."""
    return _machine(one["machine"]) == _machine(one["reference"])


def _level_row(level: int, found: list[dict[str, Any]]) -> tuple[str, ...]:
    """One level: how many comparisons, how many failed, and of each measure with a limit the worst."""
    limits = dict.fromkeys(name for one in found for name in one["tolerance"])
    worst = (_worst([one for one in found if name in one["tolerance"]], name) for name in limits)
    failed = str(sum(not one["passed"] for one in found))
    return (f"{level}: {LEVELS[level]}", str(len(found)), failed, "; ".join(worst))


def _worst(found: list[dict[str, Any]], name: str) -> str:
    """The worst of one measure: one that is not there, then those beyond their own limit, then by the value itself."""
    sign = -1.0 if name in AT_LEAST else 1.0

    def badness(one: dict[str, Any]) -> tuple[bool, float]:
        value = one["measures"].get(name)
        if value is None:
            return True, math.inf
        return sign * (value - one["tolerance"][name]) > 0.0, sign * value

    return _measure(max(found, key=badness), name)


def _comparison_row(model: str, result: dict[str, Any]) -> tuple[str, ...]:
    """One comparison with all that was measured."""
    limits = [_measure(result, name) for name in result["tolerance"]]
    others = [_measure(result, name) for name in result["measures"] if name not in result["tolerance"]]
    others += [result["detail"]] if result["detail"] else []
    name = result["name"] if result["name"].startswith(model) else f"{model}: {result['name']}"
    verdict = "pass" if result["passed"] else "FAIL"
    level = f"{result['level']}: {LEVELS.get(result['level'], 'another')}"
    return (name, level, verdict, "; ".join(limits), str(result["num_windows"]), "; ".join(others))


def _measure(result: dict[str, Any], name: str) -> str:
    """One measure, with its limit where it has one."""
    value = result["measures"].get(name)
    text = f"{name.replace('_', ' ')} " + ("not measured" if value is None else f"{value + 0.0:.4g}")
    if name not in result["tolerance"]:
        return text
    return f"{text} ({'≥' if name in AT_LEAST else '≤'} {result['tolerance'][name]:g})"

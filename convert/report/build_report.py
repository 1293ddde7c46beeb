"""What a build found: one JSON document, and the table that people read."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from convert.graph.rewrite_check import rewrite_notes
from convert.quantization.mixed_precision import format_mixed_precision
from convert.report.choose import as_candidate, choose_files
from convert.report.compression import compression_notes
from convert.report.data_report import data_notes
from convert.report.label_sets import Cell, label_set_notes, set_columns
from convert.report.loaders import describe_loaders, loader_notes
from convert.report.machines import machine_notes
from convert.report.proof import FileProof
from convert.report.training_end import find_short_training, more_training
from convert.report.validated import Validated, validated_models
from convert.report.verdict import Evidence, judge
from edge_runtime.machine.describe import describe_machine
from edge_runtime.machine.state import read_machine_state, state_warnings
from edge_runtime.parity.level_text import describe_failure
from edge_runtime.tables import markdown_table
from metadata.atomic_file import write_atomically
from metadata.origin import BackboneOrigin, backbone_origin
from metadata.plural import counted
from metadata.signed import signed
from train.evaluation.evaluation_text import share_name

REPORT_FILE_NAME = "report.json"
TABLE_FILE_NAME = "report.md"
DRIFT_FOLDER_NAME = "drift"  # beside them
_FIRST = ("", "model", "input", "recipe", "size (kB)")
_LAST = ("agrees with float", "invoke p50 / p95 (ms)", "end to end p50 / p95 (ms)", "parity", "file")


def describe_build(
    proofs: Sequence[FileProof],
    metrics: Sequence[dict[str, Any]],
    folder: Path,
    state_before: dict[str, Any] | None = None,
    folds: dict[str, Any] | None = None,
    near_copies: str = "",
) -> dict[str, Any]:
    """Return everything that was measured, ready for JSON; of the machine's state before the job what spoils times.

    `folds` is a cross-validation of the models as `train.cross_validation.fold_report.describe_folds` gives it,
    `near_copies` what the sides of the split share.
    """
    machine = describe_machine()
    files = [_describe_file(proof) for proof in proofs]
    choices = choose_files(files)
    trained = {str(one["model"]): one for one in metrics}
    validated = validated_models(folds)
    evidence = [_evidence(proof, file, trained, validated) for proof, file in zip(proofs, files, strict=True)]
    return {
        "verdict": judge(choices, evidence, near_copies).as_dict(),
        "machine": machine,
        "warnings": state_warnings(state_before, read_machine_state(), machine["cores"]) if state_before else [],
        "folder": str(folder),
        "training": list(metrics),
        "files": files,
        "choices": [choice.as_dict() for choice in choices],
        "cross_validation": folds,
        "passed": all(proof.passed for proof in proofs),
        "pictures": sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png")),
    }


def write_report(report: dict[str, Any], folder: Path) -> None:
    """Write `report.json` and `report.md`."""
    write_atomically(folder / REPORT_FILE_NAME, (json.dumps(report, indent=2) + "\n").encode())
    write_atomically(folder / TABLE_FILE_NAME, (format_table(report) + "\n").encode())


def format_table(report: dict[str, Any]) -> str:
    """Return the verdict on a build, its files as an aligned Markdown table, and the machine and any failure below."""
    front = {name for choice in report["choices"] for name in choice["front"]}
    columns = set_columns(report["files"])
    names = dict.fromkeys(share_name(file["test"]["window"]) for file in report["files"])
    header = [*_FIRST, f"test window {' or '.join(names)}", *columns, *_LAST]
    lines = markdown_table([header, *[_row(file, front, columns) for file in report["files"]]])
    sets, machines = label_set_notes(report["files"]), machine_notes(report.get("other_machines"))
    return "\n".join([*_verdict(report), *lines, "", *_notes(report), *sets, *machines])


def _verdict(report: dict[str, Any]) -> list[str]:
    """The verdict as a line and a list; none in a report of an older version."""
    first, *others = report["verdict"]["text"] if "verdict" in report else ("",)
    return [first, "", *(f"- {text}" for text in others), ""] if first else []


def _describe_file(proof: FileProof) -> dict[str, Any]:
    """Everything about one file."""
    origin = backbone_origin(proof.file.spec)
    return {
        **({"backbone": origin._asdict()} if origin else {}),
        "file": proof.file.path.name,
        "model": proof.file.spec.name,
        "input": proof.file.form,
        "recipe": proof.file.recipe.name,
        **describe_loaders(proof.file.path),
        "size_bytes": proof.file.path.stat().st_size,
        "passed": proof.passed,
        "test": {level: evaluation.as_dict() for level, evaluation in proof.evaluations.items()},
        "parity": [result.as_dict() for result in proof.parity],
        "latency": proof.latency.as_dict(),
        "rewrites": [rewrite.as_dict() for rewrite in proof.file.rewrites],
        "repair": None if proof.file.mixed_precision is None else proof.file.mixed_precision.as_dict(),
    }


def _evidence(
    proof: FileProof,
    file: dict[str, Any],
    trained: Mapping[str, dict[str, Any]],
    validated: Mapping[str, Validated],
) -> Evidence:
    """What the verdict goes by, of one file; a model that was trained on, for compression, has another name."""
    metrics, settings = trained.get(file["model"]), proof.file.spec.provenance.training
    return Evidence(
        candidate=as_candidate(file),
        model=file["model"],
        input=file["input"],
        side=proof.side,
        decided=proof.decided,
        short_training=None if metrics is None else find_short_training(metrics, settings),
        more_training=more_training(settings, metrics),
        validated=validated.get(file["model"]),
        backbone=str(settings.get("backbone", "")),
    )


def _choice(choice: dict[str, Any]) -> str:
    """Which file of a model is the best, and why."""
    whose = f"Of {choice['model']} ({choice['input']})"
    if not choice["recommended"]:
        return f"{whose}: {choice['reason']}"
    best = next(one for one in choice["candidates"] if one["file"] == choice["recommended"])
    own = f", for an app that computes its own {choice['input']}" if best.get("refused_by") else ""
    return f"{whose}{own}: {choice['recommended']}, {choice['reason']}"


def _pictures(names: Sequence[str]) -> list[str]:
    """Which pictures there are, a line a folder; none in a report of an older version."""
    folders: dict[str, list[str]] = {}
    for name in names:
        folder, _, file = name.rpartition("/")
        folders.setdefault(folder, []).append(file)
    return [f"Pictures in {folder or 'the folder'}: {', '.join(files)}." for folder, files in folders.items()]


def _row(file: dict[str, Any], front: Collection[str], columns: Mapping[str, Cell]) -> list[str]:
    """One line of the table."""
    window, latency = file["test"]["window"], file["latency"]
    low, high = window["interval"]
    agreement = next(
        (result["measures"].get("decision_agreement") for result in file["parity"] if result["level"] in (2, 3)), None
    )
    return [
        "*" if file["file"] in front else "",
        file["model"],
        file["input"],
        file["recipe"],
        f"{file['size_bytes'] / 1000:.0f}",
        f"{window['accuracy']:.1%} [{low:.1%}, {high:.1%}]",
        *(cell(window) for cell in columns.values()),
        "?" if agreement is None else f"{agreement:.1%}",
        f"{latency['invoke']['p50_ms']:.2f} / {latency['invoke']['p95_ms']:.2f}",
        f"{latency['end_to_end']['p50_ms']:.2f} / {latency['end_to_end']['p95_ms']:.2f}",
        "pass" if file["passed"] else "FAIL",
        file["file"],
    ]


def _notes(report: dict[str, Any]) -> list[str]:
    """What the table's numbers are, and what failed."""
    first = report["files"][0]
    window, latency = first["test"]["window"], first["latency"]
    compared = max(map(_num_compared, report["files"]))
    again = (
        f" on {counted(compared, 'window')}, these and the same begun elsewhere"
        if compared > window["num_decisions"]
        else ""
    )
    is_own = bool(report["training"])
    groups = (
        counted(window["num_groups"], "unseen group")
        if is_own
        else f"{counted(window['num_groups'], 'group')} of --data"
    )
    came_from = "the trained model" if is_own else "the file as it came"
    runs = sorted({file["latency"]["num_runs"] for file in report["files"]})  # fewer of very slow files
    notes = [
        f"The files are in {report['folder']}.",
        "",
        f"{counted(window['num_decisions'], 'test window')} of {groups}, 95 % intervals by the bootstrap over groups; "
        f"{''.join(f'{few} to ' for few in runs[:-1])}{counted(runs[-1], 'run')} on {latency['num_threads']} thread of "
        f"{report['machine']['cpu']}. Agreement is of float32 with {came_from}, of the others with "
        f"float32{again}. *: no other file of the model is as accurate, as small and as fast.",
    ]
    notes += [f"Warning: {text}." for text in report.get("warnings", [])]
    notes += _losses(report["files"], again)
    notes += [f"{file['file']}: {format_mixed_precision(file['repair'])}" for file in report["files"] if file["repair"]]
    notes += rewrite_notes(report["files"])
    begun = {file["model"]: BackboneOrigin(**file["backbone"]) for file in report["files"] if "backbone" in file}
    notes += [f"{model} {origin.clause}." for model, origin in begun.items()]
    notes += [_choice(choice) for choice in report["choices"]]
    notes += loader_notes(report["files"])
    notes += data_notes(report.get("data"))
    notes += compression_notes(report.get("compression"))
    notes += report.get("hints", [])
    notes += _pictures(report.get("pictures", []))
    for file in report["files"]:
        for result in file["parity"]:
            if not result["passed"]:
                why = describe_failure(result, file["recipe"])
                notes.append(f"FAIL level {result['level']}: {result['name']}: {why}")
    return notes


def _losses(files: Sequence[dict[str, Any]], again: str) -> list[str]:
    """What each file loses against float32, in a line; none where there is only float32, or no accuracy."""
    told, num_without, most = [], 0, max(map(_num_compared, files))
    for file in files:
        measures: dict[str, float] = next((result["measures"] for result in file["parity"] if result["level"] == 3), {})
        names = [name for name in ("accuracy_loss", "accuracy_loss_lower", "accuracy_loss_upper") if name in measures]
        points = [100 * measures[name] for name in names]
        if any(points):
            interval = f" [{signed(points[1], 2)}, {signed(points[2], 2)}]" if points[1:] else ""
            fewer = (
                f" (on {counted(compared, 'window')})" if (compared := _num_compared(file)) < most else ""
            )  # a slow file
            told.append(f"{file['file']} {signed(points[0], 2)}{interval}{fewer}")
        elif points:
            num_without += 1
    if num_without:
        told.append("the others none" if told else "none")
    return [f"Points of accuracy lost against float32{again}, paired 95 % interval: {'; '.join(told)}."] if told else []


def _num_compared(file: dict[str, Any]) -> int:
    """On how many windows a file was compared with its reference; frames come behind them."""
    return next(int(result["num_windows"]) for result in file["parity"] if result["level"] in (2, 3))

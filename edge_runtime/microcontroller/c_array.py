"""The action `earproof metadata c-array`: a model, its settings and its front end as C files."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_runtime.bench.multiplications import multiply_accumulates
from edge_runtime.front_end.mel import model_input
from edge_runtime.microcontroller.c_text import identifier
from edge_runtime.microcontroller.check_source import check_sources, signal_as_floats
from edge_runtime.microcontroller.front_end_source import front_end_sources, shared_sources
from edge_runtime.microcontroller.front_end_tables import FrontEndTables, front_end_tables
from edge_runtime.microcontroller.model_source import model_bytes, model_sources
from edge_runtime.tables import align
from metadata.atomic_file import write_atomically
from metadata.errors import ModelContractError
from metadata.foreign.foreign_contract import foreign_contract, tell_notes
from metadata.foreign.probed_scores import Hear
from metadata.microcontroller.arena_plan import ArenaPlan, plan_arena
from metadata.microcontroller.operator_support import micro_refusals, resolver_methods
from metadata.packing.packed_model import read_spec
from metadata.plural import counted
from metadata.spec import ModelSpec
from metadata.tflite_file.model_content import ModelContent

_WRITE = "earproof metadata write FILE --out NEW.tflite"
_RUNTIMES = ("ai_edge_litert", "tflite_runtime")


@dataclass(frozen=True)
class CProject:
    """The C files of a model by name, and what it needs on the device."""

    files: dict[str, str]
    report: dict[str, Any]


def c_array(model: ModelContent, args: argparse.Namespace, hear: Hear | None = None) -> None:
    """Write the C files of a model, and print what it needs.

    Raises
    ------
    ModelContractError
        TensorFlow Lite Micro refuses the model, or nothing says what goes into it.
    FileExistsError
        Files that are there already, without --force.
    """
    contract = foreign_contract(model, hear=hear)
    tell_notes([] if read_spec(model) else list(contract.notes), _note)
    project = make_project(model, contract.settled(_WRITE), args.name)
    if args.name and identifier(args.name) != args.name:
        _note(f"{args.name!r} cannot begin names in C here; taken for {identifier(args.name)!r}")
    _write(args.out, project.files, args.force)
    print(json.dumps(project.report, indent=2, ensure_ascii=False) if args.json else format_report(project.report))


def make_project(model: ModelContent, spec: ModelSpec, name: str | None = None) -> CProject:
    """Return the C files of a model.

    Parameters
    ----------
    model : ModelContent
    spec : ModelSpec
    name : str, optional
        What names in C begin with; by default the model's own name.

    Raises
    ------
    ModelContractError
        TensorFlow Lite Micro refuses the model; the C front end has no such transform.
    """
    refusals = micro_refusals(model)
    if refusals or len(model.graphs) > 1:
        raise ModelContractError("; ".join(refusals or ["a model with loops or branches, which is not planned here"]))
    name = identifier(name or spec.name)
    arena, methods = plan_arena(model), resolver_methods(model)
    files = model_sources(name, model, spec, arena, methods)
    tables = None if spec.input_is_waveform else front_end_tables(spec)
    if tables is not None:
        files |= front_end_sources(name, tables) | shared_sources()
    samples = signal_as_floats(spec.window_length)
    features = None if tables is None else model_input(samples, spec)
    is_log = tables is not None and tables.log != "none"
    files |= check_sources(name, spec.window_length, features, is_log, _scores(model, spec))
    return CProject(files, _report(name, model, spec, arena, methods, tables, files))


def format_report(report: dict[str, Any]) -> str:
    """Return what a project needs as a table for people."""
    arena, front_end = report["arena_bytes"], report["front_end"]
    rows = [
        ("flash", f"{report['model_bytes']:,} bytes of model; code of the operators comes on top"),
        ("RAM", f"{arena['total']:,} bytes of arena: {arena['head']:,} tensors, {arena['tail']:,} kept, estimated"),
        ("operators", f"{len(report['resolver_methods'])}: {', '.join(report['resolver_methods'])}"),
        ("work", f"{report['multiply_accumulates'] / 1e6:,.1f} million multiply-accumulates a window"),
    ]
    if front_end is None:
        rows.append(("front end", "inside the model, which takes samples"))
    else:
        tables = front_end["table_bytes"]
        stream = f", {front_end['stream_bytes']:,} for a stream" if front_end["stream_bytes"] else ""
        rows += [
            ("front end", f"{front_end['n_bands']} bands x {front_end['n_frames']} frames, in C"),
            ("", f"tables: {tables['float']:,} bytes in floating point, {tables['fixed']:,} in integers"),
            ("", f"RAM: {front_end['work_bytes']:,} bytes for a frame{stream}"),
        ]
    rows += [("files" if place == 0 else "", name) for place, name in enumerate(report["files"])]
    return "\n".join(align(rows))


def _report(
    name: str,
    model: ModelContent,
    spec: ModelSpec,
    arena: ArenaPlan,
    methods: list[str],
    tables: FrontEndTables | None,
    files: dict[str, str],
) -> dict[str, Any]:
    """What the device must have for a model."""
    return {
        "name": name,
        "labels": len(spec.labels),
        "model_bytes": len(model_bytes(model)),
        "arena_bytes": {"head": arena.head, "tail": arena.tail, "total": arena.total},
        "multiply_accumulates": multiply_accumulates(model),
        "resolver_methods": methods,
        "front_end": None if tables is None else _front_end_report(tables),
        "files": sorted(files),
    }


def _front_end_report(tables: FrontEndTables) -> dict[str, Any]:
    """What the device must have for a front end, its code aside."""
    stream = 4 * tables.stream_floats + 2 * tables.recent_samples if tables.stream_floats else 0
    return {
        "n_bands": tables.n_bands,
        "n_frames": tables.n_frames,
        "table_bytes": {"float": tables.table_bytes(fixed=False), "fixed": tables.table_bytes(fixed=True)},
        "work_bytes": tables.work_bytes,
        "window_hop": tables.window_hop if stream else None,
        "stream_bytes": stream,
    }


def _scores(model: ModelContent, spec: ModelSpec) -> list[float] | None:
    """What the model says of the check signal; None where no interpreter is here, which is told."""
    if not any(importlib.util.find_spec(runtime) for runtime in _RUNTIMES):
        _note(f"no {' or '.join(_RUNTIMES)} here: the check has no scores to compare with")
        return None
    from edge_runtime.model.classifier import Classifier

    # XNNPACK rounds 8-bit layers in other ways than the reference kernels, which TensorFlow Lite Micro has too.
    classifier = Classifier(model, use_xnnpack=False, spec=spec)
    return [float(score) for score in classifier.scores(signal_as_floats(spec.window_length))]


def _write(folder: Path, files: dict[str, str], force: bool) -> None:
    """Write all files, or none where one is there already."""
    there = [name for name in files if (folder / name).exists()]
    if there and not force:
        raise FileExistsError(f"{folder} holds {', '.join(there)} already; give --force, or another --out or --name")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        write_atomically(folder / name, text.encode())
    print(f"{folder}: {counted(len(files), 'file')}", file=sys.stderr)


def _note(text: str) -> None:
    """Tell what is no result."""
    print(f"note: {text}", file=sys.stderr)

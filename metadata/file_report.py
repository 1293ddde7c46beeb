"""Everything a model file says about itself, as JSON can hold it and as a table for people."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from metadata.editing.heads import describe_head, head_rows, read_heads
from metadata.foreign.foreign_contract import ForeignContract, foreign_contract
from metadata.foreign.probed_scores import Hear
from metadata.foreign.stated_fields import read_metadata_leniently
from metadata.labels import listed
from metadata.packing.digest import check_digest
from metadata.packing.packed_model import (
    find_label_file,
    find_metadata,
    read_associated_files,
    read_model_labels,
    read_spec,
)
from metadata.spec import SPEC_FILE_NAME
from metadata.tflite_file.model_content import ModelContent, TensorInfo, parse_model

_LONGEST = 400  # characters of a row
_INTEGERS = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}


def describe_file(path: Path, file: bytes | ModelContent, hear: Hear | None = None) -> dict[str, Any]:
    """Return everything a model file says about itself, and what a file of others is taken for.

    Parameters
    ----------
    path : Path
    file : bytes or ModelContent
    hear : callable, optional
        As for `foreign_contract`.

    Raises
    ------
    ModelContractError
        Not a model, a damaged one, or one of ours that contradicts itself.
    """
    model = parse_model(file)
    spec = read_spec(model)
    report: dict[str, Any] = {"file": str(path), "size_bytes": len(model.model), "tensors": _tensors(model)}
    if spec is not None:
        values, files = find_metadata(model), read_associated_files(model)
        report |= {
            "labels": list(read_model_labels(model)) if values and find_label_file(values) else None,
            "metadata": values,
            "spec": json.loads(spec.to_json()),
            "model_sha256": check_digest(model, files[SPEC_FILE_NAME]),
        }
    else:
        contract = foreign_contract(model, hear=hear)
        values, files = read_metadata_leniently(model)
        report |= {
            "labels": list(contract.labels) if contract.labels else None,
            "metadata": values,
            "spec": None,
            "model_sha256": None,
            "taken_for": json.loads(contract.spec.to_json()) if contract.spec else None,
            "notes": list(contract.notes),
            "lacks": _lacks(contract),
        }
    heads = [describe_head(head) for head in read_heads(values or {}, files)]
    return report | {"heads": heads, "associated_files": {name: len(content) for name, content in files.items()}}


def format_report(report: dict[str, Any]) -> str:
    """Return what `describe_file` gives as a table for people."""
    rows = [("file", f"{report['file']}, {report['size_bytes']:,} bytes")]
    rows += [("input", _tensor_text(tensor)) for tensor in report["tensors"]["inputs"]]
    rows += [("output", _tensor_text(tensor)) for tensor in report["tensors"]["outputs"]]
    rows += _metadata_rows(report["metadata"])
    if report["labels"] is not None:
        rows.append(("labels", f"{len(report['labels'])}: {', '.join(listed(report['labels']))}"))
    rows += [(name, _shortened(text)) for head in report["heads"] for name, text in head_rows(head)]
    rows += _custom_rows(report["metadata"] or {})
    rows += _spec_rows(report["spec"] or report.get("taken_for"), report["spec"] is None)
    rows += [("lacks", text) for text in report.get("lacks", [])]
    rows += [("note", text) for text in report.get("notes", [])]
    if report["spec"]:
        rows.append(("digest", f"SHA-256 {report['model_sha256']}, matches" if report["model_sha256"] else "none"))
    rows += [("inside", f"{name}, {size:,} bytes") for name, size in report["associated_files"].items()]
    return _align(rows)


def _metadata_rows(values: dict[str, Any] | None) -> Iterable[tuple[str, str]]:
    """Rows about the standard metadata."""
    if values is None:
        return [("metadata", "none; Task library and MediaPipe need some")]
    keys: list[str] = ["name", "version", "description", "author", "license"]
    rows = [(key, str(values[key])) for key in keys if key in values]
    for graph in values.get("subgraph_metadata", [])[:1]:
        for key, kind in (("input_tensor_metadata", "takes"), ("output_tensor_metadata", "gives")):
            rows += [(kind, _content_text(tensor)) for tensor in graph.get(key, [])]
    return rows


def _custom_rows(values: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """Rows about custom metadata."""
    found = [item for graph in values.get("subgraph_metadata", []) for item in graph.get("custom_metadata", [])]
    return [("custom", f"{item.get('name', '')}, {len(item.get('data', [])):,} bytes") for item in found]


def _spec_rows(spec: dict[str, Any] | None, is_foreign: bool) -> Iterable[tuple[str, str]]:
    """Rows about the spec, or about what a file without one is taken for."""
    none = [("spec", "none; this file was not packed by earproof")] if is_foreign else []
    if spec is None:
        return none
    seconds = spec["window_length"] / spec["sample_rate"]
    place = "inside the model" if spec["front_end"]["inside_model"] else "computed by the app"
    settings = ", ".join(
        f"{key} {value}" for key, value in spec["front_end"].items() if key not in ("kind", "inside_model")
    )
    thresholds = ", ".join(
        f"{label} {threshold}" for label, threshold in zip(listed(spec["labels"]), spec["thresholds"], strict=True)
    )
    kind = "thresholds" if spec["activation"] == "sigmoid" else "the highest score decides; thresholds of events"
    transform = spec.get("score_transform", "none")
    made = "" if transform == "none" else f", made by {transform} of what the model puts out"
    return [
        *none,
        ("window", f"{spec['window_length']} samples at {spec['sample_rate']} Hz = {seconds:g} s"),
        ("front end", f"{spec['front_end']['kind']}, {place}" + (f": {settings}" if settings else "")),
        ("activation", f"{spec['activation']}{made}; {kind} {_shortened(thresholds)}"),
        ("recipe", spec["recipe"]),
        ("data", f"{spec['provenance']['data_sha256'] or 'not recorded'}, seed {spec['provenance']['seed']}"),
    ]


def _content_text(tensor: dict[str, Any]) -> str:
    """What the standard metadata says about a tensor, in one line."""
    content = tensor.get("content", {})
    properties = ", ".join(f"{key} {value}" for key, value in content.get("content_properties", {}).items())
    kind = str(content.get("content_properties_type", "unknown content"))
    return (
        f"{tensor.get('name', '')}: {kind}{f' ({properties})' if properties else ''}; {tensor.get('description', '')}"
    )


def _align(rows: Iterable[tuple[str, str]]) -> str:
    """Two columns; a name is printed once for rows that follow each other."""
    rows = list(rows)
    width = max(len(name) for name, _ in rows)
    lines, before = [], ""
    for name, text in rows:
        lines.append(f"{'' if name == before else name:<{width}}  {text}")
        before = name
    return "\n".join(lines)


def _shortened(text: str) -> str:
    """A text that fits a screen."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


def _lacks(contract: ForeignContract) -> list[str]:
    """What keeps a file from being run, and the options that settle it."""
    if not contract.options:
        return list(contract.faults)
    return [
        *contract.faults,
        f"say so with: earproof metadata write FILE --out NEW.tflite {' '.join(contract.options)}",
    ]


def _tensors(model: ModelContent) -> dict[str, list[dict[str, Any]]]:
    """Inputs and outputs, integers with what they stand for."""
    return {key: [_described(tensor) for tensor in tensors] for key, tensors in model.tensors._asdict().items()}


def _described(info: TensorInfo) -> dict[str, Any]:
    """A tensor; one of integers with scale, zero point and the real numbers that it reaches."""
    described = {"name": info.name, "shape": info.shape, "dtype": info.dtype}
    if info.dtype not in _INTEGERS:
        return described
    if len(info.scales) != 1 or not info.scales[0] > 0.0:
        return described | {"scale": None, "zero_point": None}
    scale, zero_point = info.scales[0], (info.zero_points or (0,))[0]
    low, high = (scale * (integer - zero_point) for integer in _INTEGERS[info.dtype])
    return described | {"scale": scale, "zero_point": zero_point, "min": low, "max": high}


def _tensor_text(tensor: dict[str, Any]) -> str:
    """A tensor in one line."""
    text = f"{tensor['name']} {tensor['dtype']} [{', '.join(map(str, tensor['shape']))}]"
    if "scale" not in tensor:
        return text
    if tensor["scale"] is None:
        return f"{text}, no scale"
    real = f"real values {tensor['min']:.6g} to {tensor['max']:.6g}"
    return f"{text}, scale {tensor['scale']:.9g}, zero point {tensor['zero_point']}: {real}"

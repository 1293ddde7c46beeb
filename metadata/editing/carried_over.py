"""What a file says beyond a spec, when it is described anew: kept where it still holds, else told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from metadata.editing.edited_metadata import EditedMetadata
from metadata.editing.heads import Head, find_head, read_heads
from metadata.errors import ModelContractError
from metadata.labels import LABELS_FILE_NAME
from metadata.mended_labels import mend_given_labels
from metadata.packing.packed_model import find_label_file
from metadata.packing.score_calibration import CALIBRATION_FILE, stated_thresholds
from metadata.packing.standard_metadata import AXIS_LABELS
from metadata.spec import SPEC_FILE_NAME, ModelSpec
from metadata.tflite_file.model_content import parse_model

_THRESHOLDING, _CALIBRATION = "ScoreThresholdingOptions", "ScoreCalibrationOptions"
_SAME_SCORE = 1e-6  # the metadata holds float32
_CALIBRATE = (
    "; thresholds of the spec come back with: earproof metadata edit FILE --calibrate thresholds --out NEW.tflite"
)


def carry_over(
    packed: bytes, spec: ModelSpec, values: Mapping[str, Any] | None, files: Mapping[str, bytes]
) -> tuple[bytes, list[str]]:
    """Return a packed model with display names, calibration and custom metadata of the file that it was made of.

    Parameters
    ----------
    packed : bytes
        By `pack_model`.
    spec : ModelSpec
        That of `packed`.
    values : mapping or None
        The metadata that the file had.
    files : mapping of str to bytes
        The files that it had inside.

    Returns
    -------
    packed : bytes
        The same bytes where there is nothing to keep.
    notes : list of str
        What was mended on the way, and what the file had that is gone.
    """
    values, files = dict(values or {}), dict(files)
    edited = EditedMetadata(parse_model(packed))
    kept, notes = _keep_display_names(edited, spec, values, files)
    calibrated = _keep_calibration(edited, spec, values, files, notes)
    customs = [item for graph in values.get("subgraph_metadata", [])[:1] for item in graph.get("custom_metadata", [])]
    for item in customs:
        edited.add_custom(item.get("name", ""), bytes(item.get("data", [])))
    notes += edited.notes
    gone = [
        *(unit for unit in _units_gone(spec, values) if not (calibrated and unit == _CALIBRATION)),
        *sorted(set(files) - {SPEC_FILE_NAME, LABELS_FILE_NAME, find_label_file(values), *kept, calibrated}),
    ]
    if gone:
        hint = _CALIBRATE if _CALIBRATION in gone else ""
        notes.append(f"the file had {', '.join(gone)} too, which the new one has not{hint}")
    return (edited.packed() if kept or calibrated or customs else packed), notes


def _keep_display_names(
    edited: EditedMetadata, spec: ModelSpec, values: dict[str, Any], files: dict[str, bytes]
) -> tuple[list[str], list[str]]:
    """Take over label files with a locale where the labels are the same; their names, and why others are not kept."""
    kept, notes = list[str](), list[str]()
    for name, locale in _display_files(values, files):
        try:
            if _labels(values, files) != spec.labels:
                raise ModelContractError("it belongs to other labels")
            edited.set_labels(files[name], name, locale, None)
            kept.append(name)
        except ValueError as error:  # no text, a wrong count, no locale
            notes.append(f"{name} is not kept: {error}")
    return kept, notes


def _keep_calibration(
    edited: EditedMetadata, spec: ModelSpec, values: dict[str, Any], files: dict[str, bytes], notes: list[str]
) -> str:
    """Take over the calibration of the same labels; return the name its file had, empty where none is kept."""
    head = _head(values, files)
    found = head.calibration() if head else None
    if head is None or found is None:
        return ""
    name = str(head.named(CALIBRATION_FILE)[0]["name"])
    try:
        if _labels(values, files) != spec.labels:
            raise ModelContractError("it belongs to other labels")
        hidden_by = stated_thresholds(found, len(spec.labels)) or (None,) * len(spec.labels)
        if any(
            one is not None and abs(one - new) >= _SAME_SCORE
            for one, new in zip(hidden_by, spec.thresholds, strict=True)
        ):
            raise ModelContractError("it hides labels by other thresholds than the spec has")
        edited.set_calibration(found.content, name, found.transformation, found.default_score, None)
    except ValueError as error:  # a wrong count, no numbers
        notes.append(f"{name} is not kept: {error}")
        return ""
    return name


def _display_files(values: dict[str, Any], files: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """Yield name and locale of each file of display names."""
    head = _head(values, files)
    for item in head.named(AXIS_LABELS)[1:] if head else ():
        if item.get("locale") and item.get("name") in files:
            yield item["name"], item["locale"]


def _head(values: dict[str, Any], files: dict[str, bytes]) -> Head | None:
    """The output with labels."""
    heads = read_heads(values, files)
    return find_head(heads, None) if heads else None


def _labels(values: dict[str, Any], files: dict[str, bytes]) -> tuple[str, ...]:
    """The labels that the file had."""
    name = find_label_file(values)
    return mend_given_labels(files[name], None, name)[0] if name in files else ()


def _units_gone(spec: ModelSpec, values: dict[str, Any]) -> list[str]:
    """What was to be done with input and scores, by its table in the schema; a threshold that the spec has is there."""
    (graph,) = (values.get("subgraph_metadata") or [{}])[:1]
    tables = [*graph.get("input_tensor_metadata", []), *graph.get("output_tensor_metadata", [])]
    units = [unit for table in tables for unit in table.get("process_units", [])]
    return list(dict.fromkeys(str(unit.get("options_type")) for unit in units if not _is_in_spec(unit, spec)))


def _is_in_spec(unit: dict[str, Any], spec: ModelSpec) -> bool:
    """Whether a process unit is a threshold which all labels of the spec have, or one of 0, which hides nothing."""
    threshold = float(unit.get("options", {}).get("global_score_threshold", 0.0))
    same = all(abs(threshold - one) < _SAME_SCORE for one in spec.thresholds)
    return unit.get("options_type") == _THRESHOLDING and (same or threshold <= 0.0)

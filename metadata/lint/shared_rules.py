"""Rules of more than one loader: the bytes, the metadata and the files behind the model.

A rule takes the facts and returns what is found, None where it has nothing to say.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import Any

from metadata.lint.file_facts import FileFacts
from metadata.lint.mending import BUILT_IN, CALIBRATION, DESCRIBE, FIX, FIX_LABELS, GET_AGAIN, ONE_WINDOW
from metadata.lint.verdict import Finding
from metadata.packing.metadata_schema import METADATA_IDENTIFIER

Rule = Callable[[FileFacts], Finding | None]
SCHEMA_VERSION = 3
_LABELS, _CALIBRATION = "TENSOR_AXIS_LABELS", "TENSOR_AXIS_SCORE_CALIBRATION"


def not_a_model(facts: FileFacts) -> Finding | None:
    """The bytes are no FlatBuffer of a model."""
    if not facts.damage or facts.schema_version != SCHEMA_VERSION:
        return None
    return Finding("The model is not a valid Flatbuffer buffer", GET_AGAIN)


def other_schema(facts: FileFacts) -> Finding | None:
    """The model is of another version of the schema."""
    if facts.schema_version == SCHEMA_VERSION:
        return None
    found = facts.schema_version
    return Finding(f"Model provided is schema version {found} not equal to supported version 3", GET_AGAIN)


def other_schema_of_task(facts: FileFacts) -> Finding | None:
    """The same, as the loaders say it that read metadata."""
    if facts.schema_version == SCHEMA_VERSION:
        return None
    start = "Could not build model from the provided pre-loaded flatbuffer"
    return Finding(f"{start}: Invalid model version {facts.schema_version}", GET_AGAIN)


def cut_off_zip(facts: FileFacts) -> Finding | None:
    """The files behind the model cannot be read."""
    return Finding("Unable to read associated file in zip archive.", FIX_LABELS) if facts.zip_damage else None


def deflated_files(facts: FileFacts) -> Finding | None:
    """A file behind the model is packed."""
    return Finding("Expected uncompressed zip archive.", FIX) if facts.deflated else None


def other_metadata(facts: FileFacts) -> Finding | None:
    """The metadata is of another format, or damaged."""
    if facts.identifier is None or facts.values is not None:
        return None
    if facts.identifier == METADATA_IDENTIFIER:
        return Finding("It crashes: the metadata is damaged", DESCRIBE)
    found = facts.identifier.decode("latin-1")
    return Finding(f"Invalid metadata schema version: expected M001, got {found}", DESCRIBE)


def contradiction(facts: FileFacts) -> Finding | None:
    """The graph contradicts itself."""
    if not facts.contradiction:
        return None
    return Finding(f"AllocateTensors() failed: {facts.contradiction}", ONE_WINDOW)


def no_output(facts: FileFacts) -> Finding | None:
    """The model gives nothing."""
    if facts.content is None or facts.outputs:
        return None
    return Finding("The model has no output", "export the model with its scores as the output")


def custom_operator(facts: FileFacts) -> Finding | None:
    """An operator that no loader has built in."""
    names = [code.custom for code in facts.codes if code.name == "CUSTOM"]
    flex = next((name for name in names if name.startswith("Flex")), None)
    if flex is not None:
        said = "Select TensorFlow op(s), included in the given model, is(are) not supported by this interpreter"
        return Finding(f"{said} ({flex})", BUILT_IN)
    return Finding(f"Encountered unresolved custom op: {names[0]}.", BUILT_IN) if names else None


def missing_files(facts: FileFacts) -> Finding | None:
    """A label or calibration file that the metadata names is not there."""
    for kind, mend in ((_LABELS, FIX_LABELS), (_CALIBRATION, CALIBRATION)):
        name = _named(facts, kind)
        if name is not None and name not in facts.files:
            return Finding(f"No associated file with name: {name}", FIX if kind == _LABELS and facts.files else mend)
    return None


def empty_labels(facts: FileFacts) -> Finding | None:
    """A label file without a byte."""
    name = _named(facts, _LABELS)
    return Finding("Expected non-empty labels file.", FIX_LABELS) if facts.files.get(name or "") == b"" else None


def calibration_lines(facts: FileFacts) -> int | None:
    """Return how many lines of calibration both loaders count, None where no file is read."""
    name = _named(facts, _CALIBRATION)
    if name not in facts.files or not _asks_for_calibration(facts):
        return None
    return facts.files[name].count(b"\n") + 1


def odd_labels(facts: FileFacts, labels: Sequence[str]) -> Finding | None:
    """Labels that reach the app otherwise than they were meant."""
    checks = (
        (lambda label: "\r" in label, "a label ends with a carriage return", FIX),
        (lambda label: label.startswith("\ufeff"), "a label begins with a byte order mark", FIX),
        (lambda label: label != label.strip(), "a label has spaces before or after it", FIX),
        (lambda label: not label, "a label is empty", FIX),
        (lambda label: labels.count(label) > 1, "two labels are the same", FIX_LABELS),
    )
    for is_odd, what, mend in checks:
        found = next((label for label in labels if is_odd(label)), None)
        if found is not None:
            return Finding(f"{what}: the app gets {found!r}", mend, is_refusal=False)
    return None


def odd_display_names(facts: FileFacts, lines_of: Callable[[bytes], list[str]]) -> Finding | None:
    """Display names that an app gets otherwise than they were meant, or on which opening fails; `lines_of` a file."""
    for output in facts.described_outputs:
        named = [file for file in output.get("associated_files", ()) if file.get("type") == _LABELS]
        labels, *others = [lines_of(facts.files.get(str(file.get("name")), b"")) for file in named] or [[]]
        for file, names in zip(named[1:], others, strict=True):
            locale, odd = file.get("locale"), next((name for name in names if "\r" in name), None)
            if locale and names and len(names) != len(labels):
                said = f"Mismatch between number of labels ({len(labels)}) and display names ({len(names)})."
                given = shlex.quote(f"{locale}={file.get('name')}")
                mend = f"earproof metadata edit FILE --locale {given} --out NEW.tflite"
                return Finding(f"an app that sets the locale {locale} cannot open it: {said}", mend, is_refusal=False)
            if locale and odd is not None:
                return Finding(f"an app that sets the locale {locale} gets {odd!r}", FIX, is_refusal=False)
    return None


def unnamed_scores(facts: FileFacts) -> Finding | None:
    """Nothing names the scores."""
    if facts.values is None or _named(facts, _LABELS) is not None:
        return None
    return Finding("no label file is named: the categories have no names", FIX_LABELS, is_refusal=False)


def threshold_beyond_scores(facts: FileFacts) -> Finding | None:
    """A threshold that no score reaches."""
    for unit in _units(facts):
        threshold = unit.get("options", {}).get("global_score_threshold", 0.0)
        if threshold > 1.0:
            return Finding(f"no score reaches the threshold {threshold:g}: no category is given", FIX, False)
    return None


def frames_in_front(facts: FileFacts) -> Finding | None:
    """Scores of frames that stand before those of the window are taken for scores."""
    described = facts.described_outputs
    if len(facts.outputs) < 2 or not described or _label_file_of(described[0]):
        return None
    return Finding(
        "the first output has no labels: its numbers come as categories without names", FIX_LABELS, is_refusal=False
    )


def _units(facts: FileFacts) -> list[dict[str, Any]]:
    """What is done with the first output."""
    return list(facts.described_outputs[0].get("process_units", ())) if facts.described_outputs else []


def _asks_for_calibration(facts: FileFacts) -> bool:
    return any(unit.get("options_type") == "ScoreCalibrationOptions" for unit in _units(facts))


def _named(facts: FileFacts, kind: str) -> str | None:
    """The name of the first output's file of a kind."""
    for output in facts.described_outputs:
        for file in output.get("associated_files", ()):
            if file.get("type") == kind:
                return str(file.get("name", ""))
    return None


def _label_file_of(output: dict[str, Any]) -> bool:
    files = output.get("associated_files", ())
    return any(file.get("type") == _LABELS for file in files)

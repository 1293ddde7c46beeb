"""Whether a loader has the operators that a file names, in the versions that it names."""

from __future__ import annotations

from metadata.lint import shared_rules as shared
from metadata.lint.file_facts import FileFacts
from metadata.lint.mending import BUILT_IN, NO_KERNEL, OLDER
from metadata.lint.operator_versions import NEWEST
from metadata.lint.verdict import Finding
from metadata.tflite_file.tflite_schema import BUILTIN_OPERATORS


def missing_operator(facts: FileFacts, loader: str) -> Finding | None:
    """Return what a loader says of the first operator that it has not, None where it has them all."""
    return _not_built_in(facts, loader) or shared.custom_operator(facts)


def _not_built_in(facts: FileFacts, loader: str) -> Finding | None:
    is_micro = loader == "tflite_micro"
    for code in facts.codes:
        if code.number >= len(BUILTIN_OPERATORS):
            said = f"Op builtin_code out of range: {code.number}. Are you using old TFLite binary with newer model?"
            return Finding(said, OLDER)
        newest = NEWEST[loader].get(code.name, 0)
        if code.name == "CUSTOM" or (is_micro and newest) or code.version <= newest:
            continue
        if is_micro:
            return Finding(f"Didn't find op for builtin opcode '{code.name}'", NO_KERNEL)
        said = f"Didn't find op for builtin opcode '{code.name}' version '{code.version}'."
        if newest:
            said += f" An older version of this builtin might be supported: up to {newest}"
        return Finding(said, OLDER if newest else BUILT_IN)
    return None

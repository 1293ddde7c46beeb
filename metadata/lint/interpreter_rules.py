"""What the interpreters refuse: LiteRT, tflite-runtime, and LiteRT.js, which carries fewer types."""

from __future__ import annotations

from metadata.lint import shared_rules as shared
from metadata.lint.file_facts import FileFacts
from metadata.lint.mending import FIX, FLOAT_ENDS, GET_AGAIN
from metadata.lint.verdict import Finding

_WEB_TYPES = ("float32", "int32", "uint8")


def empty_file(facts: FileFacts) -> Finding | None:
    """A file without a byte."""
    return None if facts.size else Finding("The model allocation is null/empty", GET_AGAIN)


def not_loaded(facts: FileFacts) -> Finding | None:
    """LiteRT.js says no more than that."""
    found = shared.not_a_model(facts)
    return found._replace(reason="Failed to load model from buffer") if found else None


def web_type(facts: FileFacts) -> Finding | None:
    """A type that no array of LiteRT.js carries."""
    for tensor in (*facts.inputs, *facts.outputs):
        if tensor.dtype not in _WEB_TYPES:
            return Finding(f"Element type {tensor.dtype.upper()} is not supported.", FLOAT_ENDS)
    return None


def other_signature(facts: FileFacts) -> Finding | None:
    """A signature that names other inputs or outputs than the graph has."""
    if facts.content is None or facts.signature in (None, (len(facts.inputs), len(facts.outputs))):
        return None
    mend = "export the model with a signature that names every input and output, or with none"
    return Finding("Failed to load model from buffer: Signature has incorrect number of input/outputs", mend)


def open_batch(facts: FileFacts) -> Finding | None:
    """A batch that is given when the model runs."""
    if not facts.inputs or not facts.inputs[0].is_open or facts.contradiction:
        return None
    said = "the batch is open: shapes are computed while it runs, and XNNPACK takes the graph in parts"
    return Finding(said, FIX, is_refusal=False)


INTERPRETER: tuple[shared.Rule, ...] = (
    empty_file,
    shared.not_a_model,
    shared.other_schema,
    shared.contradiction,
    shared.no_output,
    open_batch,
)
WEB: tuple[shared.Rule, ...] = (
    not_loaded,
    shared.other_schema,
    other_signature,
    shared.no_output,
    web_type,
    shared.contradiction,
)

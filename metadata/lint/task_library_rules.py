"""What the Task library refuses, in the order in which it looks; Android and Python have the same core."""

from __future__ import annotations

from metadata.lint import shared_rules as shared
from metadata.lint.file_facts import FileFacts
from metadata.lint.label_lines import task_library_labels
from metadata.lint.mending import (
    CALIBRATION,
    DESCRIBE,
    FIX,
    FIX_LABELS,
    FIX_RATE,
    FLOAT_ENDS,
    GET_AGAIN,
    ONE_INPUT,
    ONE_WINDOW,
    WAVEFORM,
)
from metadata.lint.verdict import Finding
from metadata.tflite_file.model_content import TensorInfo

_SCORE_TYPES = ("uint8", "float32")


def empty_file(facts: FileFacts) -> Finding | None:
    """A file without a byte."""
    return None if facts.size else Finding("Unable to get file size", GET_AGAIN)


def output_type(facts: FileFacts) -> Finding | None:
    """Scores of another type than it reads."""
    for tensor in facts.outputs:
        if tensor.dtype not in _SCORE_TYPES:
            said = f"Type mismatch for output tensor {tensor.name}. Requested one of these types: "
            return Finding(f"{said}kTfLiteUint8/kTfLiteFloat32, got {tensor.dtype.upper()}.", FLOAT_ENDS)
    return None


def no_input_metadata(facts: FileFacts) -> Finding | None:
    """Nothing describes the input."""
    if facts.described_inputs:
        return None
    return Finding("input tensor 0 is missing TensorMetadata.", DESCRIBE)


def no_output_metadata(facts: FileFacts) -> Finding | None:
    """Nothing describes an output."""
    described = len(facts.described_outputs)
    if described >= len(facts.outputs):
        return None
    return Finding(f"output tensor {described} is missing TensorMetadata.", FIX_LABELS)


def no_content(facts: FileFacts) -> Finding | None:
    """The input is described, but not what it holds."""
    if not facts.described_inputs or facts.described_inputs[0].get("content", {}).get("content_properties_type"):
        return None
    return Finding("Missing audio format metadata in the model metadata.", FIX_RATE)


def no_audio_properties(facts: FileFacts) -> Finding | None:
    """The input is described as something else than audio."""
    if not facts.described_inputs or facts.audio is not None:
        return None
    first = facts.described_inputs[0]
    kind = first.get("content", {}).get("content_properties_type")
    if kind is None:
        return None
    name = first.get("name", "")
    mend = FIX_RATE if _is_waveform(facts.inputs) else WAVEFORM
    return Finding(f"Expected AudioProperties for tensor {name}, got {kind}.", mend)


def no_rate_or_channels(facts: FileFacts) -> Finding | None:
    """AudioProperties that say nothing."""
    audio = facts.audio
    if audio is None or (audio.get("sample_rate") and audio.get("channels")):
        return None
    return Finding("Missing audio format metadata in the model.", FIX if audio.get("sample_rate") else FIX_RATE)


def score_shape(facts: FileFacts) -> Finding | None:
    """Scores in another shape than it counts classes in."""
    for place, tensor in enumerate(facts.outputs):
        rank = len(tensor.shape)
        if rank not in (2, 4):
            said = f"Unexpected number of dimensions for output index {place}: got {rank}D, expected either 2D"
            return Finding(f"{said} (BxN with B=1) or 4D (BxHxWxN with B=1, W=1, H=1).", ONE_WINDOW)
        if tensor.shape[0] != 1:
            said = "The output array is expected to have a batch size of 1. Got"
            return Finding(f"{said} {tensor.shape[0]} for output index {place}.", ONE_WINDOW)
    return None


def label_count(facts: FileFacts) -> Finding | None:
    """Another number of labels than scores."""
    content = facts.files.get(facts.label_file or "")
    scores = _labelled_output(facts)
    if not content or scores is None or not scores[1].shape:
        return None
    place, tensor = scores
    labels, classes = task_library_labels(content), tensor.shape[-1]
    if len(labels) == classes:
        return None
    said = f"Got {classes} class(es) for output index {place}, expected {len(labels)} according to the label map."
    mends_itself = len([label for label in labels if label.strip("\r\ufeff \0")]) == classes or b"\r" in content
    return Finding(said, FIX if mends_itself or b"\0" in content else FIX_LABELS)


def calibration_count(facts: FileFacts) -> Finding | None:
    """Another number of calibrations than labels."""
    lines, content = shared.calibration_lines(facts), facts.files.get(facts.label_file or "", b"")
    labels = len(task_library_labels(content))
    if lines is None or lines == labels:
        return None
    said = f"Mismatch between number of labels ({labels}) and score calibration parameters ({lines})."
    return Finding(said, CALIBRATION)


def input_type(facts: FileFacts) -> Finding | None:
    """It feeds float32 alone."""
    if not facts.inputs or facts.inputs[0].dtype == "float32":
        return None
    return Finding(f"Type mismatch for tensor {facts.inputs[0].name}. Required 1 (float32)", FLOAT_ENDS)


def odd_labels(facts: FileFacts) -> Finding | None:
    """Labels that reach the app otherwise than they were meant."""
    content = facts.files.get(facts.label_file or "", b"")
    return shared.odd_labels(facts, task_library_labels(content)) if content else None


def odd_display_names(facts: FileFacts) -> Finding | None:
    """Display names of a locale that an app cannot use as they are."""
    return shared.odd_display_names(facts, task_library_labels)


def unfed_inputs(facts: FileFacts) -> Finding | None:
    """Inputs beyond the first are never written."""
    if len(facts.inputs) < 2:
        return None
    return Finding("only the first input is fed: the others hold zeros", ONE_INPUT, is_refusal=False)


def _labelled_output(facts: FileFacts) -> tuple[int, TensorInfo] | None:
    """Place and tensor of the output that the labels name."""
    for place, described in enumerate(facts.described_outputs[: len(facts.outputs)]):
        if any(file.get("name") == facts.label_file for file in described.get("associated_files", ())):
            return place, facts.outputs[place]
    return None


def _is_waveform(inputs: tuple[TensorInfo, ...]) -> bool:
    """Whether the input is a row of samples."""
    return bool(inputs) and max(inputs[0].shape, default=0) == inputs[0].size


RULES: tuple[shared.Rule, ...] = (
    empty_file,
    shared.not_a_model,
    shared.other_schema_of_task,
    shared.cut_off_zip,
    shared.deflated_files,
    shared.other_metadata,
    shared.contradiction,
    output_type,
    no_input_metadata,
    no_content,
    no_audio_properties,
    no_rate_or_channels,
    no_output_metadata,
    score_shape,
    shared.missing_files,
    shared.empty_labels,
    label_count,
    calibration_count,
    shared.no_output,
    input_type,
    odd_labels,
    odd_display_names,
    shared.unnamed_scores,
    shared.threshold_beyond_scores,
    shared.frames_in_front,
    unfed_inputs,
)

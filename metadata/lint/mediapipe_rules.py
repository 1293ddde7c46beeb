"""What MediaPipe's AudioClassifier refuses, in the order in which it looks; Python and browser have the same core."""

from __future__ import annotations

import re

from metadata.lint import shared_rules as shared
from metadata.lint.file_facts import FileFacts
from metadata.lint.label_lines import mediapipe_labels
from metadata.lint.mending import (
    CALIBRATION,
    DESCRIBE,
    FIX,
    FIX_LABELS,
    FIX_RATE,
    FLOAT_ENDS,
    GET_AGAIN,
    MONO,
    ONE_INPUT,
    ONE_WINDOW,
    WAVEFORM,
)
from metadata.lint.task_library_rules import no_audio_properties
from metadata.lint.verdict import Finding
from metadata.packing.metadata_schema import SCHEMA_VERSION

_INPUT_TYPES = ("float16", "float32")
_SCORE_TYPES = ("uint8", "float32", "bool")
_MOST_DIMENSIONS = 2


def empty_file(facts: FileFacts) -> Finding | None:
    """A file without a byte."""
    return None if facts.size else Finding("Unable to get file size", GET_AGAIN)


def newer_parser(facts: FileFacts) -> Finding | None:
    """The metadata asks for a parser that it is not."""
    wanted = (facts.values or {}).get("min_parser_version")
    if wanted is None:
        return None
    numbers = [int(number) for number in re.findall(r"\d+", str(wanted))[:3]]
    if not numbers:
        return Finding(f"It crashes: min_parser_version is {wanted!r} (stoi: no conversion)", FIX)
    if numbers <= [int(number) for number in SCHEMA_VERSION.split(".")]:
        return None
    said = f"Metadata schema version {SCHEMA_VERSION} is smaller than the minimum version {wanted}"
    return Finding(f"{said} to parse the metadata flatbuffer.", FIX)


def no_metadata(facts: FileFacts) -> Finding | None:
    """Nothing describes the model."""
    if facts.values and facts.values.get("subgraph_metadata"):
        return None
    return Finding("Audio classifier models require TFLite Model Metadata but none was found", DESCRIBE)


def several_inputs(facts: FileFacts) -> Finding | None:
    """More than the audio goes in."""
    if facts.content is None or len(facts.inputs) == 1:
        return None
    return Finding("Audio classification tflite models are assumed to have a single input.", ONE_INPUT)


def no_input_metadata(facts: FileFacts) -> Finding | None:
    """Nothing describes the input."""
    return None if facts.described_inputs else Finding("Tensor index is out of range.", FIX_RATE)


def no_content(facts: FileFacts) -> Finding | None:
    """The input is described, but not what it holds."""
    if not facts.described_inputs or facts.described_inputs[0].get("content", {}).get("content_properties_type"):
        return None
    return Finding("Missing audio metadata in the model metadata.", FIX_RATE)


def input_type(facts: FileFacts) -> Finding | None:
    """It feeds floats alone."""
    if not facts.inputs or facts.inputs[0].dtype in _INPUT_TYPES:
        return None
    tensor = facts.inputs[0]
    said = f"Type mismatch for input tensor {tensor.name}. Requested one of these types: float16/float32"
    return Finding(f"{said}, got {tensor.dtype.upper()}.", FLOAT_ENDS)


def input_rank(facts: FileFacts) -> Finding | None:
    """A shape of more than two dimensions."""
    if not facts.inputs or len(facts.inputs[0].shape) <= _MOST_DIMENSIONS:
        return None
    tensor = facts.inputs[0]
    return Finding("Only 1D and 2D tensors are supported.", FIX if max(tensor.shape) == tensor.size else WAVEFORM)


def no_channels(facts: FileFacts) -> Finding | None:
    """AudioProperties without channels."""
    if facts.audio is None or facts.audio.get("channels") or not facts.inputs:
        return None
    size = facts.inputs[0].size
    return Finding(f"Model input tensor size ({size}) should be a multiplier of the number of channels (0).", FIX)


def output_count(facts: FileFacts) -> Finding | None:
    """Another number of outputs than are described."""
    described = len(facts.described_outputs)
    if facts.content is None or described in (0, len(facts.outputs)):
        return None
    said = f"Mismatch between number of output tensors ({len(facts.outputs)}) and output tensors metadata"
    return Finding(f"{said} ({described}).", FIX_LABELS)


def output_type(facts: FileFacts) -> Finding | None:
    """Scores of another type than it reads."""
    for place, tensor in enumerate(facts.outputs):
        if tensor.dtype not in _SCORE_TYPES:
            said = f"Expected output tensor at index {place} to have type UINT8 or FLOAT32 or BOOL"
            return Finding(f"{said}, found {tensor.dtype.upper()} instead.", FLOAT_ENDS)
    return None


def half_input(facts: FileFacts) -> Finding | None:
    """It opens a float16 input, and then feeds float32."""
    if not facts.inputs or facts.inputs[0].dtype != "float16":
        return None
    said = "Input and interpreter tensor type do not match: Input tensor type kFloat32 vs interpreter tensor type"
    return Finding(f"{said} FLOAT16.", FLOAT_ENDS)


def no_rate(facts: FileFacts) -> Finding | None:
    """AudioProperties without a rate."""
    if facts.audio is None or facts.audio.get("sample_rate"):
        return None
    return Finding("It crashes: Check failed: resampler.Valid(), for a sample rate of 0", FIX_RATE)


def several_channels(facts: FileFacts) -> Finding | None:
    """More channels than a microphone has."""
    channels = (facts.audio or {}).get("channels", 0)
    if channels < 2:
        return None
    said = f"Audio input has 1 channel(s) but the model requires {channels} channel(s)."
    return Finding(said, MONO)


def several_windows(facts: FileFacts) -> Finding | None:
    """It fills one row."""
    shape = facts.inputs[0].shape if facts.inputs else ()
    if len(shape) != _MOST_DIMENSIONS or shape[0] == 1:
        return None
    return Finding(f"TfLiteTensor and Tensor sizes do not match. TfLiteTensor dims: {list(shape)}", ONE_WINDOW)


def label_count(facts: FileFacts) -> Finding | None:
    """Another number of labels than scores."""
    content = facts.files.get(facts.label_file or "")
    if not content or not facts.outputs:
        return None
    labels = mediapipe_labels(content)
    classes = [tensor.shape[-1] for tensor in facts.outputs if tensor.shape]
    if not classes or len(labels) in classes:
        return None
    said = f"num_classes == GetLabelMap(cc).size() ({classes[0]} vs. {len(labels)})"
    mends_itself = len([label for label in labels if label.strip("\ufeff \0")]) == classes[0] or b"\0" in content
    return Finding(said, FIX if mends_itself else FIX_LABELS)


def calibration_count(facts: FileFacts) -> Finding | None:
    """Another number of calibrations than scores."""
    lines = shared.calibration_lines(facts)
    classes = facts.outputs[0].size if facts.outputs else 0
    if lines is None or lines == classes:
        return None
    said = f"Mismatch between number of sigmoids ({lines}) and number of elements in the input scores tensor"
    return Finding(f"{said} ({classes}).", CALIBRATION)


def odd_labels(facts: FileFacts) -> Finding | None:
    """Labels that reach the app otherwise than they were meant."""
    content = facts.files.get(facts.label_file or "", b"")
    return shared.odd_labels(facts, mediapipe_labels(content)) if content else None


def odd_display_names(facts: FileFacts) -> Finding | None:
    """Display names of a locale that an app cannot use as they are."""
    return shared.odd_display_names(facts, mediapipe_labels)


RULES: tuple[shared.Rule, ...] = (
    empty_file,
    shared.not_a_model,
    shared.other_schema_of_task,
    shared.cut_off_zip,
    shared.deflated_files,
    shared.other_metadata,
    newer_parser,
    no_metadata,
    several_inputs,
    no_input_metadata,
    no_content,
    no_audio_properties,
    input_type,
    input_rank,
    no_channels,
    output_count,
    output_type,
    shared.missing_files,
    shared.empty_labels,
    shared.contradiction,
    no_rate,
    several_channels,
    half_input,
    several_windows,
    label_count,
    calibration_count,
    shared.no_output,
    odd_labels,
    odd_display_names,
    shared.unnamed_scores,
    shared.threshold_beyond_scores,
    shared.frames_in_front,
)

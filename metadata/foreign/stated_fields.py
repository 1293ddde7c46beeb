"""What somebody else's model file states about itself, each field read on its own.

What is bad is said in a note and left out; it takes nothing else with it. What nobody states stays None or empty: it is
for whoever asks to say what to do about that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from metadata.errors import ModelContractError
from metadata.foreign.stated_labels import stated_labels
from metadata.packing.metadata_codec import decode_metadata, metadata_tables
from metadata.packing.metadata_schema import METADATA_ENTRY_NAME, SCHEMA_VERSION
from metadata.packing.score_calibration import CALIBRATION_FILE, Calibration, stated_thresholds
from metadata.tflite_file.model_content import ModelContent, parse_model

Values = Mapping[str, Any]
LOWEST_RATE, HIGHEST_RATE = 100, 1_000_000  # Hz; heart sounds are kept at 1000, bats at 500,000
_TEXTS = ("name", "version", "description", "author", "license")
_RATE_IN_TEXT = re.compile(r"(?<![\d.,])(\d{1,3}(?:[ ,]\d{3})+|\d+(?:\.\d+)?)\s*(k?)hz\b", re.IGNORECASE)
_USUAL_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 96000)


@dataclass(frozen=True, kw_only=True)
class StatedFields:
    """What the standard TFLite metadata of a file says that is of use.

    Attributes
    ----------
    has_metadata : bool
    name, version, description, author, license : str
        Empty where they are not stated.
    sample_rate : int or None
        Hz.
    is_audio : bool
        Whether the input is said to be audio.
    channels : int or None
    labels : tuple of str or None
        One a score.
    label_notes : tuple of str
        Those of the notes that are about the labels.
    labels_are_mended : bool
        An app that reads the label file gets others.
    label_faults : tuple of str
        Why there are no labels.
    rate_in_text : int or None
        Hz that a description speaks of, where nothing else states a rate: no more than a hint.
    threshold : float or None
        From which scores are shown.
    thresholds : tuple of float or None
        The same for each label, by the calibration of the scores; None for a label without; empty without calibration.
    notes : tuple of str
        Each names a field, its value and what was done.
    """

    has_metadata: bool = False
    name: str = ""
    version: str = ""
    description: str = ""
    author: str = ""
    license: str = ""
    sample_rate: int | None = None
    is_audio: bool = False
    channels: int | None = None
    labels: tuple[str, ...] | None = None
    label_notes: tuple[str, ...] = ()
    labels_are_mended: bool = False
    label_faults: tuple[str, ...] = ()
    rate_in_text: int | None = None
    threshold: float | None = None
    thresholds: tuple[float | None, ...] = ()
    notes: tuple[str, ...] = ()


def read_stated(model: bytes | ModelContent) -> StatedFields:
    """Return what a file's standard metadata states.

    Raises
    ------
    ModelContractError
        Not a model, or a damaged one; never for what the metadata holds.
    """
    content, notes = parse_model(model), list[str]()
    files = _files(content, notes)
    values = _values(content, notes)
    has_metadata = values is not None
    values = values or {}
    graph = _first(values, "subgraph_metadata", notes, "graphs, of which the first runs")
    audio = _first(graph, "input_tensor_metadata", notes, "inputs")
    scores = _first(graph, "output_tensor_metadata", notes, "outputs")
    properties = _audio_properties(audio)
    texts = {key: _text(values, key) for key in _TEXTS}
    outputs = content.tensors.outputs
    labels = stated_labels(values, scores, files, outputs[0].size if outputs else 0)
    rate = _sample_rate(values, properties, notes)
    thresholds = _class_thresholds(scores, files, outputs[0].size if outputs else 0)
    threshold = _threshold(scores, notes, bool(thresholds))
    _note_version(values, notes)
    _note_unused(audio, scores, notes, bool(thresholds))
    if labels.labels is not None:
        notes += labels.said
    return StatedFields(
        has_metadata=has_metadata,
        **texts,
        sample_rate=rate,
        is_audio=properties is not None,
        channels=_channels(properties),
        labels=labels.labels,
        label_notes=labels.said if labels.labels is not None else (),
        labels_are_mended=labels.are_mended,
        label_faults=labels.said if labels.labels is None else (),
        rate_in_text=None if rate else _rate_in_text(values),
        threshold=threshold,
        thresholds=thresholds,
        notes=tuple(notes),
    )


def read_metadata_leniently(model: bytes | ModelContent) -> tuple[dict[str, Any] | None, dict[str, bytes]]:
    """Return a file's standard metadata, None where it has none, and the files inside, as far as they can be read."""
    content = parse_model(model)
    values = _values(content, [])
    return None if values is None else dict(values), _files(content, [])


def _files(content: ModelContent, notes: list[str]) -> dict[str, bytes]:
    """The files inside."""
    try:
        return content.files()
    except ModelContractError as error:
        notes.append(f"the files inside the model are not used: {error}")
        return {}


def _values(content: ModelContent, notes: list[str]) -> Values | None:
    """The metadata, None where there is none that can be read."""
    entry = content.entry(METADATA_ENTRY_NAME)
    if entry is None:
        return None
    try:
        return decode_metadata(entry, notes)
    except ModelContractError as error:
        notes.append(f"the metadata is not used: {error}")
        return None


def _first(values: Values, key: str, notes: list[str], what: str) -> Values:
    """The first table of a list."""
    tables = values.get(key) or [{}]
    if len(tables) > 1:
        notes.append(f"the metadata describes {len(tables)} {what}; only the first is looked at")
    table: Values = tables[0]
    return table


def _text(values: Values, key: str) -> str:
    """A text on one line, empty where it is not stated."""
    return " ".join(str(values.get(key, "")).replace("\0", " ").split())


def _audio_properties(tensor: Values) -> Values | None:
    """The AudioProperties of a tensor, None where it has none."""
    content = tensor.get("content", {})
    is_audio = content.get("content_properties_type") == "AudioProperties"
    return content.get("content_properties", {}) if is_audio else None


def _sample_rate(values: Values, properties: Values | None, notes: list[str]) -> int | None:
    """The rate in Hz of the input's AudioProperties, else the one that is stated elsewhere."""
    rate = int((properties or {}).get("sample_rate", 0))
    if LOWEST_RATE <= rate <= HIGHEST_RATE:
        return rate
    if properties is not None:
        notes.append(
            f"AudioProperties.sample_rate is {rate} Hz and is not used; expected {LOWEST_RATE} to {HIGHEST_RATE}"
        )
    others = {int(table["sample_rate"]) for table in metadata_tables(values) if table.get("sample_rate")} - {rate}
    others = {other for other in others if LOWEST_RATE <= other <= HIGHEST_RATE}
    if len(others) == 1:
        notes.append(f"the sample rate of {min(others)} Hz is from the AudioProperties of another tensor")
        return min(others)
    return None


def _rate_in_text(values: Values) -> int | None:
    """The one usual rate that descriptions speak of, None where they speak of none or several."""
    texts = [str(table[key]) for table in metadata_tables(values) for key in ("description", "name") if key in table]
    found = {rate for text in texts for rate in _rates(text)}
    return found.pop() if len(found) == 1 else None


def _rates(text: str) -> Iterator[int]:
    """The usual rates that a text names."""
    for number, kilo in _RATE_IN_TEXT.findall(text):
        rate = round(float(number.replace(",", "").replace(" ", "")) * (1000 if kilo else 1))
        if rate in _USUAL_RATES:
            yield rate


def _channels(properties: Values | None) -> int | None:
    """The number of channels, None where it is not stated."""
    return int((properties or {}).get("channels", 0)) or None


def _note_version(values: Values, notes: list[str]) -> None:
    """Say that a parser of the future is asked for."""
    wanted = str(values.get("min_parser_version", ""))
    numbers = [int(number) for number in re.findall(r"\d+", wanted)[:3]]
    if numbers > [int(number) for number in SCHEMA_VERSION.split(".")]:
        notes.append(
            f"min_parser_version is {wanted}; read as schema {SCHEMA_VERSION}, what came later is not looked at"
        )


def _note_unused(audio: Values, scores: Values, notes: list[str], is_calibrated: bool) -> None:
    """Say what processing the metadata asks for that is not done."""
    for tensor, what in ((audio, "input"), (scores, "output")):
        for unit in tensor.get("process_units", []):
            kind, options = unit.get("options_type"), unit.get("options", {})
            plain = kind == "NormalizationOptions" and {*options.get("mean", [0.0])} == {0.0}
            if is_calibrated and kind == "ScoreCalibrationOptions":
                continue
            if kind in (None, "ScoreThresholdingOptions") or (plain and {*options.get("std", [1.0])} == {1.0}):
                continue
            said = ", ".join(f"{key} {value}" for key, value in options.items())
            notes.append(f"the metadata asks for {kind} ({said}) on the {what}, which is not done here")


def _threshold(scores: Values, notes: list[str], is_calibrated: bool) -> float | None:
    """The score from which labels are shown, None where it is not stated; 0 belongs to thresholds of each label."""
    for unit in scores.get("process_units", []):
        if unit.get("options_type") == "ScoreThresholdingOptions":
            threshold = float(unit.get("options", {}).get("global_score_threshold", 0.0))
            if 0.0 < threshold <= 1.0:
                return threshold
            if threshold or not is_calibrated:
                notes.append(f"global_score_threshold is {threshold} and is not used; expected above 0 and up to 1")
    return None


def _class_thresholds(scores: Values, files: Mapping[str, bytes], count: int) -> tuple[float | None, ...]:
    """The score from which each label is shown, by a calibration that does nothing else; empty where there is none."""
    units = [unit.get("options", {}) for unit in scores.get("process_units", []) if _is_calibration(unit)]
    named = [item for item in scores.get("associated_files", []) if item.get("type") == CALIBRATION_FILE]
    content = files.get(str(named[0].get("name", ""))) if named else None
    if not units or content is None:
        return ()
    transformation = str(units[0].get("score_transformation", "IDENTITY"))
    calibration = Calibration(transformation, float(units[0].get("default_score", 0.0)), content)
    return stated_thresholds(calibration, count) or ()


def _is_calibration(unit: Values) -> bool:
    """Whether a process unit asks for calibration."""
    return unit.get("options_type") == "ScoreCalibrationOptions"

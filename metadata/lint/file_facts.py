"""What the rules look at: a file's bytes, read as far as they can be read."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from metadata.errors import ModelContractError, UnsupportedModelError
from metadata.gate.model_check import check_model
from metadata.packing.metadata_codec import decode_metadata
from metadata.packing.metadata_schema import METADATA_ENTRY_NAME
from metadata.packing.packed_model import find_label_file
from metadata.tflite_file.flat_model import (
    MODEL_IDENTIFIER,
    OPERATOR_CODES,
    SIGNATURE_DEFS,
    VERSION,
    ModelFlatBuffer,
)
from metadata.tflite_file.model_content import ModelContent, TensorInfo, parse_model, read_content
from metadata.tflite_file.tflite_schema import BUILTIN_OPERATORS

Values = dict[str, Any]
_HEADER = 8  # bytes: offset of the root table, file identifier
_END_OF_ZIP, _LONGEST_TAIL = b"PK\x05\x06", 22 + 2**16


class OperatorCode(NamedTuple):
    """An operator that the file names, by number and version; a custom one by its name."""

    number: int
    version: int
    custom: str

    @property
    def name(self) -> str:
        """What the schema calls it."""
        return BUILTIN_OPERATORS[self.number] if 0 <= self.number < len(BUILTIN_OPERATORS) else str(self.number)


class FileFacts(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    size : int
        Bytes.
    content : ModelContent or None
        None where it cannot be read.
    damage : str
        Why it cannot be read as a model.
    unknown : str
        What it holds that is not looked at here.
    contradiction : str
        What the gate says of its graph.
    schema_version : int
    codes : tuple of OperatorCode
    signature : (int, int) or None
        Inputs and outputs that the first signature names, None where there is none.
    has_other_identifier : bool
        It would be a model, but for the four bytes that say so.
    identifier : bytes or None
        Of the metadata; None where there is none.
    values : dict or None
        The metadata, None where there is none or it cannot be read.
    files : dict
        The files behind the model that can be unpacked.
    zip_damage : str
        Why the files cannot be read.
    deflated : tuple of str
        Files that are not merely stored.
    """

    size: int
    content: ModelContent | None = None
    damage: str = ""
    unknown: str = ""
    contradiction: str = ""
    schema_version: int = 3
    codes: tuple[OperatorCode, ...] = ()
    signature: tuple[int, int] | None = None
    has_other_identifier: bool = False
    identifier: bytes | None = None
    values: Values | None = None
    files: dict[str, bytes] = {}  # noqa: RUF012 - never written to
    zip_damage: str = ""
    deflated: tuple[str, ...] = ()

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """What the model takes."""
        return self.content.tensors.inputs if self.content else ()

    @property
    def outputs(self) -> tuple[TensorInfo, ...]:
        """What the model gives."""
        return self.content.tensors.outputs if self.content else ()

    @property
    def described_inputs(self) -> list[Values]:
        """The metadata of the inputs."""
        return list(self._graph.get("input_tensor_metadata", ()))

    @property
    def described_outputs(self) -> list[Values]:
        """The metadata of the outputs."""
        return list(self._graph.get("output_tensor_metadata", ()))

    @property
    def audio(self) -> Values | None:
        """The AudioProperties of the first input, None where it has none."""
        content = self.described_inputs[0].get("content", {}) if self.described_inputs else {}
        is_audio = content.get("content_properties_type") == "AudioProperties"
        return dict(content.get("content_properties", {})) if is_audio else None

    @property
    def label_file(self) -> str | None:
        """The name of the label file of the scores."""
        return find_label_file(self.values) if self.values else None

    @property
    def _graph(self) -> Values:
        graphs = (self.values or {}).get("subgraph_metadata") or [{}]
        return dict(graphs[0])


def read_facts(model: bytes) -> FileFacts:
    """Return what a file holds; whatever is wrong with it is one of the facts."""
    if len(model) > _HEADER and model[4:8] != MODEL_IDENTIFIER:
        other = read_facts(model[:4] + MODEL_IDENTIFIER + model[8:])
        damage = f"its identifier is {model[4:8]!r}; expected {MODEL_IDENTIFIER!r}"
        return other._replace(damage=damage, has_other_identifier=other.content is not None)
    facts = _codes(model, FileFacts(len(model)))
    try:
        content, zip_damage = _parsed(model)
    except UnsupportedModelError as error:
        return facts._replace(unknown=str(error))
    except (ModelContractError, LookupError, ArithmeticError, ValueError, struct.error) as error:
        return facts._replace(damage=str(error))
    facts = facts._replace(content=content, zip_damage=zip_damage)
    return _graph(_associated(_described(facts, content), content), content)


def _codes(model: bytes, facts: FileFacts) -> FileFacts:
    """The version of the schema and the operators, which are there even where the rest is not known."""
    try:
        root = ModelFlatBuffer(model).root
        codes = tuple(
            OperatorCode(max(row.integer(0, "b"), row.integer(3, "i")), row.integer(2, "i", 1), row.name(1))
            for row in root.tables(OPERATOR_CODES)
        )
        signatures = [(len(row.tables(0)), len(row.tables(1))) for row in root.tables(SIGNATURE_DEFS)]
        version = root.integer(VERSION, "I")
    except ModelContractError as error:
        return facts._replace(damage=str(error))
    return facts._replace(schema_version=version, codes=codes, signature=signatures[0] if signatures else None)


def _parsed(model: bytes) -> tuple[ModelContent, str]:
    """The model, and why its files cannot be read."""
    try:
        content = parse_model(model)
    except UnsupportedModelError:
        raise
    except ModelContractError as error:
        content = read_content(model)  # where this fails too, it is not the ZIP
        return content, str(error)
    cut_off = content.tail is None and _END_OF_ZIP in model[-_LONGEST_TAIL:]
    return content, "the ZIP at the end of the file is cut off" if cut_off else ""


def _described(facts: FileFacts, content: ModelContent) -> FileFacts:
    """The metadata."""
    entry = content.entry(METADATA_ENTRY_NAME)
    if entry is None:
        return facts
    facts = facts._replace(identifier=bytes(entry[4:8]))
    try:
        return facts._replace(values=decode_metadata(entry, []))
    except ModelContractError:
        return facts


def _associated(facts: FileFacts, content: ModelContent) -> FileFacts:
    """The files behind the model."""
    if content.tail is None:
        return facts
    deflated = tuple(entry.name for entry in content.tail.entries if entry.method)
    try:
        return facts._replace(files=content.files(), deflated=deflated)
    except ModelContractError as error:
        return facts._replace(zip_damage=str(error), deflated=deflated)


def _graph(facts: FileFacts, content: ModelContent) -> FileFacts:
    """What the gate says of the graph."""
    try:
        check_model(content, unknown_operators=True)
    except UnsupportedModelError:
        return facts
    except ModelContractError as error:
        return facts._replace(contradiction=str(error))
    return facts

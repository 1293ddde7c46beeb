"""A file mended: the input in one row, and metadata, labels and spec written anew by what is stated and said."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from metadata.editing.carried_over import carry_over
from metadata.errors import ModelContractError
from metadata.foreign.foreign_contract import foreign_contract
from metadata.foreign.probed_scores import Hear
from metadata.foreign.said_fields import SaidFields
from metadata.gate.model_check import check_model
from metadata.lint.file_facts import FileFacts, read_facts
from metadata.lint.lint_file import lint_facts
from metadata.lint.verdict import Verdict
from metadata.packing.metadata_codec import encode_metadata
from metadata.packing.metadata_schema import METADATA_ENTRY_NAME
from metadata.packing.packed_model import FILE_FIELDS, named_files, pack_model, read_spec, strip_metadata
from metadata.packing.rewrite import add_metadata_buffer
from metadata.spec import SPEC_FILE_NAME, ModelSpec
from metadata.tflite_file.associated_files import append_files

FitInput = Callable[[bytes], tuple[bytes, list[str]]]
_MOST_DIMENSIONS = 2  # that MediaPipe takes
_MADE_WHOLE = "metadata, labels and spec were written anew"


class Said(NamedTuple):
    """What the user says of a file; None where he says nothing."""

    labels: Sequence[str] | None = None
    sample_rate: int | None = None
    activation: str | None = None
    name: str = "unnamed model"


class Fixed(NamedTuple):
    """A mended file; the file as it was where nothing is to be done.

    Attributes
    ----------
    model : bytes
    steps : tuple of str
        What was done.
    cured : tuple of str
        What a loader said before, and says no longer.
    notes : tuple of str
        What was assumed, and what the file stated that is gone.
    """

    model: bytes
    steps: tuple[str, ...] = ()
    cured: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def fix_model(model: bytes, said: Said, hear: Hear | None = None, fit_input: FitInput | None = None) -> Fixed:
    """Return a file that more loaders take.

    Parameters
    ----------
    model : bytes
        The whole file.
    said : Said
    hear : callable, optional
        Runs a model on test signals; without it the graph alone tells what the scores are.
    fit_input : callable, optional
        Makes one row of an input, see `convert.graph.loader_input`; without it the graph stays as it is.

    Raises
    ------
    ModelContractError
        It cannot be mended, and why; or something must be said first.
    """
    facts = read_facts(model)
    verdicts = lint_facts(facts)
    told = any((said.labels, said.sample_rate, said.activation))
    if not told and not any(verdict.findings for verdict in verdicts if verdict.loader.key != "tflite_micro"):
        return Fixed(model)
    if facts.content is None:
        raise ModelContractError(f"nothing here can mend it: {facts.damage or facts.unknown}")
    if facts.has_other_identifier:
        raise ModelContractError(f"nothing here can mend it: {facts.damage}; is it a model at all?")
    own, distrust = _own_spec(model)
    plain, steps = strip_metadata(model[: facts.content.end]), list[str]()
    if fit_input is not None:
        plain, steps = fit_input(plain)
    elif any(len(tensor.shape) > _MOST_DIMENSIONS for tensor in facts.inputs):
        raise ModelContractError("the input's shape can be mended where all of earproof is installed; here it cannot")
    described = _described(_stated_again(plain, facts), own, said, hear, facts)
    cured = _cured(verdicts, described.model)
    if not (told or cured):
        return Fixed(model)
    return Fixed(described.model, (*steps, *described.steps), cured, (*distrust, *described.notes))


def _own_spec(model: bytes) -> tuple[ModelSpec | None, list[str]]:
    """The spec of ours inside, None where there is none that holds, and why it does not."""
    try:
        return read_spec(model), []
    except ModelContractError as error:
        return None, [f"the spec inside is not used: {error}"]


def _stated_again(plain: bytes, facts: FileFacts) -> bytes:
    """A model with what its file stated, the spec of ours aside."""
    if facts.content is None or facts.values is None:
        return plain
    entry = facts.content.entry(METADATA_ENTRY_NAME) or b""
    files = {name: file for name, file in facts.files.items() if name != SPEC_FILE_NAME}
    if not set(files).issuperset(named_files(facts.values)):
        entry = encode_metadata(_naming(files, facts.values))
    return append_files(add_metadata_buffer(plain, entry), files)


def _naming(files: Mapping[str, bytes], values: Any) -> Any:
    """Metadata that names no other files."""
    if isinstance(values, list):
        return [_naming(files, item) for item in values]
    if not isinstance(values, dict):
        return values
    return {
        key: [file for file in item if file.get("name") in files] if key in FILE_FIELDS else _naming(files, item)
        for key, item in values.items()
    }


def _described(model: bytes, own: ModelSpec | None, said: Said, hear: Hear | None, facts: FileFacts) -> Fixed:
    """The model with metadata, by what the file states and the user says."""
    fields = SaidFields(
        labels=said.labels,
        sample_rate=said.sample_rate,
        activation=said.activation,
        default_name=said.name,
        default_version="1",
        source=said.name,
    )
    content = check_model(model, unknown_operators=True)
    contract = foreign_contract(content, fields, hear if content.is_checked else None, own)
    spec = contract.settled("earproof lint --fix FILE --out NEW.tflite")
    packed, notes = carry_over(pack_model(model, spec), spec, facts.values, facts.files)
    return Fixed(packed, (_MADE_WHOLE,), notes=(*contract.notes, *notes))


def _cured(before: Sequence[Verdict], model: bytes) -> tuple[str, ...]:
    """What a loader said before, and says no longer."""
    left = {(one.loader.key, finding.reason) for one in lint_facts(read_facts(model)) for finding in one.findings}
    found = [(one.loader.key, finding.reason) for one in before for finding in one.findings]
    return tuple(dict.fromkeys(reason for key, reason in found if (key, reason) not in left))

"""One self-describing file: standard TFLite metadata, labels and spec inside the `.tflite`.

What is written opens in the TensorFlow Lite Task library (Android, Python) and in MediaPipe:
`AudioProperties` on the one input, a label file on the scores. A model that takes a spectrogram
gets no `AudioProperties`, so that these refuse it instead of feeding it samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from metadata.errors import ModelContractError
from metadata.labels import LABELS_FILE_NAME, format_labels, parse_labels
from metadata.packing.contract_check import check_contract, check_label_count, score_place
from metadata.packing.digest import check_digest, spec_with_digest
from metadata.packing.metadata_check import check_metadata
from metadata.packing.metadata_codec import decode_metadata, encode_metadata
from metadata.packing.metadata_schema import METADATA_ENTRY_NAME
from metadata.packing.new_root import find_model
from metadata.packing.rewrite import add_metadata_buffer, remove_metadata_buffer
from metadata.packing.standard_metadata import AXIS_LABELS, describe_model
from metadata.plural import counted
from metadata.spec import SPEC_FILE_NAME, ModelSpec
from metadata.tflite_file.associated_files import append_files
from metadata.tflite_file.model_content import ModelContent, parse_model, read_tensors

FILE_FIELDS = ("associated_files", "vocab_file", "sentencePiece_model")  # of the metadata: lists of files


def pack_model(model: bytes, spec: ModelSpec) -> bytes:
    """Return the model with metadata, labels and spec inside, in place of what it had.

    Parameters
    ----------
    model : bytes
        A `.tflite` file with one input and the outputs that the spec says.
    spec : ModelSpec
        What the file shall say about itself.

    Returns
    -------
    bytes
        The same for the same arguments; packing a packed model again changes nothing.

    Raises
    ------
    ModelContractError
        Not a model, or one whose input or output is not what the spec says.
    """
    tensors = read_tensors(model)
    check_contract(tensors, spec)
    described = add_metadata_buffer(model, encode_metadata(describe_model(spec, score_place(tensors, spec))))
    files = {LABELS_FILE_NAME: format_labels(spec.labels), SPEC_FILE_NAME: spec_with_digest(spec, described)}
    return append_files(described, files)


def repack_model(
    model: bytes, values: Mapping[str, Any], files: Mapping[str, bytes], spec: ModelSpec | None = None
) -> bytes:
    """Return the model with other metadata and files inside, in place of what it had; the model itself stays as it is.

    Parameters
    ----------
    model : bytes
    values : mapping
        The standard metadata, as `read_metadata` gives it.
    files : mapping of str to bytes
        All files that the model shall hold.
    spec : ModelSpec, optional
        Written anew for a file that holds one: its digest covers the metadata.

    Raises
    ------
    ModelContractError
        Values that the schema has no place for, a file that they name and that is missing, or a spec, labels and
        tensors that disagree.
    """
    check_metadata(values)
    _check_named_files(values, dict(files))
    described = add_metadata_buffer(model, encode_metadata(values))
    if spec is not None:
        files = {**files, SPEC_FILE_NAME: spec_with_digest(spec, described)}
    packed = append_files(described, files)
    read_spec(packed)
    return packed


def strip_metadata(model: bytes) -> bytes:
    """Return the model without metadata and without associated files.

    A file of `pack_model` gives back the very bytes that were packed, unless weights lay behind the
    FlatBuffer, as the ai-edge-quantizer writes them: these stay inside.

    Raises
    ------
    ModelContractError
        Not a model, or a damaged one.
    """
    return remove_metadata_buffer(model)


def read_metadata(model: bytes | ModelContent) -> dict[str, Any]:
    """Return the standard TFLite metadata as a dictionary that JSON can hold.

    Returns
    -------
    dict
        In the shape of FlatBuffers' own JSON, for instance
        ``values["subgraph_metadata"][0]["input_tensor_metadata"][0]["content"]["content_properties"]``
        is ``{"sample_rate": 16000, "channels": 1}``. Fields that were not written are not there.

    Raises
    ------
    ModelContractError
        Not a model, no metadata inside, damaged, or a file that the metadata names is missing.
    """
    return _metadata(_read(model))


def find_metadata(model: bytes | ModelContent) -> dict[str, Any] | None:
    """Return what `read_metadata` does, None where the model holds no metadata."""
    return _read(model).metadata


def read_associated_files(model: bytes | ModelContent) -> dict[str, bytes]:
    """Return the files inside a model by name; none where it has none.

    Raises
    ------
    ModelContractError
        Not a model, a damaged ZIP, or a file that the metadata names is missing.
    """
    return _read(model).files


def read_spec(model: bytes | ModelContent) -> ModelSpec | None:
    """Return the spec inside a model, None where it has none, after checking that the file keeps to it.

    Raises
    ------
    ModelContractError
        Not a model, a model that was changed after the spec was written, a broken spec or label file, or tensors,
        labels and spec that disagree.
    """
    described = _read(model, SPEC_FILE_NAME)
    if SPEC_FILE_NAME not in described.files:
        return None
    spec = ModelSpec.from_json(described.files[SPEC_FILE_NAME])
    check_digest(described.parsed, described.files[SPEC_FILE_NAME])
    check_contract(described.parsed.tensors, spec, _labels(described))
    return spec


def read_model_labels(model: bytes | ModelContent) -> tuple[str, ...]:
    """Return the labels that the standard metadata gives the model's scores, in output order.

    Raises
    ------
    ModelContractError
        Not a model, no metadata, no label file, a broken one, or not one label a score.
    """
    return _labels(_read(model))


class _Described(NamedTuple):
    """A parsed model, its metadata (None where it has none), and the files behind it: each read once."""

    parsed: ModelContent
    metadata: dict[str, Any] | None
    files: dict[str, bytes]


def _read(model: bytes | ModelContent, own_file: str = "") -> _Described:
    """Read what a model says about itself; a file that the metadata names and that is missing is refused.

    With `own_file` that is so in a file which holds or names it alone; what others wrote is read as far as it goes.
    """
    if isinstance(model, bytes):
        find_model(model)  # refuses a packed file whose model is cut off
    parsed = parse_model(model)
    entry = parsed.entry(METADATA_ENTRY_NAME)
    inside = parsed.tail.names if parsed.tail else ()
    if own_file.encode() not in (entry or b"") and own_file not in inside:
        return _Described(parsed, None, {})
    values = None if entry is None else decode_metadata(entry)
    files = parsed.files()
    if values is not None:
        _check_named_files(values, files)
    return _Described(parsed, values, files)


def _metadata(described: _Described) -> dict[str, Any]:
    """The metadata, which must be there."""
    if described.metadata is None:
        raise ModelContractError(
            "the model holds no TFLite metadata; write some with: earproof metadata write FILE --spec model_spec.json"
        )
    return described.metadata


def _labels(described: _Described) -> tuple[str, ...]:
    """The labels of the scores, one each."""
    name = find_label_file(_metadata(described))
    if name is None:
        raise ModelContractError("the metadata names no label file (TENSOR_AXIS_LABELS) for the model's first output")
    try:
        labels = parse_labels(described.files[name], name)
    except ModelContractError:
        raise
    except ValueError as error:
        raise ModelContractError(str(error)) from error
    outputs = described.parsed.tensors.outputs
    if not outputs:
        raise ModelContractError(f"{name} has {counted(len(labels), 'name')} but the model has no output")
    named = _label_files(_metadata(described))
    place = next(number for number, file in enumerate(named) if file is not None)
    check_label_count(labels, outputs[min(place, len(outputs) - 1)], name)
    return labels


def _check_named_files(values: Any, files: dict[str, bytes]) -> None:
    """Refuse metadata that names files which are not there."""
    missing = sorted(set(named_files(values)) - set(files))
    if missing:
        raise ModelContractError(
            f"the metadata names {', '.join(missing)} but the file holds {', '.join(sorted(files)) or 'no files'}; "
            "was it truncated, or repacked by a tool that drops the ZIP at its end?"
        )


def named_files(values: Any) -> Iterator[str]:
    """Yield the names of the associated files anywhere in the metadata."""
    if isinstance(values, list):
        for item in values:
            yield from named_files(item)
    elif isinstance(values, dict):
        for key, item in values.items():
            if key in FILE_FIELDS:
                yield from (file["name"] for file in item if "name" in file)
            else:
                yield from named_files(item)


def find_label_file(values: dict[str, Any]) -> str | None:
    """Return the name of the label file of the scores, from what `read_metadata` gave; None where it names none.

    That is the first output's; frame scores, which may stand before the scores, have none.
    """
    return next((name for name in _label_files(values) if name is not None), None)


def _label_files(values: dict[str, Any]) -> list[str | None]:
    """The name of each output's label file."""
    graphs = values.get("subgraph_metadata", [])
    outputs = graphs[0].get("output_tensor_metadata", []) if graphs else []
    return [
        next(
            (
                str(file["name"])
                for file in output.get("associated_files", [])
                if file.get("type") == AXIS_LABELS and "name" in file
            ),
            None,
        )
        for output in outputs
    ]

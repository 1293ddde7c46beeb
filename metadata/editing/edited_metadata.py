"""The metadata of a model while it is edited: what is not touched stays, the model byte for byte."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

from metadata.editing.field_path import drop_field, set_field
from metadata.editing.heads import Head, find_head, read_heads
from metadata.errors import ModelContractError
from metadata.labels import format_labels
from metadata.mended_labels import mend_given_labels
from metadata.packing.metadata_codec import later_fields
from metadata.packing.metadata_schema import METADATA_ENTRY_NAME, SCHEMA_VERSION
from metadata.packing.packed_model import find_metadata, read_associated_files, read_spec, repack_model
from metadata.packing.score_calibration import CALIBRATION_FILE, Calibration, read_calibration, threshold_calibration
from metadata.packing.standard_metadata import AXIS_LABELS, parser_version
from metadata.plural import counted
from metadata.spec import ModelSpec, replace_spec
from metadata.tflite_file.model_content import ModelContent, parse_model

_OF_SPEC = ("name", "version", "description")  # fields that the spec has too
_OF_TRAINING = ("author", "license")  # what a spec keeps with the training


class EditedMetadata:
    """The metadata, the files and the spec of a model, to be changed and packed again.

    Parameters
    ----------
    model : ModelContent

    Attributes
    ----------
    values : dict
        The standard metadata, as `read_metadata` gives it.
    files : dict of str to bytes
        Those inside the model.
    notes : list of str
        What was mended or follows from an edit, for the user.

    Raises
    ------
    ModelContractError
        No metadata, or fields of a later schema, which would be lost.
    """

    def __init__(self, model: ModelContent) -> None:
        found = find_metadata(model)
        if found is None:
            raise ModelContractError(
                "the model holds no TFLite metadata that could be edited; write some with: earproof metadata write "
                "FILE --out NEW.tflite"
            )
        later = later_fields(model.entry(METADATA_ENTRY_NAME) or b"")
        if later:
            raise ModelContractError(
                f"the metadata holds {', '.join(later)} of a schema after {SCHEMA_VERSION}, which would be lost; a "
                "newer earproof is needed, or write it anew with: earproof metadata write FILE --out NEW.tflite"
            )
        self._model = model
        self._spec = read_spec(model)
        self._before = copy.deepcopy(found)
        self.values = found
        self.files = dict(read_associated_files(model))
        self.notes: list[str] = []

    def head(self, said: str | None = None) -> Head:
        """Return an output, see `find_head`."""
        return find_head(read_heads(self.values, self.files), said)

    def set(self, path: str, text: str) -> None:
        """Set a field by its path, see `field_path.set_field`."""
        set_field(self.values, path, text)

    def drop(self, what: str, said: str | None) -> None:
        """Take out calibration, threshold, locale=TAG, custom=NAME, or the field of a path."""
        kind, _, name = what.partition("=")
        if kind == "calibration":
            self.head(said).drop_calibration()
        elif kind == "threshold":
            self.head(said).drop_threshold()
        elif kind == "locale":
            self.head(said).drop_locale(name)
        elif kind == "custom":
            self._drop_custom(name)
        else:
            drop_field(self.values, what)

    def set_labels(self, content: bytes, source: str, locale: str, said: str | None) -> None:
        """Set the label file of an output: what is shown for its labels in a locale, or without one the labels."""
        head = self.head(said)
        if not locale and self._spec is not None:
            raise ModelContractError(
                "the labels are in the spec of this file too; change both with: earproof metadata write FILE --labels "
                f"{source} --out NEW.tflite"
            )
        names, notes = self._names(head, content, source)
        if locale and not head.named(AXIS_LABELS):
            raise ModelContractError(
                f"output {head.place} has no labels yet; a loader takes its first label file as the labels. Give "
                "--labels first"
            )
        self.notes += notes
        head.set_labels("".join(f"{name}\n" for name in names).encode() if locale else format_labels(names), locale)

    def set_threshold(self, threshold: float, said: str | None) -> None:
        """State the score from which an output's labels are shown."""
        _check_share(threshold, "the threshold")
        self.head(said).set_threshold(threshold)
        self.notes.append(
            "MediaPipe applies the threshold where the app sets none; the Task library never does: it takes the app's"
        )

    def set_calibration(
        self, content: bytes, source: str, transformation: str, default: float, said: str | None
    ) -> None:
        """Set the calibration of an output from a parameter file."""
        head = self.head(said)
        if not -1.0 <= default <= 1.0:
            raise ModelContractError(f"the default score is {default}; expected 0 to 1, or -1: never shown")
        content, notes = read_calibration(content, self._count(head), source)
        self.notes += notes
        head.set_calibration(Calibration(transformation, default, content))
        if default < 0.0 and head.threshold() is None:
            head.set_threshold(0.0)

    def calibrate_thresholds(self) -> None:
        """Write the thresholds of the spec as score calibration, so that the loaders apply them."""
        if self._spec is None:
            raise ModelContractError(
                "the file has no spec with thresholds; name them with --class-threshold LABEL=0.3, or describe the "
                "file first with: earproof metadata write FILE --out NEW.tflite"
            )
        self._calibrate(self.head(), self._spec.thresholds, self._spec)

    def set_class_thresholds(self, thresholds: dict[str, float], said: str | None) -> None:
        """Write the thresholds of some labels as score calibration; the others are always shown."""
        if self._spec is not None:
            raise ModelContractError("the file has a spec with thresholds; write those with --calibrate thresholds")
        head = self.head(said)
        labels = self._labels(head)
        for label, threshold in thresholds.items():
            if label not in labels:
                raise ModelContractError(
                    f"output {head.place} has no label {label!r}; earproof metadata labels FILE lists"
                )
            _check_share(threshold, f"the threshold of {label}")
        self._calibrate(head, [thresholds.get(label) for label in labels], None)

    def add_custom(self, name: str, content: bytes) -> None:
        """Put custom metadata of a name in place of what there was."""
        graphs = self.values.setdefault("subgraph_metadata", [{}])
        custom = [item for item in graphs[0].get("custom_metadata", []) if item.get("name") != name]
        graphs[0]["custom_metadata"] = [*custom, {"name": name, "data": list(content)}]

    def replace(self, values: dict[str, Any], files: dict[str, bytes]) -> None:
        """Put whole metadata in place of what there was, with the files that it names."""
        changed = {name for name, content in files.items() if content != self.files.get(name)}
        self.values = values
        self.files |= files
        for head in read_heads(self.values, self.files):
            for item in head.table.get("associated_files", []):
                if item.get("name") in changed:
                    self._mend_file(head, item["name"], item.get("type"))

    def packed(self) -> bytes:
        """Return the model with the metadata as it is now; `min_parser_version` is what its fields need.

        Raises
        ------
        ModelContractError
            Values that cannot be written, or that contradict the spec of the file.
        """
        spec = None if self._spec is None else self._same_in_spec(self._spec)
        stated = self.values.pop("min_parser_version", None)
        version = parser_version(self.values, spec is not None)
        self.values["min_parser_version"] = version
        if stated is not None and stated != version:
            self.notes.append(f"min_parser_version is {version} now, by the fields that are there; it was {stated}")
        return repack_model(self._model.model, self.values, self.files, spec)

    def _same_in_spec(self, spec: ModelSpec) -> ModelSpec:
        """The spec with what it and the metadata both say."""
        changed = {key for key in (*_OF_SPEC, *_OF_TRAINING) if self.values.get(key) != self._before.get(key)}
        if _audio(self.values) != _audio(self._before):
            raise ModelContractError(
                "what the input takes is in the spec of this file too; change both with: earproof metadata write FILE "
                "--out NEW.tflite"
            )
        training = dict(spec.provenance.training)
        for key in changed.intersection(_OF_TRAINING):
            training.pop(key, None)
            training |= {key: self.values[key]} if key in self.values else {}
        provenance = dataclasses.replace(spec.provenance, training=training)
        said = {key: self.values.get(key, "") for key in changed.intersection(_OF_SPEC)}
        return replace_spec(spec, provenance=provenance, **said)

    def _calibrate(self, head: Head, thresholds: Any, spec: ModelSpec | None) -> None:
        """Write thresholds as calibration, and what makes MediaPipe hide what is under them."""
        head.set_calibration(threshold_calibration(thresholds, spec.score_transform if spec else "none"))
        if head.threshold() is None:
            head.set_threshold(0.0)
        self.notes.append(
            "the Task library (from 0.3.1 on) and MediaPipe show a label from its threshold on, with its score; an "
            "interpreter alone knows nothing of it"
        )
        takes_samples = spec is None or spec.input_is_waveform
        if not takes_samples or any(tensor.dtype != "float32" for tensor in self._model.tensors.inputs):
            self.notes.append("but neither opens this file, so nothing comes of it: earproof lint FILE tells why")
        if spec is not None and spec.activation == "softmax":
            self.notes.append("a label that wins under its threshold is not shown; then the app gets no label at all")
        if spec is not None and spec.score_transform != "none":
            self.notes.append(
                f"the loaders show scores from 0 to 1 now, {spec.score_transform} of what the model puts out"
            )

    def _count(self, head: Head) -> int:
        """The number of scores of an output."""
        outputs = self._model.tensors.outputs
        if head.place >= len(outputs):
            raise ModelContractError(
                f"the metadata describes output {head.place} but the model has {counted(len(outputs), 'output')}"
            )
        return outputs[head.place].size

    def _names(self, head: Head, content: bytes, source: str) -> tuple[tuple[str, ...], list[str]]:
        """The lines of a label file, one for each score of an output, and what was mended to get them."""
        count = self._count(head)
        names, notes = mend_given_labels(content, count, source)
        if len(names) != count:
            raise ModelContractError(
                f"{source} has {counted(len(names), 'name')} but output {head.place} has {counted(count, 'label')}; "
                "expected one a line, in the order of the scores"
            )
        return names, notes

    def _mend_file(self, head: Head, name: str, kind: str | None) -> None:
        """Make of a file that was changed by hand what the loaders take, such as no line end behind a calibration."""
        notes = list[str]()
        if kind == AXIS_LABELS:
            names, notes = self._names(head, self.files[name], name)
            self.files[name] = "".join(f"{one}\n" for one in names).encode()
        elif kind == CALIBRATION_FILE:
            self.files[name], notes = read_calibration(self.files[name], self._count(head), name)
        self.notes += notes

    def _labels(self, head: Head) -> tuple[str, ...]:
        """The labels of an output, as its first label file has them."""
        named = head.named(AXIS_LABELS)
        if not named:
            raise ModelContractError(f"output {head.place} has no label file; give --labels first")
        return tuple(self.files[named[0]["name"]].decode("utf-8", "replace").removesuffix("\n").split("\n"))

    def _drop_custom(self, name: str) -> None:
        """Take custom metadata out."""
        found = False
        for graph in self.values.get("subgraph_metadata", []):
            custom = graph.get("custom_metadata", [])
            kept = [item for item in custom if item.get("name") != name]
            found = found or len(kept) < len(custom)
            graph.pop("custom_metadata", None)
            if kept:
                graph["custom_metadata"] = kept
        if not found:
            raise ModelContractError(f"the metadata has no custom metadata {name!r}")


def with_loader_thresholds(model: bytes) -> bytes:
    """Return a packed model that makes the Task library and MediaPipe apply the thresholds of its spec.

    Raises
    ------
    ModelContractError
        No spec, or scores that no calibration computes.
    """
    edited = EditedMetadata(parse_model(model))
    edited.calibrate_thresholds()
    return edited.packed()


def _audio(values: dict[str, Any]) -> list[Any]:
    """What the inputs are said to take."""
    graphs = values.get("subgraph_metadata") or [{}]
    return [tensor.get("content") for tensor in graphs[0].get("input_tensor_metadata", [])]


def _check_share(value: float, what: str) -> None:
    """Refuse what is no score."""
    if not 0.0 <= value <= 1.0:
        raise ModelContractError(f"{what} is {value}; expected 0 to 1")

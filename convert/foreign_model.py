"""A float `.tflite` that somebody else trained, as a run: quantized, compared and described without its Keras source.

The file itself is the reference: what is made of it is compared with it as it came.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.converted_file import WAVEFORM_FORM
from convert.convertible import Convertible
from convert.file_rewrites import all_rewrites
from convert.graph.float_scope import RecipeUnfitError
from convert.graph.model_graph import ModelGraph, read_graph, tell_normalised
from convert.graph.model_scores import model_scores
from convert.graph.rewrite_check import tell_rewrites
from convert.graph.score_activation import with_scores
from convert.graph.static_shapes import pin_batch
from convert.quantization.quantize import quantize
from convert.recipes import REFERENCE, Recipe, find_recipe
from convert.winograd.fast_convolution import stored_form
from convert.winograd.plain_convolution import with_plain_convolutions
from edge_runtime.model.probe import hear_test_signals
from metadata import ModelContractError, ModelSpec, Provenance, replace_spec
from metadata.atomic_file import write_atomically
from metadata.foreign.foreign_contract import ForeignContract, foreign_contract, tell_notes
from metadata.foreign.said_fields import SaidFields
from metadata.gate.model_check import check_model
from metadata.packing.contract_check import check_contract
from metadata.packing.digest import check_digest
from metadata.packing.packed_model import pack_model, read_associated_files, strip_metadata
from metadata.safe_name import safe_part
from metadata.spec import SPEC_FILE_NAME
from metadata.tflite_file.model_content import read_tensors
from train.evaluation.evaluate import TestWindows
from train.mixtures.mixture_index import label_sets
from train.recordings.clip_index import ClipIndex
from train.recordings.store.clip_store import LoadedClips
from train.settings import TrainingSettings
from train.tasks.task import OneLabel

_OPTIONS = ("--labels", "--sample-rate", "--activation")  # of `earproof convert`, that say what a file leaves open


@dataclass(frozen=True)
class ForeignModel:
    """Stands where a Keras model does: it has a name and predicts.

    Attributes
    ----------
    name : str
    content : bytes
        The file as it came, without metadata.
    pinned : bytes
        The same with static shapes and plain convolutions, which everything else is made from.
    """

    name: str
    content: bytes
    pinned: bytes

    def predict(self, windows: np.ndarray, **_: Any) -> np.ndarray:
        """Return the scores of the file as it came, float32 (n_windows, n_labels)."""
        return model_scores(self.content, windows)


@dataclass(frozen=True)
class ForeignTask(OneLabel):
    """What a foreign model decides of recordings as they are: one label, or behind a sigmoid all that a recording has.

    With `model_labels`, the labels of the model in any order, recordings must have each of them and no other.
    """

    model_labels: tuple[str, ...] = ()

    def check(self, index: ClipIndex) -> None:
        """Refuse clips of several labels where the model decides one, and other labels than the model's."""
        if self.model_labels:
            _check_sets({label for clip in index.clips for label in clip.labels}, self.model_labels, index.source)
        if self.activation == "softmax":
            super().check(index)

    def held_out(self, clips: LoadedClips, split: str, window_length: int, settings: TrainingSettings) -> TestWindows:
        """Return the windows of one side, one behind the other; truth as the activation asks."""
        cut = super().held_out(clips, split, window_length, settings)
        return cut if self.activation == "softmax" else replace(cut, truth=label_sets(clips.index)[cut.clips])


@dataclass(frozen=True)
class ForeignRun(Convertible):
    """A foreign model with recordings, where a training run is expected."""

    is_unseen = False

    @property
    def task(self) -> ForeignTask:
        """What the model tells."""
        return ForeignTask(self.spec.activation)

    def float_files(self, tell: Callable[[str], None] = print) -> dict[str, bytes]:
        """Return the file with static shapes and plain convolutions."""
        tell_normalised(self.model.name, self.model.content, tell)
        return {WAVEFORM_FORM: self.model.pinned}


def read_foreign(path: Path) -> ForeignModel:
    """Read somebody else's float model.

    Raises
    ------
    FileNotFoundError
        No such file.
    ModelContractError
        Not a model, several inputs or outputs, or an input that is open in more than its batch.
    ValueError
        It is quantized already, or holds an operator that LiteRT has not built in.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there; expected a float .tflite file")
    file = path.read_bytes()
    try:
        check_model(file, unknown_operators=True)
        _check_packed(file)
    except ModelContractError as error:
        raise ModelContractError(f"{path}: {error}") from error
    content = strip_metadata(file)
    graph = read_graph(content)
    _check_operators(graph, path)
    return ForeignModel(
        path.stem, content, quantize(with_plain_convolutions(pin_batch(content)), find_recipe(REFERENCE))
    )


def foreign_contract_of(
    path: Path,
    model: ForeignModel,
    labels: Sequence[str] | None = None,
    sample_rate: int | None = None,
    name: str | None = None,
    activation: str | None = None,
) -> ForeignContract:
    """Return the contract of a foreign model: what the user says, else what the file says about itself.

    Parameters
    ----------
    path : Path
        The file, whose metadata, if it has any, fills what is not given.
    model : ForeignModel
        Read from it.
    labels : sequence of str, optional
        In output order.
    sample_rate : int, optional
        Hz of the waveform it takes.
    name : str, optional
        The file's name by default.
    activation : {"softmax", "sigmoid"}, optional
        What its scores are, where the file does not tell.

    Raises
    ------
    ModelContractError
        A spec of ours inside that is broken; what else is wrong is among the contract's faults.
    """
    said = SaidFields(
        labels=labels,
        sample_rate=sample_rate,
        name=name,
        activation=activation,
        default_name=model.name,
        default_version="1.0.0",
        source=path.name,
    )
    try:
        return foreign_contract(path.read_bytes(), said, hear_test_signals)
    except ModelContractError as error:
        raise ModelContractError(f"{path}: {error}") from error


def foreign_spec(
    path: Path,
    model: ForeignModel,
    labels: Sequence[str] | None = None,
    sample_rate: int | None = None,
    name: str | None = None,
    activation: str | None = None,
    tell: Callable[[str], None] | None = None,
) -> ModelSpec:
    """Return the spec of a foreign model, and tell what was mended or assumed; see `foreign_contract_of`.

    Raises
    ------
    ModelContractError
        What is not known or contradicts itself: the labels, the sample rate, what the scores are, or the input.
    """
    contract = foreign_contract_of(path, model, labels, sample_rate, name, activation)
    if tell:
        tell_notes(contract.notes, tell, str(path))
    own = all(option.split()[0] in _OPTIONS for option in contract.options)
    try:
        spec = contract.settled("earproof convert FILE --out DIR") if own else contract.settled()
    except ModelContractError as error:
        raise ModelContractError(f"{path}: {error}") from error
    check_contract(read_tensors(model.pinned), spec)
    return replace_spec(spec, recipe=REFERENCE)


def in_scores(model: ForeignModel, spec: ModelSpec, tell: Callable[[str], None]) -> tuple[ForeignModel, ModelSpec]:
    """Return a model that puts out scores in [0, 1], and its spec, where it puts out logarithms or logits."""
    transform = spec.score_transform
    if transform == "none":
        return model, spec
    tell(f"the new files put out scores: the {transform} of what {model.name} puts out is inside them")
    changed = replace(model, content=with_scores(model.content, transform), pinned=with_scores(model.pinned, transform))
    return changed, replace_spec(spec, score_transform="none")


def with_recordings(model: ForeignModel, spec: ModelSpec, clips: LoadedClips, folder: Path) -> ForeignRun:
    """Return the model and its recordings as a run.

    Raises
    ------
    ModelContractError
        The recordings have other labels than the model.
    """
    if tuple(clips.index.labels) != tuple(spec.labels):
        raise ModelContractError(
            f"the recordings are of {', '.join(clips.index.labels)} and the model tells {', '.join(spec.labels)}; "
            "expected the same labels in the same order"
        )
    provenance = Provenance(
        data_sha256=clips.data_sha256(), split_sha256=clips.split_sha256(), training=dict(spec.provenance.training)
    )
    return ForeignRun(folder, model, replace_spec(spec, provenance=provenance), clips)


def convert_unproven(
    model: ForeignModel, spec: ModelSpec, out: Path, recipes: Sequence[Recipe], tell: Callable[[str], None]
) -> list[Path]:
    """Write the files that need no recordings, described but compared with nothing.

    Parameters
    ----------
    model : ForeignModel
    spec : ModelSpec
    out : Path
        An existing folder.
    recipes : sequence of Recipe
        None that needs calibration.
    tell : callable
        Called with a line for each file, and for each recipe that the model has too few layers for.
    """
    written = []
    tell_normalised(model.name, model.content, tell)
    for recipe in recipes:
        source = stored_form(model.pinned, recipe)
        try:
            content = quantize(source, recipe)
            rewrites = all_rewrites(model.pinned, source, content, recipe)
        except RecipeUnfitError as reason:
            tell(f"left out {recipe.name}: {reason}")
            continue
        written.append(out / f"{safe_part(spec.name)}-{recipe.name}.tflite")
        write_atomically(written[-1], pack_model(content, replace_spec(spec, recipe=recipe.name)))
        tell_rewrites(written[-1].name, rewrites, tell)
    return written


def _check_sets(found: set[str], labels: tuple[str, ...], source: str) -> None:
    """Refuse recordings of other labels than the model's, whatever their order."""
    strange = sorted(found - set(labels))
    missing = [label for label in labels if label not in found]
    parts = [f"the recordings alone have {', '.join(strange)}"] if strange else []
    parts += [f"the model alone has {', '.join(missing)}"] if missing else []
    if parts:
        raise ModelContractError(
            f"the labels of {source} are not those of the model: {'; '.join(parts)}. Rename or add folders, or give "
            "the model's names in the order of its scores with --labels"
        )


def _check_packed(file: bytes) -> None:
    """Refuse a file that was changed after earproof packed it."""
    files = read_associated_files(file)
    if SPEC_FILE_NAME in files:
        check_digest(file, files[SPEC_FILE_NAME])


def _check_operators(graph: ModelGraph, path: Path) -> None:
    """Refuse operators that a phone cannot run."""
    foreign = [f"{operation.name} ({operation.outputs[0]})" for operation in graph.operations if operation.is_custom]
    if foreign:
        raise ValueError(
            f"{path} holds operators that LiteRT has not built in: {'; '.join(foreign)}. The name in brackets holds "
            "that of the layer; export the model without it, or without SELECT_TF_OPS"
        )

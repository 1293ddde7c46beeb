"""A run as `convert` takes it: each kind of run says what its float files are, how they are stored, and what is known.

TrainedRun      of `earproof train`
CompressedRun   trained on, see `convert.compression.compressed_run`
ForeignRun      somebody else's file with recordings, see `convert.foreign_model`
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from convert.converted_file import SPECTROGRAM_FORM, WAVEFORM_FORM
from convert.export.float_export import export_float
from convert.export.input_forms import spectrogram_form
from convert.file_rewrites import all_rewrites
from convert.graph.rewrite_check import Rewrite
from convert.quantization.calibration import CalibrationSet
from convert.recipes import Recipe
from convert.winograd.fast_convolution import stored_form
from metadata import MelFrontEnd, ModelSpec
from train.fitting.finished_run import FinishedRun, Load, open_run
from train.models import model_module, needs_validation

Tell = Callable[[str], None]
Ranges = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Convertible(FinishedRun, ABC):
    """A finished run that can be converted."""

    is_unseen: ClassVar[bool] = True
    """Whether the training is known not to have used the test side."""

    @property
    def needs_validation(self) -> bool:
        """Whether the training chooses something on a validation side."""
        return True

    @abstractmethod
    def float_files(self, tell: Tell = print) -> dict[str, bytes]:
        """Return the float `.tflite` of every input form of the model, without metadata."""

    def stored_form(self, float_model: bytes, recipe: Recipe) -> bytes:
        """Return one of the float files as a recipe stores it: with fast convolutions where all is float."""
        return stored_form(float_model, recipe)

    def tensor_ranges(
        self, float_model: bytes, calibration: CalibrationSet | None, fed: CalibrationSet | None
    ) -> Ranges:
        """Return the ranges that training found, by the tensor names of one float file; none by default.

        Parameters
        ----------
        float_model : bytes
        calibration, fed : CalibrationSet, optional
            The same windows as waveforms and as the file takes them.
        """
        return {}

    def rewrites(
        self, float_model: bytes, content: bytes, recipe: Recipe, kept: Mapping[str, str] | None, trained: Ranges
    ) -> tuple[Rewrite, ...]:
        """Return what a file has of all that its name claims, read from its bytes.

        Parameters
        ----------
        float_model : bytes
        content : bytes
            The file.
        recipe : Recipe
        kept : mapping of str to str, optional
            The exceptions that `quantize` was given.
        trained : dict of str to (float, float)
            What `tensor_ranges` returned.

        Raises
        ------
        RecipeUnfitError
            The file has nothing of it.
        """
        return all_rewrites(float_model, self.stored_form(float_model, recipe), content, recipe, kept)


@dataclass(frozen=True)
class TrainedRun(Convertible):
    """A finished training of `earproof train`."""

    @property
    def needs_validation(self) -> bool:
        """Whether the training chooses something on a validation side."""
        return needs_validation(model_module(self.spec.name), self.spec.provenance.training["variant"])

    def float_files(self, tell: Tell = print) -> dict[str, bytes]:
        """Return the export of the trained model, and of the model without its mel front end where it has one."""
        return exported(self.model, self.spec, fast=True, tell=tell)


def open_trained(folder: str | Path, cache: str | Path | None = None, load: Load | None = None) -> TrainedRun:
    """Open the folder that `earproof train` filled; see `train.fitting.finished_run.open_run`."""
    run = open_run(folder, cache, load)
    return TrainedRun(run.folder, run.model, run.spec, run.clips)


def exported(model: Any, spec: ModelSpec, *, fast: bool, tell: Tell) -> dict[str, bytes]:
    """Return the float `.tflite` of every input form of a Keras model; `fast` as for `export_float`."""
    forms = {WAVEFORM_FORM: model}
    if isinstance(spec.front_end, MelFrontEnd):
        forms[SPECTROGRAM_FORM] = spectrogram_form(model)
    return {form: export_float(one, fast=fast, tell=tell) for form, one in forms.items()}

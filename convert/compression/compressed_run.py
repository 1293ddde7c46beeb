"""A run whose model has been trained on for compression: it converts as any other, and keeps what training put in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from convert.compression.compressed_kernels import kernels_rewrite
from convert.compression.settings import CompressionSettings
from convert.compression.tf_keras_twin import keras_weights
from convert.compression.trained_ranges import ranges_in_8_bits, ranges_rewrite, tensor_ranges
from convert.convertible import Ranges, Tell, TrainedRun, exported
from convert.graph.rewrite_check import Rewrite
from convert.quantization.calibration import CalibrationSet
from convert.recipes import AUTO, Recipe
from train.fitting.finished_run import FinishedRun
from train.tasks.task import Task

WITH_TRAINED_RANGES = ("int8", "int8_io", AUTO)  # recipes that store them as they are


@dataclass(frozen=True)
class CompressedRun(TrainedRun):
    """A finished run whose model has been trained on; its spec carries the kind in the name and the settings.

    Attributes
    ----------
    begun_with : FinishedRun
        As it was trained.
    compression : CompressionSettings
    layers : tuple of str
        Whose kernels are compressed.
    ranges : dict of str to (float, float)
        Of results by layer name, as qat found them; else empty.
    history : list of dict
        One row an epoch, see `convert.compression.fine_tune`.
    """

    begun_with: FinishedRun
    compression: CompressionSettings
    layers: tuple[str, ...]
    ranges: Ranges = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)

    @property
    def task(self) -> Task:
        """What the model was trained to tell, before as after."""
        return self.begun_with.task

    def kernels(self) -> dict[str, np.ndarray]:
        """Return the kernels of the compressed Keras layers by name, output channels last."""
        weights = keras_weights(self.model)
        return {layer: weights[layer]["kernel"] for layer in self.layers}

    def float_files(self, tell: Tell = print) -> dict[str, bytes]:
        """Return the export of the compressed model, in its fast form where that keeps the compression.

        Folding a normalization into weights keeps their zeros, but not the few values of a clustered kernel nor the
        tensors whose ranges quantization-aware training learned.
        """
        return exported(self.model, self.spec, fast=self.compression.kind == "prune", tell=tell)

    def stored_form(self, float_model: bytes, recipe: Recipe) -> bytes:
        """Return the float file as it is: sums of weights keep neither the zeros nor the few values of a kernel."""
        return float_model

    def tensor_ranges(
        self, float_model: bytes, calibration: CalibrationSet | None, fed: CalibrationSet | None
    ) -> Ranges:
        """Return the trained ranges by tensor name, matched on the loudest window; none without calibration."""
        if not self.ranges or calibration is None or fed is None:
            return {}
        loudest = int(np.square(calibration.windows).mean(axis=1).argmax())
        return tensor_ranges(float_model, self.model, self.ranges, calibration.windows[loudest], fed.windows[loudest])

    def rewrites(
        self, float_model: bytes, content: bytes, recipe: Recipe, kept: Mapping[str, str] | None, trained: Ranges
    ) -> tuple[Rewrite, ...]:
        """Return what a file has of its recipe, of the compression, and of the trained ranges."""
        found = [
            *super().rewrites(float_model, content, recipe, kept, trained),
            kernels_rewrite(content, self.kernels(), self.compression),
        ]
        if trained and recipe.name in WITH_TRAINED_RANGES:
            ranges = self.ranges if kept is None else ranges_in_8_bits(content, self.ranges, trained)
            found += [ranges_rewrite(content, ranges, trained)] if ranges else []
        return tuple(found)

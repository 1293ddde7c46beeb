"""A finished training run in, packed `.tflite` files out: every form of the model in every recipe asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.calibration import CalibrationSet, choose_calibration
from convert.float_export import export_float
from convert.forms import spectrogram_form
from convert.quantize import quantize
from convert.recipes import Recipe
from edge_runtime.mel import model_input
from metadata import MelFrontEnd, ModelSpec, replace_spec
from metadata.atomic_file import write_atomically
from metadata.tflite_metadata import pack_model
from train.evaluate import cut_split
from train.finished_run import FinishedRun

WAVEFORM_FORM = "waveform"
SPECTROGRAM_FORM = "spectrogram"


@dataclass(frozen=True)
class ConvertedFile:
    """One `.tflite` file and what it is.

    Attributes
    ----------
    path : Path
    form : str
        "waveform": the file hears samples; "spectrogram": it takes the mel spectrogram that the app computes.
    recipe : Recipe
    spec : ModelSpec
    """

    path: Path
    form: str
    recipe: Recipe
    spec: ModelSpec


def file_name(spec: ModelSpec, form: str, recipe: Recipe) -> str:
    """Return the name of a file: model, form where it is not the waveform, recipe."""
    middle = "" if form == WAVEFORM_FORM else f"-{form}"
    return f"{spec.name}{middle}-{recipe.name}.tflite"


def convert_run(
    run: FinishedRun,
    out: Path,
    recipes: Sequence[Recipe],
    *,
    num_calibration_windows: int,
    seed: int = 0,
    tell: Callable[[str], None] = print,
) -> list[ConvertedFile]:
    """Export, quantize and pack a trained model.

    Parameters
    ----------
    run : FinishedRun
    out : Path
        An existing folder; a file in it is replaced in one step.
    recipes : sequence of Recipe
    num_calibration_windows : int
        Windows of the training split on which static recipes measure their ranges.
    seed : int
        Of the choice of these windows.
    tell : callable
        Called with a line before each file.

    Returns
    -------
    list of ConvertedFile
        Forms in the order waveform, spectrogram; recipes in the order given.
    """
    calibration = (
        _calibration(run, num_calibration_windows, seed) if any(r.needs_calibration for r in recipes) else None
    )
    converted = []
    for form, model in model_forms(run.model, run.spec).items():
        float_model = export_float(model, tell=tell)
        fed = calibration if calibration is None or form == WAVEFORM_FORM else _as_spectrograms(calibration, run.spec)
        for recipe in recipes:
            tell(f"converting {file_name(run.spec, form, recipe)}")
            spec = form_spec(run.spec, form, recipe, calibration if recipe.needs_calibration else None)
            content = quantize(float_model, recipe, fed if recipe.needs_calibration else None)
            path = out / file_name(run.spec, form, recipe)
            write_atomically(path, pack_model(content, spec))
            converted.append(ConvertedFile(path, form, recipe, spec))
    return converted


def model_forms(model: Any, spec: ModelSpec) -> dict[str, Any]:
    """Return the Keras models to export: the trained one, and one without its mel front end where it has one."""
    forms = {WAVEFORM_FORM: model}
    if isinstance(spec.front_end, MelFrontEnd):
        forms[SPECTROGRAM_FORM] = spectrogram_form(model)
    return forms


def form_spec(spec: ModelSpec, form: str, recipe: Recipe, calibration: CalibrationSet | None) -> ModelSpec:
    """Return the contract of one file.

    The spectrogram form takes mel power: a logarithm, where the model has one, stays inside it.
    """
    provenance = spec.provenance
    if calibration is not None:
        provenance = replace(
            provenance, calibration_sha256=calibration.sha256, calibration_windows=len(calibration.windows)
        )
    front_end = spec.front_end
    if form == SPECTROGRAM_FORM:
        front_end = replace(front_end, inside_model=False, log="none")
    return replace_spec(spec, recipe=recipe.name, front_end=front_end, provenance=provenance)


def _calibration(run: FinishedRun, num_windows: int, seed: int) -> CalibrationSet:
    """Choose calibration windows from the training side; the test side must stay unseen."""
    cut = cut_split(run.clips, "train", run.spec.window_length)
    return choose_calibration(cut.windows, cut.truth, num_windows, seed)


def _as_spectrograms(calibration: CalibrationSet, spec: ModelSpec) -> CalibrationSet:
    """The same calibration windows as the spectrogram form takes them; they keep the hash of the audio."""
    outside = replace(spec.front_end, inside_model=False, log="none")
    fed = np.stack([model_input(window, replace_spec(spec, front_end=outside)) for window in calibration.windows])
    return replace(calibration, windows=fed[..., np.newaxis])

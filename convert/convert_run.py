"""A finished training run in, packed `.tflite` files out: every form of the model in every recipe asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.compression.compress import CompressedRun
from convert.compression.trained_ranges import ranges_in_8_bits, ranges_rewrite
from convert.converted_file import SPECTROGRAM_FORM, WAVEFORM_FORM, ConvertedFile, file_name
from convert.export.float_export import export_float
from convert.export.input_forms import spectrogram_form
from convert.file_rewrites import all_rewrites
from convert.foreign_model import ForeignModel
from convert.graph.float_scope import RecipeUnfitError
from convert.graph.model_graph import tell_normalised
from convert.graph.rewrite_check import Rewrite, tell_rewrites
from convert.quantization.calibration import CalibrationSet, choose_calibration
from convert.quantization.layer_drift import MAX_WINDOWS, tell_worst, write_drift
from convert.quantization.mixed_precision import Repair, ValidationWindows, repair
from convert.quantization.quantize import quantize
from convert.recipes import AUTO, REFERENCE, Recipe
from convert.report.compression import compression_rewrite
from convert.winograd.fast_convolution import stored_form
from edge_runtime.front_end.mel import model_input
from metadata import MelFrontEnd, ModelSpec, replace_spec
from metadata.atomic_file import write_atomically
from metadata.packing.packed_model import pack_model
from train.batches.window_rows import WindowRows
from train.evaluation.evaluate import score_thresholds
from train.evaluation.rotated_windows import heard_again
from train.fitting.finished_run import FinishedRun

WITH_TRAINED_RANGES = ("int8", "int8_io", AUTO)  # recipes that store them as they are
MOST_SPECTROGRAMS = 2_000  # are kept in memory; what is heard once for each layer shall not be computed each time


def convert_run(
    run: FinishedRun,
    out: Path,
    recipes: Sequence[Recipe],
    *,
    num_calibration_windows: int,
    seed: int = 0,
    skip_unfit: bool = False,
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
    skip_unfit : bool
        Leave out a recipe that the model has too few layers for, and tell so.
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
    for form, float_model in float_files(run, tell).items():
        fed = calibration if calibration is None else _as_fed(calibration, form, run.spec)
        trained = run.tensor_ranges(float_model, calibration, fed) if isinstance(run, CompressedRun) else None
        for recipe in recipes:
            if recipe.integer_io and form == SPECTROGRAM_FORM:
                tell(f"left out {file_name(run.spec, form, recipe)}: mel power spans more decades than 8 bits hold")
                continue
            tell(f"converting {file_name(run.spec, form, recipe)}")
            try:
                content, repaired = _quantized(run, form, float_model, recipe, fed, trained, tell)
                rewrites = _rewrites(run, float_model, content, recipe, repaired, trained or {})
            except RecipeUnfitError as reason:
                if not skip_unfit:
                    raise
                tell(f"left out {recipe.name}: {reason}")
                continue
            spec = form_spec(run.spec, form, recipe, calibration if recipe.needs_calibration else None)
            if repaired is not None:
                spec = replace_spec(spec, description=f"{spec.description} {repaired.sentence()}".strip())
            path = out / file_name(run.spec, form, recipe)
            write_atomically(path, pack_model(content, spec))
            tell_rewrites(path.name, rewrites, tell)
            converted.append(ConvertedFile(path, form, recipe, spec, float_model, repaired, rewrites))
    return converted


def write_drifts(run: FinishedRun, files: Sequence[ConvertedFile], folder: Path, tell: Callable[[str], None]) -> None:
    """Compare every converted file with the float graph it was made from, layer by layer, and write what was found.

    Parameters
    ----------
    run : FinishedRun
        Its test windows are heard.
    files : sequence of ConvertedFile
        Of all forms, float32 among them.
    folder : Path
        Made where it is not there.
    tell : callable
        Called with the worst layer of each file.
    """
    windows = run.test_windows().windows
    windows = windows[np.linspace(0, len(windows) - 1, min(len(windows), MAX_WINDOWS)).astype(int)]
    for reference in (file for file in files if file.recipe.name == REFERENCE):
        fed = windows if reference.form == WAVEFORM_FORM else _spectrograms(windows, run.spec)
        for file in files:
            if file.form == reference.form and file is not reference:
                pair = file.float_model, file.path.read_bytes()
                drifts = write_drift(*pair, fed, folder, file.path.stem)
                tell(f"{file.path.stem} {tell_worst(drifts)}; {folder / file.path.stem}.md has all layers")


def float_files(run: FinishedRun, tell: Callable[[str], None] = print) -> dict[str, bytes]:
    """Return the float `.tflite` of every form of a run's model, without metadata."""
    if isinstance(run.model, ForeignModel):
        tell_normalised(run.model.name, run.model.content, tell)
        return {WAVEFORM_FORM: run.model.pinned}
    # Folding a normalization into weights keeps their zeros, but not the few values of a clustered kernel nor the
    # tensors whose ranges quantization-aware training learned.
    fast = not isinstance(run, CompressedRun) or run.compression.kind == "prune"
    forms = model_forms(run.model, run.spec)
    return {form: export_float(model, fast=fast, tell=tell) for form, model in forms.items()}


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
    if form == SPECTROGRAM_FORM and isinstance(front_end, MelFrontEnd):
        front_end = replace(front_end, inside_model=False, log="none")
    return replace_spec(spec, recipe=recipe.name, front_end=front_end, provenance=provenance)


def _calibration(run: FinishedRun, num_windows: int, seed: int) -> CalibrationSet:
    """Choose calibration windows from the training side; the test side must stay unseen."""
    cut = run.held_out("train")
    return choose_calibration(cut.windows, cut.truth, num_windows, seed)


def _quantized(
    run: FinishedRun,
    form: str,
    float_model: bytes,
    recipe: Recipe,
    calibration: CalibrationSet | None,
    trained_ranges: dict[str, tuple[float, float]] | None,
    tell: Callable[[str], None],
) -> tuple[bytes, Repair | None]:
    """Return the quantized model, and what was repaired where the recipe does that."""
    if recipe.name != AUTO:
        fed = calibration if recipe.needs_calibration else None
        # Sums of trained weights keep neither the zeros of a pruned kernel nor the few values of a clustered one.
        if not isinstance(run, CompressedRun):
            float_model = stored_form(float_model, recipe)
        return quantize(float_model, recipe, fed, trained_ranges=trained_ranges), None
    assert calibration is not None  # the recipe asks for one
    found = repair(float_model, recipe, calibration, _validation(run, form), tell, trained_ranges)
    return found.model, found


def _rewrites(
    run: FinishedRun,
    float_model: bytes,
    content: bytes,
    recipe: Recipe,
    repaired: Repair | None,
    trained_ranges: dict[str, tuple[float, float]],
) -> tuple[Rewrite, ...]:
    """Return what a file has of all that its name claims, read from its bytes; refuse one that has nothing of it."""
    kept = None if repaired is None else repaired.exceptions
    if not isinstance(run, CompressedRun):
        return all_rewrites(float_model, stored_form(float_model, recipe), content, recipe, kept)
    found = [*all_rewrites(float_model, float_model, content, recipe, kept), compression_rewrite(run, content)]
    if trained_ranges and recipe.name in WITH_TRAINED_RANGES:
        ranges = run.ranges if kept is None else ranges_in_8_bits(content, run.ranges, trained_ranges)
        found += [ranges_rewrite(content, ranges, trained_ranges)] if ranges else []
    return tuple(found)


def _validation(run: FinishedRun, form: str) -> ValidationWindows:
    """Return the windows of the validation side, as one form takes them, heard again where they are few."""
    if not run.clips.places("val"):
        raise ValueError(
            f"the recipe {AUTO} judges on validation recordings and there are none; expected clips whose split is val"
        )
    cut = heard_again(run.held_out("val"))
    windows = cut.windows if form == WAVEFORM_FORM else _spectrograms(cut.windows, run.spec)
    return ValidationWindows(windows=windows, truth=cut.truth, groups=cut.groups, thresholds=score_thresholds(run.spec))


def _as_fed(calibration: CalibrationSet, form: str, spec: ModelSpec) -> CalibrationSet:
    """The same calibration windows as a form takes them; they keep the hash of the audio."""
    if form == WAVEFORM_FORM:
        return calibration
    return replace(calibration, windows=_spectrograms(calibration.windows, spec))


def _spectrograms(windows: np.ndarray | WindowRows, spec: ModelSpec) -> np.ndarray | WindowRows:
    """Windows as the spectrogram form takes them, float32 (n, n_mels, n_frames, 1); made when read where many."""
    assert isinstance(spec.front_end, MelFrontEnd)  # other models have no such form
    outside = replace_spec(spec, front_end=replace(spec.front_end, inside_model=False, log="none"))
    shape = (*model_input(windows[0], outside).shape, 1)
    rows = WindowRows(len(windows), shape, lambda row: model_input(windows[row], outside)[..., np.newaxis])
    return rows if len(windows) > MOST_SPECTROGRAMS else np.asarray(rows)

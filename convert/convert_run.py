"""A finished training run in, packed `.tflite` files out: every input form of the model in every recipe asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from convert.converted_file import SPECTROGRAM_FORM, WAVEFORM_FORM, ConvertedFile, file_name
from convert.convertible import Convertible, Ranges
from convert.graph.float_scope import RecipeUnfitError
from convert.graph.rewrite_check import Rewrite, tell_rewrites
from convert.quantization.calibration import CalibrationSet, choose_calibration
from convert.quantization.layer_drift import MAX_WINDOWS, tell_worst, write_drift
from convert.quantization.mixed_precision import MixedPrecision, ValidationWindows, search_mixed_precision
from convert.quantization.quantize import quantize
from convert.recipes import AUTO, REFERENCE, Recipe
from convert.settings import ConvertSettings
from edge_runtime.front_end.mel import model_input
from metadata import MelFrontEnd, ModelSpec, replace_spec
from metadata.atomic_file import write_atomically
from metadata.editing.edited_metadata import with_loader_thresholds
from metadata.packing.packed_model import pack_model
from train.batches.window_rows import WindowRows
from train.evaluation.evaluate import score_thresholds
from train.evaluation.rotated_windows import with_rotated_windows
from train.progress import Steps

MOST_SPECTROGRAMS = 2_000  # are kept in memory; what is run once for each layer shall not be computed each time
Tell = Callable[[str], None]


def convert_run(run: Convertible, out: Path, settings: ConvertSettings, steps: Steps) -> list[ConvertedFile]:
    """Export, quantize and pack a model.

    Parameters
    ----------
    run : Convertible
    out : Path
        An existing folder; a file in it is replaced in one step.
    settings : ConvertSettings
    steps : Steps
        Begins one for each file.

    Returns
    -------
    list of ConvertedFile
        Input forms in the order waveform, spectrogram; recipes in the order given.
    """
    calibration = _calibration(run, settings)
    float_files = run.float_files(steps.tell)
    total = len(float_files) * len(settings.recipes)
    done, converted = 0, []
    for form, float_model in float_files.items():
        fed = calibration if calibration is None else _as_fed(calibration, form, run.spec)
        ranges = run.tensor_ranges(float_model, calibration, fed)
        source = _Source(run, form, float_model, fed, ranges, settings.loader_thresholds)
        for recipe in settings.recipes:
            done += 1
            name = file_name(run.spec, form, recipe)
            if recipe.integer_io and form == SPECTROGRAM_FORM:
                steps.tell(f"left out {name}: mel power spans more decades than 8 bits hold")
                continue
            steps.begin(f"converting {name}", done, total)
            try:
                converted.append(_write_file(source, recipe, out / name, steps.tell))
            except RecipeUnfitError as reason:
                if not settings.skip_unfit:
                    raise
                steps.tell(f"left out {recipe.name}: {reason}")
    return converted


def write_drifts(run: Convertible, files: Sequence[ConvertedFile], folder: Path, steps: Steps) -> None:
    """Compare every converted file with the float graph it was made from, layer by layer, and write what was found.

    Parameters
    ----------
    run : Convertible
        Its test windows are run.
    files : sequence of ConvertedFile
        Of all forms, float32 among them.
    folder : Path
        Made where it is not there.
    steps : Steps
        Begins one for each file; tells the worst layer of it.
    """
    windows = run.test_windows().windows
    windows = windows[np.linspace(0, len(windows) - 1, min(len(windows), MAX_WINDOWS)).astype(int)]
    references = {file.form: file for file in files if file.recipe.name == REFERENCE}
    fed = {form: windows if form == WAVEFORM_FORM else _spectrograms(windows, run.spec) for form in references}
    compared = [file for file in files if file is not references[file.form]]
    for place, file in enumerate(compared, start=1):
        steps.begin(f"comparing the layers of {file.path.name} with float", place, len(compared))
        drifts = write_drift(file.float_model, file.path.read_bytes(), fed[file.form], folder, file.path.stem)
        steps.tell(f"{file.path.stem} {tell_worst(drifts)}; {folder / file.path.stem}.md has all layers")


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


@dataclass(frozen=True)
class _Source:
    """What the files of one input form are made from."""

    run: Convertible
    form: str
    float_model: bytes
    calibration: CalibrationSet | None  # as the form takes it
    trained_ranges: Ranges
    loader_thresholds: bool


def _calibration(run: Convertible, settings: ConvertSettings) -> CalibrationSet | None:
    """Choose calibration windows from the training side, where a recipe needs some; the test side stays unseen."""
    if not any(recipe.needs_calibration for recipe in settings.recipes):
        return None
    cut = run.held_out("train")
    return choose_calibration(cut.windows, cut.truth, settings.num_calibration_windows, settings.calibration_seed)


def _write_file(source: _Source, recipe: Recipe, path: Path, tell: Tell) -> ConvertedFile:
    """Write the file of one recipe."""
    content, mixed, rewrites = _quantized(source, recipe, tell)
    run, form = source.run, source.form
    spec = form_spec(run.spec, form, recipe, source.calibration if recipe.needs_calibration else None)
    if mixed is not None:
        spec = replace_spec(spec, description=f"{spec.description} {mixed.sentence()}".strip())
    packed = pack_model(content, spec)
    if source.loader_thresholds and spec.input_is_waveform:  # the loaders open no other form
        packed = with_loader_thresholds(packed)
        tell(f"{path.name}: the Task library and MediaPipe show a label from its threshold on")
    write_atomically(path, packed)
    tell_rewrites(path.name, rewrites, tell)
    return ConvertedFile(path, form, recipe, spec, source.float_model, mixed, rewrites)


def _quantized(source: _Source, recipe: Recipe, tell: Tell) -> tuple[bytes, MixedPrecision | None, tuple[Rewrite, ...]]:
    """Return a quantized model, what its recipe kept wider where it searches, and what is rewritten in it."""
    run, float_model, trained = source.run, source.float_model, source.trained_ranges
    mixed = None
    if recipe.name == AUTO:
        assert source.calibration is not None  # auto needs one
        validation = _validation(run, source.form)
        mixed = search_mixed_precision(float_model, recipe, source.calibration, validation, tell, trained)
        content = mixed.model
    else:
        fed = source.calibration if recipe.needs_calibration else None
        content = quantize(run.stored_form(float_model, recipe), recipe, fed, trained_ranges=trained)
    kept = None if mixed is None else mixed.exceptions
    return content, mixed, run.rewrites(float_model, content, recipe, kept, trained)


def _validation(run: Convertible, form: str) -> ValidationWindows:
    """Return the windows of the validation side, as one input form takes them, rotated ones too where they are few.

    A model that was trained without such a side is judged against its float form on what it was trained on.
    """
    side = "val" if run.clips.places("val") or run.needs_validation else "train"
    if not run.clips.places(side):
        raise ValueError(
            f"the recipe {AUTO} judges on validation recordings and there are none; expected clips whose split is val"
        )
    cut = with_rotated_windows(run.held_out(side))
    windows = cut.windows if form == WAVEFORM_FORM else _spectrograms(cut.windows, run.spec)
    return ValidationWindows(
        windows=windows,
        truth=cut.truth,
        groups=cut.groups,
        thresholds=score_thresholds(run.spec),
        frame_thresholds=run.spec.frame_thresholds if run.spec.frames else None,
    )


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

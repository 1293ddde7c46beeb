"""Parity of one finished `.tflite` file on the device, against golden vectors and against the phone's path."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from edge_runtime.front_end.mel import loudest_bands, mel_spectrogram
from edge_runtime.model.classifier import Classifier
from edge_runtime.parity.frame_parity import frame_parity
from edge_runtime.parity.golden_vectors import Golden
from edge_runtime.parity.levels import (
    LEVELS,
    ParityResult,
    add_detail,
    front_end_parity,
    on_other_kernels,
    phone_parity,
    recipe_parity,
    score_parity,
)
from metadata.plural import counted
from metadata.recipe import RECIPES, find_tolerance
from metadata.spec import MelFrontEnd, ModelSpec

BUILTIN_KERNELS = "TensorFlow Lite's built-in kernels"
_FLOAT_RECIPE = "float32"
SLOW_MS = 20.0  # of processor time a window; a file that takes more gets no rotated ones


def parity_of_file(
    classifier: Classifier,
    golden: Golden | None = None,
    recordings: Sequence[npt.ArrayLike] = (),
    tolerance: Mapping[str, float] | None = None,
) -> list[ParityResult]:
    """Check a file at every level for which there is something to compare it with.

    Parameters
    ----------
    classifier : Classifier
    golden : Golden, optional
        Level 1 where it holds mel spectrograms; level 2 for the recipe float32, else level 3; level 5 is the same
        without XNNPACK.
    recordings : sequence of int16 arrays, shape (n_samples,)
        At the model's sample rate, for level 4.
    tolerance : mapping, optional
        Of level 3, as for `recipe_parity`; by default that of the file's recipe, as `earproof convert` judges it.

    Raises
    ------
    ValueError
        Nothing to compare with, or golden vectors of another model.
    """
    if golden is None and not recordings:
        raise ValueError("there are neither golden vectors nor recordings; expected something to compare with")
    results = []
    if golden is not None:
        check_golden(classifier, golden)
        front_end = classifier.spec.front_end
        if golden.mel is not None and isinstance(front_end, MelFrontEnd):
            results.append(_front_end_result(golden, front_end, classifier.spec.sample_rate))
        results += _score_results(classifier, golden, tolerance)
        if classifier.use_xnnpack:
            builtin = Classifier(classifier.model, classifier.num_threads, False, classifier.foreign_spec)
            results += [
                on_other_kernels(result, BUILTIN_KERNELS) for result in _score_results(builtin, golden, tolerance)
            ]
    if recordings:
        results.append(phone_parity(classifier, recordings))
    return results


def check_golden(classifier: Classifier, golden: Golden) -> None:
    """Refuse golden vectors that were made for another model."""
    spec = classifier.spec
    expected = (spec.window_length, len(spec.labels))
    found = (golden.windows.shape[1], golden.scores.shape[1])
    if found != expected:
        raise ValueError(
            f"the golden vectors have windows of {found[0]} samples and {counted(found[1], 'score')}; "
            f"{spec.name} takes {expected[0]} and gives {expected[1]}: were they made for another model?"
        )
    sizes = [
        0 if spec.frames is None else spec.frames.num_frames * len(spec.labels),
        0 if golden.frame_scores is None else golden.frame_scores.shape[1],
    ]
    if sizes[0] != sizes[1]:
        raise ValueError(
            f"the golden vectors have {counted(sizes[1], 'frame score')} a window; {spec.name} gives {sizes[0]}: were "
            "they made for another model?"
        )
    if golden.mel is not None and not isinstance(spec.front_end, MelFrontEnd):
        raise ValueError(f"the golden vectors hold mel spectrograms; {spec.name} has a {spec.front_end.kind} front end")


def _front_end_result(golden: Golden, front_end: MelFrontEnd, sample_rate: int) -> ParityResult:
    """Level 1: our NumPy front end against the reference's, both without logarithm."""
    linear = replace(front_end, log="none")
    windows = golden.windows[: len(np.asarray(golden.mel))]
    mel = np.stack([mel_spectrogram(window, linear, sample_rate) for window in windows])
    least = loudest_bands(windows, front_end, sample_rate)
    return front_end_parity(np.asarray(golden.mel), mel, f"{LEVELS[1]}: NumPy against the trained model's", least)


def _score_results(classifier: Classifier, golden: Golden, tolerance: Mapping[str, float] | None) -> list[ParityResult]:
    """Level 2 or 3: the scores of the file against the reference's, and its frame scores where it has them."""
    spec = classifier.spec
    scores, frames = _scores(classifier, golden)
    of_windows = _score_result(spec, golden, scores, tolerance)
    if golden.frame_scores is None:
        return [of_windows]
    limits = None if spec.recipe == _FLOAT_RECIPE else tolerance or find_tolerance(spec.recipe)
    return [of_windows, frame_parity(golden.frame_scores, frames, spec, limits, of_windows.name)]


def _score_result(
    spec: ModelSpec, golden: Golden, scores: npt.NDArray[np.float32], tolerance: Mapping[str, float] | None
) -> ParityResult:
    """Level 2 or 3 of the scores."""
    places = golden.places()[: len(scores)]
    reference = golden.scores[: len(scores)]
    thresholds = spec.thresholds if spec.activation == "sigmoid" else None
    slow = "" if len(scores) == golden.num_compared else f"over {SLOW_MS:g} ms a window: none was rotated"
    if spec.recipe == _FLOAT_RECIPE:
        name = f"{LEVELS[2]}: the file against the trained model"
        return add_detail(score_parity(reference, scores, name, thresholds, spec.labels), slow)
    name = f"{LEVELS[3]}: {spec.recipe or 'a file of no recipe'} against float"
    truth, groups = (None if values is None else values[places] for values in (golden.truth, golden.groups))
    limits = find_tolerance(spec.recipe) if tolerance is None else tolerance
    result = recipe_parity(reference, scores, truth, groups, limits, name, thresholds, spec.labels)
    unknown = "" if tolerance or spec.recipe in RECIPES else "its recipe is not one of ours: the limits are the default"
    return add_detail(add_detail(result, slow), unknown)


def _scores(classifier: Classifier, golden: Golden) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return scores and frame scores of the golden windows, and of their rotated copies unless the file is slow."""
    begin = time.thread_time()
    outputs = [_scores_of(classifier, window) for window in golden.windows]
    if (time.thread_time() - begin) * 1000 / len(outputs) <= SLOW_MS:
        outputs += [_scores_of(classifier, window) for window in golden.rotated_windows()]
    return np.stack([scores for scores, _ in outputs]), np.stack([frames for _, frames in outputs])


def _scores_of(
    classifier: Classifier, window: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the scores of a window and its frame scores in a row, none for a model without."""
    scores = classifier.scores(window)
    has_frames = classifier.spec.frames is not None
    return scores, classifier.read_frame_scores().reshape(-1) if has_frames else np.empty(0, np.float32)

"""Parity of one finished `.tflite` file on the device, against golden vectors and against the phone's path."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_runtime.classifier import Classifier
from edge_runtime.mel import mel_spectrogram
from edge_runtime.parity import (
    DEFAULT_RECIPE_TOLERANCE,
    LEVELS,
    ParityResult,
    front_end_parity,
    on_other_kernels,
    phone_parity,
    recipe_parity,
    score_parity,
)
from metadata.spec import MelFrontEnd

BUILTIN_KERNELS = "TensorFlow Lite's built-in kernels"
_FLOAT_RECIPE = "float32"
_AT_LEAST = ("decision_agreement",)  # a limit from below; all others are from above
_OPTIONAL = ("mel", "truth", "groups")


@dataclass(frozen=True, kw_only=True)
class Golden:
    """What the trained model said about some windows.

    Attributes
    ----------
    windows : ndarray of float32, shape (n_windows, window_length)
    scores : ndarray of float32, shape (n_windows, n_labels)
        Of the reference: the trained model, in float.
    mel : ndarray of float32, shape (n_windows, n_mels, n_frames), or None
        The reference's mel spectrograms before any logarithm.
    truth, groups : ndarray or None
        As `recipe_parity` takes them.
    """

    windows: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float32]
    mel: npt.NDArray[np.float32] | None = None
    truth: npt.NDArray[np.int64] | npt.NDArray[np.bool_] | None = None
    groups: npt.NDArray[np.str_] | None = None

    def __post_init__(self) -> None:
        count = len(self.windows)
        if self.windows.ndim != 2 or self.scores.ndim != 2 or count == 0 or len(self.scores) != count:
            raise ValueError(
                f"golden windows have shape {self.windows.shape}, scores {self.scores.shape}; "
                "expected (n_windows, window_length) and (n_windows, n_labels), at least one window"
            )
        for name in _OPTIONAL:
            values = getattr(self, name)
            if values is not None and len(values) != count:
                raise ValueError(f"golden {name} holds {len(values)} entries for {count} windows; expected one each")


def read_golden(path: str | Path) -> Golden:
    """Read golden vectors from an `.npz` file with `windows`, `scores`, and maybe `mel`, `truth`, `groups`.

    Raises
    ------
    FileNotFoundError
        No such file.
    ValueError
        Not such a file, an array missing or unknown, or shapes that do not fit.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, EOFError, zipfile.BadZipFile, AttributeError, TypeError) as error:  # the last two: an .npy
        raise ValueError(f"{path} is not an .npz file of arrays: {error}") from error
    missing = {"windows", "scores"} - set(arrays)
    unknown = set(arrays) - {"windows", "scores", *_OPTIONAL}
    if missing or unknown:
        raise ValueError(f"{path} holds {sorted(arrays)}; expected windows, scores and maybe {', '.join(_OPTIONAL)}")
    try:
        return Golden(**arrays)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def parity_of_file(
    classifier: Classifier,
    golden: Golden | None = None,
    recordings: Sequence[npt.ArrayLike] = (),
    tolerance: Mapping[str, float] = DEFAULT_RECIPE_TOLERANCE,
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
    tolerance : mapping
        Of level 3, as for `recipe_parity`.

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
        results.append(_score_result(classifier, golden, tolerance))
        if classifier.use_xnnpack:
            builtin = Classifier(classifier.model, classifier.num_threads, False, classifier.foreign_spec)
            results.append(on_other_kernels(_score_result(builtin, golden, tolerance), BUILTIN_KERNELS))
    if recordings:
        results.append(phone_parity(classifier, recordings))
    return results


def format_results(results: Sequence[ParityResult]) -> str:
    """Return one line a result for people, and one more for what it has to say."""
    lines = []
    for result in results:
        measures = "  ".join(_format_measure(name, result) for name in (result.measures or result.tolerance))
        verdict = "pass" if result.passed else "FAIL"
        lines.append(f"level {result.level}  {verdict}  {result.name} ({result.num_windows} windows): {measures}")
        if result.detail:
            lines.append(f"         {result.detail}")
    return "\n".join(lines)


def check_golden(classifier: Classifier, golden: Golden) -> None:
    """Refuse golden vectors that were made for another model."""
    spec = classifier.spec
    expected = (spec.window_length, len(spec.labels))
    found = (golden.windows.shape[1], golden.scores.shape[1])
    if found != expected:
        raise ValueError(
            f"the golden vectors have windows of {found[0]} samples and {found[1]} scores; "
            f"{spec.name} takes {expected[0]} and gives {expected[1]}: were they made for another model?"
        )
    if golden.mel is not None and not isinstance(spec.front_end, MelFrontEnd):
        raise ValueError(f"the golden vectors hold mel spectrograms; {spec.name} has a {spec.front_end.kind} front end")


def _front_end_result(golden: Golden, front_end: MelFrontEnd, sample_rate: int) -> ParityResult:
    """Level 1: our NumPy front end against the reference's, both without logarithm."""
    linear = replace(front_end, log="none")
    mel = np.stack([mel_spectrogram(window, linear, sample_rate) for window in golden.windows])
    return front_end_parity(np.asarray(golden.mel), mel, f"{LEVELS[1]}: NumPy against the trained model's")


def _score_result(classifier: Classifier, golden: Golden, tolerance: Mapping[str, float]) -> ParityResult:
    """Level 2 or 3: the scores of the file against the reference's."""
    spec = classifier.spec
    scores = np.stack([classifier.scores(window) for window in golden.windows])
    thresholds = spec.thresholds if spec.activation == "sigmoid" else None
    if spec.recipe == _FLOAT_RECIPE:
        return score_parity(golden.scores, scores, f"{LEVELS[2]}: the file against the trained model", thresholds)
    name = f"{LEVELS[3]}: {spec.recipe} against float"
    return recipe_parity(golden.scores, scores, golden.truth, golden.groups, tolerance, name, thresholds)


def _format_measure(name: str, result: ParityResult) -> str:
    """Return a measure with its limit."""
    value = f"{result.measures[name]:.4g}" if name in result.measures else "not measured"
    if name not in result.tolerance:
        return f"{name} {value}"
    return f"{name} {value} ({'>=' if name in _AT_LEAST else '<='} {result.tolerance[name]:g})"

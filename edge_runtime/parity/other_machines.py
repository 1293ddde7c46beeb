"""The same files on other machines (parity level 5): scores saved on one machine, compared on another.

One `.npz` a machine: `about`, a JSON document on the machine and its files, and the scores of each file in that order,
`scores_0`, `scores_1` and so on, float32 (n_windows, n_labels).
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_runtime.model.classifier import Classifier
from edge_runtime.parity.levels import SCORES_TOLERANCE, ParityResult, same_everywhere
from edge_runtime.scoring.measures import decision_agreement, find_fault, max_abs_error, same_shape
from metadata.atomic_file import write_atomically

FLOAT_RECIPES = ("float32", "float16")  # weights may be smaller, the arithmetic is float32
MIN_INTEGER_AGREEMENT = 0.995  # of the decisions: integer kernels of two processors round differently
_ABOUT, _SCORES = "about", "scores_"


@dataclass(frozen=True, kw_only=True)
class FileScores:
    """What one file put out for some windows.

    Attributes
    ----------
    file : str
        Its name.
    recipe : str
    thresholds : tuple of float or None
        Of a sigmoid model.
    model_sha256, windows_sha256 : str
        What was run, and on what.
    scores : ndarray of float32, shape (n_windows, n_labels)
    """

    file: str
    recipe: str
    thresholds: tuple[float, ...] | None
    model_sha256: str
    windows_sha256: str
    scores: npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class MachineScores:
    """What files put out on one machine; `machine` is as `describe_machine` returns it."""

    machine: dict[str, Any]
    files: tuple[FileScores, ...]


def score_windows(file: str, classifier: Classifier, windows: npt.NDArray[np.float32]) -> FileScores:
    """Run one file on windows of shape (n_windows, window_length).

    Raises
    ------
    ValueError
        Windows that do not fit the model, or scores that are not finite.
    """
    spec = classifier.spec
    return FileScores(
        file=file,
        recipe=spec.recipe,
        thresholds=spec.thresholds if spec.activation == "sigmoid" else None,
        model_sha256=hashlib.sha256(classifier.model).hexdigest(),
        windows_sha256=hashlib.sha256(np.ascontiguousarray(windows, "<f4").tobytes()).hexdigest(),
        scores=np.stack([classifier.scores(window) for window in windows]),
    )


def compare_machines(reference: MachineScores, candidate: MachineScores) -> dict[str, ParityResult]:
    """Compare every file of the candidate with the same file of the reference; keys are the files' names.

    Raises
    ------
    ValueError
        The reference lacks a file, or has scores of another file of that name, or of other windows.
    """
    expected = {one.file: one for one in reference.files}
    names = f"{machine_name(candidate.machine)} against {machine_name(reference.machine)}"
    results = {}
    for found in candidate.files:
        if found.file not in expected:
            raise ValueError(f"there are no scores of {found.file} to compare with; there are {sorted(expected)}")
        results[found.file] = machine_parity(expected[found.file], found, f"other machine: {names}")
    return results


def machine_parity(reference: FileScores, candidate: FileScores, name: str) -> ParityResult:
    """Compare one file on two machines (level 5).

    A float file passes with scores within 1e-5 and every decision equal, one with integer kernels where at least
    99.5 % of the decisions are equal.

    Raises
    ------
    ValueError
        The two are of different files, windows or shapes.
    """
    for what, one, other in (
        ("files", reference.model_sha256, candidate.model_sha256),
        ("windows", reference.windows_sha256, candidate.windows_sha256),
    ):
        if one != other:
            raise ValueError(
                f"{candidate.file}: the scores are of different {what} (SHA-256 {one[:12]} and {other[:12]}); "
                "expected the same on both machines, copy them again"
            )
    is_float = candidate.recipe in FLOAT_RECIPES
    tolerance = {"decision_agreement": 1.0 if is_float else MIN_INTEGER_AGREEMENT}
    if is_float:
        tolerance["max_abs_error"] = SCORES_TOLERANCE
    fault = find_fault(*same_shape(reference.scores, candidate.scores))
    measures = {} if fault else _measures(reference, candidate)
    return ParityResult(
        level=5,
        name=name,
        passed=not fault
        and measures["decision_agreement"] >= tolerance["decision_agreement"]
        and measures["max_abs_error"] <= tolerance.get("max_abs_error", np.inf),
        measures=measures,
        tolerance=tolerance,
        num_windows=len(candidate.scores),
        detail=fault or same_everywhere(reference.scores, candidate.scores, candidate.thresholds, None),
    )


def machine_name(machine: dict[str, Any]) -> str:
    """Return a machine in a few words: its board or processor, architecture and runtime."""
    return f"{machine.get('board') or machine['cpu']} ({machine['architecture']}), {machine['runtime']}"


def write_machine_scores(found: MachineScores, path: str | Path) -> None:
    """Write scores for another machine to read, in one step.

    Raises
    ------
    ValueError
        Two files of one name.
    FileNotFoundError
        The folder is not there.
    """
    names = [one.file for one in found.files]
    if len(set(names)) != len(names):
        raise ValueError(f"the files are named {names}; expected every name once")
    about = {"machine": found.machine, "files": [_without_scores(one) for one in found.files]}
    arrays: dict[str, Any] = {_ABOUT: np.array(json.dumps(about))}
    arrays |= {f"{_SCORES}{place}": one.scores for place, one in enumerate(found.files)}
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    write_atomically(path, content.getbuffer())


def read_machine_scores(path: str | Path) -> MachineScores:
    """Read what `write_machine_scores` wrote.

    Raises
    ------
    FileNotFoundError
        No such file.
    ValueError
        Not such a file.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            about = json.loads(str(arrays[_ABOUT]))
            files = tuple(
                _file_scores(entry, arrays[f"{_SCORES}{place}"]) for place, entry in enumerate(about["files"])
            )
            return MachineScores(machine=about["machine"], files=files)
    except (zipfile.BadZipFile, KeyError, TypeError, EOFError, ValueError) as error:
        raise ValueError(
            f"{path} holds no scores of another machine ({error}); "
            "expected a file that earproof parity --save-scores wrote"
        ) from error


def describe_comparison(reference: MachineScores, candidate: MachineScores) -> dict[str, Any]:
    """Return a comparison of two machines for JSON: both machines, and for each file its recipe and level 5."""
    recipes = {one.file: one.recipe for one in candidate.files}
    return {
        "machine": candidate.machine,
        "reference": reference.machine,
        "files": [
            {"file": file, "recipe": recipes[file], **result.as_dict()}
            for file, result in compare_machines(reference, candidate).items()
        ],
    }


def _measures(reference: FileScores, candidate: FileScores) -> dict[str, float]:
    """How far the candidate is from the reference."""
    return {
        "max_abs_error": max_abs_error(reference.scores, candidate.scores),
        "decision_agreement": decision_agreement(reference.scores, candidate.scores, candidate.thresholds),
    }


def _without_scores(one: FileScores) -> dict[str, Any]:
    """Everything about a file's scores but themselves, for JSON."""
    return {name: value for name, value in vars(one).items() if name != "scores"}


def _file_scores(entry: dict[str, Any], scores: npt.NDArray[np.float32]) -> FileScores:
    """Return one file's scores as they were written."""
    thresholds = entry["thresholds"]
    return FileScores(**{**entry, "scores": scores, "thresholds": None if thresholds is None else tuple(thresholds)})

"""A model as the page gets it: the file, what a runtime must know of it, and what it says here on golden vectors."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from edge_runtime.model.classifier import Classifier
from edge_runtime.parity.golden_stream import FLOAT_RECIPES, MIN_INTEGER_AGREEMENT
from edge_runtime.parity.golden_vectors import GOLDEN_FOLDER_NAME, read_golden
from edge_runtime.parity.levels import SCORES_TOLERANCE
from metadata.lint.lint_file import lint_model
from metadata.lint.lint_report import describe_verdicts
from metadata.recipe import RECIPES
from metadata.safe_name import safe_part

NUM_GOLDEN_WINDOWS = 50  # 3 MB of 2 s windows at 16 kHz


@dataclass(frozen=True)
class ServedModel:
    """One model of the page.

    Attributes
    ----------
    path : Path
    classifier : Classifier
        Opened here, so that a file that no runtime takes is refused before the page is.
    golden : Path or None
        The golden vectors of the build that made the file, where they are beside it.
    title : str
        What the page calls it; empty: the file's name.
    """

    path: Path
    classifier: Classifier
    golden: Path | None
    title: str = ""
    _in_use: Lock = field(default_factory=Lock, repr=False, compare=False)  # of the interpreter: one window at a time

    def entry(self, number: int) -> dict[str, Any]:
        """Return what the page's list of models says about it; addresses are relative to the page."""
        return {
            "file": self.title or self.path.name,
            "model": f"models/{number}/{self.path.name}",
            "golden": f"models/{number}/golden.json" if self.golden else None,
            "bytes": len(self.classifier.model),
            "spec": json.loads(self.classifier.spec.to_json()),
            "notes": list(self.classifier.notes),
            "loaders": list(describe_verdicts(self.path.name, lint_model(self.classifier.model))["loaders"].values()),
        }

    def file_content(self) -> bytes:
        """Return the file as it was read."""
        return self.classifier.model

    def golden_content(self) -> bytes:
        """Return golden vectors as JSON: the first windows, the trained model's scores and this file's in Python.

        Raises
        ------
        ValueError
            No golden vectors, or those of another model.
        """
        if self.golden is None:
            raise ValueError(f"{self.path} has no golden vectors beside it; expected those of a build")
        golden = read_golden(self.golden).first(NUM_GOLDEN_WINDOWS)
        windows, spec, stored = golden.windows, self.classifier.spec, golden.arrays()["windows"]
        if windows.shape[1] != spec.window_length or golden.scores.shape[1] != len(spec.labels):
            raise ValueError(
                f"{self.golden} has windows of {windows.shape[1]} samples with {golden.scores.shape[1]} scores; "
                f"{self.path.name} takes {spec.window_length} and gives {len(spec.labels)}: is it of another build?"
            )
        with self._in_use:
            python_scores = [self.classifier.scores(window).tolist() for window in windows]
        document = {
            "dtype": stored.dtype.name,
            "windows": base64.b64encode(stored.astype(stored.dtype.newbyteorder("<")).tobytes()).decode("ascii"),
            "trained_scores": golden.scores[: len(windows)].tolist(),
            "python_scores": python_scores,
            "limits": _limits(spec.recipe),
        }
        return json.dumps(document).encode("ascii")


def open_model(path: Path, title: str = "") -> ServedModel:
    """Open a model file, with the golden vectors of its build where they are there; see `ServedModel` for the title.

    Raises
    ------
    FileNotFoundError, ModelContractError
        No such file, or no model.
    """
    classifier = Classifier(path)
    golden = path.parent / GOLDEN_FOLDER_NAME / f"{safe_part(classifier.spec.name)}.npz"
    return ServedModel(path, classifier, golden if golden.is_file() else None, title)


def _limits(recipe: str) -> dict[str, Any]:
    """Return what the page may differ by from the trained model (levels 2 and 3) and from Python (level 5)."""
    exact = {"max_abs_error": SCORES_TOLERANCE, "decision_agreement": 1.0}
    kept = RECIPES[recipe].min_decision_agreement if recipe in RECIPES else MIN_INTEGER_AGREEMENT
    return {
        "trained": exact if recipe == "float32" else {"max_abs_error": None, "decision_agreement": kept},
        "python": exact
        if recipe in FLOAT_RECIPES
        else {"max_abs_error": None, "decision_agreement": MIN_INTEGER_AGREEMENT},
    }

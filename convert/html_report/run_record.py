"""A run as a page takes it: report.json, and what lies in the folder beside it."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, TypeVar

from convert.report.build_report import DRIFT_FOLDER_NAME, REPORT_FILE_NAME
from edge_runtime.parity.golden_vectors import GOLDEN_FOLDER_NAME, Golden, read_golden
from metadata.packing.packed_model import read_spec
from metadata.plural import counted
from metadata.safe_name import safe_part
from train.fitting.training_run import SPEC_RUN_FILE_NAME, SPLIT_FILE_NAME

HISTORY_FILE_NAME = "history.csv"
_NEEDED = ("files", "choices", "machine")
Found = TypeVar("Found")


@dataclass(frozen=True, kw_only=True)
class TrainingRecord:
    """What a training left in its folder; None, or nothing, where a file is not there.

    Attributes
    ----------
    model : str
    history : tuple of dict
        A row an epoch, of numbers.
    spec : dict or None
        spec.json, or the spec inside one of the model's files where a conversion left only these.
    split : tuple of dict or None
        A row a clip: path, which is absolute, labels, group, split.
    """

    model: str
    history: tuple[dict[str, float], ...] = ()
    spec: dict[str, Any] | None = None
    split: tuple[dict[str, str], ...] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class RunRecord:
    """What a run holds.

    Attributes
    ----------
    report : dict
        report.json.
    trainings : dict of str to TrainingRecord
        Keys are models.
    golden : dict of str to Golden
        Keys are models.
    drift : dict of str to dict
        Keys are files without their suffix.
    faults : tuple of str
        What is there and could not be read.
    """

    report: dict[str, Any]
    trainings: dict[str, TrainingRecord]
    golden: dict[str, Golden]
    drift: dict[str, dict[str, Any]]
    faults: tuple[str, ...] = ()

    @property
    def models(self) -> list[str]:
        """The models that files were made of, in the order of the report."""
        return list(dict.fromkeys(str(file["model"]) for file in self.report["files"]))

    @property
    def judged_model(self) -> str:
        """The model that the verdict is about; of a report without one the first."""
        return str(self.report.get("verdict", {}).get("model") or self.models[0])

    @property
    def about(self) -> str:
        """How many files of which models, for how many labels."""
        labels = self.report["files"][0]["test"]["window"]["labels"]
        files = counted(len(self.report["files"]), "file")
        return f"{files} of {', '.join(self.models)}, for {counted(len(labels), 'label')}"


def read_run(path: Path) -> RunRecord:
    """Read what the folder of a build or a conversion holds; a JSON file is a report.json, its folder that of the run.

    Raises
    ------
    FileNotFoundError
        The folder holds no report.json.
    ValueError
        A report.json that is no report of a build.
    """
    document = path / REPORT_FILE_NAME if path.is_dir() else path
    found, folder = read_report(document), document.parent
    faults: list[str] = []
    models = list(dict.fromkeys(str(file["model"]) for file in found["files"]))
    golden = {model: folder / GOLDEN_FOLDER_NAME / f"{safe_part(model)}.npz" for model in models}
    drift = sorted((folder / DRIFT_FOLDER_NAME).glob("*.json"))
    return RunRecord(
        report=found,
        trainings={model: _training(folder, model, found["files"], faults) for model in models},
        golden=_read_all(golden, read_golden, faults),
        drift=_read_all({path.stem: path for path in drift}, read_json, faults),
        faults=tuple(faults),
    )


def read_report(path: Path) -> dict[str, Any]:
    """Read a report.json.

    Raises
    ------
    FileNotFoundError, ValueError
        As for `read_run`.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path.parent} holds no {path.name}; expected a folder that earproof build or earproof convert filled"
        )
    report = read_json(path)
    missing = [name for name in _NEEDED if name not in report] if isinstance(report, dict) else list(_NEEDED)
    if missing or not report["files"]:
        raise ValueError(
            f"{path} is no report of a build: {', '.join(missing) or 'files'} not in it; expected what earproof build "
            "or earproof convert wrote, or earproof bench or evaluate with --json"
        )
    return dict(report)


def _training(run: Path, model: str, files: Sequence[Mapping[str, Any]], faults: list[str]) -> TrainingRecord:
    """What one training left; of a conversion, whose training lies elsewhere, what its files say of it."""
    folder = run / safe_part(model)
    history = _read_all({model: folder / HISTORY_FILE_NAME}, _read_history, faults)
    split = _read_all({model: folder / SPLIT_FILE_NAME}, _read_split, faults)
    spec = _read_all({model: folder / SPEC_RUN_FILE_NAME}, read_json, faults)
    if not spec:
        first = next(str(file["file"]) for file in files if file["model"] == model)
        spec = _read_all({model: run / PurePath(first).name}, _spec_inside, faults)
    return TrainingRecord(model=model, history=history.get(model, ()), spec=spec.get(model), split=split.get(model))


def _spec_inside(path: Path) -> dict[str, Any] | None:
    """The spec inside a model file."""
    spec = read_spec(path.read_bytes())
    return None if spec is None else dict(json.loads(spec.to_json()))


def _read_all(paths: dict[str, Path], read: Callable[[Path], Found], faults: list[str]) -> dict[str, Found]:
    """Read the files that are there; note those that cannot be read."""
    found = {}
    for name, path in paths.items():
        if path.is_file():
            try:
                found[name] = read(path)
            except (ValueError, OSError, KeyError) as error:
                faults.append(f"{path.name} of {name} cannot be read: {error}")
    return found


def read_json(path: Path) -> Any:
    """Read a JSON document.

    Raises
    ------
    ValueError
        It is none.
    """
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no JSON document: {error}") from error


def _read_rows(path: Path) -> tuple[dict[str, str], ...]:
    """The rows of a table with a header."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def _read_split(path: Path) -> tuple[dict[str, str], ...]:
    """The recordings of a training, whose paths are relative to its folder there."""
    folder = os.path.realpath(path.parent)
    return tuple({**row, "path": os.path.normpath(os.path.join(folder, row["path"]))} for row in _read_rows(path))


def _read_history(path: Path) -> tuple[dict[str, float], ...]:
    """The epochs of a training, as numbers; cells that are empty are left out."""
    return tuple({name: float(value) for name, value in row.items() if value} for row in _read_rows(path))

"""What int8 costs on ESC-10: both models on the five official folds, float and 8 bits compared window by window.

    python benchmarks/esc10.py --out runs/esc10

Fold k is the test side, fold k+1 the validation side, the other three train; the source recordings (Freesound) are
the groups. Each fold and model is one `earproof build` with the recipes float32, int8 and auto. Every one of the 400
clips is tested once, by the training that did not have its fold: the table pools them, with the paired 95 % interval of
the loss by the bootstrap over source recordings. A run that was interrupted goes on. Needs ../shared/data/esc10 (or
--data); without it the program says so and ends.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import earproof
from convert.quantization.mixed_precision import format_mixed_precision
from edge_runtime.machine.describe import describe_machine, machine_line
from edge_runtime.model.classifier import Classifier
from edge_runtime.scoring.intervals import paired_bootstrap_interval
from train.fitting.finished_run import open_run
from train.models import ONE_LABEL_NAMES

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDS = range(1, 6)
RECIPES = ("int8", "auto")
SETTINGS = {  # 240 training clips make few steps an epoch
    "waveform_cnn": ("--epochs", "30", "--batch-size", "16"),
    "mel_cnn": ("--epochs", "30", "--batch-size", "16", "--no-augment"),
}
COLUMNS = ("path", "labels", "group", "split")


def main() -> int:
    """Build every fold that is not there and print the pooled table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data" / "esc10")
    parser.add_argument("--out", type=Path, required=True, help="one folder a fold is made in it")
    parser.add_argument("--fold", type=int, action="append", choices=FOLDS, help="only this one; may be repeated")
    args = parser.parse_args()
    if not args.data.is_dir():
        print(f"skipped: {args.data} is not there", file=sys.stderr)
        return earproof.DONE
    folders = [args.out / f"fold-{fold}" for fold in args.fold or FOLDS]
    for fold, folder in zip(args.fold or FOLDS, folders, strict=True):
        for model in ONE_LABEL_NAMES:
            if build_fold(args.data, fold, folder, model) == earproof.BAD_INPUT:
                return earproof.BAD_INPUT
    print("\n".join([*table(folders), "", machine_line(describe_machine())]))
    return earproof.DONE


def build_fold(data: Path, fold: int, folder: Path, model: str) -> int:
    """Train, convert and prove a model for one test fold, unless its report is there already."""
    out = folder / model
    if (out / "report.json").is_file():
        return earproof.DONE
    index = folder / "clips.csv"
    folder.mkdir(parents=True, exist_ok=True)
    with index.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *clips_of_fold(data, fold)])
    recipes = [word for recipe in RECIPES for word in ("--recipe", recipe)]
    command = ["build", str(index), "--out", str(out), "--resume", "--model", model]
    return earproof.main([*command, *SETTINGS[model], *recipes])


def clips_of_fold(data: Path, fold: int) -> list[tuple[str, str, str, str]]:
    """Return the clip index of one test fold, a row a clip."""
    side = {fold: "test", fold % len(FOLDS) + 1: "val"}
    with (data / "meta.csv").open(newline="", encoding="utf-8") as file:
        return [
            (str(path.resolve()), row["category"], row["freesound_id"], side.get(int(row["fold"]), "train"))
            for row in csv.DictReader(file)
            for path in data.rglob(row["filename"])
        ]


def table(folders: Sequence[Path]) -> list[str]:
    """Return one line a model and recipe, all folds pooled, and what auto had to do."""
    lines = [
        f"{'model':<14}{'recipe':<8}{'windows':>8}{'groups':>8}{'float':>8}{'file':>8}{'points lost':>28}{'agree':>8}"
    ]
    for model in ONE_LABEL_NAMES:
        for recipe in RECIPES:
            pairs = [decided_right(folder, model, recipe) for folder in folders]
            float_right, right, agree, groups = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
            lost = float_right.astype(float) - right
            interval = paired_bootstrap_interval(lost, groups)
            points = f"{100 * lost.mean():+.2f} [{100 * interval.lower:+.2f}, {100 * interval.upper:+.2f}]"
            lines.append(
                f"{model:<14}{recipe:<8}{len(lost):>8}{len(np.unique(groups)):>8}{float_right.mean():>8.1%}"
                f"{right.mean():>8.1%}{points:>28}{agree.mean():>8.1%}"
            )
    return [*lines, *(line for folder in folders for line in mixed_precisions(folder))]


def decided_right(folder: Path, model: str, recipe: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return for each test window whether float decides right, whether the file does, whether they agree; groups."""
    cut = open_run(folder / model / model).test_windows()
    decided = []
    for name in ("float32", recipe):
        classifier = Classifier(folder / model / f"{model}-{name}.tflite")
        decided.append(np.array([classifier.scores(window).argmax() for window in cut.windows]))
    return decided[0] == cut.truth, decided[1] == cut.truth, decided[0] == decided[1], cut.groups


def mixed_precisions(folder: Path) -> list[str]:
    """Return what auto kept in float, file by file."""
    reports = [json.loads((folder / model / "report.json").read_text(encoding="utf-8")) for model in ONE_LABEL_NAMES]
    files = [file for report in reports for file in report["files"] if file["repair"]]
    return [f"{folder.name} {file['file']}: {format_mixed_precision(file['repair'])}" for file in files]


if __name__ == "__main__":
    sys.exit(main())

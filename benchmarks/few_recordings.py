"""How many clips of ESC-10 are told right with 1, 5 or 10 clips a label to learn from.

    python benchmarks/few_recordings.py --backbone yamnet_256

Five draws: each official fold is the test side once, and the clips to learn from are drawn from the other four, each of
another source recording. Nothing is chosen on the test side. The table has the mean over the draws, with the 95 %
interval of all tested clips by the bootstrap over source recordings, and the seconds of a whole training. Needs
../shared/data/esc10 (or --data); without it the program says so and ends.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import earproof
from edge_runtime.machine.describe import describe_machine, machine_line
from edge_runtime.scoring.intervals import group_bootstrap_interval
from train.cross_validation.fold_scores import FoldScores
from train.evaluation.predict import predict
from train.fitting.finished_run import open_run

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDS = range(1, 6)
NUMBERS = 1, 5, 10
COLUMNS = ("path", "labels", "group", "split")


def main() -> int:
    """Train on each draw and print the table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data" / "esc10")
    parser.add_argument("--backbone", default="yamnet_256")
    parser.add_argument("--variant", default="5s")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--clips", type=int, action="append", help="a label; may be repeated (default 1, 5, 10)")
    args = parser.parse_args()
    if not args.data.is_dir():
        print(f"skipped: {args.data} is not there", file=sys.stderr)
        return earproof.DONE
    print("| clips a label | clips right | each draw | seconds of a training |\n| --- | --- | --- | --- |")
    for number in args.clips or NUMBERS:
        with tempfile.TemporaryDirectory() as folder:
            print(row(number, [judge(args, fold, number, Path(folder) / str(fold)) for fold in FOLDS]), flush=True)
    print(f"\n{machine_line(describe_machine())}")
    return earproof.DONE


def judge(args: argparse.Namespace, fold: int, number: int, folder: Path) -> tuple[np.ndarray, np.ndarray, float]:
    """Train on one draw; return whether each clip of the test fold is right, its group, and the seconds it took."""
    folder.mkdir()
    index = folder / "clips.csv"
    with index.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *drawn_clips(args.data, fold, number)])
    words = {"variant": args.variant, "backbone": args.backbone, "cache": args.cache, "seed": fold}
    began = time.monotonic()
    earproof.train("transfer", index, out=folder / "run", **words)
    seconds = time.monotonic() - began
    run = open_run(folder / "run", args.cache)
    cut = run.held_out("test")
    found = FoldScores(
        scores=predict(run.model, cut.windows),
        truth=cut.truth,
        clips=cut.clips,
        groups=cut.groups,
        thresholds=None,
        kept_epoch=None,
        seconds=seconds,
    )
    _, right, groups = found.right_clips()
    return right, groups, seconds


def drawn_clips(data: Path, fold: int, number: int) -> list[tuple[str, str, str, str]]:
    """Return the test fold and some clips a label of the other folds, each of another source recording."""
    with (data / "meta.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    paths = {path.name: str(path.resolve()) for path in data.rglob("*") if path.is_file()}
    tested = [row for row in rows if int(row["fold"]) == fold]
    held_out = {row["freesound_id"] for row in tested}
    generator = np.random.default_rng(fold)
    chosen = [(paths[row["filename"]], row["category"], row["freesound_id"], "test") for row in tested]
    for label in sorted({row["category"] for row in rows}):
        left = [row for row in rows if row["category"] == label and row["freesound_id"] not in held_out]
        of_source: dict[str, dict[str, str]] = {}
        for place in generator.permutation(len(left)):
            of_source.setdefault(left[place]["freesound_id"], left[place])
        some = list(of_source.values())[:number]
        chosen += [(paths[row["filename"]], label, row["freesound_id"], "train") for row in some]
    return chosen


def row(number: int, found: list[tuple[np.ndarray, np.ndarray, float]]) -> str:
    """Return one line of the table."""
    right, groups = (np.concatenate([one[place] for one in found]) for place in (0, 1))
    low, high = group_bootstrap_interval(right.astype(float), groups)
    draws = ", ".join(f"{100 * one[0].mean():.1f}" for one in found)
    seconds = [one[2] for one in found]
    cells = f"{right.mean():.1%} [{low:.1%}, {high:.1%}]", draws, f"{min(seconds):.0f} to {max(seconds):.0f}"
    return f"| {number} | {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())

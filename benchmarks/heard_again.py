"""What a quantized file loses, on the test windows of a training as they are and heard again from other places.

    python benchmarks/heard_again.py RUN FLOAT32.tflite FILE.tflite [FILE.tflite ...]

Of 80 test windows one is 1.25 %, and two that lie near a boundary make a loss of 2.5 points. Each is therefore also
heard from other places, what came before following its end, until there are 800 (--windows): the same sounds, other
roundings. Files are run as on a device, by `edge_runtime.Classifier`; the first FILE is what the others are compared
with, window by window. Intervals are 95 %, by the bootstrap over source recordings.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from convert.comparison_windows import ENOUGH_WINDOWS, ComparisonWindows, heard_again
from edge_runtime.classifier import Classifier
from edge_runtime.machine import describe_machine, machine_line
from edge_runtime.parity import ParityResult, recipe_parity
from train.evaluate import TestWindows, score_thresholds
from train.finished_run import open_run


def main() -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
    parser.add_argument("--windows", type=int, default=ENOUGH_WINDOWS, help=f"at least so many ({ENOUGH_WINDOWS})")
    args = parser.parse_args()
    if len(args.files) < 2:
        parser.error("one file alone has nothing to be compared with; name the float32 file first, then another")
    cut = open_run(args.run).test_windows()
    print("\n".join([*table(cut, args.files, args.windows), "", machine_line(describe_machine())]))
    return 0


def table(cut: TestWindows, files: Sequence[Path], num_windows: int) -> list[str]:
    """Return a line for each file but the first and each set of windows."""
    reference, *others = [Classifier(path) for path in files]
    thresholds = score_thresholds(reference.spec)
    given = ComparisonWindows(windows=cut.windows, truth=cut.truth, groups=cut.groups, thresholds=thresholds)
    heard = heard_again(given, num_windows)
    expected = scores_of(reference, heard)
    lines = [f"{'file':<34}{'windows':>8}{'agree':>8}{'float':>8}{'file':>8}{'points lost':>24}"]
    for path, classifier in zip(files[1:], others, strict=True):
        found = scores_of(classifier, heard)
        for count in sorted({len(given.windows), len(heard.windows)}):
            lines.append(row(path.name, compared(expected[:count], found[:count], heard, count)))
    return lines


def scores_of(classifier: Classifier, heard: ComparisonWindows) -> np.ndarray:
    """Return the file's scores of every window, (n, n_labels)."""
    return np.stack([classifier.scores(window) for window in heard.windows])


def compared(expected: np.ndarray, found: np.ndarray, heard: ComparisonWindows, count: int) -> ParityResult:
    """Compare the scores of the first windows; the tolerance is of no consequence here."""
    limits = {"decision_agreement": 0.0, "accuracy_loss": 1.0}
    truth, groups = heard.truth[:count], heard.groups[:count]
    return recipe_parity(expected, found, truth, groups, limits, thresholds=heard.thresholds)


def row(name: str, result: ParityResult) -> str:
    """Return one line of the table."""
    measures = result.measures
    lost, lower, upper = (100 * measures[f"accuracy_loss{end}"] for end in ("", "_lower", "_upper"))
    return (
        f"{name:<34}{result.num_windows:>8}{measures['decision_agreement']:>8.1%}{measures['float_accuracy']:>8.1%}"
        f"{measures['accuracy']:>8.1%}{f'{lost:+.2f} [{lower:+.2f}, {upper:+.2f}]':>24}"
    )


if __name__ == "__main__":
    sys.exit(main())

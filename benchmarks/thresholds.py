"""What the choice of thresholds is worth: exact match on validation and test windows of a multi-label training.

python benchmarks/thresholds.py RUN [--cache DIR]

RUN is a folder of `earproof train isocc`. The exact match is the mean of that of single clips and of mixtures. Compared
are 0.5 for all labels, one common threshold, one a label as it is best on the validation windows, and what
`train.evaluation.thresholds.choose_thresholds` makes of both.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from edge_runtime.scoring.intervals import paired_bootstrap_interval
from edge_runtime.scoring.measures import decisions
from train.evaluation.evaluate import TestWindows
from train.evaluation.predict import predict
from train.evaluation.thresholds import choose_thresholds, sweep_common_threshold
from train.fitting.finished_run import open_run


def right_sets(scores: np.ndarray, cut: TestWindows, thresholds: tuple[float, ...]) -> np.ndarray:
    """Return for each window its weight where its set of labels is right, else 0; the mean is the exact match."""
    return (decisions(scores, thresholds) == cut.truth).all(axis=1) * cut.weights()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where decoded recordings are kept")
    args = parser.parse_args()
    run = open_run(args.run, args.cache)
    if run.spec.activation != "sigmoid":
        parser.error(f"{args.run} holds a model that tells one label; expected a multi-label one, as of train isocc")
    val, test = run.held_out("val"), run.held_out("test")
    val_scores, test_scores = predict(run.model, val.windows), predict(run.model, test.windows)
    labels, given = run.spec.labels, (val_scores, val.truth, run.spec.labels, val.weights())
    common = (sweep_common_threshold(val_scores, val.truth, val.weights()).threshold,) * len(labels)
    chosen = {
        "0.5": (0.5,) * len(labels),
        "one common threshold": common,
        "one a label": choose_thresholds(*given),
        "choose_thresholds": choose_thresholds(*given, val.groups),
    }
    print(f"{len(val.truth)} validation and {len(test.truth)} test windows, single clips and mixtures weighing alike")
    print("| thresholds | from to | validation | test | test, against the common one |")
    print("| --- | --- | --- | --- | --- |")
    reference = right_sets(test_scores, test, common)
    for name, thresholds in chosen.items():
        of_test = right_sets(test_scores, test, thresholds)
        lower, upper = paired_bootstrap_interval(of_test - reference, test.groups)
        print(
            f"| {name} | {min(thresholds):.2f} to {max(thresholds):.2f} "
            f"| {right_sets(val_scores, val, thresholds).mean():.1%} | {of_test.mean():.1%} "
            f"| {100 * (of_test - reference).mean():+.1f} [{100 * lower:+.1f}, {100 * upper:+.1f}] |"
        )


if __name__ == "__main__":
    main()

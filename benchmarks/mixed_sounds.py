"""What the systems for mixed sounds reach on held-out recordings: the ISOCC classifier and the source counter.

    python benchmarks/mixed_sounds.py sets RUN FILE.tflite [FILE.tflite ...] [--split SIDE] [--most N]
    python benchmarks/mixed_sounds.py count RUN COUNTER.tflite [FILE.tflite ...] [--split SIDE] [--most N]

RUN is a training of one of them: its `split.csv` says which recordings are held out. Tested is every single clip of the
test side and every pair of them with different labels, at both published volume normalizations. `--split train` says
what is reached on the recordings that were learned from: a bound, kinder still than the published splits, whose test
mixtures were other mixtures of such recordings.

Files are run as on a device, by `edge_runtime.Classifier`; the first FILE is what the others are compared with, window
by window. "Own threshold" is one for all labels and for this set alone, chosen on validation data, as published;
"ranked" is how often the true labels have the highest scores, the most that any threshold for all labels could reach.
The area under the curve (AUC) is how often, of a single clip and a mixture, the mixture is taken for the one with more
sources; "best mean" is what the best threshold would reach, chosen on these very windows: a bound and no result.
Intervals are 95 %, by the bootstrap over source recordings; a mixture counts as often as both of its recordings are
drawn.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.stats import mannwhitneyu

from edge_runtime.machine.describe import describe_machine, machine_line
from edge_runtime.model.classifier import Classifier
from edge_runtime.scoring.intervals import group_bootstrap_interval, paired_bootstrap_interval
from train.evaluation.thresholds import sweep_common_threshold
from train.fitting.finished_run import open_recordings
from train.recordings.clip import SPLITS
from train.recordings.store.clip_store import LoadedClips
from train.tasks.held_out_mixtures import HeldOutMixtures
from train.tasks.task import draw_parts

NORMALIZATIONS = ("pair", "set")
NUM_VALIDATION = 720  # pairs on which a threshold is chosen, spread over all pairs of labels
ALL = 1_000_000  # mixtures: no limit


def main() -> int:
    """Measure what was asked for and print it as tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    actions = parser.add_subparsers(dest="action", required=True)
    for name in ("sets", "count"):
        action = actions.add_parser(name)
        action.add_argument("run", type=Path, metavar="RUN")
        action.add_argument("files", type=Path, nargs="+", metavar="FILE")
        action.add_argument("--split", choices=SPLITS, default="test", help="side of the recordings (default test)")
        action.add_argument("--most", type=int, default=ALL, metavar="N", help="mixtures (default: every pair)")
    args = parser.parse_args()
    measure = {"sets": exact_match_table, "count": count_table}
    table = measure[args.action](recordings_of(args.run), args.files, args.split, args.most)
    print("\n".join([*table, "", machine_line(describe_machine())]))
    return 0


def recordings_of(run: Path) -> LoadedClips:
    """Return the recordings of a training, each on its side."""
    return open_recordings(run)[1]


def sets_of(clips: LoadedClips, split: str, window_length: int, most: int = ALL) -> list[HeldOutMixtures]:
    """Return the single clips of a side and its pairs at each normalization."""
    singles = HeldOutMixtures("single", clips, draw_parts(clips, split, 1, window_length, ALL))
    pairs = draw_parts(clips, split, 2, window_length, most)
    return [singles, *(HeldOutMixtures(f"mixed, {name} volume", clips, pairs, name) for name in NORMALIZATIONS)]


def score(classifier: Classifier, tested: HeldOutMixtures) -> np.ndarray:
    """Return the file's scores of every window, (n, n_labels)."""
    return np.stack([classifier.scores(window) for window in tested.windows(classifier.spec.window_length)])


def exact_match_table(clips: LoadedClips, files: Sequence[Path], split: str, most: int) -> list[str]:
    """Return the exact match of each file: with the thresholds in it, and with one for each set as published."""
    lines = [
        f"{'file':<28}{'set':<20}{'windows':>8}{'exact match':>26}{'points lost':>28}{'own threshold':>22}"
        f"{'label missing':>15}{'too many':>10}{'ranked':>10}"
    ]
    reference: dict[str, np.ndarray] = {}
    for path in files:
        classifier = Classifier(path)
        length = classifier.spec.window_length
        swept = swept_thresholds(classifier, sets_of(clips, "val", length, NUM_VALIDATION))
        for tested in sets_of(clips, split, length, most):
            scores, truth, groups = score(classifier, tested), tested.truth, tested.groups
            found = reached(scores, classifier)
            right = (found == truth).all(axis=1).astype(float)
            own = ((scores >= swept[tested.name]) == truth).all(axis=1).mean()
            lost = reference.setdefault(tested.name, right) - right
            lines.append(
                f"{path.name:<28}{tested.name:<20}{len(right):>8}{with_interval(right, groups):>26}"
                f"{points(lost, groups):>28}{f'{own:.1%} at {swept[tested.name]:.2f}':>22}"
                f"{(truth & ~found).any(axis=1).mean():>15.1%}{(found & ~truth).any(axis=1).mean():>10.1%}"
                f"{best_are_right(scores, truth).mean():>10.1%}"
            )
    return lines


def best_are_right(scores: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return whether the highest scores are those of the true labels: no threshold for all can do more."""
    lowest_true = np.where(truth, scores, np.inf).min(axis=1)
    return lowest_true > np.where(truth, -np.inf, scores).max(axis=1)


def swept_thresholds(classifier: Classifier, sets: Sequence[HeldOutMixtures]) -> dict[str, float]:
    """Return the one threshold for all labels that is best for each set of validation windows, as published."""
    return {tested.name: sweep_common_threshold(score(classifier, tested), tested.truth).threshold for tested in sets}


def count_table(clips: LoadedClips, files: Sequence[Path], split: str, most: int) -> list[str]:
    """Return how often the number of sources is right, for one and two, and how well the scores separate them."""
    lines = [f"{'file':<34}{'one source':>26}{'two sources':>26}{'mean of both':>16}{'AUC':>8}{'best mean':>12}"]
    for path in files:
        classifier = Classifier(path)
        singles, *mixed = sets_of(clips, split, classifier.spec.window_length, most)
        scores = {tested.name: score(classifier, tested) for tested in (singles, *mixed)}
        right = {tested.name: counted_right(scores[tested.name], tested) for tested in (singles, *mixed)}
        for tested in mixed:
            one, two = right[singles.name], right[tested.name]
            mean = (one.mean() + two.mean()) / 2
            area, best = separation(1.0 - scores[singles.name][:, 0], 1.0 - scores[tested.name][:, 0])
            lines.append(
                f"{f'{path.name}, {tested.normalization}':<34}{with_interval(one, singles.groups):>26}"
                f"{with_interval(two, tested.groups):>26}{mean:>16.1%}{area:>8.3f}{best:>12.1%}"
            )
    return lines


def counted_right(scores: np.ndarray, tested: HeldOutMixtures) -> np.ndarray:
    """Return 1.0 for each window whose number of sources is decided right."""
    return (scores.argmax(axis=1) + 1 == tested.truth.sum(axis=1)).astype(float)


def separation(few: np.ndarray, many: np.ndarray) -> tuple[float, float]:
    """Return the area under the curve of two sets of scores, and the mean of both shares at the best threshold."""
    area = mannwhitneyu(many, few, method="asymptotic").statistic / (few.size * many.size)
    few, many = np.sort(few), np.sort(many)
    thresholds = np.concatenate([few, many])
    right = np.searchsorted(few, thresholds) / few.size + 1.0 - np.searchsorted(many, thresholds) / many.size
    return float(area), float(right.max() / 2)


def reached(scores: np.ndarray, classifier: Classifier) -> np.ndarray:
    """Return which labels reach their threshold, bool (n, n_labels)."""
    return scores >= np.asarray(classifier.spec.thresholds, np.float32)


def with_interval(right: np.ndarray, groups: np.ndarray) -> str:
    """Return a share with its interval."""
    low, high = group_bootstrap_interval(right, groups)
    return f"{right.mean():.1%} [{low:.1%}, {high:.1%}]"


def points(differences: np.ndarray, groups: np.ndarray) -> str:
    """Return a mean difference in percentage points with its paired interval."""
    low, high = paired_bootstrap_interval(differences, groups)
    return f"{100 * differences.mean():+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]"


if __name__ == "__main__":
    sys.exit(main())

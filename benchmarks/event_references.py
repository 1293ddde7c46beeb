"""Our measures of events and segments beside those of public libraries, on random recordings.

python benchmarks/event_references.py [--cases 200] [--environment DIR] [--golden FILE]

Makes an environment with sed_eval, sed_scores_eval, pyannote.metrics and mir_eval. They measure the same cases there,
and the largest difference of each measure is printed. --golden writes the first cases with what the libraries found,
for `tests/test_train_event_scores.py`.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge_runtime.segments.segment import Segment
from train.event_scores.borders import border_errors
from train.event_scores.event_based import event_counts
from train.event_scores.psds import SCENARIOS, psds_counts
from train.event_scores.segment_based import segment_counts
from train.event_scores.time_error import segment_error_rate, time_errors

REFERENCES = Path(__file__).resolve().parents[1] / "tests" / "event_references"
LABELS = ("bark", "rain", "siren")
NUM_RECORDINGS = 4
HOP_SECONDS = 0.05
SAME = 1e-9
NUM_GOLDEN = 4


@dataclass(frozen=True)
class Frames:
    """The scores of one recording."""

    hop_seconds: float
    labels: tuple[str, ...]
    scores: np.ndarray


def draw_case(generator: np.random.Generator) -> dict[str, Any]:
    """Return recordings with annotated events, found ones that are near or not, and frame scores."""
    recordings = {}
    for number in range(NUM_RECORDINGS):
        seconds = float(np.round(generator.uniform(4.0, 9.0), 3))
        reference = [one for label in LABELS for one in _events(generator, label, seconds, apart=0.05)]
        if number == 0:  # each label is annotated at least once
            reference = [one for one in reference if one[1] < 3.0]
            reference += [[3.0 + 0.1 * place, 3.7, label] for place, label in enumerate(LABELS)]
        recordings[f"{number}.wav"] = {
            "seconds": seconds,
            "reference": sorted(reference),
            "estimated": sorted(_found(generator, reference, seconds)),
            "hundredths": _hundredths(generator, reference, seconds).tolist(),
            "psds_seconds": float(np.round(generator.uniform(20.0, 100.0), 1)),  # for some false ones below e_max
            "one_change": _times(generator, seconds),
            "one_change_found": _times(generator, seconds),
        }
    return {"labels": list(LABELS), "hop_seconds": HOP_SECONDS, "recordings": recordings}


def _events(generator: np.random.Generator, label: str, seconds: float, apart: float) -> list[list[Any]]:
    """Events of one label that do not overlap."""
    events, time = [], float(generator.uniform(0.0, 2.0))
    while True:
        offset = time + float(generator.uniform(0.2, 2.0))
        if offset > seconds:
            return events
        events.append([round(time, 3), round(offset, 3), label])
        time = offset + apart + float(generator.uniform(0.0, 2.0))


def _times(generator: np.random.Generator, seconds: float) -> list[float]:
    """Some times on a grid of 10 ms, none twice."""
    grid = np.arange(30, int(100 * seconds) - 30) / 100
    return sorted(generator.choice(grid, generator.integers(1, 6), replace=False).tolist())


def _found(generator: np.random.Generator, reference: list[list[Any]], seconds: float) -> list[list[Any]]:
    """Events as a detector finds them: near, of another label, doubled, missed, or made up."""
    found = []
    for onset, offset, label in reference:
        for _ in range(generator.choice([0, 1, 1, 1, 2])):
            begin = max(0.0, onset + generator.normal(0.0, 0.12))
            end = max(begin + 0.05, offset + generator.normal(0.0, 0.2))
            heard = label if generator.random() < 0.75 else str(generator.choice(LABELS))
            found.append([round(float(begin), 3), round(float(end), 3), heard])
    for label in LABELS:
        found += [one for one in _events(generator, label, seconds, apart=0.0) if generator.random() < 0.2]
    return found


def _hundredths(generator: np.random.Generator, reference: list[list[Any]], seconds: float) -> np.ndarray:
    """Scores times 100, higher where a label is annotated and a little where another is; some are equal."""
    times = np.arange(math.ceil(seconds / HOP_SECONDS)) * HOP_SECONDS
    scores = generator.uniform(0.0, 0.7, (times.size, len(LABELS)))
    for onset, offset, label in reference:
        inside = (times >= onset) & (times < offset)
        scores[inside, LABELS.index(label)] += 0.25
        scores[inside, generator.integers(len(LABELS))] += 0.15
    kernel = np.ones(5) / 5
    smooth = np.stack([np.convolve(column, kernel, "same") for column in scores.T], axis=1)
    return np.round(100 * np.minimum(smooth, 1.0)).astype(int)


def our_measures(case: dict[str, Any]) -> dict[str, Any]:
    """Return what our code finds of a case, shaped as the reference script writes it."""
    recordings, labels = case["recordings"], tuple(case["labels"])
    reference, estimated = (_segments(recordings, kind) for kind in ("reference", "estimated"))
    frames = {
        name: Frames(case["hop_seconds"], labels, np.array(one["hundredths"]) / 100) for name, one in recordings.items()
    }
    seconds = {name: one["psds_seconds"] for name, one in recordings.items()}
    return {
        "segment": _named(segment_counts(reference, estimated, labels).measures()),
        "event": _named(event_counts(reference, estimated, labels).measures()),
        **{name: psds_counts(reference, frames, seconds, one).score() for name, one in SCENARIOS.items()},
        "time_error_rate": float(segment_error_rate(time_errors(reference, estimated))),
        "border_medians": [_onset_median(one) for one in recordings.values()],
    }


def _segments(recordings: dict[str, Any], kind: str) -> dict[str, list[Segment]]:
    """The segments of every recording."""
    return {
        name: [Segment(onset=onset, offset=offset, label=label) for onset, offset, label in one[kind]]
        for name, one in recordings.items()
    }


def _named(measures: dict[str, np.ndarray]) -> dict[str, list[float]]:
    """Our names as sed_eval's."""
    return {"f_measure" if name == "f1" else name: values.tolist() for name, values in measures.items()}


def _onset_median(recording: dict[str, Any]) -> float:
    """The median error of borders that are all of one change: the label begins, and what ends it is no border."""
    alternating = [
        {"x": [part for time in recording[kind] for part in _instants(time)]}
        for kind in ("one_change", "one_change_found")
    ]
    errors = border_errors(alternating[0], alternating[1], {"x": recording["seconds"]})
    onsets = np.array([change == "no label to a" for change in errors.changes])
    return float(np.median(errors.distances[onsets]))


def _instants(time: float) -> list[Segment]:
    """A short segment that begins at a time."""
    return [Segment(onset=time, offset=time + 0.001, label="a")]


def largest_differences(cases: list[dict[str, Any]], expected: list[dict[str, Any]]) -> dict[str, float]:
    """Return the largest difference of each measure over all cases; infinite where one alone is not defined."""
    worst: dict[str, float] = {}
    for case, theirs in zip(cases, expected, strict=True):
        for name, difference in _differences(our_measures(case), theirs):
            worst[name] = max(worst.get(name, 0.0), difference)
    return worst


def _differences(ours: dict[str, Any], theirs: dict[str, Any], prefix: str = "") -> list[tuple[str, float]]:
    """Each measure with how far both are apart."""
    found = []
    for name, value in ours.items():
        if isinstance(value, dict):
            found += _differences(value, theirs[name], f"{name} ")
        else:
            pair = np.array(value, np.float64), np.array(theirs[name], np.float64)
            difference = np.where(np.isnan(pair[0]) & np.isnan(pair[1]), 0.0, np.abs(pair[0] - pair[1]))
            found.append((prefix + name, float(np.where(np.isnan(difference), np.inf, difference).max())))
    return found


def make_environment(folder: Path) -> Path:
    """Make the environment of the libraries where it is not there; return its Python."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "-r", str(REFERENCES / "requirements.txt")]
        subprocess.run(pip, check=True)
    return python


def reference_measures(python: Path, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the libraries find of the cases."""
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "cases.json", Path(folder) / "out.json"
        given.write_text(json.dumps(cases), encoding="utf-8")
        subprocess.run([str(python), str(REFERENCES / "score_with_references.py"), str(given), str(out)], check=True)
        return list(json.loads(out.read_text(encoding="utf-8")))


def main() -> int:
    """Print the table; 1 where a measure differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=200, metavar="N", help="default 200")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--environment", type=Path, default=Path(".cache/event_references"), metavar="DIR")
    parser.add_argument("--golden", type=Path, metavar="FILE", help="write the first cases and their measures")
    args = parser.parse_args()
    generator = np.random.default_rng(args.seed)
    cases = [draw_case(generator) for _ in range(args.cases)]
    expected = reference_measures(make_environment(args.environment.resolve()), cases)
    if args.golden:
        pairs = list(zip(cases, expected, strict=True))[:NUM_GOLDEN]
        lines = [json.dumps({"case": case, "expected": found}) for case, found in pairs]
        args.golden.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    worst = largest_differences(cases, expected)
    print(f"{args.cases} cases of {NUM_RECORDINGS} recordings, seed {args.seed}\n")
    print("| measure | largest difference |\n| --- | --- |")
    for name, difference in worst.items():
        print(f"| {name} | {difference:.1e} |")
    return int(max(worst.values()) > SAME)


if __name__ == "__main__":
    sys.exit(main())

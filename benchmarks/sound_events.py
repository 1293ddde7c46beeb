"""Detectors on annotated scenes, fold by fold: scenes to train on, and all folds judged together.

    python benchmarks/sound_events.py compose SCENES CLIPS BACKGROUND --test-fold 1 --out DIR
    earproof train event_crnn SCENES DIR --test-fold 1 --out runs/events-1
    earproof convert runs/events-1 --out files/events-1
    python benchmarks/sound_events.py judge SCENES --files files/events-{1,2,3,4}/event_crnn-float32.tflite ...

`compose` writes training scenes of the clips of the folds that neither test nor validate. CLIPS is ESC-10,
whose folds are those of SCENES. `judge` gives each system one file a fold, runs it on the scenes of that fold, and
measures all scenes together, paired.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np

import earproof
from edge_runtime.segments.detecting import Detecting
from edge_runtime.segments.score_grid import ScoreGrid
from edge_runtime.segments.score_stream import score_rows
from edge_runtime.segments.segment import Segment
from metadata.spec import ModelSpec
from train.annotations.annotated_index import annotated_index
from train.data.prepare import load_with_progress
from train.evaluation.detector import compared_scores, file_detector
from train.event_scores.event_based import event_counts
from train.event_scores.event_report import event_csv, event_lines, judge_systems
from train.event_scores.measured import EventMeasuring
from train.event_scores.segment_based import segment_counts
from train.recordings.clip_index import ClipIndex, find_clips
from train.recordings.joined_groups import group_rows

FOLDS = ("1", "2", "3", "4")  # fold 5 of ESC-10 has no scenes and is not used


def sides_of(test_fold: str) -> dict[str, str]:
    """Return the side of each fold: the one after the tested one validates, the others train."""
    after = FOLDS[(FOLDS.index(test_fold) + 1) % len(FOLDS)]
    return {fold: {test_fold: "test", after: "val"}.get(fold, "train") for fold in FOLDS}


def compose(args: argparse.Namespace) -> None:
    """Write scenes of the clips of the training folds, with a fold of these in their meta.csv."""
    sides = sides_of(args.test_fold)
    fold = next(fold for fold, side in sides.items() if side == "train")
    labels = annotated_index(args.scenes).labels
    index = find_clips(args.clips)
    rows = [clip for clip in index.clips if clip.fold in sides and set(clip.labels) <= set(labels)]
    table = args.out.with_name(f"{args.out.name}-clips.csv")
    table.parent.mkdir(parents=True, exist_ok=True)
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label", "group", "split"])
        writer.writerows([index.root.resolve() / one.path, one.labels[0], one.group, sides[one.fold]] for one in rows)
    words = ["data", "compose", table, "--background", args.background, "--write", args.out, "--force"]
    words += ["--scenes", f"{args.count}:0:0", "--seed", args.test_fold, "--polyphony", 3, "--snr", 14, 28]
    if earproof.main([str(word) for word in words]):
        raise SystemExit("data compose failed")
    with (args.out / "meta.csv").open(newline="") as file:
        meta = list(csv.DictReader(file))
    with (args.out / "meta.csv").open("w", newline="") as file:
        kept = csv.DictWriter(file, [*(name for name in meta[0] if name != "split"), "fold"], extrasaction="ignore")
        kept.writeheader()
        kept.writerows({**row, "fold": fold} for row in meta)


def judge(args: argparse.Namespace) -> None:
    """Run each system's file of a fold on the scenes of that fold, and measure all scenes together."""
    index = annotated_index(args.scenes)
    reference = dict(index.events or {})
    seconds: dict[str, float] = {}
    scored = {name: _scored(index, files, args, seconds, FOLDS) for name, *files in args.files}
    detecting = Detecting(median_frames=args.median_frames)
    found = {name: _segments(one, seconds, detecting) for name, one in scored.items()}
    grids = {
        name: {path: compared_scores(grid, seconds[path], spec, detecting) for path, (spec, grid) in one.items()}
        for name, one in scored.items()
    }
    groups = group_rows(index.clips)
    report = judge_systems(reference, found, groups, EventMeasuring(), seconds, grids)
    print("\n".join(event_lines(report)))
    if args.csv:
        args.csv.write_text(event_csv(report))
    if args.json:
        args.json.write_text(json.dumps(report, indent=2))


def tune(args: argparse.Namespace) -> None:
    """Print what a running median over frame scores is worth on the validation scenes of each fold's file."""
    index = annotated_index(args.scenes)
    reference = dict(index.events or {})
    validated = tuple(next(fold for fold, side in sides_of(tested).items() if side == "val") for tested in FOLDS)
    for name, *files in args.files:
        seconds: dict[str, float] = {}
        scored = _scored(index, files, args, seconds, validated)
        for median in args.medians:
            found = _segments(scored, seconds, Detecting(median_frames=median))
            segment, event = (
                count.measures()["f1"][list(count.columns).index("micro")]
                for count in (segment_counts(reference, found), event_counts(reference, found))
            )
            print(f"{name}, median of {median} frames: segment F1 {segment:.3f}, event F1 {event:.3f}")


def _scored(
    index: ClipIndex, files: list[str], args: argparse.Namespace, seconds: dict[str, float], folds: tuple[str, ...]
) -> dict[str, tuple[ModelSpec, ScoreGrid]]:
    """The scores that the file of each fold gives the scenes of the fold beside it in `folds`, with its contract."""
    if len(files) != len(FOLDS):
        raise SystemExit(f"there are {len(files)} files; expected one a fold: {', '.join(FOLDS)}")
    scored = {}
    for fold, file in zip(folds, files, strict=True):
        one = file_detector(Path(file), num_threads=1)
        rows = score_rows(one.spec, args.hop)
        of_fold = index.with_clips(clip for clip in index.clips if clip.fold == fold)
        loaded = load_with_progress(of_fold, one.spec.sample_rate, args.cache, strict=None)
        for clip, waveform in zip(loaded.index.clips, loaded.waveforms, strict=True):
            seconds[clip.path] = waveform.size / one.spec.sample_rate
            scored[clip.path] = one.spec, one.grid(np.asarray(waveform[:]), rows)
    return scored


def _segments(
    scored: dict[str, tuple[ModelSpec, ScoreGrid]], seconds: dict[str, float], detecting: Detecting
) -> dict[str, tuple[Segment, ...]]:
    """What is found in each scene."""
    return {path: detecting.segments(spec, grid, seconds[path]) for path, (spec, grid) in scored.items()}


def main() -> None:
    """Do one of the three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    composing = actions.add_parser("compose", help="write scenes to train on")
    composing.add_argument("scenes", type=Path)
    composing.add_argument("clips", type=Path)
    composing.add_argument("background", type=Path)
    composing.add_argument("--test-fold", choices=FOLDS, required=True)
    composing.add_argument("--count", type=int, default=300, help="scenes (default 300)")
    composing.add_argument("--out", type=Path, required=True)
    judging = actions.add_parser("judge", help="measure systems on all folds together")
    judging.add_argument("--median-frames", type=int, default=1)
    judging.add_argument("--csv", type=Path)
    judging.add_argument("--json", type=Path)
    tuning = actions.add_parser("tune", help="compare running medians on the validation scenes")
    tuning.add_argument("--medians", type=int, nargs="+", default=[1, 5, 9, 15, 25])
    for action in (judging, tuning):
        action.add_argument("scenes", type=Path)
        action.add_argument("--files", nargs="+", action="append", required=True, help="name, then a file a fold")
        action.add_argument("--hop", type=float, help="seconds from window to window (default: half a window)")
        action.add_argument("--cache", type=Path)
    args = parser.parse_args()
    {"compose": compose, "judge": judge, "tune": tune}[args.action](args)


if __name__ == "__main__":
    main()

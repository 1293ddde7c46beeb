"""What the reports on held-out recordings share: arguments, recordings that no file was trained on, where they go."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from metadata.signed import signed

if TYPE_CHECKING:
    from edge_runtime.model.classifier import Classifier
    from metadata import ModelSpec
    from train.recordings.store.clip_store import LoadedClips


def add_report_arguments(parser: argparse.ArgumentParser, written: str) -> None:
    """Add where recordings are kept and what becomes of the report."""
    parser.add_argument("--num-threads", type=int, default=1, metavar="N", help="of each interpreter (default 1)")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where decoded recordings are kept")
    parser.add_argument("--out", type=Path, metavar="DIR", help=f"write {written} into this folder")
    parser.add_argument("--force", action="store_true", help="replace what an earlier report left in --out")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def open_held_out(run: Path, cache: Path | None, labels: tuple[str, ...]) -> tuple[ModelSpec, LoadedClips]:
    """Return the contract and the recordings of a training, each on its side.

    Raises
    ------
    FileNotFoundError
        There is no finished training.
    ValueError
        The recordings have other labels.
    """
    from train.data.prepare import load_with_progress
    from train.fitting.finished_run import open_recordings

    spec, clips = open_recordings(run, cache, load_with_progress)
    if clips.events is not None:
        raise ValueError(
            f"{run} was trained on recordings with annotations; expected recordings of one label each, which are put "
            "together here. The thresholds of a detector are in its file, and earproof evaluate judges what it finds"
        )
    if clips.index.labels != labels:
        raise ValueError(
            f"the recordings of {run} have the labels {', '.join(clips.index.labels)}, the classifiers "
            f"{', '.join(labels)}; expected the same in the same order"
        )
    return spec, clips


def check_splits(clips: LoadedClips, files: Mapping[Path, Classifier]) -> list[str]:
    """Return notes on files that do not say what they were trained on.

    Raises
    ------
    ValueError
        A file was trained on another split: what is held out here may be what it learned from.
    """
    held_out, notes = clips.split_sha256(), []
    for path, classifier in files.items():
        trained_on = classifier.spec.provenance.split_sha256
        if not trained_on:
            notes.append(
                f"{path} does not say on which split it was trained; it may have been trained on these recordings"
            )
        elif trained_on != held_out:
            raise ValueError(
                f"{path} was trained on another split of recordings, perhaps on what is held out here; "
                "expected files of trainings on the same data with the same --test-fold or --seed"
            )
    return notes


def claim_report_folder(args: argparse.Namespace) -> Path | None:
    """Return the folder of --out, made if need be, or None; refuse one that is in use."""
    from train.recordings.output_folder import claim_folder

    return claim_folder(args.out, force=args.force) if args.out else None


def tell_report(
    report: Mapping[str, Any], lines: Sequence[str], names: tuple[str, str], folder: Path | None, as_json: bool
) -> None:
    """Print a report as Markdown or as JSON, and write both into a folder where there is one.

    Parameters
    ----------
    report, lines
        As JSON and as lines of Markdown.
    names : tuple of str
        Of the Markdown and of the JSON file.
    """
    from metadata.atomic_file import write_atomically

    markdown, document = "\n".join(lines), json.dumps(report, indent=2)
    if folder is not None:
        for name, text in zip(names, (markdown, document), strict=True):
            write_atomically(folder / name, f"{text}\n".encode())
        print(f"the report is in {folder}", file=sys.stderr)
    print(document if as_json else markdown)


def share(right: np.ndarray, groups: np.ndarray) -> dict[str, Any]:
    """Return a share with its 95 % interval."""
    from edge_runtime.scoring.intervals import share_interval

    return {"share": float(right.mean()), "interval": list(share_interval(right, groups))}


def points_won(right: np.ndarray, reference: np.ndarray, groups: np.ndarray) -> dict[str, Any]:
    """Return how many percentage points are won over what decides the same windows, with a paired 95 % interval.

    Of a single group nothing can be drawn: the interval is then all there can be.
    """
    from edge_runtime.scoring.intervals import count_groups, paired_bootstrap_interval

    differences = 100.0 * (right.astype(float) - reference)
    interval = paired_bootstrap_interval(differences, groups) if count_groups(groups) > 1 else (-100.0, 100.0)
    return {"points": float(differences.mean()), "interval": list(interval)}


def points_cell(found: dict[str, Any]) -> str:
    """Return points won with their interval for people."""
    low, high = found["interval"]
    return f"{signed(found['points'], 1)} [{signed(low, 1)}, {signed(high, 1)}]"


def share_cell(found: dict[str, Any] | None) -> str:
    """Return a share with its interval for people, a dash where there is none."""
    if found is None:
        return "-"
    low, high = found["interval"]
    return f"{found['share']:.1%} [{low:.1%}, {high:.1%}]"

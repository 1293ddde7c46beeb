"""The arguments that put recordings on the sides of a split, for actions that need one."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from metadata.plural import counted
from train.recordings.importers import IMPORTERS
from train.recordings.split import shares_text

if TYPE_CHECKING:
    from train.recordings.clip_index import ClipIndex


def add_side_arguments(parser: argparse.ArgumentParser) -> None:
    """Add how a split is found; by default the data's own, else one is drawn."""
    parser.add_argument("--shares", metavar="A:B:C", help=f"draw train, val and test anew (default {shares_text()})")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of everything drawn (default 0)")
    parser.add_argument("--test-fold", metavar="FOLD", help="split by the data's own folds: this one is the test side")
    parser.add_argument("--val-fold", metavar="FOLD", help="the validation side (default: the fold after --test-fold)")


def put_on_sides(index: ClipIndex, args: argparse.Namespace) -> ClipIndex:
    """Return the index with every clip on a side, as the arguments say, and tell how they came there.

    Their number is reported where they are found.
    """
    from train.data.prepare import split_and_say
    from train.recordings.split import read_shares

    if args.shares and args.test_fold:
        raise ValueError("--shares draws a split and --test-fold takes the data's own; choose one")
    shares = read_shares(args.shares) if args.shares else None  # the default that build and train draw by
    index.check_labels()
    if args.shares and not index.is_partly_sided:
        index = _drawn_anew(index)
    return split_and_say(index, args.seed, args.test_fold, args.val_fold, shares, is_counted=True)


def _drawn_anew(index: ClipIndex) -> ClipIndex:
    """Return the index without its sides, which is told; DATA that is there to be trained on alone stays on train."""
    from train.progress import note

    dropped = [clip for clip in index.clips if clip.split and clip.path not in index.train_only]
    if dropped:
        note(f"--shares draws anew: the sides that {counted(len(dropped), 'clip')} came with are dropped")
    clips = [clip if clip.path in index.train_only else replace(clip, split="") for clip in index.clips]
    return replace(index, clips=tuple(clips), is_partly_sided=bool(index.train_only))


def add_dataset_argument(parser: argparse._ActionsContainer) -> None:
    """Add how DATA is read."""
    parser.add_argument(
        "--dataset",
        metavar="NAME",
        help=f"read DATA as {', '.join(IMPORTERS)}, or none: one folder a label (default: by its layout)",
    )

"""The action `data oversample`: copies of the training clips at another pitch."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from metadata.plural import counted
from metadata.signed import signed
from train.data.sides import add_side_arguments, put_on_sides

if TYPE_CHECKING:
    from train.recordings.clip_index import ClipIndex

DONE = 0
SAMPLE_RATE = 16_000  # Hz
MAX_CENTS = 200.0  # as `train.recordings.pitch_shift.DEFAULT_MAX_CENTS` has it, which would make --help wait for NumPy


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the action."""
    parser.add_argument("--into", type=Path, required=True, metavar="DIR", help="the folder to fill")
    parser.add_argument("--copies", type=int, required=True, metavar="N", help="of each training clip")
    reach = parser.add_mutually_exclusive_group()
    reach.add_argument(
        "--max-cents", type=float, metavar="C", help=f"farthest pitch (default {MAX_CENTS:g}; published 9.6 to 11.9)"
    )
    reach.add_argument("--semitones", type=float, metavar="S", help="the same in semitones")
    parser.add_argument("--downward", action="store_true", help="only to lower pitch, as published")
    add_side_arguments(parser)
    parser.add_argument("--force", action="store_true", help="empty DIR first if earproof filled it")
    parser.add_argument("--strict", action="store_true", help="refuse unreadable files instead of leaving them out")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where decoded recordings are kept")


def run(index: ClipIndex, args: argparse.Namespace) -> int:
    """Write the copies; return the exit code."""
    from train.data.prepare import load_with_progress
    from train.progress import note, progress_bar
    from train.recordings.pitch_shift import oversample, shifts, sources

    max_cents = 100.0 * args.semitones if args.semitones is not None else args.max_cents
    cents = shifts(args.copies, MAX_CENTS if max_cents is None else max_cents, args.downward)
    clips = load_with_progress(put_on_sides(index, args), SAMPLE_RATE, args.cache, args.strict)
    total = len(sources(clips)[0]) * len(cents)
    with progress_bar(total, "shift", "clip") as bar:

        def tell(count: int, name: str) -> None:
            bar.set_postfix_str(name, refresh=count == 0)  # the first name at once: a long clip takes its time
            bar.update(count - bar.n)

        done = oversample(clips, SAMPLE_RATE, cents, args.into, force=args.force, tell=tell)
    for reason in done.left_out:
        note(f"not copied: {reason}")
    if done.turned_down:
        note(done.turned_down)
    result: dict[str, Any] = {
        "index": str(args.into / "clips.csv"),
        "clips": len(done.index.clips),
        "copies": done.copies,
        "cents": [round(shift, 3) for shift in cents],
        "left_out": done.left_out,
    }
    text = (
        f"wrote {result['index']}, {counted(result['clips'], 'clip', form=',')}, {done.copies:,} of them copies by "
        + ", ".join(signed(shift, 1) for shift in cents)
        + " cents"
    )
    print(json.dumps(result, indent=2) if args.json else text)
    return DONE
